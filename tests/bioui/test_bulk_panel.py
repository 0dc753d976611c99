"""Changing many records on a page: what is said before, what is done, what comes back."""

from collections.abc import Iterator

import gradio as gr
import pytest
from playwright.sync_api import Page, expect
from sqlalchemy import select

from bioui.components import bulk_panel as panel
from bioui.components import bulk_words
from bioui.components.bulk_panel import Plan, bulk_panel, change_of, people_choices, picked_of, scope_value
from bioui.components.frame import page_frame
from bioui.handling import actor_of, needs
from db import bulk, imports, instructions
from db.bulk import Action, Change
from db.content import Content
from db.enums import InstructionStatus
from db.policy import Right
from db.search import InstructionQuery
from db.session import read, write
from db.tables import Instruction
from tests.bioui.conftest import request_of
from tests.bioui.served import served, tab


class Shown:
    """Filters that ask for one specialty, as a page's own would."""

    def __init__(self, specialty: str = "") -> None:
        self.specialty = specialty

    def query(self, actor) -> InstructionQuery:
        return InstructionQuery(specialty=self.specialty)


@pytest.fixture
def ids(people, project_id) -> list[int]:
    """Three drafts of the author's, the last about another specialty, and one of someone else's."""
    rows = [Content(f"Name organ {n}.", output="Liver.", task="qa", specialty="anatomy") for n in range(3)]
    rows[2] = Content("Why does it itch?", output="Bile.", task="qa", specialty="hepatology")
    with write() as session:
        own = imports.import_contents(session, people.author, project_id, rows).ids
        other = Content("Name a bone.", output="The ulna.", task="qa", specialty="anatomy")
        return own + imports.import_contents(session, people.other_author, project_id, [other]).ids


def tags_of(ids) -> list[list[str]]:
    with read() as session:
        return list(
            session.scalars(select(Instruction.tags).where(Instruction.id.in_(ids)).order_by(Instruction.id))
        )


def last(handler, *args):
    """What a streaming handler says at the end."""
    return list(handler(*args))[-1]


def look(actor, project_id, action="tag", tags="ward 7", person=None, filters=None, ticked=()) -> tuple:
    return last(
        panel.preview, project_id, action, tags, person, filters or Shown(), ticked, request_of(actor)
    )


def test_the_panel_says_which_records_it_is_for(people, project_id, ids):
    with read() as session:
        told = scope_value(session, project_id, picked_of(people.author, Shown("anatomy"), ()))
        assert told["told"] == "all 3 that the list shows"
        assert (
            scope_value(session, project_id, picked_of(people.author, Shown(), ids[:2]))["told"]
            == "the 2 ticked"
        )


def test_a_preview_shows_before_and_after_and_why_some_stay(people, project_id, ids):
    plan, shown, button, _ = look(people.author, project_id, filters=Shown("anatomy"))
    assert (plan.count, shown["told"]) == (2, "2 of 3 records would change.")
    assert [(row["id"], row["before"], row["after"]) for row in shown["rows"]] == [
        (ids[0], "", "ward 7"),
        (ids[1], "", "ward 7"),
    ]
    assert [(row["count"], row["why"]) for row in shown["skipped"]] == [("1", "someone else's")]
    assert (button["value"], button["visible"]) == ("Apply to 2 records", True)
    assert tags_of(ids) == [[]] * 4


def test_a_submission_leaves_near_copies_out_and_links_to_them(people, project_id, ids):
    copy = Content("Why does it itch now?", output="Bile.", task="qa", specialty="hepatology")
    with write() as session:
        first = instructions.create_instruction(session, people.author, project_id, copy).id
        second = instructions.create_instruction(session, people.author, project_id, copy).id
    mine = (ids[0], first, second)
    plan, shown, *_ = look(people.author, project_id, "submit", ticked=mine)
    assert (plan.count, shown["told"]) == (1, "1 of 3 records would change.")
    [skipped] = shown["skipped"]
    assert (skipped["count"], [link["id"] for link in skipped["links"]]) == ("2", [first, second])
    assert skipped["why"].startswith("near copy of a stored text")
    last(panel.apply, project_id, plan, "submit", "", None, Shown(), mine, request_of(people.author))
    with read() as session:
        in_review = select(Instruction.id).where(Instruction.status == InstructionStatus.IN_REVIEW)
        assert list(session.scalars(in_review)) == [ids[0]]


