"""The page on coverage: what its handlers answer, and who may change a target."""

import json

import gradio as gr
import pytest

from bioui.components.bar_chart import Bar, BarChart, bar_charts_value
from bioui.components.coverage_cell import OpenCell
from bioui.components.coverage_figures import hours, queue_value
from bioui.components.coverage_matrix import matrix_value, squares
from bioui.components.interval_chart import Interval, intervals_value
from bioui.components.sunburst_chart import Slice, sunburst_value
from bioui.pages import coverage as page
from db import coverage, imports, instructions, reviews
from db.content import Content
from db.coverage import Cell, QueueAge, Target
from db.enums import Category, Decision, InstructionStatus
from db.policy import PolicyError
from db.session import read, write
from db.tables import Review
from tests.bioui.conftest import request_of

# Places in what the matrix's handlers answer: see matrix_side().
RADIO, MATRIX, CELL, GAPS, FORM, COUNT, REMOVE, NEW, CHANGED, HERE, UNDO = range(11)


@pytest.fixture
def ids(people, project_id) -> list[int]:
    """Three questions on cardiology, one approved, and a draft that names no specialty."""
    contents = [
        Content(
            f"Which valve is number {n}?", output="Two.", task="qa", specialty="cardiology", difficulty=n + 1
        )
        for n in range(3)
    ] + [Content("Extract the drugs.", task="ner", category=Category.IE)]
    with write() as session:
        ids = imports.import_contents(session, people.author, project_id, contents).ids
        instructions.submit_for_review(session, people.author, ids[0], version=1)
        reviews.review_instruction(session, people.reviewer, ids[0], Decision.APPROVE, version=1)
    return ids


def event_of(**data) -> gr.EventData:
    return gr.EventData(None, data)


def open_cell(actor, project_id, task="qa", specialty="cardiology", difficulty=0) -> tuple:
    return page.open_cell(project_id, difficulty, event_of(task=task, specialty=specialty), request_of(actor))


def save(actor, project_id, count, here=OpenCell("qa", "cardiology", None, True)) -> tuple:
    return page.save_target(project_id, here, count, request_of(actor))


def targets(project_id) -> list[Target]:
    with read() as session:
        return coverage.get_targets(session, project_id)


def row_of(matrix: dict, task: str) -> dict:
    return next(row for row in matrix["rows"] if row["task"] == task)


def test_the_matrix_counts_what_is_approved_and_the_unnamed_specialty_comes_last(people, project_id, ids):
    matrix = page.show_page(project_id, request_of(people.clinician))[2 + MATRIX]
    assert [column["name"] for column in matrix["columns"]] == ["cardiology", "no specialty"]
    assert row_of(matrix, "qa")["total"]["n"] == "1"
    assert [cell.get("n", "") for cell in row_of(matrix, "qa")["cells"]] == ["1", ""]
    assert [cell.get("n", "") for cell in row_of(matrix, "ner")["cells"]] == ["", "0"]
    assert matrix["sum"] == "1 approved of 4 records"


def test_a_difficulty_narrows_the_matrix_and_the_open_square(people, project_id, ids):
    here = OpenCell("qa", "cardiology", None, True)
    side = page.choose_difficulty(project_id, here, 2, request_of(people.author))
    assert side[MATRIX]["sum"] == "0 approved of 1 record"
    assert side[CELL]["place"] == "cardiology · difficulty 2"
    assert side[HERE] == OpenCell("qa", "cardiology", 2, True)


def test_the_panel_tells_a_square_in_full_and_leads_on(people, project_id, ids):
    cell = open_cell(people.author, project_id)[CELL]
    assert [(row["word"], row["count"]) for row in cell["statuses"]] == [("Draft", "2"), ("Approved", "1")]
    assert cell["statuses"][0]["href"] == (
        f"/curate?project={project_id}&task=qa&specialty=cardiology&status=draft"
    )
    assert cell["records_href"] == f"/curate?project={project_id}&task=qa&specialty=cardiology"
    assert cell["write_href"] == f"/curate?project={project_id}&task=qa&specialty=cardiology&new=1"
    assert [row["approved"] for row in cell["difficulties"]] == ["1", "1", "0", "0", "0", "0"]
    assert open_cell(people.author, project_id, difficulty=4)[CELL]["write_href"].endswith(
        "&new=1&difficulty=4"
    )
    assert open_cell(people.clinician, project_id)[CELL]["write_href"] == ""


