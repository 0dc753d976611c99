"""What a page asks about conversions and the files that they would read: a page of runs, a file at a glance,
templates of one's own in their versions, what taking back would delete, which records a composition is of.
"""

from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from sqlalchemy import ColumnElement, func, select
from sqlalchemy.orm import Session

from db import conversions
from db.convert_spec import Source
from db.corpora import converting, readers, templates
from db.corpora.drawing import is_negative
from db.corpora.forms import Obstacle, obstacle
from db.corpora.mixture import Count, Home
from db.corpora.schema import KbRow, PairsRow, Row, TextRow
from db.corpora.templates import PREVIEWED, Template
from db.enums import JobKind
from db.newest import newest_first
from db.tables import Conversion, ConvertedRow, Instruction, Job

RUNS = 25
_TOLD_EVERY = 500  # rows
_PLAIN_ROWS = 1  # of the previewed ones, with nothing to find
# The template that most files of a format want, where labels do not tell.
_USUAL = {
    "pubmedqa": "abstract-decision",
    "medqa": "multiple-choice",
    "medmcqa": "multiple-choice",
    "bioasq": "snippets-summary",
    "questions": "consumer-question",
    "medquad_xml": "consumer-question",
    "mediqa_qa": "consumer-question",
    "instruction_output": "patient-question",
    "dialogue_note": "dialogue-note-section",
}

Tell = Callable[[int], object]


@dataclass(frozen=True)
class RunPage:
    """Conversion jobs, the newest first, and by job what has come of each."""

    jobs: tuple[Job, ...]
    conversions: dict[int, Conversion]
    total: int
    next_before: int | None  # a job's id


@dataclass(frozen=True)
class Looked:
    """A file that was read from its first row to its last, and how a template fares with it."""

    rows: int
    homes: dict[Home, Count]
    first: tuple[Row, ...]  # for the preview: the first with something to find, and the first without
    labels: Counter[str] = field(default_factory=Counter)
    obstacles: Counter[Obstacle] = field(default_factory=Counter)  # rows that the form cannot carry
    unasked: Counter[str] = field(default_factory=Counter)  # mentions of types not asked for

    @property
    def carried(self) -> int:
        return self.rows - self.obstacles.total()


def list_runs(session: Session, project_id: int, *, before: int | None = None, limit: int = RUNS) -> RunPage:
    """A page of the conversions of a project, those still waiting for a worker too."""
    of_project = (Job.project_id == project_id, Job.kind == JobKind.CONVERT)
    page = newest_first(session, Job, *of_project, before=before, limit=limit)
    made = session.scalars(select(Conversion).where(Conversion.job_id.in_([job.id for job in page.rows])))
    by_job = {conversion.job_id: conversion for conversion in made}
    return RunPage(page.rows, by_job, page.total, page.next_before)


def count_rows(session: Session, conversion_id: int) -> int:
    """Records of a conversion that are still there: what taking it back would delete."""
    query = select(func.count()).where(ConvertedRow.conversion_id == conversion_id)
    return session.scalar(query) or 0


def count_in(session: Session, conditions: Sequence[ColumnElement[bool]]) -> int:
    query = select(func.count()).select_from(Instruction).where(*conditions, Instruction.deleted_at.is_(None))
    return session.scalar(query) or 0


def scope(session: Session, project_id: int, job_id: int | None) -> list[ColumnElement[bool]]:
    """The conditions of the records of a conversion's job, or of all the project's for None.

    Raises LookupError when the project has no such conversion.
    """
    of_project = Instruction.project_id == project_id
    if job_id is None:
        return [of_project]
    found = conversions.of_job(session, job_id)
    if found is None or found.project_id != project_id:
        raise LookupError(f"This project has no conversion of job number {job_id}.")
    return [of_project, *conversions.rows_of(found.id)]


# Templates of one's own ---------------------------------------------------------------------------------


def own_templates(session: Session, project_id: int) -> list[dict]:
    """The edited templates that conversions of the project were asked with, the newest version first."""
    specs = session.scalars(
        select(Job.spec)
        .where(Job.project_id == project_id, Job.kind == JobKind.CONVERT)
        .order_by(Job.id.desc())
    )
    found: dict[tuple[str, int], dict] = {}
    for spec in specs:
        for source in spec["sources"]:
            if own := source.get("own_template"):
                body = {**own, "name": source["template"]}
                found.setdefault((body["name"], body.get("version", 1)), body)
    return list(found.values())


