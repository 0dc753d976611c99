"""The judge: reads replies and passes their records through the funnel, in a process of its own.

Comparing a record with everything kept takes the processor; in a process of its own it leaves the loop that
asks free to answer at once. The process ends when its pipe does, however the one that started it died.
"""

import multiprocessing
import traceback
from dataclasses import dataclass
from multiprocessing.connection import Connection
from typing import Any

from db import freezing
from db.generating import profiles, replies
from db.generating.funnel import Funnel, Stage, Verdict
from db.generating.prompts import Mode
from db.generating.replies import Fault, Item
from db.generation_calls import Judged, JudgedCall
from db.projects import get_project
from db.session import connect, read


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
    """What the judge needs to begin: where the database is, and by which rules to judge."""

    url: str
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

    def judge(self, some: list[ToJudge]) -> list[JudgedCall]:
        """The records of each reply with their verdicts, in order. Raises ValueError, or what went wrong."""
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
    try:
        connect(bench.url)
        funnelled = Funnelled(bench)
        pipe.send(None)
        while True:
            pipe.send([funnelled.call(one) for one in pipe.recv()])
    except EOFError:
        return
    except Exception as error:  # told to the job, which records it
        if not isinstance(error, ValueError):
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
