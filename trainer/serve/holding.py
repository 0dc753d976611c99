"""One base model in memory with a few of its adapters around it. Only the generation thread touches it."""

import gc
from collections import OrderedDict
from concurrent.futures import Future, ThreadPoolExecutor
from pathlib import Path
from typing import Any

import torch
from peft import LoraConfig, PeftModel, set_peft_model_state_dict
from safetensors import SafetensorError
from transformers import PreTrainedModel, PreTrainedTokenizerBase

from trainer import prompts
from trainer.models import load
from trainer.serve import adapters, rows, selftest
from trainer.serve.catalog import Base, Tuned

# What peft and safetensors raise when tensors have other shapes, or belong to layers the base has not.
_MISFIT = (RuntimeError, ValueError, KeyError, OSError, SafetensorError)
_SMALL = 100_000_000  # parameters
_ALL_THREADS = torch.get_num_threads()


class Held:
    """A base, its tokenizer, and up to `keep` adapters, the least lately used one dropped first.

    Raises ValueError, one sentence with the field in front, for a base or an adapter that cannot be loaded.
    """

    def __init__(self, base: Base, *, keep: int = 4, dtype: torch.dtype | None = None) -> None:
        """`dtype` is the device's own unless told."""
        self.base = base
        self.device = load.pick_device()
        self.dtype = dtype or load.pick_dtype(self.device)
        self.tokenizer: PreTrainedTokenizerBase = load.load_tokenizer(base.location, base.revision)
        self.model: PreTrainedModel = load.load_base(
            base.location, base.revision, dtype=self.dtype, device=self.device
        )
        set_threads(self.model)
        self.end_ids = end_ids(self.model, self.tokenizer)
        self.template_hash = load.template_hash(self.tokenizer)
        self._keep = keep
        self.peft_model: PeftModel | None = None
        self._hashes: OrderedDict[int, str] = OrderedDict()  # adapter id -> SHA-256, least lately used first
        self._revision = _in_background(load.base_revision, base.location, base.revision)

    @property
    def revision(self) -> str:
        """Which weights exactly. Hashing gigabytes takes a while, so it runs beside the first answer."""
        return self._revision.result()

    def holds(self, adapter: Tuned | None) -> bool:
        return adapter is None or adapter.id in self._hashes

    def hash_of(self, adapter: Tuned) -> str:
        """SHA-256 of a loaded adapter's weights."""
        return self._hashes[adapter.id]

    def use(self, adapter: Tuned) -> None:
        """Make sure the adapter is loaded and stays so for now."""
        if adapter.id not in self._hashes:
            self._hashes[adapter.id] = self._load(adapter)
            self._drop_oldest()
        self._hashes.move_to_end(adapter.id)

    def _load(self, adapter: Tuned) -> str:
        """Load the adapter and try it; returns its SHA-256."""
        folder = Path(adapter.path)
        adapters.check_folder(folder)
        digest = adapters.check_hash(folder, adapter.hash)
        try:
            peft_model = self._place(
                row_name(adapter), adapters.read_config(folder), adapters.read_weights(folder)
            )
        except _MISFIT as error:
            raise ValueError(
                f"adapter: {adapter.name} does not fit {self.base.name} ({type(error).__name__}); "
                "choose an adapter that was tuned on it."
            ) from error
        selftest.check(self.model, peft_model, row_name(adapter), self._probe(), label=adapter.name)
        return digest

    def _place(self, name: str, config: LoraConfig, tensors: dict[str, torch.Tensor]) -> PeftModel:
        if self.peft_model is None:
            self.peft_model = PeftModel(self.model, config, adapter_name=name)
        else:
            self.peft_model.add_adapter(name, config)
        self.peft_model.set_adapter(name)  # only so that an active one is never dropped; rows name theirs
        self.peft_model.eval()
        report: Any = set_peft_model_state_dict(self.peft_model, tensors, adapter_name=name)
        unfilled = [key for key in report.missing_keys if f".{name}." in key]
        if report.unexpected_keys or unfilled:  # peft only warns, and leaves random numbers
            raise KeyError(*report.unexpected_keys[:1], *unfilled[:1])
        return self.peft_model

    def _probe(self) -> list[int]:
        return prompts.encode(self.tokenizer, prompts.to_prompt("What is aspirin for?"), for_answer=True)

    def _drop_oldest(self) -> None:
        while self.peft_model and len(self._hashes) > self._keep:
            oldest, _ = self._hashes.popitem(last=False)
            self.peft_model.delete_adapter(f"adapter-{oldest}")


def row_name(adapter: Tuned | None) -> str:
    return rows.BASE_ROW if adapter is None else f"adapter-{adapter.id}"


def end_ids(model: PreTrainedModel, tokenizer: PreTrainedTokenizerBase) -> frozenset[int]:
    """Tokens that end an answer: the model's, the tokenizer's, and what the chat template puts after one."""
    configured = model.generation_config.eos_token_id
    ids = {tokenizer.eos_token_id, *(configured if isinstance(configured, list) else [configured])}
    before = prompts.encode(tokenizer, prompts.to_prompt("a"), for_answer=True)
    whole = prompts.encode(tokenizer, prompts.to_chat("a", "", "b"), for_answer=False)
    shared = [one == other for one, other in zip(before, whole, strict=False)] + [False]
    answer = whole[shared.index(False) :]
    specials = [token for token in answer if token in tokenizer.all_special_ids]
    return frozenset(token for token in [*ids, *specials[-1:]] if token is not None)


def set_threads(model: PreTrainedModel) -> None:
    """One thread for a small model on the CPU: its steps are too short to share.

    Measured with 6 million parameters on two cores: 3.7 ms a token on one thread; 20 ms and up to 180 ms on
    two while a training job runs beside it, since both threads wait for whichever was pushed aside.
    """
    torch.set_num_threads(1 if model.num_parameters() < _SMALL else _ALL_THREADS)


def free_memory() -> None:
    """Give the memory of a dropped model back before the next one is loaded."""
    gc.collect()
    if torch.cuda.is_available():
        torch.cuda.empty_cache()


def _in_background(function, *arguments) -> Future:
    pool = ThreadPoolExecutor(1)
    future = pool.submit(function, *arguments)
    pool.shutdown(wait=False)
    return future