def versioned(template: Template, known: Sequence[dict]) -> Template:
    """The template with its number: that of an earlier one that says the same, else the next of its name."""
    same = [templates.read_template(body) for body in known if body["name"] == template.name]
    for other in same:
        if _says(other) == _says(template):
            return other
    return _numbered(template, 1 + max((other.version for other in same), default=0))


def _numbered(template: Template, number: int) -> Template:
    values = {name: getattr(template, name) for name in Template.__dataclass_fields__}
    return Template(**{**values, "version": number})


def _says(template: Template) -> tuple:
    return template.title, template.form, template.wordings, template.input, template.labels, template.task


# A file at a glance -------------------------------------------------------------------------------------


def look(source: Source, template: Template | None, data_dir: Path, tell: Tell) -> tuple[Looked, Template]:
    """Read the whole file, and see how the template fares with it; one that fits is suggested for None.

    Raises CorpusError with the line where the file cannot be read, ValueError for options or a template that
    cannot be used, LookupError where no shipped template takes such rows.
    """
    if template is None:
        template = _suggested(source, _labels_of_file(source, data_dir, tell))
    _require_shape(source, template)
    homes: dict[Home, list[int]] = {}
    labels: Counter[str] = Counter()
    obstacles: Counter[Obstacle] = Counter()
    unasked: Counter[str] = Counter()
    shown: dict[bool, list[Row]] = {False: [], True: []}
    form = template.prepared.form
    number = 0
    for number, row in enumerate(converting.rows_of(source, data_dir), start=1):
        negative = is_negative(row, template.task)
        homes.setdefault(converting.home_of(source, row), [0, 0])[negative] += 1
        labels.update(labels_in(row))
        unasked += templates.unasked_types(template, [row])
        if refused := obstacle(form, row):
            obstacles[refused] += 1
        if len(shown[negative]) < PREVIEWED:
            shown[negative].append(row)
        if number % _TOLD_EVERY == 0:
            tell(number)
    counts = {home: Count(positive, negative) for home, (positive, negative) in homes.items()}
    return Looked(number, counts, _previewed(shown[False], shown[True]), labels, obstacles, unasked), template


def labels_in(row: Row) -> list[str]:
    """What the row's annotation says, by the corpus's own names."""
    if isinstance(row, KbRow):
        return [each.type for each in (row.relations or row.entities)]
    if isinstance(row, TextRow):
        return list(row.labels)
    return [row.label] if isinstance(row, PairsRow) else []


def shape_of(format: str) -> str:
    """The shape of the rows that a format gives, as templates call it. Raises ValueError."""
    row = readers.get_format(format).row
    return next(shape for shape, kind in templates.SHAPES.items() if kind is row)


def _require_shape(source: Source, template: Template) -> None:
    if template.prepared.row_type is not readers.get_format(source.format).row:
        raise ValueError(f"template: {template.title} is for another kind of rows; choose another.")


def _labels_of_file(source: Source, data_dir: Path, tell: Tell) -> Counter[str]:
    found: Counter[str] = Counter()
    for number, row in enumerate(converting.rows_of(source, data_dir), start=1):
        found.update(labels_in(row))
        if isinstance(row, KbRow) and row.relations:
            found["\0relations"] += 1
        if number % _TOLD_EVERY == 0:
            tell(number)
    return found


def _suggested(source: Source, labels: Counter[str]) -> Template:
    """The shipped template that asks for most of what the file has; the usual one of its format otherwise."""
    shape, has_relations = shape_of(source.format), bool(labels.pop("\0relations", 0))
    library = templates.read_library()
    fitting = [
        template
        for name, template in library.items()
        if template.shape == shape
        and ":" not in name
        and not name.startswith("medtuned-")
        and (shape != "kb" or ("relation" in template.task) == has_relations)
    ]
    if not fitting:
        raise LookupError(f"template: there is none for rows of {source.format}.")
    if source.format in _USUAL:
        return library[_USUAL[source.format]]
    return max(fitting, key=lambda template: _answered(template, labels))


def _answered(template: Template, labels: Counter[str]) -> tuple[int, int]:
    """How many of the file's labels it asks for, and how few others."""
    asked = {label.name.casefold() for label in template.labels}
    return sum(count for name, count in labels.items() if name.casefold() in asked), -len(asked)


def _previewed(positive: list[Row], negative: list[Row]) -> tuple[Row, ...]:
    without = negative[: max(_PLAIN_ROWS, PREVIEWED - len(positive))]
    return (*positive[: PREVIEWED - len(without)], *without)
