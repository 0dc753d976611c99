"""A new conversion: files one by one, what their rows become, how much of each, and what that comes to."""

from collections import Counter
from dataclasses import dataclass
from uuid import uuid4

import gradio as gr

from bioui.components import convert_source as source
from bioui.components.convert_draft import Draft
from bioui.components.convert_fields import NAMES, about_fields, fields_of, formats, template_fields
from bioui.components.convert_hub import NAMES as HUB_NAMES
from bioui.components.convert_hub import hub_entry, hub_part, templates_for
from bioui.components.convert_mixture import mixture_value, mixture_view, plan_value, plan_view
from bioui.components.convert_presets import presets_value, presets_view
from bioui.components.convert_preview import NO_PREVIEW, preview_view
from bioui.components.convert_source import NO_FACTS, Brought
from bioui.components.facts import fact_list
from bioui.components.fold import fold
from bioui.components.frame import Page
from bioui.components.problem import problem_area
from bioui.components.progress import progress_bar
from bioui.components.spread import spread
from bioui.components.view import View
from bioui.handling import needs
from db import conversion_figures
from db.corpora import presets
from db.corpora.mixture import TRAINED_ON
from db.policy import Right
from db.session import read

RIGHT = Right.RUN_FACTORY
READS = "<h3>What it reads</h3><ul>{{#each value}}<li>{{this}}</li>{{/each}}</ul>"
OWN_SHARES, PAPER, FIRST_RELEASE = "own", "paper", "first"
SHARES = [
    ("Each file with what it has, or as the table says", OWN_SHARES),
    (f"The paper's: {presets.ROWS:,} rows of {len(presets.composition())} corpora", PAPER),
    (f"The first release's: GAD's {presets.get(presets.GAD).rows:,} rows as well", FIRST_RELEASE),
]
SECTION = "<h2>{{value.title}}</h2><p class='muted'>{{value.lead}}</p>"


@dataclass(frozen=True)
class ConvertForm:
    """What the page needs to start what was put together, and to close the form."""

    draft: gr.State
    key: gr.State
    name: gr.Textbox
    privacy: gr.Checkbox
    start_btn: gr.Button
    close_btn: gr.Button
    problem: View
    outputs: list  # what `emptied` fills


# handlers ---------------------------------------------------------------------------------------------


@needs(RIGHT)
@spread(*NAMES)
def add(project_id: int, brought: Brought, draft: Draft, values: tuple, request: gr.Request):
    """The file into the mixture, as it was shown. The form stays for the corpus's next file."""
    with read() as session:
        own = conversion_figures.own_templates(session, project_id)
    changed = (draft or Draft()).with_entry(source.entry_from(values, brought, own))
    gr.Info(f"{changed.entries[-1].file} is in the mixture.", duration=4)
    shut = gr.Column(visible=False)
    emptied = (None, Brought(), NO_FACTS, NO_PREVIEW, shut, "", "", False)
    return changed, *_shown(changed), *emptied


@needs(RIGHT)
def hub_templates(project_id: int, format: str | None, request: gr.Request):
    with read() as session:
        return templates_for(format, conversion_figures.own_templates(session, project_id))


@needs(RIGHT)
@spread(*HUB_NAMES)
def add_hub(project_id: int, draft: Draft, values: tuple, request: gr.Request):
    """A dataset of the Hub into the mixture, by its name: nothing is fetched here."""
    with read() as session:
        own = conversion_figures.own_templates(session, project_id)
    changed = (draft or Draft()).with_entry(hub_entry(values, own))
    gr.Info(f"{changed.entries[-1].file} is in the mixture.", duration=4)
    return changed, *_shown(changed)


@needs(RIGHT)
def share(draft: Draft, event: gr.EventData, request: gr.Request):
    """One field of the mixture as it was typed."""
    try:
        name, field, value = str(event.source), str(event.field), str(event.value)
    except AttributeError as error:
        raise ValueError("mixture: choose one of the fields shown.") from error
    changed = (draft or Draft()).changed(name, field, value)
    return changed, plan_value(changed)


@needs(RIGHT)
def drop(draft: Draft, event: gr.EventData, request: gr.Request):
    try:
        name = str(event.source)
    except AttributeError as error:
        raise LookupError("There is no such source.") from error
    changed = (draft or Draft()).without(name)
    return changed, *_shown(changed)


@needs(RIGHT)
def draw(draft: Draft, total, temperature, seed, request: gr.Request):
    """How the sources share a total, and which rows are drawn."""
    changed = (draft or Draft()).drawn(total, temperature, seed)
    return changed, plan_value(changed)


