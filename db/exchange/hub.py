"""A frozen version to the Hugging Face Hub, only when someone asks: stage it, push it, note it.

Staging and noting need a session; the push needs none, so that no transaction waits for the network.
"""

import json
import os
import re
import subprocess
import sys
from dataclasses import asdict, dataclass, replace
from pathlib import Path

from sqlalchemy.orm import Session

from db import audit
from db.datasets import get_version
from db.exchange.records import of_version
from db.exchange.writers import write_parquet
from db.policy import Actor, Right, require
from db.projects import get_project
from db.settings import REPOSITORY
from db.tables import Dataset, Project

TOKEN_VARIABLE = "HF_TOKEN"
TOKEN_SETTING = "hub_token_variable"
"""A project may name another environment variable under this key of its settings."""

_VARIABLE = re.compile(r"(?=.*TOKEN)[A-Z_][A-Z0-9_]{0,63}")
_REPOSITORY = re.compile(r"[A-Za-z0-9][\w.-]{0,95}/[A-Za-z0-9][\w.-]{0,95}")


@dataclass(frozen=True)
class Staged:
    """A folder as the repository will hold it: the card, and a Parquet file a split."""

    folder: Path
    version_id: int
    rows: int
    token_variable: str
    message: str


@dataclass(frozen=True)
class Pushed:
    repository: str
    url: str
    commit: str


def stage_version(session: Session, actor: Actor, version_id: int, folder: Path, *, card: str) -> Staged:
    """Write the version's files into an empty folder.

    Raises PolicyError without the right to freeze, ValueError when no token is configured, the card is empty,
    or the version holds rows under a data-use agreement: such a version is not pushed in part.
    """
    require(actor, Right.FREEZE)
    version = get_version(session, version_id)
    dataset = session.get_one(Dataset, version.dataset_id)
    variable = token_variable(session, dataset.project_id)
    _token(variable)
    if not card.strip():
        raise ValueError("card: write what the dataset is before it is published.")
    records = of_version(session, actor, version.id)
    if records.restricted:
        raise ValueError(
            f"version: {records.restricted:,} of its rows are under a data-use agreement; "
            "freeze a version without them and push that."
        )
    (folder / "data").mkdir(parents=True)
    (folder / "README.md").write_text(card, encoding="utf-8")
    for split in records.splits:
        with (folder / "data" / f"{split.value}-00000-of-00001.parquet").open("wb") as file:
            file.writelines(write_parquet(records, split))
    message = f"{dataset.name}, version {version.number} ({version.content_hash[:12]})"
    return Staged(folder, version.id, records.rows, variable, message)


def push(staged: Staged, repository: str, *, private: bool = True, endpoint: str | None = None) -> Pushed:
    """Upload what was staged, in one commit; data files that the version does not have are removed.

    `repository` is owner/name, made when it is new. `endpoint` is another Hub than HF_ENDPOINT names.
    Raises ValueError with what the Hub answered.
    """
    require_repository(repository)
    token = _token(staged.token_variable)

    from huggingface_hub import CommitOperationAdd, CommitOperationDelete, HfApi
    from huggingface_hub.errors import HfHubHTTPError, HTTPError

    api = HfApi(endpoint=endpoint, token=token, library_name="bioinstruct-studio")
    place = {"repo_id": repository, "repo_type": "dataset"}
    files = {path.relative_to(staged.folder).as_posix(): path for path in sorted(staged.folder.rglob("*.*"))}
    try:
        made = api.create_repo(**place, private=private, exist_ok=True)
        if private and not api.dataset_info(repository).private:  # it was there, and stays as it is
            raise ValueError(
                f"repository: {repository} is on the Hub already and public; nothing was pushed. Choose a "
                "new name, make it private there, or publish openly."
            )
        old = [
            name for name in api.list_repo_files(**place) if name.startswith("data/") and name not in files
        ]
        added = [CommitOperationAdd(path_in_repo=name, path_or_fileobj=path) for name, path in files.items()]
        gone = [CommitOperationDelete(path_in_repo=name) for name in old]
        commit = api.create_commit(**place, operations=[*added, *gone], commit_message=staged.message)
    except HfHubHTTPError as error:
        code = error.response.status_code if error.response is not None else "nothing"
        raise ValueError(
            f"hub: it answered {code}; see that the token may write to {repository}, and try again."
        ) from error
    except (HTTPError, OSError, RuntimeError) as error:
        raise ValueError("hub: it could not be reached; nothing was published. Try again.") from error
    return Pushed(repository, str(made), commit.oid)


