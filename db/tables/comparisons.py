from datetime import datetime
from typing import Any

from sqlalchemy import JSON, ForeignKey, Index, UniqueConstraint, text
from sqlalchemy.orm import Mapped, mapped_column, relationship

from db.enums import Choice
from db.tables.base import Base, utc_now
from db.tables.prompts import PromptVersion
from db.tables.registry import Adapter, BaseModel, Endpoint
from db.tables.users import User


class Comparison(Base):
    """One prompt put to several sides with the same settings, and their answers.

    In a conversation each turn is a comparison of its own, which `follows` the one before: every side goes on
    from its own answers. Sending an edited turn again makes a second comparison that follows the same one.
    """

    __tablename__ = "comparisons"
    __table_args__ = (UniqueConstraint("job_id", "key"), Index(None, "project_id", "id"))

    id: Mapped[int] = mapped_column(primary_key=True)
    project_id: Mapped[int] = mapped_column(ForeignKey("projects.id"))
    prompt_version_id: Mapped[int | None] = mapped_column(ForeignKey("prompt_versions.id"))
    follows_id: Mapped[int | None] = mapped_column(ForeignKey("comparisons.id"), index=True)
    job_id: Mapped[int | None] = mapped_column(ForeignKey("jobs.id"))  # of the batch it belongs to
    key: Mapped[str | None]  # of the row in that batch
    slice: Mapped[str] = mapped_column(default="")  # of that batch: rows that are looked at together
    expected: Mapped[list[str]] = mapped_column(JSON, default=list)  # facts that a right answer to it holds
    system: Mapped[str] = mapped_column(default="")
    instruction: Mapped[str]
    input: Mapped[str] = mapped_column(default="")
    sampling: Mapped[dict[str, Any]]  # max_tokens, temperature, seed: the same for every side
    created_by_id: Mapped[int] = mapped_column(ForeignKey("users.id"))
    created_at: Mapped[datetime] = mapped_column(default=utc_now)
    emptied_at: Mapped[datetime | None]  # when retention took its texts
    prompt_hash: Mapped[str | None]  # of what was asked, from then on: equal prompts stay known as such

    created_by: Mapped[User] = relationship()
    prompt_version: Mapped[PromptVersion | None] = relationship()
    follows: Mapped["Comparison | None"] = relationship(remote_side=[id])
    answers: Mapped[list["Answer"]] = relationship(order_by="Answer.position", back_populates="comparison")


class Answer(Base):
    """What one side said, and the provenance the model server gave with it.

    A side is a base, an adapter on it, that adapter at an earlier step, or a model behind an endpoint.
    """

    __tablename__ = "answers"
    __table_args__ = (UniqueConstraint("comparison_id", "position"),)

    id: Mapped[int] = mapped_column(primary_key=True)
    comparison_id: Mapped[int] = mapped_column(ForeignKey("comparisons.id"))
    position: Mapped[int]  # 0 is the first column
    base_model_id: Mapped[int | None] = mapped_column(ForeignKey("base_models.id"))
    adapter_id: Mapped[int | None] = mapped_column(ForeignKey("adapters.id"), index=True)
    step: Mapped[int | None]  # of the checkpoint; None for the finished adapter
    endpoint_id: Mapped[int | None] = mapped_column(ForeignKey("endpoints.id"))
    model: Mapped[str] = mapped_column(default="")  # as the endpoint was asked for it
    text: Mapped[str]
    finish_reason: Mapped[str]  # stop, length or cancelled
    tokens: Mapped[int] = mapped_column(default=0)
    tokens_per_second: Mapped[float] = mapped_column(default=0.0)
    first_token_seconds: Mapped[float | None]
    provenance: Mapped[dict[str, Any]]
    created_at: Mapped[datetime] = mapped_column(default=utc_now)

    comparison: Mapped[Comparison] = relationship(back_populates="answers")
    base_model: Mapped[BaseModel | None] = relationship()
    adapter: Mapped[Adapter | None] = relationship()
    endpoint: Mapped[Endpoint | None] = relationship()


class Vote(Base):
    """What one person preferred of two answers to one prompt; `one` has the lower position.

    `rubric` holds {answer id as text: {axis: value}}; `first_id` is the answer that stood on the left.
    """

    __tablename__ = "votes"
    # One a person, pair and round; and one outside rounds, where `round_id` is NULL and differs from itself.
    __table_args__ = (
        UniqueConstraint("one_id", "other_id", "voter_id", "round_id", "settles"),
        Index(
            "ix_votes_outside_rounds",
            "one_id",
            "other_id",
            "voter_id",
            unique=True,
            sqlite_where=text("round_id IS NULL"),
            postgresql_where=text("round_id IS NULL"),
        ),
    )

    id: Mapped[int] = mapped_column(primary_key=True)
    comparison_id: Mapped[int] = mapped_column(ForeignKey("comparisons.id"), index=True)
    one_id: Mapped[int] = mapped_column(ForeignKey("answers.id"))
    other_id: Mapped[int] = mapped_column(ForeignKey("answers.id"))
    voter_id: Mapped[int] = mapped_column(ForeignKey("users.id"))
    round_id: Mapped[int | None] = mapped_column(ForeignKey("rounds.id"), index=True)
    choice: Mapped[Choice]
    is_blind: Mapped[bool] = mapped_column(default=False)
    settles: Mapped[bool] = mapped_column(default=False)  # cast to adjudicate between raters
    first_id: Mapped[int | None] = mapped_column(ForeignKey("answers.id"))
    seconds: Mapped[float | None]  # from showing the pair to the vote
    rubric: Mapped[dict[str, Any]] = mapped_column(default=dict)
    corrected_answer: Mapped[str] = mapped_column(default="")
    comment: Mapped[str] = mapped_column(default="")
    # Of the correction. Indexed, or deleting instructions would look through all votes for each of them.
    instruction_id: Mapped[int | None] = mapped_column(ForeignKey("instructions.id"), index=True)
    created_at: Mapped[datetime] = mapped_column(default=utc_now)
    updated_at: Mapped[datetime] = mapped_column(default=utc_now, onupdate=utc_now)

    comparison: Mapped[Comparison] = relationship()
    one: Mapped[Answer] = relationship(foreign_keys=[one_id])
    other: Mapped[Answer] = relationship(foreign_keys=[other_id])
    voter: Mapped[User] = relationship()
