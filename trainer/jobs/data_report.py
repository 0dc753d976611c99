"""What a training run would do, before it is started: rows, tokens, steps, and roughly what it costs.

The rows are read as the run reads them, and what would stop the run stops the report with the same sentence.
Time and memory come from a few real optimizer steps on this machine with the very settings of the run.

The result, for the page:

    rows, kept                  training rows found and used; `validation_rows` used to look at the loss
    too_long, empty_answer      left out; `dropped` lists the same as [{reason, rows}]
    cut                         kept without the end of their answer
    tokens, labelled_tokens     of the kept rows, an epoch; `labelled_share` of them count in the loss
    longest, percentiles        tokens of the kept rows: the longest, {"50", "90", "99"}
    cut_off, context            tokens a row may have; tokens the base can read (None: unknown)
    found_percentiles           tokens of all rows with an answer: {"50", "75", "90", "95", "99", "100"}
    histogram                   of those: [{from, to, rows}], both ends included; a bar ends at the cut-off
    truncation                  {choice: drop or cut, rows over the cut-off, cut, tokens lost}
    endless                     rows behind whose answer the template writes no end token
    duplicates                  {train, validation, validation_in_train, test_in_train}
    samples                     three rows: [{row, instruction_id, tokens, labelled_tokens, is_cut,
                                pieces: [{text, labelled}]}]
    batching, steps             the layout that was chosen, optimizer steps of the whole run
    rows_a_step, fill           effective batch size on average; share of positions that are no padding
    seconds, seconds_range      of the whole run on this machine: the estimate, [low, high]
    tokens_per_second           as measured
    memory                      bytes at most: {low, high, there}, of the GPU or of the process
                                (the last four are None for a base that FSDP splits over several GPUs)
    disk                        bytes: {needed, checkpoint, result, free}
    device, template_hash       what was measured on; the chat template, which is the playground's
    warnings                    sentences: what does not stop a run and should be known
"""

import time
from math import ceil

import torch

from db.enums import Split
from db.train_spec import TrainSpec
from trainer.context import JobContext
from trainer.data import batching, describe, estimate, preflight, warn
from trainer.data.collate import to_device
from trainer.models import load, precision, tuning

_STEPS = 3  # timed, after one that warms up


def run(context: JobContext) -> None:
    """Carry the job out. Raises ValueError with one sentence for bad data, base or settings; Cancelled."""
    spec: TrainSpec = context.spec

    def tick(done: int, total: int) -> None:
        context.require_wanted()
        context.progress("encoding the rows", done, total)

    context.progress("reading the rows")
    base, rows = context.base_model(), context.rows()
    tokenizer = load.load_tokenizer(base.location, base.revision)
    data = preflight.read(context.settings, base, tokenizer, rows, spec, tick)
    told = {
        **describe.figures(data, spec.too_long),
        "context": base.context_length,
        "duplicates": describe.duplicates(data, rows),
        "samples": describe.samples(tokenizer, data.train, rows[Split.TRAIN]),
    }
    del rows  # the texts are read; from here on ids are, out of a file

    context.require_wanted()
    context.progress("loading the base model")
    ready = tuning.set_up(base, spec, tokenizer, data.train.examples)
    disk = estimate.disk(ready.model, spec, ready.dtype, context.settings.data_dir)
    disk.require()
    plan = batching.plan(spec, ready.layout, data.train.examples)
    cost = _cost(context, ready, data, plan)
    result = {
        **told,
        "batching": plan.layout,
        "steps": plan.steps(spec),
        "rows_a_step": round(plan.rows_a_step(spec), 1),
        "fill": round(plan.fill, 3),
        **cost,
        "disk": {
            "needed": disk.needed,
            "checkpoint": disk.checkpoint,
            "result": disk.result,
            "free": disk.free,
        },
        "device": ready.device_name,
        "template_hash": load.template_hash(tokenizer),
    }
    context.finish({**result, "warnings": warn.sentences(result)})


def _cost(context: JobContext, ready: tuning.Tuning, data: preflight.Data, plan: batching.Plan) -> dict:
    """Time and memory of the run, from a few of its steps."""
    spec: TrainSpec = context.spec
    if spec.strategy == "fsdp" and ready.device.type == "cuda":  # it need not fit in one GPU
        return dict.fromkeys(("seconds", "seconds_range", "tokens_per_second", "memory"))
    set_up_seconds = context.elapsed()
    context.progress("timing a few steps")
    with precision.lora_inputs_as_they_are(ready.model, ready.dtype):
        per_token = _seconds_per_token(context, ready, data.train.examples, plan)
    tokens = _tokens_of_run(data, plan, spec, ready.device)
    mean = sum(per_token) / len(per_token)
    low, high = estimate.time_range(per_token, tokens)
    memory_low, memory_high = estimate.memory_range(ready.device)
    return {
        "seconds": round(set_up_seconds + mean * tokens, 1),
        "seconds_range": [round(set_up_seconds + low, 1), round(set_up_seconds + high, 1)],
        "tokens_per_second": round(1 / mean, 1),
        "memory": {
            "low": int(memory_low),
            "high": int(memory_high),
            "there": estimate.memory_there(ready.device),
        },
    }


def _seconds_per_token(context: JobContext, ready: tuning.Tuning, examples, plan) -> list[float]:
    """Seconds of training a token takes, optimizer included, in each of a few steps.

    The plan's first batch, the largest, warms up: after it the memory taken is what the run will take.
    """
    spec: TrainSpec = context.spec
    if ready.recomputes(spec):
        ready.model.activation_checkpointing_enable()  # as the Trainer does
    weights = [weight for weight in ready.model.parameters() if weight.requires_grad]
    optimizer = torch.optim.AdamW(weights, lr=spec.learning_rate)
    ready.model.train()
    batches, measured = plan.batches_of(0), []
    for step in range(_STEPS + 1):
        context.require_wanted()
        batch = [examples[row] for row in batches[step % len(batches)]]
        learning, updating = _step(ready, optimizer, weights, batch)
        if step:
            tokens = sum(len(example.ids) for example in batch)
            measured.append((learning + updating / spec.accumulation) / tokens)
    return measured


def _step(ready: tuning.Tuning, optimizer, weights, examples) -> tuple[float, float]:
    """Seconds of the forward and backward pass, and of the update."""
    begin = time.perf_counter()
    batch = to_device(ready.collator.collate(examples), ready.device)
    with precision.autocast(ready.device, ready.dtype):
        loss = ready.model(**batch).loss
    loss.backward()
    loss.item()  # waits for the GPU
    learned = time.perf_counter()
    norm = torch.nn.utils.clip_grad_norm_(weights, 1.0)
    optimizer.step()
    optimizer.zero_grad()
    norm.item()
    return learned - begin, time.perf_counter() - learned


def _tokens_of_run(data: preflight.Data, plan: batching.Plan, spec: TrainSpec, device: torch.device) -> float:
    """Tokens that go one after the other through the device measured: the work of all that work at once.

    Those only looked at count a third: a forward, no backward pass. Processes on CPUs share their cores.
    """
    steps = plan.steps(spec)
    an_epoch = ceil(ceil(plan.batches / (spec.processes * spec.machines)) / spec.accumulation)
    looks = 1 + steps // (spec.evaluate_every or an_epoch)
    at_once = spec.machines * (spec.processes if device.type == "cuda" else 1)
    return (data.train.tokens * steps / an_epoch + data.validation.tokens * looks / 3) / at_once
