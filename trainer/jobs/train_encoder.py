"""Tune an encoder on a frozen task's rows, then score it on others: set up, train, save, score. From the top.

A run that stopped early goes on from its last whole checkpoint, and one that stopped while it scored goes on
with the rows that are missing.
"""

import shutil
from dataclasses import asdict
from functools import partial
from pathlib import Path

from transformers import set_seed

from db import encoders, task_versions
from db.encoder_spec import STAND_IN, EncoderSpec
from db.enums import Split, StopMode
from db.session import read
from db.tables import Encoder
from trainer import artifacts, provenance
from trainer.context import Cancelled, JobContext
from trainer.encoders import encode, load, scoring, stand_in, tuning
from trainer.encoders.heads import texts_of
from trainer.encoders.scoring import Exam, Examinee
from trainer.generating.ledger import write_owned
from trainer.models import checkpoints, precision, processes
from trainer.results import slug

# Beside these the spec says what a run is; a name may be mended, and the level is of the intervals alone.
_NO_PART_OF_THE_RUN = ("name", "level", "resumes", "tasks")


def run(context: JobContext) -> None:
    """Carry the job out. Raises ValueError with one sentence for bad rows, encoder or settings; Cancelled."""
    spec: EncoderSpec = context.spec
    set_seed(spec.seed)
    context.progress("reading the rows")
    with read() as s:
        plan = encoders.plan(s, context.project_id, spec)
        encoders.require_free_name(s, spec.name, job_id=context.job_id)
        train, *scored = (
            scoring.exam_of(version, [row.source for row in task_versions.list_rows(s, version.id)])
            for version in (plan.train, *plan.scored)
        )
        made = encoders.of_job(s, context.job_id)
    crew = processes.join(1)
    dtype = precision.pick(spec.precision, crew.device)

    context.progress("loading the encoder")
    folder = Path(made.path) if made else _origin(context, train)
    ready = load.load(folder, plan.head)
    ready.model.to(crew.device)
    examinee = Examinee(ready, plan.head, min(spec.max_length, ready.longest), spec.batch_size, dtype)
    context.log(
        f"{encoders.title_of(spec.location)}: {ready.model.num_parameters():,} weights, a head for "
        f"{len(ready.model.config.id2label)} labels ({plan.head.kind}), rows of up to {examinee.longest} "
        f"tokens, {precision.name(dtype)} on {crew.device}"
    )
    told: dict = {}
    if made is None:
        made, told = _tune(context, examinee, train, scored, folder, crew)

    facts = _facts(spec, made, examinee, crew, train)
    seen = {scoring.words_of_row(row) for row in train.rows}
    numbers = [
        scoring.evaluate(context, examinee, exam, encoder_id=made.id, provenance=facts, seen=seen)
        for exam in scored
    ]
    told |= {"encoder_id": made.id, "evaluations": numbers, "seconds": round(context.elapsed(), 1)}
    context.finish(told)
    shutil.rmtree(context.folder / "checkpoints", ignore_errors=True)
    shutil.rmtree(context.folder / STAND_IN, ignore_errors=True)
    context.log(f"finished after {told['seconds']:,} seconds; the encoder lies in {made.path}")


def _origin(context: JobContext, train: Exam) -> Path:
    """The folder of the encoder that the run begins with."""
    spec = context.spec
    if spec.location != STAND_IN:
        return load.fetch(spec.location, spec.revision)
    context.log("stand-in: built from a config and never pretrained; it learns from the training rows alone")
    texts = (" ".join(texts_of(row)) for row in train.rows)
    return stand_in.build(texts, context.folder / STAND_IN, longest=spec.max_length, seed=spec.seed)


