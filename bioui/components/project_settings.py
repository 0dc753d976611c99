"""The project's settings on the Admin page, and what its privacy checks look for and cannot see."""

import math
from threading import Lock

import gradio as gr

from bioui.components.fold import fold
from bioui.components.frame import Page
from bioui.components.notice import NO_NOTICE, failure_value, notice, notice_value
from bioui.components.problem import problem_area
from bioui.components.progress import NO_PROGRESS, progress_bar, progress_value
from bioui.components.view import View
from bioui.handling import actor_of, needs
from bioui.present import counted
from bioui.work import Work
from db import privacy_sweep, projects, unreviewed
from db.checks import phi
from db.double_review import ReviewSettings, get_review_settings, set_review_settings
from db.duplicates import DuplicateRule, rule_of, set_rule
from db.exchange import hub
from db.policy import Actor, Right
from db.privacy_sweep import Swept
from db.session import Session, read, write
from db.unreviewed import UnreviewedRule

TOKEN = """
{{#if value.variable}}<p class="field-help">{{#if value.is_set}}<b>{{value.variable}}</b> is set where the
  studio runs: versions can be pushed.{{else}}<b>{{value.variable}}</b> is not set where the studio runs:
  nothing can be pushed. Set it there and restart the studio.{{/if}}</p>{{/if}}
"""
NO_TOKEN = {"variable": "", "is_set": False}
LOOKED_FOR = """
{{#if value.checked}}<div class="looked-for">
  <div><h4>What it looks for</h4><ul>{{#each value.checked}}<li>{{this}}</li>{{/each}}</ul></div>
  <div><h4>What it cannot see</h4><ul>{{#each value.not_checked}}<li>{{this}}</li>{{/each}}</ul></div></div>
{{/if}}
"""
NOT_LOOKED = {"checked": [], "not_checked": []}
HOW_TO_NAMES = """
Names of people, places and organisations need a language model on this machine. Put the folder of a
[spaCy](https://spacy.io/usage/saving-loading) pipeline with an entity recogniser here: what
`nlp.to_disk(folder)` writes, or the folder inside a model package such as `en_core_web_sm`. Name it by
the environment variable `STUDIO_NER_DIR`, restart the studio, and check every record again. Nothing is
fetched, and no text leaves the machine. Without it, names are not found: read for them.
"""

_running: dict[int, Work[Swept]] = {}  # by project: a second press watches the check that runs
_one_at_a_time = Lock()


# data -------------------------------------------------------------------------------------------------


def settings_value(session: Session, project_id: int) -> tuple[float, float, float, str, dict, float, int]:
    """Percent of double review, the two bounds, the token's variable and whether it is set, and what samples
    must show: percent accepted and records.
    """
    project = projects.get_project(session, project_id)
    rule, asked = rule_of(project), unreviewed.rule_of(project)
    share = get_review_settings(session, project_id).double_share
    variable = hub.token_variable(session, project_id)
    token = {"variable": variable, "is_set": hub.is_configured(session, project_id)}
    accepted = round(asked.acceptance * 100, 4)
    return round(share * 100, 4), rule.copy, rule.variant, variable, token, accepted, asked.sample


def looked_for_value() -> tuple[dict, dict]:
    """What the privacy checks look for and cannot see, and a notice where the model for names is broken."""
    try:
        return {"checked": list(phi.checked()), "not_checked": list(phi.not_checked())}, NO_NOTICE
    except ValueError as error:
        broken = failure_value(
            "The model for names cannot be loaded.",
            str(error),
            "Until that is mended, nothing can be saved or approved: a check that fails must not pass for a "
            "clean text. Mend the folder, or take STUDIO_NER_DIR away, and restart the studio.",
        )
        return NOT_LOOKED, broken


def share_of(percent: float | None) -> float:
    """A percentage as a share. Raises ValueError, naming the field, for what is none."""
    if isinstance(percent, bool) or not isinstance(percent, int | float) or not math.isfinite(percent):
        raise ValueError("double_share: give a number from 0 to 100.")
    if not 0 <= percent <= 100:
        raise ValueError(f"double_share: {percent:g} is not a percentage; give 0 to 100, such as 20.")
    return percent / 100


