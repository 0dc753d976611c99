"""Keys of endpoints: typed ones are wiped and never repeated, and only an admin says which goes where."""

import gradio as gr
import pytest

from bioui.components import endpoint_form
from bioui.components.endpoint_form import TYPED, key_fields
from bioui.handling import Problem
from bioui.pages import endpoints as page
from bioui.pages.endpoints import Opened
from db import endpoints
from db.session import read
from tests.bioui.conftest import request_of
from tests.bioui.endpoints.conftest import KEY, OPENED, VARIABLE, event, filled, form, save, stored

HOSTED = {
    "name": "Hosted",
    "base_url": "https://api.example.org/v1",
    "model": "big",
    "key_variable": VARIABLE,
}


@pytest.mark.parametrize("field", TYPED)
def test_a_key_typed_anywhere_is_wiped_refused_and_never_repeated(people, project_id, caplog, field):
    typed = f"https://host/v1/{KEY}" if field == "base_url" else KEY
    saving = page.save(Opened(is_form=True), *form(**{field: typed}), request_of(people.trainer))
    answer = next(saving)
    with pytest.raises(ValueError) as refused:
        next(saving)
    wiped = dict(zip(TYPED, answer[page.SHOWN :], strict=True))
    assert wiped[field] == ""
    assert all(value == gr.skip() for name, value in wiped.items() if name != field)
    told = Problem.of(refused.value).value()
    assert told["slug"] == field.replace("_", "-")
    assert KEY not in repr((told, answer, caplog.text))
    with read() as session:
        assert endpoints.list_endpoints(session) == []


@pytest.mark.parametrize(
    "typed",
    ["", "OPENAI_API_KEY", "openai_east_2_api_key", "AZURE_EAST_2_API_KEY", "$OPENAI_API_KEY", "my key"],
)
def test_a_name_is_not_taken_for_a_key(typed):
    values = form(key_variable=typed, name="Task-force GPU 2", model="org/model-7b-instruct-v0.3")
    assert key_fields(values) == []


@pytest.mark.parametrize(
    "typed",
    [
        KEY,
        "hf_abcdefghijklmnopQRST",
        "0123456789abcdef0123456789abcdef",
        "gsk_abcdefghijklmn",
        "A1B2C3D4E5F6G7H8",
    ],
)
def test_a_key_is_known_by_its_beginning_or_by_looking_random(typed):
    assert key_fields(form(key_variable=typed)) == ["key_variable"]


@pytest.mark.parametrize("role", ["reviewer", "trainer"])
def test_who_is_no_admin_begins_a_form_whose_key_an_admin_sets(people, project_id, role):
    asked = request_of(getattr(people, role))
    plain = filled(page.begin(Opened(), asked))["key_variable"]
    assert (plain["interactive"], plain["value"], plain["info"]) == (False, "", endpoint_form.ADMIN_HINT)
    begun = filled(page.choose_way(Opened(), event(way="service"), asked))["key_variable"]
    assert (begun["interactive"], begun["value"], begun["info"]) == (False, "", endpoint_form.NEEDS_ADMIN)
    local = filled(page.choose_way(Opened(), event(way="vllm"), asked))["key_variable"]
    assert local["info"] == endpoint_form.ADMIN_HINT, "a server of one's own needs no key"


def test_what_a_reviewer_saves_without_a_key_an_admin_completes(people, project_id):
    opened = save(Opened(is_form=True), people.reviewer, **{**HOSTED, "key_variable": ""})[OPENED]
    save(Opened(opened.endpoint_id, is_form=True), people.admin, **HOSTED)
    assert stored(opened.endpoint_id).key_variable == VARIABLE


def test_who_is_no_admin_reads_key_and_address_of_an_endpoint_with_a_key(people, project_id, hosted):
    locked = filled(page.edit(Opened(hosted), request_of(people.reviewer)))
    assert (locked["key_variable"]["value"], locked["key_variable"]["interactive"]) == (VARIABLE, False)
    assert (locked["base_url"]["value"], locked["base_url"]["interactive"]) == (HOSTED["base_url"], False)
    assert VARIABLE in locked["base_url"]["info"]
    free = filled(page.edit(Opened(hosted), request_of(people.admin)))
    assert [free[name]["interactive"] for name in ("key_variable", "base_url")] == [True, True]


def test_a_locked_address_is_free_again_in_the_next_form(people, project_id, hosted):
    edited = page.edit(Opened(hosted), request_of(people.reviewer))
    assert filled(page.begin(edited[0], request_of(people.reviewer)))["base_url"]["interactive"] is True


@pytest.mark.parametrize(
    ("change", "field"),
    [
        ({"key_variable": "OPENAI_API_KEY"}, "key-variable"),
        ({"base_url": "https://other.example.org/v1"}, "base-url"),
    ],
)
def test_whoever_calls_save_past_the_page_sends_no_key_elsewhere(people, project_id, hosted, change, field):
    with pytest.raises(ValueError, match="only an admin may set the two") as refused:
        save(Opened(hosted, is_form=True), people.trainer, **{**HOSTED, **change})
    assert Problem.of(refused.value).value()["slug"] == field
    assert (stored(hosted).base_url, stored(hosted).key_variable) == (HOSTED["base_url"], VARIABLE)


def test_price_and_limits_of_an_endpoint_with_a_key_are_a_reviewers_to_change(people, project_id, hosted):
    save(Opened(hosted, is_form=True), people.reviewer, **HOSTED, price_in=3.0, concurrency=2)
    endpoint = stored(hosted)
    assert (endpoint.price_in, endpoint.concurrency, endpoint.key_variable) == (3.0, 2, VARIABLE)
