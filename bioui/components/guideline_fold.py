"""The guidelines in force beside the work they are for, and the version a record was reviewed under."""

from dataclasses import dataclass

import gradio as gr

from bioui.components.fold import TEMPLATE as FOLD_LABEL
from bioui.components.frame import Page
from bioui.components.guideline_text import guideline_text, rendered
from bioui.components.view import View
from bioui.handling import needs
from bioui.present import ago, exact
from db import guidelines
from db.policy import Right
from db.session import Session, read
from db.tables import Instruction

PATH = "/guidelines"
FOOT = """
<p class="guideline-foot">{{#if value.who}}<span>Written by {{value.who}},
  <time title="{{value.exact}}">{{value.ago}}</time></span>{{else}}<span>Nobody has written any for this
  project yet.</span>{{/if}} <a href="{{value.href}}" target="_blank">{{value.link}}</a></p>
"""
NO_FOOT = {"who": "", "ago": "", "exact": "", "href": PATH, "link": "Open the guidelines"}
NOT_REVIEWED = {"text": "", "href": "", "title": ""}

# For inclusion in a template, inside {{#with value.reviewed_under}} or the like, which holds
# reviewed_under_value(...); it shows nothing for NOT_REVIEWED.
REVIEWED_UNDER = """
{{#if this.text}}<a class="reviewed-under" href="{{this.href}}"
  title="{{this.title}}">{{this.text}}</a>{{/if}}
"""


@dataclass(frozen=True)
class GuidelineFold:
    """`whole` is the column that opens and closes; `outputs` is what `show_fold` fills."""

    whole: gr.Column
    outputs: tuple


def guideline_href(project_id: int, number: int | None = None) -> str:
    """The address of the guidelines of a project, or of one version of them."""
    version = f"&version={number}" if number is not None else ""
    return f"{PATH}?project={project_id}{version}"


def fold_value(session: Session, project_id: int) -> tuple[str, str, dict]:
    """The fold's label, the rendered text, and the line below it."""
    current = guidelines.current_guideline(session, project_id)
    href = guideline_href(project_id)
    if current is None:
        return "Guidelines", "", {**NO_FOOT, "href": href}
    foot = {
        "who": current.author.full_name,
        "ago": ago(current.created_at),
        "exact": exact(current.created_at),
        "href": href,
        "link": "All versions",
    }
    return f"Guidelines, version {current.number}", rendered(current.body), foot


def reviewed_under_value(session: Session, instruction: Instruction) -> dict:
    """A sentence for the head of a record, with the address of that version; NOT_REVIEWED without one."""
    under = guidelines.reviewed_under(session, instruction)
    if under is None:
        return NOT_REVIEWED
    current = guidelines.current_guideline(session, instruction.project_id)
    is_old = current is not None and current.number != under.number
    return {
        "text": f"Reviewed under guidelines version {under.number}",
        "href": guideline_href(instruction.project_id, under.number),
        "title": f"Version {current.number} is in force now" if is_old else "The version in force",
    }


def show_fold(project_id: int, request: gr.Request):
    with read() as session:
        return fold_value(session, project_id)


def guideline_fold(page: Page, *, right: Right = Right.READ) -> GuidelineFold:
    """The fold, laid out where it is called and filled when the page opens; `right` is the page's own."""
    with gr.Column(elem_classes="fold guideline-fold") as whole:
        label_html = View(FOLD_LABEL, "Guidelines", elem_classes="fold-label")
        with gr.Column(elem_classes="fold-body"):
            text_md = guideline_text()
            foot_html = View(FOOT, NO_FOOT)
    outputs = (label_html, text_md, foot_html)
    page.on_load(needs(right)(show_fold), outputs)
    return GuidelineFold(whole, outputs)
