"""What people do to a study: stop it, let it go on, take it out of the list."""

from sqlalchemy.orm import Session

from db import audit, jobs
from db.enums import JobStatus, StopMode
from db.policy import Actor, Right, require
from db.studies import RIGHTS, list_own_jobs
from db.study_steps import Step, is_open, standings
from db.tables import Job, Study
from db.tables.base import utc_now


def cancel(session: Session, actor: Actor, study: Study, mode: StopMode = StopMode.SAVE) -> int:
    """Stop the study and its own open runs; returns how many runs. Raises ValueError where all is closed."""
    require(actor, Right.EVALUATE)
    stopped = stop_runs(session, actor, study, mode)
    job = jobs.get_job(session, study.job_id)
    if job.status.is_open or jobs.goes_on(job):
        jobs.request_cancel(session, actor, job.id, mode)
    elif not stopped:
        raise ValueError(f"study: it is already {job.status}; there is nothing to cancel.")
    return stopped


def stop_runs(session: Session, actor: Actor, study: Study, mode: StopMode = StopMode.SAVE) -> int:
    """Ask the study's own open runs to stop; returns how many there were."""
    wanted = [job for job in list_own_jobs(session, study) if job.status.is_open or jobs.goes_on(job)]
    for job in wanted:
        jobs.request_cancel(session, actor, job.id, mode)
    return len(wanted)


def can_resume(session: Session, study: Study) -> bool:
    """True for a closed study with an arm that is not measured."""
    if is_open(session, study):
        return False
    return any(one.step is not Step.DONE for one in standings(session, study))


def resume(session: Session, actor: Actor, study: Study) -> Job:
    """Put a study that stopped early, or lacks something, back in the queue; failed runs are tried again.

    Raises ValueError while it is open, or when nothing is left to do.
    """
    for right in RIGHTS:
        require(actor, right)
    if not can_resume(session, study):
        raise ValueError("study: it is open, or every arm of it is measured; there is nothing to resume.")
    job = jobs.requeue(session, actor, study.job_id, more_to_do=True)
    retry(session, actor, study)
    return job


def retry(session: Session, actor: Actor, study: Study) -> None:
    """Forget what failed; a training or evaluation that stopped early goes back in the queue."""
    for arm, one in zip(study.arms, standings(session, study), strict=True):
        if one.step is not Step.FAILED:
            continue
        arm.error = ""
        for name in ("train_job_id", "evaluate_job_id"):
            job = jobs.get_job(session, id) if (id := getattr(arm, name)) else None
            if job is None or job.status.is_open:
                continue
            if job.status is not JobStatus.FINISHED:
                jobs.requeue(session, actor, job.id)
            elif name == "evaluate_job_id":
                arm.evaluate_job_id = None  # its scores were removed: they are asked for anew


def remove(session: Session, actor: Actor, study: Study) -> None:
    """Take a closed study out of the list. Its adapters, versions and evaluations stay where they are."""
    require(actor, Right.EVALUATE)
    job = jobs.get_job(session, study.job_id)
    if job.status.is_open or jobs.goes_on(job):
        raise ValueError(f"study: it is {job.status}; cancel it first.")
    study.deleted_at = utc_now()
    audit.record(session, actor, "deleted", study)


def put_back(session: Session, actor: Actor, study_id: int) -> Study:
    """Take a removed study into the list again. Raises LookupError."""
    require(actor, Right.EVALUATE)
    study = session.get(Study, study_id)
    if study is None:
        raise LookupError(f"There is no study number {study_id}.")
    study.deleted_at = None
    audit.record(session, actor, "restored", study)
    return study
