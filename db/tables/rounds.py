from datetime import datetime
from typing import Any

from sqlalchemy import JSON, ForeignKey, UniqueConstraint
from sqlalchemy.orm import Mapped, mapped_column, relationship

from db.tables.base import Base, utc_now
from db.tables.comparisons import Answer, Comparison, Vote
from db.tables.users import User


class Round(Base):
    """A blind comparison by several raters: pairs of answers, who votes on which, by which rubric."""

    __tablename__ = "rounds"

    id: Mapped[int] = mapped_column(primary_key=True)
    project_id: Mapped[int] = mapped_column(ForeignKey("projects.id"), index=True)
    title: Mapped[str]
    note: Mapped[str] = mapped_column(default="")  # what raters read before they begin
    rubric: Mapped[list[dict[str, Any]]] = mapped_column(JSON, default=list)  # of the axes, frozen here
    overlap: Mapped[int] = mapped_column(default=1)  # raters a pair; 0: all of them
    seed: Mapped[int]  # of the shuffling
    created_by_id: Mapped[int] = mapped_column(ForeignKey("users.id"))
    created_at: Mapped[datetime] = mapped_column(default=utc_now)
    closed_at: Mapped[datetime | None]
    removed_at: Mapped[datetime | None]

    created_by: Mapped[User] = relationship()
    pairs: Mapped[list["RoundPair"]] = relationship(order_by="RoundPair.position", back_populates="round")


class RoundPair(Base):
    """Two answers to one prompt that a round sets beside each other."""

    __tablename__ = "round_pairs"
    __table_args__ = (UniqueConstraint("round_id", "one_id", "other_id"),)

    id: Mapped[int] = mapped_column(primary_key=True)
    round_id: Mapped[int] = mapped_column(ForeignKey("rounds.id"))
    position: Mapped[int]
    comparison_id: Mapped[int] = mapped_column(ForeignKey("comparisons.id"))
    one_id: Mapped[int] = mapped_column(ForeignKey("answers.id"))
    other_id: Mapped[int] = mapped_column(ForeignKey("answers.id"))

    round: Mapped[Round] = relationship(back_populates="pairs")
    comparison: Mapped[Comparison] = relationship()
    one: Mapped[Answer] = relationship(foreign_keys=[one_id])
    other: Mapped[Answer] = relationship(foreign_keys=[other_id])


class Assignment(Base):
    """One rater's turn at one pair, in the rater's own order; which answer is on the left stays here."""

    __tablename__ = "assignments"
    __table_args__ = (UniqueConstraint("pair_id", "rater_id"),)

    id: Mapped[int] = mapped_column(primary_key=True)
    pair_id: Mapped[int] = mapped_column(ForeignKey("round_pairs.id"))
    rater_id: Mapped[int] = mapped_column(ForeignKey("users.id"), index=True)
    position: Mapped[int]
    is_flipped: Mapped[bool]  # the other answer is on the left
    opened_at: Mapped[datetime | None]
    done_at: Mapped[datetime | None]  # voted or skipped
    revealed_at: Mapped[datetime | None]  # the rater was told which is which: a later vote is not blind
    skipped: Mapped[str] = mapped_column(default="")  # why
    vote_id: Mapped[int | None] = mapped_column(ForeignKey("votes.id"))

    pair: Mapped[RoundPair] = relationship()
    rater: Mapped[User] = relationship()
    vote: Mapped[Vote | None] = relationship()
