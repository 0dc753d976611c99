"""Admin: who may do what here, the project's settings, and the trail of what was done."""

import gradio as gr

from bioui.components.empty import empty_state
from bioui.components.fold import fold
from bioui.components.frame import Page, page_frame
from bioui.components.handover import NO_LINK, handover, handover_value
from bioui.components.problem import problem_area
from bioui.components.project_settings import privacy_checks, project_settings
from bioui.components.retention_form import retention_form
from bioui.components.table import Column, Trail, cell, row_id, table, table_value
from bioui.components.view import View
from bioui.components.webhook_form import webhook_form
from bioui.handling import actor_of, needs
from bioui.present import ago, audit_row, exact
from db import audit, projects, users
from db.enums import Role
from db.policy import Right
from db.session import Session, read, write
from db.tables import User

TITLE = "Admin"
PATH = "/admin"
RIGHT = Right.MANAGE_USERS

AUDIT_ROWS = 25
ROLES = [
    ("Author: writes instructions", Role.AUTHOR.value),
    ("Reviewer: approves the work of others, freezes versions", Role.REVIEWER.value),
    ("Trainer: freezes versions, tunes models", Role.TRAINER.value),
    ("Clinician: compares and votes on answers", Role.CLINICIAN.value),
    ("Admin: everything, people included", Role.ADMIN.value),
]
PEOPLE = (Column("Name", "long"), Column("Roles"), Column("Status", "status"), Column("Since", "time"))
LINES = (Column("When", "time"), Column("Who"), Column("What", "long"))
NO_PEOPLE = empty_state("Nobody yet.", "People you invite appear here.")
NO_LINES = empty_state("Nothing yet.", "Every change is noted here, never the texts themselves.")
PERSON = """
{{#if value.id}}<h2>{{value.name}}</h2><p class="muted">{{value.username}} · {{value.status}}</p>
{{else}}<h2>Invite someone</h2>
<p class="muted">They get a one-time link and choose their own password.</p>{{/if}}
"""
NOBODY = {"id": 0, "name": "", "username": "", "status": ""}


# Data -------------------------------------------------------------------------------------------------


def people_value(session: Session, current_id: int = 0) -> dict:
    rows = [
        {
            "id": user.id,
            "opens": True,
            "cells": [
                cell(user.full_name, note=user.username),
                cell(", ".join(sorted(grant.role for grant in user.roles))),
                _status_cell(user),
                cell(ago(user.created_at), title=exact(user.created_at)),
            ],
        }
        for user in users.list_users(session)
    ]
    return table_value(PEOPLE, rows, empty=NO_PEOPLE, current_id=current_id)


def lines_value(session: Session, trail: Trail) -> tuple[dict, int | None]:
    """The table of audit lines, and the id the next page begins below (None at the end)."""
    lines = audit.list_lines(session, before_id=trail.before_id, limit=AUDIT_ROWS + 1)
    following = lines[AUDIT_ROWS - 1].id if len(lines) > AUDIT_ROWS else None
    names = {user.id: user.full_name for user in users.list_users(session)}
    rows = []
    for line in lines[:AUDIT_ROWS]:
        told = audit_row(line, names)
        cells = [cell(told["ago"], title=told["exact"]), cell(told["who"]), cell(told["what"])]
        rows.append({"id": line.id, "cells": cells})
    value = table_value(
        LINES, rows, empty=NO_LINES, trail=trail, page_rows=AUDIT_ROWS, next_before_id=following
    )
    return value, following


def link_url(request: gr.Request, token: str) -> str:
    """The address of an invitation as the admin's own browser reaches this studio."""
    return f"{request.url.scheme}://{request.headers['host']}/invite?token={token}"


def status_of(user: User) -> tuple[str, str]:
    """The word for where an account stands, and its chip's hue."""
    if not user.is_active:
        return "Deactivated", "draft"
    return ("Active", "approved") if user.password_hash else ("Invited", "review")


