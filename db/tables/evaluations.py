from datetime import datetime
from typing import Any

from sqlalchemy import ForeignKey, Index, UniqueConstraint
from sqlalchemy.orm import Mapped, mapped_column, relationship

from db.enums import Category, StudyKind, Way
from db.tables.base import Base, utc_now
from db.tables.registry import Adapter, BaseModel


class TaskVersion(Base):
    """A task as it is asked, frozen: its rows, prompts and examples, named by their hash.

    Every model that is measured on it gets the same prompts, so scores on one version pair up row by row.
    """

    __tablename__ = "task_versions"
    __table_args__ = (UniqueConstraint("project_id", "content_hash"),)

    id: Mapped[int] = mapped_column(primary_key=True)
    project_id: Mapped[int] = mapped_column(ForeignKey("projects.id"))
    name: Mapped[str]  # what people call it
    task: Mapped[str]  # a key of db.tasks.TASKS
    category: Mapped[Category]
    is_general: Mapped[bool] = mapped_column(default=False)  # the regression gate looks at it
    split: Mapped[str] = mapped_column(default="")
    rows: Mapped[int]
    examples: Mapped[list[Any]] = mapped_column(default=list)  # [{instruction, input, output}], shown before
    settings: Mapped[dict[str, Any]]  # files, reader, template, output form, labels, shots, seed, limit
    content_hash: Mapped[str]
    licence: Mapped[str] = mapped_column(default="")
    is_restricted: Mapped[bool] = mapped_column(default=False)  # its texts never leave the machine
    dataset_version_id: Mapped[int | None] = mapped_column(ForeignKey("dataset_versions.id"))
    created_by_id: Mapped[int] = mapped_column(ForeignKey("users.id"))
    created_at: Mapped[datetime] = mapped_column(default=utc_now)
    deleted_at: Mapped[datetime | None]


class TaskRow(Base):
    """One row of a task version: how it is asked, what is right, and the row of the corpus behind it."""

    __tablename__ = "task_rows"
    __table_args__ = (UniqueConstraint("task_version_id", "position"),)

    id: Mapped[int] = mapped_column(primary_key=True)
    task_version_id: Mapped[int] = mapped_column(ForeignKey("task_versions.id"))
    position: Mapped[int]  # from 0
    key: Mapped[str]  # the row's id in its file
    document: Mapped[str]  # rows of one document are resampled together
    instruction: Mapped[str]
    input: Mapped[str] = mapped_column(default="")
    reference: Mapped[str]  # the right answer, as a person reads it
    source: Mapped[dict[str, Any]]  # the row itself, for the task to score against


class Encoder(Base):
    """An encoder with a head, tuned on a task's training rows: the baseline beside the language models."""

    __tablename__ = "encoders"

    id: Mapped[int] = mapped_column(primary_key=True)
    project_id: Mapped[int] = mapped_column(ForeignKey("projects.id"))
    name: Mapped[str] = mapped_column(unique=True)
    location: Mapped[str]  # of the encoder it began from: folder, owner/name, or "stand-in"
    revision: Mapped[str] = mapped_column(default="")
    path: Mapped[str]
    weights_hash: Mapped[str]
    head: Mapped[str]  # tokens, sequence or pair
    task_version_id: Mapped[int] = mapped_column(ForeignKey("task_versions.id"))  # of its training rows
    is_stand_in: Mapped[bool] = mapped_column(default=False)  # small, built from a config, never pretrained
    spec: Mapped[dict[str, Any]]
    packages: Mapped[dict[str, Any]]
    job_id: Mapped[int | None] = mapped_column(ForeignKey("jobs.id"))
    created_at: Mapped[datetime] = mapped_column(default=utc_now)
    deleted_at: Mapped[datetime | None]


