"""PubTator, BioC and BRAT: documents with mentions by offsets."""

import shutil
import zipfile

import pytest

from db.corpora.offsets import check_row
from db.corpora.readers import read
from tests.db.corpora.reading import FILES, fault_of, rows_of, written


def by_text(row):
    return {" ".join(entity.text): entity for entity in row.entities}


# PubTator ---------------------------------------------------------------------------------------------


def test_pubtator_gives_title_and_abstract_mentions_and_concepts():
    one, two = rows_of("pubtator.txt", "pubtator", database="MESH")
    check_row(one)
    assert one.text.splitlines() == [
        "Lovastatin and muscle pain",
        "Two patients on lovastatin had myalgia or muscle cramps.",
    ]
    found = by_text(one)
    assert found["muscle pain"].normalized == (("MESH", "D063806"),)
    assert found["myalgia"].normalized == ()
    assert found["muscle cramps"].normalized == (("MESH", "D009120"), ("MESH", "D063806"))
    (relation,) = one.relations
    assert (relation.type, relation.arg1_id, relation.arg2_id) == ("CID", "T1", "T2")
    assert (two.id, two.entities) == ("102", ())


def test_a_pubtator_mention_without_an_identifier_is_a_mention(tmp_path):
    (row,) = read(written(tmp_path, "1|t|Mild fever\n1\t5\t10\tfever\tSign\n"), "pubtator")
    assert [entity.text for entity in row.entities] == [("fever",)]


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("1|t|Mild fever\n1\t4\t10\tfever\tSign\tD1\n", "line 2: mention T1 is said to be 'fever'"),
        ("1|t|Mild fever\n1\t4\t10\tfever\tSign\tD1\n", "those words stand at 5"),
        ("1|t|Mild fever\n1\t5\t99\tfever\tSign\tD1\n", "line 2: mention T1 is said to stand at 5 to 99"),
        ("1|t|Mild fever\n2\t5\t10\tfever\tSign\tD1\n", "line 2: it is of document 2 and stands in 1"),
        ("1|t|Mild fever\n1\tfever\n", "line 2: neither a mention"),
        ("1|t|Mild fever\n1\tCID\tD1\tD2\n", "line 2: the relation names D1, which no mention"),
        ("1\t5\t10\tfever\tSign\tD1\n", "line 1: it belongs to no document"),
        ("1|a|No title\n", "line 1: 1|a| has no title"),
    ],
)
def test_broken_pubtator_is_refused_by_its_line(tmp_path, text, said):
    assert said in fault_of(written(tmp_path, text), "pubtator")


def test_offsets_that_count_bytes_are_refused_with_the_place(tmp_path):
    said = fault_of(written(tmp_path, "1|t|β-blocker use.\n1\t11\t14\tuse\tX\tD1\n"), "pubtator")
    assert "those words stand at 10: offsets count characters (not bytes)" in said


# BioC -------------------------------------------------------------------------------------------------


def test_bioc_xml_joins_passages_at_their_offsets():
    one, two = rows_of("bioc.xml", "bioc_xml")
    check_row(one)
    assert one.text == "Lovastatin & muscle pain\nArms and legs were sore. It passed."
    found = by_text(one)
    assert found["Lovastatin"].normalized == (("MESH", "D008148"),)
    assert found["muscle pain"].normalized == (("MESH", "D063806"),)
    assert found["Arms sore"].offsets == ((25, 29), (44, 48))
    assert [(r.id, r.type, r.arg1_id, r.arg2_id) for r in one.relations] == [
        ("R1", "CID", "1", "2"),
        ("R2", "causes", "1", "3"),
    ]
    assert two.text == "No mention."


def test_bioc_json_gives_the_same_and_does_without_empty_lists(tmp_path):
    (row,) = rows_of("bioc.json", "bioc_json")
    assert row.text == "Lovastatin & muscle pain\nIt passed."
    assert [entity.text for entity in row.entities] == [("Lovastatin",), ("muscle pain",)]
    assert row.relations[0].arg2_id == "2"
    documents = (FILES / "bioc.json").read_text().split('"documents":')[1].strip().removesuffix("}")
    answer = written(tmp_path, '{"PubTator3": ' + documents + "}", "answer.json")
    assert list(read(answer, "bioc_json")) == [row]


