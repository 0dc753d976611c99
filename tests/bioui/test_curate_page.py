"""The Curate page's handlers, called as Gradio calls them, on the real database file."""

import json
from dataclasses import replace

import gradio as gr
import pytest

from bioui.components import import_panel
from bioui.components.instruction_form import BLANK, Typed, checks_value
from bioui.components.list_filters import Filters
from bioui.components.table import Trail
from bioui.components.word_diff import word_diff
from bioui.pages import curate
from bioui.pages.curate import Record
from db import imports, instructions, search
from db.content import Content, content_of
from db.enums import InstructionStatus
from db.policy import PolicyError
from db.session import read, write
from tests.bioui.conftest import request_of

HEPATITIS = replace(
    BLANK,
    instruction="Which organ does hepatitis inflame?",
    output="The liver.",
    task="qa",
    tags="liver, Viral",
)
NO_FILTER = ("",) * 6


def event(**data) -> gr.EventData:
    return gr.EventData(None, data)


def press(handler, first, typed: Typed, actor):
    """Call a handler of the form with what is typed; the record it leaves open, the head, the conflict."""
    record, head, _, conflict, *_ = handler(first, *typed.values(), request_of(actor))
    return record, head, conflict


def save_new(people, project_id, typed: Typed = HEPATITIS) -> Record:
    record, _, _ = press(curate.save_draft, Record(project_id), typed, people.author)
    return record


def stored(record: Record):
    with read() as session:
        found = instructions.get_instruction(session, record.id)
        return found.status, found.version, content_of(found)


def test_save_makes_a_draft_of_what_is_typed_and_says_so(people, project_id):
    record, head, _ = press(curate.save_draft, Record(project_id), HEPATITIS, people.author)
    status, version, content = stored(record)
    assert (status, version, head["note"]) == (InstructionStatus.DRAFT, 1, "Saved")
    assert content.tags == ("liver", "viral")


def test_submit_saves_what_was_typed_last_and_hands_it_to_the_reviewers(people, project_id):
    record = save_new(people, project_id)
    longer = replace(HEPATITIS, output="The liver, often by a virus.")
    record, head, _ = press(curate.submit, record, longer, people.author)
    assert stored(record)[:2] == (InstructionStatus.IN_REVIEW, 2)
    assert head["chip"]["text"] == "In review"


def test_an_incomplete_text_is_neither_submitted_nor_saved(people, project_id):
    record = save_new(people, project_id)
    with pytest.raises(ValueError, match="^output:"):
        press(curate.submit, record, replace(HEPATITIS, output=""), people.author)
    assert stored(record)[1:] == (1, HEPATITIS.content())


def test_the_second_of_two_writers_sees_both_texts_and_keeps_theirs_as_a_new_version(people, project_id):
    record = save_new(people, project_id)
    press(curate.save_draft, record, replace(HEPATITIS, output="Liver, by a virus."), people.reviewer)
    mine = replace(HEPATITIS, output="The liver, mostly.")
    answer = curate.save_draft(record, *mine.values(), request_of(people.author))
    both = answer[3]
    assert [field["label"] for field in both["fields"]] == ["Output"]
    assert both["fields"][0]["mine"] == "The liver, mostly."
    assert all(output == gr.skip() for output in answer[4:]), "the form keeps what was typed"
    kept, _, closed = press(curate.keep_mine, record, mine, people.author)
    assert (kept.version, closed["sentence"]) == (3, "")
    assert stored(kept)[2].output == "The liver, mostly."


def test_taking_theirs_keeps_mine_at_hand(people, project_id):
    record = save_new(people, project_id)
    press(curate.save_draft, record, replace(HEPATITIS, output="Theirs."), people.reviewer)
    mine = replace(HEPATITIS, output="Mine.")
    *right, kept = curate.take_theirs(record, *mine.values(), request_of(people.author))
    assert "Theirs." in right
    assert kept == mine
    assert "Mine." in curate.put_back(kept, request_of(people.author))


def test_a_deleted_record_comes_back_by_undo(people, project_id):
    record = save_new(people, project_id)
    head = curate.delete(record, request_of(people.author))[1]
    assert head["deleted"] == record.id
    assert list_ids(people, project_id) == []
    curate.undo_delete(project_id, event(id=record.id), request_of(people.author))
    assert list_ids(people, project_id) == [record.id]


