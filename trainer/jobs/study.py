"""Lead a study: ask for the runs its arms need, merge experts, wait, say how far it is. Read from the top.

It keeps nothing of its own. Where each arm stands is worked out from the tables (db.study_steps), so a study
that is killed goes on where it was, and no run is asked for twice. An arm that fails is named, and the others
go on. No torch here but while experts are merged.
"""

import logging
import time

from db import jobs, studies, study_control, study_drawing, study_steps, users
from db.enums import StopMode
from db.policy import Actor, PolicyError
from db.session import read, write
from db.study_steps import CLOSED, WAITING, Standing, Step
from db.tables import Study, User
from trainer.context import Cancelled, JobContext

logger = logging.getLogger("trainer")

ROUND = 1.0  # seconds between two looks at the tables


def run(context: JobContext) -> None:
    """Lead the study to its end. Raises ValueError naming the arms that failed; Cancelled."""
    try:
        lead(context)
    except Cancelled:
        if context.is_cancelled():  # not where only this machine is to be left
            _stop_runs(context)
        raise
    _finish(context)


def lead(context: JobContext) -> None:
    """Go round until every arm is measured, or has failed."""
    if context.attempt > 1:
        _try_again(context)
    while True:
        context.require_wanted()
        with read() as s:
            found = study_steps.standings(s, studies.study_of(s, context.job_id))
        _tell(context, found)
        if all(one.step in CLOSED for one in found):
            return
        ready = [one for one in found if one.step not in WAITING | CLOSED]
        for one in ready:
            context.require_wanted()
            _act(context, one)
        if not ready:
            time.sleep(ROUND)


def _act(context: JobContext, one: Standing) -> None:
    """Take one arm one step on. What cannot be done fails that arm alone."""
    context.log(f"{one.label}: {one.step}")
    try:
        match one.step:
            case Step.DRAW:
                _draw(context, one)
            case Step.MERGE:
                _merge(context, one)
            case _:
                _ask(context, one)
    except jobs.FencedError:
        raise
    except (ValueError, LookupError, PolicyError) as error:
        logger.warning("%s: %s", one.label, error)
        with write() as s:
            jobs.require_owned(s, context.job_id, context.attempt)
            _arm(studies.study_of(s, context.job_id), one).error = str(error)


def _ask(context: JobContext, one: Standing) -> None:
    """Queue the run that an arm needs, or enter what its training made."""
    with write() as s:
        jobs.require_owned(s, context.job_id, context.attempt)
        study = studies.study_of(s, context.job_id)
        arm, actor = _arm(study, one), _actor(s, study)
        if one.step is Step.TRAIN:
            study_steps.queue_training(s, actor, study, arm)
        elif one.step is Step.ADOPT:
            study_steps.adopt(s, arm)
        else:
            study_steps.queue_evaluation(s, actor, study, arm, context.attempt)


def _draw(context: JobContext, one: Standing) -> None:
    """Freeze the arm's rows; they are chosen first, so that nobody waits for the database meanwhile."""
    with read() as s:
        study = studies.study_of(s, context.job_id)
        arm = _arm(study, one)
        same = study_drawing.same_draw(study, arm)
        rows = [] if same else study_drawing.draw(s, studies.spec_of(study), studies.plan_of(arm))
    with write() as s:
        jobs.require_owned(s, context.job_id, context.attempt)
        study = studies.study_of(s, context.job_id)
        if same:
            _arm(study, one).dataset_version_id = same
        else:
            study_drawing.freeze(s, _actor(s, study), study, _arm(study, one), rows)


def _merge(context: JobContext, one: Standing) -> None:
    from trainer.studying import merge  # loads torch, seconds

    with read() as s:
        study = studies.study_of(s, context.job_id)
        arm = _arm(study, one)
        experts = [studies.adapter_of(s, study.arms[at]) for at in studies.plan_of(arm).merges]
        base = experts[0].base_model
    found = merge.merge(context.settings, base, experts, context.spec, f"{study.name}: {arm.label}", study.id)
    with write() as s:
        jobs.require_owned(s, context.job_id, context.attempt)
        merge.register(s, studies.study_of(s, context.job_id), one.position, found, context.job_id)


def _try_again(context: JobContext) -> None:
    """What failed is tried again when a person lets the study go on, not when it goes on by itself."""
    with write() as s:
        jobs.require_owned(s, context.job_id, context.attempt)
        if jobs.get_job(s, context.job_id).resumed == 0:
            study = studies.study_of(s, context.job_id)
            study_control.retry(s, _actor(s, study), study)


def _stop_runs(context: JobContext) -> None:
    with write() as s:
        jobs.require_owned(s, context.job_id, context.attempt)
        study = studies.study_of(s, context.job_id)
        mode = context.stop_mode() or StopMode.SAVE
        context.log(f"stopped {study_control.stop_runs(s, _actor(s, study), study, mode)} of its runs")


def _tell(context: JobContext, found: list[Standing]) -> None:
    """The phase names what runs; the count is of runs, so that a person can reckon."""
    context.progress(study_steps.phase_of(found), *study_steps.count_runs(found))


def _finish(context: JobContext) -> None:
    with read() as s:
        found = study_steps.standings(s, studies.study_of(s, context.job_id))
    failed = [one for one in found if one.step is Step.FAILED]
    if failed:
        named = "; ".join(f"{one.label}: {one.trouble.rstrip('.')}" for one in failed[:3])
        raise ValueError(
            f"arms: {len(failed)} of {len(found)} failed ({named}). The figure shows the others; resume the "
            "study to try these again."
        )
    context.finish({"arms": len(found), "seconds": round(context.elapsed(), 1)})


def _arm(study: Study, one: Standing):
    return study.arms[one.position]


def _actor(session, study: Study) -> Actor:
    """Who made the study: its runs are theirs, with the rights they hold now."""
    return users.as_actor(session.get_one(User, study.created_by_id))
