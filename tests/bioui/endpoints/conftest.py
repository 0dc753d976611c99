"""The endpoints' page: an endpoint of a service, a base model, and what the page shows, by name."""

import gradio as gr
import pytest

from bioui.components.endpoint_form import NAMES
from bioui.pages import endpoints as page
from bioui.pages.endpoints import Opened
from db import endpoints, registry
from db.endpoints import Offer
from db.session import read, write
from db.tables import BaseModel, Endpoint
from tests.bioui.conftest import request_of

OPENED, START, ROWS, ADD, READ, DETAILS, TOOLS, TEST, PROGRESS, RESULT, FORM, UNDO = range(page.SHOWN)
KEY = "sk-proj-4f9aB27cDe81Xy"  # like a key; nobody's
VARIABLE = "STUDIO_TEST_API_KEY"


@pytest.fixture
def hosted(people, project_id) -> int:
    """The id of an endpoint of a service on the network, with a key; an admin entered it."""
    offer = Offer(
        "Hosted", "https://api.example.org/v1", "big", VARIABLE, price_in=2.5, price_out=10.0,
        requests_per_minute=60, tokens_per_minute=90_000,
    )  # fmt: skip
    with write() as session:
        return endpoints.add(session, people.admin, offer).id


@pytest.fixture
def starter(people, project_id) -> str:
    """A base model that the studio's own server could offer."""
    with write() as session:
        session.add(BaseModel(name=registry.STARTER, location="/models/starter"))
    return registry.STARTER


def event(**data) -> gr.EventData:
    return gr.EventData(None, data)


def form(**given) -> tuple:
    """The values of a filled form, in the order of its inputs, as its Save sends them."""
    values = {"kind": "other", "name": "Mine", "base_url": "https://llm.example.org/v1", "model": "m"}
    values |= {"key_variable": "", "concurrency": 4, "private": False, **given}
    return tuple(values.get(name) for name in NAMES)


def filled(shown: tuple) -> dict:
    """The form's inputs by their names, after an event that fills them."""
    return dict(zip(NAMES, shown[page.SHOWN + 3 :], strict=True))


def save(opened: Opened, actor, **given) -> tuple:
    *_, last = page.save(opened, *form(**given), request_of(actor))
    return last


def stored(endpoint_id: int) -> Endpoint:
    with read() as session:
        endpoint = session.get(Endpoint, endpoint_id)
        session.expunge(endpoint)
        return endpoint


def facts(shown: tuple) -> dict[str, str]:
    return {line["name"]: line["text"] for line in shown[DETAILS]["facts"]}


def last_test(shown: tuple, row: int = 0) -> tuple[str, str]:
    """The word of the list for the last test, and what stands under it."""
    cell = shown[ROWS]["rows"][row]["cells"][2]
    return cell["text"], cell["note"]