def test_the_address_opens_a_square(people, project_id, ids):
    asked = {"task": "qa", "specialty": "cardiology", "difficulty": "3"}
    agreement, _, *side = page.show_page(project_id, request_of(people.reviewer, **asked))
    assert agreement.visible
    assert side[HERE] == OpenCell("qa", "cardiology", 3, True)
    assert not page.show_page(project_id, request_of(people.author, **asked))[0].visible
    assert page.show_page(project_id, request_of(people.author, difficulty="9"))[2 + HERE] == OpenCell()


def test_a_target_is_set_changed_removed_and_every_step_undone(people, project_id, ids):
    side = save(people.admin, project_id, 5)
    assert side[CELL]["sentence"] == "1 approved of 5 wanted; 2 under way, 2 to write."
    assert [row["missing"] for row in side[GAPS]["rows"]] == ["−4"]
    assert row_of(side[MATRIX], "qa")["cells"][0] | {"level": 0} == {
        "n": "1", "of": "5", "level": 0, "short": 80, "open": True,
    }  # fmt: skip
    side = save(people.admin, project_id, 8)
    assert side[CHANGED]["text"] == "The target of qa, cardiology is 8, 5 before."
    page.undo_target(project_id, side[HERE], side[UNDO], request_of(people.admin))
    assert targets(project_id) == [Target("qa", 5, "cardiology")]
    side = page.remove_target(project_id, side[HERE], request_of(people.admin))
    assert targets(project_id) == []
    page.undo_target(project_id, side[HERE], side[UNDO], request_of(people.admin))
    assert targets(project_id) == [Target("qa", 5, "cardiology")]


def test_the_first_target_of_a_square_is_undone_to_none(people, project_id, ids):
    side = save(people.admin, project_id, 5)
    side = page.undo_target(project_id, side[HERE], side[UNDO], request_of(people.admin))
    assert targets(project_id) == []
    assert side[CHANGED]["undo"] == ""


def test_a_target_for_a_task_without_records_shows_as_a_row_of_its_own(people, project_id, ids):
    side = page.add_target(project_id, "triage", "", 0, 3, request_of(people.admin))
    assert row_of(side[MATRIX], "triage")["total"]["of"] == "3"
    assert targets(project_id) == [Target("triage", 3)]
    assert side[CELL]["place"] == "all specialties · any difficulty"


@pytest.mark.parametrize(("count", "field"), [(None, "count"), (0, "count"), (2.5, "count")])
def test_a_count_that_cannot_be_is_named(people, project_id, ids, count, field):
    with pytest.raises(ValueError, match=f"^{field}: "):
        save(people.admin, project_id, count)
    with pytest.raises(ValueError, match="^task: "):
        page.add_target(project_id, None, "", 0, 3, request_of(people.admin))


def test_records_without_a_task_or_specialty_can_have_no_target(people, project_id, ids):
    side = open_cell(people.admin, project_id, "ner", "")
    assert side[FORM].visible is False
    with pytest.raises(ValueError, match="Open a square"):
        save(people.admin, project_id, 3, OpenCell("ner", "", None, True))


@pytest.mark.parametrize("role", ["author", "reviewer", "trainer", "clinician"])
def test_only_who_manages_the_project_sets_targets(people, project_id, ids, role):
    actor = getattr(people, role)
    assert open_cell(actor, project_id)[FORM].visible is False
    for refused in (
        lambda: save(actor, project_id, 3),
        lambda: page.add_target(project_id, "qa", "", 0, 3, request_of(actor)),
        lambda: page.remove_target(project_id, OpenCell("qa", None, None, True), request_of(actor)),
        lambda: page.undo_target(
            project_id, OpenCell(), (("qa", "", None), Target("qa", 1)), request_of(actor)
        ),
    ):
        with pytest.raises(PolicyError):
            refused()
    assert targets(project_id) == []


