"""An import is said first, and then done whole or not at all."""

import json

import pytest

from db import audit, instructions
from db.content import Content, content_of
from db.enums import Category, InstructionStatus, Origin, Provenance
from db.exchange import writers
from db.exchange.faults import ImportRefused
from db.exchange.plan import MAX_ROWS, ImportOptions, Outcome
from db.exchange.preview import Finding, apply_import, preview_import
from db.exchange.records import of_query
from db.policy import PolicyError
from db.search import InstructionQuery, search_instructions
from db.session import read, write
from db.tables import Instruction, Project
from tests.db.exchange_files import ROWS, write_json, write_jsonl

KEYED = [{**row, "key": f"ward-{number}", "task": "qa"} for number, row in enumerate(ROWS)]


def look(actor, project_id, path, options=None, check=None):
    with read() as session:
        return preview_import(session, actor, project_id, path, options or ImportOptions(), check=check)


def store(actor, project_id, path, options=None, fingerprint="", **how):
    options = options or ImportOptions()
    given = fingerprint or look(actor, project_id, path, options).fingerprint
    with write() as session:
        return apply_import(session, actor, project_id, path, options, fingerprint=given, **how)


def count(project_id):
    with read() as session:
        return search_instructions(session, project_id, InstructionQuery()).total


def record(id):
    with read() as session:
        row = instructions.get_instruction(session, id)
        return row, [revision.reason for revision in row.revisions]


def test_a_preview_counts_shows_and_stores_nothing(people, project_id, tmp_path):
    rows = [*ROWS, ROWS[0], {"output": "no question"}, {"instruction": "q", "mood": "fine"}]
    seen = look(people.author, project_id, write_json(tmp_path / "rows.json", rows))
    assert seen.counts == {Outcome.NEW: 4, Outcome.CHANGED: 0, Outcome.DUPLICATE: 1, Outcome.INVALID: 1}
    assert seen.first[Outcome.DUPLICATE][0].note == "the same text as line 2"
    assert [(fault.row, fault.field) for fault in seen.faults] == [(5, "instruction")]
    assert seen.unmapped == ("mood",)
    assert seen.notes == ("Columns not taken: mood.",)
    assert count(project_id) == 0


def test_an_import_stores_what_the_preview_said(people, project_id, tmp_path):
    path = write_jsonl(tmp_path / "rows.jsonl", KEYED)
    options = ImportOptions(provenance=Provenance.SYNTHETIC, licence="CC BY 4.0", is_restricted=True)
    done = store(people.author, project_id, path, options, file_name="ward.jsonl", submit=True)
    assert (len(done.ids), done.submitted, done.by_row) == (3, 3, dict(enumerate(done.ids, start=1)))
    row, reasons = record(done.ids[1])
    assert (row.origin, row.provenance, row.licence, row.is_restricted, row.key, row.status) == (
        Origin.IMPORTED, Provenance.SYNTHETIC, "CC BY 4.0", True, "ward-1", InstructionStatus.IN_REVIEW,
    )  # fmt: skip
    assert reasons == ["Imported from ward.jsonl"]
    with read() as session:
        [line] = [line for line in audit.list_lines(session) if line.action == "imported"]
        assert line.detail["rows"] == 3


@pytest.mark.parametrize("rows", [ROWS, KEYED], ids=["without keys", "with keys"])
def test_the_same_file_again_is_all_duplicates(people, project_id, tmp_path, rows):
    path, options = write_jsonl(tmp_path / "rows", rows), ImportOptions(task="qa", category=Category.QA)
    store(people.author, project_id, path, options)
    again = store(people.other_author, project_id, path, options)
    assert (again.ids, again.duplicates, count(project_id)) == ([], 3, 3)


def test_a_row_with_a_known_key_and_other_content_is_a_revision_that_keeps_what_it_does_not_give(
    people, project_id, tmp_path
):
    first = store(people.author, project_id, write_jsonl(tmp_path / "rows", KEYED))
    corrected = [{**KEYED[0], "output": "Ascorbic acid.", "task": None}, KEYED[1]]
    path = write_jsonl(tmp_path / "corrected", corrected)
    seen = look(people.author, project_id, path)
    [changed] = seen.first[Outcome.CHANGED]
    assert (changed.before.output, changed.content.output) == ("Vitamin C.", "Ascorbic acid.")
    done = store(people.author, project_id, path)
    assert (done.changed, done.duplicates, done.ids) == ((first.ids[0],), 1, [])
    row, reasons = record(first.ids[0])
    assert (row.version, row.output, row.task) == (2, "Ascorbic acid.", "qa")
    assert reasons == ["Imported from rows", "Imported from corrected"]


