"""The child's main: carry out one attempt at one job and record how it ended.

Known trouble (ValueError, LookupError) already is a sentence for people; anything else leaves its traceback
in the log. When the whole process dies, the worker says so instead.
"""

import errno
import importlib
import logging
import os
import re
import signal
import sys
import time

from db import jobs
from db.enums import JobKind, JobStatus
from db.jobs import FencedError
from db.session import connect, write
from db.settings import Settings
from trainer.context import Cancelled, JobContext

logger = logging.getLogger("trainer")

_FULL = (errno.ENOSPC, errno.EDQUOT, errno.EFBIG)

JOBS = {
    JobKind.TRAIN: "trainer.jobs.train",
    JobKind.DATA_REPORT: "trainer.jobs.data_report",
    JobKind.GENERATE: "trainer.jobs.generate",
    JobKind.CONVERT: "trainer.jobs.convert",
    JobKind.EXPORT: "trainer.jobs.export",
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
    except (ValueError, LookupError) as error:
        logger.error("%s", error, exc_info=not _is_sentence(error))
        context.fail(_sentence(error))
    except MemoryError:
        logger.exception("out of memory")
        context.fail("batch size: memory ran out; lower the batch size or the longest row, then resume.")
    except Exception as error:
        logger.exception("unexpected error")
        known = _out_of_memory(error) or _disk_full(error)
        context.fail(known or f"{_sentence(error)} The log has the details.")
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


def _is_sentence(error: Exception) -> bool:
    """Our ValueErrors begin with a field and a colon; a library's error wants its traceback logged."""
    if isinstance(error, ValueError):
        return re.match(r"[a-z][a-z ]{0,20}: ", str(error)) is not None
    return isinstance(error, LookupError) and not isinstance(error, KeyError | IndexError)


def _sentence(error: Exception) -> str:
    if _is_sentence(error):
        return str(error)
    first = str(error).strip().split("\n")[0][:300]
    return f"The run stopped on an unexpected error ({type(error).__name__}: {first})."


def _out_of_memory(error: Exception) -> str:
    if type(error).__name__ != "OutOfMemoryError" and "can't allocate memory" not in str(error):
        return ""
    return "batch size: the device's memory ran out; lower the batch size or the longest row, then resume."


def _disk_full(error: BaseException | None) -> str:
    """Libraries say it in words of their own, some with no number: the cause may tell, or the text."""
    while error is not None:
        told = str(error)
        if getattr(error, "errno", None) in _FULL or any(os.strerror(number) in told for number in _FULL):
            return "disk: it is full, or a quota is; make room and resume to go on from what was kept last."
        if "PytorchStreamWriter failed writing" in told:
            return "disk: it is full, or not to be written; make room and resume to go on from what was kept."
        error = error.__cause__ or error.__context__
    return ""


def _set_up_log() -> None:
    logging.Formatter.converter = time.gmtime
    logging.basicConfig(
        stream=sys.stdout, level=logging.INFO, format="%(asctime)sZ %(message)s", datefmt="%Y-%m-%dT%H:%M:%S"
    )
    for chatty in ("httpx", "httpx2", "openai", "huggingface_hub", "transformers", "peft", "accelerate"):
        logging.getLogger(chatty).setLevel(logging.ERROR)