class Evaluation(Base):
    """What one model scored on one task version, asked in one way.

    The model is a base, a base with an adapter, or an encoder; answers brought in a file have none, and their
    provenance names it.
    """

    __tablename__ = "evaluations"
    __table_args__ = (
        UniqueConstraint("job_id", "task_version_id", "way"),
        Index(None, "project_id", "task_version_id"),
    )

    id: Mapped[int] = mapped_column(primary_key=True)
    project_id: Mapped[int] = mapped_column(ForeignKey("projects.id"))
    job_id: Mapped[int | None] = mapped_column(ForeignKey("jobs.id"))  # None: answers brought in a file
    task_version_id: Mapped[int] = mapped_column(ForeignKey("task_versions.id"))
    base_model_id: Mapped[int | None] = mapped_column(ForeignKey("base_models.id"))
    adapter_id: Mapped[int | None] = mapped_column(ForeignKey("adapters.id"), index=True)
    encoder_id: Mapped[int | None] = mapped_column(ForeignKey("encoders.id"))
    way: Mapped[Way]
    rows: Mapped[int]
    rows_done: Mapped[int] = mapped_column(default=0)
    measure: Mapped[str] = mapped_column(default="")  # the headline's key in `figures`
    figures: Mapped[dict[str, Any]] = mapped_column(
        default=dict
    )  # key -> {value, low, high, n, clusters, note}
    tables: Mapped[dict[str, Any]] = mapped_column(default=dict)  # per type, confusion, faults
    provenance: Mapped[dict[str, Any]] = mapped_column(default=dict)  # hashes, dtype, sampling, versions
    created_at: Mapped[datetime] = mapped_column(default=utc_now)
    finished_at: Mapped[datetime | None]  # None: not all rows are scored
    deleted_at: Mapped[datetime | None]

    task_version: Mapped[TaskVersion] = relationship()
    base_model: Mapped[BaseModel | None] = relationship()
    adapter: Mapped[Adapter | None] = relationship()
    encoder: Mapped[Encoder | None] = relationship()


class Prediction(Base):
    """What a model answered to one row, and what that counted for."""

    __tablename__ = "predictions"
    # The indexes hold all that a filtered list walks, of one evaluation or of two side by side.
    __table_args__ = (
        UniqueConstraint("evaluation_id", "position"),
        Index(None, "evaluation_id", "is_right", "position"),
        Index(None, "evaluation_id", "has_faults", "position"),
        Index(None, "evaluation_id", "position", "score"),
    )

    id: Mapped[int] = mapped_column(primary_key=True)
    evaluation_id: Mapped[int] = mapped_column(ForeignKey("evaluations.id"))
    position: Mapped[int]  # of the task row
    answer: Mapped[str]
    score: Mapped[float]  # of this row alone, 0 to 1
    is_right: Mapped[bool]  # wholly right; of free text, at least as good as the task's bound
    has_faults: Mapped[bool]  # something in the answer could not be counted
    counts: Mapped[dict[str, Any]]  # what measures add up: name -> number
    said: Mapped[dict[str, Any]]  # what was read from the answer, and its faults
    tokens: Mapped[int] = mapped_column(default=0)  # of the answer


class Gain(Base):
    """One evaluation against another on the same rows, in one measure. Kept: it takes a second to reckon."""

    __tablename__ = "gains"
    __table_args__ = (UniqueConstraint("evaluation_id", "against_id", "measure"),)

    id: Mapped[int] = mapped_column(primary_key=True)
    evaluation_id: Mapped[int] = mapped_column(ForeignKey("evaluations.id"))
    against_id: Mapped[int] = mapped_column(ForeignKey("evaluations.id"))
    measure: Mapped[str]
    result: Mapped[dict[str, Any]]  # of db.metrics.paired.Gain
    created_at: Mapped[datetime] = mapped_column(default=utc_now)


