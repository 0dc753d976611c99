import json

import pytest

from db import audit, imports, instructions, search
from db.content import Content
from db.enums import Category, InstructionStatus, Origin
from db.imports import ImportRefused
from db.policy import PolicyError
from db.search import InstructionQuery
from db.session import read, write

ROWS = [{"instruction": f"Question {n}?", "input": "", "output": f"Answer {n}."} for n in range(3)]


def test_a_json_array_and_jsonl_give_the_same_rows(tmp_path):
    array, lines = tmp_path / "rows.json", tmp_path / "rows.jsonl"
    array.write_text(json.dumps(ROWS))
    lines.write_text("\n".join(json.dumps(row) for row in ROWS) + "\n\n")
    assert imports.read_file(array) == imports.read_file(lines)


def test_every_faulty_line_is_listed_and_none_is_stored(tmp_path):
    path = tmp_path / "rows.jsonl"
    path.write_text(
        '{"instruction": "Good one?"}\n{"output": "no question"}\n'
        'not json\n{"instruction": "x", "difficulty": 9}'
    )
    with pytest.raises(ImportRefused) as refused:
        imports.read_file(path)
    assert [error.line for error in refused.value.errors] == [2, 3, 4]
    assert "difficulty" in refused.value.errors[2].message


@pytest.mark.parametrize(
    ("text", "sentence"),
    [
        ("", "no rows"),
        ("[]", "no rows"),
        ("[1", "not JSON"),
        ('["a"]', "not an object"),
        ('{"instruction": "x", "mood": "y"}', "mood"),
    ],
)
def test_an_unreadable_file_gets_one_clear_sentence(tmp_path, text, sentence):
    path = tmp_path / "rows.jsonl"
    path.write_text(text)
    with pytest.raises(ValueError) as refused:
        imports.read_file(path)
    told = [str(refused.value), *(error.message for error in getattr(refused.value, "errors", []))]
    assert any(sentence in line for line in told)


def test_a_folder_or_a_missing_file_is_refused(tmp_path):
    for path in (tmp_path, tmp_path / "missing.json"):
        with pytest.raises(ValueError, match="cannot be read"):
            imports.read_file(path)


def test_bytes_that_are_no_text_are_refused(tmp_path):
    path = tmp_path / "rows.json"
    path.write_bytes(b"\xff\xfe\x00")
    with pytest.raises(ValueError, match="UTF-8"):
        imports.read_file(path)


def test_imported_rows_are_drafts_of_origin_imported(people, project_id, tmp_path):
    path = tmp_path / "rows.json"
    path.write_text(json.dumps(ROWS))
    with write() as session:
        imports.import_contents(
            session, people.author, project_id, imports.read_file(path), file_name=path.name
        )
    with read() as session:
        page = search.search_instructions(session, project_id, InstructionQuery(origins=(Origin.IMPORTED,)))
        assert page.total == 3
        assert {row.status for row in page.rows} == {InstructionStatus.DRAFT}


def test_an_import_writes_a_first_revision_of_every_row(people, project_id):
    with write() as session:
        stored = imports.import_contents(session, people.author, project_id, contents(3), file_name="a.jsonl")
    with read() as session:
        for number, id in enumerate(stored.ids):
            revision = instructions.get_instruction(session, id).revisions[0]
            assert (revision.number, revision.instruction) == (1, f"Question {number}?")
            assert imports.name_of_import(session, id) == "Imported from a.jsonl"


def test_an_import_may_submit_its_complete_rows_and_leaves_the_others_as_drafts(people, project_id):
    rows = [*contents(2), Content("No answer yet?", task="qa")]
    with write() as session:
        instructions.create_instruction(session, people.author, project_id, contents(1)[0])
        stored = imports.import_contents(session, people.author, project_id, rows, submit=True)
    assert (len(stored.ids), stored.submitted) == (3, 2)
    with read() as session:
        counts = search.count_by_status(session, project_id)
        assert counts == {InstructionStatus.IN_REVIEW: 2, InstructionStatus.DRAFT: 2}
        submitted = [line for line in audit.list_lines(session) if line.action == "submitted"]
        assert sorted(line.subject_id for line in submitted) == stored.ids[:2]


def test_who_may_not_write_may_not_import(people, project_id):
    with pytest.raises(PolicyError), write() as session:
        imports.import_contents(session, people.clinician, project_id, contents(1))


def test_rows_without_a_task_take_the_labels_given_for_the_file():
    rows = [Content("Bare?"), Content("Labelled?", task="ner", category=Category.IE, specialty="neurology")]
    bare, labelled = imports.fill_labels(rows, category=Category.QA, task="qa", specialty="cardiology")
    assert (bare.category, bare.task, bare.specialty) == (Category.QA, "qa", "cardiology")
    assert labelled == rows[1]


def contents(count: int) -> list[Content]:
    return [Content(f"Question {n}?", output=f"Answer {n}.", task="qa") for n in range(count)]
