"""What tests of evaluations share: frozen tasks, a base, an adapter, scores kept as a worker keeps them."""

from collections.abc import Sequence
from dataclasses import dataclass, field

from db import datasets, evaluations, gains, jobs, processes, registry, task_versions
from db.canonical import FrozenRow
from db.content import Content
from db.enums import Category, JobKind, ProcessRole, Split, Way
from db.evaluate_spec import EvaluateSpec
from db.evaluations import Scored
from db.session import read, write
from db.tables import BaseModel
from db.tasks.task import RowScore

ROWS = 12  # of each task


@dataclass
class Setting:
    """Who and what there is to evaluate."""

    people: object
    project_id: int
    base_id: int
    adapter_id: int
    version_id: int  # of the dataset that the adapter was tuned on
    tasks: dict[str, int] = field(default_factory=dict)  # name -> id of the task version


def make_setting(people, project_id, rows=ROWS) -> Setting:
    """A base, an adapter on it, and two tasks of questions: Letters, and General, which is general."""
    with write() as session:
        base = BaseModel(name="tiny", location="/models/tiny")
        session.add(base)
        dataset = datasets.create_dataset(session, people.trainer, project_id, name="Ward")
        frozen = [question(Split.TRAIN, at) for at in range(3)]
        version = datasets.freeze_rows(session, people.trainer, dataset, frozen, recipe={})
        session.flush()
        adapter = registry.register_adapter(
            session, project_id=project_id, name="Ward v1", path="/adapters/1", adapter_hash="a",
            base_model_id=base.id, base_revision="", template_hash="", data_hash=version.content_hash,
            dataset_version_id=version.id, seed=7, spec={}, packages={},
        )  # fmt: skip
        session.flush()
        setting = Setting(people, project_id, base.id, adapter.id, version.id)
    add_task(setting, "Letters", rows)
    add_task(setting, "General", rows, is_general=True)
    return setting


def add_task(setting: Setting, name, rows=ROWS, *, is_general=False, category=Category.QA) -> int:
    """A task of that many rows, frozen from a dataset of its own."""
    with write() as session:
        actor = setting.people.trainer
        dataset = datasets.create_dataset(session, actor, setting.project_id, name=f"Rows of {name}")
        frozen = [question(Split.TRAIN, 999, name, category)]
        frozen += [question(Split.TEST, at, name, category) for at in range(rows)]
        version = datasets.freeze_rows(session, actor, dataset, frozen, recipe={})
        session.flush()
        task = task_versions.freeze_dataset(
            session, actor, setting.project_id, dataset_version_id=version.id, category=category,
            name=name, is_general=is_general,
        )  # fmt: skip
        setting.tasks[name] = task.id
        return task.id


def question(split, at, about="ward", category=Category.QA) -> FrozenRow:
    words = f"{about} question {split}{at} asks for letter{at}"
    return FrozenRow(split, Content(words, output=f"letter{at}", category=category))


def begin(setting: Setting, task="Letters", *, adapter=False, way=Way.GENERATION, **spec) -> tuple:
    """((job, attempt), evaluation) of a claimed job."""
    adapter_id = setting.adapter_id if adapter is True else adapter or None
    wanted = EvaluateSpec(setting.base_id, (setting.tasks[task],), adapter_id=adapter_id or 0, **spec)
    with write() as session:
        job = jobs.enqueue(
            session, setting.people.trainer, setting.project_id, JobKind.EVALUATE, wanted, name="Scores"
        )
        session.flush()
        worker = processes.register(session, ProcessRole.WORKER)
        session.flush()
        claimed = jobs.claim_next(session, worker.id, [JobKind.EVALUATE], job_id=job.id)
        owner = claimed.id, claimed.attempt
        evaluation = evaluations.begin(
            session, *owner, setting.tasks[task], way,
            base_model_id=setting.base_id, adapter_id=adapter_id, provenance={"dtype": "fp32"},
        )  # fmt: skip
        return owner, evaluation.id


def scored(right: Sequence[bool]) -> list[Scored]:
    """Answers to rows from 0 on, each right or wrong."""
    return [
        Scored(at, f"letter{at}" if good else "something else", RowScore(float(good), good, {"right": good}))
        for at, good in enumerate(right)
    ]


def spans(right: int, rows=ROWS) -> list[Scored]:
    """A span to find in each row: found in the first `right` rows, another said in the rest."""
    counts = [
        {"strict_right": 1} if at < right else {"strict_wrong": 1, "strict_missed": 1} for at in range(rows)
    ]
    return [
        Scored(at, "gout", RowScore(float(at < right), at < right, count)) for at, count in enumerate(counts)
    ]


def evaluate(setting: Setting, right, task="Letters", *, keeps=True, without=(), **how) -> int:
    """A finished evaluation, its gains kept as a job keeps them; its id."""
    rows = right if right and isinstance(right[0], Scored) else scored(right)
    owner, evaluation_id = begin(setting, task, **how)
    with write() as session:
        evaluations.record(session, *owner, evaluation_id, rows)
    with read() as session:
        summary = evaluations.summarise(session, evaluation_id, without=without)
    with write() as session:
        evaluations.finish(session, *owner, evaluation_id, summary)
    if keeps:
        with read() as session:
            reckoned = gains.reckon(session, gains.due_pairs(session, evaluation_id))
        with write() as session:
            gains.keep_gains(session, *owner, reckoned)
    return evaluation_id
