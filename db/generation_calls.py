"""The calls of a generation run: written before they leave, answered in one transaction, then judged.

    asked --reply--> answered --funnel--> judged          asked --every try in vain--> failed
    asked --the process dies--> lost: perhaps paid, and never asked again; failed where it had not left

A call that is asked already holds what it may cost at most, as *unsettled*: a process that dies leaves that
in the books, where budgets count it. A settled call holds what it did cost, and what tries without an answer
may have cost beside.
"""

from collections.abc import Collection, Sequence
from dataclasses import asdict, dataclass
from typing import Any

from sqlalchemy import bindparam, delete, insert, select, update
from sqlalchemy.orm import Session

from db import audit, imports, privacy, users
from db.content import Content
from db.enums import CallState, Origin, Provenance
from db.generation_runs import KEPT
from db.privacy import Flag
from db.tables import Candidate, GenerationCall, GenerationRun, Instruction, Job, Revision
from db.tables.base import utc_now

# Statements over plain tables, made once: a run writes some hundred a second beside the loop that asks.
_CALLS = GenerationCall.__table__
_ASK = insert(_CALLS)
_SETTLE = update(_CALLS).where(_CALLS.c.id == bindparam("settled"))  # sets the columns it is given
UNLABELLED = "unlabelled"  # the task of a record whose model named none: reviewers see it, and name it


@dataclass(frozen=True)
class Planned:
    """A call about to be made. `most_tokens`, `most_cost`: what one try of it may cost at most."""

    number: int
    attempt: int
    draw: tuple[tuple[int, int], ...]  # instruction id and version of each seed
    prompt_hash: str
    template_version: str
    wanted: int
    most_tokens: int
    most_cost: float


@dataclass(frozen=True)
class Answer:
    """A reply as it came, with what it cost."""

    reply: str
    finish_reason: str
    tokens_in: int
    tokens_out: int
    is_estimate: bool
    cost: float
    seconds: float


@dataclass(frozen=True)
class Judged:
    """One record of a reply after the funnel; without content, a stretch that could not be read."""

    content: Content | None
    stage: str
    reason: str
    detail: dict[str, Any]  # as `db.generating.funnel.Verdict.record` gives it
    flags: tuple[Flag, ...] = ()
    parent_id: int | None = None  # the record it was grown from


@dataclass(frozen=True)
class JudgedCall:
    """The records of one call, in the order of its reply."""

    call_id: int
    rows: tuple[Judged, ...]

    @property
    def kept(self) -> int:
        """How many of them became instructions."""
        return sum(row.stage == KEPT for row in self.rows)


def note_asked(session: Session, job_id: int, planned: Planned) -> int:
    """Write a call that is about to leave; its id."""
    values = {
        "job_id": job_id,
        "number": planned.number,
        "attempt": planned.attempt,
        "draw": [list(pair) for pair in planned.draw],
        "prompt_hash": planned.prompt_hash,
        "template_version": planned.template_version,
        "wanted": planned.wanted,
        "tries": 1,
        "unsettled": 1,
        "unsettled_tokens": planned.most_tokens,
        "unsettled_cost": planned.most_cost,
    }
    return session.execute(_ASK, values).inserted_primary_key[0]


def note_retry(session: Session, call_id: int, planned: Planned, *, tries: int, in_vain: int) -> None:
    """A further try is about to leave; `in_vain` earlier ones may have been paid without an answer."""
    _settle(session, call_id, CallState.ASKED, planned, tries=tries, unsettled=in_vain + 1)


def note_answered(
    session: Session, call_id: int, planned: Planned, answer: Answer, *, tries: int, in_vain: int
) -> None:
    now = utc_now()
    _settle(
        session,
        call_id,
        CallState.ANSWERED,
        planned,
        tries=tries,
        unsettled=in_vain,
        answered_at=now,
        **asdict(answer),
    )


def note_failed(
    session: Session, call_id: int, planned: Planned, error: str, *, tries: int, in_vain: int
) -> None:
    _settle(session, call_id, CallState.FAILED, planned, tries=tries, unsettled=in_vain, error=error)


def write_off(session: Session, job_id: int, left: Collection[int] | None = None) -> int:
    """Mark the calls that were under way when a former attempt died; how many those were.

    They may have been paid, so they are not asked again: further calls with their own numbers replace them.
    `left` are the numbers of calls that did leave, where that is known: others cost nothing.
    """
    if left is not None:
        unpaid = {"tries": 0, "unsettled": 0, "unsettled_tokens": 0, "unsettled_cost": 0.0}
        said = "The process ended before the call left."
        stayed = _stayed(session, job_id, left)
        session.execute(
            update(GenerationCall)
            .where(GenerationCall.id.in_(stayed))
            .values(state=CallState.FAILED, error=said, **unpaid)
        )
    lost = (
        update(GenerationCall)
        .where(GenerationCall.job_id == job_id, GenerationCall.state == CallState.ASKED)
        .values(state=CallState.LOST, error="The process ended while the call was under way.")
    )
    return session.execute(lost).rowcount


