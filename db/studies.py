"""Studies: a grid of trainings and evaluations with one name, led by one job and read back as one figure.

Making one works out its arms and queues the job that leads them; each arm's rows are frozen as that job
comes to it (see db.study_drawing), and each run it asks for is an ordinary job to open, stop and resume.
"""

from sqlalchemy import func, select
from sqlalchemy.orm import Session

from db import audit, datasets, jobs, registry, specs
from db.enums import JobKind, Split, StudyKind
from db.evaluate_spec import EvaluateSpec
from db.policy import Actor, Right, require
from db.study_arms import ALL, ArmPlan, plan
from db.study_spec import StudySpec
from db.tables import Adapter, DatasetRow, Job, Study, StudyArm, TaskVersion
from db.train_spec import TrainSpec

RIGHTS = (Right.EVALUATE, Right.TRAIN, Right.FREEZE)  # a study does all three for who makes it


def create(
    session: Session, actor: Actor, project_id: int, spec: StudySpec, *, request_key: str | None = None
) -> Study:
    """A new study with its arms, its job queued. The same `request_key` again gives the first one.

    Raises ValueError naming the field where the data, the tasks or the settings cannot be studied so, and
    LookupError for a base, a version or a task that this project has not.
    """
    for right in RIGHTS:
        require(actor, right)
    if request_key and (known := _made_by(session, request_key)):
        return known
    arms = plan_arms(session, project_id, spec)
    study = Study(
        project_id=project_id,
        name=spec.name.strip(),
        kind=spec.kind,
        spec=specs.to_json(spec),
        created_by_id=actor.id,
        arms=[
            StudyArm(position=position, label=arm.label, plan=_without_label(arm))
            for position, arm in enumerate(arms)
        ],
    )
    session.add(study)
    session.flush()
    job = jobs.enqueue(
        session, actor, project_id, JobKind.STUDY, spec, name=study.name, request_key=request_key
    )
    session.flush()
    study.job_id = job.id
    audit.record(session, actor, "created", study, arms=len(arms))
    return study


def plan_arms(session: Session, project_id: int, spec: StudySpec) -> list[ArmPlan]:
    """The arms a study would have; stores nothing. Raises as `create` does."""
    version = datasets.get_version(session, spec.dataset_version_id)
    if version.dataset.project_id != project_id:
        raise LookupError(f"This project has no dataset version number {spec.dataset_version_id}.")
    registry.get_base_model(session, spec.base_model_id)
    _require_tasks(session, project_id, spec)
    arms = plan(spec, count_parts(session, spec.dataset_version_id, spec.divided_by))
    for arm in arms:  # a setting that cannot be is told now, not when the first arm fails
        if arm.kind == "tune":
            train_spec(spec, arm, spec.dataset_version_id)
    evaluate_spec(spec, None)
    _require_mergeable(spec)
    return arms


def part_of(value: str, column: str) -> str:
    """The part a row is of, by its value in the column that divides: of a corpus without the document."""
    if not column:
        return ALL
    return str(value).partition(", document ")[0] if column == "source" else str(value)


def count_parts(session: Session, version_id: int, column: str) -> dict[str, int]:
    """Train rows of a version by the value of one column; {"": all} without one."""
    key = getattr(DatasetRow, column) if column else DatasetRow.split
    query = (
        select(key, func.count())
        .where(DatasetRow.version_id == version_id, DatasetRow.split == Split.TRAIN)
        .group_by(key)
    )
    found: dict[str, int] = {}
    for value, rows in session.execute(query):
        part = part_of(value, column)
        found[part] = found.get(part, 0) + rows
    return found


def list_studies(session: Session, project_id: int) -> list[Study]:
    """The studies of a project, newest first."""
    query = select(Study).where(Study.project_id == project_id, Study.deleted_at.is_(None))
    return list(session.scalars(query.order_by(Study.id.desc())))


