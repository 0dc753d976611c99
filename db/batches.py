"""Batches: a job that puts many prompts to the same sides, and the comparisons that wait for its answers.

The prompts are stored with the job, before anything is asked, each a comparison with a key and a slice. A
column gets its answer once, so whoever goes on after a stop asks only for what is missing.
"""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import asdict, dataclass

from sqlalchemy import exists, func, insert, select
from sqlalchemy.orm import Session, selectinload

from db import audit, comparisons, endpoints, jobs, registry, sides, specs
from db.batch_prompts import BatchPrompt
from db.checks import phi
from db.compare_spec import CompareSpec, SideSpec
from db.comparisons import AnswerText
from db.enums import JobKind
from db.policy import Actor
from db.session import parts
from db.tables import Answer, Comparison, Job, TaskVersion
from db.task_versions import get_task


@dataclass(frozen=True)
class Suspect:
    """A row whose text may tell who a patient is: its key, and what was found in words."""

    key: str
    kinds: tuple[str, ...]


def suspects(prompts: Sequence[BatchPrompt]) -> list[Suspect]:
    """The rows that look as if they held patient data, by the rules of `db.checks.phi`."""
    found = []
    for prompt in prompts:
        text = "\n".join((prompt.system, prompt.instruction, prompt.input))
        if phi.may_hold(text) and (spans := phi.find(text)):
            found.append(Suspect(prompt.key, tuple(dict.fromkeys(span.kind.value for span in spans))))
    return found


def start(
    session: Session,
    actor: Actor,
    project_id: int,
    spec: CompareSpec,
    prompts: Sequence[BatchPrompt],
    *,
    name: str,
    request_key: str | None = None,
    task_version_id: int | None = None,
) -> Job:
    """Queue a batch and store its prompts. The same `request_key` again returns the job of the first time.

    Raises ValueError naming what cannot be, LookupError for a side that is gone or another project's.
    """
    if not prompts:
        raise ValueError("prompts: there are none; choose a file, or prompts of the shelf.")
    for side in spec.sides:
        _require_side(session, project_id, side)
    if task_version_id is not None:
        _require_may_leave(session, get_task(session, project_id, task_version_id), spec)
    name = " ".join(name.split())
    if not name:
        raise ValueError("name: give the batch one.")
    job = jobs.enqueue(
        session, actor, project_id, JobKind.COMPARE, spec, name=name[:120], request_key=request_key
    )
    session.flush()
    if count(session, job.id):
        return job
    sampling = asdict(spec.sampling)
    rows = [
        {
            "project_id": project_id,
            "job_id": job.id,
            "key": prompt.key,
            "slice": prompt.slice,
            "expected": list(prompt.expected),
            "system": prompt.system,
            "instruction": prompt.instruction,
            "input": prompt.input,
            "prompt_version_id": prompt.prompt_version_id,
            "sampling": sampling,
            "created_by_id": actor.id,
        }
        for prompt in prompts
    ]
    for some in parts(rows):
        session.execute(insert(Comparison), list(some))
    audit.record(session, actor, "stored_prompts", job, rows=len(rows))
    return job


def spec_of(job: Job) -> CompareSpec:
    return specs.from_json(JobKind.COMPARE, job.spec)


def find(session: Session, project_id: int, job_id: int) -> Job:
    """The batch, when it is this project's. Raises LookupError when it is not."""
    job = jobs.get_job(session, job_id)
    if job.project_id != project_id or job.kind is not JobKind.COMPARE:
        raise LookupError(f"This project has no batch number {job_id}.")
    return job


def titles(session: Session, job: Job) -> list[str]:
    """What the columns of a batch are headed with."""
    return [sides.label_of(session, side) for side in spec_of(job).sides]


def count(session: Session, job_id: int) -> int:
    """How many prompts a batch has."""
    return session.scalar(select(func.count()).where(Comparison.job_id == job_id)) or 0


def count_answers(session: Session, job_id: int) -> int:
    """How many answers it has so far, those of all columns together."""
    query = select(func.count(Answer.id)).join(Answer.comparison).where(Comparison.job_id == job_id)
    return session.scalar(query) or 0


def list_rows(
    session: Session, job_id: int, *, after_id: int = 0, limit: int | None = None
) -> list[Comparison]:
    """The rows in the order of the file, each with its answers."""
    query = (
        select(Comparison)
        .where(Comparison.job_id == job_id, Comparison.id > after_id)
        .order_by(Comparison.id)
        .limit(limit)
        .options(selectinload(Comparison.answers))
    )
    return list(session.scalars(query))


# The job's side -------------------------------------------------------------------------------------------


def waiting(session: Session, job_id: int, positions: Collection[int], *, limit: int) -> list[Comparison]:
    """The first rows that lack the answers of these columns, which are stored together.

    A row whose texts retention has taken is passed over.
    """
    answered = exists().where(Answer.comparison_id == Comparison.id, Answer.position == min(positions))
    query = (
        select(Comparison)
        .where(Comparison.job_id == job_id, ~answered, Comparison.emptied_at.is_(None))
        .order_by(Comparison.id)
        .limit(limit)
    )
    return list(session.scalars(query))


def keep(session: Session, comparison_id: int, answers: Mapping[int, AnswerText]) -> None:
    """Store answers by their columns."""
    rows = [comparisons.to_row(answer, position) for position, answer in answers.items()]
    for row in rows:
        row.comparison_id = comparison_id
    session.add_all(rows)


def _require_side(session: Session, project_id: int, side: SideSpec) -> None:
    sides.title_of(session, side)
    if side.adapter_id is not None:
        adapter = registry.get_adapter(session, side.adapter_id)
        if adapter.project_id != project_id:
            raise LookupError(f"This project has no adapter number {side.adapter_id}.")


def _require_may_leave(session: Session, task: TaskVersion, spec: CompareSpec) -> None:
    for side in spec.sides:
        if side.endpoint_id is None or not task.is_restricted:
            continue
        endpoint = endpoints.get_endpoint(session, side.endpoint_id)
        if endpoint.base_url != endpoints.OWN and endpoint.private_consent_at is None:
            raise ValueError(
                f"sides: the rows of {task.name} are under a data-use agreement and stay here; choose sides "
                "on this machine or network."
            )
