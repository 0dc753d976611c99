"""Where the ends of a project's runs are told, and how the latest tellings went."""

import gradio as gr

from bioui.components.frame import Page
from bioui.components.problem import problem_area
from bioui.components.view import View
from bioui.handling import actor_of, needs
from bioui.present import ago, exact
from db import notices
from db.notices import Webhook
from db.policy import Right
from db.projects import get_project
from db.session import Session, read, write

TEMPLATE = """
{{#if value.notices}}<div class="table-scroll"><table class="table">
  <caption class="sr-only">The latest notices</caption>
  <thead><tr><th scope="col">Run</th><th scope="col">Ended</th><th scope="col">Told</th></tr></thead>
  <tbody>{{#each value.notices}}<tr><td>{{this.name}}</td><td>{{this.status}}</td>
    <td title="{{this.exact}}">{{this.told}}
      {{#if this.error}}<span class="cell-note">{{this.error}}</span>{{/if}}</td>
  </tr>{{/each}}</tbody></table></div>{{/if}}
"""
NO_NOTICES = {"notices": []}


def webhook_values(session: Session, project_id: int) -> tuple:
    """URL, consent, the secret's variable, the latest notices."""
    webhook = notices.webhook_of(get_project(session, project_id))
    told = [_shown(notice) for notice in notices.list_notices(session, project_id)]
    return webhook.url, webhook.private, webhook.secret_variable, {"notices": told}


def _shown(notice) -> dict:
    if notice.sent_at:
        told = ago(notice.sent_at)
    else:
        told = "given up" if notice.given_up else f"after {notice.tries} tries not yet"
    return {
        "name": notice.body["name"],
        "status": notice.body["status"].capitalize(),
        "told": told,
        "exact": exact(notice.sent_at or notice.created_at),
        "error": notice.error,
    }


@needs(Right.MANAGE_PROJECT)
def show_webhook(project_id: int, request: gr.Request):
    with read() as session:
        return webhook_values(session, project_id)


@needs(Right.MANAGE_PROJECT)
def save_webhook(project_id: int, url: str, private: bool, variable: str, request: gr.Request):
    with write() as session:
        webhook = Webhook((url or "").strip(), bool(private), (variable or "").strip())
        notices.set_webhook(session, actor_of(session, request), project_id, webhook)
        session.flush()
        saved = webhook_values(session, project_id)
    gr.Success("Saved." if webhook.url else "Saved: nobody is told.", duration=4)
    return saved


def webhook_form(page: Page) -> None:
    """The form, laid out where it is called."""
    with gr.Column(elem_classes="section"):
        gr.Markdown("## When a run ends")
        problem = problem_area()
        url_tb = gr.Textbox(
            label="Webhook", max_lines=1, max_length=500, elem_id="field-webhook",
            info="Is sent the run's name, how it ended and a link, as JSON; never an instruction's text. "
            "Empty: nobody is told.",
        )  # fmt: skip
        private_cb = gr.Checkbox(
            label="It may be a private address", elem_id="field-webhook-private",
            info="On this machine or within your network.",
        )  # fmt: skip
        variable_tb = gr.Textbox(
            label="Environment variable of its secret", max_lines=1, max_length=64,
            elem_id="field-secret-variable",
            info="The name only, ending in _SECRET; its value goes along as a bearer token. Empty: none.",
        )  # fmt: skip
        with gr.Row(elem_classes="actions"):
            save_btn = gr.Button("Save webhook", elem_id="save-webhook-btn")
        told_html = View(TEMPLATE, NO_NOTICES)
    saved = [url_tb, private_cb, variable_tb, told_html]
    page.on_load(show_webhook, saved)
    given = [page.project_id, url_tb, private_cb, variable_tb]
    page.on(save_btn.click, save_webhook, given, saved, problem=problem)
