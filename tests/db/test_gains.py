"""Gains: row by row on one task version, kept once reckoned, corrected over an adapter's tasks."""

import pytest

from db import gains, leaks
from db.enums import Category
from db.evaluations import Counts
from db.gains import Pair
from db.leaks import Found
from db.metrics import measures, paired
from db.session import read, write
from tests.db.evaluated import ROWS, add_task, begin, evaluate, make_setting, spans

BASE = [True] * 4 + [False] * 8
TUNED = [True] * 3 + [False] + [True] * 7 + [False]  # 7 fixed, 1 broken


@pytest.fixture
def setting(people, project_id):
    return make_setting(people, project_id)


def test_a_gain_pairs_the_rows_by_position(setting):
    base, tuned = evaluate(setting, BASE), evaluate(setting, TUNED, adapter=True)
    with read() as session:
        gain = gains.find_gain(session, tuned, base, "accuracy")
        again = gains.gain_of(session, tuned, base, "accuracy")
    assert gain == again
    assert (gain.n, gain.gained, gain.lost) == (ROWS, 7, 1)
    assert gain.absolute.value == pytest.approx(6 / 12)
    assert gain.relative.value == pytest.approx(10 / 4 - 1)
    assert gain.p == pytest.approx(2 * 9 / 2**8)  # two-sided binomial: 1 of 8 or fewer
    assert "McNemar" in gain.test


def test_what_cannot_be_compared_is_one_sentence(setting):
    tuned = evaluate(setting, TUNED, adapter=True)
    elsewhere = evaluate(setting, BASE, "General")
    _, unfinished = begin(setting)
    with read() as session:
        with pytest.raises(ValueError, match="^against: evaluation .* is of another task version"):
            gains.gain_of(session, tuned, elsewhere, "accuracy")
        with pytest.raises(ValueError, match="is not finished; a gain needs all rows of both"):
            gains.gain_of(session, tuned, unfinished, "accuracy")
        with pytest.raises(ValueError, match="have no rouge_l in common"):
            gains.gain_of(session, tuned, tuned, "rouge_l")


@pytest.mark.parametrize("base_first", [True, False])
def test_whichever_finishes_last_keeps_the_gain(setting, base_first):
    first = evaluate(setting, *((BASE,) if base_first else (TUNED,)), adapter=not base_first)
    last = evaluate(setting, TUNED if base_first else BASE, adapter=base_first)
    tuned, base = (last, first) if base_first else (first, last)
    pair = Pair(tuned, base, "accuracy")
    with read() as session:
        assert gains.due_pairs(session, last) == []
        assert gains.due_pairs(session, last, level=0.9) == [pair]
        kept = gains.kept(session, [pair])
        assert kept[pair].gain.gained == 7
        assert kept[pair].level == 0.95
        assert gains.kept(session, [pair], level=0.9) == {}


def test_a_page_reckons_no_more_than_it_is_allowed(setting):
    evaluate(setting, BASE, keeps=False)
    evaluate(setting, TUNED, adapter=True, keeps=False)
    with read() as session:
        [found] = gains.gains_against_base(session, setting.project_id)
        assert found.gain is None
        [found] = gains.gains_against_base(session, setting.project_id, most_reckoned=1)
        assert found.gain.gained == 7


def test_p_is_corrected_over_the_adapters_tasks(setting):
    for task, tuned in (("Letters", TUNED), ("General", [True] * 4 + [False] * 7 + [True])):
        evaluate(setting, BASE, task)
        evaluate(setting, tuned, task, adapter=True)
    with read() as session:
        found = gains.gains_against_base(session, setting.project_id)
    by_task = {one.evaluation.task_version.name: one for one in found}
    raw = {name: one.gain.p for name, one in by_task.items()}
    assert raw == {"Letters": pytest.approx(18 / 256), "General": 1.0}
    assert by_task["Letters"].p_holm == pytest.approx(36 / 256)  # the smaller one twice
    assert by_task["General"].p_holm == 1.0


def test_the_newest_evaluations_count_and_those_of_removed_tasks_do_not(setting):
    evaluate(setting, BASE)
    evaluate(setting, TUNED, adapter=True)
    newest = evaluate(setting, BASE, adapter=True)
    with read() as session:
        [found] = gains.gains_against_base(session, setting.project_id)
    assert found.evaluation.id == newest
    assert found.gain.gained == found.gain.lost == 0


def test_a_gain_is_reckoned_without_the_rows_that_leaked_too(setting):
    owner, _ = begin(setting)
    leaked = [Found(at, 0, "exact", 1.0) for at in (4, 5)]
    with write() as session:
        leaks.keep(session, *owner, setting.tasks["Letters"], setting.version_id, leaked)
    base = evaluate(setting, BASE)
    tuned = evaluate(setting, TUNED, adapter=True, without=(4, 5))
    pair = Pair(tuned, base, "accuracy without leaks")
    with read() as session:
        gain = gains.kept(session, [pair])[pair].gain
    assert (gain.n, gain.gained, gain.lost) == (ROWS - 2, 5, 1)


def test_labels_that_only_one_of_two_said_count_for_both():
    ours = Counts((0, 1), ("a", "b"), ({"right:X": 1}, {"missed:Y": 1}))
    theirs = Counts((0, 1), ("a", "b"), ({"missed:X": 1, "wrong:Z": 1}, {"missed:Y": 1}))
    gain = paired.compare(measures.get("macro_f1"), ours.counts, theirs.counts, ours.documents)
    assert gain.absolute.value == pytest.approx(1 / 2)  # (1 + 0) / 2 labels against 0 of 3


def test_gains_of_spans_are_of_the_task_they_were_counted_on(setting):
    add_task(setting, "Spans", category=Category.IE)
    base = evaluate(setting, spans(2), "Spans")
    tuned = evaluate(setting, spans(9), "Spans", adapter=True)
    with read() as session:
        gain = gains.find_gain(session, tuned, base, "strict_f1")
    assert gain.absolute.value == pytest.approx(9 / 12 - 2 / 12)
    assert gain.test == paired.RANDOMISATION