def test_bioc_with_wrong_offsets_is_refused_by_its_document(tmp_path):
    wrong = (FILES / "bioc.xml").read_text().replace('offset="13"', 'offset="12"')
    said = fault_of(written(tmp_path, wrong), "bioc_xml")
    assert "record 101: mention 2 is said to be 'muscle pain', and its offsets give ' muscle pai'" in said


def test_bioc_without_a_field_says_which_document(tmp_path):
    wrong = (FILES / "bioc.xml").read_text().replace("<offset>25</offset>", "", 1)
    assert "record 101: a field of it is missing" in fault_of(written(tmp_path, wrong), "bioc_xml")
    wrong = (FILES / "bioc.json").read_text().replace('"offset": 25, ', "")
    assert "record 101: its field offset is missing" in fault_of(written(tmp_path, wrong), "bioc_json")


def test_a_bioc_offset_cannot_ask_for_a_huge_text(tmp_path):
    wrong = (FILES / "bioc.xml").read_text().replace("<offset>25</offset>", "<offset>9999999999</offset>", 1)
    assert "no sound offset" in fault_of(written(tmp_path, wrong), "bioc_xml")


def test_a_cut_off_bioc_file_is_refused_by_its_line(tmp_path):
    whole = (FILES / "bioc.xml").read_bytes()
    said = fault_of(written(tmp_path, whole[: len(whole) // 2]), "bioc_xml")
    assert "the XML is broken or cut off here" in said
    assert "line " in said
    whole = (FILES / "bioc.json").read_bytes()
    assert "it was cut off" in fault_of(written(tmp_path, whole[: len(whole) // 2]), "bioc_json")


# BRAT -------------------------------------------------------------------------------------------------


def check_brat(rows):
    one, two = rows
    check_row(one)
    found = {entity.id: entity for entity in one.entities}
    assert found["T3"].text == ("severe", "pain")
    assert found["T3"].offsets == ((17, 23), (34, 38))
    assert found["T4"].text == ("severe\nabdominal pain",)
    assert found["T6"].text == ("β-blocker",)
    assert found["T1"].normalized == (("RxNorm", "6809"),)
    assert [(r.type, r.arg1_id, r.arg2_id) for r in one.relations] == [
        ("Causes", "T1", "T5"),
        ("Agent", "T2", "T1"),
        ("Effect", "T2", "T4"),
        ("Equiv", "T3", "T4"),
    ]
    assert (two.id, two.entities) == ("two", ())


def test_brat_is_read_from_a_folder_a_zip_and_one_file(tmp_path):
    check_brat(rows_of("brat", "brat"))
    archive = tmp_path / "brat.zip"
    with zipfile.ZipFile(archive, "w") as packed:
        for file in sorted((FILES / "brat").iterdir()):
            packed.write(file, file.name)
        packed.writestr("__MACOSX/._one.ann", b"\0\0")
    check_brat(list(read(archive, "brat")))
    (row,) = rows_of("brat/one.ann", "brat")
    assert row.id == "one"


@pytest.mark.parametrize(
    ("line", "said"),
    [
        ("T7\tDrug 0 8\tMetformin", "one.ann, line 13: mention T7 is said to be 'Metformin'"),
        ("T7\tDrug 0\tMetformin", "one.ann, line 13: the line is broken; write it like T1"),
        ("T1\tDrug 0 9\tMetformin", "one.ann, line 13: two mentions are called T1"),
        ("R2\tCauses Arg1:T1 Arg2:T9", "one.ann, line 13: relation R2 names T9, which is no mention"),
        ("X1\tDrug", "one.ann, line 13: 'X1' begins no line of BRAT"),
    ],
)
def test_broken_brat_is_refused_by_document_and_line(tmp_path, line, said):
    folder = shutil.copytree(FILES / "brat", tmp_path / "brat")
    with (folder / "one.ann").open("a") as file:
        file.write(line + "\n")
    assert said in fault_of(folder, "brat")


def test_a_text_or_an_annotation_without_the_other_is_refused(tmp_path):
    folder = shutil.copytree(FILES / "brat", tmp_path / "brat")
    (folder / "two.ann").unlink()
    assert "two.txt has no two.ann beside it" in fault_of(folder, "brat")
    (folder / "two.txt").unlink()
    (folder / "one.txt").unlink()
    assert "one.ann has no one.txt beside it" in fault_of(folder, "brat")
