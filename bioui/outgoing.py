"""Files made for one person to take away: each in a folder of its own, gone after a day.

Only the person a file was made for gets it; `downloads` serves it by the address that `href` gives.
"""

import json
import os
import re
import secrets
import shutil
import time
from dataclasses import asdict, dataclass
from pathlib import Path
from urllib.parse import quote

from db import settings
from db.exchange.writers import Format, Taken
from db.policy import Actor

KEPT_SECONDS = 24 * 3600
_TOKEN = re.compile(r"[0-9a-f]{32}")
_NOTE = "export.json"


@dataclass(frozen=True)
class Place:
    """Where a file for someone goes; `path` is to be written."""

    path: Path
    href: str

    def note_export(self, taken: Taken, format: Format) -> None:
        """Say what the file holds, for the audit line that is written when it is taken."""
        note = {**asdict(taken), "format": format.value}
        (self.path.parent / _NOTE).write_text(json.dumps(note), encoding="utf-8")

    def drop(self) -> None:
        shutil.rmtree(self.path.parent, ignore_errors=True)


def new_place(actor: Actor, name: str) -> Place:
    """A place for a file of this name, made for the actor; what is older than a day goes."""
    _sweep()
    token = secrets.token_hex(16)
    folder = _root() / str(actor.id) / token
    folder.mkdir(parents=True, mode=0o700)
    return Place(folder / name, f"/downloads/{token}/{quote(name)}")


def find(actor: Actor, token: str, name: str) -> Path:
    """The file. Raises LookupError when there is none of that name for this person."""
    if _TOKEN.fullmatch(token):
        folder = _root() / str(actor.id) / token
        wanted = folder / Path(name).name
        if name != _NOTE and wanted.name == name and wanted.is_file():
            return wanted
    raise LookupError("There is no such file any more; files are kept for a day. Make it again.")


def export_of(path: Path) -> tuple[Taken, Format] | None:
    """What an exported file holds; None for any other file."""
    note = path.parent / _NOTE
    if not note.is_file():
        return None
    told = json.loads(note.read_text("utf-8"))
    format = Format(told.pop("format"))
    return Taken(**told), format


def _root() -> Path:
    return settings.from_environment().data_dir / "outgoing"


def _sweep() -> None:
    old = time.time() - KEPT_SECONDS
    for folder in _root().glob("*/*"):
        try:
            is_old = os.stat(folder).st_mtime < old
        except FileNotFoundError:
            continue  # someone else swept it
        if is_old:
            shutil.rmtree(folder, ignore_errors=True)
