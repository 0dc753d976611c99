"""Runs in the modes beside plain growth, from the queue to the review queue: parents, passages, grounding."""

import json
from collections import Counter

import pytest
from sqlalchemy import select

from db import generation_figures, generation_runs, instructions, session
from db.content import Content
from db.enums import Category, InstructionStatus, JobStatus, Origin
from db.lifecycle import Move, move
from db.tables import Candidate, Instruction
from tests.scripted_endpoint import ScriptedEndpoint, rows_for

ASTHMA = (
    "The girl of nine years wheezed at night and coughed after running. Her peak flow was 180 L/min before "
    "and 240 L/min after salbutamol. There was no fever and no eosinophilia."
)
GOUT = (
    "The man of sixty years woke with a red, swollen left great toe. The aspirate held negatively "
    "birefringent crystals. Serum urate was 9.1 mg/dL."
)
TRUE = "Her peak flow was 180 L/min before and 240 L/min after salbutamol."
FALSE = "Her peak flow was 180 L/min before and 340 L/min after salbutamol."  # a number that is not there


@pytest.fixture
def passages(studio) -> dict[str, int]:
    """Two approved records with a passage; their ids by passage. The other seeds have no input."""
    actor, project_id = studio
    with session.write() as s:
        made = {}
        for passage in (ASTHMA, GOUT):
            content = Content("What was measured?", passage, "It was measured.", Category.QA, task="trial")
            made[passage] = instructions.create_instruction(s, actor, project_id, content, origin=Origin.SEED)
            move(made[passage], Move.SHIP)
        s.flush()
        return {passage: row.id for passage, row in made.items()}


def kept() -> list[tuple[Instruction, generation_runs.Spring]]:
    """The records of the test's one run, with where each sprang from."""
    with session.read() as s:
        rows = list(s.scalars(select(Instruction).where(Instruction.origin == Origin.GENERATED)))
        return [(row, generation_runs.spring_of(s, row.id)) for row in rows]


def stopped_at(job_id: int, stage: str) -> list[Candidate]:
    with session.read() as s:
        return list(generation_figures.list_examples(s, job_id, stage, limit=500).candidates)


@pytest.mark.parametrize("aim", ["deepen", "constrain", "audience"])
def test_an_evolved_record_names_the_one_it_was_made_of(generate, run, seeds, aim):
    with ScriptedEndpoint() as endpoint:
        job = run(generate(endpoint, mode="evolve", aim=aim, target=20, seeds_per_call=2))
        asked = endpoint.received[0].body["messages"][-1]["content"]
    assert (job.status, job.error) == (JobStatus.FINISHED, "")
    told = {"deepen": "one step more", "constrain": "further demands", "audience": "another audience"}
    assert [words for words in told.values() if words in asked] == [told[aim]]
    rows = kept()
    assert len(rows) >= 20
    for row, spring in rows:
        assert row.parent_id == spring.call.draw[0][0]
        assert row.parent_id in seeds
        assert row.status is InstructionStatus.IN_REVIEW
    assert len({row.parent_id for row, _ in rows}) > 1  # each call has its own


def test_a_child_that_says_its_parent_over_again_is_a_copy(generate, run, seeds):
    def write(key: str, count: int) -> str:
        with session.read() as s:
            parent = s.get_one(Instruction, seeds[0])
        same = {**rows_for(key, 1)[0], "instruction": parent.instruction, "input": parent.input}
        return json.dumps({"instructions": [same, *rows_for(key, 2)]})

    with ScriptedEndpoint(write=write) as endpoint:
        job = run(job_id := generate(endpoint, mode="evolve", target=4, seeds_per_call=1))
    assert job.status is JobStatus.FINISHED
    copies = stopped_at(job_id, "duplicate")
    assert copies
    assert {copy.detail["near"]["id"] for copy in copies} == {seeds[0]}


def test_an_answer_anew_keeps_the_question_and_names_its_parent(generate, run, seeds):
    def write(key: str, count: int) -> str:
        return json.dumps({"instructions": [{"output": rows_for(key, 1)[0]["output"]}]})

    with ScriptedEndpoint(write=write) as endpoint:
        job = run(generate(endpoint, mode="answer_only", target=3, seeds_per_call=1, patience=30))
    assert job.status is JobStatus.FINISHED, job.error
    with session.read() as s:
        for row, spring in kept():
            parent = s.get_one(Instruction, row.parent_id)
            assert parent.id == spring.call.draw[0][0]
            assert (row.instruction, row.input) == (parent.instruction, parent.input)
            assert (row.category, row.task) == (parent.category, parent.task)
            assert row.output != parent.output
            assert row.output in spring.call.reply


def test_a_draft_from_a_passage_is_kept_only_where_the_passage_supports_its_answer(generate, run, passages):
    """Each reply answers thrice from the note on asthma, once with a number that the note does not have."""

    def write(key: str, count: int) -> str:
        rows = rows_for(key, 3)
        for row, output in zip(rows, (TRUE, FALSE, TRUE), strict=True):
            row["output"] = output
            row["input"] = "An input of the model's own, which nobody asked for."
        return json.dumps({"instructions": rows})

    with ScriptedEndpoint(write=write) as endpoint:
        job = run(job_id := generate(endpoint, mode="from_passage", target=8, seeds_per_call=1))
        asked = [one.body["messages"][-1]["content"] for one in endpoint.received]
    assert (job.status, job.error) == (JobStatus.FINISHED, "")
    assert all(json.dumps(ASTHMA) in text or json.dumps(GOUT) in text for text in asked)
    rows = kept()
    assert len(rows) >= 8
    for row, spring in rows:
        assert (row.input, row.output) == (
            ASTHMA,
            TRUE,
        )  # the passage word for word, whatever the model wrote
        assert spring.call.draw[0][0] == passages[ASTHMA]
        assert row.parent_id is None
    refused = stopped_at(job_id, "grounded")
    on_gout = [one for one in refused if one.content["input"] == GOUT]
    on_asthma = [one for one in refused if one.content["input"] == ASTHMA]
    assert on_gout  # true of the other passage, and of this one not a word
    assert {one.content["output"] for one in on_asthma} == {FALSE}
    assert {one.reason for one in on_asthma} == {"not in the passage: number"}
    [lack] = on_asthma[0].detail["lacks"]
    assert "340" in FALSE[lack["start"] : lack["end"]]
    with session.read() as s:
        stages = Counter()
        for one in generation_runs.funnel_counts(s, job_id):
            stages[one.stage] += one.rows
        wanted = generation_figures.count_judged_wanted(s, job_id)
    assert set(stages) == {"kept", "grounded"}
    assert stages.total() == 3 * wanted // 5  # each call was asked for five and wrote three
    assert stages["kept"] == len(rows) == 2 * len(on_asthma)
    assert len(refused) == stages["grounded"]


def test_without_a_passage_there_is_nothing_to_draft_from(generate, seeds):
    with (
        ScriptedEndpoint() as endpoint,
        pytest.raises(ValueError, match="^seeds per call: 1 are to be shown"),
    ):
        generate(endpoint, mode="from_passage", seeds_per_call=1)