def push_apart(staged: Staged, repository: str, *, private: bool = True) -> Pushed:
    """`push` in a process of its own, for one that keeps the Hub's client offline, as the browser side does.

    The client reads HF_HUB_OFFLINE once, when it is imported, and never again.
    """
    require_repository(repository)
    asked = {**asdict(staged), "folder": str(staged.folder)}
    done = subprocess.run(
        [sys.executable, "-m", __spec__.name],
        input=json.dumps({"staged": asked, "repository": repository, "private": private}),
        env={name: value for name, value in os.environ.items() if name != "HF_HUB_OFFLINE"},
        cwd=REPOSITORY,
        capture_output=True,
        text=True,
    )
    try:
        answer = json.loads(done.stdout.splitlines()[-1])
    except (IndexError, json.JSONDecodeError) as error:
        raise RuntimeError(f"the push ended with {done.returncode}: {done.stderr[-2000:]}") from error
    if "refused" in answer:
        raise ValueError(answer["refused"])
    return Pushed(**answer)


def record_push(session: Session, actor: Actor, staged: Staged, pushed: Pushed) -> None:
    """The audit line of a push that went through."""
    require(actor, Right.FREEZE)
    version = get_version(session, staged.version_id)
    where = {"repository": pushed.repository, "commit": pushed.commit}
    audit.record(session, actor, "pushed", version, rows=staged.rows, **where)


def token_variable(session: Session, project_id: int) -> str:
    """The environment variable that holds the project's token of the Hub."""
    return str(get_project(session, project_id).settings.get(TOKEN_SETTING) or TOKEN_VARIABLE)


def is_configured(session: Session, project_id: int) -> bool:
    """True when a version of the project could be pushed: its token is there."""
    return bool(_find_token(token_variable(session, project_id)))


def require_repository(repository: str) -> str:
    """The name, when it is one. Raises ValueError when it is not."""
    if not _REPOSITORY.fullmatch(repository):
        raise ValueError("repository: write it as owner/name, such as ward-7/questions.")
    return repository


def set_token_variable(session: Session, actor: Actor, project_id: int, variable: str) -> Project:
    """Name the environment variable of the project's token; "" goes back to HF_TOKEN.

    Raises ValueError for what is no such name: above all for a token itself, which must not be stored.
    """
    require(actor, Right.MANAGE_PROJECT)
    variable = variable.strip() or TOKEN_VARIABLE
    if variable.startswith("hf_"):
        raise ValueError(
            "token_variable: this looks like the token itself. Give the name of the environment variable "
            "that holds it, and make a new token on the Hub: this one was typed into a form."
        )
    if not _VARIABLE.fullmatch(variable):
        raise ValueError(
            f"token_variable: write a name in capitals that holds the word TOKEN, such as {TOKEN_VARIABLE}, "
            "so that no other secret of the machine is sent by mistake."
        )
    project = get_project(session, project_id)
    project.settings = {**project.settings, TOKEN_SETTING: variable}
    audit.record(session, actor, "hub_token_variable_set", project, variable=variable)
    return project


def _find_token(variable: str) -> str:
    return os.environ.get(variable, "").strip()


def _token(variable: str) -> str:
    token = _find_token(variable)
    if not token:
        raise ValueError(
            f"token: no token of the Hub is configured; set {variable} where the studio runs, and restart it."
        )
    return token


def _answer(asked: dict) -> dict:
    """What `push_apart` is told: where the push went, or why it was refused."""
    staged = Staged(**asked["staged"])
    staged = replace(staged, folder=Path(staged.folder))
    try:
        return asdict(push(staged, asked["repository"], private=asked["private"]))
    except ValueError as error:
        return {"refused": str(error)}


if __name__ == "__main__":
    sys.stdout.write(json.dumps(_answer(json.load(sys.stdin))) + "\n")
