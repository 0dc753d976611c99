"""Votes as preference pairs from the shell, as TRL reads them. See trainer.__main__."""

import argparse
import sys
from collections.abc import Callable
from pathlib import Path

from db import preferences, projects, rounds
from db.session import write
from db.settings import Settings
from trainer.shell import actor_of, add_acting, named, open_studio

Act = Callable[[Settings, argparse.Namespace], int]


def add_commands(action: Callable[[str, Act, str], argparse.ArgumentParser]) -> None:
    """Add this file's command; `action(name, act, help)` gives its parser."""
    exporting = action("preferences", export, "votes as JSONL preference pairs (prompt, chosen, rejected)")
    exporting.add_argument("--project", help="name of the project; the first unless given")
    exporting.add_argument("--round", type=int, help="number of a round; all votes unless given")
    exporting.add_argument("--blind", action="store_true", help="only votes that were cast blind")
    exporting.add_argument("--to", type=Path, metavar="FILE", help="instead of standard output")
    add_acting(exporting)


def export(settings: Settings, options: argparse.Namespace) -> int:
    open_studio(settings)
    with write() as s:
        project = named(projects.list_projects(s), options.project, "project")
        if options.round is not None:
            rounds.get(s, project.id, options.round)
        found = preferences.rows(s, project.id, round_id=options.round, blind_only=options.blind)
        preferences.record_export(s, actor_of(s, options), project.id, found, round_id=options.round)
        if options.to is None:
            sys.stdout.write(preferences.lines(found).decode())
        else:
            options.to.write_bytes(preferences.lines(found))
    sys.stderr.write(f"{found.sentence}\n")
    return 0
