"""Every endpoint that Gradio exposes, called as nobody and as each role.

Handlers are found in the running app, so a new page is covered the day it is added.
"""

import sqlite3
from hashlib import sha256

import gradio as gr
import pytest

from bioui import main
from bioui.gate import OPEN_FOLDERS, OPEN_PATHS
from db import users
from db.policy import GRANTS, Right
from db.session import write
from tests.bioui.conftest import LiveStudio, Reply, call_events

REFUSALS = ("You may not", "Your session has ended")
# A full look at the data of the studio; sessions and log-in lines are the test's own.
NOT_DATA = ("login_sessions", "sqlite_sequence")


@pytest.fixture
def pages(app, address) -> gr.Blocks:
    """The whole browser side."""
    return LiveStudio(app, address).blocks


def registered(blocks) -> dict:
    """fn_index -> Gradio's record of every event that has Python behind it."""
    return {index: fn for index, fn in blocks.fns.items() if fn.fn is not None}


def sample_inputs(fn) -> list:
    """What the components of an event send when nobody touched them."""
    return [None if component.stateful else component.get_config().get("value") for component in fn.inputs]


def page_of_each(blocks) -> dict[int, object]:
    """fn_index -> the module of the page that the event is on."""
    config = blocks.get_config_file()["page"]
    by_path = {page.PATH.strip("/"): page for page in main.PAGES}
    return {index: by_path[path] for path, part in config.items() for index in part["dependencies"]}


def fingerprint(settings) -> str:
    """A hash of every stored row. A search index may not let itself be read whole; its own tables do."""
    with sqlite3.connect(settings.data_dir / "studio.db") as connection:
        tables = connection.execute(
            "SELECT name FROM sqlite_master WHERE type = 'table' AND sql NOT LIKE '% VIRTUAL %' ORDER BY 1"
        )
        seen = sha256()
        for (table,) in [row for row in tables if row[0] not in NOT_DATA]:
            for row in connection.execute(f'SELECT * FROM "{table}"'):
                seen.update(f"{table}{row}\n".encode())
        return seen.hexdigest()


def is_refused(reply) -> bool:
    """True when an event gave nothing but a sentence that says no, or failed before it began."""
    if reply.data is None:
        return True
    *outputs, problem = reply.data
    # A problem area that is a State keeps its sentence on the server.
    is_told = problem is None or problem.get("text", "").startswith(REFUSALS)
    return is_told and all(is_nothing(output) for output in outputs)


def is_nothing(output) -> bool:
    """True for what Gradio sends of an output that stays as it was; a State sends null in any case."""
    return output is None or (isinstance(output, dict) and set(output) <= {"__type__", "props"})


def test_every_event_goes_through_the_one_gate_for_handlers(pages):
    events = registered(pages).values()
    assert [fn.name for fn in events if not isinstance(getattr(fn.fn, "right", None), Right)] == []
    assert len(events) > 10


def test_no_event_of_a_page_is_open_to_someone_whom_the_page_is_closed_to(pages):
    page_of = page_of_each(pages)
    loose = [
        f"{page_of[index].__name__}: {fn.name} needs only the right to {fn.fn.right}"
        for index, fn in registered(pages).items()
        if fn.name != "show_bar" and not GRANTS[fn.fn.right] <= GRANTS[page_of[index].RIGHT]
    ]
    assert loose == []


def test_every_event_lets_as_many_people_in_at_once(pages):
    limits = {fn.concurrency_limit for fn in registered(pages).values()}
    assert 1 not in limits


def test_nobody_can_call_an_event_by_index_or_by_name(studio):
    with studio.browser() as client:
        for index, fn in registered(studio.blocks).items():
            body = {"fn_index": index, "data": sample_inputs(fn), "session_hash": "nobody"}
            assert client.post("/gradio_api/queue/join", json=body).status_code == 401
            for road in ("run", "api", "call", "call/v2"):
                answer = client.post(f"/gradio_api/{road}/{fn.api_name}", json=body)
                assert answer.status_code == 401, (road, fn.api_name)


def test_nobody_gets_anything_from_any_route_of_gradio(studio):
    paths = {path for path in studio.gradio_paths() if not is_open(path)}
    assert len(paths) > 40
    with studio.browser() as client:
        for path in sorted(paths):
            for method in ("GET", "POST"):
                answer = client.request(method, path, follow_redirects=False)
                assert answer.status_code in (401, 404), (method, path, answer.status_code)


def is_open(path: str) -> bool:
    return path in OPEN_PATHS or path.startswith(OPEN_FOLDERS)


def test_each_role_is_refused_every_event_it_has_no_right_to(studio, settings, people):
    events = registered(studio.blocks)
    for actor in (people.author, people.reviewer, people.trainer, people.clinician):
        forbidden = {index: fn for index, fn in events.items() if not actor.can(fn.fn.right)}
        with studio.browser(actor) as client:
            before = fingerprint(settings)
            replies = call_events(client, {index: sample_inputs(fn) for index, fn in forbidden.items()})
            assert fingerprint(settings) == before
        let_through = [forbidden[index].name for index, reply in replies.items() if not is_refused(reply)]
        assert let_through == [], actor.username
        assert any(reply.data is not None for reply in replies.values())


def test_each_role_is_refused_the_same_events_by_name(studio, settings, people):
    for actor in (people.author, people.clinician):
        with studio.browser(actor) as client:
            before = fingerprint(settings)
            for fn in registered(studio.blocks).values():
                if actor.can(fn.fn.right):
                    continue
                body = {"data": sample_inputs(fn), "session_hash": "byname"}
                answer = client.post(f"/gradio_api/run/{fn.api_name}", json=body)
                assert answer.status_code >= 400 or is_refused(Reply(answer.json()["data"])), fn.name
            assert fingerprint(settings) == before


def test_what_only_needs_the_right_to_read_changes_nothing(studio, settings, people):
    readers = {index: fn for index, fn in registered(studio.blocks).items() if fn.fn.right is Right.READ}
    with studio.browser(people.clinician) as client:
        before = fingerprint(settings)
        call_events(client, {index: sample_inputs(fn) for index, fn in readers.items()})
        assert fingerprint(settings) == before


def test_a_person_who_was_deactivated_is_out_at_once(studio, people):
    with studio.browser(people.author) as client:
        assert client.get("/gradio_api/user").json() == "author"
        with write() as session:
            users.set_active(session, people.admin, people.author.id, active=False)
        assert client.get("/gradio_api/user").status_code == 401
