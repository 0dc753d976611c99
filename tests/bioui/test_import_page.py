"""The import page: what a file is, what its columns and rows become, and then all rows or none."""

import csv
import json
from pathlib import Path

import pytest

from bioui import outgoing
from bioui.components.import_mapping import FIELDS, NO_COLUMN, OPTIONS
from bioui.importing import Chosen, Seen
from bioui.pages import imports
from db import instructions, privacy, search
from db.enums import InstructionStatus
from db.policy import PolicyError
from db.session import read, write
from db.tables import Instruction
from tests.bioui.conftest import request_of
from tests.db.exchange_files import (
    ROWS,
    save_folder,
    turns,
    write_json,
    write_jsonl,
    write_parquet,
    zip_folder,
)

LABELS = {"category": "QA", "task": "qa", "specialty": "", "provenance": "native"}
NEAR_TEXTS = (
    "List the early symptoms of scurvy in an adult patient on a restricted diet.",
    "List the early symptoms of scurvy in one adult patient on a restricted diet.",
)
PATIENT = "Summarise the note of the patient with MRN 00482913, born 12/03/1931."


@pytest.fixture(autouse=True)
def _own_data_folder(settings, monkeypatch):
    """What is made for download goes under this test's data folder."""
    monkeypatch.setenv("STUDIO_DATA_DIR", str(settings.data_dir))


def choose(actor, path) -> tuple[Chosen, list]:
    """The chosen file, and the last answer of the handler."""
    *_, last = imports.choose_file(str(path), request_of(actor))
    return last[2], last


def form(chosen: Chosen, columns: dict | None = None, **options) -> list:
    """What the form sends: the guess, with these columns and options in place of its own."""
    mapping = {**chosen.survey.mapping, **(columns or {})}
    given = {**LABELS, **options}
    return [*(mapping.get(name, "") for name in FIELDS), *(given.get(name) for name in OPTIONS)]


def check(actor, project_id, chosen, columns=None, leave=(True, True), **options) -> tuple[Seen, dict, tuple]:
    """(what was seen, what is shown, (near choice, privacy choice, verdict, button))."""
    values = form(chosen, columns, **options)
    *_, last = imports.check(project_id, chosen, *leave, *values, request_of(actor))
    return last[2], last[3], last[5:]


def confirm(actor, project_id, seen, *, leave=(True, True), submit=False) -> dict:
    """The notice at the end."""
    *_, last = imports.confirm(project_id, seen, *leave, submit, request_of(actor))
    return last[6]


def look(actor, project_id, path, columns=None, **options):
    return check(actor, project_id, choose(actor, path)[0], columns, **options)


def take(actor, project_id, path, *, submit=False, leave=(True, True), columns=None, **options) -> dict:
    seen, *_ = look(actor, project_id, path, columns, leave=leave, **options)
    return confirm(actor, project_id, seen, leave=leave, submit=submit)


def stored(project_id) -> list[Instruction]:
    with read() as session:
        return search.search_instructions(session, project_id, search.InstructionQuery()).rows[::-1]


def pick(actor, project_id, seen, which) -> dict:
    event = type("Event", (), {"which": which})()
    return imports.pick_fate(project_id, seen, event, request_of(actor))


def counts(shown: dict) -> dict[str, str]:
    return {tab["which"]: tab["count"] for tab in shown["tabs"]}


def write_csv(path: Path, rows: list[dict]) -> Path:
    with path.open("w", newline="", encoding="utf-8") as file:
        writer = csv.DictWriter(file, list(rows[0]))
        writer.writeheader()
        writer.writerows(rows)
    return path


# what a file is ---------------------------------------------------------------------------------------


def test_a_file_says_what_it_is(people, tmp_path):
    talk = [{"messages": turns(row, "role", "content", "user", "assistant")} for row in ROWS]
    gpt = [{"conversations": turns(row, "from", "value", "human", "gpt")} for row in ROWS]
    files = {
        write_json(tmp_path / "a", ROWS): "Alpaca (JSON array)",
        write_jsonl(tmp_path / "b", ROWS): "JSONL",
        write_jsonl(tmp_path / "c", talk): "messages (JSONL)",
        write_json(tmp_path / "d", gpt): "ShareGPT (JSON array)",
        write_csv(tmp_path / "e", ROWS): "CSV with commas",
        write_parquet(tmp_path / "f", ROWS): "Parquet",
        zip_folder(save_folder(tmp_path / "saved", ROWS), tmp_path / "g"): "datasets folder",
    }
    for path, layout in files.items():
        _, (*_, facts) = choose(people.author, path)[0], choose(people.author, path)[1][:4]
        assert (facts["layout"], facts["rows"]) == (layout, "3")


