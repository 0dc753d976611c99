"""Generation runs against a real HTTP server that behaves well and badly."""

import json
import threading
import time

import pytest
from sqlalchemy import select

from db import endpoints, generation_runs, jobs, session
from db.enums import CallState, InstructionStatus, JobStatus, Origin, Provenance
from db.generating import draws
from db.tables import Candidate, GenerationCall, Instruction, PrivacyFlag
from tests.scripted_endpoint import Act, ScriptedEndpoint, always, faulty, in_turn, rows_for
from tests.trainer.conftest import metrics_of
from tests.trainer.generating.conftest import totals_of


def calls_of(job_id: int) -> list[GenerationCall]:
    with session.read() as s:
        query = select(GenerationCall).where(GenerationCall.job_id == job_id).order_by(GenerationCall.number)
        return list(s.scalars(query))


def generated() -> list[Instruction]:
    with session.read() as s:
        query = select(Instruction).where(Instruction.origin == Origin.GENERATED).order_by(Instruction.id)
        return list(s.scalars(query))


def test_kept_rows_wait_for_review_linked_to_their_call_and_its_seeds(generate, run, seeds, studio):
    with ScriptedEndpoint(latency=0.01) as endpoint:
        job = run(job_id := generate(endpoint, target=40))
    assert (job.status, job.error) == (JobStatus.FINISHED, "")
    rows = generated()
    assert len(rows) >= 40
    assert {row.status for row in rows} == {InstructionStatus.IN_REVIEW}
    assert {row.provenance for row in rows} == {Provenance.SYNTHETIC}
    with session.read() as s:
        spring = generation_runs.spring_of(s, rows[0].id)
        assert {seed.instruction_id for seed in spring.seeds} <= set(seeds)
        assert len(spring.seeds) == 3
        assert json.loads(spring.call.reply)["instructions"][spring.candidate.position]["instruction"]
        run_row = generation_runs.get_run(s, job_id)
        pool = generation_runs.pool_of(s, run_row)
    drawn = draws.draw(42, spring.call.number, pool, k=3)
    assert spring.call.draw == [[seed.id, seed.version] for seed in drawn]
    assert job.result["kept"] == len(rows)
    assert metrics_of(job_id, "kept")[-1][1] == len(rows)


def test_a_mix_of_faulty_replies_is_salvaged_retried_and_counted(generate, run):
    with ScriptedEndpoint(faulty(0.3, seed=8), latency=0.005) as endpoint:
        job = run(job_id := generate(endpoint, target=150))
        acts = [one.act for one in endpoint.served]
    assert job.status is JobStatus.FINISHED
    assert {Act.CUT, Act.MALFORMED, Act.BUSY, Act.BROKEN} <= set(acts)
    answered = [call for call in calls_of(job_id) if call.state is CallState.ANSWERED]
    assert sum(call.tries for call in calls_of(job_id)) == len(acts)
    assert len(answered) == sum(act in (Act.GOOD, Act.CUT, Act.MALFORMED) for act in acts)
    with session.read() as s:
        funnel = generation_runs.funnel_counts(s, job_id)
        cut = [call for call in answered if call.finish_reason == "length"]
        salvaged = s.scalars(select(Candidate).where(Candidate.call_id.in_([call.id for call in cut]))).all()
    assert sum(one.rows for one in funnel if one.stage == "kept") == len(generated())
    assert any(one.stage == "parsed" for one in funnel)
    whole = [row.content for row in salvaged if row.stage == "kept"]
    assert whole
    by_id = {call.id: endpoint_key(job_id, call.number) for call in cut}
    for row in salvaged:
        if row.stage == "kept":
            full = rows_for(by_id[row.call_id], 5)[row.position]
            assert (row.content["instruction"], row.content["output"]) == (
                full["instruction"],
                full["output"],
            )


def endpoint_key(job_id: int, number: int) -> str:
    with session.read() as s:
        return f"{generation_runs.get_run(s, job_id).key}-{number}"


@pytest.mark.parametrize(
    ("act", "begins"),
    [
        (Act.NO_KEY, "key: 127.0.0.1 refused a request without a key (HTTP 401)"),
        (Act.NO_MODEL, "model: 127.0.0.1 knows no model m"),
        (Act.MOVED, "base url: 127.0.0.1 sends us elsewhere (HTTP 302)"),
        (Act.NONSENSE, "base url: what 127.0.0.1 answers is no chat completion"),
    ],
)
def test_three_refusals_for_one_reason_stop_the_run_with_the_sentence(generate, run, act, begins):
    with ScriptedEndpoint(always(act)) as endpoint:
        job = run(generate(endpoint, offer={"concurrency": 2}))
        asked = len(endpoint.served)
    assert job.status is JobStatus.FAILED
    assert job.error.startswith(begins)
    assert "sk-secret" not in job.error
    assert asked <= 3 + 3  # what was under way when the third refusal came


