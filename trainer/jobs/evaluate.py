"""Score one model on frozen tasks: check, load, ask, score, sum up. Read from the top.

Each task is asked in one or two ways; each of these is an evaluation of its own, stored row by row, so a job
that stopped in any way goes on from the rows that are not there yet. Nothing is stored before every task is
known to fit the model. It knows the context and db's evaluations; `trainer.evaluating` asks the model.

The result, for the page:

    evaluations                 their numbers, in the order they were asked
    rows, tokens                scored by this attempt; read and written to score them
    rows_per_second, seconds    of this attempt; of the whole job
    too_long                    rows whose question the model cannot take in, scored as wrong
    cut                         written answers that reached the longest allowed, or the end of the context
    leaks                       task rows found among the adapter's train rows
    device, precision           what it was computed on and in
"""

from collections import Counter
from typing import Any

from db import evaluations, gains, leaks
from db.enums import Way
from db.evaluate_spec import EvaluateSpec
from db.evaluations import Scored
from db.session import read
from trainer import provenance
from trainer.context import JobContext
from trainer.evaluating import batches
from trainer.evaluating.asking import TOO_LONG, Examiner
from trainer.evaluating.ledger import Ledger
from trainer.evaluating.pace import Pace
from trainer.evaluating.parts import Part, read_parts, read_target
from trainer.evaluating.subject import Subject, load_subject
from trainer.generating.ledger import write_owned
from trainer.models import load
from trainer.serve.catalog import Target

_IDENTITY = ("base", "adapter", "template_hash", "precision")  # what makes two attempts the same evaluation


def run(context: JobContext) -> None:
    """Carry the job out. Raises ValueError or LookupError with one sentence; Cancelled when asked to stop."""
    spec: EvaluateSpec = context.spec
    context.progress("reading the tasks")
    target, context_length, tuned_on = read_target(context)
    parts = read_parts(context)

    context.progress("loading the model")
    subject = _load(context, target, context_length)
    context.require_wanted()
    budget = batches.Budget(spec.batch_tokens) if spec.batch_tokens else batches.auto(subject.model)
    context.log(
        f"{subject.facts['precision']} on {subject.facts['device']}, {budget.tokens:,} tokens a batch"
    )
    examiners = [
        Examiner(
            subject,
            part.task,
            part.version.examples,
            budget,
            max_tokens=spec.max_tokens,
            cyclic=spec.cyclic,
            tick=context.require_wanted,
        )
        for part in parts
    ]
    for part, examiner in zip(parts, examiners, strict=True):
        _require_a_row_fits(context, part, examiner, subject)

    leaked = [_look_for_leaks(context, part, tuned_on) for part in parts]
    pace = Pace(context, sum(part.version.rows * len(part.ways) for part in parts))
    begun, seen = [], Counter[str]()
    for part, examiner, found in zip(parts, examiners, leaked, strict=True):
        for way in part.ways:
            evaluation_id = _begin(context, part, way, subject, budget)
            seen += _score(context, evaluation_id, part, way, examiner, pace)
            context.progress("summing up", pace.done, pace.total)
            _finish(context, evaluation_id, found)
            begun.append(evaluation_id)
            context.log(f"{part.version.name} by {way}: evaluation {evaluation_id} is finished")
    context.finish(
        {
            "evaluations": begun,
            "rows": pace.rows,
            "tokens": pace.tokens,
            "rows_per_second": round(pace.rows_per_second, 2),
            "seconds": round(context.elapsed(), 1),
            "too_long": seen[TOO_LONG],
            "cut": seen["cut"],
            "leaks": sum(map(len, leaked)),
            "device": subject.facts["device"],
            "precision": subject.facts["precision"],
        }
    )


def _load(context: JobContext, target: Target, context_length: int | None) -> Subject:
    """The model, in the format that an earlier attempt took. Raises ValueError when it is not the same."""
    before = provenance.read(context.folder)
    is_same_device = before.get("device") == load.pick_device().type
    precision = before["precision"] if is_same_device else context.spec.precision
    subject = load_subject(target, precision, context_length)
    changed = [name for name in _IDENTITY if before and before.get(name) != subject.facts[name]]
    if changed and is_same_device:
        raise ValueError(
            f"base model: its {changed[0].replace('_', ' ')} changed since this evaluation began, so its "
            "rows would not be of one model; start a new evaluation."
        )
    context.folder.mkdir(parents=True, exist_ok=True)
    provenance.write(context.folder, dict(subject.facts))
    return subject


