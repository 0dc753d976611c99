import random

import pytest

from db.checks.contamination import COMMON, EvaluationSet, HitKind, Limits, Probe, Text, find_contamination
from db.generating.evaluation_texts import EvaluationTexts

WORDS = "alpha beta gamma delta epsilon zeta eta theta iota kappa lambda mu".split()  # noqa: SIM905
STRENGTH = [HitKind.ROUGE_L, HitKind.NGRAM, HitKind.EXACT]


def text(rng: random.Random, most: int) -> str:
    return " ".join(rng.choices(WORDS, k=rng.randrange(most)))


def strongest(rows, sets, limits) -> list:
    """The kind of the strongest hit of each row by the rule that freezing uses."""
    kinds: list = [None] * len(rows)
    for hit in find_contamination(rows, sets, limits):
        if kinds[hit.row] is None or STRENGTH.index(hit.kind) > STRENGTH.index(kinds[hit.row]):
            kinds[hit.row] = hit.kind
    return kinds


@pytest.mark.parametrize("seed", range(12))
def test_a_row_is_contaminated_exactly_when_freezing_would_say_so(seed):
    rng = random.Random(seed)
    probes = [Probe(text(rng, 30), text(rng, 30) if rng.random() < 0.5 else "") for _ in range(40)]
    common = text(rng, 2) + " " + " ".join(WORDS)
    probes += [Probe(f"number{n} {common}") for n in range(COMMON + 1)]
    sets = [EvaluationSet("one", tuple(probes[:20])), EvaluationSet("two", tuple(probes[20:]))]
    rows = []
    for _ in range(150):
        taken = rng.choice(probes)
        words = f"{taken.instruction} {taken.input}".split()
        begin = rng.randrange(len(words) + 1)
        some = " ".join(words[begin : begin + rng.randrange(20)])
        rows.append(
            rng.choice(
                [
                    Text(text(rng, 20), some, text(rng, 9)),
                    Text(taken.instruction, taken.input, "x"),
                    Text(some, "", taken.input),
                    Text(text(rng, 40)),
                ]
            )
        )
    limits = Limits(run=rng.choice([8, 10, 13]), near=rng.choice([0.5, 0.7]))
    ready = EvaluationTexts(sets, limits)
    found = [hit.kind if (hit := ready.find(row)) else None for row in rows]
    assert found == strongest(rows, sets, limits)
    assert len(set(found)) == 4


def test_a_hit_names_the_set_and_the_text():
    sets = [
        EvaluationSet.of_texts("a", ["Which valve leaks?"]),
        EvaluationSet.of_texts("b", ["x", "What is QT?"]),
    ]
    hit = EvaluationTexts(sets, Limits()).find(Text("what is QT"))
    assert (hit.set_name, hit.probe, hit.kind, hit.score) == ("b", 1, HitKind.EXACT, 1.0)


def test_the_score_of_a_shared_run_is_the_one_that_freezing_reports():
    probe = " ".join(f"word{n}" for n in range(30))
    row = Text("Sum up.", " ".join(probe.split()[:20]))
    sets = [EvaluationSet.of_texts("a", [probe])]
    [theirs] = find_contamination([row], sets)
    assert EvaluationTexts(sets, Limits()).find(row) == theirs


def test_no_sets_find_nothing():
    assert EvaluationTexts([], Limits()).find(Text("What is QT?")) is None
