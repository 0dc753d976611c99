from fractions import Fraction

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from db.checks.naming import are_variants, name_of
from db.checks.similarity import NearestText, rouge_l, tokenise

# Few words and short texts, so that repeats, ties and near copies are common.
WORDS = st.sampled_from(
    ("the", "of", "list", "describe", "metformin", "lisinopril", "aspirin", "aspirins", "5", "10", "α", "β")
)
TEXTS = st.lists(WORDS, max_size=9).map(" ".join)


def common_length(left: list[str], right: list[str]) -> int:
    """LCS by the textbook's table, to hold the fast one against."""
    table = [[0] * (len(right) + 1) for _ in range(len(left) + 1)]
    for i, a in enumerate(left):
        for j, b in enumerate(right):
            table[i + 1][j + 1] = table[i][j] + 1 if a == b else max(table[i][j + 1], table[i + 1][j])
    return table[-1][-1]


def exactly(left: str, right: str) -> Fraction:
    ours, theirs = left.split(), right.split()
    return (
        Fraction(2 * common_length(ours, theirs), len(ours) + len(theirs)) if ours and theirs else Fraction(0)
    )


def index_of(texts: list[str]) -> NearestText:
    index = NearestText()
    for id, text in enumerate(texts, start=1):
        index.put(id, text)
    return index


# The score ------------------------------------------------------------------------------------------


def test_rouge_l_equals_the_textbook():
    left = "the patient was started on metformin for type 2 diabetes"
    right = "for type 2 diabetes the patient takes metformin daily"
    assert rouge_l(left, right) == float(exactly(left, right))


@given(TEXTS, TEXTS)
def test_rouge_l_is_the_fraction_rounded_once(left, right):
    assert rouge_l(left, right) == float(exactly(left, right))


@given(st.integers(0, 400), st.integers(1, 800), st.sampled_from(["0.3", "0.5", "0.7", "0.95", "1"]))
def test_a_tie_with_a_bound_is_decided_as_the_fractions_would(common, total, bound):
    score = 2 * common / total
    assert (score > float(bound)) == (Fraction(2 * common, total) > Fraction(bound))


def test_exactly_seven_tenths_is_not_above_it():
    same, ours, theirs = "a b c d e f g", "x y z", "u v w"
    assert rouge_l(f"{same} {ours}", f"{same} {theirs}") == 0.7
    assert index_of([f"{same} {ours}"]).stopping(f"{same} {theirs}", copy=0.7, variant=0.7) is None


# Words ----------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("HER2-positive, stage_II (2.5 mg)", ["her2", "positive", "stage", "ii", "2", "5", "mg"]),
        ("α-Catenin", ["α", "catenin"]),
        ("Sjögren", ["sjögren"]),
        ("Sjo\u0308gren", ["sjögren"]),
        ("met\u00adformin", ["metformin"]),
        ("10³ cells", ["10³", "cells"]),
        ("µg μg", ["μg", "μg"]),  # the micro sign and the Greek letter
        ("糖尿病の治療", list("糖尿病の治療")),
        ("मधुमेह क्या है", ["मधुमेह", "क्या", "है"]),
        ("السكري النوع", ["السكري", "النوع"]),
        ("—…!", []),
    ],
)
def test_words_of_any_script_count(text, words):
    assert tokenise(text) == words


def test_alpha_and_beta_catenin_are_two_questions():
    assert rouge_l("What does α-catenin bind?", "What does β-catenin bind?") < 1


# Names ----------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("left", "right"),
    [
        ("Name the side effects of metformin.", "Name the side effects of lisinopril."),
        ("Describe the effects of metformin.", "Explain the effects of lisinopril."),
        ("How is type 1 diabetes treated?", "How is type 2 diabetes treated?"),
        ("What does α-catenin bind?", "What does β-catenin bind?"),
        ("Where does the left kidney lie?", "Where does the right kidney lie?"),
        ("Is aspirin given before surgery?", "Is aspirin given after surgery?"),
    ],
)
def test_a_swapped_name_makes_a_variant(left, right):
    assert are_variants(tokenise(left), tokenise(right))


