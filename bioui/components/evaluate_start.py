"""The form of an evaluation at work: open it, offer the base, queue one run a model."""

from uuid import uuid4

import gradio as gr

from bioui import evaluating
from bioui.components.evaluate_form import (
    DEFAULTS,
    FIELDS,
    GROUPS,
    EvaluateForm,
    chosen_models,
    chosen_tasks,
    list_models,
    model_choices,
    task_choices,
)
from bioui.components.evaluate_run import NO_HEAD
from bioui.components.frame import Page
from bioui.components.spread import spread
from bioui.components.view import View
from bioui.evaluating import Watch
from bioui.handling import actor_of, linked, needs
from bioui.runs import worker_notice
from db import task_versions
from db.policy import Right
from db.session import read, write

RIGHT = Right.EVALUATE


@needs(RIGHT)
def open_form(project_id: int, models: list | None, request: gr.Request):
    """The form with a fresh key. What was chosen before stays; ?adapter= chooses that one."""
    with read() as session:
        known, tasks = list_models(session, project_id), task_versions.list_tasks(session, project_id)
        asked = f"adapter:{linked(request, 'adapter')}"
        chosen = [key for key in models or [asked] if key in {model.key for model in known}]
        groups = [task_choices(tasks, group) for group in GROUPS]
        return (
            evaluating.missing_notice(session, project_id) if not tasks else worker_notice(session),
            evaluating.runs_value(session, project_id),
            gr.Row(visible=True),
            gr.Column(visible=True),
            gr.Column(visible=False),
            NO_HEAD,
            Watch(),
            uuid4().hex,
            gr.Dropdown(choices=model_choices(known), value=chosen or None, multiselect=True),
            *(gr.CheckboxGroup(choices=offered, visible=bool(offered)) for offered in groups),
        )


@needs(RIGHT)
@spread("models", *GROUPS, "way")
def offer_base(project_id: int, values: tuple, request: gr.Request):
    """The box that adds the bases of the chosen adapters, where they have no score on the chosen tasks."""
    given = dict(zip(("models", *GROUPS, "way"), values, strict=True))
    with read() as session:
        models = [model for model in list_models(session, project_id) if model.key in (given["models"] or ())]
        wanted = evaluating.unscored_bases(session, project_id, models, chosen_tasks(given), given["way"])
        if not wanted:
            return gr.Checkbox(visible=False)
        return gr.Checkbox(visible=True, label=evaluating.base_words(session, wanted))


@needs(RIGHT)
@spread(*FIELDS)
def start(project_id: int, form_key: str, values: tuple, request: gr.Request):
    """Queue a run for each model; the same form pressed twice queues nothing more."""
    given = dict(zip(FIELDS, values, strict=True))
    with write() as session:
        models = chosen_models(list_models(session, project_id), given["models"])
        if not chosen_tasks(given):
            raise ValueError("tasks: choose at least one frozen task; the Tasks page freezes them.")
        actor = actor_of(session, request)
        queued, are_new = evaluating.start(session, actor, project_id, form_key or uuid4().hex, models, given)
        if not are_new:
            gr.Info("These runs were started already; here they are.")
        return evaluating.open_run(session, project_id, queued[0].id)


def wire(
    page: Page, form: EvaluateForm, worker_html: View, new_btn: gr.Button, beside: list, everything: list
) -> None:
    """Let the form work. `beside` is what it stands in and replaces, `everything` what a run shows."""
    key_state, way_dd = gr.State(""), form.inputs[FIELDS.index("way")]
    outputs = [worker_html, *beside, key_state, form.models_dd, *form.task_groups]
    begun = page.on(new_btn.click, open_form, [page.project_id, form.models_dd], outputs)
    begun.then(fn=None, js="() => studio.reveal('form-pane')")
    subject = [form.models_dd, *form.task_groups, way_dd]
    asked = [page.project_id, *subject]
    page.on(begun.then, offer_base, asked, [form.base_cb], problem=form.problem)
    for field in subject:
        page.on(field.input, offer_base, asked, [form.base_cb], problem=form.problem)
    filled = [page.project_id, key_state, *form.inputs]
    started = page.on(
        form.start_btn.click, start, filled, everything, problem=form.problem, trigger_mode="once"
    )
    started.then(fn=None, js="() => studio.reveal('run-pane')")


def default_values(**changed) -> tuple:
    """The form's values as it opens, in the order of FIELDS, with some changed."""
    nothing = {"models": [], "with_base": True, **{group: [] for group in GROUPS}}
    return tuple({**DEFAULTS, **nothing, **changed}[name] for name in FIELDS)
