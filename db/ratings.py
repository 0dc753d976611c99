"""The decisions of a project's reviewers as ratings, and how far they agree."""

from collections import Counter
from dataclasses import dataclass
from datetime import datetime
from itertools import combinations

from sqlalchemy import func, select
from sqlalchemy.orm import Session

from db.agreement import Measure, cohen_kappa, fleiss_kappa, krippendorff_alpha, of_pair, percent_agreement
from db.enums import Decision
from db.policy import Actor, Right, require
from db.tables import AuditLine, Instruction, Review, User


@dataclass(frozen=True)
class Pair:
    """Two reviewers and how they agree on what both decided on."""

    first_id: int
    second_id: int
    first: str
    second: str
    kappa: Measure
    percent: Measure


@dataclass(frozen=True)
class Agreement:
    """How far the reviewers of a project agree: overall, and pair by pair, the busiest pair first."""

    items: int  # submissions that two or more decided on independently
    percent: Measure
    fleiss: Measure
    alpha: Measure
    pairs: tuple[Pair, ...]


def read_ratings(
    session: Session, project_id: int, *, since: datetime | None = None
) -> list[dict[int, Decision]]:
    """What each reviewer (by id) decided, a mapping for each submission that two or more decided on.

    Independent decisions only: adjudications and solo reviews are left out, a text handed in again unchanged
    counts as another submission, and what still waits for its second decision is not told.
    """
    hand_ins = (
        select(func.count(AuditLine.id))
        .where(
            AuditLine.subject == Instruction.__tablename__,
            AuditLine.subject_id == Review.instruction_id,
            AuditLine.action == "submitted",
            AuditLine.at <= Review.created_at,
        )
        .scalar_subquery()
    )
    query = (
        select(Review.instruction_id, Review.version, hand_ins, Review.reviewer_id, Review.decision)
        .join(Instruction, Instruction.id == Review.instruction_id)
        .where(
            Instruction.project_id == project_id,
            Review.is_adjudication.is_(False),
            Review.is_solo.is_(False),
        )
        .order_by(Review.id)
    )
    if since is not None:
        query = query.where(Review.created_at >= since)
    items: dict[tuple[int, int, int], dict[int, Decision]] = {}
    for id, version, hand_in, reviewer_id, decision in session.execute(query):
        items.setdefault((id, version, hand_in), {})[reviewer_id] = decision
    return [item for item in items.values() if len(item) > 1]


def measure_agreement(
    session: Session, actor: Actor, project_id: int, *, since: datetime | None = None
) -> Agreement:
    """Every figure of a project's agreement, with intervals. To be read by those who review."""
    require(actor, Right.REVIEW)
    items = read_ratings(session, project_id, since=since)
    names = dict(session.execute(select(User.id, User.full_name)).all())
    shared = Counter(pair for item in items for pair in combinations(sorted(item), 2))
    return Agreement(
        items=len(items),
        percent=percent_agreement(items),
        fleiss=fleiss_kappa(items),
        alpha=krippendorff_alpha(items),
        pairs=tuple(_pair(items, *pair, names) for pair, _ in shared.most_common()),
    )


def _pair(items: list[dict[int, Decision]], first: int, second: int, names: dict[int, str]) -> Pair:
    both = [item for item in items if first in item and second in item]
    alone = [{first: item[first], second: item[second]} for item in both]
    return Pair(
        first, second, names[first], names[second], cohen_kappa(*of_pair(both, first, second)),
        percent_agreement(alone),
    )  # fmt: skip