def test_another_authors_record_is_changed_by_a_reviewer_only(people, project_id, tmp_path):
    store(people.author, project_id, write_jsonl(tmp_path / "rows", KEYED))
    path = write_jsonl(tmp_path / "rows", [{**KEYED[0], "output": "Other."}])
    assert "needs the role reviewer" in look(people.other_author, project_id, path).faults[0].message
    assert look(people.reviewer, project_id, path).counts[Outcome.CHANGED] == 1


def test_a_deleted_records_key_is_said_and_its_text_may_come_anew(people, project_id, tmp_path):
    done = store(people.author, project_id, write_jsonl(tmp_path / "rows", KEYED))
    with write() as session:
        instructions.delete_instruction(session, people.author, done.ids[0])
    again = look(people.author, project_id, tmp_path / "rows")
    assert "restore that one first" in again.faults[0].message
    bare = look(people.author, project_id, write_jsonl(tmp_path / "bare", ROWS))
    assert (bare.counts[Outcome.NEW], bare.counts[Outcome.DUPLICATE]) == (1, 2)


def test_one_key_with_two_contents_in_a_file_is_a_fault(people, project_id, tmp_path):
    rows = [KEYED[0], KEYED[0], {**KEYED[0], "output": "Other."}]
    seen = look(people.author, project_id, write_jsonl(tmp_path / "rows", rows))
    assert (seen.counts[Outcome.NEW], seen.counts[Outcome.DUPLICATE]) == (1, 1)
    assert seen.faults[0].message.startswith("key: line 1 has the same key")


def test_a_file_with_a_fault_is_refused_whole_though_its_first_thousands_are_fine(
    people, project_id, tmp_path
):
    rows = [{"instruction": f"Question {number}?"} for number in range(2_500)]
    path = write_jsonl(tmp_path / "rows", [*rows, {"output": "no question"}])
    with pytest.raises(ImportRefused) as refused:
        store(people.author, project_id, path)
    assert [(error.line, error.message) for error in refused.value.errors] == [
        (2501, "instruction: missing.")
    ]
    assert count(project_id) == 0


def test_a_caller_who_swallows_the_refusal_stores_nothing_either(people, project_id, tmp_path):
    rows = [*({"instruction": f"Question {number}?"} for number in range(1_500)), {"output": "x"}]
    path = write_jsonl(tmp_path / "rows", rows)
    mark = look(people.author, project_id, path).fingerprint
    with write() as session, pytest.raises(ImportRefused):
        apply_import(session, people.author, project_id, path, fingerprint=mark)
    assert count(project_id) == 0


def test_a_file_that_changed_since_the_preview_is_refused(people, project_id, tmp_path):
    path = write_jsonl(tmp_path / "rows", ROWS)
    mark = look(people.author, project_id, path).fingerprint
    write_jsonl(path, [*ROWS, {"instruction": "One more?"}])
    with pytest.raises(ValueError, match="changed since the preview"):
        store(people.author, project_id, path, fingerprint=mark)
    with pytest.raises(ValueError, match="changed since the preview"):
        store(people.author, project_id, path, ImportOptions(task="qa"), fingerprint=mark)


def test_records_that_changed_since_so_that_a_row_fares_otherwise_refuse_the_import(
    people, project_id, tmp_path
):
    path = write_jsonl(tmp_path / "rows", ROWS)
    mark = look(people.author, project_id, path).fingerprint
    with write() as session:
        instructions.create_instruction(session, people.author, project_id, Content("Something else?"))
    with write() as session:
        instructions.create_instruction(session, people.author, project_id, Content(**ROWS[0]))
    with pytest.raises(ValueError, match="records of the project have changed"):
        store(people.author, project_id, path, fingerprint=mark)
    assert count(project_id) == 2


def test_other_work_in_between_does_not_matter(people, project_id, tmp_path):
    path = write_jsonl(tmp_path / "rows", ROWS)
    mark = look(people.author, project_id, path).fingerprint
    with write() as session:
        instructions.create_instruction(session, people.author, project_id, Content("Something else?"))
    assert len(store(people.author, project_id, path, fingerprint=mark).ids) == 3


