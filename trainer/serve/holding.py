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

from db.compare_spec import MAX_SIDES
from trainer import prompts
from trainer.models import fourbit, load
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

    def __init__(
        self,
        base: Base,
        *,
        keep: int = MAX_SIDES,
        dtype: torch.dtype | None = None,
        four_bit: bool = False,
    ) -> None:
        """`dtype` is the device's own unless told; with `four_bit` the base is packed as QLoRA packs it."""
        self.base = base
        self.device = load.pick_device()
        self.dtype = dtype or load.pick_dtype(self.device)
        self.four_bit = four_bit
        self.tokenizer: PreTrainedTokenizerBase = load.load_tokenizer(base.location, base.revision)
        self.model: PreTrainedModel = load.load_base(
            base.location,
            base.revision,
            dtype=self.dtype,
            device=self.device,
            quantised=fourbit.config(self.dtype) if four_bit else None,
        )
        set_threads(self.model)
        self.end_ids = end_ids(self.model, self.tokenizer)
        self.template_hash = load.template_hash(self.tokenizer)
        self._keep = keep
        self.peft_model: PeftModel | None = None
        self._hashes: OrderedDict[str, str] = OrderedDict()  # row name -> SHA-256, least lately used first
        self._probe = prompts.encode(
            self.tokenizer, prompts.to_prompt("What is aspirin for?"), for_answer=True
        )
        self._plain = selftest.plain_logits(self.model, self._probe)
        self._revision = _in_background(load.base_revision, base.location, base.revision)

    @property
    def revision(self) -> str:
        """Which weights exactly. Hashing gigabytes takes a while, so it runs beside the first answer."""
        return self._revision.result()

    @property
    def spare_cores(self) -> int:
        """How many passes may run side by side: on a CPU where one alone takes a single thread, see
        `set_threads`."""
        return _ALL_THREADS if self.device.type == "cpu" and torch.get_num_threads() == 1 else 1

    def holds(self, adapter: Tuned | None) -> bool:
        return adapter is None or row_name(adapter) in self._hashes

    def hash_of(self, adapter: Tuned) -> str:
        """SHA-256 of a loaded adapter's weights."""
        return self._hashes[row_name(adapter)]

    def use(self, *wanted: Tuned) -> None:
        """Make sure that all these adapters are loaded, and stay so for now."""
        for adapter in wanted:
            name = row_name(adapter)
            if name not in self._hashes:
                self._hashes[name] = self._load(adapter)
            self._hashes.move_to_end(name)
        while len(self._hashes) > max(self._keep, len(set(wanted))):
            self._drop(next(iter(self._hashes)))

    def drop(self, adapter_id: int) -> bool:
        """Forget an adapter and its checkpoints; True when any was loaded."""
        names = [name for name in self._hashes if _is_of(name, adapter_id)]
        for name in names:
            self._drop(name)
        return bool(names)

    def _load(self, adapter: Tuned) -> str:
        """Load the adapter and try it; returns its SHA-256."""
        folder = Path(adapter.path)
        adapters.check_folder(folder)
        digest = adapters.check_hash(folder, adapter.hash)
        name, config = row_name(adapter), adapters.read_config(folder)
        try:
            self._place(name, config, adapters.read_weights(folder))
        except _MISFIT as error:
            raise ValueError(
                f"adapter: {adapter.title} does not fit {self.base.name} ({type(error).__name__}); "
                "choose an adapter that was tuned on it."
            ) from error
        mixes = rows.base_mixes(self.model.config) and not config.use_dora
        selftest.check(self.model, name, self._probe, self._plain, mixes=mixes, label=adapter.title)
        return digest

    def _place(self, name: str, config: LoraConfig, tensors: dict[str, torch.Tensor]) -> None:
        if self.peft_model is None:
            self.peft_model = PeftModel(self.model, config, adapter_name=name)
        else:
            self.peft_model.add_adapter(name, config)
        self.peft_model.set_adapter(name)  # only so that an active one is never dropped; rows name theirs
        self.peft_model.eval()
        report: Any = set_peft_model_state_dict(self.peft_model, tensors, adapter_name=name)
        unfilled = [key for key in report.missing_keys if f".{name}." in f"{key}."]
        if report.unexpected_keys or unfilled:  # peft only warns, and leaves random numbers
            raise KeyError(*report.unexpected_keys[:1], *unfilled[:1])

    def _drop(self, name: str) -> None:
        """peft cannot be without an adapter, so with the last one its layers go, too."""
        assert self.peft_model is not None
        del self._hashes[name]
        if not self._hashes:
            self.peft_model.unload()
            self.peft_model = None
            return
        if name in self.peft_model.active_adapters:
            self.peft_model.set_adapter(next(reversed(self._hashes)))
        self.peft_model.delete_adapter(name)


def row_name(adapter: Tuned | None) -> str:
    """What peft knows the adapter by."""
    if adapter is None:
        return rows.BASE_ROW
    return f"adapter-{adapter.id}" if adapter.step is None else f"adapter-{adapter.id}-step-{adapter.step}"


def _is_of(name: str, adapter_id: int) -> bool:
    return name == f"adapter-{adapter_id}" or name.startswith(f"adapter-{adapter_id}-step-")


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
