"""The model server when things break: whatever happens to one answer, the next one is its own side's.

Nothing stands in for anything: real exceptions out of hooks of the real model, the leak of peft, folders that
are removed, a server process that is killed. What is right is told by transformers and peft as they come.
"""

import queue
import re
import shutil
import threading
from collections.abc import Iterator
from contextlib import contextmanager

import psutil
import pytest
import torch
from transformers.generation.streamers import BaseStreamer

from bioui.model_server import CompareRequest, CompareStream, Launch, ModelServerDown, Server
from db import processes, registry, session, users
from db.compare_spec import SideSpec
from db.enums import ProcessRole
from tests.plain_answers import Alone
from tests.trainer.serve.conftest import LONG, MESSAGES, add_adapter, add_base, make_adapter, make_base, said
from trainer.serve import rows

TOKENS = 8
PATIENCE = 240  # seconds for an event, on a busy machine
FOREVER = 4000  # tokens; the most one may ask for is 4,096
PROMPTS = [
    [{"role": "user", "content": f"Which colour is the {fruit}?\n\nThe {fruit} is {colour}."}]
    for fruit, colour in (("apple", "red"), ("pear", "green"), ("plum", "blue"), ("melon", "amber"))
]


class Injected(RuntimeError):
    """What the tests break things with."""


class Known:
    """What each model says alone, by transformers and peft, asked once."""

    def __init__(self, shelf) -> None:
        second = shelf.first_folder.parent / "adapter-2"
        self._alone = {
            "tiny": Alone(shelf.base),
            "first": Alone(shelf.base, shelf.first_folder),
            "second": Alone(shelf.base, second),
        }
        self.models = tuple(self._alone)
        self._said: dict[tuple, str] = {}

    def says(self, model: str, prompt: int, tokens: int = TOKENS) -> str:
        key = (model, prompt, tokens)
        if key not in self._said:
            self._said[key] = self._alone[model].answer(PROMPTS[prompt], tokens)
        return self._said[key]


@pytest.fixture(scope="module")
def known(shelf) -> Known:
    known = Known(shelf)
    told = {known.says(model, 0) for model in known.models}
    assert len(told) == 3  # else an exchange of sides would not show
    return known


@pytest.fixture
def held(served, shelf):
    """The base in the server's memory with both adapters around it."""
    served.compare([*shelf.pair, {"adapter_id": shelf.second}], max_tokens=1)
    return served.engine._held


def assert_plain(served, known, runs: int) -> None:
    """So many runs of one side alone, each as its reference."""
    for number in range(runs):
        model, prompt = known.models[number % 3], number % len(PROMPTS)
        said = served.say(model, messages=PROMPTS[prompt], max_tokens=TOKENS)
        assert said == known.says(model, prompt), (number, model)


# exceptions inside the model ----------------------------------------------------------------------------


@contextmanager
def breaking(model, target, *, before: bool, step: int) -> Iterator[list[int]]:
    """`target` raises before or after its work in the model's `step`-th forward pass; gives the passes begun.

    The hook that raises is put there during that very pass, since each run begins on layers without hooks.
    Of an adapter's layer it stays, like one that peft forgets.
    """
    passes, handles = [0], []

    def fail(*_):
        raise Injected

    def arm(*_):
        passes[0] += 1
        if passes[0] == step:
            put = target.register_forward_pre_hook if before else target.register_forward_hook
            handles.append(put(fail))
            if before and target is model:  # its own hooks are being called already
                fail()

    handles.append(model.register_forward_pre_hook(arm))
    yield passes
    for handle in handles:
        if not (before and isinstance(target, rows.LoraLayer)):
            handle.remove()
    handles[0].remove()


def modules_called(served, model, sides) -> list[str]:
    """Names of the modules that a mixed run goes through; where some are alike, the first one's alone: of the
    layers, and of what the adapters' layers are made of."""
    called: dict[str, None] = {}
    alike = re.compile(r"\.layers\.[^0]|\.(v_proj|down_proj)\.")
    handles = [
        module.register_forward_hook(lambda *_, name=name: called.setdefault(name))
        for name, module in model.named_modules()
        if not alike.search(name)
    ]
    served.compare(sides, max_tokens=2)
    for handle in handles:
        handle.remove()
    return list(called)


