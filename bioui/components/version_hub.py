"""Push of a version to the Hugging Face Hub: only where a token is configured, and after a second yes."""

import tempfile
from dataclasses import dataclass
from pathlib import Path

import gradio as gr

from bioui.components.frame import Page
from bioui.components.notice import NO_NOTICE, notice, notice_value
from bioui.components.problem import problem_area
from bioui.components.progress import NO_PROGRESS, progress_bar, progress_value
from bioui.components.version_panel import version_name
from bioui.components.view import View
from bioui.frozen import Reading, get_version_of
from bioui.handling import actor_of, needs
from bioui.present import counted, duration
from bioui.work import Work
from db.cards import dataset_card
from db.exchange import hub, records
from db.policy import Actor, PolicyError, Right
from db.session import Session, read, write
from db.tables import DatasetVersion

OUTPUTS = 5
TEMPLATE = "{{#if value.title}}<h3>{{value.title}}</h3><p class='pane-lead'>{{value.text}}</p>{{/if}}"
NO_INTRO = {"title": "", "text": ""}
ASK = "{{#if value.text}}<p>{{value.text}}</p>{{/if}}"


@dataclass
class Push:
    """A push on its way: what it is doing, and then what came of it."""

    request: gr.Request
    project_id: int
    version_id: int
    repository: str
    private: bool
    phase: str = "writing the files"

    def run(self, report) -> hub.Pushed:
        with tempfile.TemporaryDirectory(prefix="push-") as folder:
            with read() as session:
                actor = actor_of(session, self.request)
                version = get_version_of(session, self.project_id, self.version_id)
                card = dataset_card(session, version.id)
                staged = hub.stage_version(session, actor, version.id, Path(folder), card=card)
            self.phase = f"uploading to {self.repository}"
            pushed = hub.push_apart(staged, self.repository, private=self.private)
        with write() as session:
            hub.record_push(session, actor_of(session, self.request), staged, pushed)
        return pushed


def hub_values(session: Session, actor: Actor, version: DatasetVersion) -> tuple:
    """The whole part, its words, its form, the second question, the last result: as the tab opens."""
    project_id = version.dataset.project_id
    if not (actor.can(Right.FREEZE) and hub.is_configured(session, project_id)):
        closed = gr.Column(visible=False)
        return closed, NO_INTRO, closed, closed, NO_NOTICE
    stay = records.of_version(session, actor, version.id).restricted
    token = hub.token_variable(session, project_id)
    said = (
        f"{stay:,} of its rows are under a data-use agreement and never leave, so this version cannot be "
        "pushed. Freeze a version without them and push that."
        if stay
        else f"One commit with the card and a Parquet file a split, with the token in {token}. The rows "
        "leave this studio."
    )
    intro = {"title": "Push to the Hugging Face Hub", "text": said}
    return (
        gr.Column(visible=True), intro, gr.Column(visible=not stay), gr.Column(visible=False), NO_NOTICE,
    )  # fmt: skip


@needs(Right.FREEZE)
def ask(project_id: int, reading: Reading, repository: str, private: bool, request: gr.Request):
    """What is about to happen, in one sentence, before it does."""
    name = hub.require_repository((repository or "").strip())
    with read() as session:
        version = get_version_of(session, project_id, reading.version_id)
        rows = counted(sum(version.counts.values()), "row")
        shown = version_name(version)
    who = (
        "Only people with access to the repository will see them."
        if private
        else "Everybody on the internet will see them, and may have copied them before you take them back."
    )
    kind = "a private" if private else "a PUBLIC"
    return gr.Column(visible=True), {"text": f"Push {rows} of {shown} to {name}, {kind} dataset? {who}"}


@needs(Right.FREEZE)
def withdraw(request: gr.Request):
    return gr.Column(visible=False)


@needs(Right.FREEZE)
def push(project_id: int, reading: Reading, repository: str, private: bool, request: gr.Request):
    """Stage, upload and note it. Once begun it goes on, whether somebody watches or not."""
    name = hub.require_repository((repository or "").strip())
    pushing = Push(request, project_id, reading.version_id, name, bool(private))
    work = Work(pushing.run)
    for _ in work.watch():
        note = f"{duration(work.seconds)} so far"
        yield progress_value(pushing.phase, 0, 0, note=note), gr.Column(visible=False), NO_NOTICE
    try:
        pushed = work.result()
    except (PolicyError, LookupError, ValueError):
        yield NO_PROGRESS, gr.skip(), gr.skip()
        raise
    done = notice_value(
        f"Pushed to {pushed.repository}", f"Commit {pushed.commit[:12]}.", hue="approved",
        links={"Open it on the Hub": pushed.url},
    )  # fmt: skip
    yield NO_PROGRESS, gr.skip(), done


def hub_part(page: Page, reading_state: gr.State) -> list:
    """Lay the part out; its outputs are those of `hub_values`."""
    with gr.Column(visible=False, elem_classes="section hub-part", elem_id="hub-part") as whole_col:
        intro_html = View(TEMPLATE, NO_INTRO)
        problem = problem_area()
        with gr.Column(visible=False) as form_col:
            with gr.Row(elem_classes="field-row"):
                repository_tb = gr.Textbox(
                    label="Repository", placeholder="ward-7/questions", elem_id="field-repository",
                    info="owner/name; made when it is new.",
                )  # fmt: skip
                private_check = gr.Checkbox(
                    True, label="Private", elem_id="field-private", info="Off: everybody can read it."
                )
            with gr.Row(elem_classes="actions"):
                push_btn = gr.Button("Push to the Hub")
        with gr.Column(visible=False, elem_classes="confirm") as confirm_col:
            ask_html = View(ASK, {"text": ""})
            with gr.Row(elem_classes="actions"):
                yes_btn = gr.Button("Push it", variant="stop")
                no_btn = gr.Button("Keep it here")
        progress_html = progress_bar()
        notice_html = notice()
    given = [page.project_id, reading_state, repository_tb, private_check]
    page.on(push_btn.click, ask, given, [confirm_col, ask_html], problem=problem)
    page.on(no_btn.click, withdraw, [], [confirm_col], problem=problem)
    for field in (repository_tb, private_check):
        page.on(field.input, withdraw, [], [confirm_col], problem=problem)  # asked again of what is there now
    page.on(yes_btn.click, push, given, [progress_html, confirm_col, notice_html], problem=problem)
    return [whole_col, intro_html, form_col, confirm_col, notice_html]
