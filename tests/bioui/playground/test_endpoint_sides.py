"""Models behind endpoints as sides: real HTTP servers that stream, that do not, and that fail."""

import threading

import pytest

from bioui.comparing import side_of
from bioui.components import sending, sides_picker
from bioui.components.sides_picker import choices_of, default_sides, note_value, opened_values
from db import comparisons, endpoints, registry, sides
from db.compare_spec import SideSpec
from db.endpoints import Offer
from db.session import read, write
from tests.bioui.playground.conftest import (
    TUNED,
    add_adapter,
    ask,
    asked,
    asks,
    event,
    followed,
    step_of,
    texts,
)
from tests.bioui.streaming_endpoint import StreamingEndpoint
from tests.scripted_endpoint import Act, ScriptedEndpoint, always

ANSWERS = {"base": "An aspirin a day.", "ward-lora": "Give no aspirin."}


def add_endpoint(people, url: str, name: str = "vllm", model: str = "base") -> int:
    with write() as session:
        return endpoints.add(session, people.admin, Offer(name, url, model), private=True).id


@pytest.fixture
def vllm(people, project_id):
    """A server with a base and an adapter by their names, entered as an endpoint."""
    with StreamingEndpoint(dict(ANSWERS)) as endpoint:
        endpoint.id = add_endpoint(people, endpoint.url)
        yield endpoint


def both(vllm) -> tuple[str, str]:
    return f"endpoint:{vllm.id}", f"endpoint:{vllm.id}:ward-lora"


def test_two_models_of_one_endpoint_are_asked_in_parallel_and_streamed(vllm, project_id):
    vllm.hold = threading.Event()
    running = ask(sides=both(vllm), system="Be brief.")
    while not all(parts := texts(step_of(next(running)).answers)):
        pass
    assert parts == ["An", "Give"]  # both are under way, neither waits for the other
    vllm.hold.set()
    seen, error = followed(running)
    assert error is None
    assert texts(seen[-1].answers) == list(ANSWERS.values())
    assert sorted(body["model"] for body in vllm.asked) == ["base", "ward-lora"]
    assert vllm.asked[0]["messages"][0] == {"role": "system", "content": "Be brief."}
    assert {body["seed"] for body in vllm.asked} == {0}
    with read() as session:
        stored = comparisons.get(session, project_id, seen[-1].shown.comparison_id)
        assert sides.of_answer(stored.answers[1]) == SideSpec(endpoint_id=vllm.id, model="ward-lora")
        assert stored.answers[1].tokens == 3
        told = stored.answers[1].provenance["endpoint"]
        assert told == {"id": vllm.id, "name": "vllm", "model": "ward-lora"}


def test_an_endpoint_stands_beside_the_model_servers_sides(vllm, server, adapter_id, project_id):
    last = asked(sides=("adapter:1", f"endpoint:{vllm.id}"))
    assert texts(last.answers) == [TUNED, ANSWERS["base"]]


def test_stopping_one_column_closes_its_connection_and_the_other_goes_on(vllm, project_id):
    vllm.answers, vllm.pause = {"base": "word " * 200, "ward-lora": "a b c"}, 0.05
    running = ask(sides=both(vllm))
    while not all(texts(step_of(next(running)).answers)):
        pass
    sending.stop(event(position=0), asks())
    seen, _ = followed(running)
    endings = [column["ending"] for column in seen[-1].answers["columns"]]
    assert endings == ["stopped by hand", "ended by itself"]
    assert vllm.left.wait(10)


def test_a_model_that_the_endpoint_lacks_is_told_and_the_others_are_kept(vllm, project_id):
    last = asked(sides=(f"endpoint:{vllm.id}", f"endpoint:{vllm.id}:gone"))
    assert last.failure["sentences"][0].startswith("gone at vllm: 127.0.0.1 knows no model gone")
    assert texts(last.answers) == [ANSWERS["base"]]
    assert last.shown.comparison_id > 0


def test_an_endpoint_that_does_not_stream_is_shown_when_it_is_whole(people, project_id):
    with ScriptedEndpoint(write=lambda key, rows: "Whole at once.") as endpoint:
        last = asked(sides=(f"endpoint:{add_endpoint(people, endpoint.url)}",))
    assert texts(last.answers) == ["Whole at once."]


def test_when_every_side_fails_nothing_is_kept_and_it_can_be_tried_again(people, project_id):
    with ScriptedEndpoint(always(Act.BROKEN)) as endpoint:
        last = asked(sides=(f"endpoint:{add_endpoint(people, endpoint.url)}",))
    assert "failed (HTTP 500)" in last.failure["sentences"][0]
    assert last.answers["stage"] == "failed"
    assert last.shown is None
    with read() as session:
        assert comparisons.count(session, project_id) == 0


# Choosing -------------------------------------------------------------------------------------------


def test_the_list_offers_adapters_bases_and_endpoints_and_says_what_leaves(vllm, adapter_id, project_id):
    with read() as session:
        lines = {key: line for line, key in choices_of(session, project_id)}
        assert list(lines) == ["adapter:1", "base:1", f"endpoint:{vllm.id}"]
        assert lines[f"endpoint:{vllm.id}"] == "base at vllm · 127.0.0.1"
        note = note_value(session, [side_of(key) for key in lines])
    assert note == {"problem": "", "leaves": "127.0.0.1"}


def test_a_named_model_is_added_once_and_a_step_only_where_it_was_kept(vllm, adapter_id, project_id):
    chosen, _, name = sides_picker.add_model(project_id, ["base:1"], vllm.id, " ward-lora ", asks())
    assert chosen["value"] == ["base:1", f"endpoint:{vllm.id}:ward-lora"]
    assert ("ward-lora at vllm", f"endpoint:{vllm.id}:ward-lora") in chosen["choices"]
    assert name == ""
    with pytest.raises(ValueError, match="chosen already"):
        sides_picker.add_model(project_id, chosen["value"], vllm.id, "ward-lora", asks())
    added, _ = sides_picker.add_step(project_id, ["base:1"], event(adapter=adapter_id, step=40), asks())
    assert added["value"] == ["base:1", "adapter:1:40"]
    with pytest.raises(ValueError, match="not kept"):
        next(ask(sides=added["value"]))


def test_a_kept_checkpoint_is_offered_and_asked_as_a_side_of_its_own(
    server, script, project_id, people, tmp_path
):
    adapter_id = add_adapter(project_id, "slow", path=str(tmp_path))
    for step in (8, 40, 120):
        (tmp_path / registry.STEPS / str(step)).mkdir(parents=True)
    with read() as session:
        *_, steps, _ = opened_values(session, project_id, default_sides(session, project_id))
    (row,) = steps["adapters"]
    assert (row["name"], row["steps"], row["most"], row["last"]) == ("slow", "8 40 120", 2, "120")
    chosen, _ = sides_picker.add_step(
        project_id, [f"adapter:{adapter_id}"], event(adapter=1, step=40), asks()
    )
    last = asked(sides=chosen["value"])
    assert [column["title"] for column in last.answers["columns"]] == ["slow", "slow, step 40"]
    assert script.asked[0]["sides"] == [{"adapter_id": 1}, {"adapter_id": 1, "step": 40}]