def test_a_square_is_short_where_one_of_its_difficulties_is():
    cells = [
        Cell("qa", "cardiology", 1, {InstructionStatus.APPROVED: 30}),
        Cell("qa", "cardiology", 2, {InstructionStatus.DRAFT: 4}),
    ]
    wanted = [Target("qa", 5, "cardiology", 1), Target("qa", 5, "cardiology", 2)]
    square = squares(cells, wanted, None)["qa", "cardiology"]
    assert (square.approved, square.target, square.missing, square.wanted) == (30, None, 5, 10)
    assert squares(cells, wanted, 1)["qa", "cardiology"].missing == 0
    own = squares(cells, [*wanted, Target("qa", 40, "cardiology")], None)["qa", "cardiology"]
    assert (own.target, own.missing) == (40, 10)


def test_a_great_matrix_is_cut_and_says_so():
    cells = [Cell(f"t{n}", f"s{n}", 1, {InstructionStatus.APPROVED: n + 1}) for n in range(120)]
    matrix = matrix_value(cells, [], project_id=1)
    assert (len(matrix["rows"]), len(matrix["columns"])) == (80, 48)
    assert matrix["more"] == "40 tasks and 72 specialties"
    assert matrix["rows"][0]["task"] == "t119"
    assert {cell.get("level", 0) for row in matrix["rows"] for cell in row["cells"]} <= set(range(6))


def test_the_work_is_told_in_plots_with_axes_and_tables(people, project_id, ids):
    with write() as session:
        instructions.submit_for_review(session, people.author, ids[1], version=1)
        for reasons in (["wrong"], ["wrong", "unsafe"]):
            session.add(
                Review(instruction_id=ids[2], version=1, reviewer_id=people.reviewer.id,
                       decision=Decision.REJECT, reasons=reasons)
            )  # fmt: skip
    weeks, queue, reasons, shares = page.show_work(project_id, request_of(people.author))
    assert [chart["title"] for chart in weeks["charts"]][:3] == ["Written", "Submitted", "Approved"]
    assert weeks["charts"][0]["table"][-1][1] == "4"
    assert queue["charts"][0]["sentence"].startswith("1 submission in review")
    assert [row["name"] for row in reasons["charts"][1]["rows"]] == ["wrong", "unsafe"]
    assert reasons["charts"][0]["rows"] == []
    assert [row["figures"][2] for row in shares["charts"][0]["rows"]] == ["33.8%", "33.5%", "22.8%", "10.0%"]


def test_the_texts_are_read_with_progress_once_and_then_at_once(people, project_id, ids):
    first = list(page.show_texts(project_id, "tokens", request_of(people.author)))
    assert first[0][0]["phase"] == "Counting tokens"
    _, lengths, ring, sentence = first[-1]
    assert [chart["title"] for chart in lengths["charts"]] == ["Instruction", "Input", "Output"]
    assert "starter's tokenizer" in lengths["charts"][0]["x_name"]
    assert lengths["charts"][1]["bars"] == []
    assert [row["verb"] for row in ring["table"]] == ["which", "extract"]
    assert "4 of 4 instructions (100.0%)" in sentence
    assert len(list(page.show_texts(project_id, "tokens", request_of(people.author)))) == 1


def test_an_edit_is_read_anew(people, project_id, ids):
    list(page.show_texts(project_id, "words", request_of(people.author)))
    with write() as session:
        content = Content("Summarise the note in many more words than before, for the team.", task="ner")
        instructions.edit_instruction(session, people.author, ids[3], content, version=1, reason="better")
        instructions.delete_instruction(session, people.author, ids[2])
    *_, ring, sentence = list(page.show_texts(project_id, "words", request_of(people.author)))[-1]
    assert [row["verb"] for row in ring["table"]] == ["which", "summarise"]
    assert "3 of 3 instructions" in sentence


