"""Export of a choice of rows to a file in any format, made in the background and then offered for download.

Usage, on any page whose people may read. `choose(session, actor, *values)` says which rows, `inputs` are the
components that its `values` come from, in the same order; a value named `project_id` is resolved as in every
handler. Lay the panel out where it should open; `open_btn` opens and closes it:

    def chosen(session, actor, project_id, text, status, ...):           # Curate: what the filters find
        query = Filters(text, status, ...).query(actor)
        return records.of_query(session, actor, project_id, query)

    def frozen(session, actor, reading):                                  # Datasets: a frozen version
        return records.of_version(session, actor, reading.version_id)

    asked = [page.project_id, *filters.inputs]
    export_panel(page, asked, chosen, open_btn=export_btn, changed=filters.events)
    export_panel(page, [reading_state], frozen, open_btn=export_btn)

`changed` are events after which an open panel counts anew. `records` is `db.exchange.records`; rows under a
data-use agreement stay, and the panel says how many.
"""

import inspect
from collections.abc import Callable, Iterator, Sequence
from contextlib import ExitStack
from dataclasses import dataclass
from functools import partial

import gradio as gr

from bioui import outgoing
from bioui.components.frame import Page
from bioui.components.progress import NO_PROGRESS, progress_bar, progress_value
from bioui.components.spread import spread
from bioui.components.view import View
from bioui.handling import actor_of, needs
from bioui.present import counted, size_words
from bioui.work import Work
from db.exchange import writers
from db.exchange.records import Records
from db.exchange.writers import Format
from db.policy import Actor, Right
from db.session import Session, read

Choose = Callable[..., Records]

# format -> (its name, what it is good for)
FORMATS = {
    Format.JSONL: ("JSONL", "One record a line, every field. Most tools that train read it."),
    Format.ALPACA: ("Alpaca JSON", "One array of records with instruction, input and output."),
    Format.MESSAGES: ("Messages (JSONL)", "A conversation a line, with roles user and assistant."),
    Format.SHAREGPT: ("ShareGPT (JSONL)", "A conversation a line, from human to gpt."),
    Format.CSV: ("CSV", "For a spreadsheet. What it would run as a formula gets an apostrophe in front."),
    Format.TSV: ("TSV", "As CSV, with tabs between the cells."),
    Format.PARQUET: ("Parquet", "Compact, with types; for pandas, DuckDB and the Hub."),
    Format.DATASETS: ("datasets folder (zip)", "Unzip it and call datasets.load_from_disk on it."),
}
TEMPLATE = """
{{#if value.count}}<p class="export-count"><b>{{value.count}}</b> {{value.stays}}</p>{{/if}}
{{#if value.href}}<p class="export-file">
  <a class="primary-btn" href="{{value.href}}" download>Download {{value.name}}</a>
  <span class="muted">{{value.told}} The file is kept for a day, for you alone.</span></p>{{/if}}
{{#if value.kind}}<p class="field-help">{{value.kind}}</p>{{/if}}
"""
NOTHING = {"count": "", "stays": "", "href": "", "name": "", "told": "", "kind": ""}


@dataclass(frozen=True)
class ExportPanel:
    """`panel` is the column that opens and closes."""

    panel: gr.Column


# data -------------------------------------------------------------------------------------------------


def panel_value(records: Records, format: Format, *, place: outgoing.Place | None = None) -> dict:
    """How many rows leave and how many stay; with a place, the file that lies there."""
    told = {
        **NOTHING,
        "count": f"{counted(records.rows, 'row')} to export." if records.rows else "No row to export.",
        "stays": _stays(records.restricted),
        "kind": FORMATS[format][1],
    }
    if place is None:
        return told
    size = size_words(place.path.stat().st_size)
    rows = counted(records.rows, "row")
    return {
        **told,
        "count": "",
        "href": place.href,
        "name": place.path.name,
        "told": f"{rows}, {size}. {told['stays']}",
    }


def make_file(choose: Callable[[Session, Actor], Records], format: Format, request, report) -> dict:
    """Write the rows to a file for this person, chunk after chunk; what the panel then shows."""
    with read() as session:
        actor = actor_of(session, request)
        records = choose(session, actor)
        place = outgoing.new_place(actor, writers.file_name(records, format))
        with ExitStack() as undo:
            undo.callback(place.drop)
            writers.save_records(records, format, place.path, report)
            place.note_export(writers.Taken.of(records), format)
            undo.pop_all()
        return panel_value(records, format, place=place)


