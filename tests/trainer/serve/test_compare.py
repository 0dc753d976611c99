"""Several sides of one base beside each other, over real HTTP."""

import shutil
import time

import pytest
import torch

from db import registry, session
from tests.trainer.serve.conftest import MESSAGES, add_adapter, done, make_adapter, said
from trainer.models.load import base_revision

FOREVER = 4000  # tokens; many seconds, were it not stopped


def first_deltas(events, *positions):
    """Read on until each of these sides has said something."""
    missing = set(positions)
    return until(events, lambda event: missing.discard(event.get("position")) or not missing)


def until(events, is_last):
    """Read on up to and with the first event that `is_last`."""
    read = []
    for event in events:
        read.append(event)
        if is_last(event):
            return read
    raise AssertionError("the stream ended early")


def reasons(events):
    return [event["finish_reason"] for event in events if event["type"] == "done"]


@pytest.mark.parametrize("question", ["Which colour is the plum?", "Ist die Birne grün? 梨子"])
@pytest.mark.parametrize("temperature", [0, 0.8])
def test_three_sides_in_one_batch_say_what_three_separate_runs_say(served, shelf, question, temperature):
    messages = [{"role": "user", "content": question}]
    drawn = {"temperature": temperature, "seed": 5, "max_tokens": 30}
    events = served.compare([*shelf.pair, {"adapter_id": shelf.second}], messages=[messages], **drawn)
    assert events[0]["passes"] == "one"
    for position, model in enumerate(("tiny", "first", "second")):
        alone = served.chat(model, messages=messages, **drawn)
        assert said(events, position) == alone["choices"][0]["message"]["content"]
        assert done(events, position)["tokens"] == alone["usage"]["completion_tokens"]
    assert len({said(events, position) for position in range(3)}) == 3


@pytest.mark.parametrize("temperature", [0, 0.8])
def test_sides_with_prompts_of_their_own_take_turns_and_say_what_separate_runs_say(
    served, shelf, temperature
):
    turns = [
        [*MESSAGES, {"role": "assistant", "content": "It is red."}, {"role": "user", "content": "And?"}],
        [*MESSAGES, {"role": "assistant", "content": "Green, then."}, {"role": "user", "content": "And?"}],
    ]
    drawn = {"temperature": temperature, "seed": 3, "max_tokens": 20}
    events = served.compare(shelf.pair, messages=turns, **drawn)
    assert events[0]["passes"] == "alternating"
    for position, model in enumerate(("tiny", "first")):
        assert said(events, position) == served.say(model, messages=turns[position], **drawn)
        batch = done(events, position)["provenance"]["batch"]
        assert (batch["passes"], batch["rows"], batch["row"]) == ("alternating", 2, position)


def test_a_dora_adapter_takes_turns_with_base_and_lora_and_leaves_them_as_they_are(served, shelf):
    plain = served.compare(shelf.pair, temperature=0.9, seed=4)
    sides = [{"adapter_id": shelf.dora}, *shelf.pair]
    events = served.compare(sides, temperature=0.9, seed=4)
    assert events[0]["passes"] == "alternating"
    assert said(events, 0) == served.say("dora", temperature=0.9, seed=4)
    assert [said(events, 1), said(events, 2)] == [said(plain, 0), said(plain, 1)]
    assert len({said(events, position) for position in range(3)}) == 3
    assert served.compare(shelf.pair, temperature=0.9, seed=4)[0]["passes"] == "one"


def test_equal_prompts_given_one_a_side_still_share_a_batch(served, shelf):
    events = served.compare(shelf.pair, messages=[MESSAGES, MESSAGES], max_tokens=3)
    assert events[0]["passes"] == "one"


def test_six_sides_are_answered_at_once_and_a_seventh_is_refused(served, shelf, tmp_path):
    more = [
        add_adapter(f"six {seed}", make_adapter(shelf.base, tmp_path / str(seed), seed=seed), shelf.tiny)
        for seed in (11, 12, 13)
    ]
    sides = [*shelf.pair, {"adapter_id": shelf.second}, *({"adapter_id": number} for number in more)]
    events = served.compare(sides, max_tokens=8)
    assert reasons(events) == ["length"] * 6
    assert len({said(events, position) for position in range(6)}) == 6
    seventh = served.http.post(
        "/v1/compare", json={"sides": [*sides, {"adapter_id": shelf.dora}], "messages": [MESSAGES]}
    )
    assert seventh.json()["error"]["param"] == "sides"
    assert served.compare(sides, max_tokens=2)[0]["loading"] is False