def test_an_earlier_version_can_be_restored_as_the_newest(people, project_id):
    first = save_new(people, project_id)
    second, _, _ = press(curate.save_draft, first, replace(HEPATITIS, output="Worse."), people.author)
    restored = curate.restore(second, event(number=1), request_of(people.author))[0]
    assert restored.version == 3
    assert stored(restored)[2] == HEPATITIS.content()
    history, *_ = curate.show_around(restored, request_of(people.author))
    newest = history["revisions"][0]
    assert (newest["reason"], newest["changes"][0]["label"]) == ("Restored version 1", "Output")


def test_a_record_of_another_project_does_not_open(people, project_id):
    record = save_new(people, project_id)
    with pytest.raises(LookupError):
        curate.open_record(project_id + 1, event(id=record.id), request_of(people.author))


@pytest.mark.parametrize("role", ["trainer", "clinician"])
def test_who_may_not_write_can_read_but_not_save(people, project_id, role):
    reader = getattr(people, role)
    record = save_new(people, project_id)
    curate.open_record(project_id, event(id=record.id), request_of(reader))
    with pytest.raises(PolicyError):
        press(curate.save_draft, record, HEPATITIS, reader)


def test_an_author_may_not_save_over_another_authors_draft(people, project_id):
    record = save_new(people, project_id)
    with pytest.raises(PolicyError):
        press(curate.save_draft, record, replace(HEPATITIS, output="Mine now."), people.other_author)


# the list ---------------------------------------------------------------------------------------------


def list_ids(people, project_id, filters=NO_FILTER) -> list[int]:
    shown, _, _ = curate.show_list(project_id, *filters, request_of(people.author))
    return [row["id"] for row in shown["rows"]]


def test_the_address_bar_filters_the_list_and_opens_the_record(people, project_id):
    save_new(people, project_id)
    record = save_new(people, project_id, replace(HEPATITIS, instruction="Name the drug class.", task="ner"))
    request = request_of(people.author, task="ner", id=str(record.id), status="nonsense")
    shown, _, _, *rest = curate.show_page(project_id, request)
    assert [row["id"] for row in shown["rows"]] == [record.id]
    assert shown["params"]["status"] == ""
    assert record in rest


def test_pages_of_the_list_turn_both_ways(people, project_id):
    rows = [Content(f"Question {number}?") for number in range(60)]
    with write() as session:
        ids = imports.import_contents(session, people.author, project_id, rows).ids
    shown, trail, before = curate.show_list(project_id, *NO_FILTER, request_of(people.author))
    assert (len(shown["rows"]), shown["range"]) == (50, "1 to 50 of 60 instructions")
    trail = curate.step_older(trail, before, request_of(people.author))
    shown, _ = curate.turn_page(Record(project_id), trail, *NO_FILTER, request_of(people.author))
    assert [row["id"] for row in shown["rows"]] == ids[:10][::-1]
    assert curate.step_newer(trail, request_of(people.author)) == Trail()


def test_ones_complete_drafts_in_the_list_are_submitted_together(people, project_id):
    save_new(people, project_id)
    save_new(people, project_id, replace(HEPATITIS, output=""))
    shown, _, _ = curate.show_list(project_id, *NO_FILTER, request_of(people.author))
    assert shown["drafts"] == 1
    curate.submit_drafts(project_id, *NO_FILTER, event(count=1), request_of(people.author))
    with read() as session:
        counts = search.count_by_status(session, project_id)
        assert counts == {InstructionStatus.IN_REVIEW: 1, InstructionStatus.DRAFT: 1}


def test_an_empty_list_says_whether_the_filter_or_the_project_is_empty(people, project_id):
    shown, _, _ = curate.show_list(project_id, *NO_FILTER, request_of(people.author))
    assert shown["empty"]["title"] == "No instructions yet."
    shown, _, _ = curate.show_list(project_id, "zebra", *NO_FILTER[1:], request_of(people.author))
    assert shown["empty"]["title"] == "Nothing matches."


def test_a_filter_survives_the_trip_through_the_address_bar():
    filters = Filters(q="50% $mg", status="draft", origin="mine")
    assert Filters.of(filters.params()) == filters