def test_only_what_was_previewed_is_done_and_undo_brings_it_back(people, project_id, ids):
    plan, *_ = look(people.author, project_id, ticked=tuple(ids[:2]))
    said = ("tag", "ward 7", None, Shown(), tuple(ids[:2]))
    *_, shown, _ = last(panel.apply, project_id, plan, *said, request_of(people.author))
    assert tags_of(ids) == [["ward 7"], ["ward 7"], [], []]
    assert shown["done"]["title"] == "Done: 2 records tagged ward 7."
    with write() as session:
        edited = Content("Name an organ.", output="Liver.", task="qa", tags=("ward 7",))
        instructions.edit_instruction(session, people.author, ids[0], edited, version=2)
    event = gr.EventData(None, {"change": shown["done"]["id"]})
    shown, _ = last(panel.undo, project_id, event, request_of(people.author))
    assert tags_of(ids) == [["ward 7"], [], [], []]
    assert shown["done"]["sentence"] == "1 record was changed since and left alone."
    [row] = shown["changes"]
    assert (row["undone"], row["can_undo"]) == ("Undone just now", False)
    assert [link["id"] for link in row["links"]] == [ids[0]]


def test_what_the_form_says_now_must_be_what_was_previewed(people, project_id, ids):
    plan, *_ = look(people.author, project_id)
    for said in (
        ("tag", "other", None, Shown(), ()),
        ("untag", "ward 7", None, Shown(), ()),
        ("tag", "ward 7", None, Shown("anatomy"), ()),
        ("tag", "ward 7", None, Shown(), (ids[0],)),
    ):
        with pytest.raises(ValueError, match="^preview:"):
            last(panel.apply, project_id, plan, *said, request_of(people.author))
    with pytest.raises(ValueError, match="^preview:"):
        last(panel.apply, project_id, None, "tag", "ward 7", None, Shown(), (), request_of(people.author))
    assert tags_of(ids) == [[]] * 4


def test_as_many_but_other_records_are_not_changed_unseen(people, project_id, ids):
    plan, *_ = look(people.author, project_id)
    with write() as session:
        instructions.delete_instruction(session, people.author, ids[0])
        instructions.create_instruction(session, people.author, project_id, Content("Name a nerve."))
    with pytest.raises(ValueError, match="^preview: some of these records changed"):
        last(panel.apply, project_id, plan, "tag", "ward 7", None, Shown(), (), request_of(people.author))


def test_each_person_is_offered_what_they_may_do(people, project_id, ids):
    def offered(actor):
        _, _, _, actions, persons, _ = panel.toggle(project_id, False, Shown(), (), request_of(actor))
        return [value for _, value in actions["choices"]], [name for name, _ in persons["choices"]]

    actions, persons = offered(people.author)
    assert actions == ["tag", "untag", "submit"]
    assert "Reviewer" in persons
    assert "Clinician" not in persons
    assert offered(people.reviewer)[0] == [action.value for action in Action]
    with read() as session:
        assert people_choices(session)[0][1] == panel.NOBODY


def test_the_form_names_its_field(people, project_id, ids):
    with pytest.raises(ValueError, match="^bulk tags:"):
        change_of("tag", " , ", None)
    with pytest.raises(ValueError, match="^assignee_id:"):
        change_of("assign", "", None)
    with pytest.raises(ValueError, match="^action:"):
        change_of(None, "", None)
    assert change_of("assign", "left over", panel.NOBODY) == Change(Action.ASSIGN)


def test_a_change_is_told_in_words(people, project_id, ids):
    changes = [
        Change(Action.UNTAG, ("ward 7",)),
        Change(Action.ASSIGN, assignee_id=people.other_reviewer.id),
        Change(Action.SUBMIT),
    ]
    with write() as session:
        bulk.apply(session, people.reviewer, project_id, Change(Action.TAG, ("ward 7",)), ids, count=4)
        for change in changes:
            bulk.apply(session, people.reviewer, project_id, change, ids, count=4)
    with read() as session:
        shown = bulk_words.changes_value(session, people.author, project_id, limit=10)
    assert [row["what"] for row in shown["changes"]] == [
        "4 records submitted for review",
        "4 records assigned to Other Reviewer",
        "ward 7 taken from 4 records",
        "4 records tagged ward 7",
    ]
    assert not any(row["can_undo"] for row in shown["changes"])  # they are the reviewer's


