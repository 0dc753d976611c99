"""Pairs, labels, marked relations, questions and notes: records out of JSON lines, arrays, tables and XML."""

import gzip
import json

import pytest

from db.corpora.offsets import check_row
from db.corpora.readers import read
from db.enums import Split
from tests.db.corpora.reading import FILES, fault_of, rows_of, written

# Marked and masked pairs ------------------------------------------------------------------------------


def test_markers_round_names_leave_the_text_and_keep_the_asked_one():
    one, two = rows_of("wrapped.jsonl", "marked_pair", types="chemical,gene")
    for row in (one, two):
        check_row(row)
        assert not row.is_masked
    assert one.text == "Simvastatin blocks HMG-CoA reductase well."
    assert one.marked_text == "<< Simvastatin >> blocks [[ HMG-CoA reductase ]] well."
    assert [(e.type, e.text[0]) for e in one.entities] == [
        ("chemical", "Simvastatin"),
        ("gene", "HMG-CoA reductase"),
    ]
    assert one.relations[0].type == "INHIBITOR"
    assert two.text == "Of drugs, 4-[[(ethyl)amino]-phenol binds kinase A most: one >> two >> three."
    assert [e.text[0] for e in two.entities] == ["kinase A", "4-[[(ethyl)amino]-phenol"]


def test_markers_in_place_of_names_stay_and_are_the_mentions():
    one, two = rows_of("masked.tsv", "masked_pair")
    assert one.is_masked
    assert one.text == 'Variants of @GENE$ (a "weak" signal) were tied to @DISEASE$.'
    assert (one.id, one.relations[0].type) == ("7", "1")
    assert [e.type for e in two.entities] == ["DISEASE", "GENE"]
    two = rows_of("masked.tsv", "masked_pair", types="GENE,DISEASE")[1]
    assert [e.type for e in two.entities] == ["GENE", "DISEASE"]


def test_one_kind_of_marker_can_stand_for_both_names(tmp_path):
    path = written(tmp_path, "sentence\tlabel\n@problem$ came before @problem$.\tPIP\n")
    (row,) = read(path, "masked_pair")
    assert [e.offsets[0][0] for e in row.entities] == [0, 22]
    (row,) = read(path, "masked_pair", types="problem,problem")
    assert len({e.offsets for e in row.entities}) == 2


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("<< A >> binds B.", "line 1: it needs [[ once and ]] behind it"),
        ("<< A >> << C >> bind [[ B ]].", "line 1: it needs << once and"),
        ("<< A [[ B ]] >> binds.", "line 1: the two marked names overlap"),
        ("<<  >> binds [[ B ]].", "line 1: <<  and  >> hold no name"),
    ],
)
def test_broken_markers_are_refused_by_line(tmp_path, text, said):
    path = written(tmp_path, json.dumps({"text": text, "label": "X"}) + "\n")
    assert " ".join(said.split()) in " ".join(fault_of(path, "marked_pair").split())


def test_a_masked_row_without_its_markers_is_refused(tmp_path):
    path = written(tmp_path, "sentence\tlabel\n@GENE$ alone.\t1\n")
    assert "line 2: it does not hold two markers such as @GENE$" in fault_of(path, "masked_pair")


def test_a_table_without_a_header_is_read_with_named_columns(tmp_path):
    path = written(tmp_path, "@GENE$ and @DISEASE$.\t1\n")
    (row,) = read(path, "masked_pair", columns="sentence,label")
    assert row.relations[0].type == "1"


# Pairs and labels -------------------------------------------------------------------------------------


def test_nli_comes_from_json_lines_and_from_a_table():
    one, two = rows_of("nli.jsonl", "pairs")
    assert (one.id, one.text_2, one.label) == ("p1", "The patient is febrile.", "entailment")
    assert two.label == "contradiction"
    (row,) = rows_of("nli.tsv", "pairs")
    assert (row.text_1, row.text_2, row.label) == ("Lungs are clear.", "The chest is quiet.", "neutral")


def test_a_pair_that_its_readers_disagreed_on_is_refused_or_left_out(tmp_path):
    lines = (FILES / "nli.jsonl").read_text()
    path = written(tmp_path, lines.replace('"entailment"', '"-"'), "train.jsonl")
    assert "line 1: the label is -" in fault_of(path, "pairs")
    (row,) = read(path, "pairs", undecided="skip")
    assert (row.id, row.split) == ("p2", Split.TRAIN)


