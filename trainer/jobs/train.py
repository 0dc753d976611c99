"""Tune a base on a frozen version: set up, train, save, register. Read from the top.

The loss counts on answers alone. A run that stopped early goes on from its last whole checkpoint, provided
data, base and settings are still the same. Under `accelerate launch` every process goes through all of this,
and the main one alone tells and writes. It knows the context, not the database or the queue.
"""

import shutil
from functools import partial
from pathlib import Path

import torch
from huggingface_hub import ModelCard
from transformers import PrinterCallback, TrainerState, set_seed

from db.enums import Split, StopMode
from db.tables import BaseModel
from db.train_spec import TrainSpec
from trainer import artifacts, film, loop, provenance, results, tracking, validation
from trainer.context import Cancelled, JobContext
from trainer.data import batching, estimate, preflight
from trainer.data.examples import Encoded
from trainer.models import checkpoints, load, neftune, precision, processes, tuning
from trainer.models.processes import Processes
from trainer.reporter import Reporter, Watched
from trainer.sharing import Share

_FORMATS = tuple(precision.FORMATS.values())


def run(context: JobContext) -> None:
    """Carry the job out. Raises ValueError with one sentence for bad data, base or settings; Cancelled."""
    spec: TrainSpec = context.spec
    set_seed(spec.seed)
    tracking.require_ready(spec)
    crew = processes.join(spec.processes * spec.machines)
    keeper = artifacts.open_keeper(context.settings, context.job_id, crew)

    context.progress("reading the rows")
    base, version, rows = context.base_model(), context.dataset_version(), context.rows()
    tokenizer = load.load_tokenizer(base.location, base.revision)
    data = preflight.read(context.settings, base, tokenizer, rows, spec, partial(_tick, context))
    train, validated = data.train, data.validation
    _require_looks(spec, validated)
    asked = film.choose(tokenizer, spec, rows[Split.VALIDATION], base.context_length)
    del rows  # the texts are read; from here on ids are, out of a file
    context.log(data.describe())

    context.require_wanted()
    context.progress("loading the base model")
    identity = provenance.identify(base, version, tokenizer, spec)
    folder = context.folder / "checkpoints"
    resumed, dtype = _take_up(context, folder, identity, crew, keeper)
    ready = tuning.set_up(
        base, spec, tokenizer, train.examples, device=crew.device, dtype=dtype, split=crew.split(spec)
    )
    context.log(ready.describe())
    estimate.disk(ready.model, spec, ready.dtype, context.settings.data_dir).require()
    plan = batching.plan(spec, ready.layout, train.examples)
    loop.require_warmup_fits(spec, plan.steps(spec))
    share = Share(plan.batches_of, crew)
    found = provenance.describe(identity, base, crew, precision.name(dtype))

    result = results.Results(spec, base, tokenizer, ready, crew)
    best = validation.Best(folder, result.save) if spec.keep == "best" else None
    reporter = Reporter(
        context,
        Watched(
            lambda model: validation.measure(model, ready, validated.examples, spec.batch_size, crew),
            best,
            film.Film(tokenizer, ready, asked) if asked else None,
            tracking.open_tracker(spec, context.folder, resumed is None) if crew.is_main else None,
        ),
        crew,
        -(-len(share) // spec.accumulation),
    )
    trainer = loop.Loop(
        model=ready.model,
        args=loop.arguments(spec, ready, folder, crew),
        train_dataset=train.examples,
        data_collator=ready.collator,
        callbacks=[reporter],
        batches=share,
        processes=crew,
    )
    trainer.remove_callback(PrinterCallback)
    if spec.neftune:
        neftune.Noise(ready.base, spec.neftune)

    context.require_wanted()
    if crew.is_main:
        provenance.write(context.folder, found)
    with precision.lora_inputs_as_they_are(ready.model, ready.dtype):
        trainer.train(resume_from_checkpoint=str(resumed) if resumed else None)
    if reporter.stopped is StopMode.DISCARD and crew.is_main:
        shutil.rmtree(folder, ignore_errors=True)
        keeper.forget()
    if reporter.stopped:
        keeper.keep_checkpoint(folder)
        raise Cancelled

    context.progress("saving the result", trainer.state.global_step, trainer.state.max_steps)
    home = results.home_of(context.settings, context.job_id, spec)
    if not reporter.kept_step:
        result.save(trainer.model, home)
    elif crew.is_main:
        results.copy(checkpoints.best_folder(folder, reporter.kept_step), home)
    if not crew.is_main:
        return
    provenance.write(home, found)
    results.bring_steps(folder, home)
    told = _figures(context, data, ready, reporter, trainer.state)
    if spec.is_adapter:
        adapter = _adapter(home, spec, found, identity)
        ModelCard(context.card_before(adapter, told)).save(home / "README.md")
        context.finish(told | keeper.keep_result(home), adapter=adapter)
    else:
        model = _base_model(home, context, base, ready)
        context.finish(told | keeper.keep_result(home), base_model=model)
    shutil.rmtree(folder, ignore_errors=True)
    context.log(f"saved to {home} after {told['seconds']:,} seconds")


def _take_up(
    context: JobContext, folder: Path, identity: dict, crew: Processes, keeper: artifacts.Keeper
) -> tuple[Path | None, torch.dtype]:
    """The checkpoint to go on from, when an earlier attempt at this very run left a whole one; the format.

    A run goes on in the format it began in: asked again, a busy processor might choose another.
    """
    dtype, step = precision.pick(context.spec.precision, crew.device), 0
    if crew.is_main and checkpoints.claim(folder, identity) | keeper.bring_checkpoint(folder):
        found = checkpoints.last_valid(folder, crew.count)
        context.log(
            f"resuming from {found.name}" if found else "no whole checkpoint: starting from the first step"
        )
        if found:
            step = checkpoints.step_of(found)
            begun = provenance.read(context.folder)
            if begun.get("device") == crew.device.type:
                dtype = precision.FORMATS[begun["precision"]]
    step, index = crew.agree(step, _FORMATS.index(dtype))
    return (folder / f"checkpoint-{step}" if step else None), _FORMATS[index]


def _figures(
    context: JobContext,
    data: preflight.Data,
    ready: tuning.Tuning,
    reporter: Reporter,
    state: TrainerState,
) -> dict:
    """What the job's result tells people and pages; losses in nats a token."""
    train, looks = data.train, reporter.looks
    told = {
        "seconds": round(context.elapsed(), 1),
        "tokens": round(train.tokens * state.epoch),
        "rows": len(train.examples),
        "too_long": train.too_long,
        "empty_answer": train.empty_answer,
        "cut": train.cut,
        "steps": state.global_step,
        "stopped_early": reporter.stopped_early,
        "device": ready.device_name,
        "dtype": str(ready.dtype).removeprefix("torch."),
        **{name: round(value, 4) for name, value in reporter.losses.items()},
    }
    if reporter.kept_step:
        told |= {"best_step": looks.best_step, "best_eval_loss": round(looks.best, 4)}
    return told


def _adapter(home: Path, spec: TrainSpec, found: dict, identity: dict) -> dict:
    """The columns of the adapter that lies in `home`."""
    return {
        "name": spec.adapter_name,
        "path": str(home),
        "adapter_hash": results.hash_weights(home, spec),
        "packages": found["packages"],
        **identity,
    }


def _base_model(home: Path, context: JobContext, base: BaseModel, ready: tuning.Tuning) -> dict:
    """The columns of the whole model that lies in `home`."""
    return {
        "name": context.spec.adapter_name,
        "location": str(home),
        "description": f"{base.name}, every weight tuned by job {context.job_id}.",
        "parameters": ready.model.num_parameters(),
        "context_length": base.context_length,
    }


def _require_looks(spec: TrainSpec, validated: Encoded) -> None:
    """Raises ValueError when the settings ask about a validation loss there will never be."""
    if validated.examples:
        return
    for name, asked in (("keep", spec.keep == "best"), ("patience", spec.patience > 0)):
        if asked:
            raise ValueError(
                f"{name}: this version has no validation rows to judge by; freeze one that has, or keep the "
                "last weights and stop never (0)."
            )


def _tick(context: JobContext, done: int, total: int) -> None:
    context.require_wanted()
    context.progress("reading the rows", done, total)
