"""Import: choose a file, name its columns, see what each row becomes, then take all rows or none."""

from collections.abc import Sequence
from pathlib import Path

import gradio as gr

from bioui.components.frame import page_frame
from bioui.components.import_head import (
    NO_FACTS,
    STEPS,
    facts_value,
    file_facts,
    import_steps,
    steps_value,
)
from bioui.components.import_mapping import (
    FORM,
    NO_VALUES,
    mapping_form,
    mapping_updates,
    options_of,
    values_of,
)
from bioui.components.import_preview import (
    NEAR,
    NOTHING,
    PRIVATE,
    counts_of,
    first_fate,
    preview_area,
    preview_value,
)
from bioui.components.notice import NO_NOTICE, notice
from bioui.components.progress import NO_PROGRESS, progress_bar, progress_value
from bioui.components.spread import spread
from bioui.components.view import View
from bioui.handling import needs
from bioui.importing import Chosen, Seen, done_value, look, store, verdict_value
from bioui.present import counted
from bioui.work import Work
from db.exchange.survey import survey
from db.policy import Right

TITLE, PATH, RIGHT = "Import", "/import", Right.WRITE
UNDER = "/curate"  # not in the bar: reached from that page, which the bar shows as open

BACK_TEMPLATE = '{{#if value}}<a class="secondary-btn" href="{{value}}">Back to Curate</a>{{/if}}'


# handlers ---------------------------------------------------------------------------------------------


@needs(RIGHT)
def show_page(project_id: int, request: gr.Request):
    return f"{UNDER}?project={project_id}", steps_value(0)


@needs(RIGHT)
def choose_file(path: str | None, request: gr.Request):
    """Look at the file: what it is and what its columns are called."""
    cleared = [Seen(), NOTHING, NO_NOTICE, gr.update(visible=False)]
    empty = [Chosen(), NO_FACTS, gr.update(visible=False), *mapping_updates(None), *cleared]
    yield NO_PROGRESS, steps_value(0), *empty
    if not path:
        return
    work = Work(lambda report: survey(Path(path), report), stops=True)
    for done in work.watch():
        yield progress_value("Reading the file", done, 0, unit="rows", seconds=work.seconds), *_same(empty, 1)
    yield NO_PROGRESS, *_same(empty, 1)
    chosen = Chosen(path, work.result())
    filled = [
        chosen,
        facts_value(path, chosen.survey),
        gr.update(visible=True),
        *mapping_updates(chosen.survey),
    ]
    yield NO_PROGRESS, steps_value(1), *filled, *cleared


@needs(RIGHT)
def show_values(chosen: Chosen, column: str | None, request: gr.Request):
    """The first values of the column that was chosen for a field."""
    return values_of(chosen.survey, column or "") if chosen else NO_VALUES


@needs(RIGHT)
def make_stale(seen: Seen, request: gr.Request):
    """The form has changed: what was shown is not what would be done."""
    if not seen or seen.preview is None:
        return gr.skip()
    return steps_value(1), Seen(), NOTHING, NO_NOTICE, gr.update(visible=False)


@needs(RIGHT)
@spread(*FORM)
def check(project_id: int, chosen: Chosen, leave_near, leave_private, values: tuple, request: gr.Request):
    """What every row would become; nothing is stored."""
    if not chosen or not chosen.survey:
        raise ValueError("file: choose a file first.")
    options = options_of(values)
    same = _same(range(8))
    yield progress_value("Looking at the rows", 0, chosen.survey.rows, unit="rows"), *same
    work = Work(lambda report: look(project_id, chosen, options, request, report), stops=True)
    for done in work.watch():
        told = progress_value(
            "Looking at the rows", done, chosen.survey.rows, unit="rows", seconds=work.seconds,
            note="Faults, copies of what is stored, and what may tell who a person is.",
        )  # fmt: skip
        yield told, *same
    yield NO_PROGRESS, *same
    seen = work.result()
    shown = preview_value(seen.preview, first_fate(seen.preview), project_id, errors_href=seen.errors_href)
    counts = counts_of(seen.preview)
    choices = [
        _choice(counts[NEAR], "near copy", "near copies"),
        _choice(counts[PRIVATE], "row with privacy findings", "rows with privacy findings"),
    ]
    verdict = verdict_value(seen, bool(leave_near), bool(leave_private))
    yield NO_PROGRESS, steps_value(2), seen, shown, gr.update(visible=True), *choices, *verdict


@needs(RIGHT)
def pick_fate(project_id: int, seen: Seen, event: gr.EventData, request: gr.Request):
    if not seen or seen.preview is None:
        return gr.skip()
    return preview_value(seen.preview, str(event.which), project_id, errors_href=seen.errors_href)


@needs(RIGHT)
def choose_rows(seen: Seen, leave_near, leave_private, request: gr.Request):
    """Which of the rows with findings come in."""
    if not seen or seen.preview is None:
        return gr.skip(), gr.skip()
    return verdict_value(seen, bool(leave_near), bool(leave_private))


