"""What an adapter scores on each task, and whether it passes the regression gate, on the Models page."""

import gradio as gr

from bioui import boards
from bioui.components import gate_badge
from bioui.components.frame import Page
from bioui.components.view import View
from bioui.handling import needs
from db import registry
from db.policy import Right
from db.session import read

TEMPLATE = """
{{#if value.shown}}<h3>Evaluation</h3>
{{#with value.gate}}@gate{{/with}}
{{#if value.scores}}<ul class="score-list">{{#each value.scores}}<li>
  {{#if this.href}}<a href="{{this.href}}">{{this.name}}</a>{{else}}{{this.name}}{{/if}}: {{this.score}}
  {{#if this.gain}}<span class="lb-sure lb-{{this.hue}}"><span aria-hidden="true">{{this.icon}}</span>
    {{this.gain}}, {{this.sure}}</span>{{/if}}</li>{{/each}}</ul>
<p><a href="{{value.href}}">All gains on the leaderboard</a></p>
{{else}}<p class="muted">No score yet. <a href="{{value.href}}">Evaluate it</a> on frozen tasks.</p>
{{/if}}{{/if}}
""".replace("@gate", gate_badge.TEMPLATE)
NOTHING = {"shown": False, "scores": [], "gate": None, "href": ""}


@needs(Right.READ)
def show_scores(project_id: int, opened, request: gr.Request):
    """The scores of the open adapter; nothing where a base is open, or nothing is."""
    if not opened.adapter_id:
        return NOTHING
    with read() as session:
        adapter = registry.get_adapter(session, opened.adapter_id)
        if adapter.project_id != project_id:
            raise LookupError(f"This project has no adapter number {adapter.id}.")
        return boards.adapter_scores(session, adapter)


def model_scores(page: Page, opened_state: gr.State, steps: list[gr.events.Dependency]) -> None:
    """Lay the part out where it is called; `steps` are the events after which another model is open."""
    scores_html = View(TEMPLATE, NOTHING, elem_classes="model-scores")
    for step in steps:
        page.on(step.then, show_scores, [page.project_id, opened_state], scores_html, problem=gr.State(None))
