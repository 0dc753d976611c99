"""The project's settings and its privacy checks, on the Admin page and from the shell."""

import json

import pytest

from bioui.components import project_settings as form
from db import audit, double_review, duplicates, guidelines, instructions, privacy, privacy_sweep, projects
from db.__main__ import main
from db.content import Content
from db.exchange import hub
from db.policy import PolicyError
from db.privacy_sweep import Swept
from db.session import read, write
from tests.bioui.conftest import request_of

NO_WEBHOOK = {"url": "", "private": False, "secret_variable": ""}
TOLD_OF_SOMEONE = Content(
    "Summarise the letter.", input="Seen on 3 March 2025, MRN 1234567.", output="Seen.", task="summarization"
)


def add(people, project_id, content=TOLD_OF_SOMEONE) -> int:
    """A record older than the check: no flag is stored with it."""
    with write() as session:
        return instructions.create_instruction(session, people.author, project_id, content).id


def save(
    people, project_id, percent=0, copy=0.7, variant=0.95, variable="HF_TOKEN", accepted=80, sample=50,
    actor=None,
):  # fmt: skip
    asked = (percent, copy, variant, variable, accepted, sample)
    return form.save_settings(project_id, *asked, request_of(actor or people.admin))


def settings_of(project_id) -> tuple:
    with read() as session:
        project = projects.get_project(session, project_id)
        share = double_review.get_review_settings(session, project_id).double_share
        return share, duplicates.rule_of(project), hub.token_variable(session, project_id)


def deeds() -> list[str]:
    with read() as session:
        return [line.action for line in audit.list_lines(session) if line.subject == "projects"]


@pytest.fixture
def shell(people, project_id, settings, monkeypatch, capsys):
    """Run a command as somebody; gives (exit code, standard output, standard error)."""
    monkeypatch.setenv("STUDIO_DATA_DIR", str(settings.data_dir))

    def run(who: str, *command: str):
        code = main(["--as", who, "--project", str(project_id), *command])
        said = capsys.readouterr()
        return code, said.out, said.err.strip()

    return run


# settings -----------------------------------------------------------------------------------------------


def test_the_form_begins_with_what_is_safe(people, project_id, monkeypatch):
    monkeypatch.delenv("HF_TOKEN", raising=False)
    assert form.show_settings(project_id, request_of(people.admin)) == (
        0, 0.7, 0.95, "HF_TOKEN", {"variable": "HF_TOKEN", "is_set": False}, 80, 50,
    )  # fmt: skip


def test_settings_are_stored_and_come_back(people, project_id, monkeypatch):
    monkeypatch.setenv("WARD_TOKEN", "hf_not_a_real_one")
    shown = save(people, project_id, 12.5, 0.6, 0.8, "WARD_TOKEN", 72.5, 100)
    token = {"variable": "WARD_TOKEN", "is_set": True}
    assert shown == (12.5, 0.6, 0.8, "WARD_TOKEN", token, 72.5, 100)
    assert form.show_settings(project_id, request_of(people.admin)) == shown
    share, rule, variable = settings_of(project_id)
    assert (share, rule.copy, rule.variant, variable) == (0.125, 0.6, 0.8, "WARD_TOKEN")
    assert deeds() == [
        "hub_token_variable_set", "unreviewed_rule_set", "duplicates_set", "review_settings_set",
    ]  # fmt: skip
    assert "hf_not_a_real_one" not in str(shown)


def test_what_did_not_change_leaves_no_line(people, project_id):
    save(people, project_id)
    assert deeds() == []
    save(people, project_id, 20)
    assert deeds() == ["review_settings_set"]


@pytest.mark.parametrize(
    ("wrong", "field"),
    [
        ({"percent": 120}, "double_share"),
        ({"percent": -1}, "double_share"),
        ({"percent": None}, "double_share"),
        ({"percent": float("nan")}, "double_share"),
        ({"copy": 0.1}, "copy"),
        ({"copy": None}, "copy"),
        ({"copy": 0.9, "variant": 0.8}, "variant"),
        ({"accepted": 100}, "acceptance"),
        ({"accepted": None}, "acceptance"),
        ({"sample": 5}, "sample"),
        ({"sample": 50.5}, "sample"),
        ({"variable": "hf_abcdefghijklmnopqrstuvwxyz0123456789"}, "token_variable"),
        ({"variable": "DATABASE_URL"}, "token_variable"),
        ({"variable": "MY TOKEN"}, "token_variable"),
    ],
)
def test_what_is_wrong_is_told_at_its_field_and_nothing_is_stored(people, project_id, wrong, field):
    before = settings_of(project_id)
    with pytest.raises(ValueError, match=f"^{field}: "):
        save(people, project_id, **{"percent": 30, **wrong})
    assert settings_of(project_id) == before
    assert deeds() == []


def test_an_empty_variable_goes_back_to_the_usual_one(people, project_id):
    save(people, project_id, variable="WARD_TOKEN")
    assert save(people, project_id, variable=" ")[3] == "HF_TOKEN"


@pytest.mark.parametrize("role", ["author", "reviewer", "trainer", "clinician"])
def test_nobody_but_who_manages_the_project_sees_or_sets_them(people, project_id, role):
    actor = getattr(people, role)
    with pytest.raises(PolicyError):
        save(people, project_id, 20, actor=actor)
    with pytest.raises(PolicyError):
        form.show_settings(project_id, request_of(actor))
    with pytest.raises(PolicyError):
        list(form.check_again(project_id, request_of(actor)))
    with pytest.raises(PolicyError):
        privacy_sweep.sweep(actor, project_id)


# privacy ------------------------------------------------------------------------------------------------