def test_the_same_request_says_the_same_again_even_when_its_adapters_left_the_memory(served, shelf):
    for drawn in ({"temperature": 1.0, "seed": 1}, {"temperature": 0}):
        before = served.compare(shelf.pair, **drawn)
        served.http.post(f"/v1/adapters/{shelf.first}/unload", json={})
        served.compare([{"adapter_id": shelf.on_short}], max_tokens=2)  # swaps the base, too
        again = served.compare(shelf.pair, **drawn)
        assert again[0]["loading"] is True
        for position in (0, 1):
            assert said(again, position) == said(before, position)
            assert done(again, position)["provenance"] == done(before, position)["provenance"]
    assert said(served.compare(shelf.pair, temperature=1.0, seed=2), 0) != said(before, 0)


def test_events_come_in_order_and_end_with_end(served, shelf):
    events = served.compare(shelf.pair, max_tokens=5)
    assert events[0]["type"] == "start"
    assert events[0]["queue"] == 0
    assert [event["position"] for event in events if event["type"] == "done"] == [0, 1]
    assert events[-1] == {"type": "end"}
    for position in (0, 1):
        last = done(events, position)
        assert last["finish_reason"] == "length"
        assert last["tokens"] == 5
        assert last["tokens_per_second"] > 0
        assert last["first_token_seconds"] > 0


def test_loading_is_announced_and_an_adapter_of_another_base_swaps_the_base(served, shelf):
    served.compare(shelf.pair, max_tokens=2)
    assert served.compare(shelf.pair, max_tokens=2)[0]["loading"] is False
    swapped = served.compare([{"adapter_id": shelf.on_short}], max_tokens=2)
    assert swapped[0]["loading"] is True
    assert done(swapped, 0)["provenance"]["base"]["name"] == "short"
    health = served.http.get("/health").json()
    assert health == {"status": "ok", "loaded": "short", "queue": 0, "device": "cpu"}
    back = served.compare(shelf.pair, max_tokens=8)
    assert said(back, 1) == served.say("first", max_tokens=8)


@pytest.mark.parametrize("stopped", [0, 1])
@pytest.mark.parametrize("passes", ["one", "alternating"])
def test_one_side_stops_and_the_other_goes_on(served, shelf, stopped, passes):
    sides = shelf.pair if passes == "one" else [shelf.pair[0], {"adapter_id": shelf.dora}]
    other = 1 - stopped
    with served.stream(sides, max_tokens=FOREVER, request_id="one") as events:
        read = first_deltas(events, 0, 1)
        assert read[0]["passes"] == passes
        assert served.stop("one", stopped) is True
        read += until(events, lambda event: event["type"] == "done")
        read += until(events, lambda event: event.get("position") == other)
        served.stop("one", other)
        read += events
    assert [event["position"] for event in read if event["type"] == "done"] == [stopped, other]
    assert done(read, stopped)["finish_reason"] == "cancelled"
    assert done(read, stopped)["tokens"] < done(read, other)["tokens"]
    # Cut off in the middle of a character, an answer ends in a replacement character.
    alone = said(served.compare(sides, max_tokens=60), other).rstrip("\ufffd")
    beside = said(read, other).rstrip("\ufffd")
    assert alone.startswith(beside) or beside.startswith(alone)


def test_all_sides_stop_at_the_next_token(served, shelf):
    with served.stream(shelf.pair, max_tokens=FOREVER, request_id="both") as events:
        read = first_deltas(events, 0, 1)
        served.stop("both")
        read += events
    assert reasons(read) == ["cancelled"] * 2
    assert done(read, 0)["tokens"] == done(read, 1)["tokens"] < FOREVER
    assert said(served.compare(shelf.pair), 1) == served.say("first")


def test_stopping_what_is_over_is_no_error(served):
    assert served.stop("never heard of") is False


def test_a_stop_that_overtakes_its_request_is_kept(served, shelf):
    assert served.stop("too early") is False
    events = served.compare(shelf.pair, max_tokens=FOREVER, request_id="too early")
    assert reasons(events) == ["cancelled"] * 2


def test_who_waits_hears_of_each_place_gained_and_stops_without_a_turn(served, shelf):
    with (
        served.stream(shelf.pair, max_tokens=FOREVER, request_id="running") as running,
        served.stream(shelf.pair, max_tokens=FOREVER, request_id="between") as between,
        served.stream(shelf.pair, max_tokens=2, request_id="waiting") as waiting,
    ):
        first_deltas(running, 0)
        assert next(between)["queue"] == 1
        assert next(waiting)["queue"] == 2
        assert served.http.get("/health").json()["queue"] == 3
        served.stop("between")
        rest = list(between)
        assert [event["type"] for event in rest] == ["done", "done", "end"]
        assert reasons(rest) == ["cancelled"] * 2
        assert next(waiting) == {"type": "queue", "ahead": 1}
        served.stop("running")
        assert next(waiting) == {"type": "queue", "ahead": 0}
        assert reasons(waiting) == ["length"] * 2


