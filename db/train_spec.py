"""What a training run is asked to do. Defaults are sound for a small LoRA run; presets fill in the rest."""

import re
from dataclasses import dataclass

from db.spec_fields import option, require_choice, require_number, require_whole

TARGET_PRESETS = {
    "attention": ("q_proj", "k_proj", "v_proj", "o_proj"),
    "query and value": ("q_proj", "v_proj"),
    "all linear": ("q_proj", "k_proj", "v_proj", "o_proj", "gate_proj", "up_proj", "down_proj"),
}
METHODS = ("lora", "rslora", "dora", "qlora", "full")
SCHEDULERS = (
    "cosine",
    "linear",
    "constant",
    "constant_with_warmup",
    "cosine_with_restarts",
    "polynomial",
    "inverse_sqrt",
)
PRECISIONS = ("auto", "bf16", "fp16", "fp32")
BATCHINGS = ("auto", "padded", "grouped", "flat", "packed")
TOO_LONG = ("drop", "cut")
KEEPS = ("last", "best")
CHECKPOINTING = ("auto", "on", "off")
LAUNCHERS = ("here", "slurm")
STRATEGIES = ("ddp", "fsdp")
TRACKERS = ("none", "tensorboard", "trackio")
_LAYER = re.compile(r"[A-Za-z_][A-Za-z0-9_]*(\.[A-Za-z0-9_]+)*")
_SLURM_NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9_.,-]{0,63}|")


