"""Encoder baselines: which tasks they can be tuned on, what was tuned, and what it scored.

An encoder is tuned on one frozen task's rows and scored on others of the same task, so it answers the very
rows that the language models answer, and its evaluations stand beside theirs.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from sqlalchemy import select
from sqlalchemy.orm import Session

from db import audit, evaluations, jobs, task_versions, tasks
from db.encoder_heads import TITLES, Head, head_of
from db.encoder_spec import STAND_IN, EncoderSpec
from db.enums import JobKind, Split
from db.policy import Actor, Right, require
from db.tables import Encoder, Evaluation, Job, TaskVersion
from db.tables.base import utc_now
from db.tasks.task import TaskError

STAND_IN_TITLE = "stand-in (not pretrained)"
KNOWN = {  # location -> what people call it
    "dmis-lab/biobert-base-cased-v1.2": "BioBERT base, cased, v1.2",
    "emilyalsentzer/Bio_ClinicalBERT": "Bio_ClinicalBERT",
    "microsoft/BiomedNLP-BiomedBERT-base-uncased-abstract-fulltext": "PubMedBERT (BiomedBERT), full text",
    STAND_IN: STAND_IN_TITLE,
}
STAND_IN_SETTINGS = {"epochs": 15.0, "learning_rate": 1e-3}  # it has everything to learn


@dataclass(frozen=True)
class Plan:
    """What a spec comes to: the task with the training rows, those that are scored, and the head."""

    train: TaskVersion
    scored: tuple[TaskVersion, ...]
    head: Head


def head_for(version: TaskVersion) -> Head | None:
    """The head for a frozen task; None where an encoder cannot answer it."""
    try:
        return head_of(getattr(tasks.of_version(version), "form", None))
    except TaskError:  # a task of another version of the studio
        return None


def list_tasks(session: Session, project_id: int) -> list[tuple[TaskVersion, Head]]:
    """The project's frozen tasks that an encoder can answer, newest first, with the heads they need."""
    found = ((version, head_for(version)) for version in task_versions.list_tasks(session, project_id))
    return [(version, head) for version, head in found if head is not None]


def plan(session: Session, project_id: int, spec: EncoderSpec) -> Plan:
    """What the spec comes to. Raises ValueError by the field, LookupError for a task not the project's."""
    train = _task(session, project_id, spec.train_task_id)
    head = head_for(train)
    if head is None:
        raise ValueError(
            f"train task: no encoder can answer {train.name}; choose one that names mentions, labels a text "
            "or a marked pair, compares two texts, or is answered yes or no."
        )
    if train.split == Split.TEST:
        raise ValueError(f"train task: {train.name} holds test rows; freeze the train rows and choose those.")
    scored = tuple(_task(session, project_id, id) for id in dict.fromkeys(spec.tasks))
    for version in (train, *scored):
        if not version.rows:
            raise ValueError(f"tasks: {version.name} has no rows; choose another.")
    for version in scored:
        _require_same(train, head, version)
    return Plan(train, scored, head)


def start(
    session: Session, actor: Actor, project_id: int, spec: EncoderSpec, *, request_key: str | None = None
) -> Job:
    """Queue a job that tunes an encoder. Raises ValueError, before anything is stored, for what cannot be."""
    require(actor, Right.EVALUATE)
    if request_key is not None:  # a double click: the name is its own by now
        known = session.scalar(select(Job).where(Job.request_key == request_key))
        if known is not None:
            return known
    plan(session, project_id, spec)
    require_location(spec.location)
    require_free_name(session, spec.name)
    return jobs.enqueue(
        session, actor, project_id, JobKind.TRAIN_ENCODER, spec, name=spec.name, request_key=request_key
    )


def require_location(location: str) -> None:
    """Raise ValueError for what is neither a folder of this machine, nor owner/name, nor the stand-in."""
    if location == STAND_IN:
        return
    if Path(location).is_absolute():
        if not (Path(location) / "config.json").is_file():
            raise ValueError(
                f"location: {location} holds no config.json; name the folder of a saved encoder."
            )
        return
    if location.count("/") != 1 or not all(location.split("/")) or location != location.strip():
        raise ValueError(
            f"location: write owner/name as on the Hub, the whole path of a folder, or {STAND_IN}."
        )


def require_free_name(session: Session, name: str, *, job_id: int | None = None) -> None:
    """Raise ValueError when an encoder, not this job's own, has the name."""
    taken = session.scalar(select(Encoder).where(Encoder.name == name.strip()))
    if taken is not None and (job_id is None or taken.job_id != job_id):
        raise ValueError(f"name: there is already an encoder named {taken.name}; choose another.")