@pytest.mark.parametrize(
    ("left", "right"),
    [
        ("Describe the effects of metformin.", "Explain the effects of metformin briefly."),
        ("Summarise the anaemia of this patient.", "Summarize the patient's anemia."),
        ("Which tumours spread to bone?", "Which tumor spreads to the bones?"),
        ("Compare metformin with lisinopril.", "Compare lisinopril with metformin."),
        ("Which organ does hepatitis inflame?", "Which organ does hepatitis B inflame?"),
        ("Is aspirin safe here?", "Is aspirin not safe here?"),
    ],
)
def test_rewording_reordering_and_adding_to_one_side_stay_copies(left, right):
    assert not are_variants(tokenise(left), tokenise(right))


def test_endings_and_spellings_of_asking_words_name_nothing():
    said = "describes listing summarised analyze identified categories reasons"
    assert {word for word in said.split() if name_of(word)} == set()


# The index ------------------------------------------------------------------------------------------


@settings(max_examples=300)
@given(
    st.lists(TEXTS, max_size=12), TEXTS, st.sets(st.integers(1, 12), max_size=2), st.sampled_from((0, 0.5))
)
def test_the_nearest_is_that_of_a_full_search(texts, text, hidden, above):
    found = index_of(texts).nearest(text, above=above, except_ids=hidden)
    scores = {id: exactly(text, stored) for id, stored in enumerate(texts, 1) if id not in hidden}
    best = max(scores, key=lambda id: (scores[id], -id), default=None)
    if best is None or scores[best] <= above:
        assert found is None
    else:
        assert (found.id, found.score) == (best, float(scores[best]))
        assert found.is_variant == are_variants(text.split(), texts[best - 1].split())


@settings(max_examples=300)
@given(st.lists(TEXTS, max_size=12), TEXTS, st.sampled_from([(0.5, 0.8), (0.7, 0.7), (0.6, 1.0)]))
def test_what_stops_a_text_is_what_a_full_search_finds(texts, text, bounds):
    copy, variant = bounds
    found = index_of(texts).stopping(text, copy=copy, variant=variant)
    stops = {}
    for id, stored in enumerate(texts, 1):
        bound = variant if are_variants(text.split(), stored.split()) else copy
        if rouge_l(text, stored) > bound:
            stops[id] = rouge_l(text, stored)
    best = max(stops, key=lambda id: (stops[id], -id), default=None)
    assert (found and (found.id, found.score)) == (best and (best, stops[best]))


@given(st.lists(st.text(max_size=30), max_size=6), st.text(max_size=30))
def test_the_index_agrees_with_the_score_on_any_text(texts, text):
    found = index_of(texts).nearest(text)
    assert (found.score if found else 0) == max([rouge_l(text, stored) for stored in texts], default=0)


def test_long_texts_that_fill_the_signatures_are_still_found():
    stored = [" ".join(f"w{n * step}" for n in range(3000)) for step in (1, 2, 3, 5)]
    changed = stored[2].replace("w3 ", "other ").replace("w9 ", "")
    found = index_of(stored).nearest(changed)
    assert (found.id, found.score) == (3, rouge_l(changed, stored[2]))


def test_more_texts_than_there_was_room_for_are_all_found():
    index = index_of([f"finding {number} of the chest" for number in range(1, 3001)])
    assert index.nearest("finding 2999 of the chest").id == 2999
    assert index.nearest("finding 7 of the chest", except_ids={7}).id != 7


def test_a_text_put_again_replaces_the_one_before():
    index = index_of(["alpha beta", "gamma"])
    index.put(1, "delta")
    assert index.nearest("alpha beta") is None
    assert (len(index), index.nearest("delta").id) == (2, 1)


def test_a_copy_stops_even_behind_a_nearer_variant():
    question = "Describe in plain words the common side effects of metformin in adults"
    variant = question.replace("metformin", "lisinopril")
    copy = "Explain in simple words the usual side effects of metformin in adults"
    index = index_of([variant, copy])
    assert index.nearest(question).id == 1
    assert index.stopping(question, copy=0.7, variant=0.95).id == 2


def test_nothing_in_common_has_no_nearest():
    assert index_of(["alpha beta"]).nearest("gamma") is None
    assert index_of(["alpha beta"]).nearest("") is None
    assert NearestText().nearest("gamma") is None
