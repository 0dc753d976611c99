"""The real corpora, read whole: their rows and mentions are those that their folder's README counts."""

from collections import Counter

import pytest

from db.corpora.offsets import check_row
from db.corpora.readers import detect, read
from db.corpora.schema import KbRow
from db.enums import Split
from tests.corpora import corpus

COUNTS = [
    # file, format, split, rows, mentions
    (("ncbi-disease", "train.tsv"), "iob", Split.TRAIN, 5424, 5134),
    (("ncbi-disease", "devel.tsv"), "iob", Split.VALIDATION, 923, 787),
    (("ncbi-disease", "test.tsv"), "iob", Split.TEST, 940, 960),
    (("chemprot", "train.jsonl"), "marked_pair", Split.TRAIN, 4169, 2 * 4169),
    (("chemprot", "dev.jsonl"), "marked_pair", Split.VALIDATION, 2427, 2 * 2427),
    (("chemprot", "test.jsonl"), "marked_pair", Split.TEST, 3469, 2 * 3469),
    (("gad", "train.jsonl"), "masked_pair", Split.TRAIN, 4796, 2 * 4796),
    (("gad", "test.jsonl"), "masked_pair", Split.TEST, 534, 2 * 534),
    (("medqa", "us_4_options_test.jsonl"), "medqa", Split.TEST, 1273, 0),
    (("mts-dialog", "MTS-Dialog-TrainingSet.csv"), "dialogue_note", Split.TRAIN, 1201, 0),
    (("mts-dialog", "MTS-Dialog-ValidationSet.csv"), "dialogue_note", Split.VALIDATION, 100, 0),
    (("mts-dialog", "MTS-Dialog-TestSet-1-MEDIQA-Chat-2023.csv"), "dialogue_note", Split.TEST, 200, 0),
    (("mts-dialog", "automatic_summaries_validation.csv"), "dialogue_note", Split.VALIDATION, 400, 0),
    (("medquad", "medquad.jsonl.gz"), "questions", None, 16407, 0),
]


@pytest.mark.parametrize(("parts", "format", "split", "rows", "mentions"), COUNTS)
def test_a_real_corpus_is_told_and_read_to_its_counts(parts, format, split, rows, mentions):
    path = corpus(*parts)
    assert detect(path) == format
    found = list(read(path, format))
    assert len(found) == rows
    assert {row.split for row in found} == {split}
    assert sum(len(row.entities) for row in found if isinstance(row, KbRow)) == mentions
    for row in found:
        if isinstance(row, KbRow):
            check_row(row)
    assert len({row.id for row in found}) == rows


def test_chemprots_thirteen_labels_are_kept_and_its_markers_can_be_put_back():
    rows = [
        row
        for name in ("train", "dev", "test")
        for row in read(corpus("chemprot", f"{name}.jsonl"), "marked_pair")
    ]
    labels = {row.relations[0].type for row in rows}
    assert len(labels) == 13
    for row in rows:
        marked = row.text
        pairs = zip(row.entities, (("<< ", " >>"), ("[[ ", " ]]")), strict=True)
        for entity, (opening, closing) in sorted(pairs, key=lambda pair: -pair[0].offsets[0][0]):
            start, end = entity.offsets[0]
            marked = f"{marked[:start]}{opening}{marked[start:end]}{closing}{marked[end:]}"
        assert marked == row.marked_text


def test_gad_has_one_gene_and_one_disease_a_row_and_two_labels():
    rows = [
        row
        for name in ("train", "test")
        for row in read(corpus("gad", f"{name}.jsonl"), "masked_pair", types="GENE,DISEASE")
    ]
    assert Counter(row.relations[0].type for row in rows) == {"1": 2520 + 281, "0": 2276 + 253}
    assert {tuple(entity.text[0] for entity in row.entities) for row in rows} == {("@GENE$", "@DISEASE$")}
    assert all(row.is_masked and not row.marked_text for row in rows)


def test_pubmedqa_has_its_decisions_and_its_test_split():
    path = corpus("pubmedqa", "ori_pqal.json")
    corpus("pubmedqa", "test_ground_truth.json")
    assert detect(path) == "pubmedqa"
    rows = list(read(path, "pubmedqa"))
    assert Counter(row.answer[0] for row in rows) == {"yes": 552, "no": 338, "maybe": 110}
    assert Counter(row.split for row in rows) == {Split.TEST: 500, Split.TRAIN: 500}


def test_medqa_answers_are_the_choices_that_their_letters_name():
    for row in read(corpus("medqa", "us_4_options_test.jsonl"), "medqa"):
        assert len(row.choices) == 4
        assert row.answer == (row.choices[row.answer_index],)


def test_medquads_answers_come_whole():
    rows = read(corpus("medquad", "medquad.jsonl.gz"), "questions")
    assert round(sum(len(row.answer[0]) for row in rows) / 1e6, 1) == 20.8


def test_the_scores_of_mts_dialog_are_no_corpus_and_say_so():
    path = corpus("mts-dialog", "manual_scores.csv")
    assert detect(path) is None
    with pytest.raises(ValueError, match="line 2: dialogue or Dialogue is missing"):
        list(read(path, "dialogue_note"))