def test_after_an_exception_anywhere_in_a_mixed_run_every_plain_run_is_right(served, shelf, known, held):
    mixed = [*shelf.pair, {"adapter_id": shelf.second}]
    modules, names = dict(held.model.named_modules()), modules_called(served, held.model, mixed)
    assert sum(isinstance(modules[name], rows.LoraLayer) for name in names) == 3
    assert any("lora_A" in name for name in names)
    cases = [(name, before) for name in names for before in (True, False)]
    for number, (name, before) in enumerate(cases):
        step = 1 + 2 * (number // 2 % 2)  # while reading the prompt, or at the second token
        together = number % 4 < 2
        messages = PROMPTS[:1] if together else PROMPTS[:3]
        with breaking(held.model, modules[name], before=before, step=step) as passes:
            events = served.compare(mixed, messages=messages, max_tokens=TOKENS)
        assert passes[0] >= step, (name, before)  # rows that take turns do not all go through it
        assert [event["type"] for event in events[-2:]] == ["error", "end"], (name, before)
        assert "Injected" in events[-2]["message"]
        model, prompt = known.models[number % 3], number % len(PROMPTS)
        assert served.say(model, messages=PROMPTS[prompt], max_tokens=TOKENS) == known.says(model, prompt), (
            f"{name}, {'before' if before else 'after'} its work"
        )
    assert_plain(served, known, 50)
    events = served.compare(mixed, max_tokens=TOKENS)
    assert [said(events, row) for row in range(3)] == [known.says(model, 0) for model in known.models]
    assert not any(layer._forward_pre_hooks for layer in rows.lora_layers(held.model))


class Breaks(BaseStreamer):
    def put(self, value) -> None:
        raise Injected

    def end(self) -> None: ...


def test_hooks_that_peft_leaves_behind_change_no_answer(served, shelf, known, held, caplog):
    ids = torch.tensor([held.tokenizer("Which colour is the pear?")["input_ids"]] * 2)
    names = [rows.BASE_ROW, f"adapter-{shelf.first}"]
    with pytest.raises(Injected):
        held.peft_model.generate(
            input_ids=ids, adapter_names=names, streamer=Breaks(), max_new_tokens=4, do_sample=False
        )
    assert any(layer._forward_pre_hooks for layer in rows.lora_layers(held.model))  # its leak
    assert_plain(served, known, 50)
    assert "leftover hooks" in caplog.text


# adapters that go away ----------------------------------------------------------------------------------


@pytest.fixture
def going(shelf, tmp_path):
    """An adapter that may go: a copy of the first one under a number of its own."""
    folder = shutil.copytree(shelf.first_folder, tmp_path / "going")
    return add_adapter("going", folder, shelf.tiny), folder


@contextmanager
def under_way(served, shelf, number, request_id):
    """A long answer of base and adapter that has begun; gives its first and its coming events."""
    sides = [shelf.pair[0], {"adapter_id": number}]
    with served.stream(sides, max_tokens=FOREVER, request_id=request_id) as events:
        read, missing = [], {0, 1}
        while missing:
            read.append(next(events))
            missing.discard(read[-1].get("position"))
        yield read, events


def assert_same_start(read, known) -> None:
    """Both sides say what they say alone, as far as they came."""
    for row, model in enumerate(("tiny", "first")):
        told = said(read, row).rstrip("\ufffd")  # cut off in the middle of a character
        assert told
        whole = known.says(model, 0, 200)
        assert whole.rstrip("\ufffd").startswith(told) or told.startswith(whole.rstrip("\ufffd"))


def read_on(read, events, count=10):
    """So many deltas more."""
    while count:
        read.append(next(events))
        count -= read[-1]["type"] == "delta"


def test_an_adapter_whose_folder_is_removed_answers_to_its_end_and_is_refused_after(
    served, shelf, known, going
):
    number, folder = going
    with under_way(served, shelf, number, "folder") as (read, events):
        shutil.rmtree(folder)
        read_on(read, events)
        served.stop("folder")
        read += events
    assert_same_start(read, known)
    assert "error" not in {event["type"] for event in read}
    body = {"sides": [{"adapter_id": number}], "messages": [MESSAGES]}
    refusal = served.http.post("/v1/compare", json=body)
    assert (refusal.status_code, refusal.json()["error"]["param"]) == (400, "adapter")
    assert_plain(served, known, 3)


def test_an_adapter_dropped_while_it_answers_ends_its_answer_and_comes_back_the_same(
    served, shelf, known, going
):
    number, _ = going
    with under_way(served, shelf, number, "dropped") as (read, events):
        assert served.http.post(f"/v1/adapters/{number}/unload").status_code == 202
        read_on(read, events)
        served.stop("dropped")
        read += events
    assert_same_start(read, known)
    again = served.compare([{"adapter_id": number}], max_tokens=TOKENS)
    assert again[0]["loading"] is True
    assert said(again, 0) == known.says("first", 0)
    assert_plain(served, known, 3)


def test_an_adapter_deleted_while_it_answers_ends_its_answer_and_is_not_found_after(
    served, shelf, known, going
):
    number, _ = going
    with under_way(served, shelf, number, "deleted") as (read, events):
        with session.write() as s:
            registry.delete_adapter(s, users.studio_account(s), number)
        read_on(read, events)
        served.stop("deleted")
        read += events
    assert_same_start(read, known)
    body = {"sides": [{"adapter_id": number}], "messages": [MESSAGES]}
    refusal = served.http.post("/v1/compare", json=body)
    assert (refusal.status_code, refusal.json()["error"]["param"]) == (404, "sides")
    assert_plain(served, known, 3)


# several at once, and none ------------------------------------------------------------------------------


def test_two_clients_at_once_get_each_their_own_sides(served, shelf, known):
    wanted = {
        "one": ([{"adapter_id": shelf.first}, {"base_model_id": shelf.tiny}], ("first", "tiny")),
        "other": ([{"adapter_id": shelf.second}, {"adapter_id": shelf.first}], ("second", "first")),
    }
    wrong, start = [], threading.Barrier(2)

    def compare(sides, models):
        start.wait(20)
        for number in range(12):
            prompt = number % len(PROMPTS)
            events = served.compare(sides, messages=[PROMPTS[prompt]], max_tokens=TOKENS)
            told = [said(events, row) for row in (0, 1)]
            if told != [known.says(model, prompt) for model in models]:
                wrong.append((models, prompt, told))

    for prompt in range(len(PROMPTS)):  # asked before: the references are no part of the race
        [known.says(model, prompt) for model in known.models]
    people = [threading.Thread(target=compare, args=args) for args in wanted.values()]
    for person in people:
        person.start()
    for person in people:
        person.join(60)
    assert wrong == []
    assert not any(person.is_alive() for person in people)


def stream_of(server: Server, sides, max_tokens: int) -> Iterator[dict]:
    """A comparison as the browser side's client tells it; raises what it puts there."""
    asked = CompareRequest("killed", sides, (tuple(MESSAGES),), max_tokens, 0.0, 0)
    events: queue.SimpleQueue = queue.SimpleQueue()
    CompareStream(server, asked, events, range(len(sides)))
    while True:
        event = events.get(timeout=PATIENCE)
        if isinstance(event, Exception):
            raise event
        yield event
        if event["type"] == "end":
            return


def process_of(server: Server) -> psutil.Process:
    with session.read() as s:
        found = processes.find_alive(s, ProcessRole.MODEL_SERVER)
        assert found.address == server.address
        return psutil.Process(found.pid)


def test_a_server_killed_in_mid_answer_is_told_and_a_new_one_gives_the_whole_answer(
    settings, tiny_llama, tmp_path
):
    base = make_base(tmp_path / "tiny", tiny_llama, LONG)
    folder = make_adapter(base, tmp_path / "adapter", seed=1)
    base_id = add_base("tiny", base)
    sides = (SideSpec(base_model_id=base_id), SideSpec(adapter_id=add_adapter("tuned", folder, base_id)))
    launch, running = Launch(), []
    try:
        first = launch.wait(settings)
        running.append(process_of(first))
        events = stream_of(first, sides, FOREVER)
        next(event for event in events if event["type"] == "delta")
        running[0].kill()
        with pytest.raises(ModelServerDown, match=r"[Tt]he model server .*(away|ended)"):
            list(events)
        second = launch.wait(settings)
        running.append(process_of(second))
        assert running[1].pid != running[0].pid
        whole = list(stream_of(second, sides, TOKENS))
    finally:
        for process in running:
            if process.is_running():
                process.kill()
    for row, alone in enumerate((Alone(base), Alone(base, folder))):
        assert said(whole, row) == alone.answer(MESSAGES, TOKENS)
