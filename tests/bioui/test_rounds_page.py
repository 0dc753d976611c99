"""Rounds for their leads: what the form makes, what a lead who rates is not shown, what is refused."""

import gradio as gr
import pytest

from bioui import balloting, leading
from bioui.components import rubric_editor
from bioui.components.ballot import ballot_of, skipped
from bioui.components.disputes import settling_of
from bioui.components.round_form import draft_of, preview_value
from bioui.handling import actor_of
from bioui.main import PAGES, bar_value
from bioui.pages import home, playground
from bioui.pages import rounds as page
from db import assignments, batches, round_drawing, rounds, rubric
from db.batch_prompts import BatchPrompt
from db.compare_spec import CompareSpec
from db.comparisons import AnswerText
from db.policy import PolicyError
from db.session import read, write
from tests.bioui.conftest import request_of
from tests.db.compared import Sides, pairs
from tests.db.compared import sides as sides


@pytest.fixture
def answered(people, project_id, sides: Sides) -> list[tuple[int, int]]:
    """Twenty prompts, each answered by base and tuned."""
    return pairs(people.trainer, project_id, sides, 20)


def counted_fields(sides: Sides, raters: list[int], *, overlap: float = 2, per_slice: float = 0) -> list:
    keys = [round_drawing.key_of(side) for side in (sides.base, sides.tuned)]
    return [0, *keys, [], per_slice, 7, raters, overlap]


def make(people, project_id, sides, raters, *, axes=rubric.DEFAULT, **changed) -> tuple:
    items = {"axes": rubric_editor.rubric_value(axes)["axes"]}
    fields = [*counted_fields(sides, raters, **changed), items]
    return page.make(project_id, "Wards", "Read both.", *fields, request_of(people.trainer))


def made_round(people, project_id, sides, raters) -> int:
    return make(people, project_id, sides, raters, overlap=0)[0]


def vote_all(actor, round_id: int, choice: str, comment: str = "") -> None:
    with write() as session:
        while turn := assignments.next_assignment(session, actor, round_id):
            assignments.vote_on(session, actor, turn.id, choice, comment=comment)


# the form ----------------------------------------------------------------------------------------------


def test_the_preview_tells_pairs_votes_and_time_before_anything_is_made(people, project_id, sides, answered):
    raters = [people.clinician.id, people.reviewer.id, people.trainer.id]
    with read() as session:
        shown = preview_value(draft_of(session, project_id, counted_fields(sides, raters)))
        few = preview_value(draft_of(session, project_id, counted_fields(sides, raters, per_slice=1)))
        none = preview_value(draft_of(session, project_id, counted_fields(sides, [])))
    assert shown["sum"].startswith("20 pairs × 2 raters = 40 votes, about 1")
    assert few["sum"] == "1 pair × 2 raters = 2 votes, about 1 min each."
    assert none["sum"] == "20 pairs. Choose who votes on them."


def test_the_form_makes_a_round_and_opens_it(people, project_id, sides, answered):
    shown = make(
        people, project_id, sides, [people.clinician.id, people.reviewer.id], axes=rubric.DEFAULT[:2]
    )
    with read() as session:
        made = rounds.get(session, project_id, shown[0])
        assert len(made.pairs) == 20
        assert rubric.of_round(made) == rubric.DEFAULT[:2]
        assert [rater.total for rater in rounds.progress(session, made.id)] == [20, 20]
    assert shown[-2:] == ("", "")  # title and note are empty again


@pytest.mark.parametrize(
    ("changed", "sentence"),
    [({"overlap": 3}, "^overlap: 3 cannot be; give 1 to 2"), ({"overlap": 1.5}, "^overlap: give a whole")],
)
def test_a_field_that_cannot_be_is_named(people, project_id, sides, answered, changed, sentence):
    with pytest.raises(ValueError, match=sentence):
        make(people, project_id, sides, [people.clinician.id, people.reviewer.id], **changed)


def test_a_rubric_is_reworded_and_a_faulty_item_is_named_by_its_number():
    items = rubric_editor.rubric_value(rubric.DEFAULT)["axes"]
    items[0]["title"] = "Right"
    added = {
        "key": "",
        "title": "Cites its source",
        "question": "Does it?",
        "is_choice": "",
        "options": "",
        "help": "",
    }
    axes = rubric_editor.axes_of({"axes": [*items, added]})
    assert (axes[0].key, axes[0].title) == ("correct", "Right")
    assert axes[-1].key == "cites_its_source"
    assert axes[1:-1] == rubric.DEFAULT[1:]
    with pytest.raises(ValueError, match="^rubric: item 2: .*has 1; give 2"):
        rubric_editor.axes_of({"axes": [items[0], {**added, "is_choice": "1", "options": "one"}]})
    with pytest.raises(ValueError, match="^rubric: it does not read"):
        rubric_editor.axes_of("axes")


