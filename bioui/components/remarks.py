"""The remarks on the open record: threads on the whole of it, on a field, or on a passage that one selects.

Usage, laid out where the threads should stand:

    talk = remarks(page, record_state, [saved.success])      # events after which they are asked for anew
    for event in talk.changed:                               # someone remarked, replied, resolved or reopened
        page.on(event, turn_page, refreshed, [list_html, before_state])

While a record is open, the page asks every few seconds whether somebody said something new, and draws it
around what is being typed.

`record_state` is a gr.State whose value has `.project_id`, `.id` and `.version` (id 0, or None: nothing
open); its own `change` is listened to. `right` is what the page itself asks for. `talk.html` is the View, for
a handler that gives `remarks_value(...)` with what it opens.

In the text itself, an element with `data-remark-field="input"` whose text is exactly the stored field may be
selected from (the small button, or `m`) and has the passages of open remarks marked. Where texts of several
records stand on a page, each passage needs an ancestor with `data-id` (or `data-remark-record`): the record's
number. In a gr.Tab, say `render_children=True`, so that the marks are there before the tab is opened. The
address `...#remark-12` opens thread 12. One View of remarks a page.
"""

from bisect import bisect_left
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import partial, wraps
from pathlib import Path

import gradio as gr

from bioui.components.frame import Page
from bioui.components.view import View
from bioui.handling import actor_of, needs
from bioui.present import ago, counted, exact
from db import remarks as threads
from db.content import FIELDS
from db.instructions import get_instruction
from db.policy import Actor, Right
from db.remarks import Remark, Said
from db.session import Session, read, write
from db.tables import Instruction

HERE = Path(__file__)
THREAD = HERE.with_name("thread.hbs").read_text(encoding="utf-8")
TEMPLATE = HERE.with_suffix(".hbs").read_text(encoding="utf-8").replace("@thread", THREAD)
ON_LOAD = (HERE.parent.parent / "assets" / "remarks.js").read_text(encoding="utf-8")
LABELS = [{"name": field, "label": f"the {field}"} for field in FIELDS]
NO_REMARKS = {
    "id": 0, "version": 0, "told": "", "open": [], "closed": [], "closed_told": "",
    "fields": LABELS, "marks": [], "done": "", "said": 0,
}  # fmt: skip


@dataclass(frozen=True)
class RemarksPanel:
    """`changed`: the events after which the record's open remarks may be others."""

    html: View
    changed: list[Callable]


@dataclass(frozen=True)
class Mark:
    """How the threads on record `record` stood when they were last asked for. Never sent to the browser."""

    record: int = 0
    threads: str = ""


@dataclass(frozen=True)
class Sent:
    """What the browser says of a remark, as untrusted as anything from there. Raises ValueError."""

    record: int
    body: str
    box: str = ""  # where it was typed; emptied when all went well
    version: int = 0
    field: str = ""
    span: tuple[int, int] | None = None  # in the text as a browser has it
    quote: str = ""
    remark: int = 0
    resolved: bool = True

    @classmethod
    def of(cls, event: gr.EventData) -> "Sent":
        def number(name: str) -> int:
            given = getattr(event, name, None) or 0
            if not isinstance(given, int) or not 0 <= given < 2**53:
                raise ValueError("remark: it is about nothing on the page; open the record again.")
            return given

        def text(name: str) -> str:
            return str(getattr(event, name, None) or "")

        span = getattr(event, "span", None)
        is_span = isinstance(span, list) and len(span) == 2 and all(isinstance(end, int) for end in span)
        return cls(
            record=number("record"),
            body=text("body"),
            box=text("box"),
            version=number("version"),
            field=text("field"),
            span=tuple(span) if is_span else None,
            quote=text("quote"),
            remark=number("remark"),
            resolved=getattr(event, "resolved", None) is not False,
        )


# data -------------------------------------------------------------------------------------------------


def remarks_value(
    session: Session, project_id: int, record_id: int, actor: Actor, *, version: int = 0
) -> dict:
    """The threads on a record that the actor may see. `version` is the one on the page (0: the newest)."""
    if not record_id:
        return NO_REMARKS
    record = _record(session, project_id, record_id)
    found = threads.list_remarks(session, record_id, actor)
    opened = [_thread(remark, record, actor) for remark in found if remark.resolved_at is None]
    closed = [_thread(remark, record, actor) for remark in found if remark.resolved_at is not None]
    return {
        **NO_REMARKS,
        "id": record_id,
        "version": version or record.version,
        "told": counted(len(opened), "open remark") if opened else "No open remark",
        "open": opened,
        "closed": closed,
        "closed_told": f"{len(closed):,} resolved",
        "marks": [
            {"id": remark.first.id, "field": remark.field, "span": span_as_read(text, remark.span_now)}
            for remark in found
            if remark.resolved_at is None and remark.span_now
            for text in (getattr(record, remark.field),)
        ],
    }


def span_as_read(text: str, span: tuple[int, int]) -> tuple[int, int]:
    """A span of a stored text in the text as a browser has it, where one line feed ends a line."""
    if "\r\n" not in text:
        return span
    kept = _kept(text)
    start, end = (bisect_left(kept, place) for place in span)
    return start, end


def span_as_stored(text: str, span: tuple[int, int]) -> tuple[int, int]:
    """The other way round. What is outside the text stays outside."""
    if "\r\n" not in text:
        return span
    kept = _kept(text)
    start, end = (kept[place] if 0 <= place < len(kept) else len(text) + 1 for place in span)
    return start, end


def _kept(text: str) -> list[int]:
    """Where the characters that a browser keeps stand in a stored text, and its end."""
    return [*(n for n in range(len(text)) if not text.startswith("\r\n", n)), len(text)]


