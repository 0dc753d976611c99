"""The server as a process of its own: `python -m trainer serve`."""

import json
import os
import socket
import subprocess
import sys
import time
from contextlib import contextmanager
from types import SimpleNamespace

import httpx
from sqlalchemy import select

from db import processes, session
from db.enums import ProcessRole
from db.settings import REPOSITORY
from db.tables import Process
from tests.trainer.serve.conftest import MESSAGES, add_adapter, add_base, make_adapter, make_base
from trainer.serve import lifecycle
from trainer.serve.main import LOCK, main

COMMAND = [sys.executable, "-m", "trainer", "serve"]


def start(settings, *options):
    """The process, its log in the studio's folder of logs."""
    environment = {**os.environ, "STUDIO_DATA_DIR": str(settings.data_dir), "DATABASE_URL": ""}
    with (settings.logs_dir / "model_server.log").open("ab") as log:
        return subprocess.Popen(
            [*COMMAND, *options],
            cwd=REPOSITORY,
            env=environment,
            stdout=log,
            stderr=log,
            start_new_session=True,
        )


@contextmanager
def running(settings, *options):
    child = start(settings, *options)
    try:
        yield child
    finally:
        child.kill()
        child.wait()


def wait_for_server(seconds=60):
    deadline = time.monotonic() + seconds
    while time.monotonic() < deadline:
        with session.read() as s:
            if found := processes.find_alive(s, ProcessRole.MODEL_SERVER):
                return SimpleNamespace(id=found.id, address=found.address, token=found.token)
        time.sleep(0.05)
    raise AssertionError("no model server came up")


def stopped_at(process_id):
    with session.read() as s:
        return s.get_one(Process, process_id).stopped_at


def test_a_signal_ends_a_running_answer_and_the_server_signs_off(settings, tiny_llama, tmp_path):
    base = make_base(tmp_path / "tiny", tiny_llama, 8192)
    adapter = add_adapter("tuned", make_adapter(base, tmp_path / "adapter", seed=1), add_base("tiny", base))
    body = {"adapter_id": adapter, "messages": MESSAGES, "max_tokens": 4000}
    with running(settings) as child:
        server = wait_for_server()
        assert httpx.get(f"{server.address}/health").json() == {"status": "ok", "loaded": None, "queue": 0}
        assert server.address.startswith("http://127.0.0.1:")
        headers = {"Authorization": f"Bearer {server.token}"}
        with httpx.stream(
            "POST", f"{server.address}/v1/pair", json=body, headers=headers, timeout=60
        ) as answer:
            events = (json.loads(line[6:]) for line in answer.iter_lines() if line)
            next(event for event in events if event["type"] == "delta")
            child.terminate()
            rest = list(events)
        assert {event["finish_reason"] for event in rest if event["type"] == "done"} == {"cancelled"}
        assert rest[-1] == {"type": "end"}
        assert child.wait(60) == 0
    assert stopped_at(server.id)
    log = (settings.logs_dir / "model_server.log").read_text()
    assert "Traceback" not in log
    assert "apple" not in log


def test_a_server_nobody_asks_ends_and_signs_off(settings):
    with running(settings, "--idle-minutes", "0.02") as child:
        assert child.wait(60) == 0
    with session.read() as s:
        (server,) = s.scalars(select(Process))
        assert server.stopped_at
    assert "nobody asked" in (settings.logs_dir / "model_server.log").read_text()


def test_a_second_server_ends_at_once(settings):
    with lifecycle.take_lock(settings.data_dir / LOCK), running(settings) as second:
        assert second.wait(60) == 0
    assert "already runs" in (settings.logs_dir / "model_server.log").read_text()


def test_the_lock_is_free_again_when_its_holder_is_gone(tmp_path):
    first = lifecycle.take_lock(tmp_path / LOCK)
    assert lifecycle.take_lock(tmp_path / LOCK) is None
    first.close()
    lifecycle.take_lock(tmp_path / LOCK).close()


def test_a_port_that_is_taken_is_one_sentence(settings, caplog):
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
        assert main(["--data-dir", str(settings.data_dir), "--port", str(port)]) == 1
    assert f"port: {port} cannot be had" in caplog.text


def test_listening_needs_no_torch():
    code = (
        "import sys, trainer.serve.main; sys.exit(bool({'torch', 'transformers', 'peft'} & set(sys.modules)))"
    )
    assert subprocess.run([sys.executable, "-c", code], cwd=REPOSITORY).returncode == 0
