"""What one model scores more than another on the same rows, kept where it was reckoned once.

A gain pairs two finished evaluations of one task version row by row. Reckoning one takes about a second, so
the job that finishes an evaluation keeps the gains it brings: over its base, and of the adapters measured
before it. A page reckons only what it shows and nobody kept.
"""

from collections.abc import Collection, Iterable, Sequence
from dataclasses import asdict, dataclass, replace

from sqlalchemy import select
from sqlalchemy.orm import Session

from db import evaluations, jobs, leaks
from db.evaluations import LEVEL, WITHOUT_LEAKS
from db.metrics import measures, paired
from db.metrics.paired import Gain
from db.policy import Actor, Right, require
from db.predictions import require_same_task
from db.session import parts
from db.tables import Evaluation
from db.tables import Gain as KeptGain


@dataclass(frozen=True)
class Pair:
    """An evaluation, the one it is compared with, and in which measure (a key of their figures)."""

    evaluation_id: int
    against_id: int
    measure: str


@dataclass(frozen=True)
class Reckoned:
    """A gain, and how it was reckoned."""

    pair: Pair
    gain: Gain
    level: float = LEVEL
    seed: int = 0


@dataclass(frozen=True)
class OverBase:
    """What an adapter gained on one task over its base, `p` corrected over the adapter's tasks by Holm."""

    adapter_id: int
    evaluation: Evaluation
    base: Evaluation
    measure: str
    gain: Gain | None  # None: not reckoned yet
    p_holm: float | None = None


def gain_of(
    session: Session,
    evaluation_id: int,
    against_id: int,
    measure: str,
    *,
    level: float = LEVEL,
    seed: int = 0,
) -> Gain:
    """Reckon the gain anew. One in a measure WITHOUT_LEAKS leaves out rows found in either's train rows.

    Raises ValueError where the two cannot be compared: other rows, another measure, or one is unfinished.
    """
    evaluation, against = (evaluations.find(session, id) for id in (evaluation_id, against_id))
    require_same_task(evaluation, against)
    for one in (evaluation, against):
        if one.finished_at is None:
            raise ValueError(f"evaluation: number {one.id} is not finished; a gain needs all rows of both.")
    name = measure.removesuffix(WITHOUT_LEAKS)
    if name not in evaluation.figures or name not in against.figures:
        raise ValueError(f"measure: the two evaluations have no {name} in common; choose another measure.")
    left_out = _leaked(session, evaluation, against) if name != measure else frozenset()
    rows, others = (
        evaluations.load_counts(session, id).leave_out(left_out) for id in (evaluation_id, against_id)
    )
    return paired.compare(
        measures.get(name), rows.counts, others.counts, rows.documents, level=level, seed=seed
    )


def kept(
    session: Session, pairs: Collection[Pair], *, level: float | None = None, seed: int | None = None
) -> dict[Pair, Reckoned]:
    """Those that are kept; with `level` or `seed`, only those reckoned with them."""
    found: dict[Pair, Reckoned] = {}
    ids = sorted({pair.evaluation_id for pair in pairs})
    for some in parts(ids):
        for row in session.scalars(select(KeptGain).where(KeptGain.evaluation_id.in_(some))):
            one = _of_row(row)
            is_asked = level in (None, one.level) and seed in (None, one.seed)
            if one.pair in pairs and is_asked:
                found[one.pair] = one
    return found


def find_gain(
    session: Session,
    evaluation_id: int,
    against_id: int,
    measure: str,
    *,
    level: float = LEVEL,
    seed: int = 0,
) -> Gain:
    """The gain that is kept, else reckoned now. Raises as `gain_of`."""
    pair = Pair(evaluation_id, against_id, measure)
    if (known := kept(session, [pair], level=level, seed=seed).get(pair)) is not None:
        return known.gain
    return gain_of(session, evaluation_id, against_id, measure, level=level, seed=seed)


def reckon(session: Session, pairs: Iterable[Pair], *, level: float = LEVEL, seed: int = 0) -> list[Reckoned]:
    """Reckon each pair. Only reads; a second each."""
    return [
        Reckoned(pair, gain_of(session, *_names(pair), level=level, seed=seed), level, seed) for pair in pairs
    ]


def due_pairs(session: Session, evaluation_id: int, *, level: float = LEVEL, seed: int = 0) -> list[Pair]:
    """What a finished evaluation makes due and nobody kept: an adapter's gain over its base, or, of a base,
    those of its adapters. In the headline each, and where rows leaked in the headline without them.
    """
    evaluation = evaluations.find(session, evaluation_id)
    others = newest(session, evaluation.project_id, task_version_id=evaluation.task_version_id)
    couples = [(one, base) for one, base in over_base(others) if evaluation.id in (one.id, base.id)]
    wanted = [pair for one, base in couples for pair in pairs_of(one, base)]
    there = kept(session, wanted, level=level, seed=seed)
    return [pair for pair in wanted if pair not in there]