def test_an_endpoint_that_is_not_there_stops_the_run(generate, run):
    with ScriptedEndpoint() as endpoint:
        job_id = generate(endpoint, tries=1)
    job = run(job_id)
    assert job.status is JobStatus.FAILED
    assert job.error == "base url: nothing answers at 127.0.0.1; check the address and that the server runs."


def test_a_schema_that_is_refused_is_left_out_and_that_is_remembered(generate, run):
    with ScriptedEndpoint(always(Act.NO_SCHEMA), latency=0.005) as endpoint:
        job = run(generate(endpoint, target=60))
        refused = [one for one in endpoint.served if one.status == 400]
    assert job.status is JobStatus.FINISHED
    assert 1 <= len(refused) <= 8  # those under way, or ready to be, before the first refusal came back
    with session.read() as s:
        assert endpoints.list_endpoints(s)[0].knows_schema is False


def test_a_reply_that_never_ends_is_given_up_in_time_and_counted_as_perhaps_paid(generate, run):
    script = in_turn(Act.ENDLESS, Act.GOOD)
    with ScriptedEndpoint(script) as endpoint:
        job = run(job_id := generate(endpoint, target=5, timeout=0.5, offer={"concurrency": 1}))
    assert job.status is JobStatus.FINISHED
    first = calls_of(job_id)[0]
    assert (first.state, first.tries, first.unsettled) == (CallState.ANSWERED, 2, 1)
    assert first.unsettled_tokens > 2000  # the prompt and the longest reply
    assert totals_of(job_id).tokens >= first.unsettled_tokens


def test_a_dropped_connection_and_a_slow_reply_are_asked_again(generate, run):
    script = in_turn(Act.DROPPED, Act.SLOW, Act.GOOD)
    with ScriptedEndpoint(script, slow_seconds=2.0) as endpoint:
        job = run(job_id := generate(endpoint, target=5, timeout=0.5, offer={"concurrency": 1}))
    assert job.status is JobStatus.FINISHED
    assert calls_of(job_id)[0].tries == 3
    keys = {one.key for one in endpoint.served[:3]}
    assert len(keys) == 1  # the same idempotency key each time


def test_retry_after_is_waited_for(generate, run):
    script = in_turn(Act.BUSY, Act.GOOD)
    with ScriptedEndpoint(script, retry_after="0.7") as endpoint:
        run(generate(endpoint, target=5, offer={"concurrency": 1}))
        first, second = endpoint.served[:2]
    again = next(one for one in endpoint.served[1:] if one.key == first.key)
    assert again.began - first.ended >= 0.7
    assert second.status == 200


def test_tokens_are_estimated_and_said_to_be_where_none_are_told(generate, run):
    with ScriptedEndpoint(always(Act.UNCOUNTED)) as endpoint:
        run(job_id := generate(endpoint, target=5))
    assert all(call.is_estimate and call.tokens_in > 0 and call.tokens_out > 0 for call in calls_of(job_id))


def test_no_more_requests_are_under_way_than_the_endpoint_allows(generate, run):
    with ScriptedEndpoint(latency=0.03) as endpoint:
        run(generate(endpoint, target=100, offer={"concurrency": 3}))
    moments = sorted(
        [(one.began, 1) for one in endpoint.served] + [(one.ended, -1) for one in endpoint.served]
    )
    level = most = 0
    for _, change in moments:
        level += change
        most = max(most, level)
    assert 2 <= most <= 3


def test_the_rate_limit_is_kept(generate, run):
    with ScriptedEndpoint() as endpoint:
        run(generate(endpoint, target=100, offer={"requests_per_minute": 600, "concurrency": 8}))
    began = sorted(one.began for one in endpoint.served)
    for at, start in enumerate(began):
        assert (
            sum(start <= other < start + 1 for other in began[at:]) <= 10 + 10 + 1
        )  # the burst and a second


def test_a_token_budget_stops_the_run_before_it_is_exceeded_and_raising_it_goes_on(generate, run, studio):
    with ScriptedEndpoint() as endpoint:
        job_id = generate(endpoint, target=100, max_tokens=700, budget_tokens=9000)
        job = run(job_id)
        assert job.status is JobStatus.INTERRUPTED
        assert job.error.startswith("budget tokens: ")
        spent = totals_of(job_id)
        assert 0 < spent.tokens <= 9000
        assert 0 < spent.kept < 100
        with session.write() as s:
            generation_runs.resume(s, studio[0], job_id, budget_tokens=1_000_000)
        assert run(job_id).status is JobStatus.FINISHED
    numbers = [call.number for call in calls_of(job_id)]
    assert numbers == list(range(len(numbers)))


def test_a_money_budget_says_that_it_was_money(generate, run):
    prices = {"price_in": 10.0, "price_out": 30.0}
    with ScriptedEndpoint() as endpoint:
        job = run(job_id := generate(endpoint, target=100, max_tokens=700, budget_money=0.2, offer=prices))
    assert job.error.startswith("budget money: ")
    assert 0 < totals_of(job_id).cost <= 0.2


