"""The open record of the Curate page: handlers called as Gradio calls them, on the real database file."""

from dataclasses import replace

import gradio as gr
import pytest

from bioui import writing
from bioui.components.checks import checks_value
from bioui.components.instruction_form import BLANK, Typed
from bioui.components.word_diff import word_diff
from bioui.pages.curate import Record
from db import instructions, reviews, users
from db.content import content_of
from db.enums import Decision, InstructionStatus
from db.policy import PolicyError
from db.session import read, write
from tests.bioui.conftest import request_of
from tests.bioui.curating import HEPATITIS, event, list_ids, press, save_new


def stored(record: Record):
    with read() as session:
        found = instructions.get_instruction(session, record.id)
        return found.status, found.version, content_of(found)


def test_save_makes_a_draft_of_what_is_typed_and_says_so(people, project_id):
    record, head, _ = press(writing.save_draft, Record(project_id), HEPATITIS, people.author)
    status, version, content = stored(record)
    assert (status, version, head["note"]) == (InstructionStatus.DRAFT, 1, "Saved")
    assert content.tags == ("liver", "viral")


def test_submit_saves_what_was_typed_last_and_hands_it_to_the_reviewers(people, project_id):
    record = save_new(people, project_id)
    longer = replace(HEPATITIS, output="The liver, often by a virus.")
    record, head, _ = press(writing.submit, record, longer, people.author)
    assert stored(record)[:2] == (InstructionStatus.IN_REVIEW, 2)
    assert head["chip"]["text"] == "In review"


def test_an_incomplete_text_is_neither_submitted_nor_saved(people, project_id):
    record = save_new(people, project_id)
    with pytest.raises(ValueError, match="^output:"):
        press(writing.submit, record, replace(HEPATITIS, output=""), people.author)
    assert stored(record)[1:] == (1, HEPATITIS.content())


def save_behind(people, record: Record, **changed) -> Typed:
    """Someone else saves the record; what I typed meanwhile."""
    press(writing.save_draft, record, replace(HEPATITIS, output="Theirs."), people.reviewer)
    return replace(HEPATITIS, **changed)


def test_the_second_of_two_writers_sees_both_texts_and_the_form_keeps_what_was_typed(people, project_id):
    record = save_new(people, project_id)
    mine = save_behind(people, record, output="Mine.", task="recall")
    answer = writing.save_draft(record, *mine.values(), request_of(people.author))
    assert [field["name"] for field in answer[3]["fields"]] == ["output", "task"]
    assert answer[3]["fields"][0]["mine"] == "Mine."
    assert all(output == gr.skip() for output in answer[4:])


def test_both_texts_are_merged_field_by_field_and_saved_on_top_of_theirs(people, project_id):
    record = save_new(people, project_id)
    mine = save_behind(people, record, output="Mine.", task="recall")
    picked = event(theirs=["output"])
    *right, kept = writing.merge_fields(record, *mine.values(), picked, request_of(people.author))
    merged, typed = right[0], Typed(*right[4:])
    assert (merged.version, typed.output, typed.task, kept) == (2, "Theirs.", "recall", mine)
    press(writing.save_draft, merged, typed, people.author)
    assert stored(merged)[1:] == (3, replace(HEPATITIS, output="Theirs.", task="recall").content())
    assert "Mine." in writing.put_back(kept, request_of(people.author))


# typing -----------------------------------------------------------------------------------------------


def keep(record: Record, typed: Typed, actor) -> dict:
    return writing.keep(record, *typed.values(), request_of(actor))


def reopen(record: Record, actor) -> tuple[Record, dict, dict, Typed]:
    """(record, head, conflict, form) as the page shows it when the record is opened."""
    answer = writing.open_record(record.project_id, event(id=record.id), request_of(actor))
    return answer[0], answer[1], answer[3], Typed(*answer[4:])


def test_what_was_typed_and_not_saved_is_back_when_its_author_opens_the_record_again(people, project_id):
    record = save_new(people, project_id)
    mine = replace(HEPATITIS, output="Half a senten")
    assert keep(record, mine, people.author)["at"]
    _, head, _, typed = reopen(record, people.author)
    assert (typed.output, bool(head["kept"])) == ("Half a senten", True)
    assert stored(record)[1] == 1, "no version yet"
    _, head, _, typed = reopen(record, people.reviewer)
    assert (typed.output, head["kept"]) == ("The liver.", "")


