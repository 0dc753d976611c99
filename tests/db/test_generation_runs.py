"""What a run is, without anyone asking an endpoint: starting, its books, its audit."""

import pytest

from db import endpoints, generation_audits, generation_templates, instructions, jobs, privacy
from db import generation_calls as calls
from db import generation_runs as runs
from db.content import Content
from db.endpoints import Offer
from db.enums import CallState, Category, Decision, InstructionStatus, JobStatus, Origin, Provenance, Reason
from db.generate_spec import GenerateSpec
from db.generating import prompts
from db.generating.prompts import Mode
from db.generation_calls import Answer, Judged, JudgedCall, Planned
from db.lifecycle import Move, move
from db.policy import PolicyError
from db.reviews import review_instruction
from db.session import read, write
from db.tables import GenerationCall, Instruction

TEXT = prompts.shipped(Mode.GROW).text


@pytest.fixture
def endpoint_id(people) -> int:
    with write() as s:
        offer = Offer("Ours", "https://api.example.org/v1", "big", price_in=10.0, price_out=20.0)
        return endpoints.add(s, people.trainer, offer).id


@pytest.fixture
def seeds(people, project_id) -> list[int]:
    return [make(people, project_id, f"Name drug number {n}.") for n in range(4)]


def make(people, project_id, text, *, origin=Origin.SEED, provenance=Provenance.NATIVE, **columns) -> int:
    with write() as s:
        content = Content(text, columns.pop("input", ""), "An answer.", Category.QA, "qa")
        row = instructions.create_instruction(
            s, people.author, project_id, content, origin=origin, provenance=provenance
        )
        move(row, Move.SHIP)
        for name, value in columns.items():
            setattr(row, name, value)
        return row.id


@pytest.fixture
def job_id(people, project_id, seeds, endpoint_id) -> int:
    with write() as s:
        job = runs.start(s, people.reviewer, project_id, GenerateSpec(endpoint_id), name="First")
        runs.open_run(s, job)
        return job.id


def answered(job_id: int, number: int = 0, rows=()) -> int:
    """An answered call, its rows judged; its id."""
    planned = Planned(number, 1, ((1, 1), (2, 1), (3, 1)), "hash", "biomedical 1", 5, 1000, 0.5)
    answer = Answer("reply", "stop", 100, 200, False, 0.005, 1.5)
    with write() as s:
        call_id = calls.note_asked(s, job_id, planned)
        calls.note_answered(s, call_id, planned, answer, tries=1, in_vain=0)
        if rows:
            calls.store_judged(s, jobs.get_job(s, job_id), [JudgedCall(call_id, tuple(rows))])
        return call_id


def kept(count: int) -> list[Judged]:
    return [
        Judged(Content(f"Kept {n}?", "", "Yes.", Category.QA, "qa"), "kept", "", {}) for n in range(count)
    ]


def test_only_approved_native_unrestricted_texts_are_ever_shown(people, project_id, seeds):
    make(people, project_id, "Restricted.", is_restricted=True)
    make(people, project_id, "Grown.", origin=Origin.GENERATED, provenance=Provenance.SYNTHETIC)
    make(people, project_id, "Gone.", status=InstructionStatus.RETIRED)
    with_passage = make(people, project_id, "From a text.", input="The heart has four chambers.")
    with read() as s:
        assert [one.id for one in runs.seed_pool(s, project_id)] == [*seeds, with_passage]
        assert [one.id for one in runs.seed_pool(s, project_id, Mode.FROM_PASSAGE)] == [with_passage]


def test_a_run_keeps_the_seeds_and_texts_it_began_with(people, project_id, seeds, job_id):
    with write() as s:
        content = Content("Another wording.", "", "An answer.", Category.QA, "qa")
        instructions.edit_instruction(s, people.author, seeds[0], content, version=1)
    make(people, project_id, "A later seed.")
    with read() as s:
        pool = runs.pool_of(s, runs.get_run(s, job_id))
    assert [one.id for one in pool] == seeds
    assert pool[0].content.instruction == "Name drug number 0."


