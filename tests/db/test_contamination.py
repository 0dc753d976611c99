"""Rows that hold what a model will be measured on are found, and what is merely alike is not."""

import pytest

from db.checks.contamination import (
    EvaluationSet,
    HitKind,
    Limits,
    Probe,
    Text,
    find_contamination,
)

ABSTRACT = (
    "Dexamethasone reduced mortality at twenty eight days among patients who received invasive "
    "mechanical ventilation but not among those who received no respiratory support"
)
EXAM = EvaluationSet.of_texts("exam", ["Which drug lowers LDL?", ABSTRACT])


def kinds_of(row, *sets, limits=None):
    return [(hit.probe, hit.kind) for hit in find_contamination([row], sets or [EXAM], limits)]


def test_the_same_words_are_found_whatever_the_case_marks_and_letters_form():
    accented = EvaluationSet.of_texts("exam", ["What is Sjögren's disease?"])
    row = Text("WHAT is — Sjo\u0308gren s   disease")
    assert kinds_of(row, accented) == [(0, HitKind.EXACT)]


def test_a_text_that_is_a_field_of_the_row_is_found():
    assert kinds_of(Text("Tell me.", "Which drug lowers LDL?")) == [(0, HitKind.EXACT)]
    assert kinds_of(Text("Write a question.", output="Which drug lowers LDL?")) == [(0, HitKind.EXACT)]


def test_thirteen_words_in_a_row_count_and_twelve_do_not():
    words = ABSTRACT.split()
    held, _ = find_contamination(
        [Text("Summarise.", output="In short: " + " ".join(words[2:15]) + "."), Text(ABSTRACT)], [EXAM]
    )
    assert (held.kind, held.score) == (HitKind.NGRAM, round(1 / (len(words) - 12), 4))
    assert kinds_of(Text("Summarise.", output=" ".join(words[2:14]))) == []
    assert kinds_of(Text("Summarise.", output=" ".join(words[2:14])), limits=Limits(run=12)) != []


def test_eight_words_count_against_a_short_text():
    short = EvaluationSet.of_texts("short", ["Does oral zinc shorten a common cold in adults at all?"])
    note = "A reader asked: does oral zinc shorten a common cold in winter? We looked at trials and others."
    assert kinds_of(Text("Read on.", note), short) == [(0, HitKind.NGRAM)]
    assert kinds_of(Text("Read on.", note.replace("oral", "nasal")), short) == []


def test_a_run_does_not_go_across_fields():
    words = ABSTRACT.split()
    assert kinds_of(Text(" ".join(words[:9]), "", " ".join(words[9:18]))) == []


def test_the_wording_of_a_task_is_no_leak():
    task = "Read the passage below with care and list every disease that is named in it, one a line."
    asked = EvaluationSet(
        "ner", (Probe(task, "A family with ataxia and cataracts was seen twice in the clinic."),)
    )
    other = "Mutations of BRCA1 were common among the women of this large and well described cohort here."
    assert kinds_of(Text(task, other), asked, limits=Limits(near=0.8)) == []
    assert kinds_of(Text("What is ill?", asked.probes[0].input), asked)[0][1] is HitKind.NGRAM


def test_a_phrase_of_more_than_ten_evaluation_texts_proves_nothing():
    phrase = "the patient was admitted to the intensive care unit with a diagnosis of sepsis"
    row = Text("Go on.", f"In this case {phrase} and treated.")

    def asked(count):
        return EvaluationSet.of_texts(
            "cases", [f"Case {n} {n + 100}: {phrase} from {n}" for n in range(count)]
        )

    assert len(kinds_of(row, asked(10), limits=Limits(near=1))) == 10
    assert kinds_of(row, asked(11), limits=Limits(near=1)) == []


def test_one_passage_asked_about_often_still_counts():
    probes = tuple(Probe(f"Question {n}?", ABSTRACT) for n in range(12))
    assert len(kinds_of(Text("Sum up.", ABSTRACT), EvaluationSet("passages", probes))) == 12


def test_a_near_text_is_found_by_rouge_l_alone():
    asked = EvaluationSet.of_texts("exam", ["Which drug class lowers LDL the most in adults?"])
    row = Text("Which drug class lowers HDL the most in adults?")
    [hit] = find_contamination([row], [asked], Limits())
    assert (hit.kind, hit.score) == (HitKind.ROUGE_L, round(16 / 18, 4))
    assert find_contamination([row], [asked], Limits(near=0.9)) == []


def test_each_set_is_named_and_a_pair_is_told_once():
    twice = [EvaluationSet.of_texts(name, [ABSTRACT]) for name in ("one", "two")]
    hits = find_contamination([Text("Nothing"), Text(ABSTRACT)], twice)
    assert [(hit.row, hit.set_name, hit.probe, hit.kind) for hit in hits] == [
        (1, "one", 0, HitKind.EXACT),
        (1, "two", 0, HitKind.EXACT),
    ]


def test_empty_texts_are_in_nothing():
    assert kinds_of(Text("???"), EvaluationSet.of_texts("empty", ["", "!!!"])) == []


@pytest.mark.parametrize("bad", [{"run": 7}, {"run": 14}, {"near": 0}, {"near": 1.5}])
def test_a_limit_that_cannot_be_is_named(bad):
    with pytest.raises(ValueError, match=f"^{next(iter(bad))}: "):
        Limits(**bad)
