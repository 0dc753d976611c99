"""The test of an endpoint on its page: one request to a real server, what is said of it and remembered."""

import threading
import time
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing
from dataclasses import replace
from datetime import timedelta

import pytest

from bioui.pages import endpoints as page
from bioui.pages.endpoints import Opened
from db import endpoints, processes
from db.endpoints import Offer
from db.enums import ProcessRole
from db.session import write
from tests.bioui.conftest import request_of
from tests.bioui.endpoints.conftest import (
    KEY,
    PROGRESS,
    RESULT,
    TEST,
    VARIABLE,
    facts,
    last_test,
    save,
    stored,
)
from tests.scripted_endpoint import Act, ScriptedEndpoint, always

READY = '{"ready": true}'


@pytest.fixture
def server():
    """A server on the loopback that answers a test as it is asked to."""
    with ScriptedEndpoint(write=lambda key, count: READY) as running:
        yield running


def add_local(server, actor, **more) -> int:
    """An endpoint of the scripted server, to which an admin agrees."""
    offer = Offer("Local", server.url, "tiny", **more)
    with write() as session:
        return endpoints.add(session, actor, offer, private=True).id


def run_test(endpoint_id: int, actor) -> list[tuple]:
    return list(page.test(Opened(endpoint_id), request_of(actor)))


def test_a_test_asks_once_with_progress_and_is_remembered(people, project_id, server):
    server.latency = 0.6
    endpoint_id = add_local(server, people.admin)
    first, *between, last = run_test(endpoint_id, people.reviewer)
    assert (first[TEST]["interactive"], last[TEST]["interactive"]) == (False, True)
    assert {shown[PROGRESS]["phase"] for shown in between} == {"Asking for one small reply"}
    assert (last[PROGRESS]["phase"], last[RESULT]["title"]) == ("", "Local answers.")
    assert last[RESULT]["sentences"][0].endswith("s, as tiny.")
    assert "holds its replies to a JSON schema" in last[RESULT]["sentences"][1]
    assert len(server.received) == 1
    assert facts(last)["Last test"] == "Answered just now"
    assert stored(endpoint_id).knows_schema is True


def test_a_server_that_heeds_no_schema_is_told_as_such(people, project_id, server):
    server.write = lambda key, count: "Sure, I am ready."
    last = run_test(add_local(server, people.admin), people.trainer)[-1]
    assert "does not hold its replies" in last[RESULT]["sentences"][1]


def test_a_wrong_key_is_one_sentence_that_names_the_variable_and_not_the_key(
    people, project_id, server, monkeypatch, caplog
):
    server.secret = "the right one"
    monkeypatch.setenv(VARIABLE, KEY)
    shown = run_test(add_local(server, people.admin, key_variable=VARIABLE), people.trainer)
    (sentence,) = shown[-1][RESULT]["sentences"]
    assert VARIABLE in sentence
    assert server.received[0].secret == KEY
    assert KEY not in repr(shown) + caplog.text
    assert last_test(shown[-1]) == ("Failed", f"just now: {sentence}")
    assert KEY not in repr(vars(stored(1)))


def test_a_key_that_is_not_set_is_told_before_anything_is_sent(people, project_id, server, monkeypatch):
    monkeypatch.delenv(VARIABLE, raising=False)
    last = run_test(add_local(server, people.admin, key_variable=VARIABLE), people.trainer)[-1]
    assert last[RESULT]["sentences"][0].startswith(f"{VARIABLE} is not set")
    assert last_test(last)[0] == "Failed"
    assert server.received == []


def test_nothing_is_sent_to_a_private_address_whose_consent_was_taken_back(people, project_id, server):
    endpoint_id = add_local(server, people.admin)
    with write() as session:
        endpoints.consent(session, people.admin, endpoint_id, given=False)
    last = run_test(endpoint_id, people.trainer)[-1]
    assert "an admin must agree" in last[RESULT]["sentences"][0]
    assert server.received == []


def test_a_server_that_is_not_there_is_one_sentence(people, project_id):
    with ScriptedEndpoint() as gone:
        endpoint_id = add_local(gone, people.admin)
    last = run_test(endpoint_id, people.trainer)[-1]
    assert last[RESULT]["sentences"] == [
        "Nothing answers at 127.0.0.1; check the address and that the server runs."
    ]