@needs(RIGHT)
def confirm(project_id: int, seen: Seen, leave_near, leave_private, submit, request: gr.Request):
    """Store what was shown as new or changed, or nothing. A browser that goes away does not stop it."""
    if not seen or seen.preview is None:
        raise ValueError("file: look at what its rows become first.")
    left_out = seen.left_out(bool(leave_near), bool(leave_private))
    same = _same(range(9))
    busy, free = gr.update(interactive=False), gr.update(interactive=True)
    rows = seen.preview.rows
    yield progress_value("Importing", 0, rows, unit="rows"), *same[:-1], busy
    work = Work(lambda report: store(project_id, seen, left_out, bool(submit), request, report))
    for done in work.watch():
        told = progress_value(
            "Importing", done, rows, unit="rows", seconds=work.seconds, note="All rows or none."
        )
        yield told, *same
    yield NO_PROGRESS, *same[:-1], free
    done = work.result()
    told = done_value(done, len(left_out), bool(submit), project_id)
    hidden = gr.update(visible=False)
    yield NO_PROGRESS, steps_value(len(STEPS)), None, Chosen(), NO_FACTS, Seen(), told, hidden, hidden, free


def _same(outputs: Sequence, more: int = 0) -> list[dict]:
    return [gr.skip()] * (len(outputs) + more)


def _choice(count: int, one: str, many: str) -> dict:
    return gr.update(visible=count > 0, label=f"Leave out {counted(count, one, many)}")


# layout and wiring ------------------------------------------------------------------------------------


def build() -> None:
    page = page_frame(
        TITLE, "Bring records in from a file: see what each row becomes, then take all of them or none."
    )
    with page.actions:
        back_html = View(BACK_TEMPLATE, "")
    steps_html = import_steps()
    result_html = notice()
    with gr.Row(elem_classes="split import-file"):
        with gr.Column(scale=5, min_width=300):
            file_upload = gr.File(
                label="A file of records or conversations", type="filepath", height=170, elem_id="field-file"
            )
        with gr.Column(scale=7, min_width=300):
            facts_html = file_facts()
    reading_html = progress_bar()
    with gr.Column(visible=False, elem_classes="section", elem_id="import-columns") as map_col:
        View("<h2>Which column is what</h2><p class='muted'>{{value}}</p>",
             "A field without a column stays empty; a column without a field is not taken.")  # fmt: skip
        form = mapping_form()
        with gr.Row(elem_classes="actions"):
            check_btn = gr.Button("Look at the rows", variant="primary", elem_id="check-btn")
        checking_html = progress_bar()
    with gr.Column(visible=False, elem_classes="section", elem_id="import-rows") as preview_col:
        View("<h2>What each row becomes</h2>", {})
        preview_html = preview_area()
        near_check = gr.Checkbox(
            True, label="Leave out near copies", visible=False, elem_id="leave-near",
            info="Those that come in stay drafts: a near copy is submitted by itself, with a reason.",
        )  # fmt: skip
        private_check = gr.Checkbox(
            True, label="Leave out rows with privacy findings", visible=False, elem_id="leave-private",
            info="Those that come in stay drafts and cannot be approved until each finding is cleared.",
        )  # fmt: skip
        submit_check = gr.Checkbox(
            label="Submit complete rows for review right away", elem_id="import-submit",
            info="A row without an output or a task stays a draft.",
        )  # fmt: skip
        verdict_html = notice()
        with gr.Row(elem_classes="actions"):
            confirm_btn = gr.Button("Import", variant="primary", visible=False, elem_id="confirm-import-btn")
        storing_html = progress_bar()
    chosen_state, seen_state = gr.State(Chosen()), gr.State(Seen())

    page.on_load(show_page, [back_html, steps_html])
    read_file = [
        reading_html, steps_html, chosen_state, facts_html, map_col, *form.outputs,
        seen_state, preview_html, result_html, preview_col,
    ]  # fmt: skip
    for event in (file_upload.upload, file_upload.clear):
        page.on(event, choose_file, [file_upload], read_file, trigger_mode="always_last", concurrency_limit=4)
    stale = [steps_html, seen_state, preview_html, result_html, preview_col]
    for column, values in zip(form.columns, form.values, strict=True):
        page.on(column.input, show_values, [chosen_state, column], values)
    for field in form.inputs:
        event = field.change if isinstance(field, gr.Textbox) else field.input
        page.on(event, make_stale, [seen_state], stale)
    choices = [near_check, private_check]
    verdict = [verdict_html, confirm_btn]
    checked = page.on(
        check_btn.click, check, [page.project_id, chosen_state, *choices, *form.inputs],
        [checking_html, steps_html, seen_state, preview_html, preview_col, *choices, *verdict],
        concurrency_limit=4,
    )  # fmt: skip
    checked.then(fn=None, js="() => studio.reveal('import-rows')")
    page.on(preview_html.pick, pick_fate, [page.project_id, seen_state], preview_html)
    for choice in choices:
        page.on(choice.input, choose_rows, [seen_state, *choices], verdict)
    stored = page.on(
        confirm_btn.click, confirm, [page.project_id, seen_state, *choices, submit_check],
        [storing_html, steps_html, file_upload, chosen_state, facts_html, seen_state, result_html,
         map_col, preview_col, confirm_btn],
        concurrency_limit=4,
    )  # fmt: skip
    stored.then(fn=None, js="() => scrollTo({top: 0, behavior: 'smooth'})")
