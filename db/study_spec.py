"""What a study is asked to do: which question, on which data, with which training, measured on which tasks.

The arms of the grid are worked out from this when the study is made (see db.study_arms).
"""

from dataclasses import dataclass, field
from typing import Any

from db.enums import Category, StudyKind
from db.spec_fields import option, require_choice, require_number, require_whole

COMPOSITIONS = ("leave one out", "one only", "provenance")  # what a composition study varies
PARTS = ("category", "task", "source")  # what the train rows are divided by
MIXTURES = ("equal", "natural")
MERGES = ("linear", "svd", "ties", "dare_linear", "dare_ties")
GROUPS = (Category.QA.value, Category.IE.value, Category.GEN.value)  # BioInstruct's three, without "other"


@dataclass(frozen=True)
class StudySpec:
    """One study. Raises ValueError naming the field that cannot be."""

    kind: str
    base_model_id: int
    dataset_version_id: int  # the train rows that the arms are drawn from
    tasks: tuple[int, ...]  # task versions that every arm is measured on
    name: str = option("", "What the study goes by.")
    rows: int = option(
        0, "Train rows of each arm, so that all cost the same. 0: as many as every arm can have."
    )
    training: dict[str, Any] = field(default_factory=dict)  # settings of TrainSpec, the same for all arms
    evaluation: dict[str, Any] = field(default_factory=dict)  # settings of EvaluateSpec, the same for all
    parts: str = option(
        "category",
        "What a study of composition or of experts divides the train rows by: category, task or source.",
    )
    among: tuple[str, ...] = option((), "The parts that take part, such as QA, IE and GEN. None named: all.")
    mixture: str = option(
        "equal", "How an arm of several parts shares its rows: equal, or natural, as the data has them."
    )
    weights: dict[str, float] = field(default_factory=dict)  # part -> weight; in place of the mixture
    varies: str = option("leave one out", "What a composition study varies.")
    shares: tuple[float, ...] = option((0.1, 0.3, 1.0), "Shares of the rows, of a study of data scale.")
    ranks: tuple[int, ...] = option((4, 8, 16, 32), "Ranks of the update, of a study of rank.")
    merge: str = option("linear", "How experts are merged, as peft's weighted merge has it.")
    seed: int = option(42, "The same seed draws the same rows for each arm.")
    resumes: int = option(3, "How often an interrupted study goes on by itself. 0: it waits for a person.")

    def __post_init__(self) -> None:
        for name in ("tasks", "shares", "ranks", "among"):
            object.__setattr__(self, name, tuple(getattr(self, name)))
        require_choice(self, "kind", tuple(StudyKind))
        require_choice(self, "varies", COMPOSITIONS)
        require_choice(self, "parts", PARTS)
        require_choice(self, "mixture", MIXTURES)
        if not self.name.strip():
            raise ValueError("name: name the study so that you find it again.")
        if not self.tasks or not all(isinstance(id, int) and id > 0 for id in self.tasks):
            raise ValueError("tasks: choose at least one frozen task to measure the arms on.")
        if len(set(self.tasks)) < len(self.tasks):
            raise ValueError("tasks: one is chosen twice; choose each once.")
        require_whole(self, "base_model_id", 1, 2**31 - 1)
        require_whole(self, "dataset_version_id", 1, 2**31 - 1)
        require_whole(self, "rows", 0, 10_000_000)
        if not all(isinstance(weight, int | float) and weight > 0 for weight in self.weights.values()):
            raise ValueError("weights: give a number above 0 for each part, or leave the part out.")
        if not self.shares or not all(0 < share <= 1 for share in self.shares):
            raise ValueError("shares: give shares above 0 and up to 1, such as 0.1, 0.3 and 1.")
        if not self.ranks or not all(isinstance(rank, int) and 1 <= rank <= 512 for rank in self.ranks):
            raise ValueError("ranks: give whole numbers from 1 to 512.")
        for name in ("shares", "ranks"):
            if len(set(getattr(self, name))) < len(getattr(self, name)):
                raise ValueError(f"{name}: one is given twice; give each once.")
        require_choice(self, "merge", MERGES)
        require_whole(self, "seed", 0, 2**31 - 1)
        require_number(self, "resumes", 0, 100)

    @property
    def divided_by(self) -> str:
        """The column of a train row that says which part it is of; "" where the study divides nothing."""
        match self.kind:
            case StudyKind.CATEGORY_TRANSFER:
                return "category"
            case StudyKind.COMPOSITION:
                return "provenance" if self.varies == "provenance" else self.parts
            case StudyKind.EXPERTS:
                return self.parts
        return ""

    @property
    def wanted(self) -> tuple[str, ...]:
        """The parts that take part; () for all there are."""
        return self.among or (GROUPS if self.kind == StudyKind.CATEGORY_TRANSFER else ())
