"""What a job is asked to do: one frozen dataclass a job kind, stored as JSON on the job.

A sentence of help stands in each field's metadata, so that the form and the shell say the same thing.
"""

from dataclasses import asdict, dataclass, fields

from db.convert_spec import ConvertSpec
from db.enums import JobKind
from db.generate_spec import GenerateSpec
from db.spec_fields import option, require_number, require_whole

TARGET_PRESETS = {
    "attention": ("q_proj", "k_proj", "v_proj", "o_proj"),
    "query and value": ("q_proj", "v_proj"),
    "all linear": ("q_proj", "k_proj", "v_proj", "o_proj", "gate_proj", "up_proj", "down_proj"),
}
SCHEDULERS = ("cosine", "linear", "constant_with_warmup")


@dataclass(frozen=True)
class TrainLoraSpec:
    """One LoRA tuning run. Raises ValueError naming the field that cannot be."""

    base_model_id: int
    dataset_version_id: int
    adapter_name: str = option("", "The name the tuned adapter goes by in the playground.")
    rank: int = option(8, "Size of the update matrices. 8 to 16 is plenty for most tasks; more costs memory.")
    alpha: int = option(
        16, "How strongly the update counts: it is scaled by alpha / rank. Twice the rank is usual."
    )
    dropout: float = option(
        0.05, "Share of the adapter's inputs dropped while training, against overfitting."
    )
    target: str = option("all linear", "Which weights get an update. All linear layers learn most per step.")
    learning_rate: float = option(3e-4, "Step size. 1e-4 to 5e-4 suits LoRA; small models bear more.")
    epochs: float = option(3.0, "How often every row is seen.")
    batch_size: int = option(8, "Rows per forward pass. Lower it when memory runs out.")
    accumulation: int = option(
        1, "Passes summed before a step: batch size times this is the effective batch."
    )
    max_length: int = option(
        512, "Longest row in tokens. Longer rows are left out and counted, never cut silently."
    )
    warmup: float = option(0.03, "Share of the steps over which the learning rate rises from zero.")
    scheduler: str = option("cosine", "How the learning rate falls after the warm-up.")
    weight_decay: float = option(0.0, "Pull of the weights toward zero. Rarely needed with LoRA.")
    seed: int = option(42, "The same seed, data and machine give the same adapter.")

    def __post_init__(self) -> None:
        if not self.adapter_name.strip():
            raise ValueError("adapter name: name the adapter so that you find it again.")
        require_whole(self, "rank", 1, 512)
        require_whole(self, "alpha", 1, 4096)
        require_number(self, "dropout", 0, 0.9)
        require_number(self, "learning_rate", 1e-7, 1)
        require_number(self, "epochs", 0.01, 1000)
        require_whole(self, "batch_size", 1, 1024)
        require_whole(self, "accumulation", 1, 4096)
        require_whole(self, "max_length", 16, 131_072)
        require_number(self, "warmup", 0, 0.9)
        require_number(self, "weight_decay", 0, 1)
        require_whole(self, "seed", 0, 2**31 - 1)
        if self.target not in TARGET_PRESETS:
            raise ValueError(f"target: {self.target!r} is not one of {', '.join(TARGET_PRESETS)}.")
        if self.scheduler not in SCHEDULERS:
            raise ValueError(f"scheduler: {self.scheduler!r} is not one of {', '.join(SCHEDULERS)}.")


# A data report is asked with the settings of the run it foretells.
SPECS = {
    JobKind.TRAIN_LORA: TrainLoraSpec,
    JobKind.DATA_REPORT: TrainLoraSpec,
    JobKind.GENERATE: GenerateSpec,
    JobKind.CONVERT: ConvertSpec,
}


def to_json(spec) -> dict:
    return asdict(spec)


def from_json(kind: JobKind, stored: dict):
    """The spec of a stored job; unknown keys raise ValueError."""
    spec = SPECS[kind]
    unknown = set(stored) - {option.name for option in fields(spec)}
    if unknown:
        raise ValueError(f"{sorted(unknown)[0]}: {kind} has no such setting.")
    return spec(**stored)


def help_for(spec: type, name: str) -> str:
    return spec.__dataclass_fields__[name].metadata["help"]
