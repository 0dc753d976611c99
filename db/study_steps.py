"""Where each arm of a study stands, and what is to be done next: worked out from the tables alone.

So a study that is killed at any moment goes on where it was, and what a page shows is what its job acts on.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from enum import StrEnum

from sqlalchemy.orm import Session

from db import jobs, queue
from db.enums import JobKind, JobStatus
from db.policy import Actor
from db.studies import adapter_of, evaluate_spec, plan_of, spec_of, train_spec
from db.study_arms import BASE, TUNE
from db.study_results import missing_tasks
from db.tables import Job, Study, StudyArm


class Step(StrEnum):
    """What an arm needs next."""

    DRAW = "draw"  # its rows frozen
    TRAIN = "train"  # a training asked for
    TRAINING = "training"  # nothing: its training waits or runs
    ADOPT = "adopt"  # the adapter of its finished training entered
    EXPERTS = "experts"  # nothing: the adapters it is merged of
    MERGE = "merge"
    EVALUATE = "evaluate"  # an evaluation asked for
    EVALUATING = "evaluating"  # nothing: its evaluation waits or runs
    DONE = "done"
    FAILED = "failed"


WAITING = frozenset({Step.TRAINING, Step.EXPERTS, Step.EVALUATING})
CLOSED = frozenset({Step.DONE, Step.FAILED})
_TUNED = frozenset({Step.ADOPT, Step.EVALUATE, Step.EVALUATING})
_WORDS = {
    Step.DRAW: "waiting to be drawn",
    Step.TRAIN: "waiting to be trained",
    Step.TRAINING: "training",
    Step.ADOPT: "trained",
    Step.EXPERTS: "waiting for its experts",
    Step.MERGE: "merging",
    Step.EVALUATE: "waiting to be measured",
    Step.EVALUATING: "being measured",
    Step.DONE: "measured",
    Step.FAILED: "failed",
}


@dataclass(frozen=True)
class Standing:
    """Where one arm stands. `trouble` is one sentence where it failed."""

    position: int
    label: str
    step: Step
    trouble: str = ""
    job: Job | None = None  # the run it waits for

    @property
    def words(self) -> str:
        if self.job is not None and self.job.status is JobStatus.QUEUED:
            return f"{'training' if self.step is Step.TRAINING else 'evaluation'} queued"
        return _WORDS[self.step]

    @property
    def runs(self) -> bool:
        return self.job is not None and self.job.status is JobStatus.RUNNING


def standings(session: Session, study: Study) -> list[Standing]:
    """Every arm's, in their order."""
    found: list[Standing] = []
    for arm in study.arms:
        found.append(standing(session, study, arm, found))
    return found


def standing(session: Session, study: Study, arm: StudyArm, before: Sequence[Standing]) -> Standing:
    """Where an arm stands, given the arms before it, which a merge is made of."""

    def at(step: Step, trouble: str = "", job: Job | None = None) -> Standing:
        return Standing(arm.position, arm.label, step, trouble, job)

    if arm.error:
        return at(Step.FAILED, arm.error)
    kind = plan_of(arm).kind
    if kind != BASE and arm.adapter_id is None:
        return at(*(_towards_adapter(session, arm) if kind == TUNE else _towards_merge(arm, before)))
    if kind != BASE and adapter_of(session, arm) is None:
        return at(
            Step.FAILED, "Its adapter was deleted; restore it on the Models page, or make the study anew."
        )
    if not missing_tasks(session, study, arm):
        return at(Step.DONE)
    if arm.evaluate_job_id is None:
        return at(Step.EVALUATE)
    job = jobs.get_job(session, arm.evaluate_job_id)
    if job.status.is_open or jobs.goes_on(job):
        return at(Step.EVALUATING, job=job)
    if job.status is JobStatus.FINISHED:
        return at(Step.FAILED, f"Job {job.id} has finished, and a task is without its scores.")
    return at(Step.FAILED, _how_ended(job, "evaluation"))


def is_open(session: Session, study: Study) -> bool:
    """True while the study's job still has something to do."""
    job = jobs.get_job(session, study.job_id)
    return job.status.is_open or jobs.goes_on(job)


