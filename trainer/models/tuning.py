"""A base made ready to be tuned: loaded in the right format, its update attached, a collator it can take.

Training and the data report that foretells it set up alike, through here.
"""

from collections.abc import Sequence
from dataclasses import dataclass

import torch
from peft import PeftModel
from transformers import PreTrainedModel, PreTrainedTokenizerBase

from db.tables import BaseModel
from db.train_spec import TrainSpec
from trainer.data import batching
from trainer.data.collate import Padded
from trainer.data.examples import Example
from trainer.models import attention, fourbit, load, lora, precision, whole

# Above this size activations are recomputed in the backward pass: slower, but it fits.
_CHECKPOINTED = 1_000_000_000


@dataclass(frozen=True)
class Tuning:
    model: PeftModel | PreTrainedModel  # a PeftModel when an adapter is tuned, else the base itself
    layout: str  # of its batches: padded, grouped, flat or packed
    collator: Padded
    device: torch.device
    dtype: torch.dtype

    @property
    def base(self) -> PreTrainedModel:
        """The causal language model itself, without what is around it."""
        return self.model.get_base_model() if isinstance(self.model, PeftModel) else self.model

    @property
    def is_large(self) -> bool:
        return self.device.type == "cuda" and self.model.num_parameters() > _CHECKPOINTED

    def recomputes(self, spec: TrainSpec) -> bool:
        """True when activations are computed again in the backward pass instead of kept."""
        return self.is_large if spec.checkpointing == "auto" else spec.checkpointing == "on"

    @property
    def device_name(self) -> str:
        if self.device.type == "cuda":
            return f"cuda {torch.cuda.get_device_name(self.device)}"
        return "cpu"

    def describe(self) -> str:
        trainable = sum(weight.numel() for weight in self.model.parameters() if weight.requires_grad)
        return (
            f"{self.model.num_parameters():,} parameters, {trainable:,} of them trained, on "
            f"{self.device_name} in {precision.name(self.dtype)}, batches {self.layout}"
        )


def set_up(
    base: BaseModel,
    spec: TrainSpec,
    tokenizer: PreTrainedTokenizerBase,
    examples: Sequence[Example],
    *,
    device: torch.device | None = None,
    dtype: torch.dtype | None = None,
    split: bool = False,
) -> Tuning:
    """Load the base and attach what is tuned. Raises ValueError naming the setting that cannot be.

    `device` and `dtype` are for who has already found them: one of several processes, a run that goes on.
    A base that is to be `split` over processes stays on the CPU until it is.
    """
    device = device or load.pick_device()
    dtype = dtype or precision.pick(spec.precision, device)
    model = _load(base, spec, torch.device("cpu") if split else device, dtype)
    model.config.use_cache = False  # a cache would hide where flattened rows begin
    pad_id = tokenizer.pad_token_id
    by_row = spec.batching in batching.MAY_BE_BY_ROW and attention.switch_to_rows(model, examples, pad_id)
    layout = batching.choose(spec.batching, by_row)
    tuned = lora.attach(model, spec) if spec.is_adapter else whole.prepare(model)
    return Tuning(tuned, layout, batching.collator(layout, pad_id), device, dtype)


def _load(base: BaseModel, spec: TrainSpec, device: torch.device, dtype: torch.dtype) -> PreTrainedModel:
    """The base: in 4 bits for QLoRA, in float32 when all of it is trained, else in the training format."""
    if spec.method == "qlora":
        fourbit.require_ready(device)
        compute = torch.bfloat16 if dtype is torch.float32 else dtype
        return load.load_base(
            base.location, base.revision, dtype=dtype, device=device, quantised=fourbit.config(compute)
        )
    held = dtype if spec.is_adapter else torch.float32
    return load.load_base(base.location, base.revision, dtype=held, device=device)