def test_labels_are_none_one_or_many_however_they_are_written():
    names = "sustaining proliferative signaling,evading growth suppressors,resisting cell death"
    assert [row.labels for row in rows_of("hoc.tsv", "labels", names=names)] == [
        ("inducing angiogenesis", "evading growth suppressors"),
        (),
        ("evading growth suppressors",),
    ]
    assert [row.labels for row in rows_of("hoc.jsonl", "labels")] == [
        ("inducing angiogenesis", "resisting cell death"),
        (),
    ]


def test_flags_without_names_and_rows_without_labels_are_refused(tmp_path):
    assert "line 4: the flags 0_0,1_1,2_0" in fault_of(FILES / "hoc.tsv", "labels")
    path = written(tmp_path, '{"text": "a"}\n')
    assert "line 1: labels or label or" in fault_of(path, "labels")


# Questions --------------------------------------------------------------------------------------------


def test_medqa_and_medmcqa_give_the_right_choice():
    (row,) = rows_of("medqa.jsonl", "medqa")
    assert (row.answer, row.answer_index, row.choices[0]) == (("Vitamin C",), 1, "Vitamin A")
    one, two = rows_of("medmcqa.json", "medmcqa")
    assert (one.answer, one.answer_index) == (("Axillary",), 3)
    assert (one.long_answer, one.facets) == (
        "It leaves the quadrangular space.",
        (("subject", "Anatomy"),),
    )
    assert (two.answer, two.answer_index) == (("Femur",), 0)


def test_a_copy_of_medmcqa_that_counts_from_0_is_not_read_as_one_that_counts_from_1(tmp_path):
    lines = (FILES / "medmcqa.json").read_text()
    path = written(tmp_path, lines.replace('"cop": 4', '"cop": 3').replace('"cop": 1', '"cop": 0'))
    assert "line 2: cop is 0, so this file counts its choices from 0; read it with counts_from=0" in fault_of(
        path, "medmcqa"
    )
    assert [row.answer for row in read(path, "medmcqa", counts_from=0)] == [("Axillary",), ("Femur",)]
    assert "line 1: cop is 4" in fault_of(FILES / "medmcqa.json", "medmcqa", counts_from="0")


def test_questions_without_answers_are_refused_kept_or_left_out(tmp_path):
    lines = (FILES / "medmcqa.json").read_text()
    path = written(tmp_path, lines.replace('"cop": 4', '"cop": -1'))
    assert "line 1: the question has no answer" in fault_of(path, "medmcqa")
    assert [row.answer for row in read(path, "medmcqa", unanswered="keep")] == [(), ("Femur",)]
    assert [row.answer for row in read(path, "medmcqa", unanswered="skip")] == [("Femur",)]


@pytest.mark.parametrize(
    ("old", "new", "said"),
    [
        ('"answer_idx": "B"', '"answer_idx": "E"', "answer_idx 'E' is none of A, B, C"),
        ('"answer_idx": "B"', '"answer_idx": "A"', "answer is not the text of choice A"),
        ('"answer_idx": "B"', '"other": "B"', None),
        ('"A": "Vitamin A", ', '"A": "", ', "options holds one without a letter or a text"),
        ('"options"', '"choices"', "options is missing"),
        ('"question"', '"query"', "question is missing or empty"),
    ],
)
def test_a_broken_multiple_choice_is_refused_by_line(tmp_path, old, new, said):
    path = written(tmp_path, (FILES / "medqa.jsonl").read_text().replace(old, new))
    if said is None:  # the answer's own text is enough
        assert next(read(path, "medqa")).answer_index == 1
    else:
        assert f"line 1: {said}" in fault_of(path, "medqa")


def test_pubmedqa_takes_its_test_split_from_the_file_of_answers(tmp_path):
    assert {row.split for row in rows_of("pubmedqa.json", "pubmedqa")} == {None}
    answers = written(tmp_path, '{"12": "maybe"}', "answers.json")
    one, two = rows_of("pubmedqa.json", "pubmedqa", test_ids=answers)
    assert (one.split, two.split) == (Split.TRAIN, Split.TEST)
    assert (one.context, one.answer, one.choices) == (
        "We asked 20 people.\nHalf rested.",
        ("yes",),
        ("yes", "no", "maybe"),
    )