def test_a_byte_order_mark_is_told_and_a_broken_row_is_counted(people, tmp_path):
    path = tmp_path / "marked.jsonl"
    path.write_bytes(b"\xef\xbb\xbf" + b'{"instruction": "One?"}\r\nnot json\r\n')
    _, last = choose(people.author, path)
    assert last[3]["encoding"] == "UTF-8 with a byte-order mark"
    assert (last[3]["rows"], last[3]["unreadable"]) == ("2", "1 cannot be read")


def test_a_file_that_is_nothing_is_refused_with_its_mend(people, tmp_path):
    (tmp_path / "book.xlsx").write_bytes(b"PK\x03\x04[Content_Types].xml")
    with pytest.raises(ValueError, match="CSV UTF-8"):
        list(imports.choose_file(str(tmp_path / "book.xlsx"), request_of(people.author)))


def test_columns_are_guessed_and_shown_with_their_first_values(people, tmp_path):
    rows = [{"question": f"Q{n}?", "answer": "", "ward": n} for n in range(5)]
    chosen, last = choose(people.author, write_csv(tmp_path / "ward.csv", rows))
    columns = dict(zip(FIELDS, last[5 : 5 + len(FIELDS)], strict=True))
    values = dict(zip(FIELDS, last[5 + len(FIELDS) :], strict=False))
    assert columns["instruction"]["value"] == "question"
    assert columns["task"]["choices"] == [NO_COLUMN, *((name, name) for name in rows[0])]
    assert values["instruction"]["values"] == ["Q0?", "Q1?", "Q2?"]
    assert values["output"] == {"values": [], "none": "Empty in the first rows."}
    assert imports.show_values(chosen, "ward", request_of(people.author))["values"] == ["0", "1", "2"]


# what each row becomes --------------------------------------------------------------------------------


def test_mapped_columns_and_options_reach_the_records(people, project_id, tmp_path):
    rows = [{"text": f"Question {n}?", "reply": f"Answer {n}.", "ref": f"w-{n}"} for n in range(3)]
    told = take(
        people.author, project_id, write_csv(tmp_path / "ward.csv", rows), submit=True,
        columns={"instruction": "text", "output": "reply", "key": "ref"},
        task="qa", specialty="cardiology", licence="CC BY 4.0", provenance="synthetic", is_restricted=True,
    )  # fmt: skip
    assert (told["title"], told["sentences"]) == ("3 rows imported.", ["3 went to the reviewers."])
    assert told["links"][0]["href"] == f"/curate?project={project_id}&origin=imported"
    first = stored(project_id)[0]
    assert (first.instruction, first.output, first.key, first.specialty) == (
        "Question 0?", "Answer 0.", "w-0", "cardiology",
    )  # fmt: skip
    assert (first.licence, first.provenance, first.is_restricted) == ("CC BY 4.0", "synthetic", True)
    assert first.status is InstructionStatus.IN_REVIEW


def test_a_column_for_two_fields_is_refused_by_name(people, project_id, tmp_path):
    path = write_jsonl(tmp_path / "rows", ROWS)
    with pytest.raises(ValueError, match="Instruction and for Output"):
        look(people.author, project_id, path, {"output": "instruction"})