def person_shown(user: User | None) -> tuple:
    """What the pane shows: the account's id, heading and roles, the open form, the last button's word."""
    if user is None:
        return 0, NOBODY, [], gr.update(visible=True), gr.update(visible=False), gr.skip()
    heading = {
        "id": user.id,
        "name": user.full_name,
        "username": user.username,
        "status": status_of(user)[0],
    }
    roles = sorted(grant.role.value for grant in user.roles)
    word = "Deactivate" if user.is_active else "Let in again"
    return user.id, heading, roles, gr.update(visible=False), gr.update(visible=True), gr.update(value=word)


def _status_cell(user: User) -> dict:
    text, hue = status_of(user)
    return cell(text, chip=hue)


# Handlers ---------------------------------------------------------------------------------------------


@needs(RIGHT)
def show_people(project_id: int, request: gr.Request) -> dict:
    with read() as session:
        return people_value(session)


@needs(RIGHT)
def show_project(project_id: int, request: gr.Request) -> dict:
    with read() as session:
        project = projects.get_project(session, project_id)
        return gr.update(value=project.is_solo, label=f"{project.name} is a solo project")


@needs(RIGHT)
def show_lines(project_id: int, request: gr.Request) -> tuple[dict, Trail, int | None]:
    return _turned(Trail())


@needs(RIGHT)
def open_person(event: gr.EventData, request: gr.Request) -> tuple:
    with read() as session:
        user = users.get_user(session, row_id(event))
        return (*person_shown(user), people_value(session, user.id), NO_LINK)


@needs(RIGHT)
def start_invite(request: gr.Request) -> tuple:
    with read() as session:
        return (*person_shown(None), people_value(session), NO_LINK)


@needs(Right.MANAGE_USERS)
def invite(full_name: str, username: str, roles: list[str], request: gr.Request):
    with write() as session:
        token = users.invite(
            session,
            actor_of(session, request),
            username=username or "",
            full_name=full_name or "",
            roles=[Role(role) for role in roles or []],
        )
        people = people_value(session)
    return handover_value(link_url(request, token), full_name), people, "", "", []


@needs(Right.MANAGE_USERS)
def save_roles(user_id: int, roles: list[str], request: gr.Request):
    with write() as session:
        users.set_roles(session, actor_of(session, request), user_id, [Role(role) for role in roles or []])
        session.flush()
        people = people_value(session, user_id)
    gr.Success("Roles saved.")
    return people


@needs(Right.MANAGE_USERS)
def toggle_active(user_id: int, request: gr.Request):
    with write() as session:
        user = users.get_user(session, user_id)
        users.set_active(session, actor_of(session, request), user_id, active=not user.is_active)
        return (*person_shown(user), people_value(session, user_id))


@needs(Right.MANAGE_USERS)
def make_new_link(user_id: int, request: gr.Request):
    with write() as session:
        token = users.reinvite(session, actor_of(session, request), user_id)
        who = users.get_user(session, user_id).full_name
    return handover_value(link_url(request, token), who)


@needs(Right.MANAGE_PROJECT)
def set_solo(project_id: int, solo: bool, request: gr.Request) -> None:
    with write() as session:
        projects.set_solo(session, actor_of(session, request), project_id, solo=bool(solo))
    gr.Success("Saved.")


@needs(Right.MANAGE_PROJECT)
def create_project(name: str, description: str, request: gr.Request):
    with write() as session:
        actor = actor_of(session, request)
        projects.create_project(session, actor, name=name or "", description=description or "")
    gr.Success("Project made. Choose it at the top left after the page is opened again.")
    return "", ""


@needs(RIGHT)
def turn_older(trail: Trail, following: int | None, request: gr.Request):
    return _turned(trail.older(following))


@needs(RIGHT)
def turn_newer(trail: Trail, request: gr.Request):
    return _turned(trail.newer())


def _turned(trail: Trail) -> tuple[dict, Trail, int | None]:
    with read() as session:
        lines, following = lines_value(session, trail)
        return lines, trail, following


