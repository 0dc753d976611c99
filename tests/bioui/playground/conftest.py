"""What the tests of the playground share: an adapter, a prompt, a model server with a script, and a press."""

import sys

import gradio as gr
import pytest

from bioui import pair_run
from bioui.components.desk import Desk
from bioui.model_server import Launch
from bioui.pages import playground
from db import registry
from db.enums import Category
from db.session import write
from db.tables import BaseModel, Prompt
from tests.bioui.scripted_model_server import Script, ScriptedModelServer

INSTRUCTION, INPUT = "Which colour is the apple?", "The apple is red."


@pytest.fixture(autouse=True)
def environment(settings, monkeypatch):
    """The settings that the pages read, and no real model server."""
    for name, value in settings.environment().items():
        monkeypatch.setenv(name, value)
    idle = Launch((sys.executable, "-c", "import time; time.sleep(30)"))
    monkeypatch.setattr(playground, "launch", idle)
    monkeypatch.setattr(pair_run, "launch", idle)
    yield
    if idle._process:
        idle._process.kill()
        idle._process.wait()


@pytest.fixture
def script(people):
    return Script()


@pytest.fixture
def server(script):
    with ScriptedModelServer(script):
        yield


@pytest.fixture
def adapter_id(project_id):
    with write() as session:
        base = BaseModel(name="tiny", location="/models/tiny")
        session.add(base)
        session.flush()
        adapter = registry.register_adapter(
            session,
            project_id=project_id,
            name="copier",
            path="/adapters/copier",
            adapter_hash="a" * 64,
            base_model_id=base.id,
            base_revision="b" * 64,
            template_hash="c" * 64,
            data_hash="d" * 64,
            seed=1,
            spec={},
            packages={},
        )
        session.flush()
        return adapter.id


@pytest.fixture
def prompt_id(project_id):
    with write() as session:
        prompt = Prompt(
            project_id=project_id,
            title="Colour of an apple",
            category=Category.QA,
            instruction=INSTRUCTION,
            input=INPUT,
            watch_for="It is red.",
        )
        session.add(prompt)
        session.flush()
        return prompt.id


def asks(username="clinician", tab="tab", **query) -> gr.Request:
    """A request as Gradio hands it to a handler."""
    return gr.Request(
        username=username, session_hash=tab, query_params={name: str(value) for name, value in query.items()}
    )


def event(**data) -> gr.EventData:
    return gr.EventData(None, data)


def ask(adapter_id, *, desk=Desk(), instruction=INSTRUCTION, input=INPUT, longest=200, request=None):
    """The generator of one comparison."""
    return playground.compare(adapter_id, desk, instruction, input, longest, 0, 0, request=request or asks())


def followed(states) -> tuple[list, Exception | None]:
    """Everything a comparison yielded, and the error it ended with."""
    seen = []
    try:
        for state in states:
            seen.append(state)
    except (ValueError, LookupError) as error:
        return seen, error
    return seen, None


def texts(shown: dict) -> dict:
    return {side["side"]: side["text"] for side in shown["sides"]}
