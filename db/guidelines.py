"""A project's guidelines for writing and reviewing: Markdown, versioned, the newest in force."""

from sqlalchemy import select
from sqlalchemy.orm import Session, defer, joinedload

from db import audit
from db.enums import Decision
from db.policy import Actor, Right, require
from db.projects import get_project
from db.submissions import sealed_reviews
from db.tables import Guideline, Instruction, Review

MAX_CHARACTERS = 100_000
MAX_REASON = 500  # characters


class StaleGuidelineError(ValueError):
    """Someone wrote a newer version in between. Carries it, so that a page can show both texts."""

    def __init__(self, stored: Guideline) -> None:
        super().__init__(
            f"guideline: {stored.author.full_name} saved version {stored.number} while you were writing. "
            "Nothing of yours is lost: compare both texts and save again."
        )
        self.stored = stored


def write_guideline(
    session: Session, actor: Actor, project_id: int, body: str, *, number: int, reason: str = ""
) -> Guideline:
    """The next version, on top of version `number` (0 for the first). The same text adds none.

    Raises StaleGuidelineError when a newer version is in force, ValueError for an empty or overlong text.
    """
    require(actor, Right.GUIDE)
    project = get_project(session, project_id)
    body, reason = _with_plain_line_ends(body).strip(), " ".join(reason.split())
    if not body:
        raise ValueError("guideline: write what authors and reviewers should hold to.")
    if len(body) > MAX_CHARACTERS:
        raise ValueError(f"guideline: {len(body):,} characters; shorten it to {MAX_CHARACTERS:,} at most.")
    if len(reason) > MAX_REASON:
        raise ValueError(f"reason: {len(reason):,} characters; shorten it to {MAX_REASON:,} at most.")
    stored = current_guideline(session, project.id)
    if number != (stored.number if stored else 0):
        if stored is None:
            raise ValueError(f"guideline: there is no version {number} yet; begin with version 0.")
        raise StaleGuidelineError(stored)
    if stored is not None and stored.body == body:
        return stored
    guideline = Guideline(
        project_id=project.id, number=number + 1, body=body, reason=reason, author_id=actor.id
    )
    session.add(guideline)
    audit.record(session, actor, "wrote", guideline, number=guideline.number)
    return guideline


def bring_back(session: Session, actor: Actor, project_id: int, earlier: int, *, number: int) -> Guideline:
    """The text of version `earlier` as the next version, on top of version `number`.

    Raises ValueError when a newer version came in between, LookupError for an unknown one.
    """
    require(actor, Right.GUIDE)
    body = get_guideline(session, project_id, earlier).body
    try:
        return write_guideline(
            session, actor, project_id, body, number=number, reason=f"Brought back version {earlier}"
        )
    except StaleGuidelineError as stale:
        raise ValueError(
            f"{stale.stored.author.full_name} saved version {stale.stored.number} in the meantime. Read it "
            f"first; version {earlier} can still be brought back after it."
        ) from stale


def current_guideline(session: Session, project_id: int) -> Guideline | None:
    """The version in force, or None where nobody wrote one yet."""
    return session.scalar(_newest_first(project_id).limit(1))


def list_guidelines(session: Session, project_id: int) -> list[Guideline]:
    """Every version, newest first, each with its author and without its text, which `get_guideline` reads."""
    return list(
        session.scalars(
            _newest_first(project_id).options(joinedload(Guideline.author), defer(Guideline.body))
        )
    )


def get_guideline(session: Session, project_id: int, number: int) -> Guideline:
    guideline = session.scalar(_newest_first(project_id).where(Guideline.number == number))
    if guideline is None:
        raise LookupError(f"There is no version {number} of this project's guidelines.")
    return guideline


def reviewed_under(session: Session, instruction: Instruction) -> Guideline | None:
    """The guidelines that were in force at the review that counts: that of the approved text, else the last.

    None where there is no such review, or no guidelines stood then. A revision that changed labels only may
    be in force by the review of the one before it. A decision still sealed for a blind second reviewer does
    not count: even that it was made is told to nobody.
    """
    sealed = [review.id for review in sealed_reviews(session, instruction)]
    of_record = (
        select(Guideline)
        .select_from(Review)
        .outerjoin(Guideline, Guideline.id == Review.guideline_id)
        .where(Review.instruction_id == instruction.id, Review.id.not_in(sealed))
        .order_by(Review.id.desc())
        .limit(1)
    )
    if instruction.approved_version is not None:
        of_record = of_record.where(
            Review.decision == Decision.APPROVE, Review.version <= instruction.approved_version
        )
    return session.scalar(of_record)


def _with_plain_line_ends(text: str) -> str:
    return text.replace("\r\n", "\n").replace("\r", "\n")


def _newest_first(project_id: int):
    return select(Guideline).where(Guideline.project_id == project_id).order_by(Guideline.number.desc())