def get_study(session: Session, project_id: int, study_id: int) -> Study:
    """Raises LookupError when this project has no such study."""
    study = session.get(Study, study_id)
    if study is None or study.project_id != project_id or study.deleted_at is not None:
        raise LookupError(f"This project has no study number {study_id}.")
    return study


def study_of(session: Session, job_id: int) -> Study:
    """The study that a job leads. Raises LookupError."""
    study = session.scalar(select(Study).where(Study.job_id == job_id))
    if study is None:
        raise LookupError(f"There is no study that job {job_id} leads.")
    return study


def spec_of(study: Study) -> StudySpec:
    return specs.from_json(JobKind.STUDY, study.spec)


def plan_of(arm: StudyArm) -> ArmPlan:
    return ArmPlan.from_json(arm.plan, arm.label)


def train_spec(spec: StudySpec, arm: ArmPlan, version_id: int) -> TrainSpec:
    """The training of an arm, on its own rows. Raises ValueError naming the setting that cannot be."""
    given = {
        **spec.training,
        **arm.training,
        "base_model_id": spec.base_model_id,
        "dataset_version_id": version_id,
        "adapter_name": f"{spec.name.strip()}: {arm.label}",
    }
    made = _from_json(JobKind.TRAIN, given, "training")
    if not made.is_adapter:
        raise ValueError("method: a study tunes adapters; choose LoRA or one of its kin, not full.")
    return made


def evaluate_spec(spec: StudySpec, adapter_id: int | None, tasks: tuple[int, ...] = ()) -> EvaluateSpec:
    """The evaluation of an arm: of the base where there is no adapter; on `tasks`, all unless told."""
    given = {
        **spec.evaluation,
        "base_model_id": spec.base_model_id,
        "tasks": tasks or spec.tasks,
        "adapter_id": adapter_id or 0,
    }
    return _from_json(JobKind.EVALUATE, given, "evaluation")


def list_own_jobs(session: Session, study: Study) -> list[Job]:
    """The runs that the study itself asked for, in the order of its arms."""
    ids = [id for arm in study.arms for id in (arm.train_job_id, arm.evaluate_job_id) if id]
    by_id = {job.id: job for job in session.scalars(select(Job).where(Job.id.in_(ids)))}
    return [by_id[id] for id in ids]


def adapter_of(session: Session, arm: StudyArm) -> Adapter | None:
    """The arm's adapter, unless it was deleted."""
    adapter = session.get(Adapter, arm.adapter_id) if arm.adapter_id else None
    return adapter if adapter is not None and adapter.deleted_at is None else None


def _require_tasks(session: Session, project_id: int, spec: StudySpec) -> None:
    found = session.scalars(select(TaskVersion).where(TaskVersion.id.in_(spec.tasks)))
    ours = {task.id for task in found if task.project_id == project_id and task.deleted_at is None}
    for id in spec.tasks:
        if id not in ours:
            raise LookupError(f"This project has no frozen task number {id}.")


def _require_mergeable(spec: StudySpec) -> None:
    """peft's weighted merge takes updates scaled by alpha / rank only."""
    method = spec.training.get("method", "lora")
    if spec.kind == StudyKind.EXPERTS and method not in ("lora", "qlora"):
        raise ValueError(f"method: experts tuned by {method} cannot be merged; choose lora.")


def _made_by(session: Session, request_key: str) -> Study | None:
    job = select(Job.id).where(Job.request_key == request_key).scalar_subquery()
    return session.scalar(select(Study).where(Study.job_id == job))


def _without_label(arm: ArmPlan) -> dict:
    stored = arm.to_json()
    del stored["label"]  # it has its own column
    return stored


def _from_json(kind: JobKind, given: dict, field: str):
    try:
        return specs.from_json(kind, given)
    except TypeError as error:  # text where a number belongs
        raise ValueError(f"{field}: a setting of it is of the wrong kind ({error}).") from error
