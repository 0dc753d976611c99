"""Endpoints: the servers that the instruction factory may ask, what each costs, and whether it answers.

Nobody sees a key: a row holds the name of an environment variable, and the page says whether that is set.
"""

from collections.abc import Iterator
from dataclasses import dataclass, replace

import gradio as gr

from bioui.components import endpoint_form, endpoint_trial
from bioui.components.endpoint_details import NOTHING_OPEN, details_value, endpoint_details
from bioui.components.endpoint_form import NAMES, TYPED
from bioui.components.endpoint_form import endpoint_form as form_at
from bioui.components.endpoint_rows import NOTHING, rows_value
from bioui.components.endpoint_start import NOT_SHOWN, OWN_WAY, WAYS, endpoint_start, start_value
from bioui.components.frame import page_frame
from bioui.components.notice import NO_NOTICE, notice
from bioui.components.progress import NO_PROGRESS, progress_bar
from bioui.components.spread import spread
from bioui.components.table import row_id, table
from bioui.components.view import View
from bioui.handling import Problem, actor_of, needs
from db import endpoints, registry
from db.endpoints import OWN, Offer
from db.policy import Actor, Right
from db.session import Session, read, write
from db.tables import Endpoint

TITLE, PATH, RIGHT = "Endpoints", "/endpoints", Right.READ
SECTION = "Factory"  # the pages of one section stand together under one name in the bar
SENTENCE = (
    "The servers that the instruction factory may ask: this studio's own, one of yours, or a service on the "
    "network. Keys stay in environment variables."
)
UNDO = """
{{#if value.name}}<div class="notice" role="status"><p>{{value.name}} was removed. What its runs recorded
stays. <button type="button" class="quiet-btn" data-undo>Put it back</button></p></div>{{/if}}
"""
UNDO_ON_LOAD = """
element.addEventListener('click', (event) => {
  if (event.target.closest('[data-undo]')) trigger('undo', {});
});
"""
NOTHING_REMOVED = {"name": ""}
IDLE, BUSY = gr.update(interactive=True), gr.update(interactive=False)
MOST_NAMES = 100  # numbers tried behind a name that is taken


@dataclass(frozen=True)
class Opened:
    """What this reader's page holds: the open endpoint, whether the form is, and what was removed."""

    endpoint_id: int = 0
    is_form: bool = False
    removed_id: int = 0


# data -------------------------------------------------------------------------------------------------


def screen(
    session: Session, actor: Actor, opened: Opened, *, result: dict = NO_NOTICE, undo: dict = NOTHING_REMOVED
) -> tuple:
    """Everything the page shows but the form's fields, in the order of build()'s `shown`."""
    rows = endpoints.list_endpoints(session)
    may_change = actor.can(Right.RUN_FACTORY)
    endpoint = endpoints.get_endpoint(session, opened.endpoint_id) if opened.endpoint_id else None
    is_read = endpoint is not None and not opened.is_form
    start = NOT_SHOWN if rows or opened.is_form else start_value(may_change=may_change)
    return (
        opened,
        {**start, "open_id": opened.endpoint_id},
        rows_value(rows, current_id=opened.endpoint_id),
        gr.update(visible=may_change and not opened.is_form, variant="primary" if rows else "secondary"),
        gr.update(visible=is_read),
        details_value(session, endpoint, is_told=result is not NO_NOTICE) if is_read else NOTHING_OPEN,
        gr.update(visible=is_read and may_change),
        IDLE,
        NO_PROGRESS,
        result,
        gr.update(visible=opened.is_form),
        undo,
    )


def add_own(session: Session, actor: Actor) -> Endpoint:
    """The first base model of the studio's own server, by a name that is free."""
    models = endpoint_form.own_models(session)
    if not models:
        raise LookupError("There is no base model to offer yet; add one on the Models page.")
    model = registry.STARTER if registry.STARTER in models else models[0]
    for number in range(1, MOST_NAMES):
        name = f"This studio: {model}" + (f" {number}" if number > 1 else "")
        try:
            return endpoints.add(session, actor, Offer(name, OWN, model, concurrency=1))
        except ValueError as error:
            if Problem.of(error).field != "name":
                raise
    raise ValueError("name: every name tried is taken; add the endpoint by its form.")


def store(session: Session, actor: Actor, endpoint_id: int, values: tuple) -> Endpoint:
    """Add, or with an id change, what the form says. Only an admin's consent counts."""
    offer = endpoint_form.offer_of(values)
    is_admin = actor.can(Right.MANAGE_PROJECT)
    private = is_admin and endpoint_form.wants_private(values)
    if not endpoint_id:
        return endpoints.add(session, actor, offer, private=private)
    endpoint = endpoints.change(session, actor, endpoint_id, offer, private=private)
    if is_admin and not private and endpoint.private_consent_at is not None:
        endpoints.consent(session, actor, endpoint_id, given=False)
    return endpoint


# handlers ---------------------------------------------------------------------------------------------


