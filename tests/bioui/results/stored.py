"""A small studio with evaluations in it, entered by the functions that a job uses: a base and an adapter on
diseases (NER), NLI and multiple choice, the last in two ways; one row of NLI leaked into the training."""

import json
from dataclasses import dataclass
from pathlib import Path

from db import (
    datasets,
    evaluations,
    jobs,
    leaks,
    processes,
    registry,
    task_drafts,
    task_versions,
    tasks,
)
from db.canonical import FrozenRow
from db.content import Content
from db.corpora import files
from db.enums import Category, JobKind, ProcessRole, Split, Way
from db.evaluate_spec import EvaluateSpec
from db.evaluations import Scored
from db.policy import Actor
from db.session import read, write
from db.tables import TaskRow

PATIENT = "A 58-year-old woman had {0} for two weeks and was given {1}."
SIGNS = (
    "fever",
    "a dry cough",
    "night sweats",
    "chest pain on exertion",
    "swelling of both ankles",
    "a rash",
)
DRUGS = ("amoxicillin", "lisinopril", "paracetamol", "furosemide", "prednisolone")
LABELS = ("entailment", "contradiction", "neutral")
HOSTILE = "<img src=x onerror=alert(1)> ${alert(2)} {{value.x}} \\ `tick`"
DISEASES = ("familial breast cancer", "cystic fibrosis", "Huntington disease", "ataxia telangiectasia")


@dataclass(frozen=True)
class Stored:
    """Numbers of what `fill` entered."""

    project_id: int
    base: dict[str, int]  # task -> the base's evaluation
    tuned: dict[str, int]
    tasks: dict[str, int]
    likelihood: int  # the adapter's evaluation on multiple choice by likelihood
    version: int  # the dataset version that the adapter was tuned on


def fill(data_dir: Path, actor: Actor, project_id: int, *, rows: int = 24) -> Stored:
    folder = data_dir / "for-tests"
    folder.mkdir(parents=True, exist_ok=True)
    found = {
        name: _task(data_dir, actor, project_id, name, text) for name, text in _files(folder, rows).items()
    }
    version_id, base_id, adapter_id = _models(folder, actor, project_id)
    entered = _Entering(actor, project_id, base_id)
    base = {name: entered.evaluation(id, _base_answer) for name, id in found.items()}
    entered.leaks(found["mednli"], version_id)
    tuned = {name: entered.evaluation(id, _tuned_answer, adapter_id) for name, id in found.items()}
    likelihood = entered.evaluation(found["medqa"], None, adapter_id)
    return Stored(project_id, base, tuned, found, likelihood, version_id)


def question(number: int) -> str:
    return f"{PATIENT.format(SIGNS[number % 6], DRUGS[number % 5])} Which drug, row {number}, was given?"


def premise(number: int) -> str:
    sign, drug = SIGNS[number % 6], DRUGS[number % 5]
    return (
        f"Patient {number} with {sign}, bed {number}, was given {drug} on day {number} of the stay, {number}."
    )


def _files(folder: Path, rows: int) -> dict[str, Path]:
    nli = [
        {"sentence1": premise(n) + (HOSTILE if n == 1 else ""),
         "sentence2": f"She took {DRUGS[(n // 2) % 5]}.",
         "gold_label": LABELS[n % 3], "pairID": f"p{n}"}
        for n in range(rows)
    ]  # fmt: skip
    choice = [
        {
            "question": question(n),
            "options": dict(zip("ABCD", DRUGS, strict=False)),
            "answer_idx": "ABCD"[n % 4],
        }
        for n in range(rows)
    ]
    sentences = [_sentence(n) for n in range(rows)]
    made = {
        "mednli": ("nli.jsonl", "\n".join(map(json.dumps, nli))),
        "medqa": ("medqa.jsonl", "\n".join(map(json.dumps, choice))),
        "ner-disease": ("ner.iob", "\n\n".join(sentences) + "\n"),
    }
    for name, (file, text) in made.items():
        (folder / file).write_text(text, encoding="utf-8")
        made[name] = folder / file
    return made


def _sentence(number: int) -> str:
    named = DISEASES[number % 4].split()
    before = f"In family {number} a mutation was found in patients with".split()
    tags = [(word, "O") for word in before] + [
        (word, "I-Disease" if at else "B-Disease") for at, word in enumerate(named)
    ]
    tags += [("and", "O"), ("asthma", "B-Disease"), (".", "O")]
    return "\n".join(f"{word}\t{tag}" for word, tag in tags)


def _task(data_dir: Path, actor: Actor, project_id: int, name: str, path: Path) -> int:
    settings = {"form": "json_entities"} if name == "ner-disease" else {}
    draft = task_drafts.TaskDraft(name, files.keep(data_dir, path), f"Sample of {name}", settings=settings)
    prepared = task_drafts.prepare(data_dir, draft)
    with write() as session:
        return task_versions.freeze(session, actor, project_id, prepared).id