def test_new_changed_and_duplicate_rows_are_told_apart_and_lead_to_what_they_meet(
    people, project_id, tmp_path
):
    keyed = [{**row, "key": f"k{n}"} for n, row in enumerate(ROWS)]
    take(people.author, project_id, write_jsonl(tmp_path / "first", keyed))
    ids = [row.id for row in stored(project_id)]
    again = [
        {**keyed[0], "output": "Ascorbic acid."},
        keyed[1],
        {"instruction": "What is new?", "output": "This."},
    ]
    seen, shown, (_, _, verdict, button) = look(
        people.author, project_id, write_jsonl(tmp_path / "again", again)
    )
    assert counts(shown) == {
        "new": "1", "changed": "1", "duplicate": "1", "invalid": "0", "near": "0", "private": "0",
    }  # fmt: skip
    assert [row["instruction"] for row in shown["rows"]] == ["What is new?"]
    [changed] = pick(people.author, project_id, seen, "changed")["rows"]
    assert changed["href"] == f"/curate?project={project_id}&id={ids[0]}"
    assert {"text": "Ascorbic acid.", "added": True} in changed["changes"][0]["parts"] or any(
        part.get("added") for part in changed["changes"][0]["parts"]
    )
    [duplicate] = pick(people.author, project_id, seen, "duplicate")["rows"]
    assert duplicate["href"].endswith(f"id={ids[1]}")
    assert (button["value"], verdict["title"]) == ("Import 2 rows", "")
    told = confirm(people.author, project_id, seen)
    assert told["sentences"][0] == "1 new record, 1 new revision."
    assert "1 row was here already." in told["sentences"]


def test_invalid_rows_stop_everything_and_come_as_a_file_by_line(people, project_id, tmp_path):
    path = tmp_path / "faulty.jsonl"
    lines = [
        json.dumps(ROWS[0]),
        "not json",
        '{"output": "no question"}',
        '{"instruction": "q", "difficulty": 9}',
    ]
    path.write_text("\n".join(lines))
    seen, shown, (_, _, verdict, button) = look(people.author, project_id, path)
    assert (counts(shown)["invalid"], button["visible"]) == ("3", False)
    assert verdict["title"] == "Nothing can be imported yet."
    assert [(row["line"], row["field"]) for row in shown["rows"]] == [
        ("2", ""), ("3", "instruction"), ("4", "difficulty"),
    ]  # fmt: skip
    _, _, token, name = seen.errors_href.split("/")
    file = outgoing.find(people.author, token, name)
    rows = list(csv.DictReader(file.read_text("utf-8-sig").splitlines()))
    assert [row["line"] for row in rows] == ["2", "3", "4"]
    with pytest.raises(ValueError, match="3 rows have faults"):
        confirm(people.author, project_id, seen)
    assert stored(project_id) == []


def test_near_copies_are_left_out_unless_asked_for_and_then_stay_drafts(people, project_id, tmp_path):
    take(
        people.author,
        project_id,
        write_jsonl(tmp_path / "first", [{"instruction": NEAR_TEXTS[0], "output": "a"}]),
    )
    [before] = stored(project_id)
    rows = [{"instruction": NEAR_TEXTS[1], "output": "b"}, {"instruction": "Name the organ.", "output": "c"}]
    path = write_jsonl(tmp_path / "second", rows)
    seen, shown, (near, private, _, button) = look(people.author, project_id, path)
    assert (counts(shown)["near"], button["value"]) == ("1", "Import 1 row")
    assert (near["label"], private["visible"]) == ("Leave out 1 near copy", False)
    [row] = pick(people.author, project_id, seen, "near")["rows"]
    assert row["note"].startswith(f"A near copy of number {before.id}: ROUGE-L 0.9")
    assert [part["text"] for part in row["changes"][0]["parts"] if part.get("added")] == ["one"]
    _, button = imports.choose_rows(seen, False, True, request_of(people.author))
    assert button["value"] == "Import 2 rows"
    told = confirm(people.author, project_id, seen, leave=(False, True), submit=True)
    assert told["sentences"][0] == "1 went to the reviewers."
    assert [row.status for row in stored(project_id)[1:]] == ["draft", "in_review"]


def test_a_near_copy_of_a_row_a_thousand_lines_earlier_is_found(people, project_id, tmp_path):
    fill = [{"instruction": f"{n} {n * 7} {n * 13} {n * 31}", "output": "x"} for n in range(1, 1_200)]
    rows = [{"instruction": NEAR_TEXTS[0]}, *fill, {"instruction": NEAR_TEXTS[1]}]
    seen, *_ = look(people.author, project_id, write_jsonl(tmp_path / "rows", rows))
    assert [(near.row.line, near.line) for near in seen.preview.screened.first_near] == [(1_201, 1)]


