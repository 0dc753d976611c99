"""Endpoints from the shell: `add-endpoint` with an admin's key, and what `test-endpoint` leaves behind."""

import pytest

from db import endpoints
from db.enums import Role
from db.session import read, write
from db.tables import Endpoint, User, UserRole
from tests.scripted_endpoint import Act, ScriptedEndpoint, always
from trainer.__main__ import main

KEY = "sk-not-to-be-seen"


@pytest.fixture
def shell(settings, monkeypatch, capsys):
    """shell("test-endpoint", ...) -> (exit code, output, complaint); an admin and a trainer are there."""
    with write() as s:
        for role in (Role.ADMIN, Role.TRAINER):
            s.add(User(username=role.value, full_name=role.value, roles=[UserRole(role=role)]))
    monkeypatch.setenv("STUDIO_DATA_DIR", str(settings.data_dir))

    def call(*arguments: str):
        code = main(list(arguments))
        return code, *capsys.readouterr()

    return call


def stored(name: str) -> Endpoint:
    with read() as s:
        endpoint = endpoints.find_endpoint(s, name)
        s.expunge(endpoint)
        return endpoint


def test_only_an_admin_adds_an_endpoint_with_a_key(shell):
    asked = ("add-endpoint", "--name", "Ours", "--base-url", "https://api.example.org/v1", "--model", "big")
    with_key = (*asked, "--key-variable", "TRIAL_API_KEY")
    for who in ((), ("--as", "trainer")):
        code, _, complaint = shell(*with_key, *who)
        assert code != 0
        assert "only an admin may set the two" in complaint
    assert shell(*with_key, "--as", "admin")[0] == 0
    assert stored("Ours").key_variable == "TRIAL_API_KEY"
    assert shell(*asked[:2], "Open", *asked[3:])[0] == 0


def test_a_test_that_fails_is_remembered_until_one_is_answered(shell, monkeypatch):
    with ScriptedEndpoint(write=lambda key, count: '{"ready": true}', secret=KEY) as server:
        shell("add-endpoint", "--name", "Near", "--base-url", server.url, "--model", "m",
              "--key-variable", "TRIAL_API_KEY", "--private", "--as", "admin")  # fmt: skip
        monkeypatch.delenv("TRIAL_API_KEY", raising=False)
        assert "TRIAL_API_KEY is not set" in shell("test-endpoint", "Near")[2]
        assert "TRIAL_API_KEY is not set" in stored("Near").test_trouble

        monkeypatch.setenv("TRIAL_API_KEY", f"{KEY}-but-wrong")
        code, _, complaint = shell("test-endpoint", "Near")
        assert code != 0
        assert server.received[-1].secret == f"{KEY}-but-wrong"
        trouble = stored("Near").test_trouble
        assert trouble in complaint
        assert "refused the key in TRIAL_API_KEY" in trouble
        assert KEY not in trouble + complaint

        monkeypatch.setenv("TRIAL_API_KEY", KEY)
        assert "knows JSON schemas" in shell("test-endpoint", "Near")[1]
        assert (stored("Near").test_failed_at, stored("Near").test_trouble) == (None, "")

        server.script = always(Act.BROKEN)
        shell("test-endpoint", "Near")
        assert stored("Near").test_failed_at > stored("Near").tested_at
