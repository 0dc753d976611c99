"""The paper-compatible scores repeat the faults of Llama2-MedTuned's scripts, each on one small answer."""

import pytest

from db.corpora.forms.form import Label
from db.corpora.forms.token_tags import TokenTags
from db.corpora.readers import read
from db.metrics import paper
from tests.corpora import corpus

GOLD = "breast : B\ncancer : I\nor : O\ncolon : B\ncancer : I"


def lines(*tagged: str) -> str:
    return "\n".join(tagged)


def counts(right: int, wrong: int, missed: int) -> dict[str, float]:
    return {"paper_right": right, "paper_wrong": wrong, "paper_missed": missed}


def test_a_repeated_word_collapses_to_one_tag():
    # breast B, cancer I, or O, colon B: the second "cancer" is gone, and so is colon cancer's end.
    assert paper.tags_of(GOLD) == {"breast": "B", "cancer": "I", "or": "O", "colon": "B"}
    assert paper.ner(GOLD, GOLD) == counts(2, 0, 0)
    wrong_at_first = lines("breast : B", "cancer : O", "or : O", "colon : B", "cancer : I")
    assert paper.ner(wrong_at_first, GOLD) == counts(2, 0, 0)  # the last tag of the word stands


def test_a_token_with_a_colon_loses_its_tag():
    gold = lines("t(8:21) : B", "AML : I")
    assert paper.tags_of(gold) == {"t(8": "21)", "AML": "I"}  # no tag, so O; then an I begins a mention
    assert paper.ner(gold, gold) == counts(1, 0, 0)


def test_what_is_left_out_is_outside_and_other_tags_are_too():
    assert paper.ner("breast : B", GOLD) == counts(0, 1, 2)
    assert paper.ner(GOLD.replace(": B", ": B-Disease"), GOLD) == counts(0, 1, 2)  # "cancer : I" begins one


def test_an_i_without_a_b_begins_a_mention():
    assert paper.mentions(["O", "I", "I", "O", "I"]) == {(1, 2), (4, 4)}
    assert paper.mentions(["B", "B", "I"]) == {(0, 0), (1, 2)}


def test_what_follows_a_heading_is_not_read():
    assert paper.ner(f"{GOLD}\n### Input:\nbreast : O", GOLD) == counts(2, 0, 0)


@pytest.mark.parametrize("answer", ["", "no tags here", ":", ": : :", "\n\n", "a:b:c\n: B", "### B"])
def test_no_answer_raises(answer):
    assert sum(paper.ner(answer, GOLD).values()) >= 2
    assert paper.ner(answer, "") == counts(0, 0, 0)


def test_an_eighth_of_the_gold_tokens_of_ncbi_devel_is_lost_as_reported():
    form = TokenTags((Label("Disease"),))
    rows = list(read(corpus("ncbi-disease", "devel.tsv"), "iob"))
    tokens = sum(len(row.tokens) for row in rows)
    kept = sum(len(paper.tags_of(form.write(row))) for row in rows)
    assert (tokens - kept) / tokens == pytest.approx(0.127, abs=0.0005)


def test_a_skipped_relation_answer_puts_the_rest_out_of_line():
    gold = ["TrIP", "TrWP", "TrIP", "PIP"]
    assert paper.relations(gold, gold) == paper.Relations(1.0, 4, 0, 0)
    said = ["TrIP", "I cannot tell.", "TrIP", "PIP"]
    # Held against the gold: TrIP-TrIP, TrIP-TrWP, PIP-TrIP; the last gold is never asked for.
    assert paper.relations(said, gold) == paper.Relations(1 / 3, 3, 1, 2)


def test_the_first_label_found_anywhere_counts_even_within_another():
    gold = ["PIP", "TrIP", "TrAP"]
    found = paper.relations(["not PIP but TrIP", "The code is\nTrIP.", "TrAP"], gold)
    assert found == paper.Relations(1.0, 3, 0, 0)


def test_nothing_read_gives_no_figure():
    assert paper.relations(["?", "?"], ["a", "b"]) == paper.Relations(None, 0, 2, 0)
    assert paper.relations([], []) == paper.Relations(None, 0, 0, 0)
