"""The controls under the head of an open run, the same on every page of runs: cancel, and resume.

Cancelling asks first, in words that say what becomes of what was done.
"""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import gradio as gr

from bioui.components.frame import Page
from bioui.components.view import View
from bioui.handling import actor_of, needs
from db import jobs
from db.policy import Actor, Right
from db.session import Session, read, write


@dataclass(frozen=True)
class RunControl:
    """The components; a page shows and hides `buttons` and, with each run it opens, hides `confirm_col`."""

    cancel_btn: gr.Button
    resume_btn: gr.Button
    confirm_col: gr.Column
    confirm_html: View
    stop_btn: gr.Button
    keep_btn: gr.Button

    @property
    def buttons(self) -> list[gr.Button]:
        return [self.cancel_btn, self.resume_btn]


def run_control(noun: str = "run") -> RunControl:
    with gr.Row(elem_classes="actions"):
        cancel_btn = gr.Button(f"Cancel {noun}", size="sm", visible=False)
        resume_btn = gr.Button("Resume", visible=False)
    with gr.Column(visible=False, elem_classes="confirm") as confirm_col:
        confirm_html = View("<p>{{value.text}}</p>", {"text": ""})
        with gr.Row(elem_classes="actions"):
            stop_btn = gr.Button("Stop it", variant="stop", size="sm")
            keep_btn = gr.Button("Keep running", size="sm")
    return RunControl(cancel_btn, resume_btn, confirm_col, confirm_html, stop_btn, keep_btn)


def stop_job(session: Session, actor: Actor, job) -> None:
    jobs.request_cancel(session, actor, job.id)


def resume_job(session: Session, actor: Actor, job) -> None:
    jobs.requeue(session, actor, job.id)


@dataclass(frozen=True)
class RunHandlers:
    """What the buttons call; all but `keep_running` take (project_id, request)."""

    ask_cancel: Callable
    keep_running: Callable
    cancel: Callable
    resume: Callable


def run_handlers(
    *,
    find: Callable[[Session, int, gr.Request], Any],
    question: Callable[[Session, Any], str],
    show: Callable[[Session, int, Any, gr.Request], tuple],
    stop: Callable[[Session, Actor, Any], Any] = stop_job,
    go_on: Callable[[Session, Actor, Any], Any] = resume_job,
) -> RunHandlers:
    """Handlers for the run that `find` gives by project and address (it raises LookupError for none).

    `show` gives what the page shows once the run is stopped or goes on.
    """

    @needs(Right.EVALUATE)
    def ask_cancel(project_id: int, request: gr.Request):
        with read() as session:
            run = find(session, project_id, request)
            return gr.Column(visible=True), {"text": question(session, run)}

    @needs(Right.EVALUATE)
    def keep_running(request: gr.Request):
        return gr.Column(visible=False)

    @needs(Right.EVALUATE)
    def cancel(project_id: int, request: gr.Request):
        return _done(stop, project_id, request)

    @needs(Right.EVALUATE)
    def resume(project_id: int, request: gr.Request):
        return _done(go_on, project_id, request)

    def _done(act: Callable, project_id: int, request: gr.Request) -> tuple:
        with write() as session:
            run = find(session, project_id, request)
            act(session, actor_of(session, request), run)
            session.flush()
            return show(session, project_id, run, request)

    return RunHandlers(ask_cancel, keep_running, cancel, resume)


def wire_run_control(page: Page, control: RunControl, handlers: RunHandlers, outputs: list) -> list:
    """Wire the buttons; gives the events after which `outputs` show the run anew."""
    here = [page.project_id]
    page.on(control.cancel_btn.click, handlers.ask_cancel, here, [control.confirm_col, control.confirm_html])
    page.on(control.keep_btn.click, handlers.keep_running, None, [control.confirm_col])
    return [
        page.on(control.stop_btn.click, handlers.cancel, here, outputs, trigger_mode="once"),
        page.on(control.resume_btn.click, handlers.resume, here, outputs, trigger_mode="once"),
    ]
