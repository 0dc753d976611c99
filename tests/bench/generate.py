"""A generation run against a scripted endpoint: does it keep pace, and what do three kills cost?

The endpoint is a process of its own with 50 ms latency, of whose replies 8 % are faulty (cut off, malformed,
429, 500). A real worker starts the job's process, which is killed with SIGKILL at even distances to the
target, and resumed. The seeds are the studio's 80; the rows are invented, and pass the default funnel.

The endpoint runs on the same processors as the run, and needs more than its latency for a reply. So a client
that does nothing but send requests and throw replies away (`tests.bare_load`), with as many connections and
requests of the same size, measures what it delivers at this moment, before the run, at each kill while no
process of the run lives, and after it: `endpoint_per_s` is the mean of those. Between two such measurements
their mean is the ideal pace.
`generate_efficiency`: of the completions that the endpoint could have delivered at that pace, the share that
it was asked for. Counted from the first request of each process to its last; `start_s` is what the starts in
between took, and `wall_efficiency` counts them in.
`of_nominal`: the share of what pure latency would allow, one completion every 50 ms in each place.
`repeated_calls`: calls asked for again although the endpoint had delivered a completion for them.
`lost_rows`: records in completions delivered to a process that stored neither them nor, killed in that
moment, that the call may have been paid; and kept records without an instruction.
`written_off`: calls under way at a kill, as the books have them: perhaps paid, never repeated.
"""

import contextlib
import json
import os
import signal
import subprocess
import sys
import tempfile
import time
from argparse import ArgumentParser
from collections import Counter
from collections.abc import Callable
from dataclasses import replace
from itertools import pairwise
from pathlib import Path

import httpx
import psutil
from sqlalchemy import func, select

from db import endpoints, generation_runs, jobs, migrate, samples, users
from db.endpoints import Offer
from db.enums import CallState, JobStatus, Role
from db.generate_spec import GenerateSpec
from db.generating import replies
from db.session import connect, read, write
from db.settings import REPOSITORY, Settings
from db.tables import Candidate, GenerationCall, Instruction, Project
from tests import bare_load
from trainer.worker import Worker

ROWS, KILLS, LATENCY, FAULTS = 25_005, 3, 0.05, 0.08
CONCURRENCY, PER_CALL = 4, 5
BARE_SECONDS = 3.0


def main(argv: list[str]) -> None:
    parser = ArgumentParser(prog="python -m tests.bench generate")
    parser.add_argument("--rows", type=int, default=ROWS)
    parser.add_argument("--kills", type=int, default=KILLS)
    parser.add_argument("--concurrency", type=int, default=CONCURRENCY)
    parser.add_argument("--per-call", type=int, default=PER_CALL)
    given = parser.parse_args(argv)
    figures = measure(given.rows, given.kills, given.concurrency, given.per_call)
    for name, value in figures.items():
        print(f"{name:<22} {value:>12,}")
    print(json.dumps(figures))


def measure(rows: int, kills: int, concurrency: int, per_call: int) -> dict[str, float]:
    with tempfile.TemporaryDirectory(prefix="studio-generate-") as folder:
        settings = Settings(data_dir=Path(folder) / "data")
        settings.make_folders()
        engine = connect(settings.url)
        migrate.upgrade(engine)
        served_by, url = _start_endpoint(per_call)
        try:
            job_id = _queue(url, rows, concurrency, per_call)
            ideal = _Ideal(url, concurrency)
            begun, busy = time.time(), ideal.seconds
            killed_at = _work(settings, job_id, rows, kills, ideal.measure)
            wall = time.time() - begun - (ideal.seconds - busy)
            ideal.measure()
            log = httpx.get(url.replace("/v1", "/log"), timeout=60).json()
        finally:
            served_by.terminate()
            served_by.wait()
        log = [one for one in log if not one["key"].startswith(bare_load.PREFIX)]
        figures = {**_pace(log, killed_at, wall, concurrency, ideal.paces), **_books(job_id, log)}
        engine.dispose()
        return figures


class _Ideal:
    """What the endpoint delivers to a client that does nothing else, each time it is measured."""

    def __init__(self, url: str, concurrency: int) -> None:
        self._command = (url, "--places", concurrency, "--seconds", BARE_SECONDS)
        self.paces: list[float] = []  # completions a second
        self.seconds = 0.0  # that measuring took
        self.measure()

    def measure(self) -> None:
        began = time.time()
        command = [sys.executable, "-m", "tests.bare_load", *map(str, self._command)]
        done = subprocess.run(command, cwd=REPOSITORY, capture_output=True, text=True, check=True)
        self.paces.append(float(done.stdout))
        self.seconds += time.time() - began


def _start_endpoint(per_call: int) -> tuple[subprocess.Popen, str]:
    options = ("--latency", LATENCY, "--faults", FAULTS, "--per-call", per_call)
    process = subprocess.Popen(
        [sys.executable, "-m", "tests.scripted_endpoint", *map(str, options)],
        cwd=REPOSITORY,
        stdout=subprocess.PIPE,
        text=True,
    )
    return process, process.stdout.readline().strip()


