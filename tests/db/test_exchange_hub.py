"""A push sends the card and a file a split, and nothing at all unless it may. The Hub is one on loopback."""

import io
import os
import subprocess
import sys

import pyarrow.parquet as pq
import pytest

from db import audit, datasets, instructions
from db.datasets import FrozenRow
from db.enums import Role, Split
from db.exchange.hub import TOKEN_SETTING, require_repository, stage_version
from db.policy import PolicyError
from db.projects import get_project
from db.session import read, write
from db.settings import REPOSITORY
from tests.db.hub_double import FakeHub
from tests.db.test_exchange_exporting import drafts, fill

CARD = "---\nlicense: cc0-1.0\n---\n# Ward questions\n"


@pytest.fixture
def hub():
    hub = FakeHub()
    yield hub
    hub.close()


@pytest.fixture
def version_id(people, project_id):
    ids = fill(people.author, project_id, drafts(3))
    with write() as session:
        dataset = datasets.create_dataset(session, people.trainer, project_id, name="Ward")
        rows = [
            FrozenRow(split, instructions.content_of(instructions.get_instruction(session, id)), id, 1)
            for split, id in zip([Split.TRAIN, Split.TRAIN, Split.TEST], ids, strict=True)
        ]
        return datasets.freeze_rows(session, people.trainer, dataset, rows, recipe={}).id


@pytest.fixture
def push(hub, settings, project_id, tmp_path):
    """Run `python -m db push` as a person would, against the Hub on loopback."""
    card = tmp_path / "card.md"
    card.write_text(CARD)

    def run(version_id, *more, who="trainer", repository="ward/questions", **variables):
        kept = {name: value for name, value in os.environ.items() if not name.startswith("HF_")}
        # The transfer of large files that a Hub can be imitated for; a real one is asked for its own.
        ours = {"HF_ENDPOINT": hub.url, "HF_HUB_DISABLE_XET": "1", "HF_HOME": str(tmp_path / "hf")}
        command = [
            sys.executable, "-m", "db", "--as", who, "--project", str(project_id),
            "push", str(version_id), repository, "--card", str(card), *more,
        ]  # fmt: skip
        environment = {**kept, "STUDIO_DATA_DIR": str(settings.data_dir), **ours, **variables}
        return subprocess.run(command, cwd=REPOSITORY, env=environment, capture_output=True, text=True)

    return run


def test_nothing_is_pushed_privately_into_a_repository_that_is_public(hub, push, version_id):
    hub.is_private = False
    refused = push(version_id, HF_TOKEN="hf_ours")
    assert refused.returncode != 0
    assert "public; nothing was pushed" in refused.stderr
    assert hub.files == {}


def test_a_push_sends_the_card_and_a_file_a_split_in_one_commit(hub, push, version_id):
    hub.files = {"data/validation-00000-of-00001.parquet": b"of an older version", "notes.md": b"kept"}
    done = push(version_id, HF_TOKEN="hf_ours")
    assert done.returncode == 0, done.stderr
    assert '"commit": "c0ffee"' in done.stdout
    assert "hf_ours" not in done.stdout + done.stderr
    assert hub.files["README.md"].decode() == CARD
    assert sorted(hub.files) == [
        "README.md", "data/test-00000-of-00001.parquet", "data/train-00000-of-00001.parquet", "notes.md",
    ]  # fmt: skip
    rows = pq.read_table(io.BytesIO(hub.files["data/train-00000-of-00001.parquet"])).to_pylist()
    assert [row["instruction"] for row in rows] == ["Question 0?", "Question 1?"]
    assert hub.created[0]["type"] == "dataset"
    assert hub.created[0]["visibility"] == "private"
    assert "Bearer hf_ours" in hub.tokens
    with read() as session:
        line = audit.list_lines(session)[0]
        assert (line.action, line.detail["repository"], line.detail["rows"]) == (
            "pushed",
            "ward/questions",
            3,
        )


def test_a_project_may_name_its_own_variable_for_the_token(hub, push, version_id, project_id):
    with write() as session:
        get_project(session, project_id).settings = {TOKEN_SETTING: "WARD_TOKEN"}
    assert "set WARD_TOKEN" in push(version_id, HF_TOKEN="hf_other").stderr
    assert push(version_id, WARD_TOKEN="hf_ward").returncode == 0
    assert hub.tokens - {""} == {"Bearer hf_ward"}  # the library also asks some things as nobody


def test_nothing_is_asked_of_the_hub_without_a_token_or_with_restricted_rows(hub, push, version_id, people):
    assert "token: no token of the Hub is configured; set HF_TOKEN" in push(version_id).stderr
    with write() as session:
        first = datasets.list_rows(session, version_id)[0].instruction_id
        instructions.get_instruction(session, first).is_restricted = True
    refused = push(version_id, HF_TOKEN="hf_ours")
    assert refused.stderr.startswith("version: 1 of its rows")
    assert "--as" not in refused.stderr
    assert push(version_id, who="clinician", HF_TOKEN="hf_ours").returncode == 1
    assert hub.requests == 0


@pytest.mark.parametrize("status", [401, 403, 500])
def test_what_the_hub_refuses_is_one_sentence_and_no_audit_line(hub, push, version_id, status):
    hub.refuses = status
    done = push(version_id, HF_TOKEN="hf_ours")
    assert (done.returncode, len(done.stderr.splitlines())) == (1, 1)
    assert f"it answered {status}" in done.stderr
    with read() as session:
        assert "pushed" not in {line.action for line in audit.list_lines(session)}


def test_a_hub_that_is_not_there_is_one_sentence(hub, push, version_id):
    done = push(version_id, HF_TOKEN="hf_ours", HF_ENDPOINT="http://127.0.0.1:9")
    assert (done.returncode, done.stderr.count("\n")) == (1, 1)
    assert "could not be reached" in done.stderr


@pytest.mark.parametrize("repository", ["questions", "a/b/c", "../x", "a b/c"])
def test_a_repository_is_an_owner_and_a_name(repository):
    with pytest.raises(ValueError, match="owner/name"):
        require_repository(repository)


def test_nothing_is_asked_of_the_hub_for_what_is_no_repository(hub, push, version_id):
    assert "owner/name" in push(version_id, repository="a/b/c", HF_TOKEN="hf_ours").stderr
    assert hub.requests == 0


def test_an_empty_card_and_a_missing_right_are_refused(people, version_id, tmp_path, monkeypatch):
    monkeypatch.setenv("HF_TOKEN", "hf_ours")
    with read() as session:
        with pytest.raises(ValueError, match="card: "):
            stage_version(session, people.trainer, version_id, tmp_path, card=" \n")
        assert Role.CLINICIAN in people.clinician.roles
        with pytest.raises(PolicyError):
            stage_version(session, people.clinician, version_id, tmp_path, card=CARD)
