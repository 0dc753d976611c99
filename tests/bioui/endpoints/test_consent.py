"""Private addresses on the endpoints' page: an admin's consent, its words, and the trail it leaves."""

from dataclasses import replace

import pytest
from sqlalchemy import select

from bioui.components import endpoint_form
from bioui.pages import endpoints as page
from bioui.pages.endpoints import Opened
from db.session import read
from db.tables import AuditLine
from tests.bioui.conftest import request_of
from tests.bioui.endpoints.conftest import OPENED, facts, save, stored


def test_a_private_address_needs_an_admin(people, project_id):
    near = {"base_url": "http://127.0.0.1:8000/v1", "private": True}
    with pytest.raises(ValueError, match="an admin must agree"):
        save(Opened(is_form=True), people.trainer, **near)
    with pytest.raises(ValueError, match="an admin must agree"):
        save(Opened(is_form=True), people.admin, **{**near, "private": False})
    shown = save(Opened(is_form=True), people.admin, **near)
    assert facts(shown)["Private address"] == "Agreed to by Ada Admin, just now"


def test_a_change_by_another_keeps_the_consent_and_an_admin_takes_it_back(people, project_id):
    near = {"base_url": "http://127.0.0.1:8000/v1", "private": True}
    opened = save(Opened(is_form=True), people.admin, **near)[OPENED]
    shown = save(replace(opened, is_form=True), people.trainer, **{**near, "model": "other"})
    assert "Agreed to by Ada Admin" in facts(shown)["Private address"]
    shown = save(replace(opened, is_form=True), people.admin, **{**near, "private": False})
    assert facts(shown)["Private address"].startswith("Not agreed to")


def test_an_admin_agrees_when_a_stored_endpoint_moves_to_a_private_address(people, project_id, hosted):
    near = {"name": "Hosted", "base_url": "http://10.0.0.7:8000/v1"}
    with pytest.raises(ValueError, match="an admin must agree"):
        save(Opened(hosted, is_form=True), people.trainer, **near, private=True)
    shown = save(Opened(hosted, is_form=True), people.admin, **near, private=True)
    assert "Agreed to by Ada Admin" in facts(shown)["Private address"]
    assert stored(hosted).base_url == "http://10.0.0.7:8000/v1"


def test_the_consent_is_worded_for_the_address_and_goes_with_it(people, project_id):
    near = {"base_url": "http://127.0.0.1:8000/v1", "private": True}
    opened = save(Opened(is_form=True), people.admin, **near)[OPENED]
    asked = request_of(people.admin)
    same = page.word_consent(opened, near["base_url"] + "/", asked)
    assert (same["value"], same["interactive"]) == (True, True)
    assert same["label"] == "Let the studio talk to 127.0.0.1:8000, a private address"
    moved = page.word_consent(opened, "http://[::1]:9000/v1", asked)
    assert (moved["value"], "[::1]:9000" in moved["label"]) == (False, True)
    assert page.word_consent(Opened(), "not an address", asked)["label"] == endpoint_form.MAY_BE_PRIVATE
    other = page.word_consent(opened, near["base_url"], request_of(people.reviewer))
    assert (other["interactive"], other["info"].startswith("An admin agreed")) == (False, True)


def test_what_was_done_is_in_the_trail_without_a_key_or_an_address_beyond_the_host(people, project_id):
    save(Opened(is_form=True), people.admin, base_url="http://127.0.0.1:8000/v1", private=True)
    with read() as session:
        noted = session.scalars(select(AuditLine).where(AuditLine.subject == "endpoints"))
        lines = [(line.action, line.detail) for line in noted]
    assert lines == [("added", {"host": "127.0.0.1"}), ("private_consent", {"given": True})]
