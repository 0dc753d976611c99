"""A studio of its own with the starter and real adapters on it, and model servers over it, each a process."""

import json
import os
import subprocess
import sys
import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import httpx
import psutil

from db import datasets, jobs, migrate, processes, registry, users
from db.content import Content
from db.enums import Category, JobKind, ProcessRole, Split
from db.samples import STARTER_DIR
from db.session import connect, read, write
from db.settings import REPOSITORY, Settings
from db.tables import BaseModel, Project
from db.train_spec import TrainSpec

STARTER = STARTER_DIR / "weights"
SHIPPED = STARTER_DIR / "adapter"
UP_WITHIN = 90.0  # seconds


@dataclass(frozen=True)
class Served:
    """A live model server."""

    address: str
    token: str
    process: psutil.Process

    @property
    def headers(self) -> dict[str, str]:
        return {"Authorization": f"Bearer {self.token}"}

    def client(self) -> httpx.Client:
        return httpx.Client(base_url=self.address, headers=self.headers, timeout=120, trust_env=False)


def open_studio(folder: Path) -> Settings:
    """An empty studio with one project, this process connected to it."""
    settings = Settings(data_dir=folder)
    settings.make_folders()
    migrate.upgrade(connect(settings.url))
    with write() as session:
        users.studio_account(session)
        session.add(Project(id=1, name="Trial"))
    return settings


def add_base(name: str, folder: Path) -> int:
    with write() as session:
        base = BaseModel(name=name, location=str(folder))
        session.add(base)
        session.flush()
        return base.id


def add_adapter(name: str, folder: Path, base_id: int) -> int:
    """Register a LoRA adapter that lies in `folder`, as a finished training does."""
    weights = folder / "adapter_model.safetensors"
    with write() as session:
        adapter = registry.register_adapter(
            session, name=name, path=str(folder), base_model_id=base_id, project_id=1,
            adapter_hash=registry.hash_file(weights), base_revision="", template_hash="", data_hash="",
            seed=0, spec={}, packages={},
        )  # fmt: skip
        session.flush()
        return adapter.id


def train_adapter(
    settings: Settings, name: str, base_id: int, rows: Sequence[dict], *, steps: int
) -> tuple[int, Path]:
    """Tune an adapter on `rows` of the demo set by the studio's own job: (its number, its folder).

    Raises RuntimeError when the job fails.
    """
    from trainer import run
    from trainer.context import JobContext

    version = _freeze(name, rows)
    spec = TrainSpec(
        base_id, version, adapter_name=name, rank=16, alpha=32, learning_rate=2e-3, max_steps=steps,
        batch_size=16, max_length=256, warmup=0.05, evaluate_every=steps, precision="fp32",
    )  # fmt: skip
    with write() as session:
        actor = users.studio_account(session)
        job_id = jobs.enqueue(session, actor, 1, JobKind.TRAIN, spec, name=name).id
        worker = processes.register(session, ProcessRole.WORKER)
        job = jobs.claim_next(session, worker.id)
        assert job.id == job_id
        attempt = job.attempt
    context = JobContext(settings, job_id, attempt)
    try:
        if run.carry_out(context):
            raise RuntimeError(f"{name} could not be tuned: {settings.jobs_dir}")
    finally:
        context.fall_silent()
    with read() as session:
        adapter = registry.get_adapter(session, jobs.get_job(session, job_id).result["adapter_id"])
        return adapter.id, Path(adapter.path)


def _freeze(name: str, rows: Sequence[dict]) -> int:
    frozen = [
        datasets.FrozenRow(
            Split.TRAIN, Content(**{**row, "tags": tuple(row["tags"]), "category": Category(row["category"])})
        )
        for row in rows
    ]
    with write() as session:
        actor = users.studio_account(session)
        dataset = datasets.create_dataset(session, actor, 1, name=name)
        version = datasets.freeze_rows(session, actor, dataset, frozen, recipe={})
        session.flush()
        return version.id


def demo_rows() -> list[dict]:
    """The tuning part of the demo set."""
    path = STARTER_DIR.parents[1] / "db" / "samples" / "demo-train.jsonl"
    return [json.loads(line) for line in path.read_text(encoding="utf-8").splitlines()]


def text_of(row: dict) -> str:
    """A row of the demo set as a model is asked it."""
    return f"{row['instruction']}\n\n{row['input']}" if row["input"] else row["instruction"]


@contextmanager
def model_server(settings: Settings, **environment: str) -> Iterator[Served]:
    """`python -m trainer serve` on that studio, up; killed at the end. Its log is in the studio's folder."""
    command = [sys.executable, "-m", "trainer", "serve", "--idle-minutes", "5"]
    env = {**os.environ, **settings.environment(), **environment}
    with (settings.logs_dir / "model_server.log").open("ab") as log:
        child = subprocess.Popen(
            command, cwd=REPOSITORY, env=env, stdout=log, stderr=log, start_new_session=True
        )
    try:
        yield _wait(child)
    finally:
        child.kill()
        child.wait()


def ask(
    client: httpx.Client, sides: Sequence[Mapping], text: str, *, max_tokens: int
) -> Iterator[tuple[float, dict]]:
    """The events of one comparison, greedy, each with the seconds since it was sent.

    Raises RuntimeError when it is refused or fails.
    """
    begun = time.perf_counter()
    with client.stream("POST", "/v1/compare", json=body(sides, text, max_tokens)) as answer:
        if answer.status_code != httpx.codes.OK:
            raise RuntimeError(answer.read().decode())
        for event in map(read_event, filter(None, answer.iter_lines())):
            if event["type"] == "error":
                raise RuntimeError(event["message"])
            yield time.perf_counter() - begun, event


def body(sides: Sequence[Mapping], text: str, max_tokens: int) -> dict:
    """What /v1/compare is sent: one user message to all sides, greedy."""
    messages = [[{"role": "user", "content": text}]]
    return {"sides": list(sides), "messages": messages, "max_tokens": max_tokens, "temperature": 0}


def read_event(line: str) -> dict:
    return json.loads(line.removeprefix("data:"))


def _wait(child: subprocess.Popen) -> Served:
    deadline = time.monotonic() + UP_WITHIN
    while time.monotonic() < deadline and child.poll() is None:
        with read() as session:
            found = processes.find_alive(session, ProcessRole.MODEL_SERVER)
            if found and found.pid == child.pid:
                return Served(found.address, found.token, psutil.Process(child.pid))
        time.sleep(0.1)
    raise RuntimeError("the model server did not come up; its log says why")