def acceptance_of(percent: float | None) -> float:
    """The acceptance that a sample must show, as a share. Raises ValueError, naming the field."""
    if isinstance(percent, bool) or not isinstance(percent, int | float) or not math.isfinite(percent):
        raise ValueError("acceptance: give a number from 0 to 99.")
    if not 0 <= percent <= 99:
        raise ValueError(f"acceptance: {percent:g} % is not from 0 to 99; 80 is usual.")
    return percent / 100


def swept_value(swept: Swept, project_id: int) -> dict:
    """What a check of every record found, and where to go on."""
    checked = f"{counted(swept.records, 'record')} checked."
    if not swept.flags:
        return notice_value(checked, "Nothing new was found.", hue="approved")
    return notice_value(
        checked,
        f"{counted(swept.flags, 'passage')} that nobody has looked at yet look like patient data. What is "
        "flagged can be neither approved nor frozen until it is mended, or cleared with a reason.",
        hue="review",
        links={"See the flagged records": f"/curate?project={project_id}&flagged=yes"},
    )


# handlers ---------------------------------------------------------------------------------------------


@needs(Right.MANAGE_PROJECT)
def show_settings(project_id: int, request: gr.Request):
    with read() as session:
        return settings_value(session, project_id)


@needs(Right.MANAGE_PROJECT)
def show_looked_for(project_id: int, request: gr.Request):
    """On its own: a model for names takes seconds to load the first time."""
    return looked_for_value()


@needs(Right.MANAGE_PROJECT)
def save_settings(
    project_id: int, percent, copy, variant, variable: str, accepted, sample, request: gr.Request
):
    """Store what differs, all of it or nothing."""
    wanted = ReviewSettings(share_of(percent))
    rule = DuplicateRule(copy=copy, variant=variant)
    asked = UnreviewedRule(acceptance_of(accepted), sample)
    with write() as session:
        actor = actor_of(session, request)
        if wanted != get_review_settings(session, project_id):
            set_review_settings(session, actor, project_id, wanted)
        if rule != rule_of(projects.get_project(session, project_id)):
            set_rule(session, actor, project_id, rule)
        if asked != unreviewed.rule_of(projects.get_project(session, project_id)):
            unreviewed.set_rule(session, actor, project_id, asked)
        if (variable or "").strip() != hub.token_variable(session, project_id):
            hub.set_token_variable(session, actor, project_id, variable or "")
        session.flush()
        saved = settings_value(session, project_id)
    gr.Success("Settings saved.")
    return saved


@needs(Right.MANAGE_PROJECT)
def check_again(project_id: int, request: gr.Request):
    """Check every record; closing the page does not stop it, and pressing again watches the one that runs."""
    with read() as session:
        actor = actor_of(session, request)
        total = len(privacy_sweep.list_records(session, project_id))
    work = _begin_check(actor, project_id)
    try:
        for done in work.watch():
            yield (
                progress_value("Checking every record", done, total, unit="records", seconds=work.seconds),
                NO_NOTICE,
            )
        swept = work.result()
    except ValueError:
        yield NO_PROGRESS, NO_NOTICE
        raise
    yield NO_PROGRESS, swept_value(swept, project_id)


def _begin_check(actor: Actor, project_id: int) -> Work[Swept]:
    """The check of that project that runs, or a new one."""

    def job(report) -> Swept:
        try:
            return privacy_sweep.sweep(actor, project_id, report)
        finally:
            with _one_at_a_time:
                del _running[project_id]

    with _one_at_a_time:
        if project_id not in _running:
            _running[project_id] = Work(job)
        return _running[project_id]


# layout and wiring ------------------------------------------------------------------------------------


