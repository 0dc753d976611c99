"""Generate: a run and its funnel, the records of a stage, its calls, its audit, what reviewers see."""

import gradio as gr
import pytest

from bioui.components import generate_sections
from bioui.components.funnel_chart import funnel_value
from bioui.components.generate_sections import Opened
from bioui.components.generate_spring import spring_value
from bioui.components.table import Trail
from bioui.pages import generate as page
from db import (
    generation_audits,
    generation_figures,
    jobs,
)
from db.enums import Decision, JobStatus, Reason
from db.reviews import review_instruction
from db.session import read, write
from db.tables import Instruction
from tests.bioui.conftest import request_of
from tests.bioui.generate.conftest import (
    AUDIT,
    CALL,
    CALLS,
    DRAW,
    EXAMPLES,
    FUNNEL,
    HEAD,
    HOSTILE,
    INTERVAL,
    LIMITS,
    OPENED,
    OUTCOME,
    TALLY,
    WATCH,
    ask,
    event,
    record,
    reply_of,
    start,
)


def test_a_run_opens_by_its_link_with_its_funnel_and_counts(people, project_id, run_id):
    shown = page.show_page(project_id, request_of(people.reviewer, run=str(run_id)))
    rows = {row["name"]: row for row in shown[FUNNEL]["rows"]}
    names = ("Asked for", "Read from replies", "Length", "Near copies", "Kept")
    assert [rows[name]["left"] for name in names] == ["5", "3", "2", "1", "1"]
    assert rows["Read from replies"]["fell"] == "2"  # one without an answer, and one never written
    figures = {figure["name"]: figure for figure in shown[TALLY]["figures"]}
    assert figures["Kept"]["text"] == "1"
    assert figures["Tokens"]["text"] == "1,000"
    assert shown[HEAD]["name"] == "Trial"


def test_a_run_of_another_project_is_not_shown(people, project_id, run_id):
    with pytest.raises(LookupError, match="no generation run"):
        page.show_page(project_id + 1, request_of(people.reviewer, run=str(run_id)))


def test_a_model_that_writes_too_much_is_told(project_id):
    shown = funnel_value(5, {"length": 2, "kept": 6})
    assert shown["rows"][0]["left"] == "5"
    assert shown["rows"][-1]["share"] == "75 %"
    assert "3 more" in shown["note"]


def test_a_tick_changes_nothing_until_something_happens(people, project_id, run_id):
    request = request_of(people.reviewer, run=str(run_id), project=str(project_id))
    shown = page.show_page(project_id, request)
    assert page.tick(shown[WATCH], Trail(), Opened(), request) == gr.skip()
    ask(run_id, people, reply_of(record("Say how the kidney keeps water in a long thirst.")), number=1)
    fresh = page.tick(shown[WATCH], Trail(), Opened(), request)
    assert fresh[6]["name"] == "Trial"
    assert fresh[10]["rows"][-1]["left"] == "2"


def test_a_run_is_paused_goes_on_with_other_limits_and_is_ended(people, project_id, seeds, endpoint_id):
    job_id = start(people, project_id, endpoint_id)[HEAD]["id"]
    request = request_of(people.reviewer, run=str(job_id))
    assert page.pause(project_id, Trail(), request)[HEAD]["status"] == "Paused"
    shown = page.resume(project_id, Trail(), 300, 0, 1.5, 0, request)
    assert shown[HEAD]["status"] == "Queued"
    assert shown[LIMITS] == (300, 0, 1.5, 0)
    page.pause(project_id, Trail(), request)
    assert "Nothing more is asked" in page.ask_end(project_id, request)[1]["text"]
    assert page.end(project_id, Trail(), request)[OUTCOME]["title"] == "The run was ended"
    with pytest.raises(ValueError, match="^target: "):
        page.resume(project_id, Trail(), 300, 0, 1.5, 0, request)
    assert page.resume(project_id, Trail(), 400, 0, 1.5, 0, request)[HEAD]["status"] == "Queued"


def test_why_a_run_stopped_is_said_with_the_mend(people, project_id, run_id):
    with write() as session:
        error = "budget tokens: 990 of 1,000 are used; raise the budget."
        jobs.close(session, run_id, 1, JobStatus.INTERRUPTED, error=error)
    shown = page.show_page(project_id, request_of(people.reviewer, run=str(run_id)))
    assert shown[HEAD]["status"] == "Stopped"
    assert "Budget tokens: 990 of 1,000" in shown[OUTCOME]["sentences"][0]


def open_stage(people, project_id, run_id, stage: str) -> dict:
    request = request_of(people.reviewer, run=str(run_id))
    return generate_sections.open_stage(project_id, Opened(), event(stage=stage), request)[1 + EXAMPLES]


def test_a_near_copy_stands_beside_the_nearest_with_what_differs(people, project_id, run_id, seeds):
    [item] = open_stage(people, project_id, run_id, "duplicate")["items"]
    assert item["near"]["id"] == seeds[0]
    assert {"text": "the", "removed": True} in item["near"]["parts"]
    assert {"text": "a", "added": True} in item["near"]["parts"]
    assert "ROUGE-L" in item["sentences"][0]


def test_what_could_not_be_read_is_shown_as_it_stands_in_the_reply(people, project_id, run_id):
    [item] = open_stage(people, project_id, run_id, "parsed")["items"]
    assert "Say what is lost." in item["raw"]
    assert item["sentences"] == ["Output: it is missing or empty."]