def test_an_hours_budget_stops_the_run(generate, run):
    with ScriptedEndpoint(latency=0.2) as endpoint:
        job = run(generate(endpoint, target=10_000, budget_hours=1 / 3600))
    assert job.error.startswith("budget hours: ")


def test_calls_that_give_nothing_stop_the_run_in_time(generate, run):
    with ScriptedEndpoint(always(Act.MALFORMED)) as endpoint:
        job = run(job_id := generate(endpoint, patience=8))
    assert job.status is JobStatus.FAILED
    assert job.error.startswith("patience: of the last 8 calls no record was kept")
    assert totals_of(job_id).calls <= 30


def test_copies_are_dropped_and_the_original_is_named(generate, run):
    same = lambda key, count: json.dumps({"instructions": rows_for("one", count)})  # noqa: E731
    with ScriptedEndpoint(write=same) as endpoint:
        job = run(generate(endpoint, patience=3))
    assert job.status is JobStatus.FAILED
    rows = generated()
    assert len(rows) == 5
    with session.read() as s:
        copies = s.scalars(select(Candidate).where(Candidate.stage == "duplicate")).all()
    assert {copy.detail["near"]["id"] for copy in copies} == {row.id for row in rows}


def test_a_row_with_patient_data_falls_or_is_flagged_by_the_profile(generate, run):
    def write(key: str, count: int) -> str:
        rows = rows_for(key, count)
        rows[0]["input"] = "Patient reachable at 415-555-0132, email jane.doe@mailbox.org, seen today."
        return json.dumps({"instructions": rows})

    with ScriptedEndpoint(write=write) as endpoint:
        dropped = generate(endpoint, target=8)
        run(dropped)
        flagged = generate(endpoint, target=10, profile="self-instruct")
        run(flagged)
    with session.read() as s:
        assert {one.stage for one in generation_runs.funnel_counts(s, dropped)} == {"kept", "phi"}
        with_flags = set(s.scalars(select(PrivacyFlag.instruction_id)))
        kept = select(Candidate).where(Candidate.job_id == flagged, Candidate.stage == "kept")
        firsts = {row.instruction_id for row in s.scalars(kept) if row.position == 0}
    assert firsts
    assert firsts == with_flags


def test_a_pause_takes_in_what_is_under_way_and_a_resume_repeats_nothing(generate, run, studio):
    with ScriptedEndpoint(latency=0.3) as endpoint:
        job_id = generate(endpoint, target=300)

        def pause_soon() -> None:
            while len(endpoint.served) < 10:
                time.sleep(0.01)
            with session.write() as s:
                generation_runs.pause(s, studio[0], job_id)

        threading.Thread(target=pause_soon, daemon=True).start()
        assert run(job_id).status is JobStatus.CANCELLED
        paused = totals_of(job_id)
        assert 0 < paused.kept < 300
        assert (paused.lost, paused.unjudged) == (0, 0)
        with session.write() as s:
            generation_runs.resume(s, studio[0], job_id)
        assert run(job_id).status is JobStatus.FINISHED
        keys = [one.key for one in endpoint.served]
    assert len(keys) == len(set(keys))


def test_prompts_replies_and_keys_stay_out_of_the_log(generate, run, caplog, monkeypatch):
    monkeypatch.setenv("TRIAL_API_KEY", "sk-not-to-be-seen")
    caplog.set_level("DEBUG", logger="trainer")
    with ScriptedEndpoint(in_turn(Act.BROKEN, Act.NO_KEY, Act.GOOD)) as endpoint:
        run(generate(endpoint, target=10, offer={"key_variable": "TRIAL_API_KEY"}))
        secret = endpoint.received[0].headers["authorization"]
    assert secret == "Bearer sk-not-to-be-seen"
    assert "sk-not-to-be-seen" not in caplog.text
    assert "cranial nerve" not in caplog.text
    assert all(row.instruction not in caplog.text for row in generated())


def test_a_higher_target_goes_on_with_a_finished_run(generate, run, studio):
    with ScriptedEndpoint() as endpoint:
        job_id = generate(endpoint, target=10)
        run(job_id)
        with session.write() as s:
            generation_runs.resume(s, studio[0], job_id, target=30)
        assert run(job_id).status is JobStatus.FINISHED
    assert totals_of(job_id).kept >= 30


def test_a_zombie_attempt_writes_no_more(generate, claim, studio):
    from db.jobs import FencedError
    from trainer.jobs import generate as job_code

    with ScriptedEndpoint(latency=0.05) as endpoint:
        job_id = generate(endpoint, target=1000)
        context = claim(job_id)

        def replace_soon() -> None:
            while len(endpoint.served) < 8:
                time.sleep(0.01)
            with session.write() as s:
                jobs.get_job(s, job_id).attempt += 1

        threading.Thread(target=replace_soon, daemon=True).start()
        with pytest.raises(FencedError):
            job_code.run(context)
        before = len(calls_of(job_id))
        time.sleep(0.2)
        assert len(calls_of(job_id)) == before