@needs(RIGHT)
def like_the_paper(draft: Draft, wanted: str | None, request: gr.Request):
    """The paper's shares, those of sets not brought too; or each file with all it has."""
    draft = draft or Draft()
    if wanted not in dict(map(reversed, SHARES)):
        raise ValueError("mixture: choose one of the shares offered.")
    if wanted == OWN_SHARES:
        changed = draft.not_like_the_paper()
    else:
        changed = draft.like_the_paper(first_release=wanted == FIRST_RELEASE)
    return changed, *_shown(changed)


def _shown(draft: Draft) -> tuple[dict, dict, dict]:
    return mixture_value(draft), plan_value(draft), presets_value(_present(draft))


def _present(draft: Draft) -> Counter[str]:
    """Rows to train on of each source that was brought."""
    found: Counter[str] = Counter()
    for name, homes in draft.counts().items():
        found[name] = sum(count.total for home, count in homes.items() if home in TRAINED_ON)
    return found


def emptied() -> tuple:
    """After a start: nothing in the mixture, its own shares, and a fresh key."""
    return Draft(), uuid4().hex, *_shown(Draft()), "", OWN_SHARES


# layout and wiring ------------------------------------------------------------------------------------


def convert_form(page: Page) -> ConvertForm:
    """Lay the form out where it is called, and wire what happens within it."""
    with gr.Row(elem_classes="pane-head"):
        View("<h2>New conversion</h2>")
        close_btn = gr.Button("Close", size="sm", elem_classes="quiet", elem_id="close-btn")
    problem = problem_area()
    draft_state, brought_state = gr.State(Draft()), gr.State(Brought())
    with fold("The paper's sets (Llama2-MedTuned)", elem_classes="convert-paper"):
        presets_html = presets_view()
    View(SECTION, {"title": "A file", "lead": "Files stay in the studio; nothing leaves it."})
    with gr.Row(elem_classes="split convert-file"):
        with gr.Column(scale=5, min_width=280):
            file_upload = gr.File(label="A corpus file", type="filepath", height=170, elem_id="field-file")
        with gr.Column(scale=7, min_width=280), fold("What it reads"):
            View(READS, [title for title, _ in formats()], elem_classes="convert-reads")
    with fold("Or a dataset of the Hub, by its name", elem_classes="convert-hub"):
        hub = hub_part()
    reading_html = progress_bar()
    with gr.Column(visible=False, elem_classes="convert-details") as details:
        facts_html = fact_list()
        about, options = about_fields()
        with gr.Row(elem_classes="actions"):
            again_btn = gr.Button("Read the file again", elem_id="look-btn")
        View(SECTION, {"title": "What its rows become", "lead": "Left, the row; right, what is stored."})
        templated = template_fields()
        with gr.Row(elem_classes="actions"):
            labels_btn = gr.Button("Use the file's labels", elem_id="labels-btn", size="sm")
            back_check = gr.Checkbox(
                label="Read each answer back", elem_id="read-back", container=False,
                info="By the parser that will score a model's answers.",
            )  # fmt: skip
        preview_html = preview_view()
        with gr.Row(elem_classes="actions"):
            add_btn = gr.Button("Add to the mixture", variant="primary", elem_id="add-btn")
    form = fields_of(about, options, templated)
    View(SECTION, {"title": "The mixture", "lead": "How much of each source, and what that comes to."})
    paper_radio = gr.Radio(
        SHARES, value=OWN_SHARES, label="Shares", elem_id="paper-shares", elem_classes="stacked",
        info="Sets that were not brought are shown as missing; without them the rest is converted.",
    )  # fmt: skip
    mixture_html = mixture_view()
    with fold("A total for all sources"), gr.Row(elem_classes="field-grid"):
        total_num = gr.Number(
            None, label="Rows to train on in all", precision=0, elem_id="field-total",
            info="Shared by size and weight; empty: each gives its own number.",
        )  # fmt: skip
        temperature_num = gr.Number(
            1, label="Temperature", elem_id="field-temperature",
            info="1 shares by size; higher brings the shares nearer to equal.",
        )  # fmt: skip
        seed_num = gr.Number(
            0, label="Seed", precision=0, elem_id="field-seed", info="Draws rows and wordings."
        )
    plan_html = plan_view()
    View(SECTION, {"title": "Start", "lead": "It runs in the background. Every record starts as a draft."})
    with gr.Row(elem_classes="field-grid"):
        name_tb = gr.Textbox(
            label="Name of the conversion", max_lines=1, max_length=80, elem_id="field-conversion-name",
            info="What it goes by in the list; its sources unless given.",
        )  # fmt: skip
        privacy_check = gr.Checkbox(
            True, label="Look for what may tell who a person is", elem_id="field-check-privacy",
            info="What is found must be cleared before a record is approved.",
        )  # fmt: skip
    with gr.Row(elem_classes="actions"):
        start_btn = gr.Button("Start the conversion", variant="primary", elem_id="start-btn")
    key_state = gr.State("")

    on = _Wiring(page, problem)
    template_dd = form.input("template")
    texts = [form.input(name) for name in ("wordings", "input", "labels")]
    looked = [
        reading_html, brought_state, facts_html, template_dd, form.input("form"), *texts, preview_html
    ]  # fmt: skip
    whole = [page.project_id, brought_state, back_check, *form.inputs]

    def then_look(step) -> None:
        on(step.then, source.look_along, whole, looked, concurrency_limit=4)

    asked = [file_upload, brought_state, form.input("name"), form.input("format")]
    known = [
        reading_html, brought_state, facts_html, details, form.input("name"), form.input("format"),
        template_dd, *form.options,
    ]  # fmt: skip
    choosing = {"trigger_mode": "always_last", "concurrency_limit": 4}
    then_look(on(file_upload.upload, source.choose_file, asked, known, **choosing))
    on(file_upload.clear, source.choose_file, asked, known, **choosing)
    then_look(
        on(
            form.input("format").input, source.choose_format,
            [page.project_id, brought_state, form.input("format")], [template_dd, *form.options],
        )
    )  # fmt: skip
    then_look(
        on(
            template_dd.input, source.choose_template, [page.project_id, template_dd],
            [form.input("form"), *texts],
        )
    )  # fmt: skip
    for event in (again_btn.click, form.input("form").input):
        on(event, source.look, whole, looked, concurrency_limit=4, trigger_mode="always_last")
    then_look(on(labels_btn.click, source.use_labels, [brought_state], form.input("labels")))
    # Not `input`: Gradio swallows the first one after the server has filled the box.
    for text in texts:
        on(text.change, source.follow_typing, whole, preview_html, trigger_mode="always_last")
    on(back_check.input, source.follow_typing, whole, preview_html, trigger_mode="always_last")
    picked = on(
        presets_html.bring, source.pick_preset, [brought_state],
        [brought_state, form.input("name"), form.input("licence"), form.input("restricted"),
         form.input("format"), template_dd, *form.options],
    )  # fmt: skip
    then_look(picked)
    picked.then(fn=None, js="() => document.getElementById('field-file').scrollIntoView({block: 'center'})")
    mixed = [mixture_html, plan_html, presets_html]
    added = on(
        add_btn.click, add, [page.project_id, brought_state, draft_state, *form.inputs],
        [draft_state, *mixed, file_upload, brought_state, facts_html, preview_html, details,
         form.input("name"), form.input("licence"), form.input("restricted")],
        trigger_mode="once",
    )  # fmt: skip
    added.success(fn=None, js="() => studio.reveal('convert-mixture')")
    on(mixture_html.share, share, [draft_state], [draft_state, plan_html])
    on(mixture_html.drop, drop, [draft_state], [draft_state, *mixed])
    on(paper_radio.input, like_the_paper, [draft_state, paper_radio], [draft_state, *mixed])
    hub_choice = [page.project_id, hub.format_dd]
    on(hub.format_dd.input, hub_templates, hub_choice, hub.template_dd)
    named = on(
        hub.add_btn.click, add_hub, [page.project_id, draft_state, *hub.inputs], [draft_state, *mixed],
        trigger_mode="once",
    )  # fmt: skip
    named.success(fn=None, js="() => studio.reveal('convert-mixture')")
    drawn = [total_num, temperature_num, seed_num]
    for number in drawn:
        on(number.change, draw, [draft_state, *drawn], [draft_state, plan_html], trigger_mode="always_last")
    return ConvertForm(
        draft_state, key_state, name_tb, privacy_check, start_btn, close_btn, problem,
        [draft_state, key_state, *mixed, name_tb, paper_radio],
    )  # fmt: skip


class _Wiring:
    """`page.on` with the form's own problem area."""

    def __init__(self, page: Page, problem: View) -> None:
        self._page, self._problem = page, problem

    def __call__(self, event, handler, inputs=None, outputs=(), **options):
        return self._page.on(event, handler, inputs, outputs, problem=self._problem, **options)
