"""Whatever is asked wrongly: one sentence with the field, and the server is there for the next one."""

import json
import shutil

import httpx
import pytest

from tests.trainer.serve.conftest import LONG, MESSAGES, add_adapter, add_base, make_adapter

HALF = {"role": "user", "content": "half a character: \ud83d"}


def refused(served, path="/v1/compare", **body):
    """(status, param, message) of a request that must fail before any stream begins."""
    answer = served.http.post(path, content=json.dumps({"messages": MESSAGES, **body}))
    error = answer.json()["error"]
    assert set(error) == {"message", "type", "param", "code"}
    return answer.status_code, error["param"], error["message"]


@pytest.fixture(autouse=True)
def still_serving(served, shelf):
    yield
    assert served.compare(shelf.pair, max_tokens=2)[-1] == {"type": "end"}


@pytest.fixture
def broken(shelf, tmp_path):
    """A copy of the first adapter's folder, to be broken."""
    return shutil.copytree(shelf.first_folder, tmp_path / "broken")


@pytest.mark.parametrize(
    "path", ["/v1/models", "/v1/compare", "/v1/chat/completions", "/v1/compare/1/stop", "/x"]
)
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
        ("sides", None),
        ("sides", []),
        ("sides", [1]),
        ("sides", [{}]),
        ("sides", [{"adapter_id": "first"}]),
        ("sides", [{"adapter_id": True}]),
        ("sides", [{"base_model_id": 1, "adapter_id": 1}]),
        ("sides", [{"base_model_id": 1, "step": 2}]),
        ("sides", [{"base_model_id": 1}, {"base_model_id": 1}]),
        ("sides", [{"endpoint_id": 1}]),
        ("messages", []),
        ("messages", "hello"),
        ("messages", [[]]),
        ("messages", [MESSAGES] * 3),
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
    status, param, message = refused(served, **{"sides": shelf.pair, field: wrong})
    assert (status, param) == (400, field)
    assert message.endswith((".", "!"))


def test_a_body_that_is_no_json_object_is_refused(served):
    for content in (b"{", b"[1]", b"\xff"):
        assert served.http.post("/v1/compare", content=content).status_code == 400


def test_a_prompt_longer_than_the_context_names_both_numbers(served, shelf):
    long = [{"role": "user", "content": "apple " * LONG}]
    for path, model in (
        ("/v1/compare", {"sides": shelf.pair}),
        ("/v1/chat/completions", {"model": "tiny"}),
    ):
        status, param, message = refused(served, path, messages=long, max_tokens=100, **model)
        assert (status, param) == (400, "prompt")
        assert f"{LONG:,}" in message
        assert f"{LONG - 100:,}" in message
        assert "shorten" in message


def test_an_unknown_adapter_is_not_found(served):
    status, param, message = refused(served, sides=[{"adapter_id": 999}])
    assert (status, param) == (404, "sides")
    assert "999" in message


def test_sides_of_several_bases_are_refused_naming_them(served, shelf):
    sides = [{"base_model_id": shelf.tiny}, {"adapter_id": shelf.on_short}]
    status, param, message = refused(served, sides=sides)
    assert (status, param) == (400, "sides")
    assert (
        message
        == "All are answered from one base, and these are on tiny and on short; choose sides of one base."
    )


def test_a_wrong_position_to_stop_is_refused(served):
    for wrong in ("base", -1, 6, True):
        assert refused(served, "/v1/compare/1/stop", position=wrong)[:2] == (400, "position")


def test_an_id_in_use_is_refused(served, shelf):
    with served.stream(shelf.pair, max_tokens=4000, request_id="mine") as events:
        next(events)
        assert refused(served, sides=shelf.pair, request_id="mine")[:2] == (409, "request_id")
        served.stop("mine")
    served.wait_until_quiet()


def test_a_missing_adapter_folder_is_named(served, shelf, tmp_path):
    number = add_adapter("gone", tmp_path / "gone", shelf.tiny)
    status, param, message = refused(served, sides=[{"adapter_id": number}])
    assert (status, param) == (400, "adapter")
    assert str(tmp_path / "gone") in message


def test_adapter_weights_cut_short_are_noticed(served, shelf, broken):
    weights = broken / "adapter_model.safetensors"
    weights.write_bytes(weights.read_bytes()[:-100])
    number = add_adapter("cut short", broken, shelf.tiny)
    assert refused(served, sides=[{"adapter_id": number}])[:2] == (400, "adapter")


def test_an_adapter_that_asks_for_more_than_lora_or_dora_is_refused(served, shelf, broken):
    path = broken / "adapter_config.json"
    config = json.loads(path.read_text())
    for option in (
        {"modules_to_save": ["lm_head"]},
        {"layer_replication": [[0, 2]]},
        {"megatron_config": {"a": 1}},
    ):
        path.write_text(json.dumps({**config, **option}))
        number = add_adapter("greedy", broken, shelf.tiny)
        status, param, message = refused(served, sides=[{"adapter_id": number}])
        assert (status, param) == (400, "adapter")
        assert next(iter(option)) in message


def test_weights_that_changed_since_registration_are_refused(served, shelf, broken):
    number = add_adapter("changed", broken, shelf.tiny, adapter_hash="0" * 64)
    events = served.compare([{"adapter_id": number}])
    assert [event["type"] for event in events] == ["start", "error", "end"]
    assert events[1]["field"] == "adapter"
    assert "changed" in events[1]["message"]


def test_an_adapter_without_effect_is_refused(served, shelf, tmp_path):
    number = add_adapter("idle", make_adapter(shelf.base, tmp_path / "idle", seed=1, size=0), shelf.tiny)
    error = served.compare([{"adapter_id": number}])[1]
    assert error["field"] == "adapter"
    assert "changes nothing" in error["message"]


def test_an_adapter_of_a_model_of_another_shape_is_refused(served, shelf, broken):
    import torch
    from safetensors.torch import load_file, save_file

    weights = broken / "adapter_model.safetensors"
    save_file({name: torch.zeros(3, 3) for name in load_file(weights)}, weights)
    error = served.compare([{"adapter_id": add_adapter("misfit", broken, shelf.tiny)}])[1]
    assert error["field"] == "adapter"
    assert "does not fit tiny" in error["message"]


def test_a_missing_base_is_refused(served, shelf, tmp_path):
    number = add_adapter("homeless", shelf.first_folder, add_base("nowhere", tmp_path / "nowhere"))
    status, param, message = refused(served, sides=[{"adapter_id": number}])
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