def test_a_client_that_leaves_ends_its_answer_and_the_next_one_is_right(served, shelf):
    with served.stream(shelf.pair, max_tokens=FOREVER) as events:
        first_deltas(events, 1)
    served.wait_until_quiet()
    events = served.compare(shelf.pair)
    assert said(events, 0) == served.say("tiny")
    assert said(events, 1) == served.say("first")


def test_an_adapter_that_is_removed_mid_answer_ends_its_answer_well_and_is_gone(served, shelf, tmp_path):
    folder = shutil.copytree(shelf.first_folder, tmp_path / "leaving")
    number = add_adapter("leaving", folder, shelf.tiny)
    sides = [{"base_model_id": shelf.tiny}, {"adapter_id": number}]
    with served.stream(sides, max_tokens=300, request_id="leaving") as events:
        read = first_deltas(events, 0, 1)
        shutil.rmtree(folder)
        with session.write() as s:
            registry.get_adapter(s, number).deleted_at = registry.utc_now()
        assert served.http.post(f"/v1/adapters/{number}/unload", json={}).status_code == 202
        read += events
    assert reasons(read) == ["length"] * 2
    assert said(read, 1) == said(served.compare(shelf.pair, max_tokens=300), 1)
    gone = served.http.post("/v1/compare", json={"sides": sides, "messages": [MESSAGES]})
    assert (gone.status_code, gone.json()["error"]["param"]) == (404, "sides")


def test_a_checkpoint_of_an_adapter_is_a_side_of_its_own(served, shelf, tmp_path):
    folder = shutil.copytree(shelf.first_folder, tmp_path / "stepped")
    number = add_adapter("stepped", folder, shelf.tiny)
    make_adapter(shelf.base, folder / "steps" / "40", seed=7)
    sides = [{"adapter_id": number}, {"adapter_id": number, "step": 40}]
    events = served.compare(sides)
    assert said(events, 0) == served.say("first")
    assert said(events, 1) != said(events, 0)
    told = done(events, 1)["provenance"]["adapter"]
    assert (told["name"], told["step"]) == ("stepped", 40)
    assert told["hash"] == registry.hash_file(folder / "steps" / "40" / "adapter_model.safetensors")
    missing = served.http.post(
        "/v1/compare", json={"sides": [{"adapter_id": number, "step": 41}], "messages": [MESSAGES]}
    )
    assert missing.status_code == 404
    assert missing.json()["error"]["message"] == "stepped has no step 41; it has 40."


def test_a_page_is_told_at_most_about_twenty_times_a_second(served, shelf):
    began = time.monotonic()
    events = served.compare(shelf.pair, max_tokens=120)
    seconds = time.monotonic() - began
    for position in (0, 1):
        deltas = [e for e in events if e["type"] == "delta" and e["position"] == position]
        assert len(deltas) <= 20 * seconds + 2


def test_provenance_says_which_weights_answered_and_how(served, shelf):
    events = served.compare(shelf.pair, max_tokens=3, temperature=0.5, seed=9)
    base, tuned = (done(events, position)["provenance"] for position in (0, 1))
    assert base["base"] == {"name": "tiny", "revision": base_revision(str(shelf.base))}
    assert base["adapter"] is None
    weights = shelf.first_folder / "adapter_model.safetensors"
    assert tuned["adapter"] == {
        "id": shelf.first,
        "name": "first",
        "step": None,
        "hash": registry.hash_file(weights),
        "changed_since_tuning": [],
    }
    assert tuned["sampling"] == {"max_tokens": 3, "temperature": 0.5, "seed": 9}
    assert tuned["batch"].pop("prompt_tokens") > 10
    assert tuned["batch"] == {"rows": 2, "row": 1, "passes": "one"}
    assert tuned["packages"]["torch"] == torch.__version__
    assert (tuned["dtype"], tuned["packed"], tuned["device"], tuned["threads"]) == ("float32", None, "cpu", 1)
    assert len(tuned["template_hash"]) == 64


def test_provenance_tells_when_base_or_template_are_not_those_of_the_tuning(served, shelf):
    older = add_adapter("older", shelf.first_folder, shelf.tiny, base_revision="r1", template_hash="t1")
    tuned = done(served.compare([{"adapter_id": older}], max_tokens=2), 0)["provenance"]["adapter"]
    assert tuned["changed_since_tuning"] == ["base", "template"]


def test_what_people_write_never_reaches_the_log(served, shelf, caplog):
    caplog.set_level("DEBUG")
    secret = [{"role": "user", "content": "Patient Xanthippe has a pear."}]
    served.compare(shelf.pair, messages=[secret], max_tokens=2)
    served.http.post("/v1/compare", json={"sides": shelf.pair, "messages": [secret * 2000]})
    served.http.post("/v1/compare", json={"sides": [{"adapter_id": 999}], "messages": [secret]})
    assert "Xanthippe" not in caplog.text
    assert MESSAGES[0]["content"] not in caplog.text
