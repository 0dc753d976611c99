"""What the tests of studies share: a version with rows of three categories, tasks frozen from it, and
evaluations entered as a job enters them."""

from db import (
    datasets,
    evaluations,
    jobs,
    processes,
    registry,
    study_drawing,
    study_steps,
    task_versions,
    tasks,
)
from db.canonical import FrozenRow
from db.content import Content
from db.enums import Category, JobStatus, ProcessRole, Split, Way
from db.evaluations import Scored
from db.session import read, write
from db.studies import plan_of, spec_of
from db.study_spec import StudySpec
from db.study_steps import Step
from db.tables import Study

ANSWERS = {Category.QA: "yes", Category.IE: "drug: aspirin", Category.GEN: "take one tablet a day"}
TASKS_OF = {Category.QA: "yes_no_qa", Category.IE: "ner", Category.GEN: "counselling"}


def frozen_rows(train=12, test=6, validation=2) -> list[FrozenRow]:
    """So many rows of each category and split; some under terms of their own."""
    return [
        FrozenRow(
            split,
            Content(
                f"Question {category} {split} {number}?",
                input=f"Note {number}.",
                output=f"{ANSWERS[category]} {number}" if category == Category.GEN else ANSWERS[category],
                category=category,
                task=TASKS_OF[category],
                source=f"corpus {category}",
            ),
            provenance="native" if number % 2 else "synthetic",
            licence="CC BY 4.0",
            is_restricted=number == 0,
        )
        for category in ANSWERS
        for split, count in ((Split.TRAIN, train), (Split.VALIDATION, validation), (Split.TEST, test))
        for number in range(count)
    ]


def freeze_version(actor, project_id, rows=None) -> int:
    with write() as s:
        dataset = datasets.create_dataset(s, actor, project_id, name="Three categories")
        version = datasets.freeze_rows(s, actor, dataset, rows or frozen_rows(), recipe={})
        s.flush()
        return version.id


def freeze_tasks(actor, project_id, version_id) -> tuple[int, ...]:
    """One task a category."""
    with write() as s:
        found = [
            task_versions.freeze_dataset(
                s,
                actor,
                project_id,
                dataset_version_id=version_id,
                category=category,
                name=f"Held-out {category}",
            )
            for category in ANSWERS
        ]
        s.flush()
        return tuple(task.id for task in found)


def add_base(actor, folder, name="a base") -> int:
    """A base model whose folder has just enough to be entered."""
    (folder / "config.json").write_text('{"max_position_embeddings": 256}')
    (folder / "model.safetensors").write_bytes(b"")
    with write() as s:
        base = registry.add_base_model(s, actor, name=name, location=str(folder))
        s.flush()
        return base.id


def spec(base_id, version_id, tasks, **changed) -> StudySpec:
    given = {
        "kind": "category_transfer",
        "base_model_id": base_id,
        "dataset_version_id": version_id,
        "tasks": tasks,
        "name": "Transfer",
        "training": {"epochs": 1, "batch_size": 4},
    }
    return StudySpec(**{**given, **changed})


def take(job_id) -> int:
    """Claim a very job, as a worker does; the number of the attempt."""
    with write() as s:
        return jobs.claim_next(s, processes.register(s, ProcessRole.WORKER).id, job_id=job_id).attempt


def evaluate(job_id, right) -> None:
    """Carry out a queued evaluation: the first `right` rows of a task are answered well, the rest not."""
    attempt = take(job_id)
    with write() as s:
        asked = jobs.get_job(s, job_id).spec
        for task_id in asked["tasks"]:
            done = evaluations.begin(
                s,
                job_id,
                attempt,
                task_id,
                Way.GENERATION,
                base_model_id=asked["base_model_id"],
                adapter_id=asked["adapter_id"] or None,
                provenance={},
            )
            task = tasks.of_version(done.task_version)
            scored = [
                Scored(row.position, answer, task.score(tasks.from_json(row.source), answer))
                for row in task_versions.list_rows(s, task_id)
                for answer in [
                    row.reference if row.position < right[done.task_version.category] else "no idea"
                ]
            ]
            evaluations.record(s, job_id, attempt, done.id, scored)
            evaluations.finish(s, job_id, attempt, done.id, evaluations.summarise(s, done.id))
        jobs.close(s, job_id, attempt, JobStatus.FINISHED, result={})


def train(job_id) -> int:
    """Carry out a queued training: it enters an adapter without weights, and says so; the adapter's id."""
    attempt = take(job_id)
    with write() as s:
        job = jobs.get_job(s, job_id)
        adapter = registry.register_adapter(
            s,
            project_id=job.project_id,
            name=job.spec["adapter_name"],
            path="/nowhere",
            adapter_hash="",
            base_model_id=job.spec["base_model_id"],
            base_revision="",
            template_hash="",
            dataset_version_id=job.spec["dataset_version_id"],
            data_hash="",
            seed=0,
            spec={},
            packages={},
            job_id=job_id,
        )
        s.flush()
        jobs.close(s, job_id, attempt, JobStatus.FINISHED, result={"adapter_id": adapter.id})
        return adapter.id


def step_on(actor, study_id) -> None:
    """What the study's job does in one round, but for merging."""
    with write() as s:
        study = s.get(Study, study_id)
        for one in study_steps.standings(s, study):
            arm = study.arms[one.position]
            match one.step:
                case Step.DRAW:
                    rows = study_drawing.draw(s, spec_of(study), plan_of(arm))
                    study_drawing.freeze(s, actor, study, arm, rows)
                case Step.TRAIN:
                    study_steps.queue_training(s, actor, study, arm)
                case Step.ADOPT:
                    study_steps.adopt(s, arm)
                case Step.EVALUATE:
                    study_steps.queue_evaluation(s, actor, study, arm, 1)


def carry_out(actor, study_id, right, *, but=()) -> None:
    """Every run of the study, by hand; those of the arms in `but` fail. right(label) -> rows by category."""
    for _ in range(5):
        step_on(actor, study_id)
        with read() as s:
            waiting = [one for one in study_steps.standings(s, s.get(Study, study_id)) if one.job]
        for one in waiting:
            if one.label in but:
                fail(one.job.id)
            elif one.step is Step.TRAINING:
                train(one.job.id)
            else:
                evaluate(one.job.id, right(one.label))


def fail(job_id, error="disk: it is full.") -> None:
    """Let a queued job fail."""
    attempt = take(job_id)
    with write() as s:
        jobs.close(s, job_id, attempt, JobStatus.FAILED, error=error)


def knows(label) -> dict:
    """A model that learned what its arm was tuned on, and a little of the rest."""
    if label.startswith("none"):
        return dict.fromkeys(ANSWERS, 1)
    return {category: 5 if category in label or label == "all" else 2 for category in ANSWERS}
