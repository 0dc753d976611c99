"""The doors of the studio: set-up, invitations, log-in, and who is sent where."""

import pytest
from starlette.testclient import TestClient

from bioui import gate, login
from bioui.gate import safe_next
from bioui.limiter import Limiter
from db import users
from db.enums import Role
from db.session import read, write
from tests.conftest import PASSWORD

HTML = {"accept": "text/html"}


def log_in(client, username: str, password: str, **more):
    return client.post("/login", data={"username": username, "password": password, "next": "/", **more})


# The first admin --------------------------------------------------------------------------------------


def test_before_the_first_admin_every_page_leads_to_the_set_up_notice(visitor):
    answer = visitor.get("/curate?id=3", headers=HTML, follow_redirects=True)
    assert answer.status_code == 200
    assert "set-up link" in answer.text


def test_a_set_up_link_makes_the_first_admin_once(visitor):
    with write() as session:
        token = users.create_set_up_link(session)
    form = {"token": token, "username": "ada", "full_name": "Ada", "password": PASSWORD, "again": PASSWORD}
    assert "Make the first admin" in visitor.get(f"/setup?token={token}").text
    answer = visitor.post("/setup", data=form)
    assert answer.status_code == 303
    assert visitor.get("/gradio_api/user").json() == "ada"
    again = visitor.post("/setup", data={**form, "username": "eve"})
    assert again.status_code == 410
    assert "already used or has expired" in again.text
    with read() as session:
        assert [user.username for user in users.list_users(session)] == ["ada"]


def test_a_bad_field_is_told_at_the_field_and_the_rest_is_kept(visitor):
    with write() as session:
        token = users.create_set_up_link(session)
    form = {"token": token, "username": "ada", "full_name": "Ada L", "password": "short", "again": "short"}
    answer = visitor.post("/setup", data=form)
    assert answer.status_code == 400
    assert 'id="password-error"' in answer.text
    assert 'value="Ada L"' in answer.text
    assert "short" not in answer.text.replace("short sentence", "")


def test_two_different_passwords_are_noticed(visitor):
    with write() as session:
        token = users.create_set_up_link(session)
    form = {
        "token": token,
        "username": "ada",
        "full_name": "Ada",
        "password": PASSWORD,
        "again": "other words",
    }
    assert 'id="again-error"' in visitor.post("/setup", data=form).text


def test_a_made_up_link_opens_nothing(visitor):
    for page in ("setup", "invite"):
        assert visitor.get(f"/{page}?token=guess").status_code == 410


# Invitations ------------------------------------------------------------------------------------------


def test_an_invited_person_chooses_a_password_and_is_in(door, people):
    with write() as session:
        token = users.invite(
            session, people.admin, username="eva", full_name="<b>Eva</b>", roles=[Role.AUTHOR]
        )
    page = door.get(f"/invite?token={token}").text
    assert "&lt;b&gt;Eva&lt;/b&gt;" in page
    assert door.post("/setup", data={"token": token, "username": "x", "full_name": "X"}).status_code == 410
    answer = door.post("/invite", data={"token": token, "password": PASSWORD, "again": PASSWORD})
    assert answer.status_code == 303
    assert door.get("/gradio_api/user").json() == "eva"
    assert door.get(f"/invite?token={token}").status_code == 410


# Log-in -----------------------------------------------------------------------------------------------


def test_a_wrong_password_gets_one_sentence_and_keeps_the_user_name(door):
    answer = log_in(door, "author", "not it at all")
    assert answer.status_code == 401
    assert login.WRONG in answer.text
    assert 'value="author"' in answer.text
    assert "not it at all" not in answer.text
    assert log_in(door, "no-such-person", "not it at all").text.count(login.WRONG) == 1


def test_after_five_wrong_tries_one_must_wait_even_with_the_right_password(door):
    for _ in range(5):
        assert log_in(door, "author", "wrong").status_code == 401
    answer = log_in(door, "author", PASSWORD)
    assert answer.status_code == 429
    assert "Wait" in answer.text
    assert log_in(door, "reviewer", PASSWORD).status_code == 303


def test_the_cookie_is_out_of_reach_of_scripts_and_other_sites(door):
    cookie = log_in(door, "author", PASSWORD).headers["set-cookie"]
    assert {"HttpOnly", "SameSite=strict", "Path=/"} <= set(cookie.split("; "))
    assert "Secure" not in cookie


def test_behind_https_the_cookie_is_secure(app, people):
    client = TestClient(app, base_url="https://localhost", follow_redirects=False)
    assert "Secure" in log_in(client, "author", PASSWORD).headers["set-cookie"]


def test_logging_out_ends_the_session_on_the_server(door):
    log_in(door, "author", PASSWORD)
    token = door.cookies[gate.COOKIE]
    assert door.get("/logout").status_code == 303
    assert door.get("/gradio_api/user").status_code == 200
    door.post("/logout")
    door.cookies.set(gate.COOKIE, token)
    assert door.get("/gradio_api/user").status_code == 401


@pytest.mark.parametrize(
    "target", ["//evil.example", "https://evil.example", "/\\evil.example", "javascript:x", ""]
)
def test_after_log_in_one_stays_in_the_studio(target):
    assert safe_next(target) == "/"
    assert safe_next("/review?project=1&id=7") == "/review?project=1&id=7"


def test_a_limiter_forgives_when_the_window_has_passed():
    limiter = Limiter(tries=2, window=60)
    for now in (0.0, 10.0):
        assert limiter.wait("nora", now) == 0
        limiter.note("nora", now)
    assert limiter.wait("nora", 20.0) == 40.0
    assert limiter.wait("ravi", 20.0) == 0
    assert limiter.wait("nora", 61.0) == 0
    limiter.forget("nora")
    assert limiter.wait("nora", 20.0) == 0
