"""How long a run of 100,000 points takes to open: what the Train page's server reads and makes of it."""

import json
import statistics
import tempfile
import time
from pathlib import Path

from sqlalchemy import insert, select

from db import curves, jobs, migrate, users
from db.enums import JobKind
from db.session import connect, read, write
from db.tables import Metric, Project
from db.train_spec import TrainSpec

POINTS = 100_000  # of each metric
METRICS = ("loss", "learning_rate", "grad_norm", "tokens_per_second", "memory")
TIMES = 5


def main(argv: list[str]) -> None:
    print(json.dumps(measure()))


def measure() -> dict[str, float]:
    """{"open_run_s": median seconds}, every open on a fresh connection."""
    with tempfile.TemporaryDirectory(prefix="studio-open-") as folder:
        engine = connect(f"sqlite:///{Path(folder) / 'studio.db'}")
        migrate.upgrade(engine)
        job_id, seconds = _write_run(), []
        for _ in range(TIMES):
            engine.dispose()
            begun = time.perf_counter()
            with read() as session:
                found = curves.read_curves(session, job_id)
            seconds.append(time.perf_counter() - begun)
            assert all(points[-1][0] == POINTS for points in found.points.values())
        engine.dispose()
    return {"open_run_s": round(statistics.median(seconds), 3)}


def _write_run() -> int:
    spec = TrainSpec(base_model_id=1, dataset_version_id=1, adapter_name="long")
    with write() as session:
        session.add(Project(name="Ward 7"))
        session.flush()
        project_id = session.scalar(select(Project.id))
        actor = users.studio_account(session)
        job_id = jobs.enqueue(session, actor, project_id, JobKind.TRAIN, spec, name="long").id
        for name in METRICS:
            rows = [
                {"job_id": job_id, "attempt": 1, "step": step, "name": name, "value": 1 / step}
                for step in range(1, POINTS + 1)
            ]
            session.execute(insert(Metric), rows)
    return job_id
