"""What one evaluation gained over another, measure by measure: reckoned once, a second each, and kept."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace
from time import monotonic

from bioui.components.progress import NO_PROGRESS, progress_value
from bioui.components.result_figures import NO_GAINS, GainRow, gains_value
from bioui.resulting import Chosen, Pair, measures_shown, name_of, open_pair
from db import evaluations, gains
from db.evaluations import WITHOUT_LEAKS
from db.gains import Reckoned
from db.metrics.measures import Measure
from db.policy import Actor
from db.session import read, write

Wanted = Sequence[tuple[Measure, gains.Pair]]


def gain_steps(project_id: int, actor: Actor, chosen: Chosen) -> Iterator[tuple[dict, dict]]:
    """(gains, progress): at once where all are kept; else what is being reckoned, and then the gains."""
    with read() as session:
        pair = open_pair(session, project_id, chosen.evaluation_id, chosen.against_id)
        wanted, level = _wanted(pair), evaluations.level_of(session, pair.evaluation)
        known = gains.kept(session, [one for _, one in wanted], level=level)
    missing = [(measure, one) for measure, one in wanted if one not in known]
    if missing:
        yield NO_GAINS, _progress(missing, 0)
    begun = monotonic()
    for done, (_, one) in enumerate(missing, start=1):
        with read() as session:
            reckoned = gains.reckon(session, [one], level=level)
        with write() as session:
            gains.keep_shown(session, actor, reckoned)
        known[one] = reckoned[0]
        if done < len(missing):
            yield NO_GAINS, _progress(missing, done, monotonic() - begun)
    yield _value(pair, wanted, known, level), NO_PROGRESS


def _wanted(pair: Pair) -> Wanted:
    """The measures that both sides have (unfinished ones have none), and the headline without leaked rows."""
    sides = [each.figures for each, _ in pair.sides]
    names = [
        (measure, measure.name)
        for measure in measures_shown(pair)
        if all(measure.name in side for side in sides)
    ]
    without = pair.evaluation.measure + WITHOUT_LEAKS
    if names and names[0][1] == pair.evaluation.measure and without in pair.evaluation.figures:
        headline = names[0][0]
        names.insert(1, (replace(headline, title=f"{headline.title}, without leaked rows"), without))
    chosen = pair.chosen
    return [(measure, gains.Pair(chosen.evaluation_id, chosen.against_id, name)) for measure, name in names]


def _progress(missing: Wanted, done: int, seconds: float | None = None) -> dict:
    note = f"{missing[done][0].title}: resampling the documents"
    return progress_value(
        "Reckoning the gains", done, len(missing), unit="measures", seconds=seconds, note=note
    )


def _value(pair: Pair, wanted: Wanted, known: Mapping[gains.Pair, Reckoned], level: float) -> dict:
    ours, theirs = name_of(pair.evaluation), name_of(pair.against)
    rows = [_row(measure, known[one]) for measure, one in wanted]
    title = "What tuning changed" if pair.is_of_base else "The difference"
    return gains_value(title, f"{ours} less {theirs}, on the same rows and prompts.", rows, level=level)


def _row(measure: Measure, reckoned: Reckoned) -> GainRow:
    gain = reckoned.gain
    intervals = vars(gain.absolute), vars(gain.relative)
    return GainRow(measure, *intervals, gain.p, gain.test, gain.gained, gain.lost)