@needs(RIGHT)
def show_page(project_id: int, request: gr.Request):
    """The list; open is the endpoint of ?id=, where there is such a one."""
    wanted = request.query_params.get("id", "")
    number = int(wanted) if wanted.isdecimal() and wanted.isascii() and len(wanted) < 10 else 0
    with read() as session:
        actor = actor_of(session, request)
        known = {endpoint.id for endpoint in endpoints.list_endpoints(session)}
        shown = screen(session, actor, Opened(number if number in known else 0))
    if wanted and number not in known:
        gr.Info("The endpoint of this link is not there any more.", duration=6)
    return shown


@needs(RIGHT)
def open_endpoint(opened: Opened, event: gr.EventData, request: gr.Request):
    with read() as session:
        now = replace(opened, endpoint_id=row_id(event), is_form=False)
        return screen(session, actor_of(session, request), now)


@needs(RIGHT)
def settle(request: gr.Request):
    """No test is under way here: the last word of one that was left may have come after the page moved on."""
    return IDLE, NO_PROGRESS


@needs(RIGHT)
def close_pane(opened: Opened, request: gr.Request):
    """Away with the form, back to what was open before it; or away with that."""
    endpoint_id = opened.endpoint_id if opened.is_form else 0
    with read() as session:
        now = replace(opened, endpoint_id=endpoint_id, is_form=False)
        return screen(session, actor_of(session, request), now)


@needs(Right.RUN_FACTORY)
def begin(opened: Opened, request: gr.Request):
    """An empty form."""
    with read() as session:
        actor = actor_of(session, request)
        now = replace(opened, endpoint_id=0, is_form=True)
        return *screen(session, actor, now), *endpoint_form.blank(session, actor)


@needs(Right.RUN_FACTORY)
def choose_way(opened: Opened, event: gr.EventData, request: gr.Request):
    """The studio's own at once; for another kind of server its form, begun."""
    way = str(event.way)
    if way not in WAYS:
        raise ValueError("There is no such kind of endpoint.")
    with write() as session:
        actor = actor_of(session, request)
        if way != OWN_WAY:
            now = replace(opened, endpoint_id=0, is_form=True)
            return *screen(session, actor, now), *endpoint_form.blank(session, actor, WAYS[way])
        endpoint = add_own(session, actor)
        session.flush()
        now = replace(opened, endpoint_id=endpoint.id, is_form=False)
        return *screen(session, actor, now), *endpoint_form.blank(session, actor)


@needs(Right.RUN_FACTORY)
def edit(opened: Opened, request: gr.Request):
    with read() as session:
        actor = actor_of(session, request)
        endpoint = _opened(session, opened)
        filled = endpoint_form.of_endpoint(session, actor, endpoint)
        return *screen(session, actor, replace(opened, is_form=True)), *filled


@needs(Right.RUN_FACTORY)
def choose_kind(kind: str | None, request: gr.Request):
    """The fields of that kind of server."""
    is_own = kind == endpoint_form.OWN_KIND
    return gr.update(visible=not is_own), gr.update(visible=is_own)


@needs(Right.RUN_FACTORY)
def word_consent(opened: Opened, base_url: str, request: gr.Request):
    """The consent's words for the address as it is typed: a consent is to one address and goes with it."""
    with read() as session:
        actor = actor_of(session, request)
        given = False
        if opened.endpoint_id:
            endpoint = endpoints.get_endpoint(session, opened.endpoint_id)
            is_same = (base_url or "").strip().rstrip("/") == endpoint.base_url
            given = is_same and endpoint.private_consent_at is not None
        return endpoint_form.consent_field(actor, base_url or "", given=given)


@needs(Right.RUN_FACTORY)
@spread(*NAMES)
def save(opened: Opened, values: tuple, request: gr.Request) -> Iterator:
    """Store the form. What looks like a key is wiped from it first, and refused."""
    keep = (gr.skip(),) * len(TYPED)
    if with_key := endpoint_form.key_fields(values):
        yield *(gr.skip(),) * SHOWN, *("" if name in with_key else gr.skip() for name in TYPED)
        raise endpoint_form.refuse_key(with_key[0])
    with write() as session:
        actor = actor_of(session, request)
        endpoint = store(session, actor, opened.endpoint_id, values)
        session.flush()
        shown = screen(session, actor, replace(opened, endpoint_id=endpoint.id, is_form=False))
    yield *shown, *keep


@needs(Right.RUN_FACTORY)
def remove(opened: Opened, request: gr.Request):
    with write() as session:
        actor = actor_of(session, request)
        endpoint = endpoints.delete(session, actor, _opened(session, opened).id)
        session.flush()
        now = replace(opened, endpoint_id=0, removed_id=endpoint.id)
        return screen(session, actor, now, undo={"name": endpoint.name})


@needs(Right.RUN_FACTORY)
def put_back(opened: Opened, request: gr.Request):
    if not opened.removed_id:
        raise ValueError("Nothing was removed on this page.")
    with write() as session:
        actor = actor_of(session, request)
        endpoint = endpoints.delete(session, actor, opened.removed_id, deleted=False)
        session.flush()
        now = replace(opened, endpoint_id=endpoint.id, is_form=False, removed_id=0)
        return screen(session, actor, now)


