"""The filters of a project: edited, tried on what is stored, and kept as the project's setting."""

from collections.abc import Iterator
from dataclasses import fields

import gradio as gr

from bioui.components.fold import fold
from bioui.components.frame import Page
from bioui.components.funnel_chart import MEANINGS, NAMES, NO_FUNNEL, funnel_chart, funnel_value, stage_of
from bioui.components.funnel_examples import HINT, NO_EXAMPLES, funnel_examples, verdict_item
from bioui.components.generate_form import version_choices
from bioui.components.notice import NO_NOTICE, notice, notice_value
from bioui.components.problem import problem_area
from bioui.components.progress import NO_PROGRESS, progress_bar, progress_value
from bioui.components.spread import spread
from bioui.handling import actor_of, needs
from db import freezing, generation_figures, projects
from db.content import content_of
from db.generating import profiles
from db.generating.dry_run import DryRun, Example, dry_run
from db.generating.funnel import Stage
from db.generating.profiles import CompareOn, PhiRule, Profile
from db.policy import Right
from db.session import Session, read, write

RIGHT = Right.RUN_FACTORY
FIELDS = tuple(field.name for field in fields(Profile) if field.name != "name")  # the order of the inputs
WORDS = ("min_words", "max_words", "max_input_words", "min_output_words", "max_output_words")
LISTS = ("blacklist", "start_blacklist")
FLAGS = {
    "needs_sound_text": "Input and output must be sound text",
    "needs_word_start": "The instruction must not begin with punctuation",
    "needs_ascii_start": "The instruction must begin with an ASCII character",
    "ascii_words": "Compare by ASCII words only",
}
LABELS = {
    "min_words": "Instruction, words at least",
    "max_words": "Instruction, words at most",
    "max_input_words": "Input, words at most",
    "min_output_words": "Output, words at least",
    "max_output_words": "Output, words at most",
    "blacklist": "Words and phrases that drop an instruction",
    "start_blacklist": "Beginnings that drop an instruction",
    "copy": "A copy is above (ROUGE-L)",
    "variant": "A variant is above (ROUGE-L)",
    "contamination_run": "Words in a row shared with an evaluation text",
    "contamination_near": "Near an evaluation text is above (ROUGE-L)",
    "grounding_coverage": "Share of a sentence's words that the passage must hold",
}
DEFAULT = profiles.BIOMEDICAL.name
CHOICES = [("Biomedical, the default", DEFAULT), ("self-instruct, the classic", profiles.CLASSIC.name),
           ("The project's own", "")]  # fmt: skip
FAULTS = notice_value(
    "self-instruct is here to compare with, faults and all",
    "Its word list drops “CT image” and “Kaplan-Meier plot”.",
    "It reads ASCII only, so that alpha- and beta-catenin are one word to it.",
    "A question about another drug in the same words is a copy to it, and what looks like patient data is "
    "only flagged.",
    hue="review",
)
NOT_TRIED = "Try the filters to see what they would drop of the records that are stored. Nothing is changed."
OURS = "the project's"  # the name of a profile that was edited
SHOWN = 10  # examples of a stage


# data -------------------------------------------------------------------------------------------------


def profile_values(profile: Profile) -> tuple:
    """A profile as the inputs show it, in the order of FIELDS."""
    record = profile.record()
    return tuple("\n".join(record[name]) if name in LISTS else record[name] for name in FIELDS)


def profile_from(values: tuple) -> Profile:
    """The profile that the inputs say, by the name of the shipped one that it equals. Raises ValueError."""
    given = dict(zip(FIELDS, values, strict=True))
    for name in LISTS:
        given[name] = [line.strip() for line in (given[name] or "").splitlines() if line.strip()]
    for name in (*WORDS, "contamination_run"):
        if isinstance(given[name], float) and given[name].is_integer():
            given[name] = int(given[name])
    for shipped in profiles.SHIPPED.values():
        if Profile(**{**given, "name": shipped.name}) == shipped:
            return shipped
    return Profile(**{**given, "name": OURS})


def caution_of(profile: Profile) -> dict:
    return FAULTS if profile.name == profiles.CLASSIC.name else NO_NOTICE


