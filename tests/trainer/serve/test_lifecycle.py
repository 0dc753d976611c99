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
import openai
import pytest
from sqlalchemy import select

from db import processes, session
from db.enums import ProcessRole
from db.settings import REPOSITORY
from db.tables import Process
from tests.trainer.serve.conftest import MESSAGES, add_adapter, add_base, make_adapter, make_base
from trainer import machine
from trainer.serve import lifecycle
from trainer.serve.main import LOCK, main, read_token

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


@pytest.fixture
def sides(settings, tiny_llama, tmp_path):
    """Base and adapter, in a studio of their own."""
    base = make_base(tmp_path / "tiny", tiny_llama, 8192)
    base_id = add_base("tiny", base)
    adapter_id = add_adapter("tuned", make_adapter(base, tmp_path / "adapter", seed=1), base_id)
    return [{"base_model_id": base_id}, {"adapter_id": adapter_id}]


@contextmanager
def streaming(server, **body):
    headers = {"Authorization": f"Bearer {server.token}"}
    body = {"messages": [MESSAGES], "max_tokens": 4000, **body}
    with httpx.stream(
        "POST", f"{server.address}/v1/compare", json=body, headers=headers, timeout=60
    ) as answer:
        yield (json.loads(line[6:]) for line in answer.iter_lines() if line)


def test_a_signal_ends_a_running_answer_and_the_server_signs_off(settings, sides):
    with running(settings) as child:
        server = wait_for_server()
        health = httpx.get(f"{server.address}/health").json()
        assert health == {"status": "ok", "loaded": None, "queue": 0, "device": "cpu"}
        assert server.address.startswith("http://127.0.0.1:")
        with streaming(server, sides=sides) as events:
            next(event for event in events if event["type"] == "delta")
            child.terminate()
            rest = list(events)
        assert {event["finish_reason"] for event in rest if event["type"] == "done"} == {"cancelled"}
        assert rest[-1] == {"type": "end"}
        assert child.wait(60) == 0
    assert stopped_at(server.id)
    with session.read() as s:
        assert processes.last_leave_reason(s) == ""
    log = (settings.logs_dir / "model_server.log").read_text()
    assert "Traceback" not in log
    assert "apple" not in log


def test_a_server_asked_to_leave_turns_away_who_comes_or_waits_and_goes_once_the_answer_has_ended(
    settings, sides, tmp_path
):
    reason = "Training 'ward notes' needs the GPU."
    (tmp_path / "token").write_text("a token of our own, of the ward\n".replace(" ", "-"))
    with running(settings, "--token-file", str(tmp_path / "token"), "--device", "cpu") as child:
        server = wait_for_server()
        other = openai.OpenAI(
            base_url=f"{server.address}/v1",
            api_key=(tmp_path / "token").read_text().strip(),
            max_retries=0,
        )
        with other, streaming(server, sides=sides, request_id="under way") as events:
            next(event for event in events if event["type"] == "delta")
            with streaming(server, sides=sides) as waiting:
                assert next(waiting)["queue"] == 1
                with session.write() as s:
                    processes.ask_to_leave(s, ProcessRole.MODEL_SERVER, reason)
                    processes.ask_to_leave(s, ProcessRole.MODEL_SERVER, "Another reason.")
                assert list(waiting) == [{"type": "error", "field": "", "message": reason}, {"type": "end"}]
            with pytest.raises(openai.InternalServerError, match="needs the GPU") as refused:
                other.chat.completions.create(model="tuned", messages=MESSAGES)
            assert refused.value.status_code == 503
            assert httpx.get(f"{server.address}/health").json()["status"] == "leaving"
            assert next(events)["type"] == "delta"
            assert child.poll() is None
            httpx.post(
                f"{server.address}/v1/compare/under way/stop",
                json={"position": None},
                headers={"Authorization": f"Bearer {server.token}"},
            )
            assert [e["finish_reason"] for e in events if e["type"] == "done"] == ["cancelled"] * 2
        assert child.wait(60) == 0
    assert stopped_at(server.id)
    with session.read() as s:
        assert processes.last_leave_reason(s) == reason


def test_a_server_nobody_asks_ends_and_says_why(settings):
    with running(settings, "--idle-minutes", "0.02") as child:
        assert child.wait(60) == 0
    with session.read() as s:
        (server,) = s.scalars(select(Process))
        assert server.stopped_at
        assert processes.last_leave_reason(s) == "Nobody asked for 0.02 minutes, so it made its memory free."


def test_a_second_server_ends_at_once(settings):
    with lifecycle.take_lock(settings.data_dir / LOCK), running(settings) as second:
        assert second.wait(60) == 0
    assert "already runs" in (settings.logs_dir / "model_server.log").read_text()


def test_the_lock_is_free_again_when_its_holder_is_gone(tmp_path):
    first = lifecycle.take_lock(tmp_path / LOCK)
    assert lifecycle.take_lock(tmp_path / LOCK) is None
    first.close()
    lifecycle.take_lock(tmp_path / LOCK).close()


@pytest.fixture
def as_it_was(monkeypatch):
    """The environment in which torch looks for GPUs, put back after a server of this very process."""
    monkeypatch.setenv(machine.VISIBLE, "")


def test_a_port_that_is_taken_is_one_sentence(settings, caplog, as_it_was):
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
        assert main(["--data-dir", str(settings.data_dir), "--port", str(port)]) == 1
    assert f"port: {port} on 127.0.0.1 cannot be had" in caplog.text


@pytest.mark.parametrize(
    ("options", "sentence"),
    [
        (["--four-bit"], "four-bit: it needs an NVIDIA GPU; run it on a machine with one, or leave it out."),
        (["--device", "cuda"], "device: this machine has no NVIDIA GPU; leave it out, or give cpu."),
        (["--token-file", "/nowhere"], "token file: /nowhere cannot be read; write a token into it."),
    ],
)
def test_what_cannot_be_served_is_one_sentence(settings, caplog, as_it_was, options, sentence):
    assert main(["--data-dir", str(settings.data_dir), *options]) == 1
    assert caplog.messages == [sentence]


def test_a_token_comes_from_file_or_environment_and_must_be_hard_to_guess(tmp_path, monkeypatch):
    file = tmp_path / "token"
    for weak in ("", "short", "two words, long enough", "lang-genug-für-alle"):
        file.write_text(weak)
        with pytest.raises(ValueError, match="token: write at least 16"):
            read_token(file)
    assert read_token(None) == ""
    monkeypatch.setenv("STUDIO_SERVE_TOKEN", "sixteen-letters-or-more")
    assert read_token(None) == "sixteen-letters-or-more"
    file.write_text("the-file-goes-before-it\n")
    assert read_token(file) == "the-file-goes-before-it"


def test_listening_needs_no_torch():
    code = (
        "import sys, trainer.serve.main; sys.exit(bool({'torch', 'transformers', 'peft'} & set(sys.modules)))"
    )
    assert subprocess.run([sys.executable, "-c", code], cwd=REPOSITORY).returncode == 0