def test_the_page_says_what_is_looked_for_and_what_is_not(people, project_id, monkeypatch):
    monkeypatch.delenv("STUDIO_NER_DIR", raising=False)
    told, broken = form.show_looked_for(project_id, request_of(people.admin))
    assert "ages over 89" in told["checked"]
    assert "STUDIO_NER_DIR" in told["not_checked"][0]
    assert broken["title"] == ""


def test_a_broken_model_for_names_is_told_not_hidden(people, project_id, monkeypatch, tmp_path):
    monkeypatch.setenv("STUDIO_NER_DIR", str(tmp_path))
    told, broken = form.show_looked_for(project_id, request_of(people.admin))
    assert told == form.NOT_LOOKED
    assert "holds no spaCy pipeline" in broken["sentences"][0]
    add(people, project_id)
    with pytest.raises(ValueError, match="^STUDIO_NER_DIR"):
        list(form.check_again(project_id, request_of(people.admin)))
    assert form._running == {}


def test_every_record_is_checked_again_and_what_is_new_is_flagged(people, project_id):
    id = add(people, project_id)
    *_, (progress, done) = form.check_again(project_id, request_of(people.admin))
    assert progress["phase"] == ""
    assert (done["title"], done["hue"]) == ("1 record checked.", "review")
    with read() as session:
        assert {flag.kind for flag in privacy.open_flags(session, id, 1)} == {"date", "record number"}
    *_, (_, done) = form.check_again(project_id, request_of(people.admin))
    assert done["sentences"] == ["Nothing new was found."]
    assert deeds() == ["checked_privacy_again", "checked_privacy_again"]


def test_a_sweep_reports_as_it_goes_and_leaves_out_what_is_deleted(people, project_id):
    ids = [add(people, project_id) for _ in range(privacy_sweep.RECORDS + 3)]
    with write() as session:
        instructions.delete_instruction(session, people.author, ids[0])
    told = []
    swept = privacy_sweep.sweep(people.admin, project_id, told.append)
    assert told == [privacy_sweep.RECORDS, privacy_sweep.RECORDS + 2]
    assert swept == Swept(privacy_sweep.RECORDS + 2, 2 * (privacy_sweep.RECORDS + 2))


def test_others_write_while_a_sweep_runs(people, project_id):
    for _ in range(privacy_sweep.RECORDS + 1):
        add(people, project_id)
    written = []

    def write_one(done: int) -> None:
        written.append(add(people, project_id))

    privacy_sweep.sweep(people.admin, project_id, write_one)
    assert len(written) == 2


def test_a_text_in_force_below_a_newer_draft_is_checked_too(people, project_id):
    id = add(people, project_id)
    with write() as session:
        instructions.get_instruction(session, id).approved_version = 1
        clean = Content("Summarise the letter.", output="Nothing.", task="summarization")
        instructions.edit_instruction(session, people.author, id, clean, version=1)
    assert privacy_sweep.sweep(people.admin, project_id).flags == 2
    with read() as session:
        assert len(privacy.open_flags(session, id, 1)) == 2
        assert privacy.open_flags(session, id, 2) == []


# the shell ----------------------------------------------------------------------------------------------


def test_the_shell_shows_and_sets_the_settings(shell, project_id):
    code, told, _ = shell("author", "settings")
    assert (code, json.loads(told)) == (0, {
        "double_share": 0.0, "copy": 0.7, "variant": 0.95, "acceptance": 0.8, "sample": 50,
        "token_variable": "HF_TOKEN", "solo": False, "webhook": NO_WEBHOOK,
    })  # fmt: skip
    given = ["--double-share", "0.2", "--variant", "0.9", "--token-variable", "WARD_TOKEN", "--solo"]
    _, told, _ = shell("admin", "settings", *given, "--acceptance", "0.75", "--sample", "100")
    assert json.loads(told) == {
        "double_share": 0.2, "copy": 0.7, "variant": 0.9, "acceptance": 0.75, "sample": 100,
        "token_variable": "WARD_TOKEN", "solo": True, "webhook": NO_WEBHOOK,
    }  # fmt: skip
    code, _, said = shell("reviewer", "settings", "--copy", "0.8")
    assert (code, "change project settings" in said) == (1, True)
    code, _, said = shell("admin", "settings", "--double-share", "0.5", "--copy", "0.99")
    assert code == 1
    assert said.startswith("variant: ")
    assert settings_of(project_id)[0] == 0.2


def test_the_shell_writes_and_prints_guidelines(shell, project_id, tmp_path):
    file = tmp_path / "guide.md"
    file.write_text("# One\r\n\r\nDose in mg.\r\n", encoding="utf-8")
    assert shell("author", "guidelines")[0] == 1
    assert shell("author", "write-guidelines", str(file), "--on", "0")[0] == 1
    _, told, _ = shell("reviewer", "write-guidelines", str(file), "--on", "0", "--reason", "First")
    assert json.loads(told) == {"number": 1, "new": True}
    assert shell("author", "guidelines")[1] == "# One\n\nDose in mg.\n"
    file.write_text("Two.")
    code, _, said = shell("admin", "write-guidelines", str(file), "--on", "0")
    assert (code, "saved version 1" in said) == (1, True)
    with read() as session:
        assert len(guidelines.list_guidelines(session, project_id)) == 1


def test_the_shell_checks_every_record_again(shell, people, project_id):
    add(people, project_id)
    code, told, said = shell("admin", "check-privacy")
    assert (code, json.loads(told), said) == (0, {"records": 1, "flags": 2}, "1 of 1 records")
    assert shell("reviewer", "check-privacy")[0] == 1
