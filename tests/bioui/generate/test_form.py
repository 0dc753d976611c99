"""Generate: the form of a run, the very prompt it will send, and what it may cost."""

import pytest

from bioui import generating
from bioui.components import generate_start
from bioui.components.generate_form import spec_of
from bioui.components.generate_prompt import money
from bioui.components.table import Trail
from bioui.pages import generate as page
from db import (
    endpoints,
    generation_preview,
    generation_runs,
    jobs,
)
from db.generate_spec import GenerateSpec
from db.generating import calls
from db.policy import PolicyError
from db.session import read, write
from tests.bioui.conftest import request_of
from tests.bioui.generate.conftest import HEAD, RUNS, SEEDS, start, typed
from trainer.generating.requests import Requests


def test_an_empty_list_leads_to_what_is_missing_first(people, project_id):
    shown = page.show_page(project_id, request_of(people.reviewer))
    assert shown[RUNS]["empty"]["href"].startswith("/endpoints")


def test_without_approved_seeds_the_form_leads_to_the_reviews(people, project_id, endpoint_id):
    shown = page.open_form(project_id, Trail(), None, "", "grow", request_of(people.reviewer))
    assert "seed" in shown[9]["title"]
    assert shown[9]["links"][0]["href"].startswith("/review")


@pytest.mark.parametrize("mode", ["grow", "evolve", "answer_only", "from_passage"])
def test_the_prompt_shown_is_the_very_prompt_that_is_sent(people, project_id, seeds, endpoint_id, mode):
    job_id = start(people, project_id, endpoint_id, mode=mode, seeds_per_call=3, by_category=True)[HEAD]["id"]
    with write() as session:
        job = jobs.get_job(session, job_id)
        run, spec = generation_runs.open_run(session, job), generating.spec_of_run(job)
        pool = generation_runs.pool_of(session, run)
        sent = Requests(spec, run, pool, endpoints.get_endpoint(session, endpoint_id), 1)
        for number in (0, 1, 7):
            shown = generation_preview.preview(session, project_id, spec, number)
            prepared = sent.prepare(number)
            assert shown.request.prompt_hash == prepared.planned.prompt_hash
            assert tuple((seed.id, seed.version) for seed in shown.seeds) == prepared.planned.draw
            messages = [message["content"] for message in prepared.ask.messages]
            assert shown.tokens == calls.most_tokens(*messages)


def test_the_prompt_follows_the_form_and_another_draw_shows_other_seeds(
    people, project_id, seeds, endpoint_id
):
    request = request_of(people.reviewer)
    first = generate_start.show_prompt(project_id, 0, *typed(endpoint_id), request)
    second, number = generate_start.draw_again(project_id, 0, *typed(endpoint_id), request)
    assert first["title"] == "The prompt of draw 1"
    assert (second["title"], number) == ("The prompt of draw 2", 1)
    assert SEEDS[0][0] in first["messages"][-1]["text"] or SEEDS[1][0] in first["messages"][-1]["text"]
    assert {fact["name"] for fact in first["range"]} == {"Calls", "Tokens", "Money", "Time"}


def test_what_the_form_lacks_is_said_in_place_of_the_prompt(people, project_id, seeds):
    shown = generate_start.show_prompt(project_id, 0, *typed(None), request_of(people.reviewer))
    assert not shown["shown"]
    assert "server that writes" in shown["waiting"]


def test_the_range_grows_with_the_target_and_a_small_budget_is_named(people, project_id, seeds, endpoint_id):
    with read() as session:
        spec = GenerateSpec(endpoint_id=endpoint_id, target=100, budget_money=0.001)
        small = generation_preview.outlook(session, project_id, spec)
        large = generation_preview.outlook(session, project_id, GenerateSpec(endpoint_id, target=1000))
    assert small.calls == (20, 60)
    assert small.bound == "money"
    assert large.bound == ""
    assert large.cost[0] == pytest.approx(10 * small.cost[0])
    assert small.cost[0] < small.cost[1]
    assert small.seconds is None


def test_the_time_is_told_once_the_endpoint_has_answered(people, project_id, run_id, endpoint_id):
    with read() as session:
        found = generation_preview.outlook(session, project_id, GenerateSpec(endpoint_id, target=100))
    assert found.seconds == pytest.approx((20 * 1.5 / 4, 60 * 1.5 / 4))  # four at once


@pytest.mark.parametrize(
    ("amount", "shown"), [(0, "0"), (0.0042, "0.0042"), (0.5, "0.50"), (1204.2, "1,204")]
)
def test_money_is_written_as_short_as_it_is_exact(amount, shown):
    assert money(amount) == shown


def test_an_empty_number_is_said_at_its_field(endpoint_id):
    with pytest.raises(ValueError, match="^per call: "):
        spec_of(typed(endpoint_id, per_call=None))


def test_a_double_click_starts_one_run(people, project_id, seeds, endpoint_id):
    first, second = (start(people, project_id, endpoint_id)[HEAD]["id"] for _ in range(2))
    third = start(people, project_id, endpoint_id, key="another form")[HEAD]["id"]
    assert first == second != third


def test_who_may_not_run_the_factory_is_refused(people, project_id, seeds, endpoint_id):
    with pytest.raises(PolicyError, match="run the instruction factory"):
        page.start(project_id, "k", *typed(endpoint_id), request_of(people.author))
