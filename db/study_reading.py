"""A study read back as one figure: what each arm scores more than the untuned base, with intervals.

Columns are the groups of tasks (QA, IE, GEN) or the tasks themselves. What is not measured yet is missing and
says where it stands.
"""

from collections.abc import Sequence
from dataclasses import replace

from sqlalchemy import select
from sqlalchemy.orm import Session

from db import registry
from db.enums import Category, StudyKind
from db.metrics import measures
from db.metrics.interval import LEVEL
from db.studies import plan_of, spec_of
from db.study_arms import BASE, words
from db.study_figures import (
    GAIN,
    GROUPS,
    SCORE,
    SHOWS,
    TASKS,
    X_NAMES,
    FigureCell,
    FigureColumn,
    FigureRow,
    StudyFigure,
)
from db.study_results import evaluations_of, group_gain, group_score
from db.study_sentences import lacks, shows
from db.study_spec import StudySpec
from db.study_steps import standings
from db.tables import Evaluation, Study, StudyArm, TaskVersion
from db.tasks import of_version


def figure(session: Session, study: Study, *, show: str = GAIN, by: str = "") -> StudyFigure:
    """The study as it stands. The first time it takes a second or so a dozen cells; read scope.

    `show` is gain, relative or score; curves always show scores. `by` is groups or tasks; unless told, groups
    of a study that divides its rows by category, else tasks. Raises ValueError for other words.
    """
    if show not in SHOWS:
        raise ValueError(f"show: {show!r} is none of {', '.join(SHOWS)}.")
    if by not in ("", GROUPS, TASKS):
        raise ValueError(f"by: {by!r} is none of {GROUPS}, {TASKS}.")
    spec, kind = spec_of(study), StudyKind(study.kind)
    columns = _columns(session, spec, by or _natural(spec))
    show = SCORE if kind in X_NAMES else show
    rows = _Rows(session, study, spec, columns, show).all()
    base = registry.get_base_model(session, spec.base_model_id)
    found = StudyFigure(study.name, kind, show, columns, rows, _level(spec), base.name, X_NAMES.get(kind, ""))
    return replace(found, shows=shows(found, spec), lacks=lacks(found, spec, base))


class _Rows:
    """The rows of a figure, arm by arm; the base's evaluations are looked up once."""

    def __init__(
        self, session: Session, study: Study, spec: StudySpec, columns: Sequence[FigureColumn], show: str
    ) -> None:
        self.session, self.study, self.spec, self.columns, self.show = session, study, spec, columns, show
        self.base = next(arm for arm in study.arms if plan_of(arm).kind == BASE)
        self.of_base = evaluations_of(session, study, self.base)
        self.standings = standings(session, study)

    def all(self) -> tuple[FigureRow, ...]:
        return tuple(self._row(arm) for arm in self.study.arms)

    def _row(self, arm: StudyArm) -> FigureRow:
        planned, is_base = plan_of(arm), arm is self.base
        found = self.of_base if is_base else evaluations_of(self.session, self.study, arm)
        cells = tuple(self._cell(arm, column, found, is_base) for column in self.columns)
        trouble = self.standings[arm.position].trouble
        return FigureRow(arm.position, arm.label, cells, is_base, planned.x, planned.rows, trouble)

    def _cell(
        self, arm: StudyArm, column: FigureColumn, found: dict[int, Evaluation], is_base: bool
    ) -> FigureCell:
        wanted, settings = [found.get(task) for task in column.tasks], self._settings()
        if None in wanted:
            at = self.standings[arm.position]
            return FigureCell(note=at.words)
        if is_base or self.show == SCORE:
            return FigureCell.of(
                group_score(self.session, wanted, **settings), is_related=self._is_related(arm, column)
            )
        against = [self.of_base.get(task) for task in column.tasks]
        if None in against:
            return FigureCell(note="the untuned base is not measured yet")
        compared = group_gain(self.session, wanted, against, **settings)
        gain = compared.absolute if self.show == GAIN else compared.relative
        return FigureCell.of(gain, is_related=self._is_related(arm, column))

    def _is_related(self, arm: StudyArm, column: FigureColumn) -> bool:
        """True where the arm saw rows of the very category, or task, that the column asks."""
        drawn = plan_of(arm).draw
        if self.spec.divided_by == "category":
            return column.category in drawn
        return any(part in column.about or words(part) in column.title.lower() for part in drawn if part)

    def _settings(self) -> dict:
        return {"level": _level(self.spec), "seed": self.spec.evaluation.get("seed", 0)}


def _columns(session: Session, spec: StudySpec, by: str) -> tuple[FigureColumn, ...]:
    query = select(TaskVersion).where(TaskVersion.id.in_(spec.tasks))
    tasks = {task.id: task for task in session.scalars(query)}
    ordered = [tasks[id] for id in spec.tasks]
    if by == TASKS:
        return tuple(_column(task.name, [task]) for task in ordered)
    groups = {category: [task for task in ordered if task.category == category] for category in Category}
    return tuple(_column(category.value, found) for category, found in groups.items() if found)


def _column(title: str, tasks: Sequence[TaskVersion]) -> FigureColumn:
    names = {measures.get(of_version(task).measures[0]).title for task in tasks}
    return FigureColumn(
        title,
        names.pop() if len(names) == 1 else "mean of the headline scores",
        tuple(task.id for task in tasks),
        sum(task.rows for task in tasks),
        str(Category(tasks[0].category).value),
        frozenset(filter(None, map(_part_of, tasks))),
    )


def _part_of(task: TaskVersion) -> str:
    """The task of the dataset's rows that it was frozen from, where it is of one."""
    source = task.settings.get("source")
    return source.get("task", "") if isinstance(source, dict) else ""


def _natural(spec: StudySpec) -> str:
    return GROUPS if spec.divided_by == "category" or len(spec.tasks) > 12 else TASKS


def _level(spec: StudySpec) -> float:
    return spec.evaluation.get("level", LEVEL)
