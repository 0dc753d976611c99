"""Remarks on a record, on one of its fields, or on a span of a field: threads with replies, resolved or open.

Offsets count characters (Unicode code points), the end not included; a browser's UTF-16 offsets differ
behind an emoji.
"""

import re
from dataclasses import dataclass
from datetime import datetime
from itertools import accumulate

from rapidfuzz.distance import Indel
from sqlalchemy import func, select
from sqlalchemy.orm import Session

from db import audit
from db.content import FIELDS
from db.enums import InstructionStatus
from db.instructions import get_instruction
from db.policy import Actor, PolicyError, Right, require
from db.submissions import decisions, wrote
from db.tables import Comment, Instruction, Review, Revision, User
from db.tables.base import utc_now
from db.users import as_actor

TEXT_FIELDS = ("instruction", "input", "output", "task", "specialty", "source")
MAX_CHARACTERS = 10_000
_TOKEN = re.compile(r"\w+|\s+|[^\w\s]")


@dataclass(frozen=True)
class Said:
    """One contribution to a thread."""

    id: int
    author_id: int
    author: str
    body: str
    at: datetime


@dataclass(frozen=True)
class Remark:
    """A thread: its first contribution, what it is about, and where that stands in the newest version."""

    first: Said
    replies: tuple[Said, ...]
    version: int  # the version it was made on
    field: str | None  # None: the whole record
    span: tuple[int, int] | None  # in that version's text
    quote: str  # the text of the span, "" without one
    is_outdated: bool  # what it is about was changed since
    span_now: tuple[int, int] | None  # where the span stands in the newest text; None when outdated
    resolved_at: datetime | None
    resolved_by: str


def add_remark(
    session: Session,
    actor: Actor,
    instruction_id: int,
    body: str,
    *,
    version: int | None = None,
    field: str | None = None,
    span: tuple[int, int] | None = None,
) -> Comment:
    """A remark on a version (the newest unless told), open to all who may read it.

    Raises ValueError for an empty body, an unknown field, or a span that is not inside that version's text.
    """
    require(actor, Right.READ)
    instruction = get_instruction(session, instruction_id)
    version = instruction.version if version is None else version
    if field is not None and field not in FIELDS:
        raise ValueError(f"field: {field} is not one of {', '.join(FIELDS)}.")
    if span is not None:
        _check_span(_revision(session, instruction.id, version), field, span)
    elif version != instruction.version:
        _revision(session, instruction.id, version)
    start, end = span or (None, None)
    comment = Comment(
        instruction_id=instruction.id,
        version=version,
        author_id=actor.id,
        field=field,
        span_start=start,
        span_end=end,
        body=_checked_body(body),
    )
    session.add(comment)
    audit.record(session, actor, "commented", instruction, version=version, field=field)
    return comment


def reply(session: Session, actor: Actor, comment_id: int, body: str) -> Comment:
    """An answer in the thread of a remark; a reply to a reply joins the same thread."""
    require(actor, Right.READ)
    first, instruction = _thread(session, actor, comment_id)
    comment = Comment(
        instruction_id=first.instruction_id,
        version=instruction.version,
        author_id=actor.id,
        parent_id=first.id,
        body=_checked_body(body),
    )
    session.add(comment)
    audit.record(session, actor, "replied", instruction, comment_id=first.id)
    return comment


def resolve(session: Session, actor: Actor, comment_id: int, *, resolved: bool = True) -> Comment:
    """Close a thread, or (resolved=False) open it again.

    Its own author may, the record's author, and every reviewer; others get PolicyError.
    """
    require(actor, Right.READ)
    first, instruction = _thread(session, actor, comment_id)
    if not may_close(actor, first.author_id, instruction):
        raise PolicyError("You may not close this remark: its author, the record's author or a reviewer may.")
    if (first.resolved_at is not None) is resolved:
        raise ValueError(f"remark: it is {'resolved' if resolved else 'open'} already.")
    first.resolved_at = utc_now() if resolved else None
    first.resolved_by_id = actor.id if resolved else None
    audit.record(session, actor, "resolved" if resolved else "reopened", instruction, comment_id=first.id)
    return first


def may_close(actor: Actor, author_id: int, instruction: Instruction) -> bool:
    """May they resolve or reopen a thread that `author_id` began on the record?"""
    return actor.id in (author_id, instruction.author_id) or actor.can(Right.REVIEW)


def list_remarks(session: Session, instruction_id: int, actor: Actor | None = None) -> list[Remark]:
    """The threads on a record, oldest first, each with what became of its passage.

    While a blind review waits for its decisions, what a reviewer says of the submission is shown to nobody
    else: not before their own decision either, for another may be reading it at the same time.
    """
    instruction = get_instruction(session, instruction_id)
    said = _said(session, instruction, actor)
    revisions = {
        revision.number: revision
        for revision in session.scalars(select(Revision).where(Revision.instruction_id == instruction_id))
    }
    names = dict(session.execute(select(User.id, User.full_name)).all()) if said else {}
    replies: dict[int, list[Said]] = {}
    for comment, name in said:
        if comment.parent_id is not None:
            replies.setdefault(comment.parent_id, []).append(_contribution(comment, name))
    return [
        _remark(comment, name, replies.get(comment.id, []), revisions, instruction, names)
        for comment, name in said
        if comment.parent_id is None
    ]


def count_open(session: Session, instruction_id: int, actor: Actor | None = None) -> int:
    """How many threads on a record are not resolved."""
    return sum(remark.resolved_at is None for remark in list_remarks(session, instruction_id, actor))