def test_patient_data_is_marked_left_out_and_flagged_when_it_comes_in(people, project_id, tmp_path):
    path = write_jsonl(tmp_path / "rows", [{"instruction": PATIENT, "output": "No."}, ROWS[0]])
    seen, shown, (_, private, _, button) = look(people.author, project_id, path)
    assert (counts(shown)["private"], button["value"]) == ("1", "Import 1 row")
    assert private["label"] == "Leave out 1 row with privacy findings"
    shown = pick(people.author, project_id, seen, "private")
    marked = [part["text"] for part in shown["rows"][0]["flagged"][0]["parts"] if part["kind"]]
    assert "12/03/1931" in marked
    assert "".join(part["text"] for part in shown["rows"][0]["flagged"][0]["parts"]) == PATIENT
    assert any(note.startswith("Not looked for: names") for note in shown["notes"])
    confirm(people.author, project_id, seen, leave=(True, False))
    flagged = stored(project_id)[0]
    with read() as session:
        flags = privacy.open_flags(session, flagged.id, 1)
        assert PATIENT[flags[-1].span_start : flags[-1].span_end] == "12/03/1931"


def test_a_form_that_changes_takes_the_preview_away(people, project_id, tmp_path):
    seen, *_ = look(people.author, project_id, write_jsonl(tmp_path / "rows", ROWS))
    _, gone, *_ = imports.make_stale(seen, request_of(people.author))
    with pytest.raises(ValueError, match="look at what its rows become first"):
        confirm(people.author, project_id, gone)


# then all of them or none -----------------------------------------------------------------------------


def test_a_file_that_changed_since_the_preview_is_refused(people, project_id, tmp_path):
    path = write_jsonl(tmp_path / "rows", ROWS)
    seen, *_ = look(people.author, project_id, path)
    write_jsonl(path, [*ROWS, {"instruction": "Slipped in?"}])
    with pytest.raises(ValueError, match="has changed since the preview"):
        confirm(people.author, project_id, seen)
    assert stored(project_id) == []


def test_records_that_changed_since_the_preview_are_told(people, project_id, tmp_path):
    seen, *_ = look(people.author, project_id, write_jsonl(tmp_path / "rows", ROWS))
    take(people.other_author, project_id, write_jsonl(tmp_path / "theirs", ROWS[:1]))
    with pytest.raises(ValueError, match="records of the project have changed"):
        confirm(people.author, project_id, seen)
    assert len(stored(project_id)) == 1


def test_an_import_goes_on_when_the_browser_leaves(people, project_id, tmp_path):
    rows = [{"instruction": f"Question {n} about {n * 7919}?", "output": "Yes."} for n in range(300)]
    seen, *_ = look(people.author, project_id, write_jsonl(tmp_path / "rows", rows), task="qa")
    running = imports.confirm(project_id, seen, False, False, False, request_of(people.author))
    next(running)
    next(running, None)
    running.close()
    for _ in range(100):
        if len(stored(project_id)) == 50:
            break
    with read() as session:
        found = search.count_matching(session, project_id, search.InstructionQuery())
    assert found == 300


def test_the_flags_of_a_shell_import_are_stored_too(people, project_id, tmp_path):
    from db.exchange.preview import apply_import, preview_import

    path = write_jsonl(tmp_path / "rows", [{"instruction": PATIENT}])
    with write() as session:
        seen = preview_import(session, people.author, project_id, path)
        done = apply_import(session, people.author, project_id, path, fingerprint=seen.fingerprint)
    with read() as session:
        head = instructions.get_instruction(session, done.ids[0])
        assert privacy.open_flags(session, head.id, head.version)


@pytest.mark.parametrize("who", ["trainer", "clinician"])
def test_who_may_not_write_sees_nothing_and_stores_nothing(people, project_id, tmp_path, who):
    path = write_jsonl(tmp_path / "rows", ROWS)
    with pytest.raises(PolicyError):
        choose(getattr(people, who), path)
    seen, *_ = look(people.author, project_id, path)
    with pytest.raises(PolicyError):
        confirm(getattr(people, who), project_id, seen)
    assert stored(project_id) == []