def test_a_stage_pages_on_the_server(people, project_id, run_id):
    texts = ["So?", "But?", "And?", "Or?", "If?", "As?", "Is?"]
    ask(run_id, people, reply_of(*map(record, texts)), number=1)
    request = request_of(people.reviewer, run=str(run_id))
    _, *first = generate_sections.open_stage(project_id, Opened(), event(stage="length"), request)
    assert len(first[EXAMPLES]["items"]) == generation_figures.EXAMPLES
    assert first[EXAMPLES]["reasons"] == [{"text": "instruction too short", "count": "8"}]
    second = generate_sections.older_examples(project_id, first[OPENED], request)
    assert len(second[EXAMPLES]["items"]) == 3
    assert not second[EXAMPLES]["has_older"]
    back = generate_sections.newer_examples(project_id, second[OPENED], request)
    assert back[EXAMPLES] == first[EXAMPLES]


def test_no_such_stage_is_refused(people, project_id, run_id):
    with pytest.raises(ValueError, match="no such stage"):
        open_stage(people, project_id, run_id, "<script>")


def test_a_call_tells_its_seeds_its_reply_and_what_became_of_each_record(people, project_id, run_id):
    ask(run_id, people, None, number=1)
    request = request_of(people.reviewer, run=str(run_id))
    listed = generate_sections.choose_section(project_id, Opened(), "calls", request)
    assert [row["cells"][1]["text"] for row in listed[CALLS]["rows"]] == ["Failed", "Answered"]
    shown = generate_sections.open_call(project_id, listed[OPENED], event(id=1), request)[CALL]
    assert shown["title"] == "Call 1"
    assert HOSTILE.replace("\\", "\\\\") in shown["reply"].replace('\\"', '"')
    assert [item["stage"] for item in shown["items"]] == ["Kept", "Length", "Near copies", "Not read"]
    assert len(shown["seeds"]) == 3
    assert shown["seeds"][0]["href"].startswith(f"/curate?project={project_id}&id=")


def test_calls_page_on_the_server(people, project_id, run_id):
    for number in range(1, 28):
        ask(run_id, people, None, number=number)
    request = request_of(people.reviewer, run=str(run_id))
    first = generate_sections.choose_section(project_id, Opened(), "calls", request)
    assert (len(first[CALLS]["rows"]), first[CALLS]["rows"][0]["id"]) == (generation_figures.CALLS, 28)
    second = generate_sections.older_calls(project_id, first[OPENED], request)
    assert [row["id"] for row in second[CALLS]["rows"]] == [3, 2, 1]
    assert not second[CALLS]["has_older"]


def kept_ids(run_id: int) -> list[int]:
    with read() as session:
        return [
            one.instruction_id for one in generation_figures.list_examples(session, run_id, "kept").candidates
        ]


def test_an_audit_sample_is_drawn_and_tells_its_interval(people, project_id, run_id):
    request = request_of(people.reviewer, run=str(run_id))
    shown = generate_sections.draw_sample(project_id, Opened("audit"), 10, request)
    [waiting] = shown[AUDIT]["waiting"]
    assert waiting["href"].startswith("/review?")
    with write() as session:
        review_instruction(session, people.reviewer, kept_ids(run_id)[0], Decision.APPROVE, version=1)
    after = generate_sections.choose_section(project_id, Opened(), "audit", request)
    with read() as session:
        rate = generation_audits.audit_of(session, run_id).rate
    assert f"{rate.share:.2f} ({rate.low:.2f} to {rate.high:.2f})" == after[INTERVAL]["rows"][0]["figure"]
    assert "100 % of the 1 reviewed" in after[AUDIT]["sentence"]


def test_a_second_sample_waits_for_the_first(people, project_id, run_id):
    request = request_of(people.reviewer, run=str(run_id))
    shown = generate_sections.draw_sample(project_id, Opened("audit"), 1, request)
    assert shown[DRAW].visible is False
    with pytest.raises(ValueError, match="finish it"):
        generate_sections.draw_sample(project_id, Opened("audit"), 1, request)


def test_every_draw_is_shown_and_all_together_count(people, project_id, run_id):
    ask(run_id, people, reply_of(record("Explain how the kidney keeps sodium in balance.")), number=1)
    request = request_of(people.reviewer, run=str(run_id))
    for decision in (Decision.REJECT, Decision.APPROVE):
        drawn = generate_sections.draw_sample(project_id, Opened("audit"), 1, request)
        [waiting] = drawn[AUDIT]["waiting"]
        why = {"comment": "No.", "reasons": [Reason.WRONG]} if decision is Decision.REJECT else {}
        with write() as session:
            review_instruction(session, people.reviewer, waiting["id"], decision, version=1, **why)
    shown = generate_sections.choose_section(project_id, Opened(), "audit", request)
    rows = shown[INTERVAL]["rows"]
    assert [(row["name"], row["items"]) for row in rows] == [
        ("All draws: this counts", "2"), ("Draw 1", "1"), ("Draw 2", "1"),
    ]  # fmt: skip
    assert rows[0]["figure"].startswith("0.50 (")
    assert "50 % of the 2 reviewed" in shown[AUDIT]["sentence"]
    facts = {fact["name"]: fact["text"] for fact in shown[AUDIT]["facts"]}
    assert facts["Draws"] == "2, of 1 and 1 records; all count"
    assert shown[DRAW].visible is False  # nothing is left to draw


def test_a_reviewer_reads_the_seeds_and_the_raw_reply(people, project_id, run_id, seeds):
    with read() as session:
        shown = spring_value(session, session.get(Instruction, kept_ids(run_id)[0]))
        nothing = spring_value(session, session.get(Instruction, seeds[0]))
    assert nothing is None
    assert {seed["id"] for seed in shown["seeds"]} <= set(seeds)
    assert "<script>alert(1)</script>" in shown["reply"]
    assert (shown["run"], shown["call"], shown["position"]) == ("Trial", "1", 1)
