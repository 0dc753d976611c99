"""The person says once a login that no patient data will be typed; pages that send prompts ask for it first.

A page lays it out with `acknowledgement(page)`; each handler that sends a prompt calls
`require_acknowledged(session, request)`.
"""

import gradio as gr

from bioui.components.frame import Page
from bioui.components.view import View
from bioui.gate import COOKIE
from bioui.handling import actor_of, needs
from bioui.present import ago
from db import acknowledgements
from db.policy import Right
from db.session import Session, read, write

TEMPLATE = """
{{#if value.asks}}
<section class="acknowledge" aria-labelledby="acknowledge-title">
  <h2 id="acknowledge-title">Before you type: no patient data</h2>
  <p>Prompts and answers are stored here, and others of this project read them. Type nothing that could
  identify a person: no name, date of birth, address, telephone or record number, no report pasted as it is.
  Change an example until nobody could be recognised.</p>
  <button type="button" class="primary-btn" data-acknowledge>{{value.sentence}}</button>
  <small>Asked once a login, and noted in the audit log.</small>
</section>
{{/if}}
{{#if value.said}}<p class="acknowledged">{{value.said}}</p>{{/if}}
"""
ON_LOAD = """
element.addEventListener('click', (event) => {
  const button = event.target.closest('[data-acknowledge]');
  if (button) { button.disabled = true; trigger('give', {}); }
});
"""
NOTHING = {"asks": False, "sentence": acknowledgements.SENTENCE, "said": ""}


def token_of(request: gr.Request) -> str:
    """The cookie of the login session behind a request; "" where there is none."""
    return (getattr(request, "cookies", None) or {}).get(COOKIE) or ""


def require_acknowledged(session: Session, request: gr.Request) -> None:
    """Raises PolicyError until the person said so in this login session."""
    acknowledgements.require_given(session, token_of(request))


def acknowledgement_value(session: Session, request: gr.Request) -> dict:
    """The question, or when it was answered."""
    given = acknowledgements.given_at(session, token_of(request))
    if given is None:
        return {**NOTHING, "asks": True}
    return {**NOTHING, "said": f"✓ You said {ago(given)} that you will type no patient data."}


@needs(Right.COMPARE)
def show_acknowledgement(project_id: int, request: gr.Request):
    with read() as session:
        return acknowledgement_value(session, request)


@needs(Right.COMPARE)
def acknowledge(request: gr.Request):
    with write() as session:
        acknowledgements.give(session, actor_of(session, request), token_of(request))
        session.flush()
        return acknowledgement_value(session, request)


def acknowledgement(page: Page) -> View:
    """Lay it out and wire it."""
    html = View(TEMPLATE, NOTHING, on_load=ON_LOAD, elem_classes="acknowledge-view")
    page.on_load(show_acknowledgement, html)
    page.on(html.give, acknowledge, None, html)
    return html