def register(session: Session, job_id: int, attempt: int, **columns) -> Encoder:
    """Enter the tuned encoder of a job; where it is entered already, that one. Raises FencedError."""
    jobs.require_owned(session, job_id, attempt)
    known = of_job(session, job_id)
    if known is not None:
        return known
    job = jobs.get_job(session, job_id)
    require_free_name(session, columns["name"])
    encoder = Encoder(**columns, project_id=job.project_id, job_id=job_id)
    session.add(encoder)
    session.flush()
    audit.record(session, None, "registered", encoder, job=job_id, weights_hash=encoder.weights_hash)
    return encoder


def of_job(session: Session, job_id: int) -> Encoder | None:
    return session.scalar(select(Encoder).where(Encoder.job_id == job_id))


def get_encoder(session: Session, project_id: int, encoder_id: int) -> Encoder:
    """Raises LookupError where the project has none of that number, or no more."""
    encoder = session.get(Encoder, encoder_id)
    if encoder is None or encoder.project_id != project_id or encoder.deleted_at is not None:
        raise LookupError(f"This project has no encoder number {encoder_id}.")
    return encoder


def list_encoders(session: Session, project_id: int) -> list[Encoder]:
    """The project's encoders, those that are not removed, newest first."""
    query = (
        select(Encoder)
        .where(Encoder.project_id == project_id, Encoder.deleted_at.is_(None))
        .order_by(Encoder.id.desc())
    )
    return list(session.scalars(query))


def list_scores(session: Session, encoder_ids: Sequence[int]) -> dict[int, list[Evaluation]]:
    """The finished evaluations of these encoders that are not removed, oldest first."""
    query = (
        select(Evaluation)
        .where(
            Evaluation.encoder_id.in_(encoder_ids),
            Evaluation.finished_at.is_not(None),
            Evaluation.deleted_at.is_(None),
        )
        .order_by(Evaluation.id)
    )
    found: dict[int, list[Evaluation]] = {id: [] for id in encoder_ids}
    for evaluation in session.scalars(query):
        found[evaluation.encoder_id].append(evaluation)
    return found


def remove(session: Session, actor: Actor, project_id: int, encoder_id: int) -> Encoder:
    """Take an encoder off the lists and its evaluations off the boards. Its files stay."""
    require(actor, Right.EVALUATE)
    encoder = get_encoder(session, project_id, encoder_id)
    encoder.deleted_at = utc_now()
    for evaluation in evaluations.list_evaluations(session, project_id, encoder_id=encoder_id):
        evaluation.deleted_at = encoder.deleted_at
    audit.record(session, actor, "deleted", encoder)
    return encoder


def put_back(session: Session, actor: Actor, project_id: int, encoder_id: int) -> Encoder:
    """Undo `remove`, for the evaluations that went with it, too."""
    require(actor, Right.EVALUATE)
    encoder = session.get(Encoder, encoder_id)
    if encoder is None or encoder.project_id != project_id:
        raise LookupError(f"This project has no encoder number {encoder_id}.")
    gone = select(Evaluation).where(
        Evaluation.encoder_id == encoder_id, Evaluation.deleted_at == encoder.deleted_at
    )
    for evaluation in session.scalars(gone):
        evaluation.deleted_at = None
    encoder.deleted_at = None
    audit.record(session, actor, "restored", encoder)
    return encoder


def title_of(location: str) -> str:
    """What people call the encoder at a location."""
    return KNOWN.get(location) or (Path(location).name if Path(location).is_absolute() else location)


def _task(session: Session, project_id: int, task_version_id: int) -> TaskVersion:
    version = task_versions.get_task(session, project_id, task_version_id)
    if version.deleted_at is not None:
        raise LookupError(f"The task {version.name} was removed; put it back or choose another.")
    return version


def _require_same(train: TaskVersion, head: Head, version: TaskVersion) -> None:
    """Raise ValueError unless what is learned on the train rows can be scored on the version."""
    if version.id == train.id:
        raise ValueError(
            f"tasks: {version.name} holds the rows it learns from; choose rows that it does not see."
        )
    other = head_for(version)
    if version.task != train.task or other is None or other.kind != head.kind:
        kind = tasks.TASKS[version.task].title if version.task in tasks.TASKS else version.task
        raise ValueError(
            f"tasks: {version.name} is another task ({kind}) than {train.name}, which gives "
            f"{TITLES[head.kind]}; choose versions of one task."
        )
    foreign = [name for name in other.labels if name not in head.labels]
    if foreign or other.takes_several != head.takes_several:
        named = f"the label {foreign[0][:40]!r}" if foreign else "other labels"
        raise ValueError(
            f"tasks: {version.name} has {named}, which {train.name} does not teach; freeze both with the "
            "same labels."
        )