def _queue(url: str, rows: int, concurrency: int, per_call: int) -> int:
    with write() as s:
        samples.load(s)
        project_id = s.scalar(select(Project.id))
        actor = users.studio_account(s)
        admin = replace(actor, roles=actor.roles | {Role.ADMIN})
        offer = Offer("scripted", url, "scripted", concurrency=concurrency, price_in=1.0, price_out=2.0)
        endpoint = endpoints.add(s, admin, offer, private=True)
        spec = GenerateSpec(endpoint_id=endpoint.id, target=rows, per_call=per_call)
        return generation_runs.start(s, actor, project_id, spec, name="benchmark").id


def _work(settings: Settings, job_id: int, rows: int, kills: int, between: Callable[[], None]) -> list[float]:
    """Work until the run has finished, killing its process on the way; when it was killed.

    `between` is called after each kill, while no process of the run lives.
    """
    worker, killed_at = Worker(settings), []
    while True:
        worker.loop(time.monotonic())
        with read() as s:
            job, kept = jobs.get_job(s, job_id), generation_runs.count_kept(s, job_id)
        if job.status is JobStatus.FINISHED:
            worker.shutdown()
            return killed_at
        child = worker.children.get("factory")  # stays there until nothing that it started is left
        if job.status is JobStatus.RUNNING and len(killed_at) < kills and child:
            if kept >= rows * (len(killed_at) + 1) / (kills + 1) and child.exit_code() is None:
                _kill(child.pid)
                killed_at.append(time.time())
                print(f"killed at {kept:,} rows", flush=True)
        elif not job.status.is_open:
            if not killed_at or "killed" not in job.error:
                raise RuntimeError(f"the run is {job.status}: {job.error}")
            between()
            with write() as s:
                generation_runs.resume(s, users.studio_account(s), job_id)
        time.sleep(0.2)


def _kill(pid: int) -> None:
    """Kill, and wait until it is dead: a zombie, or gone already."""
    process = psutil.Process(pid)
    process.send_signal(signal.SIGKILL)
    with contextlib.suppress(psutil.NoSuchProcess):
        while process.status() != psutil.STATUS_ZOMBIE:
            time.sleep(0.01)


def _pace(
    log: list[dict], killed_at: list[float], wall: float, concurrency: int, paces: list[float]
) -> dict[str, float]:
    """`paces`: what the endpoint delivered before the run, after each kill, and after the run."""
    windows = [
        [one for one in log if low <= one["began"] < high]
        for low, high in zip([0.0, *killed_at], [*killed_at, float("inf")], strict=True)
    ]
    lasted = [max(one["ended"] for one in some) - some[0]["began"] if some else 0.0 for some in windows]
    ideals = [(before + after) / 2 for before, after in pairwise(paces)]
    asking = sum(lasted)
    possible = sum(seconds * ideal for seconds, ideal in zip(lasted, ideals, strict=True))
    completed = sum(one["status"] == 200 for one in log)
    return {
        "generate_efficiency": round(completed / possible, 3),
        "of_nominal": round(completed * LATENCY / (concurrency * asking), 3),
        "wall_efficiency": round(completed / (possible / asking * wall), 3),
        "completions_per_s": round(completed / asking, 1),
        "endpoint_per_s": round(sum(paces) / len(paces), 1),
        "load_1min": round(os.getloadavg()[0], 1),
        "asking_s": round(asking, 1),
        "start_s": round((wall - asking) / (len(killed_at) + 1), 1),
        "requests": len(log),
        "faulty": sum(one["act"] != "good" for one in log),
    }


def _books(job_id: int, log: list[dict]) -> dict[str, float]:
    """What the database says, against what the endpoint did."""
    delivered = Counter(one["key"] for one in log if one["delivered"])
    with read() as s:
        key = generation_runs.get_run(s, job_id).key
        calls = {f"{key}-{call.number}": call for call in s.scalars(select(GenerationCall))}
        stored = dict(
            map(tuple, s.execute(select(Candidate.call_id, func.count()).group_by(Candidate.call_id)))
        )
        linked = select(func.count(Instruction.id)).join(
            Candidate, Candidate.instruction_id == Instruction.id
        )
        kept = generation_runs.count_kept(s, job_id)
        lost = kept - s.scalar(linked)
        totals = generation_runs.totals(s, job_id)
    for call_key in delivered:
        call = calls.get(call_key)
        if call is None or call.state in (CallState.ASKED, CallState.FAILED):
            lost += PER_CALL
        elif call.state is CallState.ANSWERED:
            reply = replies.read(call.reply, finish_reason=call.finish_reason)
            lost += len(reply.items) + len(reply.faults) - stored.get(call.id, 0)
    return {
        "kept": kept,
        "repeated_calls": sum(count - 1 for count in delivered.values()),
        "lost_rows": lost,
        "written_off": totals.lost,
    }


if __name__ == "__main__":
    main(sys.argv[1:])