def keep_gains(session: Session, job_id: int, attempt: int, reckoned: Sequence[Reckoned]) -> None:
    """Keep what a job reckoned, in place of what was kept with another level or seed. Raises FencedError."""
    jobs.require_owned(session, job_id, attempt)
    _store(session, reckoned)


def keep_shown(session: Session, actor: Actor, reckoned: Sequence[Reckoned]) -> None:
    """Keep what a page reckoned because somebody looked at it; the same for whoever looks next."""
    require(actor, Right.READ)
    _store(session, reckoned)


def _store(session: Session, reckoned: Sequence[Reckoned]) -> None:
    for one in reckoned:
        query = select(KeptGain).where(
            KeptGain.evaluation_id == one.pair.evaluation_id,
            KeptGain.against_id == one.pair.against_id,
            KeptGain.measure == one.pair.measure,
        )
        result = {"level": one.level, "seed": one.seed, **asdict(one.gain)}
        if (row := session.scalar(query)) is not None:
            row.result = result
        else:
            session.add(KeptGain(**asdict(one.pair), result=result))
    session.flush()


# Adapters beside their bases --------------------------------------------------------------------------


def gains_against_base(
    session: Session, project_id: int, *, adapter_id: int | None = None, most_reckoned: int = 0
) -> list[OverBase]:
    """The newest of each adapter, task and way over the newest of its base, in the headline measure.

    Of those that nobody kept, the first `most_reckoned` are reckoned now; the others have no gain yet.
    """
    found = [
        (one, base)
        for one, base in over_base(newest(session, project_id))
        if adapter_id in (None, one.adapter_id)
    ]
    pairs = [Pair(one.id, base.id, one.measure) for one, base in found]
    gains = {pair: reckoned.gain for pair, reckoned in kept(session, pairs).items()}
    missing = [pair for pair in pairs if pair not in gains][:most_reckoned]
    gains |= {one.pair: one.gain for one in reckon(session, missing)}
    rows = [
        OverBase(one.adapter_id, one, base, one.measure, gains.get(pair))
        for (one, base), pair in zip(found, pairs, strict=True)
    ]
    return _corrected(rows)


def newest(session: Session, project_id: int, *, task_version_id: int | None = None) -> list[Evaluation]:
    """The newest finished evaluation of each model, task version and way, without what was removed."""
    found: dict[tuple, Evaluation] = {}
    for one in evaluations.list_evaluations(
        session, project_id, task_version_id=task_version_id, is_finished=True
    ):
        is_there = not any(
            part is not None and part.deleted_at is not None
            for part in (one.task_version, one.adapter, one.encoder)
        )
        if is_there:
            found.setdefault((model_of(one), one.task_version_id, one.way), one)
    return list(found.values())


def model_of(evaluation: Evaluation) -> tuple[int | None, int | None, int | None]:
    """Which model it is: base, adapter, encoder."""
    return evaluation.base_model_id, evaluation.adapter_id, evaluation.encoder_id


def over_base(listed: Sequence[Evaluation]) -> list[tuple[Evaluation, Evaluation]]:
    """Each adapter's evaluation with its base's, asked the same in the same way."""
    bases = {
        (one.base_model_id, one.task_version_id, one.way): one
        for one in listed
        if one.base_model_id is not None and one.adapter_id is None
    }
    keys = [(one, (one.base_model_id, one.task_version_id, one.way)) for one in listed if one.adapter_id]
    return [(one, bases[key]) for one, key in keys if key in bases and bases[key].measure == one.measure]


def pairs_of(evaluation: Evaluation, against: Evaluation) -> list[Pair]:
    """In the headline, and without leaks where the evaluation has that figure."""
    names = [evaluation.measure, evaluation.measure + WITHOUT_LEAKS]
    return [Pair(evaluation.id, against.id, name) for name in names if name in evaluation.figures]


def _corrected(rows: Sequence[OverBase]) -> list[OverBase]:
    """With Holm's correction over all that is shown of one adapter."""
    found = []
    for adapter_id in dict.fromkeys(row.adapter_id for row in rows):
        own = [row for row in rows if row.adapter_id == adapter_id]
        ps = paired.holm([row.gain.p if row.gain else None for row in own])
        found += [replace(row, p_holm=p) for row, p in zip(own, ps, strict=True)]
    return found


def _leaked(session: Session, *both: Evaluation) -> frozenset[int]:
    """The rows that were found among the train rows of either."""
    found: set[int] = set()
    for one in both:
        version_id = one.adapter.dataset_version_id if one.adapter else None
        if version_id is not None:
            found |= leaks.positions(session, one.task_version_id, version_id)
    return frozenset(found)


def _of_row(row: KeptGain) -> Reckoned:
    result = dict(row.result)
    level, seed = result.pop("level"), result.pop("seed")
    return Reckoned(Pair(row.evaluation_id, row.against_id, row.measure), Gain.of_json(result), level, seed)


def _names(pair: Pair) -> tuple[int, int, str]:
    return pair.evaluation_id, pair.against_id, pair.measure
