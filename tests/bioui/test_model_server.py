"""Finding, starting and asking the model server, against a small real HTTP server with a script."""

import sys
import time
from dataclasses import replace

import psutil
import pytest

from bioui import model_server
from bioui.model_server import Launch, ModelServerDown, PairRequest, PairStream
from db import processes
from db.enums import ProcessRole, Side
from db.session import read
from tests.bioui.scripted_model_server import Script, ScriptedModelServer

STAND_IN = (sys.executable, "-m", "tests.bioui.scripted_model_server")
ASKED = PairRequest("request-1", 1, ({"role": "user", "content": "Which colour?"},), 200, 0.0, 0)


@pytest.fixture
def script(database):
    return Script()


@pytest.fixture
def server(script):
    with ScriptedModelServer(script):
        yield model_server.find()


def everything(stream: PairStream) -> list[dict]:
    """All events of a pair."""
    events, deadline = [], time.monotonic() + 10
    while time.monotonic() < deadline and (not events or events[-1]["type"] != "end"):
        events += stream.take(wait=0.2)
    return events


def test_without_a_server_none_is_found(database):
    assert model_server.find() is None


def test_a_pair_brings_both_answers_with_their_provenance(server, script):
    events = everything(PairStream(server, ASKED))

    deltas = [event for event in events if event["type"] == "delta"]
    texts = {side: "".join(delta["text"] for delta in deltas if delta["side"] == side) for side in Side}
    assert texts == script.answers
    assert events[0] == {"type": "start", "queue": 0, "loading": False}
    assert {event["side"] for event in events if event["type"] == "done"} == {"base", "tuned"}
    assert script.asked[0]["messages"] == [{"role": "user", "content": "Which colour?"}]


def test_taking_waits_no_longer_than_told(server, script):
    script.pause = 5.0
    stream = PairStream(server, ASKED)
    stream.take(wait=2.0)
    began = time.monotonic()
    while stream.take(wait=0.1):
        pass
    assert time.monotonic() - began < 1.0
    stream.close()


def test_one_side_stops_and_the_other_goes_on(server, script):
    script.answers, script.pause = dict.fromkeys(Side, "a b c d e f g h"), 0.1
    stream = PairStream(server, ASKED)
    stream.take(wait=2.0)
    stream.stop(Side.BASE)

    done = {e["side"]: e["finish_reason"] for e in everything(stream) if e["type"] == "done"}
    assert done == {"base": "cancelled", "tuned": "stop"}
    assert script.stops == [{"request_id": "request-1", "side": "base"}]


def test_leaving_a_pair_stops_both_sides(server, script):
    script.answers, script.pause = dict.fromkeys(Side, "word " * 500), 0.05
    stream = PairStream(server, ASKED)
    stream.take(wait=2.0)
    stream.close()
    assert everything(stream)[-1]["type"] == "end"
    assert script.stops == [{"request_id": "request-1", "side": None}]


def test_a_finished_pair_is_not_told_to_stop(server, script):
    stream = PairStream(server, ASKED)
    everything(stream)
    time.sleep(0.1)
    stream.close()
    assert script.stops == []


def test_a_refusal_names_the_field(server, script):
    script.refusal = {"message": "It has 900 tokens; 312 fit. Shorten it.", "param": "prompt"}
    with pytest.raises(ValueError, match=r"^prompt: It has 900 tokens; 312 fit\. Shorten it\.$"):
        everything(PairStream(server, ASKED))


def test_an_error_in_the_middle_is_told_after_what_came_before_it(server, script):
    script.failure = {"message": "The adapter's folder is gone.", "field": "adapter"}
    stream = PairStream(server, ASKED)
    with pytest.raises(ValueError, match="^adapter: The adapter's folder is gone"):
        everything(stream)


def test_a_connection_that_ends_early_is_told(server, script):
    script.hangs_up = True
    with pytest.raises(ModelServerDown, match="ended before the answers did"):
        everything(PairStream(server, ASKED))


def test_a_wrong_token_is_told(server):
    with pytest.raises(ValueError, match="no token"):
        everything(PairStream(replace(server, token="other"), ASKED))


def test_a_server_that_is_gone_is_told(server):
    gone = replace(server, address="http://127.0.0.1:9")
    with pytest.raises(ModelServerDown):
        everything(PairStream(gone, ASKED))
    with pytest.raises(ModelServerDown):
        PairStream(gone, ASKED).stop()


def test_the_server_is_started_once_and_found_again(settings, database):
    launch = Launch(STAND_IN)
    assert launch.step(settings) is None
    started = launch._process.pid
    server = launch.wait(settings)

    assert Launch(STAND_IN).step(settings) == server
    with read() as session:
        assert processes.find_alive(session, ProcessRole.MODEL_SERVER).pid == started
    psutil.Process(started).kill()


def test_a_start_that_fails_names_the_kind_of_error_and_the_log(settings, database):
    launch = Launch((*STAND_IN, "fail"))
    with pytest.raises(ModelServerDown) as failure:
        launch.wait(settings)
    assert "did not start (OSError)" in str(failure.value)
    assert str(model_server.log_path(settings)) in str(failure.value)
    assert "no such weights" not in str(failure.value)


def test_after_a_failed_start_the_next_one_begins_anew(settings, database):
    launch = Launch((*STAND_IN, "fail"))
    with pytest.raises(ModelServerDown):
        launch.wait(settings)
    assert launch.step(settings) is None


def test_a_start_that_takes_too_long_is_ended(settings, database, monkeypatch):
    monkeypatch.setattr(model_server, "START_WITHIN", 0.5)
    launch = Launch((sys.executable, "-c", "import time; time.sleep(60)"))
    with pytest.raises(ModelServerDown, match="it took too long"):
        launch.wait(settings)


def test_preparing_neither_waits_nor_fails(settings, database):
    began = time.monotonic()
    Launch((sys.executable, "-c", "raise SystemExit(3)")).prepare(settings)
    assert time.monotonic() - began < 2
