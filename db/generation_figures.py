"""What the pages list of generation runs: runs, calls, and the records of a stage; and the end of a run."""

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass

from sqlalchemy import func, select
from sqlalchemy.orm import Session, joinedload

from db import audit, jobs
from db.enums import JobKind, JobStatus
from db.generation_runs import KEPT
from db.newest import newest_first
from db.policy import Actor, require
from db.tables import Candidate, GenerationCall, Instruction, Job
from db.tables.base import utc_now

RUNS, CALLS, EXAMPLES = 25, 25, 5  # a page


@dataclass(frozen=True)
class RunPage:
    """The newest runs first. `kept` by job id."""

    jobs: tuple[Job, ...]
    kept: dict[int, int]
    total: int
    next_before: int | None


@dataclass(frozen=True)
class CallPage:
    """The newest calls first. `ends` says by call id how many of its records ended at each stage."""

    calls: tuple[GenerationCall, ...]
    ends: dict[int, Counter[str]]
    total: int
    next_before: int | None  # a call's number


@dataclass(frozen=True)
class ExamplePage:
    """Records that ended at one stage, the newest first."""

    candidates: tuple[Candidate, ...]
    total: int
    next_before: int | None


def list_runs(session: Session, project_id: int, *, before: int | None = None, limit: int = RUNS) -> RunPage:
    """A page of the generation runs of a project."""
    of_project = (Job.project_id == project_id, Job.kind == JobKind.GENERATE)
    page = newest_first(session, Job, *of_project, before=before, limit=limit)
    kept = select(Candidate.job_id, func.count(Candidate.id)).where(
        Candidate.job_id.in_([job.id for job in page.rows]), Candidate.stage == KEPT
    )
    by_job = dict(map(tuple, session.execute(kept.group_by(Candidate.job_id))))
    return RunPage(page.rows, by_job, page.total, page.next_before)


def list_calls(session: Session, job_id: int, *, before: int | None = None, limit: int = CALLS) -> CallPage:
    """A page of the calls of a run; `before` is the number that the page begins below."""
    call, of_run = GenerationCall, GenerationCall.job_id == job_id
    page = newest_first(session, call, of_run, before=before, limit=limit, key=call.number)
    return CallPage(page.rows, _ends(session, [row.id for row in page.rows]), page.total, page.next_before)


def get_call(session: Session, job_id: int, number: int) -> GenerationCall:
    """The call of that number. Raises LookupError."""
    call = session.scalar(
        select(GenerationCall).where(GenerationCall.job_id == job_id, GenerationCall.number == number)
    )
    if call is None:
        raise LookupError(f"The run has no call number {number + 1}.")
    return call


def candidates_of(session: Session, call_id: int) -> list[Candidate]:
    """The records read from a reply, in their order."""
    query = select(Candidate).where(Candidate.call_id == call_id).order_by(Candidate.position)
    return list(session.scalars(query))


def list_examples(
    session: Session, job_id: int, stage: str, *, before: int | None = None, limit: int = EXAMPLES
) -> ExamplePage:
    """A page of the records that ended at a stage, with their calls."""
    of_stage = (Candidate.job_id == job_id, Candidate.stage == stage)
    with_calls = (joinedload(Candidate.call),)
    page = newest_first(session, Candidate, *of_stage, before=before, limit=limit, options=with_calls)
    return ExamplePage(page.rows, page.total, page.next_before)


def count_judged_wanted(session: Session, job_id: int) -> int:
    """How many records the judged calls were asked for: what the stages of the funnel add up to."""
    query = select(func.sum(GenerationCall.wanted)).where(
        GenerationCall.job_id == job_id, GenerationCall.judged_at.is_not(None)
    )
    return session.scalar(query) or 0


def end_run(session: Session, actor: Actor, job_id: int) -> Job:
    """Close a run that stopped early with what it has; a higher target opens it again.

    Raises ValueError while it is going on, and for one that is closed already.
    """
    job = jobs.get_job(session, job_id)
    require(actor, jobs.right_to(job.kind))
    if job.status.is_open:
        raise ValueError("job: it is still going on; pause it first.")
    if job.status is JobStatus.FINISHED:
        raise ValueError("job: it is closed already.")
    job.status, job.finished_at = JobStatus.FINISHED, utc_now()
    audit.record(session, actor, "ended_run", job)
    return job


def texts_of(session: Session, ids: Sequence[int]) -> dict[int, Instruction]:
    """The stored records of these ids, such as the nearest ones of duplicates."""
    found = session.scalars(select(Instruction).where(Instruction.id.in_(list(ids)[:500])))
    return {record.id: record for record in found}


def state_mark(session: Session, job_id: int) -> tuple[int, int, int]:
    """Differs whenever a call or a record of the run has come or changed its state."""
    call = GenerationCall
    query = select(func.count(call.id), func.count(call.answered_at), func.count(call.judged_at)).where(
        call.job_id == job_id
    )
    return tuple(session.execute(query).one())


def _ends(session: Session, call_ids: Sequence[int]) -> dict[int, Counter[str]]:
    query = select(Candidate.call_id, Candidate.stage, func.count(Candidate.id)).where(
        Candidate.call_id.in_(call_ids)
    )
    found: dict[int, Counter[str]] = {}
    for call_id, stage, rows in session.execute(query.group_by(Candidate.call_id, Candidate.stage)):
        found.setdefault(call_id, Counter())[stage] = rows
    return found