def _require_a_row_fits(context: JobContext, part: Part, examiner: Examiner, subject: Subject) -> None:
    for cases in part.cases():
        context.require_wanted()
        if any(examiner.fits(case) for case in cases):
            return
    raise ValueError(
        f"task: every row of {part.version.name} is longer than the {subject.context:,} tokens that the "
        "model takes in; choose a model that takes more, or freeze the task with fewer examples."
    )


def _look_for_leaks(context: JobContext, part: Part, tuned_on: int | None) -> set[int]:
    """Positions of the task's rows that stand among the adapter's train rows; looked for once a pair."""
    if tuned_on is None or not context.spec.look_for_leaks:
        return set()
    task_id = part.version.id
    with read() as s:
        if leaks.find_check(s, task_id, tuned_on) is not None:
            return leaks.positions(s, task_id, tuned_on)
        train, asked = leaks.load(s, task_id, tuned_on)

    def tell(done: int) -> None:
        context.require_wanted()
        context.progress(f"looking for {part.version.name} in the train rows", done, len(train))

    found = leaks.check(train, asked, tell=tell)
    write_owned(
        context.job_id,
        context.attempt,
        lambda s: leaks.keep(s, context.job_id, context.attempt, task_id, tuned_on, found),
    )
    return {one.position for one in found}


def _begin(context: JobContext, part: Part, way: Way, subject: Subject, budget: batches.Budget) -> int:
    """The evaluation of this job, task and way: a new one, or the one an earlier attempt began."""
    spec: EvaluateSpec = context.spec
    facts: dict[str, Any] = {
        **subject.facts,
        "task_hash": part.version.content_hash,
        "shots": len(part.version.examples),
        "batch_tokens": budget.tokens,
    }
    if way is Way.GENERATION:
        facts |= {"decoding": "greedy", "max_tokens": spec.max_tokens or part.task.max_tokens}
    else:
        facts |= {"orders": "cyclic" if spec.cyclic else "first", "shared": subject.reads_trees}
    evaluation = write_owned(
        context.job_id,
        context.attempt,
        lambda s: evaluations.begin(
            s,
            context.job_id,
            context.attempt,
            part.version.id,
            way,
            base_model_id=spec.base_model_id,
            adapter_id=spec.adapter_id or None,
            provenance=facts,
        ),
    )
    return evaluation.id


def _score(
    context: JobContext, evaluation_id: int, part: Part, way: Way, examiner: Examiner, pace: Pace
) -> Counter[str]:
    """Score the rows that are not scored yet; how many were too long, and how many answers were cut."""
    with read() as s:
        done = evaluations.done_positions(s, evaluation_id)
    pace.turn_to(f"{part.version.name} by {way}", len(done))
    seen = Counter[str]()
    with Ledger(context.job_id, context.attempt, evaluation_id) as ledger:
        for cases in part.cases():
            left = [case for case in cases if case.position not in done]
            for scored in examiner.ask(left, way):
                context.require_wanted()
                ledger.add(scored)
                seen.update(name for one in scored for name in _remarkable(one))
                pace.went_on(len(scored), examiner.take_tokens())
    return seen


def _remarkable(one: Scored) -> list[str]:
    kinds = {kind for kind, _ in one.score.said.get("faults", ())}
    return [
        name for name, is_so in ((TOO_LONG, TOO_LONG in kinds), ("cut", "cut" in one.score.said)) if is_so
    ]


def _finish(context: JobContext, evaluation_id: int, leaked: set[int]) -> None:
    """Sum the rows up, and keep what the model gained over its base, or its adapters over it."""
    spec, job_id, attempt = context.spec, context.job_id, context.attempt
    with read() as s:
        is_finished = evaluations.find(s, evaluation_id).finished_at is not None
    if not is_finished:
        with read() as s:
            summary = evaluations.summarise(
                s, evaluation_id, level=spec.level, seed=spec.seed, without=leaked
            )
        write_owned(job_id, attempt, lambda s: evaluations.finish(s, job_id, attempt, evaluation_id, summary))
    context.require_wanted()
    with read() as s:
        due = gains.due_pairs(s, evaluation_id, level=spec.level, seed=spec.seed)
        reckoned = gains.reckon(s, due, level=spec.level, seed=spec.seed)
    if reckoned:
        write_owned(job_id, attempt, lambda s: gains.keep_gains(s, job_id, attempt, reckoned))
