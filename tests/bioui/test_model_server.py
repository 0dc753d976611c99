"""Finding, starting and asking the model server, against a small real HTTP server with a script."""

import queue
import sys
import time
from dataclasses import replace

import psutil
import pytest

from bioui import model_server
from bioui.model_server import CompareRequest, CompareStream, Launch, ModelServerDown
from db import processes
from db.compare_spec import SideSpec
from db.enums import ProcessRole
from db.session import read, write
from tests.bioui.scripted_model_server import Script, ScriptedModelServer

STAND_IN = (sys.executable, "-m", "tests.bioui.scripted_model_server")
ASKED = CompareRequest(
    "request-1",
    (SideSpec(base_model_id=1), SideSpec(adapter_id=1)),
    (({"role": "user", "content": "Which colour?"},),),
    200,
    0.0,
    0,
)


@pytest.fixture
def script(database):
    return Script()


@pytest.fixture
def server(script):
    with ScriptedModelServer(script):
        yield model_server.find()


class Stream(CompareStream):
    """A stream with its own events, the sides in columns 2 and 0."""

    def __init__(self, server, **options) -> None:
        self.heard: queue.SimpleQueue = queue.SimpleQueue()
        super().__init__(server, ASKED, self.heard, (2, 0), **options)

    def next(self) -> dict:
        event = self.heard.get(timeout=10)
        if isinstance(event, Exception):
            raise event
        return event

    def everything(self) -> list[dict]:
        """All events to the end."""
        events = [self.next()]
        while events[-1]["type"] != "end":
            events.append(self.next())
        return events


def test_without_a_server_none_is_found(database):
    assert model_server.find() is None


def test_a_comparison_brings_all_answers_to_their_columns(server, script):
    script.queue = 2
    events = Stream(server).everything()

    deltas = [event for event in events if event["type"] == "delta"]
    texts = {at: "".join(delta["text"] for delta in deltas if delta["position"] == at) for at in (2, 0)}
    assert texts == {2: "I do not know.", 0: "It is red."}
    assert events[0] == {"type": "start", "queue": 2, "loading": False, "passes": "one"}
    assert [event["ahead"] for event in events if event["type"] == "queue"] == [1, 0]
    assert {event["position"] for event in events if event["type"] == "done"} == {2, 0}
    assert script.asked[0]["sides"] == [{"base_model_id": 1}, {"adapter_id": 1}]
    assert script.asked[0]["messages"] == [[{"role": "user", "content": "Which colour?"}]]


def test_one_side_stops_and_the_other_goes_on(server, script):
    script.answers, script.pause = {"base": "word " * 2000, "tuned": "a b c"}, 0.02
    stream = Stream(server)
    stream.next()
    stream.stop(2)
    stream.stop(1)  # another source's column

    done = {e["position"]: e["finish_reason"] for e in stream.everything() if e["type"] == "done"}
    assert done == {2: "cancelled", 0: "stop"}
    assert script.stops == [{"request_id": "request-1", "position": 0}]


def test_leaving_stops_all_sides(server, script):
    script.answers, script.pause = dict.fromkeys(("base", "tuned"), "word " * 500), 0.05
    stream = Stream(server)
    stream.next()
    stream.close()
    assert stream.everything()[-1]["type"] == "end"
    assert script.stops == [{"request_id": "request-1", "position": None}]


def test_what_is_finished_is_not_told_to_stop(server, script):
    stream = Stream(server)
    stream.everything()
    stream._ended.wait(5)
    stream.close()
    assert script.stops == []


def test_a_refusal_names_the_field(server, script):
    script.refusal = {"message": "It has 900 tokens; 312 fit. Shorten it.", "param": "prompt"}
    with pytest.raises(ValueError, match=r"^prompt: It has 900 tokens; 312 fit\. Shorten it\.$"):
        Stream(server).everything()


def test_an_error_in_the_middle_is_told_after_what_came_before_it(server, script):
    script.failure = {"message": "The adapter's folder is gone.", "field": "adapter"}
    with pytest.raises(ValueError, match="^adapter: The adapter's folder is gone"):
        Stream(server).everything()


def test_an_error_that_is_about_no_field_is_the_servers_own(server, script):
    script.failure = {"message": "The training 'Ward' needs the GPU.", "field": ""}
    with pytest.raises(ModelServerDown, match="'Ward' needs the GPU"):
        Stream(server).everything()


def test_a_connection_that_ends_early_is_told(server, script):
    script.hangs_up = True
    with pytest.raises(ModelServerDown, match="ended before the answers did"):
        Stream(server).everything()


def test_a_server_that_left_is_told_with_its_reason(server, script):
    script.hangs_up = True
    with write() as session:
        processes.ask_to_leave(session, ProcessRole.MODEL_SERVER, "The training 'Ward' needs the GPU.")
    with pytest.raises(ModelServerDown, match="'Ward' needs the GPU"):
        Stream(server).everything()


def test_a_server_that_says_nothing_is_told_with_how_long(server, script):
    script.pause = 5.0
    with pytest.raises(ModelServerDown, match="has said nothing for 1 seconds"):
        Stream(server, within=1).everything()


def test_a_wrong_token_is_told(server):
    with pytest.raises(ValueError, match="no token"):
        Stream(replace(server, token="other")).everything()


def test_a_server_that_is_gone_is_told(server):
    gone = replace(server, address="http://127.0.0.1:9")
    with pytest.raises(ModelServerDown):
        Stream(gone).everything()


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
