"""How an encoder baseline is tuned: BioBERT and its kin, with transformers' own heads."""

from dataclasses import dataclass

from db.spec_fields import option, require_choice, require_number, require_whole
from db.train_spec import PRECISIONS

STAND_IN = "stand-in"  # a small encoder built from a config where no weights can be had; never pretrained


@dataclass(frozen=True)
class EncoderSpec:
    """One encoder, tuned on one task's training rows and scored on others. Raises ValueError by the field."""

    location: str  # folder, owner/name on the Hub, or STAND_IN
    train_task_id: int  # the task version with the training rows
    tasks: tuple[int, ...]  # task versions it is scored on, of the same task and labels
    name: str = option("", "The name the encoder goes by in tables.")
    revision: str = option("", "For the Hub: the commit or tag to stay on. Empty means the newest.")
    epochs: float = option(3.0, "How often every row is seen.")
    learning_rate: float = option(5e-5, "Step size. 2e-5 to 5e-5 is usual for encoders.")
    batch_size: int = option(32, "Rows per step.")
    max_length: int = option(
        512, "Longest row in tokens; longer ones are read in pieces (tokens) or cut (text)."
    )
    warmup: float = option(0.1, "Share of the steps over which the learning rate rises from zero.")
    weight_decay: float = option(0.01, "Pull of the weights toward zero.")
    precision: str = option("auto", "Number format. Auto: bf16 where the device is fast at it, else fp32.")
    seed: int = option(42, "The same seed, data and machine give the same weights.")
    level: float = option(0.95, "Confidence level of the intervals.")
    resumes: int = option(3, "How often an interrupted run goes on by itself. 0: it waits for a person.")

    def __post_init__(self) -> None:
        object.__setattr__(self, "tasks", tuple(self.tasks))
        if not isinstance(self.location, str) or not self.location.strip():
            raise ValueError(f"location: name a folder, an encoder on the Hub, or {STAND_IN}.")
        if not self.name.strip():
            raise ValueError("name: name the encoder so that you find it again.")
        if not self.tasks or not all(isinstance(id, int) and id > 0 for id in self.tasks):
            raise ValueError("tasks: choose at least one frozen task to score it on.")
        require_whole(self, "train_task_id", 1, 2**31 - 1)
        require_number(self, "epochs", 0.01, 1000)
        require_number(self, "learning_rate", 1e-7, 1)
        require_whole(self, "batch_size", 1, 1024)
        require_whole(self, "max_length", 16, 8192)
        require_number(self, "warmup", 0, 1)
        require_number(self, "weight_decay", 0, 1)
        require_choice(self, "precision", PRECISIONS)
        require_whole(self, "seed", 0, 2**31 - 1)
        require_number(self, "level", 0.5, 0.999)
        require_whole(self, "resumes", 0, 100)