# checks -----------------------------------------------------------------------------------------------


def checks(project_id, typed: Typed, record_id: int = 0) -> dict:
    with read() as session:
        return checks_value(session, project_id, typed, record_id)


def test_checks_name_faults_lengths_and_a_near_copy_with_what_differs(people, project_id):
    record = save_new(people, project_id)
    told = checks(
        project_id, replace(HEPATITIS, instruction="Which organ does hepatitis B inflame?", output="")
    )
    assert told["advice"][0]["field"] == "output"
    assert told["near"]["is_copy"]
    assert told["near"]["id"] == record.id
    assert {"text": "B ", "added": True} in told["near"]["parts"]


def test_a_record_is_no_copy_of_itself_nor_of_a_deleted_one_until_that_is_undone(people, project_id):
    record = save_new(people, project_id)
    assert checks(project_id, HEPATITIS, record.id)["near"] is None
    curate.delete(record, request_of(people.author))
    assert checks(project_id, HEPATITIS)["near"] is None
    curate.undo_delete(project_id, event(id=record.id), request_of(people.author))
    assert checks(project_id, HEPATITIS)["near"]["id"] == record.id


def test_a_word_diff_holds_both_texts_whole():
    before, after = "Aspirin 75 mg once daily.", "Aspirin 100 mg daily, with food."
    parts = word_diff(before, after)
    assert "".join(part["text"] for part in parts if not part.get("added")) == before
    assert "".join(part["text"] for part in parts if not part.get("removed")) == after


# import -----------------------------------------------------------------------------------------------


def write_file(tmp_path, rows: list[dict], *, broken: int = 0) -> str:
    path = tmp_path / "rows.jsonl"
    path.write_text("\n".join([*map(json.dumps, rows), *(["not json"] * broken)]))
    return str(path)


ROWS = [{"instruction": f"Question {number}?", "output": f"Answer {number}."} for number in range(4)]
LABELS = ("QA", "qa", "cardiology")


def test_a_file_is_shown_before_it_is_imported(people, project_id, tmp_path):
    shown, errors, *_, button = import_panel.preview(
        write_file(tmp_path, ROWS), *LABELS, request_of(people.author)
    )
    assert (shown["count"], len(shown["rows"]), errors) == ("4 rows", 3, [])
    assert (button["value"], button["visible"]) == ("Import 4 rows", True)
    assert list_ids(people, project_id) == []


def test_every_faulty_line_is_listed_a_page_at_a_time_and_nothing_is_imported(people, project_id, tmp_path):
    path = write_file(tmp_path, ROWS, broken=60)
    shown, errors, faults, trail, told, button = import_panel.preview(
        path, *LABELS, request_of(people.author)
    )
    assert (shown["count"], len(errors), len(faults["rows"])) == ("", 60, 50)
    assert told["title"] == "Nothing was imported."
    assert not button["visible"]
    faults, trail = import_panel.older_faults(errors, trail, request_of(people.author))
    assert [row["cells"][0]["text"] for row in faults["rows"]][-1] == "64"
    with pytest.raises(ValueError):
        import_panel.import_file(project_id, path, *LABELS, "native", True, request_of(people.author))
    assert list_ids(people, project_id) == []


def test_an_import_can_go_straight_to_review_and_counts_what_stays_a_draft(people, project_id, tmp_path):
    path = write_file(tmp_path, [*ROWS, {"instruction": "Unanswered?"}])
    done, *_ = import_panel.import_file(
        project_id, path, *LABELS, "synthetic", True, request_of(people.author)
    )
    assert done["title"] == "5 rows imported."
    assert done["sentences"][0].startswith("4 went to the reviewers")
    with read() as session:
        rows = search.search_instructions(session, project_id, search.InstructionQuery()).rows
        assert {(row.task, row.specialty, row.provenance) for row in rows} == {
            ("qa", "cardiology", "synthetic")
        }


def test_who_may_not_write_imports_nothing(people, project_id, tmp_path):
    with pytest.raises(PolicyError):
        import_panel.import_file(
            project_id, write_file(tmp_path, ROWS), *LABELS, "native", False, request_of(people.trainer)
        )