@needs(Right.RUN_FACTORY)
def test(opened: Opened, request: gr.Request) -> Iterator:
    """Ask for one small reply, with progress, and say what came of it."""
    with read() as session:
        endpoint = _opened(session, opened)
        endpoint_id, name = endpoint.id, endpoint.name
    try:
        trial = endpoint_trial.follow(endpoint_id)
        found = yield from _progress(trial)
    except (ValueError, LookupError) as error:
        told = endpoint_trial.failed_value(name, error)
    else:
        told = endpoint_trial.found_value(name, found)
    with read() as session:
        yield screen(session, actor_of(session, request), opened, result=told)


def _progress(trial: Iterator[dict]) -> Iterator[tuple]:
    """Everything as it is but the button and the bar; gives what the trial gives."""
    before, after = (gr.skip(),) * AT_TEST, (gr.skip(),) * (SHOWN - AT_TEST - 3)
    yield *before, BUSY, NO_PROGRESS, NO_NOTICE, *after
    while True:
        try:
            yield *before, BUSY, next(trial), NO_NOTICE, *after
        except StopIteration as over:
            return over.value


def _opened(session: Session, opened: Opened) -> Endpoint:
    if not opened.endpoint_id:
        raise LookupError("Open an endpoint first.")
    return endpoints.get_endpoint(session, opened.endpoint_id)


SHOWN, AT_TEST = 12, 7  # the outputs of `screen`, and where the test's button, bar and notice stand in them


# layout and wiring ------------------------------------------------------------------------------------


def build() -> None:
    page = page_frame(TITLE, SENTENCE)
    with page.actions:
        add_btn = gr.Button("Add an endpoint", variant="primary", visible=False, elem_id="add-endpoint-btn")
    opened_state = gr.State(Opened())
    undo_html = View(UNDO, NOTHING_REMOVED, on_load=UNDO_ON_LOAD, elem_classes="undo-view")
    with gr.Row(elem_classes="split factory-split"):
        with gr.Column(scale=3, min_width=0, elem_classes="factory-list"):
            start_html = endpoint_start()
            rows_html = table("Endpoints", param="id", empty_value=NOTHING)
        with gr.Column(
            scale=2, min_width=0, visible=False, elem_classes="pane", elem_id="endpoint-pane"
        ) as read_col:
            details_html = endpoint_details()
            with gr.Row(elem_classes="actions", visible=False) as tools_row:
                test_btn = gr.Button("Test", elem_id="test-btn")
                edit_btn = gr.Button("Edit", elem_id="edit-btn")
                remove_btn = gr.Button("Remove", variant="stop", elem_id="remove-btn")
            progress_html, result_html = progress_bar(), notice()
            close_btn = gr.Button("Close", size="sm", elem_classes="quiet", elem_id="close-btn")
        with gr.Column(
            scale=2, min_width=0, visible=False, elem_classes="pane", elem_id="endpoint-form"
        ) as form_col:
            form = form_at()

    shown = [opened_state, start_html, rows_html, add_btn, read_col, details_html, tools_row, test_btn,
             progress_html, result_html, form_col, undo_html]  # fmt: skip
    page.on_load(show_page, shown)
    tested = page.on(test_btn.click, test, [opened_state], shown, concurrency_limit=16)
    leaving = {"cancels": [tested]}  # the request goes on in its thread, and is noted; the page moves on
    opened = page.on(rows_html.open, open_endpoint, [opened_state], shown, **leaving)
    page.on(opened.then, settle, [], [test_btn, progress_html])
    page.on(close_btn.click, close_pane, [opened_state], shown, **leaving)
    page.on(remove_btn.click, remove, [opened_state], shown, **leaving)
    put = page.on(undo_html.undo, put_back, [opened_state], shown)

    both = [*shown, *form.filled]
    begun = [
        page.on(add_btn.click, begin, [opened_state], both, **leaving),
        page.on(edit_btn.click, edit, [opened_state], both, **leaving),
        page.on(start_html.choose, choose_way, [opened_state], both),
    ]
    page.on(form.close_btn.click, close_pane, [opened_state], shown)
    page.on(form.input("kind").input, choose_kind, [form.input("kind")], [form.other_col, form.own_col],
            problem=form.problem)  # fmt: skip
    page.on(
        form.input("base_url").input, word_consent, [opened_state, form.input("base_url")],
        form.input("private"), problem=form.problem, trigger_mode="always_last",
    )  # fmt: skip
    saved = page.on(
        form.save_btn.click, save, [opened_state, *form.inputs], [*shown, *form.typed],
        problem=form.problem, trigger_mode="once",
    )  # fmt: skip
    for step in (opened, saved, put):
        step.then(fn=None, js="() => studio.reveal('endpoint-pane')")
    for step in begun:
        step.then(fn=None, js="() => studio.reveal('endpoint-form')")
