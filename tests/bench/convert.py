"""Corpora into instructions at the size of the paper: 200,252 rows of invented words, in all its forms.

The files are written first and not timed. Then a job converts, checks and stores them in a fresh database,
carried out by the studio's own worker as it would be anywhere: once at a quarter of the size and once in
full, so that `growth` tells whether a row costs more when there are more of them (1.0: it does not). What it
stored is counted afterwards. Memory is sampled five times a second, all processes of the job together.

Where the real corpora are (see tests/corpora.py), each of their rows is also written in each output form that
can carry it and read back by the form's inverse parser: `roundtrip_f1_min` is the lowest F1 of any of them.
"""

import json
import os
import subprocess
import sys
import tempfile
import threading
import time
from argparse import ArgumentParser
from dataclasses import dataclass
from pathlib import Path

import psutil
from sqlalchemy import func, select

from db import conversions, migrate, users
from db.convert_spec import ConvertSpec
from db.corpora import paper, presets
from db.corpora.files import keep
from db.enums import JobStatus
from db.session import connect, read, write
from db.settings import REPOSITORY, Settings
from db.tables import ConvertedRow, Job, Project, Revision
from tests.invented_corpora import write_paper
from tests.roundtrip import round_trips

SAMPLE = 0.2  # seconds


@dataclass(frozen=True)
class Took:
    rows: int
    seconds: float  # from the claim of the job to its end
    peak_mb: float
    stored: int
    totals: dict[str, int]

    @property
    def a_row(self) -> float:
        return self.seconds / self.rows


class Peak(threading.Thread):
    """The most memory that a process and all its children held together, in bytes.

    `is_own` leaves out what they share with others: files read in place, which SQLite does with its own.
    """

    def __init__(self, pid: int, *, is_own: bool = False) -> None:
        super().__init__(daemon=True)
        self._is_own = is_own
        self._process, self._ended, self.bytes = psutil.Process(pid), threading.Event(), 0

    def run(self) -> None:
        while not self._ended.wait(SAMPLE):
            try:
                family = [self._process, *self._process.children(recursive=True)]
                self.bytes = max(self.bytes, sum(_resident(each, is_own=self._is_own) for each in family))
            except psutil.NoSuchProcess:
                return

    def stop(self) -> float:
        """Megabytes."""
        self._ended.set()
        self.join()
        return self.bytes / 1e6


def _resident(process: psutil.Process, *, is_own: bool) -> int:
    try:
        held = process.memory_info()
        return held.rss - held.shared if is_own else held.rss
    except psutil.NoSuchProcess:
        return 0


def convert(folder: Path, share: float) -> Took:
    """Write the files, queue the job, and let a worker of its own carry it out. Raises RuntimeError."""
    settings = Settings(data_dir=folder / "data")
    settings.make_folders()
    files = write_paper(folder, share=share)
    sources = tuple(
        paper.source(preset, keep(settings.data_dir, files[preset.name])) for preset in presets.composition()
    )
    engine = connect(settings.url)
    migrate.upgrade(engine)
    with write() as s:
        project = Project(name="Paper")
        s.add(project)
        s.flush()
        job = conversions.start(s, users.studio_account(s), project.id, ConvertSpec(sources, paper.mixture()))
    environment = {**os.environ, **settings.environment()}
    command = [sys.executable, "-m", "trainer", "worker", "--once"]
    with (folder / "worker.log").open("w") as log:
        worker = subprocess.Popen(command, cwd=REPOSITORY, env=environment, stdout=log, stderr=log)
        peak = Peak(worker.pid)
        peak.start()
        _watch(worker, job.id)
        megabytes = peak.stop()
    took = _took(job.id, megabytes)
    engine.dispose()
    return took


def _watch(worker: subprocess.Popen, job_id: int) -> None:
    """Tell how far it is, until the worker leaves."""
    while worker.poll() is None:
        time.sleep(2)
        with read() as s:
            job = s.get_one(Job, job_id)
            if job.total_steps:
                print(f"\r{job.phase}: {job.step:,} of {job.total_steps:,}  ", end="", file=sys.stderr)
    print(file=sys.stderr)


def _took(job_id: int, megabytes: float) -> Took:
    with read() as s:
        job = s.get_one(Job, job_id)
        if job.status is not JobStatus.FINISHED:
            raise RuntimeError(f"the conversion is {job.status}: {job.error}")
        seconds = (job.finished_at - job.started_at).total_seconds()
        rows = job.result["rows_read"]
        stored = s.scalar(select(func.count()).select_from(ConvertedRow))
        if stored != s.scalar(select(func.count()).select_from(Revision)):
            raise RuntimeError("the records and their first revisions are not as many")
        return Took(rows, seconds, megabytes, stored, job.result["totals"])


def main(argv: list[str]) -> None:
    parser = ArgumentParser(prog="python -m tests.bench convert")
    parser.add_argument("--share", type=float, default=1.0, help="of the paper's rows, such as 0.1")
    parser.add_argument("--no-roundtrip", action="store_true", help="leave the real corpora out")
    options = parser.parse_args(argv)
    with tempfile.TemporaryDirectory() as name:
        quarter, full = Path(name, "quarter"), Path(name, "full")
        for folder in (quarter, full):
            folder.mkdir()
        small = convert(quarter, options.share / 4)
        took = convert(full, options.share)
    for each in (small, took):
        print(f"{each.rows:,} rows: {each.seconds:.0f} s, {each.peak_mb:.0f} MB, {each.totals}")
    trips = [] if options.no_roundtrip else list(round_trips())
    for each in trips:
        print(
            f"{each.file} as {each.form}: {each.written:,} rows, {each.refused:,} not carried, F1 {each.f1}"
        )
    figures = {
        "convert_s": round(took.seconds, 1),
        "peak_mb": round(took.peak_mb),
        "growth": round(took.a_row / small.a_row, 2),
        "rows": took.rows,
        "of": presets.ROWS,
        "stored": took.stored,
        "roundtrip_f1_min": min((each.f1 for each in trips), default=None),
    }
    print(json.dumps(figures))
