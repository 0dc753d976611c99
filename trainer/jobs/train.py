"""Tune a base with LoRA on a frozen version: set up, train, save, register. Read from the top.

The loss counts on answers alone. A run that stopped early goes on from its last whole checkpoint, provided
data, base and settings are still the same. It knows the context, not the database or the queue.
"""

import json
import re
import shutil
from dataclasses import asdict
from importlib.metadata import version as installed
from pathlib import Path

import torch
from transformers import PrinterCallback, Trainer, TrainingArguments, set_seed

from db.enums import Split
from db.registry import hash_file
from db.train_spec import TrainSpec
from trainer.context import JobContext
from trainer.data.collate import to_device
from trainer.data.encode import Encoded, Example
from trainer.models import checkpoints, load, lora, precision, tuning
from trainer.reporter import Reporter

PACKAGES = ("torch", "transformers", "peft", "accelerate", "tokenizers", "safetensors")


def run(context: JobContext) -> None:
    """Carry the job out. Raises ValueError with one sentence for bad data, base or settings; Cancelled."""
    spec: TrainSpec = context.spec
    set_seed(spec.seed)

    context.progress("reading the rows")
    base, version = context.base_model(), context.dataset_version()
    tokenizer = load.load_tokenizer(base.location, base.revision)
    rows, longest = context.rows(), tuning.longest_row(base, spec)
    train = tuning.encode_split(tokenizer, rows, Split.TRAIN, longest)
    validation = tuning.encode_split(tokenizer, rows, Split.VALIDATION, longest)
    context.log(_describe_rows(train, validation, longest))

    context.require_wanted()
    context.progress("loading the base model")
    ready = tuning.set_up(base, spec, tokenizer, train.examples)
    context.log(ready.describe())
    provenance = {
        "base_model_id": base.id,
        "base_revision": load.base_revision(base.location, base.revision),
        "template_hash": load.template_hash(tokenizer),
        "dataset_version_id": version.id,
        "data_hash": version.content_hash,
        "seed": spec.seed,
        "spec": asdict(spec),
    }

    folder = context.folder / "checkpoints"
    resumed = _find_checkpoint(context, folder, provenance)
    first_step = int(resumed.name.rsplit("-", 1)[1]) if resumed else 0
    reporter = Reporter(context, ready.collator, lambda: _validate(ready, validation, spec), first_step)
    trainer = Trainer(
        model=ready.model,
        args=_arguments(spec, ready, folder),
        train_dataset=train.examples,
        data_collator=ready.collator,
        callbacks=[reporter],
    )
    trainer.remove_callback(PrinterCallback)
    context.require_wanted()
    with precision.lora_inputs_as_they_are(ready.model, ready.dtype):
        trainer.train(resume_from_checkpoint=str(resumed) if resumed else None)
    context.require_wanted()

    context.progress("saving the adapter", trainer.state.global_step, trainer.state.max_steps)
    home = context.settings.adapters_dir / f"{context.job_id}-{_slug(spec.adapter_name)}"
    weights = lora.save(ready.model, home, base=base.location)
    packages = {name: installed(name) for name in PACKAGES}
    (home / "provenance.json").write_text(json.dumps({**provenance, "packages": packages}, indent=2))
    result = {
        "seconds": round(context.elapsed(), 1),
        "tokens": round(train.tokens * spec.epochs),
        "rows": len(train.examples),
        "too_long": train.too_long,
        "empty_answer": train.empty_answer,
        "steps": trainer.state.global_step,
        "device": ready.device_name,
        "dtype": str(ready.dtype).removeprefix("torch."),
        **{name: round(value, 4) for name, value in reporter.losses.items()},
    }
    adapter = {
        "name": spec.adapter_name,
        "path": str(home),
        "adapter_hash": hash_file(weights),
        "packages": packages,
        **provenance,
    }
    context.finish(result, adapter=adapter)
    shutil.rmtree(folder, ignore_errors=True)
    context.log(f"adapter saved to {home} after {result['seconds']:,} seconds")


def _arguments(spec: TrainSpec, ready: tuning.Tuning, folder: Path) -> TrainingArguments:
    """Logging, saving and evaluating are the Reporter's to decide, hence all the "no"."""
    return TrainingArguments(
        output_dir=str(folder),
        num_train_epochs=spec.epochs,
        per_device_train_batch_size=spec.batch_size,
        gradient_accumulation_steps=spec.accumulation,
        learning_rate=spec.learning_rate,
        lr_scheduler_type=spec.scheduler,
        warmup_steps=spec.warmup,  # below 1 it is a share of the steps
        weight_decay=spec.weight_decay,
        seed=spec.seed,
        bf16=ready.dtype is torch.bfloat16,
        use_cpu=ready.device.type == "cpu",
        activation_checkpointing=ready.is_large,
        logging_strategy="no",
        logging_nan_inf_filter=False,  # a loss that is no number must show
        eval_strategy="no",
        save_strategy="no",
        save_total_limit=2,
        disable_tqdm=True,
        report_to="none",
        remove_unused_columns=False,
        label_names=["labels"],
        dataloader_pin_memory=ready.device.type == "cuda",
    )


def _find_checkpoint(context: JobContext, folder: Path, provenance: dict) -> Path | None:
    """The checkpoint to go on from, when an earlier attempt at this very run left a whole one."""
    if not checkpoints.claim(folder, provenance):
        return None
    found = checkpoints.last_valid(folder)
    context.log(
        f"resuming from {found.name}" if found else "no whole checkpoint: starting from the first step"
    )
    return found


@torch.no_grad()
def _validate(ready: tuning.Tuning, validation: Encoded, spec: TrainSpec) -> float | None:
    """Mean loss over the labelled tokens of the validation rows, in nats; None without such rows."""
    if not validation.examples:
        return None
    ready.model.eval()
    total = torch.zeros((), dtype=torch.float64)
    with precision.autocast(ready.device, ready.dtype):
        for examples in _batches(validation.examples, spec.batch_size):
            batch = to_device(ready.collator.collate(examples), ready.device)
            labelled = sum(len(example.ids) - example.answer_start for example in examples)
            total += float(ready.model(**batch).loss) * labelled
    ready.model.train()
    return float(total) / validation.labelled_tokens


def _batches(examples: list[Example], size: int) -> list[list[Example]]:
    """Batches of rows of like length, so that little is padded where padding it must be."""
    ordered = sorted(examples, key=lambda example: len(example.ids))
    return [ordered[begin : begin + size] for begin in range(0, len(ordered), size)]


def _describe_rows(train: Encoded, validation: Encoded, longest: int) -> str:
    return (
        f"{len(train.examples)} training rows, {train.tokens:,} tokens, {train.labelled_tokens:,} of them "
        f"answers; {len(validation.examples)} validation rows; left out: {train.too_long} longer than "
        f"{longest} tokens, {train.empty_answer} without an answer"
    )


def _slug(name: str) -> str:
    """A folder name: lower-case letters, digits and dashes."""
    return re.sub(r"[^a-z0-9]+", "-", name.lower()).strip("-")[:48] or "adapter"
