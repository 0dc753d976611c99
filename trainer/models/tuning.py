"""A base made ready to be tuned: loaded in the right format, LoRA attached, with the collator it can take.

Training and the data report that foretells it set up alike, through here.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from math import ceil

import torch
from peft import PeftModel
from transformers import PreTrainedTokenizerBase

from db.enums import Split
from db.tables import BaseModel, DatasetRow
from db.train_spec import TrainSpec
from trainer.data.collate import Flattened, Padded
from trainer.data.encode import Encoded, Example, encode_rows
from trainer.models import attention, load, lora, precision

# Above this size activations are recomputed in the backward pass: slower, but it fits.
_CHECKPOINTED = 1_000_000_000


@dataclass(frozen=True)
class Tuning:
    model: PeftModel
    collator: Padded
    device: torch.device
    dtype: torch.dtype

    @property
    def is_large(self) -> bool:
        return self.device.type == "cuda" and self.model.num_parameters() > _CHECKPOINTED

    @property
    def device_name(self) -> str:
        if self.device.type == "cuda":
            return f"cuda {torch.cuda.get_device_name(self.device)}"
        return "cpu"

    def describe(self) -> str:
        trainable, total = self.model.get_nb_trainable_parameters()
        layout = "flattened" if isinstance(self.collator, Flattened) else "padded"
        return (
            f"{total:,} parameters, {trainable:,} of them trained, on {self.device_name} "
            f"in {str(self.dtype).removeprefix('torch.')}, batches {layout}"
        )


def encode_split(
    tokenizer: PreTrainedTokenizerBase, rows: dict[Split, list[DatasetRow]], split: Split, longest: int
) -> Encoded:
    """The rows of a split as examples of at most `longest` tokens.

    Raises ValueError for the training split when nothing is left to train on.
    """
    encoded = encode_rows(tokenizer, rows[split], longest)
    if split is Split.TRAIN:
        _require_rows(encoded, len(rows[split]), longest)
    return encoded


def set_up(
    base: BaseModel, spec: TrainSpec, tokenizer: PreTrainedTokenizerBase, examples: Sequence[Example]
) -> Tuning:
    """Load the base and attach LoRA. Raises ValueError naming "base model", "target" or "rank"."""
    device = load.pick_device()
    dtype = precision.training_dtype(device)
    model = load.load_base(base.location, base.revision, dtype=dtype, device=device)
    model.config.use_cache = False  # a cache would hide where flattened rows begin
    flat = attention.switch_to_rows(model, examples, tokenizer.pad_token_id)
    collator = (Flattened if flat else Padded)(tokenizer.pad_token_id)
    return Tuning(lora.attach(model, spec), collator, device, dtype)


def longest_row(base: BaseModel, spec: TrainSpec) -> int:
    """Tokens a row may have: what was asked for, within what the base can take in."""
    return min(spec.max_length, base.context_length or spec.max_length)


def count_steps(rows: int, spec: TrainSpec) -> int:
    """Optimizer steps of the whole run, as the Trainer counts them."""
    batches = -(-rows // spec.batch_size)
    return ceil(spec.epochs * -(-batches // spec.accumulation))


def _require_rows(encoded: Encoded, found: int, longest: int) -> None:
    if encoded.examples:
        return
    if not found:
        raise ValueError("dataset: this version has no training rows; freeze one that has.")
    reasons = []
    if encoded.too_long:
        reasons.append(f"{encoded.too_long} are longer than {longest} tokens (raise the longest row)")
    if encoded.empty_answer:
        reasons.append(f"{encoded.empty_answer} have no answer (write one and freeze again)")
    raise ValueError(f"dataset: none of its {found} training rows can be used: {' and '.join(reasons)}.")