def test_agreement_is_for_reviewers_and_honest_when_there_is_none(people, project_id, ids):
    with pytest.raises(PolicyError):
        page.show_agreement(project_id, request_of(people.author))
    overall, pairs, nothing = page.show_agreement(project_id, request_of(people.reviewer))
    assert (overall["rows"], pairs["rows"]) == ([], [])
    assert nothing["empty"]["title"] == "Nobody has double-reviewed yet."


def test_agreement_shows_every_figure_and_why_one_is_missing(people, project_id, ids):
    with write() as session:
        for id in ids:
            for reviewer in (people.reviewer, people.other_reviewer):
                session.add(
                    Review(instruction_id=id, version=1, reviewer_id=reviewer.id, decision=Decision.APPROVE)
                )
    overall, pairs, nothing = page.show_agreement(project_id, request_of(people.reviewer))
    assert overall["rows"][0]["name"] == "Percent agreement"
    assert overall["rows"][1]["figure"] == "not defined"
    assert "Every rating is the same" in overall["rows"][1]["note"]
    assert pairs["rows"][0]["note"].startswith("They decided the same on 100%.")
    assert nothing["empty"] is None


def test_every_section_of_an_empty_project_says_what_will_be_there(people, project_id):
    request = request_of(people.reviewer)
    side = page.show_page(project_id, request)[2:]
    assert side[MATRIX]["empty"]["link"] == "Write the first instruction"
    assert side[GAPS]["empty"].startswith("No targets yet.")
    weeks, queue, reasons, shares = page.show_work(project_id, request)
    for value in (weeks, queue, reasons, shares):
        assert all(chart["empty"] for chart in value["charts"])
    _, lengths, ring, sentence = list(page.show_texts(project_id, "words", request))[-1]
    assert all(chart["empty"] for chart in lengths["charts"])
    assert (ring["arcs"], sentence[:20]) == ([], "No instructions yet:")


def test_the_columns_of_a_chart_keep_their_proportion():
    bars = [Bar("a", 0, "a"), Bar("b", 5, "b"), Bar("c", 10, "c")]
    drawn = bar_charts_value([BarChart("T", "x", "y", bars)])["charts"][0]
    heights = [bar["height"] for bar in drawn["bars"]]
    assert heights[0] == 0
    assert heights[2] == pytest.approx(2 * heights[1], abs=0.2)
    assert all(bar["y"] + bar["height"] == pytest.approx(1000, abs=0.2) for bar in drawn["bars"])


def test_the_ring_is_whole_and_no_noun_reaches_past_its_verb():
    value = sunburst_value([Slice("list", 6, [("drug", 4), ("test", 1)]), Slice("write", 2, [])], share="80%")
    assert [arc["title"] for arc in value["arcs"]] == ["list: 6", "list drug: 4", "list test: 1", "write: 2"]
    assert value["arcs"][0]["path"].startswith("M0.0 -300.0 ")
    assert "NaN" not in json.dumps(value)
    alone = sunburst_value([Slice("list", 1, [("drug", 1)])], share="100%")
    assert len(alone["arcs"]) == 2


def test_an_interval_below_zero_widens_the_axis():
    rows = [Interval("kappa", -0.2, -0.6, 0.3, 9), Interval("alpha", None, None, None, 0, "why")]
    value = intervals_value("Overall", rows)
    assert value["ticks"][0] == {"label": "-1", "at": 0}
    assert 0 <= value["rows"][0]["left"] <= value["rows"][0]["at"] <= 100
    assert value["rows"][1]["has_value"] is False


@pytest.mark.parametrize(("given", "said"), [(0.5, "30 min"), (5.2, "5 h"), (72, "3.0 days"), (None, "")])
def test_an_age_is_said_in_the_unit_that_fits(given, said):
    assert hours(given) == said


def test_a_queue_of_nothing_has_no_columns():
    assert queue_value(QueueAge(0))["charts"][0]["empty"].startswith("Nothing waits")
