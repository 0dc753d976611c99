"""How a dataset version is made: which approved instructions, which of them are near, how they are split."""

from dataclasses import asdict, dataclass
from enum import StrEnum

from db.enums import Category, Origin, Provenance
from db.search import InstructionQuery

NEAR = 0.7  # ROUGE-L F1; Self-Instruct's bound, above which a text counts as a copy


class NearOn(StrEnum):
    """The text by which two rows are called near."""

    PROMPT = "prompt"  # instruction and input together
    INPUT = "input"  # the input alone where there is one: for rows that share an instruction's wording


@dataclass(frozen=True)
class Recipe:
    """Filters, split shares, seed, and the bound for near copies. Raises ValueError naming the field."""

    categories: tuple[Category, ...] = ()
    origins: tuple[Origin, ...] = ()
    task: str = ""
    specialty: str = ""
    text: str = ""
    validation: float = 0.1  # share of rows
    test: float = 0.1  # share of rows
    seed: int = 0
    near: float = NEAR  # rows above it share a split
    near_on: NearOn = NearOn.PROMPT
    provenances: tuple[Provenance, ...] = ()
    tags: tuple[str, ...] = ()  # every one of them
    licence: str = ""
    by_source: bool = True  # rows of a corpus that has splits keep theirs
    unreviewed_runs: tuple[int, ...] = ()  # generation runs, by job, whose unreviewed rows go in too
    is_restricted: bool | None = None  # True or False takes only rows that are, or are not, under such terms

    def __post_init__(self) -> None:
        for name in ("validation", "test"):
            if not 0 <= getattr(self, name) < 1:
                raise ValueError(
                    f"{name}: {getattr(self, name):g} is not a share; give 0 to below 1, such as 0.1."
                )
        if self.validation + self.test >= 1:
            raise ValueError(
                "test: validation and test together leave nothing to train on; make them smaller."
            )
        object.__setattr__(self, "unreviewed_runs", tuple(sorted(set(self.unreviewed_runs))))
        if not 0 < self.near <= 1:
            raise ValueError(
                f"near: {self.near:g} is no bound; give a score above 0 and up to 1, such as 0.7."
            )

    @property
    def query(self) -> InstructionQuery:
        return InstructionQuery(
            text=self.text,
            categories=self.categories,
            origins=self.origins,
            task=self.task,
            specialty=self.specialty,
            provenances=self.provenances,
            tags=self.tags,
            licence=self.licence,
            is_restricted=self.is_restricted,
        )

    def record(self) -> dict:
        """The recipe as plain values, to be stored with the version."""
        return asdict(self)