@pytest.mark.parametrize(
    ("given", "message"),
    [
        ({"seeds_per_call": 5}, "seeds per call: 5 are to be shown, and 4"),
        ({"profile": "none"}, "profile: 'none' is not one of"),
        ({"against": (9,)}, "^against: there is no frozen version number 9"),
        ({"template_id": 9}, "There is no prompt template number 9"),
    ],
)
def test_what_would_fail_at_once_is_refused_at_the_start(
    people, project_id, seeds, endpoint_id, given, message
):
    spec = GenerateSpec(endpoint_id, **given)
    with pytest.raises((ValueError, LookupError), match=message), write() as s:
        runs.start(s, people.reviewer, project_id, spec, name="x")


def test_an_author_may_not_start_a_run_and_a_reviewer_may(people, project_id, seeds, endpoint_id):
    with pytest.raises(PolicyError), write() as s:
        runs.start(s, people.author, project_id, GenerateSpec(endpoint_id), name="x")
    with write() as s:
        assert runs.start(s, people.reviewer, project_id, GenerateSpec(endpoint_id), name="x").id


def test_a_money_budget_needs_prices(people, project_id, seeds):
    with write() as s:
        offer = Offer("Free", "https://free.example.org/v1", "m")
        free = endpoints.add(s, people.trainer, offer).id
    with pytest.raises(ValueError, match="^budget money: the endpoint has no prices"), write() as s:
        runs.start(s, people.reviewer, project_id, GenerateSpec(free, budget_money=5.0), name="x")


def test_a_call_is_in_the_books_at_its_worst_until_it_is_answered(job_id):
    planned = Planned(0, 1, ((1, 1),), "hash", "v", 5, 1000, 0.5)
    with write() as s:
        call_id = calls.note_asked(s, job_id, planned)
        assert (runs.totals(s, job_id).tokens, runs.totals(s, job_id).cost) == (1000, 0.5)
    with write() as s:
        calls.note_retry(s, call_id, planned, tries=2, in_vain=1)
        assert runs.totals(s, job_id).tokens == 2000
    with write() as s:
        answer = Answer("r", "stop", 100, 200, False, 0.005, 1.0)
        calls.note_answered(s, call_id, planned, answer, tries=2, in_vain=1)
        totals = runs.totals(s, job_id)
    assert (totals.tokens, totals.unsettled, totals.answered) == (1300, 1, 1)
    assert totals.cost == pytest.approx(0.505)


def test_calls_under_way_at_a_kill_are_written_off_with_what_they_may_have_cost(job_id):
    answered(job_id, 0)
    with write() as s:
        calls.note_asked(s, job_id, Planned(1, 1, (), "h", "v", 5, 1000, 0.5))
        assert calls.write_off(s, job_id) == 1
        totals = runs.totals(s, job_id)
        states = [call.state for call in s.query(GenerationCall).order_by(GenerationCall.number)]
    assert states == [CallState.ANSWERED, CallState.LOST]
    assert (totals.lost, totals.unjudged, totals.tokens, totals.next_number) == (1, 1, 1300, 2)


