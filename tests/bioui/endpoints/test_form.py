"""The form of an endpoint: begun for a kind of server, saved, opened again, refused at the field."""

import pytest

from bioui.handling import Problem
from bioui.pages import endpoints as page
from bioui.pages.endpoints import Opened
from db import endpoints
from db.endpoints import OWN
from db.session import read
from tests.bioui.conftest import request_of
from tests.bioui.endpoints.conftest import (
    DETAILS,
    FORM,
    OPENED,
    READ,
    VARIABLE,
    event,
    facts,
    filled,
    save,
    stored,
)


def test_the_own_server_is_added_by_one_press_and_again_after_it_was_removed(people, starter):
    shown = page.choose_way(Opened(), event(way="own"), request_of(people.reviewer))
    assert facts(shown)["Model"] == starter
    assert shown[DETAILS]["title"] == "This studio: starter"
    page.remove(shown[OPENED], request_of(people.reviewer))
    again = page.choose_way(Opened(), event(way="own"), request_of(people.reviewer))
    assert again[DETAILS]["title"] == "This studio: starter"
    beside = page.choose_way(Opened(), event(way="own"), request_of(people.trainer))
    assert beside[DETAILS]["title"] == "This studio: starter 2"
    assert stored(again[OPENED].endpoint_id).base_url == OWN


def test_without_a_base_model_the_press_says_where_to_add_one(people, project_id):
    with pytest.raises(LookupError, match="Models page"):
        page.choose_way(Opened(), event(way="own"), request_of(people.reviewer))


def test_another_way_opens_the_form_begun_for_it(people, starter):
    shown = page.choose_way(Opened(), event(way="service"), request_of(people.admin))
    assert shown[FORM]["visible"] is True
    begun = filled(shown)
    assert begun["base_url"]["value"] == "https://api.openai.com/v1"
    assert begun["key_variable"]["value"] == "OPENAI_API_KEY"
    assert begun["key_variable"]["info"].startswith("This service needs a key.")
    assert begun["own_model"]["choices"] == [(starter, starter)]
    assert begun["private"]["interactive"] is True


def test_a_saved_form_is_stored_and_opened(people, project_id):
    shown = save(
        Opened(is_form=True), people.admin, name=" Ward GPU ", key_variable=VARIABLE, price_in=0.5,
        requests_per_minute=30.0, concurrency=8.0,
    )  # fmt: skip
    opened = shown[OPENED]
    assert (shown[FORM]["visible"], shown[READ]["visible"], opened.is_form) == (False, True, False)
    endpoint = stored(opened.endpoint_id)
    assert (endpoint.name, endpoint.key_variable) == ("Ward GPU", VARIABLE)
    assert (endpoint.requests_per_minute, endpoint.concurrency) == (30, 8)
    assert (endpoint.price_in, endpoint.price_out, endpoint.tokens_per_minute) == (0.5, None, None)


def test_a_model_of_the_own_server_is_chosen_from_those_there_are(people, starter):
    shown = save(Opened(is_form=True), people.trainer, kind="own", name="Own", own_model=starter, base_url="")
    endpoint = stored(shown[OPENED].endpoint_id)
    assert (endpoint.base_url, endpoint.model, endpoint.concurrency) == (OWN, starter, 1)
    edited = page.edit(shown[OPENED], request_of(people.trainer))
    again = filled(edited)
    assert (again["kind"], again["own_model"]["value"], again["model"]) == ("own", starter, "")


def test_a_form_opened_again_holds_what_is_stored_and_a_change_keeps_the_id(people, project_id, hosted):
    edited = page.edit(Opened(hosted), request_of(people.trainer))
    again = filled(edited)
    assert (again["name"], again["price_out"], again["key_variable"]["value"]) == ("Hosted", 10.0, VARIABLE)
    shown = save(Opened(hosted, is_form=True), people.trainer, name="Hosted", model="bigger")
    assert (shown[OPENED].endpoint_id, stored(hosted).model) == (hosted, "bigger")
    assert facts(shown)["Last test"] == "Not tested"


@pytest.mark.parametrize(
    ("wrong", "field"),
    [
        ({"name": " "}, "name"),
        ({"name": None}, "name"),
        ({"name": "Hosted"}, "name"),
        ({"model": ""}, "model"),
        ({"base_url": "llm.example.org"}, "base-url"),
        ({"base_url": "https://me:secret@llm.example.org/v1"}, "base-url"),
        ({"base_url": "https://llm.example.org/v1?key=secret"}, "base-url"),
        ({"base_url": None}, "base-url"),
        ({"key_variable": "PATH"}, "key-variable"),
        ({"key_variable": "openai_api_key"}, "key-variable"),
        ({"price_in": -1}, "price-in"),
        ({"price_out": float("inf")}, "price-out"),
        ({"requests_per_minute": 0}, "requests-per-minute"),
        ({"requests_per_minute": 2.5}, "requests-per-minute"),
        ({"tokens_per_minute": -3}, "tokens-per-minute"),
        ({"concurrency": None}, "concurrency"),
        ({"kind": "own", "own_model": None}, "own-model"),
    ],
)
def test_a_wrong_field_is_told_at_it_and_nothing_is_stored(people, project_id, hosted, wrong, field):
    with pytest.raises(ValueError) as refused:
        save(Opened(is_form=True), people.trainer, **wrong)
    told = Problem.of(refused.value).value()
    assert told["slug"] == field
    assert "secret" not in told["text"]
    with read() as session:
        assert len(endpoints.list_endpoints(session)) == 1
