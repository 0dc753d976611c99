"""The list of the Curate page: its filters, the saved ones, its pages, many drafts handed in at once."""

from dataclasses import replace

import pytest
import sqlalchemy.event

from bioui.components import list_filters
from bioui.components.list_filters import Filters
from bioui.components.table import Trail
from bioui.pages import curate
from bioui.pages.curate import Record
from db import imports, search
from db.content import Content
from db.enums import InstructionStatus
from db.policy import PolicyError
from db.session import read, write
from tests.bioui.conftest import request_of
from tests.bioui.curating import HEPATITIS, NO_FILTER, event, save_new


def test_the_address_bar_filters_the_list_and_opens_the_record(people, project_id):
    save_new(people, project_id)
    record = save_new(people, project_id, replace(HEPATITIS, instruction="Name the drug class.", task="ner"))
    request = request_of(people.author, task="ner", id=str(record.id), status="nonsense")
    shown, _, _, row, filters, *rest = curate.show_page(project_id, request)
    assert [row["id"] for row in shown["rows"]] == [record.id]
    assert filters.params() == {"task": "ner"}
    assert [choice["value"] for choice in row["main"][2]["choices"] if choice["chosen"]] == ["ner"]
    assert record in rest


def test_a_link_from_the_coverage_opens_a_form_with_its_labels(people, project_id):
    request = request_of(people.author, new="1", task="ner", specialty="cardiology", difficulty="4")
    *_, head, body, _, instruction, _, _, _, difficulty, task, specialty, _, _, _ = curate.show_page(
        project_id, request
    )
    assert (head["is_new"], body["visible"], instruction) == (True, True, "")
    assert (difficulty, task, specialty) == (4, "ner", "cardiology")


def test_what_was_searched_for_is_marked_where_it_was_found(people, project_id):
    save_new(people, project_id)
    shown = curate.filter_list(project_id, event(params={"q": "liver"}), request_of(people.author))[0]
    (row,) = shown["rows"]
    assert (row["field"], [part["text"] for part in row["parts"] if part["mark"]]) == ("Output", ["liver"])


def test_filters_are_kept_under_a_name_and_forgotten(people, project_id):
    asked = event(name="My drafts", shared=False, params={"status": "draft", "author": "me"})
    shown = list_filters.save_filter(project_id, asked, request_of(people.author))
    (saved,) = shown["saved"]
    assert saved["query"] == f"status=draft&author={people.author.id}"
    shown = list_filters.forget_filter(
        project_id, NO_FILTER, event(id=saved["id"]), request_of(people.author)
    )
    assert shown["saved"] == []


def test_a_saved_filter_is_renamed_shared_and_filled_anew_by_its_owner_alone(people, project_id):
    asked = event(name="Drafts", shared=False, params={"status": "draft"})
    (saved,) = list_filters.save_filter(project_id, asked, request_of(people.author))["saved"]
    change = {"id": saved["id"], "name": "To do", "shared": True, "params": {"q": "liver"}}
    shown = list_filters.change_filter(project_id, event(**change, refill=False), request_of(people.author))
    (kept,) = shown["saved"]
    assert (kept["name"], kept["is_shared"], kept["query"]) == ("To do", True, "status=draft")
    assert shown["q"] == "liver", "the row stays as it was set"
    with pytest.raises(PolicyError):
        list_filters.change_filter(project_id, event(**change, refill=True), request_of(people.reviewer))
    shown = list_filters.change_filter(
        project_id, event(**{**change, "shared": False}, refill=True), request_of(people.author)
    )
    assert [(one["query"], one["told"]) for one in shown["saved"]] == [("q=liver", "")]


def test_opening_the_page_asks_for_the_labels_in_use_once(people, project_id, database):
    save_new(people, project_id)
    asked = []

    def note(_connection, _cursor, statement, *_):
        asked.append(statement)

    sqlalchemy.event.listen(database, "before_cursor_execute", note)
    curate.show_page(project_id, request_of(people.author))
    assert [one.split()[2] for one in asked if one.startswith("SELECT DISTINCT")] == [
        "instructions.task",
        "instructions.specialty",
    ]


def test_pages_of_the_list_turn_both_ways(people, project_id):
    rows = [Content(f"Question {number}?") for number in range(60)]
    with write() as session:
        ids = imports.import_contents(session, people.author, project_id, rows).ids
    shown, trail, before = curate.show_list(project_id, NO_FILTER, request_of(people.author))
    assert (len(shown["rows"]), shown["range"]) == (50, "1 to 50 of 60 instructions")
    trail = curate.step_older(trail, before, request_of(people.author))
    shown, _ = curate.turn_page(Record(project_id), trail, NO_FILTER, request_of(people.author))
    assert [row["id"] for row in shown["rows"]] == ids[:10][::-1]
    assert curate.step_newer(trail, request_of(people.author)) == Trail()


def test_ones_complete_drafts_in_the_list_are_submitted_together(people, project_id):
    save_new(people, project_id)
    save_new(people, project_id, replace(HEPATITIS, output=""))
    shown, _, _ = curate.show_list(project_id, NO_FILTER, request_of(people.author))
    assert shown["drafts"] == 1
    with pytest.raises(ValueError, match="^drafts: 1 are complete now, not 2"):
        curate.submit_drafts(project_id, NO_FILTER, event(count=2), request_of(people.author))
    with pytest.raises(ValueError, match="^drafts: 1 near copy stays a draft, number 1: open"):
        curate.submit_drafts(project_id, NO_FILTER, event(count=1), request_of(people.author))
    save_new(people, project_id, replace(HEPATITIS, instruction="Name the bones of the wrist."))
    curate.submit_drafts(project_id, NO_FILTER, event(count=2), request_of(people.author))
    with read() as session:
        counts = search.count_by_status(session, project_id)
        assert counts == {InstructionStatus.IN_REVIEW: 1, InstructionStatus.DRAFT: 2}


def test_an_empty_list_says_whether_the_filter_or_the_project_is_empty(people, project_id):
    shown, _, _ = curate.show_list(project_id, NO_FILTER, request_of(people.author))
    assert shown["empty"]["title"] == "No instructions yet."
    shown, _, _ = curate.show_list(project_id, Filters.of({"q": "zebra"}), request_of(people.author))
    assert shown["empty"]["title"] == "Nothing matches."


def test_a_filter_survives_the_trip_through_the_address_bar():
    filters = Filters.of(
        {"q": "50% $mg", "status": "draft", "author": "me", "sort": "oldest", "tags": "liver"}
    )
    assert set(filters.params()) == {"q", "status", "author", "sort", "tags"}
    assert Filters.of(filters.params()) == filters
