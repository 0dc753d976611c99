"""A frozen version to the Hugging Face Hub, only when someone asks: stage it, push it, note it.

Staging and noting need a session; the push needs none, so that no transaction waits for the network.
"""

import os
import re
from dataclasses import dataclass
from pathlib import Path

from sqlalchemy.orm import Session

from db import audit
from db.datasets import get_version
from db.exchange.records import of_version
from db.exchange.writers import write_parquet
from db.policy import Actor, Right, require
from db.projects import get_project
from db.tables import Dataset

TOKEN_VARIABLE = "HF_TOKEN"
TOKEN_SETTING = "hub_token_variable"
"""A project may name another environment variable under this key of its settings."""

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
    if not _REPOSITORY.fullmatch(repository):
        raise ValueError("repository: write it as owner/name, such as ward-7/questions.")
    token = _token(staged.token_variable)

    from huggingface_hub import CommitOperationAdd, CommitOperationDelete, HfApi
    from huggingface_hub.errors import HfHubHTTPError, HTTPError

    api = HfApi(endpoint=endpoint, token=token, library_name="bioinstruct-studio")
    place = {"repo_id": repository, "repo_type": "dataset"}
    files = {path.relative_to(staged.folder).as_posix(): path for path in sorted(staged.folder.rglob("*.*"))}
    try:
        made = api.create_repo(**place, private=private, exist_ok=True)
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


def record_push(session: Session, actor: Actor, staged: Staged, pushed: Pushed) -> None:
    """The audit line of a push that went through."""
    require(actor, Right.FREEZE)
    version = get_version(session, staged.version_id)
    where = {"repository": pushed.repository, "commit": pushed.commit}
    audit.record(session, actor, "pushed", version, rows=staged.rows, **where)


def token_variable(session: Session, project_id: int) -> str:
    """The environment variable that holds the project's token of the Hub."""
    return str(get_project(session, project_id).settings.get(TOKEN_SETTING) or TOKEN_VARIABLE)


def _token(variable: str) -> str:
    token = os.environ.get(variable, "").strip()
    if not token:
        raise ValueError(
            f"token: no token of the Hub is configured; set {variable} where the studio runs, and restart it."
        )
    return token
