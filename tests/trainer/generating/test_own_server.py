"""A generation run against the studio's own model server, a process with the starter model: real replies."""

from collections import Counter
from dataclasses import replace

import pytest
from sqlalchemy import select

from db import endpoints, generation_runs, registry, session
from db.endpoints import OWN
from db.enums import CallState, InstructionStatus, JobStatus, Origin, Role
from db.generate_spec import GenerateSpec
from db.settings import STARTER_DIR
from db.tables import Candidate, GenerationCall, Instruction
from tests.trainer.generating.conftest import totals_of
from tests.trainer.serve.test_lifecycle import running, wait_for_server

BUDGET = 12_000  # tokens: some ten calls
LONGEST = 48  # tokens of a reply


@pytest.fixture
def starter(studio, seeds) -> int:
    """The number of an endpoint that is the starter on this studio's server."""
    actor, _ = studio
    admin = replace(actor, roles=actor.roles | {Role.ADMIN})
    with session.write() as s:
        registry.add_base_model(s, admin, name=registry.STARTER, location=str(STARTER_DIR / "weights"))
        own = endpoints.add_own(s, admin, model=registry.STARTER)
        s.flush()
        assert own.base_url == OWN
        return own.id


@pytest.fixture
def queue(studio, starter):
    """queue(**settings of the spec) -> id of a queued run."""

    def start(**given) -> int:
        spec = GenerateSpec(starter, seeds_per_call=1, timeout=120.0, **given)
        with session.write() as s:
            return generation_runs.start(s, *studio, spec, name="starter").id

    return start


def rows_of(table, job_id: int) -> list:
    with session.read() as s:
        return list(s.scalars(select(table).where(table.job_id == job_id).order_by(table.id)))


def test_the_starter_answers_a_run_and_what_it_says_is_stored_judged_and_counted(settings, queue, run):
    """It is too small to write JSON: what must hold is that nothing it said is lost, whatever it said."""
    answers = queue(mode="answer_only", target=5, max_tokens=LONGEST, budget_tokens=BUDGET, patience=3)
    too_long = queue(target=5, max_tokens=LONGEST)  # three times what the starter can read
    with running(settings):
        wait_for_server()
        job, refused = run(answers), run(too_long)
    calls, candidates = rows_of(GenerationCall, answers), rows_of(Candidate, answers)
    totals = totals_of(answers)
    with session.read() as s:
        grown = list(s.scalars(select(Instruction).where(Instruction.origin == Origin.GENERATED)))
        funnel = Counter({one.stage: one.rows for one in generation_runs.funnel_counts(s, answers)})

    assert totals.answered == len(calls) >= 3
    assert {call.state for call in calls} == {CallState.ANSWERED}
    assert all(call.judged_at and not call.is_estimate and call.tries == 1 for call in calls)
    assert all(call.tokens_in > 300 and 0 < call.tokens_out <= LONGEST for call in calls)
    assert all(call.reply or call.tokens_out <= 1 for call in calls)  # else it ended at once
    assert totals.tokens == sum(call.tokens_in + call.tokens_out for call in calls) <= BUDGET
    assert {candidate.call_id for candidate in candidates} == {call.id for call in calls}
    assert funnel.total() == len(candidates)
    assert totals.kept == funnel["kept"] == len(grown)
    assert {row.status for row in grown} <= {InstructionStatus.IN_REVIEW}
    if job.status is JobStatus.FINISHED:
        assert totals.kept >= 5
    else:
        assert job.status in (JobStatus.FAILED, JobStatus.INTERRUPTED)
        assert job.error.startswith(("patience: of the last 3 calls no record", "budget tokens: "))
    assert job.result["answered"] == len(calls)

    assert refused.status is JobStatus.FAILED
    assert refused.error == (
        "request: 127.0.0.1 cannot take a prompt with a reply of that length; lower the longest reply, show "
        "fewer or shorter seeds, or choose a model with more room."
    )
    assert totals_of(too_long).tokens == 0


def test_a_run_whose_server_is_not_up_fails_with_the_way_to_start_it(queue, run):
    job = run(queue(mode="answer_only", target=1))
    assert job.status is JobStatus.FAILED
    assert job.error.startswith(
        "endpoint: the studio's model server is not running; start it with `python -m"
    )