def test_an_unfinished_call_is_refused_in_a_sentence(people, project_id, ids):
    assert panel.rescope(project_id, None, None, None, request_of(people.clinician))[1] is None
    with pytest.raises(ValueError, match="^change:"):
        last(panel.undo, project_id, gr.EventData(None, {"id": 1}), request_of(people.author))
    assert not isinstance(None, Plan)


# In Chromium ------------------------------------------------------------------------------------------


@needs(Right.READ)
def show(project_id: int, request: gr.Request):
    """The page's own list, as plain as can be: every record with its tags."""
    with read() as session:
        actor_of(session, request)
        rows = session.execute(select(Instruction.id, Instruction.tags).order_by(Instruction.id))
        return "\n".join(f"{id}: {', '.join(tags)}" for id, tags in rows)


@needs(Right.READ)
def tick_two(project_id: int, request: gr.Request):
    with read() as session:
        return tuple(session.scalars(select(Instruction.id).order_by(Instruction.id).limit(2)))


@needs(Right.READ)
def narrow(project_id: int, request: gr.Request):
    return Shown("hepatology")


def build() -> None:
    page = page_frame("List", "Every record.")
    with page.actions:
        open_btn = gr.Button("Change many")
    tick_btn, narrow_btn = gr.Button("Tick two"), gr.Button("Narrow")
    filters_state, ticked_state = gr.State(Shown()), gr.State(())
    many = bulk_panel(page, open_btn, filters_state, ticked_state)
    list_tb = gr.Textbox(label="List", lines=4)
    page.on_load(show, [list_tb])
    page.on(tick_btn.click, tick_two, [page.project_id], ticked_state)
    page.on(narrow_btn.click, narrow, [page.project_id], filters_state)
    for event in many.changed:
        page.on(event, show, [page.project_id], list_tb)


@pytest.fixture(scope="module")
def address() -> Iterator[str]:
    with served(build) as url:
        yield url


@pytest.fixture
def page(address, people, ids, browser) -> Iterator[Page]:
    with tab(browser, address, "author") as opened:
        opened.goto("/")
        yield opened


def test_tagging_in_the_browser_previewed_applied_and_undone(page, ids):
    page.get_by_role("button", name="Tick two").click()
    page.get_by_role("button", name="Change many").click()
    expect(page.locator(".bulk-scope")).to_have_text("Changes the 2 ticked.")
    page.get_by_role("button", name="Preview").click()
    expect(page.locator("#field-bulk-tags .field-error")).to_contain_text("Name at least one tag")
    page.get_by_label("Tags").fill("ward 7")
    page.get_by_role("button", name="Preview").click()
    expect(page.locator("#bulk-preview")).to_contain_text("2 records would change.")
    page.get_by_role("button", name="Apply to 2 records").click()
    expect(page.locator("#bulk-changes .notice")).to_contain_text("Done: 2 records tagged ward 7.")
    expect(page.get_by_label("List")).to_have_value(
        f"{ids[0]}: ward 7\n{ids[1]}: ward 7\n{ids[2]}: \n{ids[3]}: "
    )
    expect(page.locator("#bulk-apply-btn")).to_have_count(0)
    page.locator("#bulk-changes .notice").get_by_role("button", name="Undo").click()
    expect(page.locator("#bulk-changes .notice")).to_contain_text("2 records are as before.")
    expect(page.get_by_label("List")).to_have_value(f"{ids[0]}: \n{ids[1]}: \n{ids[2]}: \n{ids[3]}: ")
    assert tags_of(ids) == [[]] * 4


def test_a_preview_goes_when_other_records_are_meant(page, ids):
    page.get_by_role("button", name="Change many").click()
    expect(page.locator(".bulk-scope")).to_contain_text("all 4 that the list shows")
    page.get_by_label("Do this").click()
    page.get_by_role("option", name="Submit for review").click()
    expect(page.locator("#field-bulk-tags")).to_have_count(0)
    page.get_by_role("button", name="Preview").click()
    expect(page.locator("#bulk-preview")).to_contain_text("1 × someone else's")
    expect(page.get_by_role("button", name="Apply to 3 records")).to_be_visible()
    page.get_by_role("button", name="Narrow").click()
    expect(page.locator(".bulk-scope")).to_contain_text("the one that the list shows")
    expect(page.locator("#bulk-preview table")).to_have_count(0)
    expect(page.locator("#bulk-apply-btn")).to_have_count(0)