def test_checks_see_new_and_changed_rows_and_their_findings_may_be_left_out(people, project_id, tmp_path):
    store(people.author, project_id, write_jsonl(tmp_path / "first", KEYED[:1]))
    given = []

    def check(contents):
        given.extend(contents)
        return {place: [Finding("phi", "a date")] for place, one in enumerate(contents) if one.input}

    path = write_jsonl(tmp_path / "rows", KEYED)
    seen = look(people.author, project_id, path, check=check)
    assert [one.instruction for one in given] == [row["instruction"] for row in KEYED[1:]]
    assert seen.findings == {2: (Finding("phi", "a date"),)}
    done = store(people.author, project_id, path, fingerprint=seen.fingerprint, skip=seen.findings)
    assert list(done.by_row) == [3]


def test_what_a_spreadsheet_sends_back_is_known_by_its_key(people, project_id, tmp_path):
    """Export, correct a cell, import: one revision and nothing doubled, though no record has its own key."""
    ids = store(people.author, project_id, write_jsonl(tmp_path / "rows", ROWS)).ids
    sheet = tmp_path / "sheet.csv"
    with read() as session:
        records = of_query(session, people.author, project_id, InstructionQuery())
        writers.save_records(records, writers.Format.CSV, sheet)
    sheet.write_text(sheet.read_text(encoding="utf-8").replace("Vitamin C.", "Ascorbic acid."), "utf-8")
    seen = look(people.author, project_id, sheet)
    assert (seen.counts[Outcome.CHANGED], seen.counts[Outcome.DUPLICATE], seen.rows) == (1, 2, 3)
    assert seen.first[Outcome.CHANGED][0].target_id == ids[0]
    assert look(people.author, other_project(), sheet).counts[Outcome.NEW] == 3


def other_project() -> int:
    with write() as session:
        project = Project(name="Ward 8")
        session.add(project)
        session.flush()
        return project.id


def test_labels_fill_rows_that_name_no_task(people, project_id, tmp_path):
    rows = [ROWS[0], {**ROWS[1], "task": "ner", "category": "information extraction"}]
    options = ImportOptions(task="qa", category=Category.QA, specialty="nutrition")
    done = store(people.author, project_id, write_jsonl(tmp_path / "rows", rows), options)
    bare, labelled = (content_of(record(id)[0]) for id in done.ids)
    assert (bare.category, bare.task, bare.specialty) == (Category.QA, "qa", "nutrition")
    assert (labelled.category, labelled.task, labelled.specialty) == (Category.IE, "ner", "")


def test_a_hundred_thousand_character_field_is_refused_by_its_line_with_the_limit(
    people, project_id, tmp_path
):
    rows = [*ROWS, {"instruction": "Summarise.", "input": "x" * 100_000}]
    for path in (write_jsonl(tmp_path / "lines", rows), table(tmp_path / "table", rows)):
        [fault] = look(people.author, project_id, path).faults
        assert (fault.row, fault.field) == (4, "input")
        assert "20,000 at most" in fault.message


def table(path, rows):
    lines = ["instruction,input,output"]
    lines += [
        ",".join(json.dumps(row.get(name, ""), ensure_ascii=False) for name in lines[0].split(","))
        for row in rows
    ]
    path.write_text("\n".join(lines).replace("\\n", "\n"), encoding="utf-8")
    return path


def test_more_rows_than_an_import_may_hold_are_refused(people, project_id, tmp_path):
    path = tmp_path / "rows"
    path.write_text('{"instruction": "Again?"}\n' * (MAX_ROWS + 1))
    with pytest.raises(ValueError, match="more than 100,000 rows"):
        look(people.author, project_id, path)


@pytest.mark.parametrize("text", ["[]", '{"key": "a", "mood": "fine"}'])
def test_a_file_without_rows_or_instructions_says_so(people, project_id, tmp_path, text):
    path = tmp_path / "rows"
    path.write_text(text)
    with pytest.raises(ValueError, match="holds no rows|no column of the file"):
        look(people.author, project_id, path)


def test_a_mapping_to_what_is_not_there_is_refused(people, project_id, tmp_path):
    path = write_jsonl(tmp_path / "rows", ROWS)
    for mapping in ({"instruction": "question"}, {"instructions": "instruction"}):
        with pytest.raises(ValueError, match="mapping: "):
            look(people.author, project_id, path, ImportOptions(mapping=mapping))


def test_who_may_not_write_may_neither_look_nor_import(people, project_id, tmp_path):
    path = write_jsonl(tmp_path / "rows", ROWS)
    with pytest.raises(PolicyError):
        look(people.clinician, project_id, path)
    mark = look(people.author, project_id, path).fingerprint
    with pytest.raises(PolicyError):
        store(people.clinician, project_id, path, fingerprint=mark)
    with read() as session:
        assert session.query(Instruction).count() == 0
