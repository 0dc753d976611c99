"""What a training run would do, before it is started: rows, tokens, steps and roughly how long.

The time comes from a few real optimizer steps on this machine, with the very settings of the run.
"""

import time

import torch

from db.enums import Split
from db.train_spec import TrainSpec
from trainer.context import JobContext
from trainer.data.collate import to_device
from trainer.data.encode import Encoded
from trainer.models import load, precision, tuning

_STEPS = 3  # timed, after one that warms up


def run(context: JobContext) -> None:
    """Carry the job out. Raises ValueError with one sentence for bad data, base or settings; Cancelled."""
    spec: TrainSpec = context.spec

    context.progress("reading the rows")
    base = context.base_model()
    tokenizer = load.load_tokenizer(base.location, base.revision)
    rows, longest = context.rows(), tuning.longest_row(base, spec)
    train = tuning.encode_split(tokenizer, rows, Split.TRAIN, longest)
    validation = tuning.encode_split(tokenizer, rows, Split.VALIDATION, longest)

    context.require_wanted()
    context.progress("loading the base model")
    ready = tuning.set_up(base, spec, tokenizer, train.examples)
    set_up_seconds = context.elapsed()

    context.progress("timing a few steps")
    with precision.lora_inputs_as_they_are(ready.model, ready.dtype):
        per_token = _seconds_per_token(context, ready, train, spec)
    looked_at = validation.tokens * (spec.epochs + 1) / 3  # a forward pass is a third of a step
    context.finish(
        {
            "rows": len(rows[Split.TRAIN]),
            "kept": len(train.examples),
            "too_long": train.too_long,
            "empty_answer": train.empty_answer,
            "tokens": train.tokens,
            "labelled_tokens": train.labelled_tokens,
            "steps": tuning.count_steps(len(train.examples), spec),
            "seconds": round(set_up_seconds + per_token * (train.tokens * spec.epochs + looked_at), 1),
            "device": ready.device_name,
            **_lengths(train),
        }
    )


def _seconds_per_token(context: JobContext, ready: tuning.Tuning, train: Encoded, spec: TrainSpec) -> float:
    """Seconds of training a token of the rows takes, optimizer included."""
    weights = [weight for weight in ready.model.parameters() if weight.requires_grad]
    optimizer = torch.optim.AdamW(weights, lr=spec.learning_rate)
    ready.model.train()
    seconds, tokens = 0.0, 0
    for step in range(_STEPS + 1):
        context.require_wanted()
        begin = step * spec.batch_size % len(train.examples)
        examples = train.examples[begin : begin + spec.batch_size]
        start = time.perf_counter()
        _step(ready, optimizer, weights, examples)
        if step:  # the first one allocates and compiles
            seconds += time.perf_counter() - start
            tokens += sum(len(example.ids) for example in examples)
    return seconds / tokens


def _step(ready: tuning.Tuning, optimizer, weights, examples) -> None:
    batch = to_device(ready.collator.collate(examples), ready.device)
    with precision.autocast(ready.device, ready.dtype):
        loss = ready.model(**batch).loss
    loss.backward()
    torch.nn.utils.clip_grad_norm_(weights, 1.0)
    optimizer.step()
    optimizer.zero_grad()
    loss.item()  # waits for the GPU


def _lengths(train: Encoded) -> dict:
    lengths = sorted(len(example.ids) for example in train.examples)
    at = {str(share): lengths[min(len(lengths) * share // 100, len(lengths) - 1)] for share in (50, 90, 99)}
    return {"longest": lengths[-1], "percentiles": at}