def test_a_failure_is_forgotten_when_the_next_test_is_answered(people, project_id, server):
    endpoint_id = add_local(server, people.admin)
    server.script = always(Act.BROKEN)
    failed = run_test(endpoint_id, people.trainer)[-1]
    assert last_test(failed)[0] == "Failed"
    server.script = always(Act.GOOD)
    last = run_test(endpoint_id, people.trainer)[-1]
    assert last_test(last) == ("Answered", "just now")
    assert (stored(endpoint_id).test_failed_at, stored(endpoint_id).test_trouble) == (None, "")


def test_everyone_reads_when_and_why_the_last_test_failed(people, project_id, server):
    endpoint_id = add_local(server, people.admin)
    run_test(endpoint_id, people.trainer)
    server.script = always(Act.BROKEN)
    run_test(endpoint_id, people.trainer)
    with write() as session:
        endpoints.get_endpoint(session, endpoint_id).test_failed_at -= timedelta(minutes=12)
    shown = page.show_page(project_id, request_of(people.clinician, id=str(endpoint_id)))
    told = "12 min ago: 127.0.0.1 failed (HTTP 500)."
    assert last_test(shown) == ("Failed", told)
    assert facts(shown)["Last test"] == f"Failed, {told} Answered just now."


@pytest.mark.parametrize("change", ["model", "base_url", "key_variable"])
def test_a_failure_is_forgotten_with_what_was_tested_and_not_with_a_price(people, project_id, server, change):
    endpoint_id = add_local(server, people.admin)
    server.script = always(Act.NO_MODEL)
    run_test(endpoint_id, people.trainer)
    given = {"name": "Local", "base_url": server.url, "model": "tiny", "private": True}
    opened = Opened(endpoint_id, is_form=True)
    assert last_test(save(opened, people.admin, **given, price_in=1.0))[0] == "Failed"
    other = {"model": "other", "base_url": f"{server.url}/two", "key_variable": VARIABLE}[change]
    assert last_test(save(opened, people.admin, **{**given, change: other})) == ("Not tested", "")


def test_who_leaves_the_page_loses_nothing_but_a_changed_endpoint_is_not_called_tested(
    people, project_id, server
):
    server.latency = 0.4
    left = add_local(server, people.admin)
    with write() as session:
        offer = Offer("Moves", server.url, "tiny")
        changed = endpoints.add(session, people.admin, offer, private=True).id
        absent = replace(offer, name="Fails", model="absent")
        failing = endpoints.add(session, people.admin, absent, private=True).id
    server.script = lambda received: Act.NO_MODEL if received.body["model"] == "absent" else Act.GOOD
    for endpoint_id in (left, failing, changed):
        with closing(page.test(Opened(endpoint_id), request_of(people.trainer))) as watched:
            next(watched)
            next(watched)
    with write() as session:
        endpoints.change(session, people.trainer, changed, replace(offer, model="another"))
    wait_until(lambda: stored(left).tested_at)
    wait_until(lambda: stored(failing).test_failed_at)
    wait_until(lambda: not [thread for thread in threading.enumerate() if thread.name.startswith("work")])
    assert stored(changed).tested_at is None


def test_the_own_server_is_asked_with_its_token(people, project_id, server):
    server.secret = "scripted"
    with write() as session:
        endpoint_id = endpoints.add_own(session, people.trainer, model="starter").id
        processes.register(
            session, ProcessRole.MODEL_SERVER, address=server.url.removesuffix("/v1"), token="scripted"
        )
    last = run_test(endpoint_id, people.trainer)[-1]
    assert last[RESULT]["title"] == "This studio: starter answers."
    assert [one.secret for one in server.received] == ["scripted"]


def test_tests_of_two_people_run_side_by_side(people, project_id, server):
    server.latency = 1.0
    endpoint_id = add_local(server, people.admin)
    with ThreadPoolExecutor(2) as both:
        began = time.monotonic()
        runs = [both.submit(run_test, endpoint_id, actor) for actor in (people.trainer, people.reviewer)]
        assert [run.result()[-1][RESULT]["title"] for run in runs] == ["Local answers."] * 2
    first, second = (one.began for one in server.served)
    assert second - first < 0.9, "the second waited for the first to be answered"
    assert time.monotonic() - began < 15


def wait_until(is_so) -> None:
    for _ in range(200):
        if is_so():
            return
        threading.Event().wait(0.05)
    pytest.fail("it never came to be")
