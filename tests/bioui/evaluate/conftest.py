"""Frozen tasks, a base, an adapter, and evaluations recorded as a worker does."""

from dataclasses import dataclass

import pytest

from db import datasets, evaluations, gains, jobs, processes, registry, task_versions
from db.content import Content
from db.datasets import FrozenRow
from db.enums import Category, JobKind, JobStatus, ProcessRole, Split, Way
from db.evaluate_spec import EvaluateSpec
from db.evaluations import Scored
from db.session import read, write
from db.tables import BaseModel, TaskVersion
from db.tasks import from_json, of_version

ROWS = 12  # of each task


@pytest.fixture(autouse=True)
def environment(settings, monkeypatch):
    """The settings that the pages read."""
    for name, value in settings.environment().items():
        monkeypatch.setenv(name, value)


@dataclass(frozen=True)
class Setting:
    """Who and what there is to evaluate."""

    people: object
    project_id: int
    base_id: int
    adapter_id: int
    tasks: dict[str, int]  # QA, IE, GEN -> id of the task version; the GEN one is general


@pytest.fixture
def setting(people, project_id) -> Setting:
    with write() as session:
        base = BaseModel(name="tiny", location="/models/tiny")
        session.add(base)
        dataset = datasets.create_dataset(session, people.trainer, project_id, name="Ward")
        rows = [_row(split, category, at) for split, category, at in _places()]
        version = datasets.freeze_rows(session, people.trainer, dataset, rows, recipe={})
        session.flush()
        adapter = registry.register_adapter(
            session,
            project_id=project_id,
            name="Ward v1",
            path="/adapters/1",
            adapter_hash="a" * 64,
            base_model_id=base.id,
            base_revision="b" * 64,
            template_hash="c" * 64,
            data_hash=version.content_hash,
            dataset_version_id=version.id,
            seed=7,
            spec={},
            packages={},
        )
        tasks = {
            category.value: task_versions.freeze_dataset(
                session,
                people.trainer,
                project_id,
                dataset_version_id=version.id,
                category=category,
                name=f"Ward {category}",
                is_general=category is Category.GEN,
            ).id
            for category in (Category.QA, Category.IE, Category.GEN)
        }
        session.flush()
        return Setting(people, project_id, base.id, adapter.id, tasks)


def _places():
    for category in (Category.QA, Category.IE, Category.GEN):
        yield Split.TRAIN, category, 0
        yield from ((Split.TEST, category, at) for at in range(1, ROWS + 1))


def _row(split, category, at) -> FrozenRow:
    answers = {
        Category.QA: "Yes" if at % 2 else "No",
        Category.IE: f"drug: aspirin {at}\ndisease: gout {at}",
        Category.GEN: f"Take tablet {at} in the morning and drink a glass of water with it.",
    }
    instruction = f"{category} question number {at} about the ward of {split}"
    return FrozenRow(split, Content(instruction, output=answers[category], category=category))


def evaluate(
    setting: Setting, tasks: list[str], *, adapter: bool, right: int, finish: bool = True
) -> list[int]:
    """Let a worker score the first `right` rows of each task with the right answer, the rest with nonsense;
    the ids of the evaluations. Without `finish` the last row of each is missing, and the job still runs."""
    ids = tuple(setting.tasks[name] for name in tasks)
    adapter_id = setting.adapter_id if adapter else 0
    with write() as session:
        spec = EvaluateSpec(setting.base_id, ids, adapter_id=adapter_id)
        job = jobs.enqueue(
            session, setting.people.trainer, setting.project_id, JobKind.EVALUATE, spec, name="Scores"
        )
        session.flush()
        worker = processes.register(session, ProcessRole.WORKER)
        claimed = jobs.claim_next(session, worker.id, [JobKind.EVALUATE], job_id=job.id)
        owner = claimed.id, claimed.attempt
        found = [
            evaluations.begin(
                session, *owner, id, Way.GENERATION,
                base_model_id=setting.base_id, adapter_id=adapter_id or None, provenance={},
            ).id
            for id in ids
        ]  # fmt: skip
        for evaluation_id, id in zip(found, ids, strict=True):
            rows = task_versions.list_rows(session, id)
            evaluations.record(session, *owner, evaluation_id, _scored(session, id, rows, right, finish))
    if finish:
        for evaluation_id in found:
            with read() as session:
                summary = evaluations.summarise(session, evaluation_id)
            with write() as session:
                evaluations.finish(session, *owner, evaluation_id, summary)
            with read() as session:
                reckoned = gains.reckon(session, gains.due_pairs(session, evaluation_id))
            with write() as session:
                gains.keep_gains(session, *owner, reckoned)
        with write() as session:
            jobs.close(session, *owner, JobStatus.FINISHED, result={"seconds": 4.0})
    return found


def _scored(session, task_version_id, rows, right, finish) -> list[Scored]:
    task = of_version(session.get(TaskVersion, task_version_id))
    scored = []
    for row in rows if finish else rows[:-1]:
        answer = row.reference if row.position < right else "Nothing of that kind."
        scored.append(Scored(row.position, answer, task.score(from_json(row.source), answer), tokens=4))
    return scored