class LeakCheck(Base):
    """The train rows of a dataset version, looked through for the rows of a task version."""

    __tablename__ = "leak_checks"
    __table_args__ = (UniqueConstraint("task_version_id", "dataset_version_id"),)

    id: Mapped[int] = mapped_column(primary_key=True)
    task_version_id: Mapped[int] = mapped_column(ForeignKey("task_versions.id"))
    dataset_version_id: Mapped[int] = mapped_column(ForeignKey("dataset_versions.id"))
    limits: Mapped[dict[str, Any]]  # of db.checks.contamination.Limits
    rows_found: Mapped[int]  # distinct task rows
    created_at: Mapped[datetime] = mapped_column(default=utc_now)


class Leak(Base):
    """One task row found in one train row; the strongest kind only."""

    __tablename__ = "leaks"
    __table_args__ = (Index(None, "leak_check_id", "position"),)

    id: Mapped[int] = mapped_column(primary_key=True)
    leak_check_id: Mapped[int] = mapped_column(ForeignKey("leak_checks.id"))
    position: Mapped[int]  # of the task row
    dataset_position: Mapped[int]  # of the train row
    kind: Mapped[str]  # exact, n-gram, rouge-l
    score: Mapped[float]


class Judgement(Base):
    """What a judge said of one answer, or of a pair of answers in one order."""

    __tablename__ = "judgements"
    __table_args__ = (UniqueConstraint("job_id", "position", "order"),)

    id: Mapped[int] = mapped_column(primary_key=True)
    job_id: Mapped[int] = mapped_column(ForeignKey("jobs.id"))
    position: Mapped[int]  # of the task row
    order: Mapped[
        int
    ]  # 0: the evaluation's answer first, 1: the other first, 2: scored alone, 3: the other alone
    verdict: Mapped[str] = mapped_column(default="")  # evaluation, against or tie; "" where scored alone
    scores: Mapped[dict[str, Any]] = mapped_column(default=dict)  # criterion -> 1 to 5
    reason: Mapped[str] = mapped_column(default="")
    prompt_tokens: Mapped[int] = mapped_column(default=0)
    completion_tokens: Mapped[int] = mapped_column(default=0)
    error: Mapped[str] = mapped_column(default="")  # why there is no verdict, one sentence
    created_at: Mapped[datetime] = mapped_column(default=utc_now)


class Study(Base):
    """A grid of trainings and evaluations with one name, read back as one figure."""

    __tablename__ = "studies"

    id: Mapped[int] = mapped_column(primary_key=True)
    project_id: Mapped[int] = mapped_column(ForeignKey("projects.id"))
    name: Mapped[str]
    kind: Mapped[StudyKind]
    spec: Mapped[dict[str, Any]]
    job_id: Mapped[int | None] = mapped_column(ForeignKey("jobs.id"))
    created_by_id: Mapped[int] = mapped_column(ForeignKey("users.id"))
    created_at: Mapped[datetime] = mapped_column(default=utc_now)
    deleted_at: Mapped[datetime | None]

    arms: Mapped[list["StudyArm"]] = relationship(order_by="StudyArm.position")


class StudyArm(Base):
    """One row of a study's figure: what was tuned on what, and where that stands."""

    __tablename__ = "study_arms"
    __table_args__ = (UniqueConstraint("study_id", "position"),)

    id: Mapped[int] = mapped_column(primary_key=True)
    study_id: Mapped[int] = mapped_column(ForeignKey("studies.id"))
    position: Mapped[int]
    label: Mapped[str]  # such as "QA + IE"
    plan: Mapped[dict[str, Any]]  # which rows, how many, with what settings, or which arms are merged
    dataset_version_id: Mapped[int | None] = mapped_column(ForeignKey("dataset_versions.id"))
    train_job_id: Mapped[int | None] = mapped_column(ForeignKey("jobs.id"))
    adapter_id: Mapped[int | None] = mapped_column(ForeignKey("adapters.id"))
    evaluate_job_id: Mapped[int | None] = mapped_column(ForeignKey("jobs.id"))
    error: Mapped[str] = mapped_column(default="")
