"""Base and tuned in one batch, over real HTTP."""

import time

import pytest
import torch

from db import registry, session
from tests.trainer.serve.conftest import MESSAGES, add_adapter, done, said
from trainer.models.load import base_revision

FOREVER = 4000  # tokens; many seconds, were it not stopped


def first_deltas(events, *sides):
    """Read on until each of `sides` has said something."""
    missing = set(sides)
    return until(events, lambda event: missing.discard(event.get("side")) or not missing)


def until(events, is_last):
    """Read on up to and with the first event that `is_last`."""
    read = []
    for event in events:
        read.append(event)
        if is_last(event):
            return read
    raise AssertionError("the stream ended early")


@pytest.mark.parametrize("question", ["Which colour is the plum?", "Ist die Birne grün? 梨子"])
@pytest.mark.parametrize("temperature", [0, 0.8])
def test_a_pair_says_what_two_separate_runs_say(served, shelf, question, temperature):
    asked = {
        "messages": [{"role": "user", "content": question}],
        "temperature": temperature,
        "seed": 5,
        "max_tokens": 30,
    }
    events = served.pair(shelf.first, **asked)
    for side, model in (("base", "tiny"), ("tuned", "first")):
        alone = served.chat(model, **asked)
        assert said(events, side) == alone["choices"][0]["message"]["content"]
        assert done(events, side)["tokens"] == alone["usage"]["completion_tokens"]
    assert said(events, "base") != said(events, "tuned")


def test_the_same_seed_gives_the_same_text_and_another_seed_another(served, shelf):
    def ask(seed):
        events = served.pair(shelf.first, temperature=1.0, seed=seed)
        return said(events, "base"), said(events, "tuned")

    assert ask(1) == ask(1)
    assert ask(1) != ask(2)


def test_events_come_in_order_and_end_with_end(served, shelf):
    events = served.pair(shelf.second, max_tokens=5)
    assert events[0]["type"] == "start"
    assert events[0]["queue"] == 0
    assert [event["side"] for event in events if event["type"] == "done"] == ["base", "tuned"]
    assert events[-1] == {"type": "end"}
    for side in ("base", "tuned"):
        last = done(events, side)
        assert last["finish_reason"] == "length"
        assert last["tokens"] == 5
        assert last["tokens_per_second"] > 0
        assert last["first_token_seconds"] > 0


def test_loading_is_announced_and_an_adapter_of_another_base_swaps_the_base(served, shelf):
    served.pair(shelf.first, max_tokens=2)
    assert served.pair(shelf.first, max_tokens=2)[0]["loading"] is False
    swapped = served.pair(shelf.on_short, max_tokens=2)
    assert swapped[0]["loading"] is True
    assert done(swapped, "base")["provenance"]["base"]["name"] == "short"
    assert served.http.get("/health").json() == {"status": "ok", "loaded": "short", "queue": 0}
    back = served.pair(shelf.first, max_tokens=8)
    assert said(back, "tuned") == served.say("first", max_tokens=8)


@pytest.mark.parametrize(("stopped", "other"), [("base", "tuned"), ("tuned", "base")])
def test_one_side_stops_and_the_other_goes_on(served, shelf, stopped, other):
    with served.stream_pair(shelf.first, max_tokens=FOREVER, request_id="one") as events:
        read = first_deltas(events, "base", "tuned")
        assert served.stop("one", stopped) is True
        read += until(events, lambda event: event["type"] == "done")
        read += until(events, lambda event: event.get("side") == other)
        served.stop("one", other)
        read += events
    assert [event["side"] for event in read if event["type"] == "done"] == [stopped, other]
    assert done(read, stopped)["finish_reason"] == "cancelled"
    assert done(read, stopped)["tokens"] < done(read, other)["tokens"]
    # Cut off in the middle of a character, an answer ends in a replacement character.
    alone = said(served.pair(shelf.first, max_tokens=60), other).rstrip("\ufffd")
    beside = said(read, other).rstrip("\ufffd")
    assert alone.startswith(beside) or beside.startswith(alone)