def test_kept_rows_are_in_review_by_the_studio_so_that_who_started_may_review(people, job_id, seeds):
    fallen = Judged(
        Content("Short", "", "x", Category.QA, ""), "length", "instruction too short", {"detail": "d"}
    )
    unread = Judged(None, "parsed", "cut", {"detail": "The reply ends within this record."})
    unnamed = Judged(Content("No task?", "", "Yes.", Category.OTHER, ""), "kept", "", {}, parent_id=seeds[0])
    answered(job_id, 0, [*kept(2), fallen, unread, unnamed])
    with read() as s:
        counts = {(one.stage, one.reason): one.rows for one in runs.funnel_counts(s, job_id)}
        rows = s.query(Instruction).filter(Instruction.origin == Origin.GENERATED).all()
        assert counts == {("kept", ""): 3, ("length", "instruction too short"): 1, ("parsed", "cut"): 1}
        assert {row.status for row in rows} == {InstructionStatus.IN_REVIEW}
        assert people.reviewer.id not in {row.author_id for row in rows}
        assert [(row.task, row.parent_id) for row in rows][-1] == (calls.UNLABELLED, seeds[0])
        spring = runs.spring_of(s, rows[0].id)
        assert (spring.call.reply, [seed.number for seed in spring.seeds]) == ("reply", [1, 1, 1])
        assert runs.spring_of(s, seeds[0]) is None


def test_flags_of_a_kept_row_are_for_a_reviewer_to_clear(job_id):
    flag = privacy.Flag("output", 0, 4, "PERSON", 0.9)
    row = Judged(Content("Who?", "", "John did.", Category.QA, "qa"), "kept", "", {}, flags=(flag,))
    answered(job_id, 0, [row, *kept(1)])
    with read() as s:
        rows = (
            s.query(Instruction).filter(Instruction.origin == Origin.GENERATED).order_by(Instruction.id).all()
        )
        assert [len(privacy.open_flags(s, row.id, 1)) for row in rows] == [1, 0]


def test_a_copy_names_the_instruction_that_the_funnel_knew_by_its_place(job_id):
    near = {"near": {"id": None, "row": 1}}
    copy = Judged(Content("Kept 1?", "", "Yes.", Category.QA, "qa"), "duplicate", "copy", near)
    call_id = answered(job_id, 0, [*kept(2), copy])
    with read() as s:
        rows = {row.position: row for row in s.query(runs.Candidate).filter_by(call_id=call_id)}
    assert rows[2].detail["near"]["id"] == rows[1].instruction_id


def test_a_run_goes_on_with_another_budget_and_with_nothing_else(people, job_id):
    with write() as s:
        runs.pause(s, people.reviewer, job_id)
    with pytest.raises(ValueError, match="^seed: it cannot change within a run"), write() as s:
        runs.resume(s, people.reviewer, job_id, seed=7)
    with write() as s:
        job = runs.resume(s, people.reviewer, job_id, budget_tokens=5000)
        assert (job.status, job.spec["budget_tokens"]) == (JobStatus.QUEUED, 5000)


def test_a_template_is_stored_in_versions_and_a_broken_one_is_refused(people, project_id):
    with write() as s:
        first = generation_templates.save_template(
            s, people.reviewer, project_id, name="Ours", mode=Mode.GROW, text=TEXT
        )
        again = generation_templates.save_template(
            s, people.reviewer, project_id, name="Ours", mode=Mode.GROW, text=TEXT
        )
        second = generation_templates.save_template(
            s, people.reviewer, project_id, name="Ours", mode=Mode.GROW, text=TEXT + "\nBe brief."
        )
        assert (first.id, first.number, second.number) == (again.id, 1, 2)
        got = generation_templates.get_template(s, project_id, second.id, Mode.GROW)
        assert got.text.endswith("Be brief.")
        with pytest.raises(ValueError):
            generation_templates.save_template(
                s, people.reviewer, project_id, name="Bad", mode=Mode.GROW, text="{% for x in y %}"
            )


# Audits ---------------------------------------------------------------------------------------------


def test_wilsons_interval_is_that_of_the_literature():
    found = generation_audits.wilson(81, 263)  # Newcombe 1998, table I
    assert (round(found.low, 4), round(found.high, 4)) == (0.2553, 0.3662)
    none = generation_audits.wilson(0, 20)
    assert (none.low, round(none.high, 4)) == (0.0, 0.1611)


