"""What the tests of the playground share: adapters, a prompt, a model server with a script, and a press."""

import sys

import gradio as gr
import pytest

from bioui import answering
from bioui.components import sending
from bioui.components.desk import Desk
from bioui.gate import COOKIE
from bioui.model_server import Launch
from bioui.pages import playground
from db import acknowledgements, prompts, registry, users
from db.enums import Category
from db.prompts import PromptDraft
from db.session import write
from db.tables import BaseModel
from tests.bioui.scripted_model_server import Script, ScriptedModelServer

INSTRUCTION, INPUT = "Which colour is the apple?", "The apple is red."
BASE, TUNED = "I do not know.", "It is red."  # what the script says
SIDES = ("base:1", "adapter:1")
TOKENS: dict[str, str] = {}  # of the login sessions of the test at hand


@pytest.fixture(autouse=True)
def environment(settings, people, monkeypatch):
    """The settings that the pages read, people who are logged in, and no real model server."""
    for name, value in settings.environment().items():
        monkeypatch.setenv(name, value)
    TOKENS.clear()
    with write() as session:
        for actor in (people.clinician, people.trainer):
            TOKENS[actor.username] = users.open_session(session, users.get_user(session, actor.id))
            session.flush()
            acknowledgements.give(session, actor, TOKENS[actor.username])
    idle = Launch((sys.executable, "-c", "import time; time.sleep(30)"))
    monkeypatch.setattr(playground, "launch", idle)
    monkeypatch.setattr(answering, "launch", idle)
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


def add_adapter(project_id: int, name: str, base: str = "tiny", path: str = "") -> int:
    """An adapter on the base of that name, which is entered when there is none."""
    with write() as session:
        known = {one.name: one for one in registry.list_base_models(session)}
        model = known.get(base) or BaseModel(name=base, location=f"/models/{base}")
        session.add(model)
        session.flush()
        adapter = registry.register_adapter(
            session,
            project_id=project_id,
            name=name,
            path=path or f"/adapters/{name}",
            adapter_hash="a" * 64,
            base_model_id=model.id,
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
def adapter_id(project_id):
    return add_adapter(project_id, "copier")


@pytest.fixture
def version_id(project_id, people):
    """Of a prompt on the shelf."""
    draft = PromptDraft(
        title="Colour of an apple",
        category=Category.QA,
        instruction=INSTRUCTION,
        input=INPUT,
        watch_for="It is red.",
    )
    with write() as session:
        version = prompts.add(session, people.trainer, project_id, draft)
        session.flush()
        return version.id


def asks(username="clinician", tab="tab", **query) -> gr.Request:
    """A request as Gradio hands it to a handler."""
    return gr.Request(
        username=username,
        session_hash=tab,
        cookies={COOKIE: TOKENS.get(username, "")},
        query_params={name: str(value) for name, value in query.items()},
    )


def event(**data) -> gr.EventData:
    return gr.EventData(None, data)


def ask(
    project_id=1,
    *,
    sides=SIDES,
    desk=Desk(),
    system="",
    instruction=INSTRUCTION,
    input=INPUT,
    longest=200,
    blind=False,
    request=None,
    handler=sending.compare,
):
    """The generator of one comparison."""
    typed = (desk, system, instruction, input, longest, 0, 0, blind)
    return handler(project_id, list(sides), *typed, request=request or asks())


def followed(states) -> tuple[list[sending.Step], Exception | None]:
    """Everything a comparison yielded, and the error it ended with."""
    seen = []
    try:
        for state in states:
            seen.append(step_of(state))
    except (ValueError, LookupError) as error:
        return seen, error
    return seen, None


def step_of(outputs: tuple) -> sending.Step:
    """What a generator yielded, by name; what stays as it was is None."""
    values = [None if value == gr.skip() else value for value in outputs]
    *told, follow = values
    return sending.Step(*told, follow=follow and follow["visible"])


def asked(**options) -> sending.Step:
    """The last step of a comparison that went well."""
    seen, error = followed(ask(**options))
    assert error is None
    return seen[-1]


def texts(shown: dict) -> list[str]:
    return [column["text"] for column in shown["columns"]]
