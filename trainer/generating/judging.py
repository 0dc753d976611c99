"""The judge: reads replies, passes their records through the funnel and stores them, in a process of its own.

Comparing a record with everything kept takes the processor, and so does storing it; in a process of its own
both leave the loop that asks free to answer at once. The process ends when its pipe does, however the one
that started it died; what it still writes then is refused once a later attempt owns the job.
"""

import multiprocessing
import os
import traceback
from collections.abc import Sequence
from dataclasses import dataclass
from functools import partial
from multiprocessing.connection import Connection
from typing import Any

from sqlalchemy.orm import Session

from db import freezing, jobs
from db import generation_calls as calls
from db.generating import profiles, replies
from db.generating.funnel import Funnel, Stage, Verdict
from db.generating.prompts import Mode
from db.generating.replies import Fault, Item
from db.generation_calls import Judged, JudgedCall
from db.jobs import FencedError
from db.projects import get_project
from db.session import connect, read
from trainer.generating.ledger import write_owned

STORED = 8  # replies stored in one transaction: a call about to leave waits no longer than that for its line
YIELDING = 19  # how much the judge gives way: asking first; it catches up while replies are under way


@dataclass(frozen=True)
class ToJudge:
    """A reply as it came. `fixed`: the fields that the request gave; `parent_id`: what it was grown from."""

    call_id: int
    reply: str
    finish_reason: str
    fixed: dict[str, str]
    parent_id: int | None = None


@dataclass(frozen=True)
class Bench:
    """What the judge needs to begin: where the database is, whose run it is, and by which rules to judge."""

    url: str
    job_id: int
    attempt: int
    project_id: int
    mode: Mode
    profile: dict[str, Any]  # as `profiles.Profile.record` gives it
    against: tuple[int, ...] = ()  # frozen versions whose texts no record may hold


class Funnelled:
    """Replies through one funnel, in the order they are given."""

    def __init__(self, bench: Bench) -> None:
        self._from_passage = bench.mode is Mode.FROM_PASSAGE
        # A child may keep its parent's input: then the instructions alone are compared.
        self._shares_input = bench.mode in (Mode.FROM_PASSAGE, Mode.EVOLVE)
        with read() as s:
            self._funnel = Funnel(
                s,
                get_project(s, bench.project_id),
                profiles.from_record(bench.profile),
                [freezing.evaluation_set(s, version_id) for version_id in bench.against],
                # Another answer to a stored question is a near copy of it on purpose.
                against_stored=bench.mode is not Mode.ANSWER_ONLY,
            )

    def call(self, one: ToJudge) -> JudgedCall:
        """What could be read of a reply with its verdicts, and then what could not."""
        reply = replies.read(one.reply, finish_reason=one.finish_reason, fixed=one.fixed)
        verdicts = self._funnel.judge(
            reply.items, from_passage=self._from_passage, shares_input=self._shares_input
        )
        read_ = [_judged(item, verdict, one) for item, verdict in zip(reply.items, verdicts, strict=True)]
        return JudgedCall(one.call_id, (*read_, *map(_unread, reply.faults)))


class Shelf:
    """Stores what was judged. It knows which records the funnel kept before, to name a copy's original."""

    def __init__(self, bench: Bench) -> None:
        self._job_id, self._attempt = bench.job_id, bench.attempt
        self._kept_ids: list[int] = []  # in the order in which this process kept them

    def store(self, judged: Sequence[JudgedCall]) -> None:
        """In one transaction. Raises FencedError once a later attempt owns the job."""
        change = partial(self._store, judged=judged)
        self._kept_ids += write_owned(self._job_id, self._attempt, change)

    def _store(self, session: Session, judged: Sequence[JudgedCall]) -> list[int]:
        return calls.store_judged(session, jobs.get_job(session, self._job_id), judged, self._kept_ids)


class Judge:
    """A judge's process; use it as a context manager. `judge` blocks: call it in a thread."""

    def __init__(self, bench: Bench) -> None:
        self._bench = bench

    def __enter__(self) -> "Judge":
        spawn = multiprocessing.get_context("spawn")  # a fork would share threads' locks and the database
        self._pipe, theirs = spawn.Pipe()
        self._process = spawn.Process(target=_serve, args=(theirs, self._bench), name="judge", daemon=True)
        self._process.start()
        theirs.close()
        self._receive()  # ready, or what is wrong
        return self

    def __exit__(self, *_exception) -> None:
        self._pipe.close()
        self._process.join(10)
        if self._process.is_alive():
            self._process.kill()

    def judge(self, some: list[ToJudge]) -> list[int]:
        """Judge and store; how many records of each reply were kept, in order.

        Raises FencedError once a later attempt owns the job, ValueError, or what went wrong.
        """
        self._pipe.send(some)
        return self._receive()

    def _receive(self):
        try:
            given = self._pipe.recv()
        except EOFError as error:
            raise RuntimeError("the judge's process died; memory may have run out") from error
        if isinstance(given, Exception):
            raise given
        return given


def _serve(pipe: Connection, bench: Bench) -> None:
    """The process: judge what comes until the pipe ends."""
    os.nice(YIELDING)
    try:
        connect(bench.url)
        funnelled, shelf = Funnelled(bench), Shelf(bench)
        pipe.send(None)
        while True:
            some, kept = pipe.recv(), []
            for begin in range(0, len(some), STORED):  # others write while the next ones are judged
                judged = [funnelled.call(one) for one in some[begin : begin + STORED]]
                shelf.store(judged)
                kept += [call.kept for call in judged]
            pipe.send(kept)
    except EOFError:
        return
    except Exception as error:  # told to the job, which records it
        if not isinstance(error, ValueError | FencedError):
            traceback.print_exc()
            error = RuntimeError(f"the judge failed ({type(error).__name__})")
        pipe.send(error)


def _judged(item: Item, verdict: Verdict, one: ToJudge) -> Judged:
    detail = {**verdict.record(), **({"mends": list(item.mends)} if item.mends else {})}
    for name in ("stage", "reason"):
        detail.pop(name, None)
    return Judged(item.content, verdict.stage, verdict.reason, detail, verdict.flags, one.parent_id)


def _unread(fault: Fault) -> Judged:
    detail = {"detail": fault.sentence, "start": fault.start, "end": fault.end}
    return Judged(None, Stage.PARSED, fault.kind, detail)
