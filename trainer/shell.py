"""What the shell's commands share: the studio opened, who acts, a row by its name."""

import argparse
import sys

from db import migrate, users
from db.policy import Actor
from db.session import Session, connect
from db.settings import Settings


def open_studio(settings: Settings) -> None:
    """Make the folders, and bring the database up to date."""
    settings.make_folders()
    migrate.upgrade(connect(settings.url))


def add_acting(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--as", dest="username", default=users.STUDIO, help="act as this person")


def actor_of(session: Session, options: argparse.Namespace) -> Actor:
    """Who `--as` names. Raises LookupError."""
    if options.username == users.STUDIO:
        return users.studio_account(session)
    return users.get_actor(session, options.username)


def named(rows: list, name: str | None, field: str):
    """The row of that name; the first when no name is given. Raises LookupError."""
    found = next((row for row in rows if name in (None, row.name)), None)
    if found is None:
        known = ", ".join(row.name for row in rows) or "none yet"
        raise LookupError(f"{field}: there is no {field} named {name}; there is {known}.")
    return found


def say(line: str) -> None:
    """What a command answers, on standard output."""
    sys.stdout.write(f"{line}\n")
