"""The Review page's handlers, called as Gradio calls them, on the real database file."""

import gradio as gr
import pytest

from bioui.components import approve_many, disagreement_tab
from bioui.components.table import Trail
from bioui.pages import review
from bioui.pages.review import Reading
from db import double_review, imports, instructions, projects, search
from db.content import Content
from db.enums import InstructionStatus
from db.policy import PolicyError
from db.session import read, write
from tests.bioui.conftest import request_of


def submit(actor, project_id, text="Which organ does hepatitis inflame?") -> int:
    with write() as session:
        content = Content(text, output="The liver.", task="qa")
        row = instructions.create_instruction(session, actor, project_id, content)
        return instructions.submit_for_review(session, actor, row.id, version=1).id


def open_page(actor, project_id, **query) -> dict:
    """What the page shows when it opens."""
    _, queue, own, _, reading, pane, lease, form, *_ = review.show_page(
        project_id, request_of(actor, **query)
    )
    return {
        "queue": queue, "own": own, "reading": reading, "pane": pane, "lease": lease, "may": form["visible"],
    }  # fmt: skip


def decide(handler, reading: Reading, actor, comment="", reasons=(), checklist=()) -> tuple[Reading, dict]:
    answer = handler(reading, Trail(), comment, list(reasons), list(checklist), request_of(actor))
    return answer[4], answer[5]


def status_of(id: int) -> InstructionStatus:
    with read() as session:
        return instructions.get_instruction(session, id).status


def test_the_oldest_submission_is_open_and_approving_it_opens_the_next(people, project_id):
    first, second = submit(people.author, project_id), submit(people.author, project_id, "Another question?")
    page = open_page(people.reviewer, project_id)
    assert [row["id"] for row in page["queue"]["rows"]] == [first, second]
    assert (page["reading"].id, page["may"]) == (first, True)
    reading, pane = decide(review.approve, page["reading"], people.reviewer)
    assert (reading.id, pane["note"]) == (second, f"Number {first} approved.")
    assert status_of(first) is InstructionStatus.APPROVED


def test_after_the_last_one_the_page_says_there_is_nothing_to_review(people, project_id):
    submit(people.author, project_id)
    page = open_page(people.reviewer, project_id)
    reading, pane = decide(review.reject, page["reading"], people.reviewer, "Duplicate of number 3.")
    assert reading.id == 0
    assert pane["empty"]["title"] == "Nothing to review."


def test_a_refusal_without_a_comment_is_refused_at_the_comment(people, project_id):
    submit(people.author, project_id)
    page = open_page(people.reviewer, project_id)
    with pytest.raises(ValueError, match="^comment:"):
        decide(review.request_changes, page["reading"], people.reviewer)


def test_ones_own_submission_stands_apart_and_offers_no_decision(people, project_id):
    own = submit(people.reviewer, project_id)
    page = open_page(people.reviewer, project_id)
    assert (page["queue"]["rows"], page["reading"].id) == ([], 0)
    assert page["own"]["heading"] == "Yours, waiting for someone else"
    page = open_page(people.reviewer, project_id, id=str(own))
    assert (page["reading"].id, page["may"]) == (own, False)
    with pytest.raises(PolicyError):
        decide(review.approve, page["reading"], people.reviewer)


def test_in_a_solo_project_one_decides_on_ones_own_and_is_told_it_is_recorded_so(people, project_id):
    with write() as session:
        projects.set_solo(session, people.admin, project_id, solo=True)
    own = submit(people.reviewer, project_id)
    page = open_page(people.reviewer, project_id)
    assert (page["reading"].id, page["may"]) == (own, True)
    assert "solo" in page["pane"]["own"]
    decide(review.approve, page["reading"], people.reviewer)
    with read() as session:
        assert instructions.get_instruction(session, own).reviews[0].is_solo


def test_a_resubmission_shows_what_changed_since_the_version_in_force(people, project_id):
    id = submit(people.author, project_id)
    decide(review.approve, open_page(people.reviewer, project_id)["reading"], people.reviewer)
    with write() as session:
        changed = Content("Which organ does hepatitis inflame?", output="The liver, by a virus.", task="qa")
        instructions.edit_instruction(session, people.author, id, changed, version=1)
        instructions.submit_for_review(session, people.author, id, version=2)
    pane = open_page(people.reviewer, project_id)["pane"]
    assert pane["since"] == "Changed since approved version 1"
    assert {"text": ", by a virus", "added": True} in pane["changes"][0]["parts"]


def test_a_decision_on_a_version_that_was_replaced_meanwhile_is_refused(people, project_id):
    id = submit(people.author, project_id)
    page = open_page(people.reviewer, project_id)
    with write() as session:
        changed = Content("Which organ does hepatitis inflame?", output="Liver.", task="qa")
        instructions.edit_instruction(session, people.author, id, changed, version=1)
        instructions.submit_for_review(session, people.author, id, version=2)
    with pytest.raises(ValueError, match="newer version"):
        decide(review.approve, page["reading"], people.reviewer)


def test_an_author_can_call_nothing_of_the_page(people, project_id):
    submit(people.author, project_id)
    with pytest.raises(PolicyError):
        open_page(people.other_author, project_id)
    with pytest.raises(PolicyError):
        approve_many.show_page(project_id, request_of(people.other_author))


# in hand ----------------------------------------------------------------------------------------------


def test_two_reviewers_are_given_different_submissions_and_each_sees_who_has_the_other(people, project_id):
    first, second = submit(people.author, project_id), submit(people.author, project_id, "Another question?")
    one, other = open_page(people.reviewer, project_id), open_page(people.admin, project_id)
    assert (one["reading"].id, other["reading"].id) == (first, second)
    assert one["lease"]["until"]
    assert [row["holder"] for row in other["queue"]["rows"]] == ["with Reviewer", ""]