def test_both_sides_stop_at_the_next_token(served, shelf):
    with served.stream_pair(shelf.first, max_tokens=FOREVER, request_id="both") as events:
        read = first_deltas(events, "base", "tuned")
        asked = time.monotonic()
        served.stop("both")
        read += events
    assert time.monotonic() - asked < 5
    assert {done(read, side)["finish_reason"] for side in ("base", "tuned")} == {"cancelled"}
    assert said(read, "tuned")
    assert said(served.pair(shelf.first), "tuned") == served.say("first")


def test_stopping_what_is_over_is_no_error(served):
    assert served.stop("never heard of") is False


def test_a_stop_that_overtakes_its_pair_is_kept(served, shelf):
    assert served.stop("too early") is False
    events = served.pair(shelf.first, max_tokens=FOREVER, request_id="too early")
    assert {done(events, side)["finish_reason"] for side in ("base", "tuned")} == {"cancelled"}


def test_a_waiting_pair_knows_its_place_and_stops_without_its_turn(served, shelf):
    with served.stream_pair(shelf.first, max_tokens=FOREVER, request_id="running") as running:
        first_deltas(running, "base")
        with served.stream_pair(shelf.first, request_id="waiting") as waiting:
            assert next(waiting)["queue"] == 1
            assert served.http.get("/health").json()["queue"] == 2
            served.stop("waiting")
            rest = list(waiting)
        assert [event["type"] for event in rest] == ["done", "done", "end"]
        assert {event["finish_reason"] for event in rest[:2]} == {"cancelled"}
        served.stop("running")


def test_a_client_that_leaves_ends_its_answer_and_the_next_pair_is_right(served, shelf):
    with served.stream_pair(shelf.first, max_tokens=FOREVER) as events:
        first_deltas(events, "tuned")
    served.wait_until_quiet()
    events = served.pair(shelf.first)
    assert said(events, "base") == served.say("tiny")
    assert said(events, "tuned") == served.say("first")


def test_a_page_is_told_at_most_about_twenty_times_a_second(served, shelf):
    began = time.monotonic()
    events = served.pair(shelf.first, max_tokens=120)
    seconds = time.monotonic() - began
    for side in ("base", "tuned"):
        deltas = [event for event in events if event["type"] == "delta" and event["side"] == side]
        assert len(deltas) <= 20 * seconds + 2


def test_provenance_says_which_weights_answered_and_how(served, shelf):
    events = served.pair(shelf.first, max_tokens=3, temperature=0.5, seed=9)
    tuned, base = (done(events, side)["provenance"] for side in ("tuned", "base"))
    assert base["base"] == {"name": "tiny", "revision": base_revision(str(shelf.base))}
    assert base["adapter"] is None
    weights = shelf.first_folder / "adapter_model.safetensors"
    expected = {
        "id": shelf.first,
        "name": "first",
        "hash": registry.hash_file(weights),
        "changed_since_tuning": [],
    }
    assert tuned["adapter"] == expected
    assert tuned["sampling"] == {"max_tokens": 3, "temperature": 0.5, "seed": 9}
    assert tuned["batch"]["rows"] == 2
    assert tuned["packages"]["torch"] == torch.__version__
    assert (tuned["dtype"], tuned["device"]) in (("float32", "cpu"), ("bfloat16", tuned["device"]))
    assert len(tuned["template_hash"]) == 64


def test_provenance_tells_when_base_or_template_are_not_those_of_the_tuning(served, shelf):
    with session.read() as s:
        base_id = registry.find_model(s, "tiny").id
    older = add_adapter("older", shelf.first_folder, base_id, base_revision="r1", template_hash="t1")
    tuned = done(served.pair(older, max_tokens=2), "tuned")["provenance"]["adapter"]
    assert tuned["changed_since_tuning"] == ["base", "template"]


def test_what_people_write_never_reaches_the_log(served, shelf, caplog):
    caplog.set_level("DEBUG")
    secret = [{"role": "user", "content": "Patient Xanthippe has a pear."}]
    served.pair(shelf.first, messages=secret, max_tokens=2)
    served.http.post("/v1/pair", json={"adapter_id": shelf.first, "messages": secret * 2000})
    served.http.post("/v1/pair", json={"adapter_id": 999, "messages": secret})
    assert "Xanthippe" not in caplog.text
    assert MESSAGES[0]["content"] not in caplog.text
