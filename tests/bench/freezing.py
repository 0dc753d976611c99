"""Freezing at the size of the paper: 200,252 converted rows chosen, compared, grouped, split and stored.

The rows are those of `tests.bench.convert`: written, converted and stored by the studio's own worker, then
approved by one statement, since reviewing is not what is measured here. A version is planned by the very
function that the page and the shell call, against an evaluation set that holds some of the rows' texts, and
frozen; a hundredth of the rows comes under other terms and it is frozen again; the two are compared.

Grouping is exact at this size as at any: `db.splitting` finds each pair above the bound. Seconds are of the
clock; those of the processor tell more on a machine that has other work. Memory is the process's own.
`--data` goes on with a studio that is there.
"""

import json
import os
import random
import tempfile
import time
from argparse import ArgumentParser
from contextlib import contextmanager
from pathlib import Path

from sqlalchemy import func, select, update

from db import datasets, users, version_diff
from db.checks.contamination import EvaluationSet, Probe
from db.enums import InstructionStatus
from db.freezing import Contaminated, Plan, Screening, plan_version
from db.policy import Actor
from db.recipes import Recipe
from db.session import connect, read, write
from db.settings import Settings
from db.tables import Instruction, PrivacyFlag
from db.tables.base import utc_now
from tests.bench import convert

PROBES = 1_273  # as many as MedQA's test split has questions
EDITED = 100  # one row in so many has other terms in the second version
PROJECT = 1


class Took:
    """Seconds of the clock and of the processor, by phase, in the order of the work."""

    def __init__(self) -> None:
        self.clock: dict[str, float] = {}
        self.processor: dict[str, float] = {}
        self._now = ("", time.perf_counter(), time.process_time())

    def begin(self, phase: str) -> None:
        before, clock, processor = self._now
        if phase != before:
            self._now = (phase, time.perf_counter(), time.process_time())
            self.clock[before] = self.clock.get(before, 0.0) + self._now[1] - clock
            self.processor[before] = self.processor.get(before, 0.0) + self._now[2] - processor

    @contextmanager
    def __call__(self, phase: str):
        self.begin(phase)
        yield
        self.begin("")

    def tell(self, phase: str, done: int, total: int) -> None:
        self.begin(phase)


def approve(session) -> None:
    """All records as they are; what the pre-screen flagged is cleared."""
    known = {"status": InstructionStatus.APPROVED, "approved_version": Instruction.version}
    session.execute(update(Instruction).values(**known))
    session.execute(update(PrivacyFlag).values(cleared_at=utc_now(), cleared_reason="invented"))


def edit(session) -> None:
    """Other terms for one record of a hundred."""
    session.execute(update(Instruction).where(Instruction.id % EDITED == 0).values(licence="CC0-1.0"))


def evaluation_set(session) -> EvaluationSet:
    """Questions of invented words, one in ten of them a prompt that some row has."""
    draw = random.Random(7)
    last = session.scalar(select(func.max(Instruction.id)))
    ids = draw.sample(range(1, last + 1), PROBES)
    rows = session.execute(
        select(Instruction.instruction, Instruction.input).where(Instruction.id.in_(ids))
    ).all()
    probes = []
    for at, (instruction, input) in enumerate(rows):
        words = input.split()
        if at % 10:
            draw.shuffle(words)
        probes.append(Probe("" if at % 10 else instruction, " ".join(words)))
    return EvaluationSet("exam", tuple(probes))


def plan(took: Took, screening: Screening | None = None) -> Plan:
    with read() as s:
        found = plan_version(s, PROJECT, Recipe(), screening, tell=took.tell)
    took.begin("")
    return found


def freeze(took: Took, actor: Actor, planned: Plan) -> int:
    with took("storing"), write() as s:
        known = datasets.list_datasets(s, PROJECT)
        dataset = known[0] if known else datasets.create_dataset(s, actor, PROJECT, name="Paper")
        s.flush()
        return datasets.freeze(s, actor, dataset.id, Recipe(), plan=planned).id


def measure(folder: Path) -> dict:
    """Freeze what the studio in `folder` holds; the figures."""
    connect(Settings(data_dir=folder / "data").url)
    with write() as s:
        approve(s)
        actor = users.studio_account(s)
    took = Took()
    peak = convert.Peak(os.getpid(), is_own=True)
    peak.start()
    with read() as s:
        screening = Screening((evaluation_set(s),), Contaminated.WAIVE, "measured, not trained on")
    first = freeze(took, actor, plan(took, screening))
    again = Took()
    with write() as s:
        edit(s)
    planned = plan(again)
    groups, rows = planned.report["groups"], len(planned.rows)
    second = freeze(again, actor, planned)
    del planned
    comparing = Took()
    with comparing("comparing two versions"), read() as s:
        diff = version_diff.compare_versions(s, first, second)
        version_diff.read_changes(s, diff, diff.page())
    megabytes = peak.stop()
    for phase, seconds in (took.clock | comparing.clock).items():
        spent = (took.processor | comparing.processor)[phase]
        if phase:
            print(f"{phase:<40} {seconds:8.1f} s {spent:8.1f} s of the processor")
    return {
        "rows": rows,
        "freeze_s": round(_sum(again.clock), 1),
        "freeze_cpu_s": round(_sum(again.processor), 1),
        "decontaminate_s": round(took.clock["comparing with the evaluation sets"], 1),
        "decontaminate_cpu_s": round(took.processor["comparing with the evaluation sets"], 1),
        "group_cpu_s": round(again.processor["grouping near copies"], 1),
        "diff_s": round(comparing.clock["comparing two versions"], 1),
        "changed": len(diff.changes),
        "peak_mb": round(megabytes),
        "groups": groups["groups"],
        "largest_group": groups["largest"],
        "straddling": groups["straddling"],
        "contaminated": _contaminated(first),
    }


def _sum(seconds: dict[str, float]) -> float:
    return sum(spent for phase, spent in seconds.items() if phase)


def _contaminated(version_id: int) -> int:
    with read() as s:
        return datasets.get_version(s, version_id).report["contamination"]["rows"]


def main(argv: list[str]) -> None:
    parser = ArgumentParser(prog="python -m tests.bench freezing")
    parser.add_argument("--share", type=float, default=1.0, help="of the paper's rows, such as 0.1")
    parser.add_argument("--data", type=Path, help="a studio of `tests.bench.convert` to go on with")
    options = parser.parse_args(argv)
    with tempfile.TemporaryDirectory() as name:
        folder = options.data or Path(name)
        if not (folder / "data").exists():
            took = convert.convert(folder, options.share)
            print(f"{took.stored:,} rows converted in {took.seconds:.0f} s, not timed below")
        print(json.dumps(measure(folder)))
