"""Frozen tasks small enough to learn in seconds, of each kind that an encoder can answer."""

import json
import random
from pathlib import Path

from db import encoders, jobs, processes, session, task_versions
from db.corpora import files
from db.encoder_spec import STAND_IN, EncoderSpec
from db.enums import ProcessRole
from db.task_versions import TaskDraft

DISEASES = ("asthma", "gout", "cystic fibrosis", "breast cancer", "lupus", "chronic kidney disease")
CALM = ("a good appetite", "two brothers", "normal sleep", "a clear chest")
LEADS = ("She has", "He was seen for", "There is", "The note names", "We treated")


def tagged(count: int, seed: int) -> str:
    """Sentences with a disease or without, a token a line with its tag, as NCBI-disease is written."""
    draw, lines = random.Random(seed), []
    for number in range(count):
        disease = draw.choice(DISEASES).split() if draw.random() < 0.8 else []
        lines += [f"{word}\tO" for word in draw.choice(LEADS).split()]
        lines += [f"{word}\t{'I' if at else 'B'}-Disease" for at, word in enumerate(disease)]
        lines += [f"{word}\tO" for word in ("" if disease else draw.choice(CALM)).split()]
        lines += [f"visit\tO\n{seed}{number}\tO\n.\tO", ""]
    return "\n".join(lines)


def masked(count: int, seed: int) -> str:
    """Sentences that relate a gene and a disease, or do not, as GAD is written."""
    draw, rows = random.Random(seed), []
    for number in range(count):
        label = number % 2
        says = "was associated with" if label else "showed no link to"
        where = draw.choice(("cohort", "trial", "family"))
        sentence = f"In {where} {seed}{number} @GENE$ {says} @DISEASE$."
        rows.append({"index": number, "sentence": sentence, "label": label})
    return "\n".join(map(json.dumps, rows))


def compared(count: int, seed: int) -> str:
    """Two sentences and what holds between them, as MedNLI is written."""
    rows = []
    for number in range(count):
        label, second = (
            ("entailment", "He has pain."),
            ("contradiction", "He is free of pain."),
            ("neutral", "He smokes."),
        )[number % 3]
        one = f"He reports chest pain on day {seed}{number}."
        rows.append({"pairID": f"p{number}", "sentence1": one, "sentence2": second, "gold_label": label})
    return "\n".join(map(json.dumps, rows))


def many(count: int, seed: int) -> str:
    """Texts with none, one or two hallmarks of cancer, as HoC is written."""
    signs = {"inducing angiogenesis": "vessels grew", "resisting cell death": "cells would not die"}
    rows = []
    for number in range(count):
        labels = [name for bit, name in enumerate(signs) if number >> bit & 1]
        said = " and ".join(signs[name] for name in labels) or "nothing was seen"
        rows.append({"text": f"In sample {seed}{number} {said}.", "labels": labels})
    return "\n".join(map(json.dumps, rows))


TASKS = {
    "ner-disease": (tagged, "tsv"),
    "re-gad": (masked, "jsonl"),
    "mednli": (compared, "jsonl"),
    "hoc": (many, "jsonl"),
}


def freeze_task(settings, studio, task: str, rows: int, split: str, *, seed: int, text="", labels="") -> int:
    """A frozen task of invented rows, or of the text given; its number."""
    make, suffix = TASKS[task]
    path = settings.data_dir / f"{task}-{split}-{seed}.{suffix}"
    path.write_text(text or make(rows, seed), encoding="utf-8")
    kept = files.keep(settings.data_dir, path)
    name = f"{task} {split} {seed}"
    prepared = task_versions.prepare(
        settings.data_dir, TaskDraft(task, kept, name=name, split=split, settings={"labels": labels})
    )
    with session.write() as s:
        version = task_versions.freeze(s, studio[0], studio[1], prepared)
        s.flush()
        return version.id


def tiny_encoder(folder: Path) -> Path:
    """A BERT of two small layers that knows the words of all these tasks, saved in `folder`."""
    from trainer.encoders import stand_in  # brings torch, which those who only freeze tasks do not need

    texts = [line for make, _ in TASKS.values() for line in make(60, 1).replace("\\t", " ").splitlines()]
    shape = {
        "hidden_size": 64,
        "num_hidden_layers": 2,
        "num_attention_heads": 2,
        "intermediate_size": 128,
    }
    return stand_in.build(texts, folder / "tiny-bert", longest=64, seed=1, shape=shape)


def spec_for(train_id: int, *scored: int, **changed) -> EncoderSpec:
    """Settings under which an encoder learns invented rows in seconds, the same on any machine."""
    given = {
        "location": STAND_IN,
        "name": "Trial encoder",
        "epochs": 4,
        "learning_rate": 2e-3,
        "batch_size": 16,
        "max_length": 64,
        "precision": "fp32",
    }
    return EncoderSpec(train_task_id=train_id, tasks=scored, **{**given, **changed})


def begin(studio, spec: EncoderSpec) -> tuple[int, int]:
    """Queue the spec and take it in this process: (job, attempt)."""
    with session.write() as s:
        job = encoders.start(s, *studio, spec)
        s.flush()
        taken = jobs.claim_next(s, processes.register(s, ProcessRole.WORKER).id)
        assert taken.id == job.id
        return job.id, taken.attempt