def _thread(remark: Remark, record: Instruction, actor: Actor) -> dict:
    is_resolved = remark.resolved_at is not None
    return {
        "id": remark.first.id,
        "about": remark.field.capitalize() if remark.field else "Whole record",
        "quote": remark.quote,
        "outdated": f"It was about version {remark.version}; this is version {record.version}."
        if remark.is_outdated
        else "",
        "said": [_said(remark.first, remark.version), *(_said(answer) for answer in remark.replies)],
        "resolved": f"Resolved by {remark.resolved_by}, {ago(remark.resolved_at)}" if is_resolved else "",
        "resolved_exact": exact(remark.resolved_at),
        "can_close": threads.may_close(actor, remark.first.author_id, record),
        "close": "reopen" if is_resolved else "resolve",
        "close_word": "Reopen" if is_resolved else "Resolve",
        "marked": remark.span_now is not None and not is_resolved,
    }


def _said(said: Said, version: int = 0) -> dict:
    return {
        "author": said.author,
        "body": said.body,
        "ago": ago(said.at),
        "exact": exact(said.at),
        "version": version,
    }


def _record(session: Session, project_id: int, record_id: int) -> Instruction:
    record = get_instruction(session, record_id)
    if record.project_id != project_id:
        raise LookupError(f"There is no instruction number {record_id} in this project.")
    return record


def _passage(record: Instruction, sent: Sent) -> tuple[int, int] | None:
    """The stored span of what was selected. Raises ValueError when it does not read as quoted."""
    revision = next((row for row in record.revisions if row.number == sent.version), None)
    if sent.span is None or revision is None or sent.field not in threads.TEXT_FIELDS:
        return sent.span
    text = getattr(revision, sent.field)
    span = span_as_stored(text, sent.span)
    if _as_read(text[slice(*span)]) != _as_read(sent.quote):
        raise ValueError("passage: the text on the page is not the stored one any more; select it again.")
    return span


def _as_read(text: str) -> str:
    return text.replace("\r\n", "\n").replace("\r", "\n")


def mark_of(session: Session, record) -> Mark:
    if not record or not record.id:
        return Mark()
    return Mark(record.id, threads.mark_of(session, record.id))


# handlers ---------------------------------------------------------------------------------------------


def show(record, request: gr.Request):
    with read() as session:
        return _shown(session, actor_of(session, request), record)


def poll(record, mark: Mark, request: gr.Request):
    """The threads again where anything about them changed since; nothing, where the record is gone."""
    with read() as session:
        now = mark_of(session, record)
        if now == mark:
            return gr.skip()
        try:
            return _shown(session, actor_of(session, request), record), now
        except LookupError:
            return gr.skip()


def add(record, event: gr.EventData, request: gr.Request):
    """A new remark on the record that stood there, of the version that stood there."""
    sent = Sent.of(event)
    with write() as session:
        actor = actor_of(session, request)
        stored = _record(session, record.project_id if record else 0, sent.record)
        said = threads.add_remark(
            session, actor, sent.record, sent.body, version=sent.version or None,
            field=sent.field or None, span=_passage(stored, sent),
        )  # fmt: skip
        session.flush()
        return _shown(session, actor, record, done=sent.box, said=said.id)


def reply(record, event: gr.EventData, request: gr.Request):
    sent = Sent.of(event)
    with write() as session:
        actor = actor_of(session, request)
        said = threads.reply(session, actor, sent.remark, sent.body)
        _record(session, record.project_id if record else 0, said.instruction_id)
        session.flush()
        return _shown(session, actor, record, done=sent.box, said=said.parent_id)


def close(record, event: gr.EventData, request: gr.Request):
    """Resolve a thread, or open it again."""
    sent = Sent.of(event)
    with write() as session:
        actor = actor_of(session, request)
        closed = threads.resolve(session, actor, sent.remark, resolved=sent.resolved)
        _record(session, record.project_id if record else 0, closed.instruction_id)
        session.flush()
        return _shown(session, actor, record, said=0 if sent.resolved else sent.remark)


def _shown(session: Session, actor: Actor, record, *, done: str = "", said: int = 0) -> dict:
    """The threads on what is open now; `done` is the box to empty, `said` the thread to go to."""
    if not record or not record.id:
        return NO_REMARKS
    shown = remarks_value(session, record.project_id, record.id, actor, version=record.version)
    return {**shown, "done": done, "said": said}


# layout and wiring ------------------------------------------------------------------------------------


def remarks(
    page: Page, record_state: gr.State, refresh_events: Sequence[Callable] = (), *, right: Right = Right.READ
) -> RemarksPanel:
    html, mark_state = View(TEMPLATE, NO_REMARKS, on_load=ON_LOAD, elem_id="remarks"), gr.State(Mark())
    on = partial(_on, page, right, record_state, [html, mark_state])
    for event in (record_state.change, *refresh_events):
        on(event, show)
    steps = [on(html.remark, add), on(html.reply, reply), on(html.close, close)]
    page.on(html.poll, needs(right)(poll), [record_state, mark_state], [html, mark_state])
    return RemarksPanel(html, [step.success for step in steps])


def _on(page: Page, right: Right, record_state: gr.State, shown: list, event: Callable, handler: Callable):
    return page.on(event, needs(right)(_marked(handler)), [record_state], shown)


def _marked(handler: Callable) -> Callable:
    """`handler` with how the threads stood before it: what comes in meanwhile is seen at the next poll."""

    @wraps(handler)
    def call(record, *given, **named):
        with read() as session:
            mark = mark_of(session, record)
        return handler(record, *given, **named), mark

    return call