def test_typing_that_says_no_more_than_what_is_stored_is_forgotten(people, project_id):
    record = save_new(people, project_id)
    keep(record, replace(HEPATITIS, output="Other."), people.author)
    assert keep(record, HEPATITIS, people.author)["at"] == ""
    assert reopen(record, people.author)[1]["kept"] == ""


def test_saving_or_throwing_away_ends_what_was_kept(people, project_id):
    record = save_new(people, project_id)
    keep(record, replace(HEPATITIS, output="Other."), people.author)
    thrown = writing.discard(record, request_of(people.author))
    assert (Typed(*thrown[4:]).output, thrown[1]["kept"]) == ("The liver.", "")
    keep(record, replace(HEPATITIS, output="Other."), people.author)
    record, _, _ = press(writing.save_draft, record, replace(HEPATITIS, output="Other."), people.author)
    assert reopen(record, people.author)[1]["kept"] == ""


def test_a_new_text_that_was_never_saved_is_back_in_the_empty_form(people, project_id):
    keep(Record(project_id), replace(BLANK, instruction="Name the bones"), people.author)
    answer = writing.begin_new(project_id, request_of(people.author))
    assert (Typed(*answer[4:]).instruction, bool(answer[1]["kept"])) == ("Name the bones", True)


def test_typing_on_a_version_that_was_replaced_meanwhile_comes_back_beside_the_new_one(people, project_id):
    record = save_new(people, project_id)
    keep(record, replace(HEPATITIS, output="Mine."), people.author)
    save_behind(people, record)
    back, _, both, typed = reopen(record, people.author)
    assert (back.version, typed.output) == (1, "Mine.")
    assert both["theirs"] == "Stored now, version 2"


# findings ---------------------------------------------------------------------------------------------

PATIENT = "Seen on 12 March 2019, MRN 4482913."


def test_a_flag_of_the_saved_version_is_cleared_by_a_reviewer_with_a_reason(people, project_id):
    record = save_new(people, project_id, replace(HEPATITIS, input=PATIENT))
    found = checks(project_id, replace(HEPATITIS, input=PATIENT), record.id, people.author)["findings"]
    assert found["is_flagged"]
    assert {flag["id"] for flag in found["flags"]} == {0}, "an author may not clear"
    typed = replace(HEPATITIS, input=PATIENT)
    for flag in checks(project_id, typed, record.id, people.reviewer)["findings"]["flags"]:
        asked = event(flag=flag["id"], reason="An invented patient.")
        shown = writing.clear_flag(record, *typed.values(), asked, request_of(people.reviewer))
    assert not shown["findings"]["is_flagged"]
    assert "An invented patient." in shown["findings"]["flags"][0]["cleared"]


def test_a_near_copy_is_not_submitted_until_somebody_says_why_both_are_needed(people, project_id):
    near = save_new(people, project_id)
    copy = replace(HEPATITIS, instruction="Which organ does hepatitis B inflame?")
    record = save_new(people, project_id, copy)
    with pytest.raises(ValueError, match=f"near copy of number {near.id}"):
        press(writing.submit, record, copy, people.author)
    asked = event(near=near.id, reason="B is asked for on its own.")
    record = writing.keep_both(record, *copy.values(), asked, request_of(people.author))[0]
    press(writing.submit, record, copy, people.author)
    assert stored(record)[0] is InstructionStatus.IN_REVIEW
    told = checks(project_id, copy, record.id)["findings"]["near"]
    assert (told["is_copy"], "B is asked for" in told["told"]) == (False, True)


# what can be taken back -------------------------------------------------------------------------------