def project_settings(page: Page) -> None:
    """The form of the open project's settings, laid out where it is called."""
    problem = problem_area()
    with gr.Column(elem_classes="settings-group"):
        gr.Markdown("### Double review")
        percent_num = gr.Number(
            label="Submissions that two people review, in percent", value=0, elem_id="field-double-share",
            info="Drawn by chance; the second reviewer does not see the first decision, and a third person "
            "settles it where they differ. 0 is off; 10 to 20 is enough to measure agreement.",
        )  # fmt: skip
    with gr.Column(elem_classes="settings-group"):
        gr.Markdown("### Near-duplicates")
        copy_num = gr.Number(
            label="A copy scores above", value=DuplicateRule.copy, step=0.01, elem_id="field-copy",
            info="ROUGE-L with the nearest stored instruction, 0.3 to 1. A text above it stops until it is "
            "changed, or kept with a reason. 0.7 unless told, as in Self-Instruct.",
        )  # fmt: skip
        variant_num = gr.Number(
            label="A variant scores above", value=DuplicateRule.variant, step=0.01, elem_id="field-variant",
            info="The same for two texts that each name something else, such as metformin and lisinopril. "
            "0.95 unless told; at the number above it, variants stop as copies do.",
        )  # fmt: skip
    with gr.Column(elem_classes="settings-group"):
        gr.Markdown("### Rows that nobody reviewed")
        accepted_num = gr.Number(
            label="Accepted of the sample, in percent at least", value=80, elem_id="field-acceptance",
            info="A version may be frozen with unreviewed rows of a generation run when the lower end of its "
            "audit sample's 95 % interval reaches this. 80 unless told; 0 asks for a finished sample only.",
        )  # fmt: skip
        sample_num = gr.Number(
            label="Records in the sample, at least", value=UnreviewedRule.sample, step=1,
            elem_id="field-sample",
            info="Or all that the run had kept, where that is fewer. 50 unless told: with all 50 accepted "
            "the interval reaches down to 93 %, with 45 of them to 79 %.",
        )  # fmt: skip
    with gr.Column(elem_classes="settings-group"):
        gr.Markdown("### Hugging Face Hub")
        variable_tb = gr.Textbox(
            label="Environment variable of the token", elem_id="field-token-variable", max_length=200,
            info="The name only: the token itself stays where the studio runs and is never stored. "
            "HF_TOKEN unless told.",
        )  # fmt: skip
        token_html = View(TOKEN, NO_TOKEN)
    with gr.Row(elem_classes="actions"):
        save_btn = gr.Button("Save settings", elem_id="save-btn")
    saved = [percent_num, copy_num, variant_num, variable_tb, token_html, accepted_num, sample_num]
    page.on_load(show_settings, saved)
    typed = [page.project_id, percent_num, copy_num, variant_num, variable_tb, accepted_num, sample_num]
    page.on(save_btn.click, save_settings, typed, saved, problem=problem)


def privacy_checks(page: Page) -> None:
    """What the checks look for and cannot see, and a way to check every record again."""
    with gr.Column(elem_classes="section"):
        gr.Markdown("## Privacy checks")
        gr.Markdown(
            "Every text is checked when it is saved, imported, approved and frozen. No check finds "
            "everything: it helps those who read, it does not replace them.",
            elem_classes="muted",
        )
        problem = problem_area()
        looked_html, broken_html = View(LOOKED_FOR, NOT_LOOKED), notice()
        with fold("Find names too, with a model of your own"):
            gr.Markdown(HOW_TO_NAMES, elem_classes="how-to-names")
        with gr.Row(elem_classes="actions"):
            again_btn = gr.Button("Check every record again", elem_id="check-again-btn")
        gr.Markdown(
            "For records older than the check, and after another model for names was set. Others can go on "
            "working meanwhile, and it goes on when you leave this page.",
            elem_classes="muted",
        )
        progress_html, done_html = progress_bar(), notice()
    page.on_load(show_looked_for, [looked_html, broken_html])
    page.on(
        again_btn.click, check_again, [page.project_id], [progress_html, done_html], problem=problem
    )  # fmt: skip