def test_what_another_has_in_hand_can_be_read_and_not_decided_on(people, project_id):
    first = submit(people.author, project_id)
    open_page(people.reviewer, project_id)
    page = open_page(people.admin, project_id, id=str(first))
    assert (page["reading"].id, page["may"]) == (first, False)
    assert page["pane"]["own"].startswith("In the hands of Reviewer")


def test_passing_gives_it_back_and_takes_another(people, project_id):
    first, second = submit(people.author, project_id), submit(people.author, project_id, "Another question?")
    page = open_page(people.reviewer, project_id)
    answer = review.pass_on(page["reading"], Trail(), request_of(people.reviewer))
    assert answer[3].id == second
    assert open_page(people.admin, project_id)["reading"].id == first


def test_a_code_is_reason_enough_and_the_checklist_is_kept(people, project_id):
    id = submit(people.author, project_id)
    page = open_page(people.reviewer, project_id)
    decide(review.reject, page["reading"], people.reviewer, reasons=["duplicate"], checklist=["correct"])
    with read() as session:
        (given,) = instructions.get_instruction(session, id).reviews
        assert (given.reasons, given.checklist) == (["duplicate"], ["correct"])


# two reviewers ----------------------------------------------------------------------------------------


def review_twice(people, project_id) -> int:
    """One submission that two reviewers decide on differently, neither seeing the other's decision."""
    with write() as session:
        settings = double_review.ReviewSettings(double_share=1.0)
        double_review.set_review_settings(session, people.admin, project_id, settings)
    id = submit(people.author, project_id)
    _, pane = decide(review.approve, open_page(people.reviewer, project_id)["reading"], people.reviewer)
    assert pane["note"].startswith(f"Your decision on number {id} is kept.")
    page = open_page(people.other_reviewer, project_id)
    assert (page["reading"].id, page["pane"]["said"]) == (id, [])
    decide(review.reject, page["reading"], people.other_reviewer, reasons=["unsafe"])
    return id


def test_a_disagreement_is_settled_by_a_third_person(people, project_id):
    id = review_twice(people, project_id)
    shown = disagreement_tab.show_tab(project_id, request_of(people.reviewer))
    assert (shown[2]["id"], shown[2]["may_settle"], shown[3]["visible"]) == (id, False, False)
    assert [one["chip"]["text"] for one in shown[2]["decisions"]] == ["Approved", "Rejected"]
    _, reading, pane, *_ = disagreement_tab.show_tab(project_id, request_of(people.admin))
    assert pane["may_settle"]
    answer = disagreement_tab.settle_approve(reading, "", [], [], request_of(people.admin))
    assert answer[2]["note"] == f"Number {id} approved."
    assert status_of(id) is InstructionStatus.APPROVED


# many at once -----------------------------------------------------------------------------------------


@pytest.fixture
def imported_ids(people, project_id) -> list[int]:
    rows = [Content(f"Question {number}?", output=f"Answer {number}.", task="qa") for number in range(60)]
    with write() as session:
        return imports.import_contents(
            session, people.author, project_id, rows, file_name="pairs.jsonl", submit=True
        ).ids


def test_fifty_on_a_page_are_shown_in_full_and_approved_as_shown(people, project_id, imported_ids):
    _, cards, shown, _, button = approve_many.show_page(project_id, request_of(people.reviewer))
    assert [card["output"] for card in cards["cards"]][:2] == ["Answer 0.", "Answer 1."]
    assert button["value"] == "Approve the 50 shown on this page"
    approve_many.approve_shown(project_id, shown, "", request_of(people.reviewer))
    with read() as session:
        counts = search.count_by_status(session, project_id)
    assert counts == {InstructionStatus.APPROVED: 50, InstructionStatus.IN_REVIEW: 10}


def test_a_whole_import_is_shown_as_a_sample_and_approved_by_its_number(people, project_id, imported_ids):
    chosen, sample, *_ = approve_many.show_imports(project_id, request_of(people.reviewer))
    assert "pairs.jsonl" in chosen["choices"][0][0]
    assert [card["id"] for card in sample["cards"]] == imported_ids[::3]
    key = chosen["value"]
    for number, comment, field in (
        ("59", "Read 20.", "number"),
        ("sixty", "Read 20.", "number"),
        ("60", "", "checked"),
    ):
        with pytest.raises(ValueError, match=f"^{field}:"):
            approve_many.approve_import(project_id, key, number, comment, request_of(people.reviewer))
    chosen, *_ = approve_many.approve_import(project_id, key, "60", "Read 20.", request_of(people.reviewer))
    assert chosen["choices"] == []
    assert {status_of(id) for id in imported_ids} == {InstructionStatus.APPROVED}


def test_ones_own_import_is_not_offered(people, project_id):
    with write() as session:
        rows = [Content("Question?", output="Answer.", task="qa")]
        imports.import_contents(session, people.reviewer, project_id, rows, submit=True)
    chosen, sample, *_ = approve_many.show_imports(project_id, request_of(people.reviewer))
    assert chosen["choices"] == []
    assert sample["empty"]["title"] == "No import waits."


def test_opening_what_someone_decided_meanwhile_says_so(people, project_id):
    id = submit(people.author, project_id)
    decide(review.approve, open_page(people.reviewer, project_id)["reading"], people.reviewer)
    asked = gr.EventData(None, {"id": id})
    with pytest.raises(LookupError, match="no longer waits"):
        review.open_row(project_id, Trail(), Reading(), asked, request_of(people.other_reviewer))