def examples_of(session: Session, project_id: int, found: dict, stage: Stage) -> dict:
    """The first records that a stage would drop; `found` is what `plain` made of a dry run."""
    examples = found["examples"].get(stage.value, [])
    near = [(one["verdict"].get("near") or {}).get("id") for one in examples]
    records = generation_figures.texts_of(session, [one["id"] for one in examples])
    others = generation_figures.texts_of(session, [id for id in near if id is not None])
    items = []
    for one, near_id in zip(examples, near, strict=True):
        record = records.get(one["id"])
        if record is not None:
            item = verdict_item(one["verdict"], content_of(record).columns(), others.get(near_id), project_id)
            href = f"/curate?project={project_id}&id={record.id}"
            items.append({**item, "href": href, "link": f"Number {record.id}"})
    return {
        **NO_EXAMPLES,
        "title": NAMES[stage],
        "meaning": MEANINGS[stage],
        "items": items,
        "range": f"The first {len(items):,}" if items else "",
    }


def plain(run: DryRun) -> dict:
    """A dry run as values that a page's State can hold."""
    return {
        "seen": run.counts.seen,
        "stages": {stage.value: count for stage, count in run.counts.stages.items()},
        "examples": {stage.value: _spread(examples) for stage, examples in run.examples.items()},
    }


def _spread(examples: tuple[Example, ...]) -> list[dict]:
    """The first few, of each reason in turn."""
    by_reason: dict[str, list[Example]] = {}
    for example in examples:
        by_reason.setdefault(example.verdict.reason, []).append(example)
    turns = max(map(len, by_reason.values()), default=0)
    mixed = [some[turn] for turn in range(turns) for some in by_reason.values() if turn < len(some)]
    return [{"id": one.id, "verdict": one.verdict.record()} for one in mixed[:SHOWN]]


# handlers ---------------------------------------------------------------------------------------------


@needs(RIGHT)
def show_tab(project_id: int, is_shown: bool, request: gr.Request):
    """The project's profile, the first time; what was changed on the page stays."""
    if is_shown:
        return gr.skip()
    with read() as session:
        actor = actor_of(session, request)
        profile = profiles.profile_of(projects.get_project(session, project_id))
        can_save = actor.can(Right.MANAGE_PROJECT)
        against = gr.Dropdown(choices=version_choices(session, project_id))
    chosen = profile.name if profile.name in profiles.SHIPPED else ""
    save_btn = gr.Button(interactive=can_save)
    return True, chosen, caution_of(profile), save_btn, against, *profile_values(profile)


@needs(RIGHT)
def choose_profile(project_id: int, name: str, request: gr.Request):
    if name and name not in profiles.SHIPPED:
        raise ValueError("filters: there is no such profile.")
    with read() as session:
        own = profiles.profile_of(projects.get_project(session, project_id))
    profile = profiles.SHIPPED[name] if name else own
    return caution_of(profile), *profile_values(profile)


@needs(RIGHT)
@spread(*FIELDS)
def try_on_stored(project_id: int, against: list[int] | None, values: tuple, request: gr.Request) -> Iterator:
    """Count what these filters would drop of the records that are stored; nothing is changed.

    `against`: frozen versions whose texts no record may hold.
    """
    profile = profile_from(values)
    yield progress_value("reading what is stored", 0, 0), NO_FUNNEL, {**NO_EXAMPLES, "hint": ""}, None
    run = None
    with read() as session:
        sets = [freezing.evaluation_set(session, version_id) for version_id in against or ()]
        for run in dry_run(session, project_id, profile, sets):
            bar = progress_value("judging", run.done, run.total, unit="records")
            yield bar, _funnel(plain(run)), gr.skip(), gr.skip()
    hint = HINT if run and run.counts.seen else "The project holds no record yet."
    found = plain(run) if run else None
    yield NO_PROGRESS, _funnel(found) if found else NO_FUNNEL, {**NO_EXAMPLES, "hint": hint}, found


@needs(RIGHT)
def open_stage(project_id: int, found: dict | None, event: gr.EventData, request: gr.Request):
    """Examples of what a stage would drop."""
    stage = stage_of(event.stage)
    if not found:
        return gr.skip()
    with read() as session:
        return _funnel(found, stage.value), examples_of(session, project_id, found, stage)


@needs(Right.MANAGE_PROJECT)
@spread(*FIELDS)
def save(project_id: int, values: tuple, request: gr.Request):
    """Make these the project's filters."""
    profile = profile_from(values)
    with write() as session:
        profiles.set_profile(session, actor_of(session, request), project_id, profile)
    gr.Success(f"Kept: the next runs filter by {profile.name}.", duration=4)
    return profile.name if profile.name in profiles.SHIPPED else "", caution_of(profile)


