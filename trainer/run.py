"""The child's main: carry out one attempt at one job and record how it ended.

Known trouble (ValueError, LookupError) already is a sentence for people; anything else leaves its traceback
in the log. When the whole process dies, the worker says so instead.
"""

import importlib
import logging
import os
import signal
import sys
import time

from db import jobs
from db.enums import JobKind, JobStatus
from db.jobs import FencedError
from db.session import connect, write
from db.settings import Settings
from trainer import errors
from trainer.context import Cancelled, JobContext

logger = logging.getLogger("trainer")


JOBS = {
    JobKind.TRAIN: "trainer.jobs.train",
    JobKind.DATA_REPORT: "trainer.jobs.data_report",
    JobKind.GENERATE: "trainer.jobs.generate",
    JobKind.CONVERT: "trainer.jobs.convert",
    JobKind.EXPORT: "trainer.jobs.export",
    JobKind.EVALUATE: "trainer.jobs.evaluate",
    JobKind.TRAIN_ENCODER: "trainer.jobs.train_encoder",
    JobKind.JUDGE: "trainer.jobs.judge",
    JobKind.STUDY: "trainer.jobs.study",
    JobKind.COMPARE: "trainer.jobs.compare",
}


def main(settings: Settings, job_id: int, attempt: int) -> int:
    """Run the job; returns the exit code: 0 ended as wished, 1 failed, 3 not ours any more."""
    _set_up_log()
    connect(settings.url)
    try:
        context = JobContext(settings, job_id, attempt)
    except FencedError as error:
        logger.error("%s", error)
        return 3
    except ValueError as error:  # a spec this version cannot read
        logger.error("%s", error)
        with write() as s:
            jobs.close(s, job_id, attempt, JobStatus.FAILED, error=str(error), exit_code=1)
        return 1
    context.log(f"job {job_id} {context.name!r}, attempt {attempt}")
    pid = os.getpid()
    signal.signal(signal.SIGTERM, lambda *_: _leave(context, pid))
    return carry_out(context)


def carry_out(context: JobContext) -> int:
    """Call the job's `run(context)`, which ends by `context.finish`, and record any other end."""
    try:
        importlib.import_module(JOBS[context.kind]).run(context)
        return 0
    except FencedError as error:
        logger.error("%s", error)
        return 3
    except Cancelled:
        _end_early(context)
        return 0
    except Exception as error:
        if errors.is_sentence(error):
            logger.error("%s", error)
        else:
            logger.exception("unexpected error")
        if os.environ.get("WORLD_SIZE", "1") != "1" and errors.blames_another(error):
            context.fall_silent()  # how that one ended, the worker is told by the launcher
            return 1
        context.fail(errors.explain(error, context.spec))
    return 1


def _leave(context: JobContext, pid: int) -> None:
    """On TERM: stop at the next step and save. A second TERM ends the process at once, and so does the first
    in a process forked from this one: what reads ahead, say."""
    signal.signal(signal.SIGTERM, signal.SIG_DFL)
    if os.getpid() == pid:
        context.interrupt()
    else:
        os.kill(os.getpid(), signal.SIGTERM)


def _end_early(context: JobContext) -> None:
    """Cancelled by a person, or interrupted by the machine (a shutdown, a Slurm preemption)."""
    if context.interrupted and not context.is_cancelled():
        context.log("interrupted")
        reason = "The machine asked the run to stop; resume to go on from what was kept last."
        context.fail(reason, JobStatus.INTERRUPTED, exit_code=0)
    else:
        context.log("cancelled")
        context.fail("", JobStatus.CANCELLED, exit_code=0)


def _set_up_log() -> None:
    logging.Formatter.converter = time.gmtime
    logging.basicConfig(
        stream=sys.stdout, level=logging.INFO, format="%(asctime)sZ %(message)s", datefmt="%Y-%m-%dT%H:%M:%S"
    )
    for chatty in ("httpx", "httpx2", "openai", "huggingface_hub", "transformers", "peft", "accelerate"):
        logging.getLogger(chatty).setLevel(logging.ERROR)