def mark_of(session: Session, instruction_id: int) -> str:
    """Another text whenever `list_remarks` may tell something else: for asking often, in one small query.

    It counts what is sealed as well: keep it on the server.
    """
    said = Comment.instruction_id == instruction_id
    newest = [
        select(figure).where(where).scalar_subquery()
        for figure, where in (
            (func.max(Comment.id), said),
            (func.count(Comment.resolved_at), said),
            (func.max(Comment.resolved_at), said),
            (func.max(Review.id), Review.instruction_id == instruction_id),
        )
    ]
    head = select(Instruction.version, Instruction.status, *newest).where(Instruction.id == instruction_id)
    return str(session.execute(head).one_or_none())


def follow(span: tuple[int, int], before: str, after: str) -> tuple[int, int] | None:
    """Where a span of `before` stands in `after`, or None when an edit touched it.

    The texts are aligned word by word (longest common subsequence), so that a passage that only moved
    along with an insertion in front of it is found again.
    """
    start, end = span
    if before[:end] == after[:end]:
        return span
    tail = len(before) - start
    if len(after) >= tail and before[start:] == after[len(after) - tail :]:
        return len(after) - tail, len(after) - tail + end - start
    old, new = _TOKEN.findall(before), _TOKEN.findall(after)
    old_at, new_at = ([0, *accumulate(map(len, tokens))] for tokens in (old, new))
    for step in Indel.opcodes(old, new):
        first, last = old_at[step.src_start], old_at[step.src_end]
        if step.tag == "equal" and first <= start and end <= last:
            moved = new_at[step.dest_start] - first
            return start + moved, end + moved
    return None


def _said(session: Session, instruction: Instruction, actor: Actor | None) -> list[tuple[Comment, str]]:
    sealed = _sealed_authors(session, instruction)
    query = (
        select(Comment, User.full_name)
        .join(User, User.id == Comment.author_id)
        .where(Comment.instruction_id == instruction.id)
        .order_by(Comment.id)
    )
    return [
        (comment, name)
        for comment, name in session.execute(query)
        if comment.author_id not in sealed
        or comment.created_at < instruction.submitted_at
        or (actor is not None and comment.author_id == actor.id)
    ]


def _sealed_authors(session: Session, instruction: Instruction) -> set[int]:
    """Those whose remarks on the submission nobody else may see yet: they may decide on it, blind."""
    if instruction.status is not InstructionStatus.IN_REVIEW or instruction.overlap == 1:
        return set()
    session.flush()
    here = Instruction.id == instruction.id
    if session.scalar(select(decisions()).where(here)) >= instruction.overlap:
        return set()
    said = select(Comment.author_id).where(Comment.instruction_id == instruction.id)
    people = map(as_actor, session.scalars(select(User).where(User.id.in_(said))))
    return {who.id for who in people if who.can(Right.REVIEW) and not wrote(session, who, instruction)}


def _remark(
    comment: Comment,
    name: str,
    replies: list[Said],
    revisions: dict[int, Revision],
    instruction: Instruction,
    names: dict[int, str],
) -> Remark:
    span, quote, span_now, is_outdated = None, "", None, False
    if comment.field is not None:
        before, after = (
            getattr(revisions[comment.version], comment.field),
            getattr(instruction, comment.field),
        )
        if comment.span_start is None:
            is_outdated = before != after
        else:
            span = (comment.span_start, comment.span_end)
            quote, span_now = before[slice(*span)], follow(span, before, after)
            is_outdated = span_now is None
    return Remark(
        first=_contribution(comment, name),
        replies=tuple(replies),
        version=comment.version,
        field=comment.field,
        span=span,
        quote=quote,
        is_outdated=is_outdated,
        span_now=span_now,
        resolved_at=comment.resolved_at,
        resolved_by=names.get(comment.resolved_by_id, ""),
    )


def _contribution(comment: Comment, name: str) -> Said:
    return Said(comment.id, comment.author_id, name, comment.body, comment.created_at)


def _thread(session: Session, actor: Actor, comment_id: int) -> tuple[Comment, Instruction]:
    """The first remark of the thread that a comment belongs to, where the actor may see it; its record."""
    comment = session.get(Comment, comment_id)
    if comment is not None:
        instruction = get_instruction(session, comment.instruction_id)
        first = comment if comment.parent_id is None else session.get_one(Comment, comment.parent_id)
        if {comment.id, first.id} <= {seen.id for seen, _ in _said(session, instruction, actor)}:
            return first, instruction
    raise LookupError(f"There is no remark number {comment_id}.")


def _revision(session: Session, instruction_id: int, version: int) -> Revision:
    query = select(Revision).where(Revision.instruction_id == instruction_id, Revision.number == version)
    revision = session.scalar(query)
    if revision is None:
        raise ValueError(f"version: instruction {instruction_id} has no version {version}.")
    return revision


def _check_span(revision: Revision, field: str | None, span: tuple[int, int]) -> None:
    if field not in TEXT_FIELDS:
        raise ValueError(f"field: a span is of one of {', '.join(TEXT_FIELDS)}.")
    start, end = span
    length = len(getattr(revision, field))
    if not 0 <= start < end <= length:
        raise ValueError(
            f"span: {start} to {end} is not inside the {length:,} characters of {field}, version "
            f"{revision.number}; mark the passage again."
        )


def _checked_body(body: str) -> str:
    body = body.strip()
    if not body:
        raise ValueError("comment: write something first.")
    if len(body) > MAX_CHARACTERS:
        raise ValueError(f"comment: {len(body):,} characters; shorten it to {MAX_CHARACTERS:,} at most.")
    return body