def count_runs(found: Sequence[Standing]) -> tuple[int, int]:
    """(done, all) of what takes time: a training or a merge an arm, and an evaluation; the base, always the
    first, has only the latter. Of an arm that failed nothing more is to come."""
    needed = [1 if one.position == 0 else 2 for one in found]
    left = [
        0 if one.step in CLOSED else 1 if one.step in _TUNED else n
        for one, n in zip(found, needed, strict=True)
    ]
    return sum(needed) - sum(left), sum(needed)


def phase_of(found: Sequence[Standing]) -> str:
    """What goes on, such as `training QA + IE`; else what is waited for."""
    running = [one for one in found if one.runs]
    if running:
        doing = {Step.TRAINING: "training", Step.EVALUATING: "measuring"}
        return ", ".join(f"{doing[one.step]} {one.label}" for one in running[:3])
    if any(one.step is Step.MERGE for one in found):
        return "merging experts"
    return "waiting for a place to run" if any(one.job for one in found) else "drawing rows"


def queue_training(session: Session, actor: Actor, study: Study, arm: StudyArm) -> Job:
    """Ask for the arm's training, once however often it is asked."""
    spec = train_spec(spec_of(study), plan_of(arm), arm.dataset_version_id)
    key = f"study:{study.id}:{arm.position}:train"
    job = jobs.enqueue(
        session, actor, study.project_id, JobKind.TRAIN, spec, name=spec.adapter_name, request_key=key
    )
    session.flush()
    arm.train_job_id = job.id
    return job


def queue_evaluation(session: Session, actor: Actor, study: Study, arm: StudyArm, attempt: int) -> Job:
    """Ask for the tasks the arm lacks. It goes before the study's own waiting trainings only."""
    spec = evaluate_spec(spec_of(study), arm.adapter_id, missing_tasks(session, study, arm))
    key = f"study:{study.id}:{arm.position}:evaluate:{attempt}"
    name = f"{study.name}: {arm.label}"
    job = jobs.enqueue(session, actor, study.project_id, JobKind.EVALUATE, spec, name=name, request_key=key)
    session.flush()
    arm.evaluate_job_id = job.id
    own = {other.train_job_id for other in study.arms}
    behind = next((waiting.id for waiting in queue.list_waiting(session) if waiting.id in own), None)
    if behind is not None and job.status is JobStatus.QUEUED:
        queue.move(session, actor, job.id, before=behind)
    return job


def adopt(session: Session, arm: StudyArm) -> int:
    """Enter the adapter that the arm's finished training made. Raises LookupError when it made none."""
    made = jobs.get_job(session, arm.train_job_id).result.get("adapter_id")
    if made is None:
        raise LookupError(f"Job {arm.train_job_id} has finished without an adapter.")
    arm.adapter_id = made
    return made


def _towards_adapter(session: Session, arm: StudyArm) -> tuple:
    """(step, trouble, job) of an arm that is to be tuned."""
    if arm.dataset_version_id is None:
        return (Step.DRAW,)
    if arm.train_job_id is None:
        return (Step.TRAIN,)
    job = jobs.get_job(session, arm.train_job_id)
    if job.status.is_open or jobs.goes_on(job):
        return Step.TRAINING, "", job
    if job.status is JobStatus.FINISHED:
        return (Step.ADOPT,)
    return Step.FAILED, _how_ended(job, "training")


def _towards_merge(arm: StudyArm, before: Sequence[Standing]) -> tuple:
    experts = [before[position] for position in plan_of(arm).merges]
    failed = [expert.label for expert in experts if expert.step is Step.FAILED]
    if failed:
        return Step.FAILED, f"There is no adapter to merge of {' and '.join(failed)}."
    ready = all(expert.step in (Step.EVALUATE, Step.EVALUATING, Step.DONE) for expert in experts)
    return (Step.MERGE if ready else Step.EXPERTS,)


def _how_ended(job: Job, what: str) -> str:
    if job.status is JobStatus.CANCELLED:
        return f"Its {what}, job {job.id}, was cancelled."
    said = job.error or "The log has the details."
    return (
        f"Its {what}, job {job.id}, {'failed' if job.status is JobStatus.FAILED else 'stopped early'}: {said}"
    )