# Layout and wiring ------------------------------------------------------------------------------------


def build() -> None:
    page = page_frame("Admin", "Who may do what here, how this project works, and what was done.")
    with page.actions:
        invite_btn = gr.Button("Invite someone", variant="primary")
    _build_people(page, invite_btn)
    _build_project(page)
    _build_trail(page)


def _build_people(page: Page, start_btn: gr.Button) -> None:
    user_state = gr.State(0)
    with gr.Row(elem_classes="split"):
        with gr.Column(scale=3, elem_classes="list-side"):
            people_html = table("People", empty_value=NO_PEOPLE)
        with gr.Column(scale=2, elem_classes="pane"):
            heading_html = View(PERSON, NOBODY)
            people_problem = problem_area()
            link_html = handover()
            with gr.Column(visible=True) as invite_form:
                full_name_tb = gr.Textbox(label="Full name", elem_id="field-full-name")
                username_tb = gr.Textbox(
                    label="User name",
                    info="2 to 32 letters, digits, dots, dashes or underscores.",
                    elem_id="field-user-name",
                )
                new_roles_cbg = gr.CheckboxGroup(ROLES, label="Roles", elem_id="field-roles")
                with gr.Row(elem_classes="actions"):
                    make_btn = gr.Button("Make the link")
            with gr.Column(visible=False) as person_form:
                roles_cbg = gr.CheckboxGroup(ROLES, label="Roles")
                with gr.Row(elem_classes="actions"):
                    save_btn = gr.Button("Save roles")
                    link_btn = gr.Button("New link")
                    active_btn = gr.Button("Deactivate", variant="stop")
                gr.Markdown(
                    "A new link is for a lost or forgotten password. It, and deactivating, end the person's "
                    "sessions at once; their work stays.",
                    elem_classes="muted",
                )

    pane = [user_state, heading_html, roles_cbg, invite_form, person_form, active_btn]
    wire = {"problem": people_problem}
    page.on_load(show_people, people_html)
    page.on(people_html.open, open_person, None, [*pane, people_html, link_html], **wire)
    page.on(start_btn.click, start_invite, None, [*pane, people_html, link_html], **wire)
    typed = [full_name_tb, username_tb, new_roles_cbg]
    page.on(make_btn.click, invite, typed, [link_html, people_html, *typed], **wire)
    page.on(save_btn.click, save_roles, [user_state, roles_cbg], people_html, **wire)
    page.on(link_btn.click, make_new_link, [user_state], link_html, **wire)
    page.on(active_btn.click, toggle_active, [user_state], [*pane, people_html], **wire)


def _build_project(page: Page) -> None:
    with gr.Column(elem_classes="section"):
        gr.Markdown("## Project")
        solo_cb = gr.Checkbox(
            label="Solo project",
            info="Here one person may approve their own work. Each such review is recorded as solo.",
        )
        project_settings(page)
        with fold("Make another project"):
            name_tb = gr.Textbox(label="Name", elem_id="field-name")
            description_tb = gr.Textbox(label="What it is for")
            with gr.Row(elem_classes="actions"):
                create_btn = gr.Button("Make the project")
    webhook_form(page)
    retention_form(page)
    privacy_checks(page)

    page.on_load(show_project, solo_cb)
    page.on(solo_cb.input, set_solo, [page.project_id, solo_cb])
    page.on(create_btn.click, create_project, [name_tb, description_tb], [name_tb, description_tb])


def _build_trail(page: Page) -> None:
    trail_state, following_state = gr.State(Trail()), gr.State(None)
    with gr.Column(elem_classes="section"):
        gr.Markdown("## What was done")
        lines_html = table("Audit lines", empty_value=NO_LINES)

    shown = [lines_html, trail_state, following_state]
    page.on_load(show_lines, shown)
    page.on(lines_html.older, turn_older, [trail_state, following_state], shown)
    page.on(lines_html.newer, turn_newer, [trail_state], shown)
