"""A real model server over HTTP: tiny bases, tiny adapters with real weights, a real database.

Ids of the rows are in `Shelf`; the server runs once a test file, in a thread of this process.
"""

import json
import shutil
import socket
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import httpx
import pytest
import uvicorn

from db import registry, session
from db.tables import Adapter, BaseModel, Project
from trainer.serve.app import create_app
from trainer.serve.engine import Engine

TOKEN = "a token"
LONG = 8192  # context of the base "tiny": long enough that an answer is still going on when it is stopped
SHORT = 256  # context of the base "short"
MESSAGES = [{"role": "user", "content": "Which colour is the apple?\n\nThe apple is red."}]


@dataclass(frozen=True)
class Shelf:
    """Bases and adapters by number: two good ones and a DoRA on "tiny", one on "short"; where they lie."""

    url: str
    base: Path
    tiny: int
    first: int
    second: int
    dora: int
    on_short: int
    first_folder: Path

    @property
    def pair(self) -> list[dict]:
        """The sides of a plain comparison: base, then tuned."""
        return [{"base_model_id": self.tiny}, {"adapter_id": self.first}]


class Served:
    """The running server as a client sees it."""

    def __init__(self, address: str, engine: Engine) -> None:
        self.address, self.engine = address, engine
        headers = {"Authorization": f"Bearer {TOKEN}"}
        self.http = httpx.Client(base_url=address, headers=headers, timeout=60)

    def chat(self, model: str, **body) -> dict:
        body = {"model": model, "messages": MESSAGES, "max_tokens": 24, "temperature": 0, **body}
        answer = self.http.post("/v1/chat/completions", json=body)
        assert answer.status_code == 200, answer.text
        return answer.json()

    def say(self, model: str, **body) -> str:
        return self.chat(model, **body)["choices"][0]["message"]["content"]

    @contextmanager
    def stream(self, sides: list[dict], **body) -> Iterator[Iterator[dict]]:
        body = {"sides": sides, "messages": [MESSAGES], "max_tokens": 24, **body}
        with self.http.stream("POST", "/v1/compare", json=body) as answer:
            if answer.status_code != 200:
                answer.read()
            assert answer.status_code == 200, answer.text
            yield (json.loads(line[6:]) for line in answer.iter_lines() if line)

    def compare(self, sides: list[dict], **body) -> list[dict]:
        with self.stream(sides, **body) as events:
            return list(events)

    def stop(self, request_id: str, position: int | None = None) -> bool:
        path = f"/v1/compare/{request_id}/stop"
        return self.http.post(path, json={"position": position}).json()["running"]

    def wait_until_quiet(self) -> None:
        deadline = time.monotonic() + 20
        while self.http.get("/health").json()["queue"]:
            assert time.monotonic() < deadline, "something is still being answered"
            time.sleep(0.01)


def said(events: list[dict], position: int) -> str:
    return "".join(e["text"] for e in events if e["type"] == "delta" and e["position"] == position)


def done(events: list[dict], position: int) -> dict:
    (event,) = (e for e in events if e["type"] == "done" and e["position"] == position)
    return event


def make_base(folder: Path, tiny: Path, context: int) -> Path:
    """A copy of the tiny Llama with another context length, and that never ends an answer by itself.

    Its weights are random, so the end of text would come at a random place: after a fifth of a second, say,
    which a busy machine needs for stopping it.
    """
    from safetensors.torch import load_file, save_file

    shutil.copytree(tiny, folder)
    weights = load_file(folder / "model.safetensors")
    weights["lm_head.weight"][end_id(folder)] = 0  # logit 0, among hundreds of random ones
    save_file(weights, folder / "model.safetensors", {"format": "pt"})
    config = json.loads((folder / "config.json").read_text())
    (folder / "config.json").write_text(json.dumps({**config, "max_position_embeddings": context}))
    return folder


def end_id(folder: Path) -> int:
    from transformers import AutoTokenizer

    return AutoTokenizer.from_pretrained(folder).eos_token_id


def make_adapter(base: Path, folder: Path, *, seed: int, size: float = 0.3, **options) -> Path:
    """A LoRA adapter with weights drawn at random; `size` 0 leaves it without effect, as peft makes it."""
    import torch
    from peft import LoraConfig, get_peft_model
    from transformers import AutoModelForCausalLM

    torch.manual_seed(seed)
    config = LoraConfig(r=4, lora_alpha=8, target_modules=["q_proj", "v_proj", "down_proj"], **options)
    model = get_peft_model(AutoModelForCausalLM.from_pretrained(base), config)
    for name, weight in model.named_parameters():
        if "lora_B" in name:
            torch.nn.init.normal_(weight, std=size)
        elif "magnitude" in name:  # DoRA's lengths of the weight columns
            weight.data *= 1 + size * torch.rand_like(weight)
    model.save_pretrained(folder)
    return folder


def add_base(name: str, folder: Path) -> int:
    with session.write() as s:
        base = BaseModel(name=name, location=str(folder))
        s.add(base)
        s.flush()
        return base.id


def add_adapter(name: str, folder: Path, base_id: int, **columns) -> int:
    """Register an adapter as a finished training job does."""
    weights = folder / "adapter_model.safetensors"
    columns = {
        "adapter_hash": registry.hash_file(weights) if weights.is_file() else "0" * 64,
        "base_revision": "",
        "template_hash": "",
        "data_hash": "",
        "seed": 0,
        "spec": {},
        "packages": {},
        **columns,
    }
    with session.write() as s:
        project = s.get(Project, 1) or Project(id=1, name="Ward 7")
        s.add(project)
        s.flush()
        adapter: Adapter = registry.register_adapter(
            s, name=name, path=str(folder), base_model_id=base_id, project_id=project.id, **columns
        )
        s.flush()
        return adapter.id


@pytest.fixture(scope="module")
def shelf(tmp_path_factory, tiny_llama, empty_file) -> Iterator[Shelf]:
    room = tmp_path_factory.mktemp("shelf")
    shutil.copy(empty_file, room / "studio.db")
    url = f"sqlite:///{room / 'studio.db'}"
    engine = session.connect(url)
    base, short = make_base(room / "tiny", tiny_llama, LONG), make_base(room / "short", tiny_llama, SHORT)
    tiny_id, short_id = add_base("tiny", base), add_base("short", short)
    folders = [make_adapter(base, room / f"adapter-{seed}", seed=seed) for seed in (1, 2)]
    yield Shelf(
        url=url,
        base=base,
        tiny=tiny_id,
        first=add_adapter("first", folders[0], tiny_id),
        second=add_adapter("second", folders[1], tiny_id),
        dora=add_adapter("dora", make_adapter(base, room / "dora", seed=4, use_dora=True), tiny_id),
        on_short=add_adapter("on short", make_adapter(short, room / "adapter-s", seed=3), short_id),
        first_folder=folders[0],
    )
    engine.dispose()


@pytest.fixture(scope="module")
def served(shelf) -> Iterator[Served]:
    engine = Engine()
    app = create_app(engine, tokens=[TOKEN])
    listener = socket.create_server(("127.0.0.1", 0))
    server = uvicorn.Server(uvicorn.Config(app, log_config=None, access_log=False, lifespan="off"))
    thread = threading.Thread(target=server.run, kwargs={"sockets": [listener]})
    thread.start()
    client = Served(f"http://127.0.0.1:{listener.getsockname()[1]}", engine)
    yield client
    client.http.close()
    engine.stop_all()
    server.should_exit = True
    thread.join()
    engine.close()
