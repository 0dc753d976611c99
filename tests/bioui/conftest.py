"""A running studio for the browser side's tests: the real server on a free port, its real database file."""

import json
import re
import socket
import threading
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime

import gradio as gr
import httpx
import pytest
import uvicorn
from fastapi import FastAPI
from starlette.testclient import TestClient

from bioui import gate, login
from bioui.server import create_server
from db import users
from db.session import write
from db.settings import Settings


@pytest.fixture(autouse=True)
def _no_earlier_failures() -> None:
    """Forget failed logins: the limits are kept in memory, and tests share it."""
    login.by_name.clear()
    login.by_address.clear()


def request_of(actor, **query: str) -> gr.Request:
    """A request as Gradio hands it to a handler, sent by `actor` from a page with that query."""
    return gr.Request(
        username=actor.username if actor else None,
        query_params=query,
        headers={"host": "localhost:7860"},
        url=httpx.URL("http://localhost:7860/"),
    )


@dataclass(frozen=True)
class Reply:
    """What an event answered: the outputs, or None and the error."""

    data: list | None
    error: object = None


@dataclass(frozen=True)
class LiveStudio:
    """A studio that listens on `url`."""

    app: FastAPI
    url: str

    @property
    def gradio(self) -> FastAPI:
        return self.app.routes[-1].app

    @property
    def blocks(self) -> gr.Blocks:
        return self.gradio.get_blocks()

    def gradio_paths(self) -> set[str]:
        """Every path of Gradio's, an x in place of each parameter."""
        routes = [route for route in self.gradio.routes if hasattr(route, "path")]
        for included in self.gradio.routes:
            routes += getattr(getattr(included, "original_router", None), "routes", [])
        return {re.sub(r"\{[^}]*\}", "x", route.path) for route in routes}

    def browser(self, actor=None) -> httpx.Client:
        """A client that is logged in as `actor`, or as nobody."""
        client = httpx.Client(base_url=self.url, timeout=30)
        if actor is not None:
            with write() as session:
                token = users.open_session(session, users.get_user(session, actor.id))
            client.cookies.set(gate.COOKIE, token)
        return client


def call_events(client: httpx.Client, calls: dict[int, list]) -> dict[int, Reply]:
    """Send every {fn_index: inputs} through Gradio's queue as one browser tab; {fn_index: Reply}."""
    tab = f"test{datetime.now(UTC).timestamp()}".replace(".", "")
    asked = {}
    for fn_index, data in calls.items():
        body = {"fn_index": fn_index, "data": data, "session_hash": tab, "event_data": {"id": 1}}
        answer = client.post("/gradio_api/queue/join", json=body)
        assert answer.status_code == 200, answer.text
        asked[answer.json()["event_id"]] = fn_index
    replies, first = {}, {}
    with client.stream("GET", "/gradio_api/queue/data", params={"session_hash": tab}) as stream:
        for line in stream.iter_lines():
            told = json.loads(line.removeprefix("data:")) if line.startswith("data:") else {}
            if told.get("msg") == "process_generating":  # after its first yield a stream sends differences
                first.setdefault(told["event_id"], told["output"].get("data"))
            if told.get("msg") == "process_completed":
                output = told["output"]
                data = first.get(told["event_id"], output.get("data"))
                replies[asked[told["event_id"]]] = Reply(data, output.get("error"))
            if len(replies) == len(asked):
                break
    return replies


# Building the pages and starting a server take seconds, and neither holds data: one of each serves all tests,
# while every test binds its own database file.


@pytest.fixture(scope="session")
def app_settings(tmp_path_factory) -> Settings:
    """What the one app was made with; its data folder holds uploads, not a test's database."""
    settings = Settings(data_dir=tmp_path_factory.mktemp("app") / "data")
    settings.make_folders()
    return settings


@pytest.fixture(scope="session")
def app(app_settings) -> FastAPI:
    return create_server(app_settings)


@pytest.fixture(scope="session")
def address(app) -> Iterator[str]:
    """Where the app is served, by a real server."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    server = uvicorn.Server(uvicorn.Config(app, host="127.0.0.1", port=port, log_level="error"))
    thread = threading.Thread(target=server.run, daemon=True)
    thread.start()
    while not server.started:
        threading.Event().wait(0.02)
    yield f"http://127.0.0.1:{port}"
    server.should_exit = True
    thread.join(10)


@pytest.fixture
def studio(app, address, people, project_id) -> LiveStudio:
    return LiveStudio(app, address)


@pytest.fixture
def visitor(app, database) -> httpx.Client:
    """Nobody, at a studio that has no admin yet."""
    return TestClient(app, base_url="http://localhost", follow_redirects=False)


@pytest.fixture
def door(app, people, project_id) -> httpx.Client:
    """Nobody, at a studio where people work."""
    return TestClient(app, base_url="http://localhost", follow_redirects=False)
