"""What a set of instructions is said to be made of, against sets small enough to count by hand."""

from dataclasses import replace

import pytest

from db.checks.contamination import EvaluationSet, Probe
from db.corpora.composition import PIECE, Composition, Row, analyse, composition_of

NER = Row("Find the diseases.", "He has gout.", "gout", "NCBI", "ner", "native", "IE", "train")
NLI = Row("Does it follow?", "A.\nB.", "entailment", "MedNLI", "nli", "native", "QA", "train")
QA = Row(
    "Why does gout hurt?",
    "",
    "Crystals of urate settle in the joint and set off an inflammation there. " * 3,
    "Chat",
    "qa",
    "synthetic",
    "QA",
)


def by_name(shares):
    return {share.name: share for share in shares}


def test_rows_tokens_and_shares_are_counted_in_each_kind():
    found = composition_of([NER, NER, NLI, QA])
    assert found.rows == 4
    sources = by_name(found.sources)
    assert [share.name for share in found.sources] == ["NCBI", "Chat", "MedNLI"]
    assert sources["NCBI"].row_share == 0.5
    assert sum(share.tokens for share in found.sources) == found.tokens
    assert sum(share.token_share for share in found.tasks) == pytest.approx(1)
    assert by_name(found.provenances)["synthetic"].rows == 1
    assert by_name(found.categories)["QA"].rows == 2
    assert by_name(found.splits)["train"].rows == 3
    assert sources["MedNLI"].tokens == 4 + 2 + 3  # 15, 5 and 10 characters, four to a token, rounded up


def test_tokens_are_counted_by_the_starter_tokenizer_when_asked():
    estimated, counted = composition_of([QA]), composition_of([QA], exact_tokens=True)
    assert (estimated.are_tokens_counted, counted.are_tokens_counted) == (False, True)
    assert counted.tokens != estimated.tokens
    assert 0.5 < counted.tokens / estimated.tokens < 2


def test_lengths_fall_into_bins_that_hold_every_row():
    rows = [replace(NER, input="word " * size) for size in (0, 1, 4, 5, 9, 10, 39)]
    instruction, given, _ = composition_of(rows).lengths
    assert given.records == 6  # an empty one has no length
    assert given.bins == [(0, 5, 2), (5, 10, 2), (10, 20, 1), (20, 40, 1)]
    assert (given.longest, given.median) == (39, 7)
    assert instruction.records == 7


def test_labels_are_told_from_short_outputs_of_few_kinds():
    rows = [replace(NLI, output=label) for label in ("entailment",) * 3 + ("neutral",)]
    rows += [replace(QA, output=f"{QA.output} {number}") for number in range(3)]
    balances = {each.source: each for each in composition_of(rows).labels}
    assert set(balances) == {"MedNLI"}  # free text has no labels
    assert balances["MedNLI"].labels == (("entailment", 3), ("neutral", 1))
    assert balances["MedNLI"].majority == 0.75


def test_many_kinds_of_short_answers_are_no_labels():
    rows = [replace(NLI, output=f"answer {number}") for number in range(200)]
    assert composition_of(rows).labels == ()


def test_labels_that_the_rows_tell_count_each_for_itself():
    rows = [replace(NLI, labels=labels) for labels in (("a", "b"), ("b",), ())]
    [balance] = composition_of(rows).labels
    assert balance.labels == (("b", 2), ("a", 1))
    assert (balance.rows, balance.without) == (3, 1)


def test_copies_within_and_across_sources_are_told_apart():
    reworded = replace(NER, instruction="List the diseases.")
    elsewhere = replace(NER, source="BC5CDR")
    same_sentence = replace(NER, source="BC5CDR", instruction="Find the drugs.", output="none")
    copies = composition_of([NER, NER, reworded, elsewhere, same_sentence, NLI]).copies
    assert (copies.within, copies.across) == (1, 1)
    assert (copies.same_input_within, copies.same_input_across) == (1, 1)
    assert copies.pairs == (("NCBI", "NCBI", 1), ("NCBI", "BC5CDR", 1))


def test_an_overlap_names_the_source_the_set_and_the_strongest_kind():
    passage = "the patient was given two hundred milligrams of drug x twice a day for three weeks"
    exam = EvaluationSet("Exam", (Probe("Answer the question.", passage), Probe("Why does gout hurt?")))
    clean = EvaluationSet("Clean", (Probe("An entirely different matter of bones and joints, asked here."),))
    rows = [NER, replace(NLI, input=f"As noted, {passage} and then left."), QA, QA]
    found = composition_of(rows, against=[exam, clean])
    assert found.compared_with == ("Exam", "Clean")
    told = {(each.source, each.evaluation_set): each for each in found.overlaps}
    assert set(told) == {("Chat", "Exam"), ("MedNLI", "Exam")}
    assert (told["Chat", "Exam"].rows, told["Chat", "Exam"].exact) == (2, 2)
    assert (told["MedNLI", "Exam"].rows, told["MedNLI", "Exam"].runs) == (1, 1)


def test_progress_is_told_piece_by_piece_and_the_sum_is_the_same_however_it_is_cut():
    rows = [replace(NER, input=f"He has gout number {number}.") for number in range(2 * PIECE + 1)]
    *done, found = analyse(iter(rows))
    assert done == [PIECE, 2 * PIECE, 2 * PIECE + 1]
    assert isinstance(found, Composition)
    assert found.rows == by_name(found.sources)["NCBI"].rows == len(rows)
    assert found.copies.within == 0


def test_nothing_is_made_of_nothing():
    found = composition_of([])
    assert (found.rows, found.tokens, found.sources, found.labels) == (0, 0, (), ())
    assert [each.bins for each in found.lengths] == [[], [], []]