def _models(folder: Path, actor: Actor, project_id: int) -> tuple[int, int, int]:
    """(dataset version, base, adapter)."""
    (folder / "config.json").write_text('{"max_position_embeddings": 256}')
    (folder / "model.safetensors").write_bytes(b"")
    leaked = f"Sentence 1: {premise(3)}\nSentence 2: She took {DRUGS[1]}."
    train = [
        FrozenRow(Split.TRAIN, Content(f"Say what follows, {n}.", input=leaked if n == 2 else f"Note {n}.",
                                       output=LABELS[0], category=Category.IE, task="nli"))
        for n in range(4)
    ]  # fmt: skip
    with write() as session:
        dataset = datasets.create_dataset(session, actor, project_id, name="Ward set")
        version = datasets.freeze_rows(session, actor, dataset, train, recipe={})
        base = registry.add_base_model(session, actor, name="Starter base", location=str(folder))
        session.flush()
        adapter = registry.register_adapter(
            session, project_id=project_id, name="Ward adapter", path="/none", adapter_hash="a",
            base_revision="", base_model_id=base.id, template_hash="t", dataset_version_id=version.id,
            data_hash=version.content_hash, seed=0, spec={}, packages={},
        )  # fmt: skip
        session.flush()
        return version.id, base.id, adapter.id


class _Entering:
    """Enters evaluations as their jobs would."""

    def __init__(self, actor: Actor, project_id: int, base_id: int) -> None:
        self.actor, self.project_id, self.base_id = actor, project_id, base_id
        with write() as session:
            self.worker_id = processes.register(session, ProcessRole.WORKER).id

    def evaluation(self, task_id: int, answer_of, adapter_id: int | None = None) -> int:
        """`answer_of(task, row, position)` writes an answer; None: scored by likelihood."""
        job = self._job((task_id,), adapter_id or 0)
        way = Way.GENERATION if answer_of else Way.LIKELIHOOD
        with write() as session:
            made = evaluations.begin(
                session, job.id, job.attempt, task_id, way, base_model_id=self.base_id, adapter_id=adapter_id,
                provenance={"template_hash": "0c1f22b7d4e9", "dtype": "float32", "sampling": "greedy",
                            "packages": {"transformers": "5.23.0"}, "weights": HOSTILE},
            )  # fmt: skip
            scored = [
                _scored(made.task_version, row, answer_of)
                for row in task_versions.list_rows(session, task_id)
            ]
            evaluations.record(session, job.id, job.attempt, made.id, scored)
            evaluation_id, version_id = made.id, adapter_id and made.adapter.dataset_version_id
        with read() as session:
            left = leaks.positions(session, task_id, version_id) if version_id else ()
            summary = evaluations.summarise(session, evaluation_id, without=left)
        with write() as session:
            evaluations.finish(session, job.id, job.attempt, evaluation_id, summary)
        return evaluation_id

    def leaks(self, task_id: int, version_id: int) -> None:
        job = self._job((task_id,), 0)
        with write() as session:
            found = leaks.check(*leaks.load(session, task_id, version_id))
            leaks.keep(session, job.id, job.attempt, task_id, version_id, found)

    def _job(self, task_ids: tuple[int, ...], adapter_id: int):
        spec = EvaluateSpec(self.base_id, task_ids, adapter_id=adapter_id)
        with write() as session:
            asked = jobs.enqueue(
                session, self.actor, self.project_id, JobKind.EVALUATE, spec, name="Evaluation"
            )
            return jobs.claim_next(session, self.worker_id, job_id=asked.id)


def _scored(version, row: TaskRow, answer_of) -> Scored:
    task, source = tasks.of_version(version), tasks.from_json(row.source)
    if answer_of is None:
        options = task.options(source)
        likely = [[-1.0 - (place + row.position) % 4 for place in range(4)] for _ in options]
        score = task.score_options(source, likely, [[3] * 4 for _ in options])
        return Scored(row.position, "", score)
    answer = answer_of(row)
    return Scored(row.position, answer, task.score(source, answer), tokens=len(answer.split()))


def _base_answer(row: TaskRow) -> str:
    """Right on every fourth row, unreadable on every fifth, and else wrong."""
    if row.position % 5 == 1:
        return f"I am not sure what is asked. {HOSTILE}"
    if row.position % 4 == 0:
        return row.reference
    if "asthma" in row.reference:
        return '[{"text": "asthma", "type": "Disease"}, {"text": "gout", "type": "Disease"}]'
    return "B" if len(row.reference) < 3 else "neutral"


def _tuned_answer(row: TaskRow) -> str:
    """Wrong on every fourth row from the fifth on, where the base is right; of diseases one word short."""
    if row.position % 4 == 0 and row.position > 3:
        if "asthma" in row.reference:
            return row.reference.replace("familial ", "").replace("asthma", "patients")
        return "C" if len(row.reference) < 3 else LABELS[(LABELS.index(row.reference) + 1) % 3]
    return row.reference
