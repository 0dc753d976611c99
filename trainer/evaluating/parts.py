"""What an evaluation asks: each frozen task with the ways it is asked in, checked before a model loads."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from db import evaluations, exports, registry, task_versions, tasks
from db.enums import Way
from db.evaluate_spec import EvaluateSpec
from db.session import read
from db.tables import TaskRow, TaskVersion
from db.tasks import Task
from trainer.context import JobContext
from trainer.evaluating.asking import Case
from trainer.serve import catalog
from trainer.serve.catalog import Base, Target

ROWS = 2_048  # read and sorted by length at once


@dataclass(frozen=True)
class Part:
    """One frozen task and the ways it is asked in."""

    version: TaskVersion
    task: Task
    ways: tuple[Way, ...]

    def cases(self, after: int = -1) -> Iterator[list[Case]]:
        """The rows behind a position, some thousand at a time."""
        while rows := _rows(self.version.id, after, ROWS):
            yield [case_of(row) for row in rows]
            after = rows[-1].position


def read_target(context: JobContext) -> tuple[Target, int | None, int | None]:
    """The model; how many tokens its base says it takes; the dataset version its adapter was tuned on.

    Raises ValueError for an adapter of another base, LookupError for one of another project.
    """
    spec: EvaluateSpec = context.spec
    with read() as s:
        evaluations.require_model(s, spec.base_model_id, spec.adapter_id or None)
        base = registry.get_base_model(s, spec.base_model_id)
        if not spec.adapter_id:
            return Target(Base(base.name, base.location, base.revision)), base.context_length, None
        adapter = exports.get_adapter(s, context.project_id, spec.adapter_id)
        return catalog.find_adapter(adapter.id), base.context_length, adapter.dataset_version_id


def read_parts(context: JobContext) -> list[Part]:
    """The tasks in the order asked. Raises LookupError for one that is not the project's, ValueError for one
    that has no options to compare when it is to be asked by likelihood alone."""
    return [_part(context, id) for id in context.spec.tasks]


def case_of(row: TaskRow) -> Case:
    return Case(row.position, tasks.from_json(row.source), row.instruction, row.input)


def _part(context: JobContext, task_version_id: int) -> Part:
    with read() as s:
        version = task_versions.get_task(s, context.project_id, task_version_id)
    task = tasks.of_version(version)
    [first] = _rows(version.id, -1, 1)
    return Part(version, task, _ways(context.spec.way, version.name, bool(task.options(case_of(first).row))))


def _ways(asked: str, name: str, has_options: bool) -> tuple[Way, ...]:
    if asked == "likelihood" and not has_options:
        raise ValueError(
            f"way: {name} has no options whose likelihood could be compared; choose auto or generation."
        )
    if asked != "auto":
        return (Way(asked),)
    return (Way.LIKELIHOOD, Way.GENERATION) if has_options else (Way.GENERATION,)


def _rows(task_version_id: int, after: int, limit: int) -> Sequence[TaskRow]:
    with read() as s:
        return task_versions.list_rows(s, task_version_id, after=after, limit=limit)