def test_an_audit_counts_decisions_on_the_text_as_the_model_wrote_it(people, job_id):
    answered(job_id, 0, kept(10))
    with write() as s:
        sample = generation_audits.draw_sample(s, people.reviewer, job_id, size=4, seed=1)
        ids = list(sample.instruction_ids)
        assert len(set(ids)) == 4
        assert generation_audits.audit_of(s, job_id).rate is None
    with write() as s:
        for id in ids[:2]:
            review_instruction(s, people.reviewer, id, Decision.APPROVE, version=1)
        review_instruction(
            s, people.reviewer, ids[2], Decision.REJECT, version=1, comment="No.", reasons=[Reason.WRONG]
        )
        standing = generation_audits.audit_of(s, job_id)
        assert (standing.decided, standing.accepted, standing.is_complete) == (3, 2, False)
        assert generation_audits.list_undecided(s, job_id) == [ids[3]]
        with pytest.raises(ValueError, match="^sample: 1 records of the last one still wait"):
            generation_audits.draw_sample(s, people.reviewer, job_id, size=4)
    with write() as s:  # rewritten before anyone decided: not accepted as it stood
        content = Content("Rewritten?", "", "Yes.", Category.QA, "qa")
        instructions.edit_instruction(s, people.reviewer, ids[3], content, version=1)
    answered(job_id, 1, kept(3))
    with read() as s:
        standing = generation_audits.audit_of(s, job_id)
    assert (standing.decided, standing.accepted, standing.kept_since, standing.population) == (4, 2, 3, 10)
    assert standing.rate.share == 0.5


def test_another_draw_adds_to_those_before_and_never_takes_their_place(people, job_id):
    answered(job_id, 0, kept(10))
    with write() as s:
        drawn = generation_audits.draw_sample(s, people.reviewer, job_id, size=4, seed=1)
        first = list(drawn.instruction_ids)
        for id in first:
            review_instruction(
                s, people.reviewer, id, Decision.REJECT, version=1, comment="No.", reasons=[Reason.WRONG]
            )
    with write() as s:  # the same seed would choose some of the same; nothing is drawn twice
        again = generation_audits.draw_sample(s, people.other_reviewer, job_id, size=4, seed=1)
        second = list(again.instruction_ids)
        assert not set(first) & set(second)
        assert generation_audits.list_undecided(s, job_id) == second
        for id in second:
            review_instruction(s, people.reviewer, id, Decision.APPROVE, version=1)
    with read() as s:
        standing = generation_audits.audit_of(s, job_id)
    assert (standing.sampled, standing.decided, standing.accepted) == (8, 8, 4)
    assert standing.rate == generation_audits.wilson(4, 8)  # not the 4 of 4 of the draw that pleases
    drawn = [(draw.drawn_by, draw.population, draw.sampled, draw.accepted) for draw in standing.draws]
    assert drawn == [("Reviewer", 10, 4, 0), ("Other Reviewer", 10, 4, 4)]
    with write() as s:
        rest = generation_audits.draw_sample(s, people.reviewer, job_id, size=50).instruction_ids
        assert len(rest) == 2
        for id in rest:
            review_instruction(s, people.reviewer, id, Decision.APPROVE, version=1)
        with pytest.raises(ValueError, match="^sample: each record that the run kept was drawn already"):
            generation_audits.draw_sample(s, people.reviewer, job_id, size=1)


def test_what_was_drawn_before_the_run_went_on_is_told_apart(people, job_id):
    answered(job_id, 0, kept(6))
    with write() as s:
        for id in generation_audits.draw_sample(s, people.reviewer, job_id, size=6).instruction_ids:
            review_instruction(s, people.reviewer, id, Decision.APPROVE, version=1)
    answered(job_id, 1, kept(20))
    with write() as s:
        generation_audits.draw_sample(s, people.reviewer, job_id, size=3)
        standing = generation_audits.audit_of(s, job_id)
    assert (standing.population, standing.sampled, standing.sampled_of_all) == (26, 9, 3)