def _tune(
    context: JobContext,
    examinee: Examinee,
    train: Exam,
    scored: list[Exam],
    origin: Path,
    crew: processes.Processes,
) -> tuple[Encoder, dict]:
    """Train, save and register; the encoder and what the job's result tells of it."""
    spec, ready, head = context.spec, examinee.ready, examinee.head
    context.progress("reading the rows")
    pieces = encode.encode(
        train.rows,
        train.task.form,
        head,
        ready.tokenizer,
        longest=examinee.longest,
        with_labels=True,
        tell=partial(_tick, context, len(train.rows)),
    )
    if not len(pieces):
        raise ValueError(f"train task: no row of {train.version.name} holds a word; choose another.")
    context.log(
        f"{pieces.rows:,} rows, {pieces.lengths.sum():,} tokens an epoch; {pieces.cut:,} longer than "
        f"{examinee.longest} tokens, {pieces.unsaid:,} mentions that tags cannot say"
    )
    revision = _revision(spec, origin)
    keeper = artifacts.open_keeper(context.settings, context.job_id, crew)
    folder = context.folder / "checkpoints"
    resumed = _take_up(context, folder, train, revision, keeper)
    look = _look(examinee, scored)
    telling = tuning.train(
        context, ready, head, pieces, look, folder=folder, crew=crew, dtype=examinee.dtype, resumed=resumed
    )
    if telling.stopped is StopMode.DISCARD:
        shutil.rmtree(folder, ignore_errors=True)
        keeper.forget()
    if telling.stopped:
        keeper.keep_checkpoint(folder)
        raise Cancelled

    context.progress("saving the encoder")
    home = context.settings.encoders_dir / f"{context.job_id}-{slug(spec.name)}"
    _save(examinee, home)
    columns = {
        "name": spec.name.strip(),
        "location": spec.location,
        "revision": revision,
        "path": str(home),
        "weights_hash": load.identify(home),
        "head": head.kind,
        "task_version_id": train.version.id,
        "is_stand_in": spec.location == STAND_IN,
        "spec": asdict(spec),
        "packages": provenance.packages(),
    }
    kept = keeper.keep_result(home)
    encoder = write_owned(
        context.job_id,
        context.attempt,
        lambda s: encoders.register(s, context.job_id, context.attempt, **columns),
    )
    return encoder, {
        "rows": pieces.rows,
        "shortened": pieces.cut,
        "unsaid": pieces.unsaid,
        "device": crew.device.type,
        "dtype": precision.name(examinee.dtype),
        **{name: round(value, 4) for name, value in telling.losses.items()},
        "looks": {str(step): round(value, 4) for step, value in telling.looks.items()},
        **kept,
    }


def _take_up(
    context: JobContext, folder: Path, train: Exam, revision: str, keeper: artifacts.Keeper
) -> Path | None:
    """The checkpoint to go on from, when an earlier attempt at this very run left a whole one."""
    settings = {k: v for k, v in asdict(context.spec).items() if k not in _NO_PART_OF_THE_RUN}
    identity = {"data": train.version.content_hash, "encoder": revision, "spec": settings}
    if not checkpoints.claim(folder, identity) | keeper.bring_checkpoint(folder):
        return None
    found = checkpoints.last_valid(folder)
    context.log(f"resuming from {found.name}" if found else "no whole checkpoint: from the first step")
    return found


def _look(examinee: Examinee, scored: list[Exam]) -> tuning.Look:
    """What is measured after each epoch: the headline on the first validation task, if there is one."""
    exam = next((each for each in scored if each.version.split == Split.VALIDATION), None)
    if exam is None:
        return lambda model: None
    pieces = examinee.prepare(exam)
    return lambda model: scoring.headline(examinee, exam, pieces)


def _revision(spec: EncoderSpec, origin: Path) -> str:
    """The Hub's commit, whose folder the files lie in; of a folder the hash of its weights."""
    is_hub = spec.location != STAND_IN and not Path(spec.location).is_absolute()
    return origin.name if is_hub else load.identify(origin)


def _save(examinee: Examinee, home: Path) -> None:
    """Write weights (safetensors, float32) and tokenizer to `home`, whole or not at all."""
    partial_home = home.with_name(home.name + ".partial")
    shutil.rmtree(partial_home, ignore_errors=True)
    examinee.ready.model.save_pretrained(partial_home)
    examinee.ready.tokenizer.save_pretrained(partial_home)
    shutil.rmtree(home, ignore_errors=True)
    partial_home.rename(home)


def _facts(
    spec: EncoderSpec, made: Encoder, examinee: Examinee, crew: processes.Processes, train: Exam
) -> dict:
    """Where an evaluation comes from: enough to make it again."""
    return {
        "encoder": made.location,
        "revision": made.revision,
        "weights_hash": made.weights_hash,
        "is_stand_in": made.is_stand_in,
        "head": examinee.head.kind,
        "train_task": train.version.name,
        "train_data_hash": train.version.content_hash,
        "longest": examinee.longest,
        "dtype": precision.name(examinee.dtype),
        "device": crew.device.type,
        "hardware": provenance.hardware(crew.device),
        "packages": provenance.packages(),
        "studio_commit": provenance.commit(),
        "seed": spec.seed,
    }


def _tick(context: JobContext, total: int, done: int) -> None:
    context.require_wanted()
    context.progress("reading the rows", done, total)
