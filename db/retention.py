"""How long a project keeps the texts of its playground, and emptying what is older.

Emptied are prompts, answers, and what raters wrote beside their votes. Votes, rubrics and figures stay, and
so does what is still needed: a conversation until its last turn is old, what became an instruction, a pair of
an open round, the rows of a batch that is not over.
"""

from collections.abc import Collection, Mapping
from datetime import datetime, timedelta

from sqlalchemy import select, update
from sqlalchemy.orm import Session

from db import audit
from db.comparisons import prompt_hash
from db.enums import JobStatus
from db.policy import Actor, Right, require
from db.projects import get_project, list_projects
from db.session import parts
from db.tables import Answer, Comparison, Instruction, Job, Project, Round, RoundPair, Vote
from db.tables.base import utc_now

LONGEST = 3_650  # days
_SETTING = "keep_texts_days"  # the key in Project.settings
_UNDER_WAY = (JobStatus.QUEUED, JobStatus.RUNNING, JobStatus.INTERRUPTED)


def days_of(project: Project) -> int | None:
    """For how many days the project keeps texts; None for ever."""
    return project.settings.get(_SETTING)


def set_days(session: Session, actor: Actor, project_id: int, days: int | None) -> Project:
    """Keep texts that long from now on; None keeps them for ever. Raises ValueError, PolicyError."""
    require(actor, Right.MANAGE_PROJECT)
    if days is not None:
        _check(days)
    project = get_project(session, project_id)
    others = {name: value for name, value in project.settings.items() if name != _SETTING}
    project.settings = others if days is None else {**others, _SETTING: days}
    audit.record(session, actor, "retention_set", project, days=days)
    return project


def list_older(session: Session, project_id: int, days: int, *, now: datetime | None = None) -> list[int]:
    """The comparisons of a project whose texts would go if they were kept for so many days."""
    _check(days)
    limit = (now or utc_now()) - timedelta(days=days)
    kept = (Comparison.project_id == project_id, Comparison.emptied_at.is_(None))
    due = set(session.scalars(select(Comparison.id).where(*kept, Comparison.created_at < limit)))
    if not due:
        return []
    links = select(Comparison.id, Comparison.follows_id).where(*kept)
    follows = dict(session.execute(links).all())
    needed = _needed(session, project_id) | (set(follows) - due)
    return sorted(due - _with_earlier(needed, follows))


def list_due(session: Session, project: Project, *, now: datetime | None = None) -> list[int]:
    """The comparisons of a project whose texts are to go now."""
    days = days_of(project)
    return [] if days is None else list_older(session, project.id, days, now=now)


def is_due(session: Session, *, now: datetime | None = None) -> bool:
    """True where `empty_old` would find something: to be asked before the write lock is taken."""
    return any(list_due(session, project, now=now) for project in list_projects(session))


def empty_old(session: Session, actor: Actor | None = None, *, now: datetime | None = None) -> dict[int, int]:
    """Empty what is due in every project: project id -> how many comparisons. `actor` None: the worker.

    Raises PolicyError where a person may not change the projects' settings.
    """
    if actor is not None:
        require(actor, Right.MANAGE_PROJECT)
    now, emptied = now or utc_now(), {}
    for project in list_projects(session):
        if due := list_due(session, project, now=now):
            _empty(session, due, now)
            audit.record(session, actor, "emptied_old_texts", project, comparisons=len(due))
            emptied[project.id] = len(due)
    return emptied


def _check(days: object) -> None:
    if isinstance(days, bool) or not isinstance(days, int) or not 1 <= days <= LONGEST:
        raise ValueError(f"days: {days} cannot be; give a whole number from 1 to {LONGEST:,}, or none.")


def _needed(session: Session, project_id: int) -> set[int]:
    """Comparisons whose texts stay however old they are."""
    became = select(Instruction.comparison_id).where(
        Instruction.comparison_id.is_not(None), Instruction.deleted_at.is_(None)
    )
    in_round = (
        select(RoundPair.comparison_id)
        .join(Round, Round.id == RoundPair.round_id)
        .where(Round.closed_at.is_(None), Round.removed_at.is_(None), Round.project_id == project_id)
    )
    waiting = select(Comparison.id).join(Job, Job.id == Comparison.job_id).where(Job.status.in_(_UNDER_WAY))
    queries = (became, in_round, waiting)
    return {id for query in queries for id in session.scalars(query) if id is not None}


def _with_earlier(kept: Collection[int], follows: Mapping[int, int | None]) -> set[int]:
    """Those and the turns that led to them."""
    found: set[int] = set()
    for id in kept:
        turn: int | None = id
        while turn is not None and turn not in found:
            found.add(turn)
            turn = follows.get(turn)
    return found


def _empty(session: Session, ids: list[int], now: datetime) -> None:
    for part in parts(ids):
        for comparison in session.scalars(select(Comparison).where(Comparison.id.in_(part))):
            comparison.prompt_hash = prompt_hash(comparison)
            comparison.system = comparison.instruction = comparison.input = ""
            comparison.expected, comparison.emptied_at = [], now
        session.flush()
        for row, texts in (
            (Answer, {"text": ""}),
            (Vote, {"comment": "", "corrected_answer": "", "updated_at": Vote.updated_at}),
        ):
            session.execute(
                update(row)
                .where(row.comparison_id.in_(part))
                .values(**texts)
                .execution_options(synchronize_session="fetch")
            )