def test_pubmedqa_answers_that_do_not_belong_to_the_file_are_refused(tmp_path):
    path = FILES / "pubmedqa.json"
    other = written(tmp_path, '{"12": "no"}', "answers.json")
    assert "record 12: final_decision is maybe, and test_ground_truth.json says no" in fault_of(
        path, "pubmedqa", test_ids=other
    )
    other = written(tmp_path, '{"99": "no"}', "answers.json")
    assert "1 test ids are not in the file, such as 99" in fault_of(path, "pubmedqa", test_ids=other)


def test_bioasq_keeps_what_counts_for_each_type():
    yesno, factoid, listed, summary = rows_of("bioasq.json", "bioasq")
    assert (yesno.type, yesno.answer, yesno.context) == (
        "yesno",
        ("yes",),
        "Scurvy follows lack of vitamin C.",
    )
    assert (factoid.type, factoid.answer) == ("factoid", ("vitamin C", "ascorbic acid"))
    assert (listed.answer, listed.synonyms) == (("vitamin A", "vitamin D"), (("retinol",), ()))
    assert (summary.type, summary.answer) == ("free", ("A disease of vitamin C lack.",))


def test_free_questions_come_from_every_file_that_holds_them():
    (row,) = rows_of("questions.jsonl", "questions")
    assert row.facets == (("source", "Invented"), ("focus", "Scurvy"), ("qtype", "information"))
    one, two = rows_of("chats.json", "instruction_output")
    assert (one.question, one.facets) == (
        "My knee hurts after running. What can I do?",
        (("instruction", "If you are a doctor, please answer."),),
    )
    assert (two.question, two.facets) == ("What is scurvy?", ())
    (row,) = rows_of("mediqa_qa.xml", "mediqa_qa")
    assert row.answer == ("Lack of vitamin C.", "Lack of a vitamin.")
    (row,) = rows_of("mediqa_rqe.xml", "mediqa_rqe")
    assert row.label == "true"


def test_medquad_comes_as_a_file_and_as_a_folder_where_answers_are_withheld():
    one, two = rows_of("medquad/0000001.xml", "medquad_xml")
    assert (one.id, one.document_id, one.answer) == (
        "0000001-1",
        "0000001",
        ("A lack of vitamin C & its signs.",),
    )
    assert dict(two.facets) == {"source": "Invented", "focus": "Scurvy", "qtype": "treatment"}
    assert "0000002.xml, line 5: the question has no answer" in fault_of(FILES / "medquad", "medquad_xml")
    assert "line 5: the question has no answer" in fault_of(FILES / "medquad/0000002.xml", "medquad_xml")
    assert len(rows_of("medquad", "medquad_xml", unanswered="skip")) == 2
    assert len(rows_of("medquad", "medquad_xml", unanswered="keep")) == 3


# Dialogues --------------------------------------------------------------------------------------------


def test_dialogues_come_with_their_note_or_section():
    (row,) = rows_of("mts.csv", "dialogue_note")
    assert row.text_1 == 'Doctor: What do you take?\nPatient: "Aspirin", daily.'
    assert (row.text_2, row.text_2_name, row.facets) == (
        "Aspirin, daily.",
        "note section",
        (("section", "MEDICATIONS"),),
    )
    (row,) = rows_of("aci.csv", "dialogue_note")
    assert (row.id, row.text_2, row.text_2_name) == ("D2N001", "CHIEF COMPLAINT\n\nKnee pain.", "note")


# Containers -------------------------------------------------------------------------------------------


def test_the_same_records_come_from_lines_an_array_a_table_and_gzip(tmp_path):
    (row,) = rows_of("questions.jsonl", "questions")
    line = (FILES / "questions.jsonl").read_text()
    values = json.loads(line)
    table = ";".join(values) + "\n" + ";".join(f'"{value}"' for value in values.values()) + "\n"
    for name, data in (
        ("a.json", f"[{line}]".encode()),
        ("a.csv", table.encode()),
        ("a.jsonl.gz", gzip.compress(line.encode())),
        ("bom.jsonl", b"\xef\xbb\xbf" + line.encode()),
    ):
        assert list(read(written(tmp_path, data, name), "questions")) == [row]