def forget_unsent(session: Session, job_id: int, left: Collection[int]) -> None:
    """Strike out the calls that an attempt wrote down ahead and, at its orderly end, did not send."""
    stayed = _stayed(session, job_id, left)
    session.execute(delete(GenerationCall).where(GenerationCall.id.in_(stayed)))


def _stayed(session: Session, job_id: int, left: Collection[int]) -> list[int]:
    """The ids of the calls written as asked, without those numbers that left."""
    asked = select(GenerationCall.id, GenerationCall.number).where(
        GenerationCall.job_id == job_id, GenerationCall.state == CallState.ASKED
    )
    return [id for id, number in session.execute(asked) if number not in left]


def list_unjudged(session: Session, job_id: int) -> list[GenerationCall]:
    """The answered calls whose records are not yet stored, in the order of their numbers."""
    query = select(GenerationCall).where(
        GenerationCall.job_id == job_id,
        GenerationCall.state == CallState.ANSWERED,
        GenerationCall.judged_at.is_(None),
    )
    return list(session.scalars(query.order_by(GenerationCall.number)))


def store_judged(
    session: Session, job: Job, calls: Sequence[JudgedCall], earlier: Sequence[int] = ()
) -> list[int]:
    """Store the records of some calls, the kept ones as instructions in review; the ids of these.

    `earlier` are the instructions that the same funnel kept before, in order: it names a copy's original by
    its place among them.
    """
    rows = [
        {
            "job_id": job.id,
            "call_id": call.call_id,
            "position": position,
            "content": row.content.columns() if row.content else {},
            "stage": row.stage,
            "reason": row.reason,
            "instruction_id": None,
        }
        for call in calls
        for position, row in enumerate(call.rows)
    ]
    judged = [row for call in calls for row in call.rows]
    kept = [(row, stored) for row, stored in zip(judged, rows, strict=True) if row.stage == KEPT]
    ids = _store_kept(session, job, [row for row, _ in kept], [stored["content"] for _, stored in kept])
    for id, (_, stored) in zip(ids, kept, strict=True):
        stored["instruction_id"] = id
    for row, stored in zip(judged, rows, strict=True):
        stored["detail"] = _named(row.detail, earlier, ids)
    if rows:
        session.execute(insert(Candidate.__table__), rows)
    called = update(GenerationCall).where(GenerationCall.id.in_([call.call_id for call in calls]))
    session.execute(called.values(judged_at=utc_now()).execution_options(synchronize_session=False))
    return ids


def add_seconds(session: Session, job_id: int, seconds: float) -> None:
    """Count time at work towards the run's budget."""
    session.get_one(GenerationRun, job_id).seconds += seconds


def _named(detail: dict[str, Any], earlier: Sequence[int], ids: Sequence[int]) -> dict[str, Any]:
    """The detail with the id of what a copy is near to, where the funnel knew but its place."""
    near = detail.get("near")
    if not near or near.get("row") is None:
        return detail
    later = near["row"] - len(earlier)
    return {**detail, "near": {**near, "id": ids[later] if later >= 0 else earlier[near["row"]], "row": None}}


def _store_kept(
    session: Session, job: Job, kept: Sequence[Judged], contents: Sequence[dict[str, Any]]
) -> list[int]:
    """The kept records, with the columns of their contents, as instructions in review. Their author is the
    studio's own account: whoever started the run may review them.

    Plain tables rather than mapped classes: the write lock is held half as long, and others wait for it.
    """
    if not kept:
        return []
    author, now = users.studio_account(session), utc_now()
    texts = [{**content, "task": content["task"] or UNLABELLED} for content in contents]
    both = {"author_id": author.id, "created_at": now}
    head = {
        "project_id": job.project_id,
        "origin": Origin.GENERATED,
        "provenance": Provenance.SYNTHETIC,
        "updated_at": now,
        **both,
    }
    heads = [{**head, "parent_id": row.parent_id, **text} for row, text in zip(kept, texts, strict=True)]
    table = Instruction.__table__
    added = insert(table).returning(table.c.id, sort_by_parameter_order=True)
    ids = list(session.scalars(added, heads))
    revision = {"number": 1, "reason": f"Generated in run {job.id}", **both}
    revisions = [{"instruction_id": id, **revision, **text} for id, text in zip(ids, texts, strict=True)]
    session.execute(insert(Revision.__table__), revisions)
    submitted = imports.submit_ids(session, author, ids)
    _flag(session, {id: row.flags for id, row in zip(ids, kept, strict=True) if row.flags})
    audit.record(session, author, "generated", job, rows=len(ids), submitted=submitted)
    return ids


def _flag(session: Session, flags: dict[int, tuple[Flag, ...]]) -> None:
    """What looks like patient data is for a reviewer to clear, where the filters let it through."""
    if flags:
        heads = list(session.scalars(select(Instruction).where(Instruction.id.in_(flags))))
        privacy.flag_many(session, heads, [flags[head.id] for head in heads])


def _settle(session: Session, call_id: int, state: CallState, planned: Planned, **columns) -> None:
    unsettled = columns["unsettled"]
    values = {
        "state": state,
        "unsettled_tokens": unsettled * planned.most_tokens,
        "unsettled_cost": unsettled * planned.most_cost,
        **columns,
    }
    session.execute(_SETTLE, {"settled": call_id, **values})
