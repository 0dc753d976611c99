"""What a study's figure is made of: arms down, groups or tasks across, each cell a value and its interval.

Values are shares from 0 to 1; who draws them makes points of them. It knows no database.
"""

from dataclasses import dataclass

from db.enums import StudyKind
from db.metrics.interval import Interval

GAIN, RELATIVE, SCORE = "gain", "relative", "score"
SHOWS = {
    GAIN: "Gain over the untuned base, in points",
    RELATIVE: "Gain over the untuned base, in per cent of its score",
    SCORE: "Score, in per cent",
}
GROUPS, TASKS = "groups", "tasks"
X_NAMES = {StudyKind.DATA_SCALE: "Train rows", StudyKind.RANK: "Rank of the update"}
KIND_WORDS = {
    StudyKind.CATEGORY_TRANSFER: "Category transfer",
    StudyKind.COMPOSITION: "Composition",
    StudyKind.DATA_SCALE: "Data scale",
    StudyKind.RANK: "Rank",
    StudyKind.EXPERTS: "Experts",
}


@dataclass(frozen=True)
class FigureColumn:
    """A group of tasks, or one task."""

    title: str
    measure: str  # of the scores that are averaged, such as "Accuracy"
    tasks: tuple[int, ...]
    rows: int  # test rows
    category: str
    about: frozenset[str] = frozenset()  # the parts of train rows it is akin to, as they are stored


@dataclass(frozen=True)
class FigureCell:
    """A figure with its interval; all None where it is missing, and `note` says why."""

    value: float | None = None
    low: float | None = None
    high: float | None = None
    n: int = 0
    note: str = ""
    is_related: bool = False  # the arm was tuned on rows of this column's kind

    @classmethod
    def of(cls, found: Interval, *, is_related: bool = False) -> "FigureCell":
        return cls(found.value, found.low, found.high, found.n, found.note, is_related)

    @property
    def is_missing(self) -> bool:
        return self.value is None


@dataclass(frozen=True)
class FigureRow:
    """One arm."""

    position: int
    label: str
    cells: tuple[FigureCell, ...]
    is_base: bool = False  # its cells are scores, whatever the others show
    x: float | None = None
    rows: int = 0  # train rows
    trouble: str = ""  # why it failed, one sentence


@dataclass(frozen=True)
class StudyFigure:
    """Rows are arms, the untuned base first; columns groups or tasks."""

    title: str
    kind: StudyKind
    show: str
    columns: tuple[FigureColumn, ...]
    rows: tuple[FigureRow, ...]
    level: float
    base: str  # the name of the base model
    x_name: str = ""  # of the axis, where the figure is a curve
    shows: tuple[str, ...] = ()  # sentences: what can be read from it
    lacks: tuple[str, ...] = ()  # sentences: what cannot

    @property
    def is_curve(self) -> bool:
        return bool(self.x_name)

    @property
    def missing(self) -> int:
        return sum(cell.is_missing and not cell.n for row in self.rows for cell in row.cells)

    @property
    def largest(self) -> float:
        """The largest gain or loss, for the scale of the colours; at least a point."""
        values = [abs(cell.value) for row in self.rows if not row.is_base for cell in row.cells if cell.value]
        return max([0.01, *values])
