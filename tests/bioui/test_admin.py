"""Admin: inviting, roles and deactivation through the page's own handlers."""

import gradio as gr
import pytest

from bioui.components.table import Trail
from bioui.pages import admin
from db import projects, users
from db.enums import Role
from db.policy import PolicyError
from db.session import read
from tests.bioui.conftest import request_of


def click(row: int) -> gr.EventData:
    return gr.EventData(None, {"id": row})


def test_an_invitation_gives_a_link_that_works_and_empties_the_form(people):
    link, table, *form = admin.invite("Eva Holm", "eva", ["author"], request_of(people.admin))
    token = link["url"].removeprefix("http://localhost:7860/invite?token=")
    with read() as session:
        assert users.find_link(session, token).user_id is not None
    assert form == ["", "", []]
    assert "Eva Holm" in [row["cells"][0]["text"] for row in table["rows"]]


def test_an_invitation_without_a_role_names_the_field(people):
    with pytest.raises(ValueError, match="^roles: "):
        admin.invite("Eva Holm", "eva", [], request_of(people.admin))


def test_roles_are_replaced_and_hold_at_once(people):
    admin.save_roles(people.author.id, ["reviewer", "clinician"], request_of(people.admin))
    with read() as session:
        assert users.get_actor(session, "author").roles == {Role.REVIEWER, Role.CLINICIAN}


def test_the_last_admin_cannot_be_put_out(people):
    with pytest.raises(ValueError, match="one active admin"):
        admin.toggle_active(people.admin.id, request_of(people.admin))


def test_a_deactivated_person_can_be_let_in_again(people):
    *_, last_button, _ = admin.toggle_active(people.author.id, request_of(people.admin))
    assert last_button["value"] == "Let in again"
    with read() as session, pytest.raises(PolicyError):
        users.get_actor(session, "author")
    admin.toggle_active(people.author.id, request_of(people.admin))
    with read() as session:
        assert users.get_actor(session, "author").username == "author"


def test_opening_a_person_shows_their_roles(people):
    user_id, heading, roles, *_ = admin.open_person(click(people.trainer.id), request_of(people.admin))
    assert (user_id, heading["username"], roles) == (people.trainer.id, "trainer", ["trainer"])


def test_the_solo_switch_is_stored_and_recorded(people, project_id):
    admin.set_solo(project_id, True, request_of(people.admin))
    with read() as session:
        assert projects.get_project(session, project_id).is_solo
    lines, trail, _ = admin.show_lines(project_id, request_of(people.admin))
    assert lines["rows"][0]["cells"][2]["text"] == f"changed the solo setting of project {project_id}"
    assert trail == Trail()


@pytest.mark.parametrize("role", ["author", "reviewer", "trainer", "clinician"])
def test_nobody_but_an_admin_invites(people, role):
    with pytest.raises(PolicyError):
        admin.invite("Eva Holm", "eva", ["admin"], request_of(getattr(people, role)))