def test_a_submission_is_taken_back_and_an_approved_text_retired_and_put_back(people, project_id):
    record = save_new(people, project_id)
    press(writing.submit, record, HEPATITIS, people.author)
    head = writing.withdraw(record, request_of(people.author))[1]
    assert (head["chip"]["text"], head["may_withdraw"]) == ("Draft", False)
    press(writing.submit, record, HEPATITIS, people.author)
    with write() as session:
        reviews.review_instruction(session, people.reviewer, record.id, Decision.APPROVE, version=1)
    head = writing.retire(record, event(reason="Superseded."), request_of(people.reviewer))[1]
    assert (head["chip"]["text"], head["may_reinstate"]) == ("Retired", True)
    assert writing.reinstate(record, request_of(people.reviewer))[1]["chip"]["text"] == "Approved"


def test_a_deleted_record_comes_back_by_undo(people, project_id):
    record = save_new(people, project_id)
    head = writing.delete(record, request_of(people.author))[1]
    assert head["deleted"] == record.id
    assert list_ids(people, project_id) == []
    writing.undo_delete(project_id, event(id=record.id), request_of(people.author))
    assert list_ids(people, project_id) == [record.id]


def test_an_earlier_version_can_be_restored_as_the_newest(people, project_id):
    first = save_new(people, project_id)
    second, _, _ = press(writing.save_draft, first, replace(HEPATITIS, output="Worse."), people.author)
    restored = writing.restore(second, event(number=1), request_of(people.author))[0]
    assert restored.version == 3
    assert stored(restored)[2] == HEPATITIS.content()
    history, *_ = writing.show_around(restored, request_of(people.author))
    newest = history["revisions"][0]
    assert (newest["reason"], newest["changes"][0]["label"]) == ("Restored version 1", "Output")


def test_a_record_of_another_project_does_not_open(people, project_id):
    record = save_new(people, project_id)
    with pytest.raises(LookupError):
        writing.open_record(project_id + 1, event(id=record.id), request_of(people.author))


@pytest.mark.parametrize("role", ["trainer", "clinician"])
def test_who_may_not_write_can_read_but_not_save(people, project_id, role):
    reader = getattr(people, role)
    record = save_new(people, project_id)
    writing.open_record(project_id, event(id=record.id), request_of(reader))
    with pytest.raises(PolicyError):
        press(writing.save_draft, record, HEPATITIS, reader)


def test_an_author_may_not_save_over_another_authors_draft(people, project_id):
    record = save_new(people, project_id)
    with pytest.raises(PolicyError):
        press(writing.save_draft, record, replace(HEPATITIS, output="Mine now."), people.other_author)


# checks -----------------------------------------------------------------------------------------------


def checks(project_id, typed: Typed, record_id: int = 0, actor=None) -> dict:
    with read() as session:
        stored = instructions.get_instruction(session, record_id) if record_id else None
        actor = actor or users.get_actor(session, "author")
        return checks_value(session, actor, project_id, typed.content(), stored)


def test_checks_name_faults_lengths_and_a_near_copy_with_what_differs(people, project_id):
    record = save_new(people, project_id)
    told = checks(
        project_id, replace(HEPATITIS, instruction="Which organ does hepatitis B inflame?", output="")
    )
    assert told["findings"]["advice"][0]["field"] == "output"
    assert told["findings"]["near"]["is_copy"]
    assert told["findings"]["near"]["id"] == record.id
    assert {"text": "B ", "added": True} in told["findings"]["near"]["parts"]


def test_a_record_is_no_copy_of_itself_nor_of_a_deleted_one_until_that_is_undone(people, project_id):
    record = save_new(people, project_id)
    assert checks(project_id, HEPATITIS, record.id)["findings"]["near"] is None
    writing.delete(record, request_of(people.author))
    assert checks(project_id, HEPATITIS)["findings"]["near"] is None
    writing.undo_delete(project_id, event(id=record.id), request_of(people.author))
    assert checks(project_id, HEPATITIS)["findings"]["near"]["id"] == record.id


def test_a_word_diff_holds_both_texts_whole():
    before, after = "Aspirin 75 mg once daily.", "Aspirin 100 mg daily, with food."
    parts = word_diff(before, after)
    assert "".join(part["text"] for part in parts if not part.get("added")) == before
    assert "".join(part["text"] for part in parts if not part.get("removed")) == after