@dataclass(frozen=True)
class TrainSpec:
    """One training run. Raises ValueError naming the field that cannot be."""

    base_model_id: int
    dataset_version_id: int
    adapter_name: str = option("", "The name the tuned adapter goes by in the playground.")

    # What is tuned
    method: str = option(
        "lora",
        "LoRA tunes small matrices beside the frozen weights; rsLoRA scales them for high ranks, DoRA tunes "
        "direction and size apart, QLoRA keeps the base in 4 bits (a GPU is needed), full tunes all weights.",
    )
    rank: int = option(8, "Size of the update matrices. 8 to 16 is plenty for most tasks; more costs memory.")
    alpha: int = option(
        16, "How strongly the update counts: it is scaled by alpha / rank. Twice the rank is usual."
    )
    dropout: float = option(
        0.05, "Share of the adapter's inputs dropped while training, against overfitting."
    )
    target: str = option(
        "all linear",
        "Which weights get an update: a preset, or names of layers with commas between. "
        "All linear layers learn most per step.",
    )

    # How it is tuned
    learning_rate: float = option(3e-4, "Step size. 1e-4 to 5e-4 suits LoRA, 1e-5 to 5e-5 full tuning.")
    epochs: float = option(3.0, "How often every row is seen.")
    max_steps: int = option(0, "Stop after so many steps, whatever the epochs say. 0: the epochs decide.")
    batch_size: int = option(8, "Rows per forward pass and process. Lower it when memory runs out.")
    accumulation: int = option(
        1, "Passes summed before a step: batch size times this is the effective batch."
    )
    scheduler: str = option("cosine", "How the learning rate falls after the warm-up.")
    warmup: float = option(
        0.03, "Steps over which the learning rate rises from zero: below 1 a share of all, else a number."
    )
    weight_decay: float = option(0.0, "Pull of the weights toward zero. Rarely needed with LoRA.")
    clip: float = option(1.0, "Longest gradient that is let through; longer ones are cut to it. 0: any.")
    neftune: float = option(0.0, "Noise on the embeddings (NEFTune's alpha; 5 is usual). 0: none.")
    seed: int = option(42, "The same seed, data and machine give the same weights.")

    # Rows and batches
    max_length: int = option(512, "Longest row in tokens; what becomes of longer ones is the next setting.")
    too_long: str = option("drop", "Longer rows are left out (drop), or lose the end of their answer (cut).")
    batching: str = option(
        "auto",
        "Flat lays the rows of a batch end to end without padding; packed fills every line to the longest "
        "row; grouped pads rows of like length; padded pads. Auto: flat where the base can, else grouped.",
    )

    # Memory
    precision: str = option("auto", "Number format. Auto: bf16 where the device is fast at it, else fp32.")
    checkpointing: str = option(
        "auto",
        "Recompute activations backward: a third slower, far less memory. Auto: for large bases.",
    )

    # What is watched and kept
    evaluate_every: int = option(0, "Steps between two looks at the validation rows. 0: after each epoch.")
    patience: int = option(0, "Stop when the validation loss has not fallen for so many looks. 0: never.")
    keep: str = option("last", "Which weights become the adapter: the last, or the best by validation loss.")
    save_every: int = option(
        0, "Steps between two checkpoints. 0: ten a run, and every five minutes at the latest."
    )
    sample_every: int = option(0, "Steps between two sets of sample answers. 0: none.")
    sample_prompts: tuple[str, ...] = option(
        (), "Fixed prompts for the sample answers, one a line; without any, three validation rows."
    )
    track: str = option("none", "Also write the metrics for TensorBoard or trackio, into the run's folder.")

    # Where it runs
    resumes: int = option(3, "How often an interrupted run goes on by itself. 0: it waits for a person.")
    processes: int = option(1, "GPUs (or processes) of a machine that share the work.")
    machines: int = option(1, "Machines that share the work; more than one needs Slurm.")
    strategy: str = option("ddp", "DDP copies the base to each process; FSDP splits one that fits in none.")
    launcher: str = option("here", "Run on the worker's machine, or hand the run to Slurm.")
    partition: str = option("", "Slurm's partition. Empty: the site's default.")
    account: str = option("", "Slurm's account. Empty: the site's default.")
    minutes: int = option(0, "Slurm's time limit in minutes. 0: the site's default.")

    def __post_init__(self) -> None:
        if not self.adapter_name.strip():
            raise ValueError("adapter name: name the adapter so that you find it again.")
        for name, choices in (
            ("method", METHODS),
            ("scheduler", SCHEDULERS),
            ("too_long", TOO_LONG),
            ("batching", BATCHINGS),
            ("precision", PRECISIONS),
            ("checkpointing", CHECKPOINTING),
            ("keep", KEEPS),
            ("track", TRACKERS),
            ("strategy", STRATEGIES),
            ("launcher", LAUNCHERS),
        ):
            require_choice(self, name, choices)
        for name, low, high in (
            ("rank", 1, 512),
            ("alpha", 1, 4096),
            ("max_steps", 0, 10_000_000),
            ("batch_size", 1, 1024),
            ("accumulation", 1, 4096),
            ("max_length", 16, 131_072),
            ("evaluate_every", 0, 1_000_000),
            ("patience", 0, 1000),
            ("save_every", 0, 1_000_000),
            ("sample_every", 0, 1_000_000),
            ("resumes", 0, 100),
            ("processes", 1, 64),
            ("machines", 1, 256),
            ("minutes", 0, 100_000),
            ("seed", 0, 2**31 - 1),
        ):
            require_whole(self, name, low, high)
        for name, low, high in (
            ("dropout", 0, 0.9),
            ("learning_rate", 1e-7, 1),
            ("epochs", 0.01, 1000),
            ("warmup", 0, 100_000),
            ("weight_decay", 0, 1),
            ("clip", 0, 1000),
            ("neftune", 0, 100),
        ):
            require_number(self, name, low, high)
        object.__setattr__(self, "sample_prompts", tuple(self.sample_prompts))  # a list, out of JSON
        self._require_fit()

    @property
    def is_adapter(self) -> bool:
        """True when the result is an adapter beside the base, False when it is a whole model."""
        return self.method != "full"

    @property
    def layers(self) -> tuple[str, ...]:
        """The last parts of the names of the layers to update."""
        return TARGET_PRESETS.get(self.target) or tuple(part.strip() for part in self.target.split(","))

    def _require_fit(self) -> None:
        """Settings that only make sense together. Raises ValueError."""
        if not all(_LAYER.fullmatch(layer) for layer in self.layers):
            known = ", ".join(TARGET_PRESETS)
            raise ValueError(
                f"target: {self.target!r} is no list of layers; choose {known}, or write q_proj, v_proj."
            )
        if self.warmup > 1 and self.warmup != int(self.warmup):
            raise ValueError(
                f"warmup: {self.warmup:g} cannot be; give a share below 1 or a whole number of steps."
            )
        if self.machines > 1 and self.launcher != "slurm":
            raise ValueError("machines: more than one needs Slurm; choose it as launcher, or give 1.")
        if self.method == "qlora" and self.strategy == "fsdp":
            raise ValueError("strategy: QLoRA's 4-bit weights cannot be split here; choose ddp, or LoRA.")
        for name in ("partition", "account"):
            if not _SLURM_NAME.fullmatch(getattr(self, name)):
                raise ValueError(f"{name}: use letters, digits, dashes and underscores only.")
        if len(self.sample_prompts) > 10:
            raise ValueError("sample prompts: ten at most; each is answered at every look.")