def _stays(restricted: int) -> str:
    if not restricted:
        return ""
    are, stay = ("is", "stays") if restricted == 1 else ("are", "stay")
    return f"{counted(restricted, 'row')} {are} under a data-use agreement and {stay} here."


# handlers ---------------------------------------------------------------------------------------------


def handlers_of(choose: Choose, inputs: int) -> tuple[Callable, Callable, Callable]:
    """(toggle, recount, export) for this choice, which takes so many inputs."""
    names = _names(choose, inputs)

    @needs(Right.READ)
    @spread(*names)
    def toggle(is_open: bool, format: str, values: tuple, request: gr.Request):
        if is_open:
            return False, gr.update(visible=False), NOTHING
        return True, gr.update(visible=True), _count(choose, format, values, request)

    @needs(Right.READ)
    @spread(*names)
    def recount(is_open: bool, format: str, values: tuple, request: gr.Request):
        return _count(choose, format, values, request) if is_open else gr.skip()

    @needs(Right.READ)
    @spread(*names)
    def export(format: str, values: tuple, request: gr.Request) -> Iterator:
        """The file, made in the background; it ends when nobody watches."""
        kind = _format_of(format)
        with read() as session:
            total = choose(session, actor_of(session, request), *values).rows
        if not total:
            raise ValueError("export: no row may leave here; choose others.")
        chosen = partial(_chosen, choose, values)
        work = Work(lambda report: make_file(chosen, kind, request, report), stops=True)
        for done in work.watch():
            told = progress_value("Writing the file", done, total, unit="rows", seconds=work.seconds)
            yield told, gr.skip()
        yield NO_PROGRESS, gr.skip()
        yield NO_PROGRESS, work.result()

    return toggle, recount, export


def _names(choose: Choose, inputs: int) -> list[str]:
    """Those of the choice's parameters behind session and actor: `needs` knows a project_id by its name."""
    given = inspect.signature(choose).parameters.values()
    named = [parameter.name for parameter in given if parameter.kind is parameter.POSITIONAL_OR_KEYWORD]
    return (named[2:] + [f"value_{number}" for number in range(inputs)])[:inputs]


def _chosen(choose: Choose, values: Sequence, session: Session, actor: Actor) -> Records:
    return choose(session, actor, *values)


def _count(choose: Choose, format: str, values: Sequence, request: gr.Request) -> dict:
    with read() as session:
        return panel_value(choose(session, actor_of(session, request), *values), _format_of(format))


def _format_of(format: str | None) -> Format:
    if format not in list(Format):
        raise ValueError(f"format: choose one of {', '.join(name for name, _ in FORMATS.values())}.")
    return Format(format)


# layout and wiring ------------------------------------------------------------------------------------


def export_panel(
    page: Page, inputs: Sequence, choose: Choose, *, open_btn: gr.Button, changed: Sequence = ()
) -> ExportPanel:
    toggle, recount, export = handlers_of(choose, len(inputs))
    open_state = gr.State(False)
    with gr.Column(visible=False, elem_classes="section export-panel", elem_id="export-panel") as panel:
        with gr.Row(elem_classes="export-row"):
            format_dd = gr.Dropdown(
                [(name, format.value) for format, (name, _) in FORMATS.items()], value=Format.JSONL.value,
                label="Export as", elem_id="field-format", scale=0, min_width=240,
            )  # fmt: skip
            make_btn = gr.Button("Make the file", scale=0, elem_id="make-export-btn")
            close_btn = gr.Button("Close", scale=0)
        said_html = View(TEMPLATE, NOTHING, elem_classes="export-said", elem_id="export-said")
        progress_html = progress_bar()
    asked = [open_state, format_dd, *inputs]
    for button in (open_btn, close_btn):
        page.on(button.click, toggle, asked, [open_state, panel, said_html])
    for event in (format_dd.input, *changed):
        page.on(event, recount, asked, said_html)
    made = [progress_html, said_html]
    page.on(make_btn.click, export, [format_dd, *inputs], made, concurrency_limit=4)
    return ExportPanel(panel)
