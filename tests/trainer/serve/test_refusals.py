"""Whatever is asked wrongly: one sentence with the field, and the server is there for the next one."""

import json
import shutil

import httpx
import pytest

from db import registry, session
from tests.trainer.serve.conftest import LONG, MESSAGES, add_adapter, add_base, make_adapter

HALF = {"role": "user", "content": "half a character: \ud83d"}


def refused(served, path="/v1/pair", **body):
    """(status, param, message) of a request that must fail before any stream begins."""
    answer = served.http.post(path, content=json.dumps({"messages": MESSAGES, **body}))
    error = answer.json()["error"]
    assert set(error) == {"message", "type", "param", "code"}
    return answer.status_code, error["param"], error["message"]


@pytest.fixture(autouse=True)
def still_serving(served, shelf):
    yield
    assert served.pair(shelf.first, max_tokens=2)[-1] == {"type": "end"}


@pytest.fixture
def tiny_id(shelf):
    with session.read() as s:
        return registry.find_model(s, "tiny").id


@pytest.fixture
def broken(shelf, tmp_path):
    """A copy of the first adapter's folder, to be broken."""
    return shutil.copytree(shelf.first_folder, tmp_path / "broken")


@pytest.mark.parametrize("path", ["/v1/models", "/v1/pair", "/v1/chat/completions", "/v1/pair/1/stop", "/x"])
@pytest.mark.parametrize("header", [None, "Bearer wrong", "a token", "Bearer ä"])
def test_nobody_gets_in_without_the_token(served, path, header):
    headers = {} if header is None else {"Authorization": header.encode("latin-1")}
    for method in ("GET", "POST"):
        assert httpx.request(method, served.address + path, headers=headers).status_code == 401


def test_health_needs_no_token(served):
    assert httpx.get(f"{served.address}/health").json()["status"] == "ok"


@pytest.mark.parametrize(
    ("field", "wrong"),
    [
        ("adapter_id", None),
        ("adapter_id", "first"),
        ("messages", []),
        ("messages", "hello"),
        ("messages", [{"role": "oracle", "content": "hello"}]),
        ("messages", [{"role": "user", "content": 5}]),
        ("messages", [HALF]),
        ("max_tokens", 0),
        ("max_tokens", 2.5),
        ("max_tokens", True),
        ("temperature", -1),
        ("temperature", 9),
        ("temperature", "hot"),
        ("temperature", float("nan")),
        ("seed", -1),
        ("seed", 2**40),
        ("request_id", ""),
    ],
)
def test_a_wrong_value_is_refused_naming_its_field(served, shelf, field, wrong):
    status, param, message = refused(served, **{"adapter_id": shelf.first, field: wrong})
    assert (status, param) == (400, field)
    assert message.endswith((".", "!"))


def test_a_body_that_is_no_json_object_is_refused(served):
    for content in (b"{", b"[1]", b"\xff"):
        assert served.http.post("/v1/pair", content=content).status_code == 400


def test_a_prompt_longer_than_the_context_names_both_numbers(served, shelf):
    long = [{"role": "user", "content": "apple " * LONG}]
    for path, model in (
        ("/v1/pair", {"adapter_id": shelf.first}),
        ("/v1/chat/completions", {"model": "tiny"}),
    ):
        status, param, message = refused(served, path, messages=long, max_tokens=100, **model)
        assert (status, param) == (400, "prompt")
        assert f"{LONG:,}" in message
        assert f"{LONG - 100:,}" in message
        assert "shorten" in message


def test_an_unknown_adapter_is_not_found(served):
    status, param, message = refused(served, adapter_id=999)
    assert (status, param) == (404, "adapter_id")
    assert "999" in message


def test_an_id_in_use_is_refused(served, shelf):
    with served.stream_pair(shelf.first, max_tokens=4000, request_id="mine") as events:
        next(events)
        assert refused(served, adapter_id=shelf.first, request_id="mine")[:2] == (409, "request_id")
        served.stop("mine")
    served.wait_until_quiet()


def test_a_missing_adapter_folder_is_named(served, tiny_id, tmp_path):
    number = add_adapter("gone", tmp_path / "gone", tiny_id)
    status, param, message = refused(served, adapter_id=number)
    assert (status, param) == (400, "adapter")
    assert str(tmp_path / "gone") in message


def test_adapter_weights_cut_short_are_noticed(served, tiny_id, broken):
    weights = broken / "adapter_model.safetensors"
    weights.write_bytes(weights.read_bytes()[:-100])
    number = add_adapter("cut short", broken, tiny_id)
    assert refused(served, adapter_id=number)[:2] == (400, "adapter")


def test_an_adapter_that_asks_for_more_than_plain_lora_is_refused(served, tiny_id, broken):
    path = broken / "adapter_config.json"
    config = json.loads(path.read_text())
    for option in ({"use_dora": True}, {"layer_replication": [[0, 2]]}, {"megatron_config": {"a": 1}}):
        path.write_text(json.dumps({**config, **option}))
        number = add_adapter("greedy", broken, tiny_id)
        status, param, message = refused(served, adapter_id=number)
        assert (status, param) == (400, "adapter")
        assert next(iter(option)) in message


def test_weights_that_changed_since_registration_are_refused(served, shelf, tiny_id, broken):
    number = add_adapter("changed", broken, tiny_id, adapter_hash="0" * 64)
    events = served.pair(number)
    assert [event["type"] for event in events] == ["start", "error", "end"]
    assert events[1]["field"] == "adapter"
    assert "changed" in events[1]["message"]


def test_an_adapter_without_effect_is_refused(served, shelf, tiny_id, tmp_path):
    number = add_adapter("idle", make_adapter(shelf.base, tmp_path / "idle", seed=1, size=0), tiny_id)
    error = served.pair(number)[1]
    assert error["field"] == "adapter"
    assert "changes nothing" in error["message"]


def test_an_adapter_of_a_model_of_another_shape_is_refused(served, shelf, tiny_id, broken):
    import torch
    from safetensors.torch import load_file, save_file

    weights = broken / "adapter_model.safetensors"
    save_file({name: torch.zeros(3, 3) for name in load_file(weights)}, weights)
    error = served.pair(add_adapter("misfit", broken, tiny_id))[1]
    assert error["field"] == "adapter"
    assert "does not fit tiny" in error["message"]


def test_a_missing_base_is_refused(served, shelf, tmp_path):
    number = add_adapter("homeless", shelf.first_folder, add_base("nowhere", tmp_path / "nowhere"))
    status, param, message = refused(served, adapter_id=number)
    assert (status, param) == (400, "base model")
    assert str(tmp_path / "nowhere") in message


@pytest.mark.parametrize("stream", [False, True])
def test_a_damaged_base_is_an_http_error_even_when_a_stream_was_asked(served, shelf, tmp_path, stream):
    folder = shutil.copytree(shelf.base, tmp_path / "damaged")
    weights = folder / "model.safetensors"
    weights.write_bytes(weights.read_bytes()[:1000])
    name = f"damaged {stream}"
    add_base(name, folder)
    status, param, _ = refused(served, "/v1/chat/completions", model=name, stream=stream)
    assert (status, param) == (400, "base model")