def test_the_link_of_a_batch_opens_the_form_with_its_sides_and_slices(people, project_id, sides):
    both = (sides.base, sides.tuned)
    prompts = [BatchPrompt(f"Dose {at}?", key=str(at), slice="renal" if at else "cardiac") for at in range(5)]
    with write() as session:
        job = batches.start(session, people.trainer, project_id, CompareSpec(both), prompts, name="Ward file")
        for row in batches.waiting(session, job.id, [0], limit=9):
            said = {at: AnswerText(side, f"{row.key} {at}", "stop") for at, side in enumerate(both)}
            batches.keep(session, row.id, said)
    request = request_of(people.trainer, batch=str(job.id))
    *shown, source, one, other, slices, _, _ = page.show_page(project_id, request)
    assert shown[0] == page.FORM_OPEN
    assert source["value"] == job.id
    assert {name for name, _ in one["choices"]} == {"Base", "Tuned"}
    assert slices["choices"] == [("cardiac (1)", "cardiac"), ("renal (4)", "renal")]
    fields = [job.id, one["value"], other["value"], [], 2, 7, [people.clinician.id], 0]
    with read() as session:
        told = preview_value(draft_of(session, project_id, fields))
    assert told["sum"].startswith("3 pairs × 1 rater = 3 votes")
    assert told["slices"] == "cardiac 1 of 1, renal 2 of 4"


# what is seen, and by whom -----------------------------------------------------------------------------


def test_a_lead_who_rates_sees_the_verdict_only_when_done(people, project_id, sides, answered):
    round_id = made_round(people, project_id, sides, [people.clinician.id, people.reviewer.id])
    vote_all(people.clinician, round_id, "left")
    with read() as session:
        led = leading.read_led(session, project_id, round_id)
        assert leading.figures(session, led, people.reviewer) == leading.NO_FIGURES
        assert leading.standing_value(led, people.reviewer)["title"] == "You vote in this round yourself."
        assert "preferred" in leading.figures(session, led, people.trainer)[0]["sentence"]
        with pytest.raises(PolicyError, match="before you have voted"):
            leading.require_done(led, people.reviewer)
    vote_all(people.reviewer, round_id, "right")
    with read() as session:
        led = leading.read_led(session, project_id, round_id)
        assert "preferred" in leading.figures(session, led, people.reviewer)[0]["sentence"]


def test_what_waits_stands_in_the_bar_and_on_home_until_it_is_done(people, project_id, sides, answered):
    round_id = made_round(people, project_id, sides, [people.clinician.id])

    def seen() -> tuple[int, list]:
        request = request_of(people.clinician)
        with read() as session:
            bar = bar_value(session, request, home, PAGES)
        count = next(one["count"] for one in bar["pages"] if one["title"] == playground.SECTION)
        return count, home.show_waiting(project_id, request)["rounds"]

    count, waiting = seen()
    assert count == 20
    assert [(one["href"], one["far"]) for one in waiting] == [
        (f"/blind?project={project_id}&round={round_id}", "20 pairs left")
    ]
    vote_all(people.clinician, round_id, "tie")
    assert seen() == (0, [])


def test_a_removed_round_is_put_back(people, project_id, sides, answered):
    round_id = made_round(people, project_id, sides, [people.clinician.id])
    request = request_of(people.trainer)
    gone = page.remove_round(project_id, round_id, request)
    assert gone[0] == 0
    assert gone[1] == {"id": round_id, "title": "Wards"}
    back = page.put_back(project_id, gr.EventData(None, {"id": round_id}), request)
    assert [row["id"] for row in back[2]["rows"]] == [round_id]


def test_a_settled_pair_tells_the_decision_and_names_no_side(people, project_id, sides, answered):
    raters = [people.clinician.id, people.reviewer.id]
    round_id = made_round(people, project_id, sides, raters)
    vote_all(people.clinician, round_id, "left", "A names the dose.")
    vote_all(people.reviewer, round_id, "tie")
    request = request_of(people.trainer)
    with read() as session:
        led = leading.read_led(session, project_id, round_id)
        disputes = leading.figures(session, led, actor_of(session, request))[-2]
    assert len(disputes["rows"]) == 20
    said = [one for row in disputes["rows"] for one in row["said"] if one["comment"]]  # by who pressed left
    assert {(one["said"], one["mirrored"]) for one in said} == {("A is better", False), ("B is better", True)}
    said = {"pair": disputes["rows"][0]["id"], "choice": "right", "reason": "B names the dose."}
    shown = page.settle(project_id, round_id, gr.EventData(None, said), request)
    settled = [
        row
        for value in shown
        if isinstance(value, dict)
        for row in value.get("rows", [])
        if row.get("settled")
    ]
    assert [row["settled"]["comment"] for row in settled] == ["B names the dose."]


def test_somebody_who_is_no_rater_is_told_so(people, project_id, sides, answered):
    round_id = made_round(people, project_id, sides, [people.clinician.id])
    with write() as session:
        shown = balloting.screen(session, people.reviewer, rounds.get(session, project_id, round_id))
    assert shown[-1]["title"] == "You are not among the raters of this round."


@pytest.mark.parametrize(
    ("read_it", "data"),
    [
        (ballot_of, {"assignment": 1, "choice": "base"}),
        (ballot_of, {"assignment": True, "choice": "left"}),
        (ballot_of, {"assignment": 1, "choice": "left", "rubric": {"A": "yes"}}),
        (ballot_of, {"assignment": 1, "choice": "left", "rubric": ["yes"]}),
        (skipped, {"assignment": 1, "reason": "because"}),
        (settling_of, {"pair": 1, "choice": "left", "reason": " "}),
        (settling_of, {"pair": "1", "choice": "left", "reason": "So."}),
    ],
)
def test_what_no_page_of_ours_says_is_refused_in_a_sentence(read_it, data):
    with pytest.raises(ValueError, match=r"\w+.*[.]$"):
        read_it(gr.EventData(None, data))