def _funnel(found: dict, stage: str = "") -> dict:
    return funnel_value(found["seen"], found["stages"], current=stage, asked="Stored", is_stored=True)


# layout and wiring ------------------------------------------------------------------------------------


def filters_tab(page: Page, tab: gr.Tab) -> None:
    """Lay the tab out and wire it."""
    with gr.Row(elem_classes="split filters-split"):
        with gr.Column(scale=4, min_width=300):
            problem = problem_area()
            profile_radio = gr.Radio(CHOICES, value=DEFAULT, label="Profile", elem_classes="stacked")
            caution_html = notice()
            inputs = _fields()
            against_dd = gr.Dropdown(
                [], value=[], multiselect=True, label="Evaluation sets to try with",
                elem_id="field-try-against",
                info="Frozen versions that models are measured on: which stored records hold their texts? "
                "A run names its own.",
            )  # fmt: skip
            with gr.Row(elem_classes="actions"):
                try_btn = gr.Button("Try on what is stored", variant="primary", elem_id="dry-run-btn")
                save_btn = gr.Button("Make them the project's", interactive=False, elem_id="set-filters-btn")
            gr.Markdown(
                "Only an admin sets the project's filters. What is stored already stays as it is.",
                elem_classes="muted",
            )
        with gr.Column(scale=6, min_width=320, elem_classes="pane", elem_id="dry-run"):
            bar_html, funnel_html, examples_html = progress_bar(), funnel_chart(), funnel_examples(NOT_TRIED)
    shown_state, found_state = gr.State(False), gr.State(None)
    page.on(
        tab.select, show_tab, [page.project_id, shown_state],
        [shown_state, profile_radio, caution_html, save_btn, against_dd, *inputs], problem=problem,
    )  # fmt: skip
    page.on(
        profile_radio.input, choose_profile, [page.project_id, profile_radio], [caution_html, *inputs],
        problem=problem,
    )  # fmt: skip
    tried = page.on(
        try_btn.click, try_on_stored, [page.project_id, against_dd, *inputs],
        [bar_html, funnel_html, examples_html, found_state], problem=problem, trigger_mode="once",
        concurrency_limit=4,
    )  # fmt: skip
    tried.then(fn=None, js="() => studio.reveal('dry-run')")
    page.on(
        funnel_html.stage, open_stage, [page.project_id, found_state], [funnel_html, examples_html],
        problem=problem,
    )  # fmt: skip
    page.on(
        save_btn.click, save, [page.project_id, *inputs], [profile_radio, caution_html], problem=problem,
        trigger_mode="once",
    )  # fmt: skip


def _fields() -> list:
    """The inputs of a profile, in the order of FIELDS."""
    made = {}
    with fold("Length"), gr.Row(elem_classes="field-grid"):
        made |= {name: _number(name, precision=0) for name in WORDS}
    with fold("Words and form"):
        for name in LISTS:
            made[name] = gr.Textbox(
                label=LABELS[name], lines=4, max_lines=10, elem_id=_slug(name), info="One a line."
            )
        for name, label in FLAGS.items():
            made[name] = gr.Checkbox(False, label=label, elem_id=_slug(name))
    with fold("Near copies"):
        made["compare_on"] = gr.Radio(
            [("Instruction and input", CompareOn.PROMPT.value), ("Instruction alone", "instruction")],
            value=CompareOn.PROMPT.value, label="Compared by", elem_id="field-compare-on",
        )  # fmt: skip
        with gr.Row(elem_classes="field-grid"):
            made |= {name: _number(name, info="Empty: the project's bound.") for name in ("copy", "variant")}
    with fold("Patient data and evaluation texts"):
        made["phi"] = gr.Radio(
            [("Drop the record", PhiRule.DROP.value), ("Keep it, flagged for review", PhiRule.FLAG.value)],
            value=PhiRule.DROP.value, label="What looks like patient data", elem_id="field-phi",
        )  # fmt: skip
        with gr.Row(elem_classes="field-grid"):
            made["contamination_run"] = _number("contamination_run", precision=0)
            made["contamination_near"] = _number("contamination_near")
            made["grounding_coverage"] = _number("grounding_coverage")
    return [made[name] for name in FIELDS]


def _number(name: str, *, precision: int | None = None, info: str | None = None) -> gr.Number:
    default = getattr(profiles.BIOMEDICAL, name)
    return gr.Number(default, label=LABELS[name], precision=precision, info=info, elem_id=_slug(name))


def _slug(name: str) -> str:
    return f"field-{name.replace('_', '-')}"
