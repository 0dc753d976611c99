"""How long the playground's texts are kept, from the shell. See trainer.__main__."""

import argparse
from collections.abc import Callable

from db import projects, retention
from db.session import write
from db.settings import Settings
from trainer.shell import actor_of, add_acting, named, open_studio, say

Act = Callable[[Settings, argparse.Namespace], int]


def add_commands(action: Callable[[str, Act, str], argparse.ArgumentParser]) -> None:
    """Add this file's commands; `action(name, act, help)` gives the parser of each."""
    keeping = action("keep-texts", keep, "for how many days a project keeps the playground's texts")
    keeping.add_argument("days", nargs="?", help="a number of days, or 'always'; only said where left out")
    keeping.add_argument("--project", help="name of the project; the first unless given")
    add_acting(keeping)
    action("empty-old-texts", empty, "empty what projects no longer keep, as the worker does every hour")


def keep(settings: Settings, options: argparse.Namespace) -> int:
    open_studio(settings)
    with write() as s:
        project = named(projects.list_projects(s), options.project, "project")
        if options.days is not None:
            retention.set_days(s, actor_of(s, options), project.id, _days(options.days))
        days = retention.days_of(project)
    say(f"{project.name}: texts are kept {'always' if days is None else f'for {days:,} days'}.")
    return 0


def empty(settings: Settings, options: argparse.Namespace) -> int:
    open_studio(settings)
    with write() as s:
        names = {project.id: project.name for project in projects.list_projects(s)}
        emptied = retention.empty_old(s)
    for project_id, count in emptied.items():
        say(f"{names[project_id]}: texts of {count:,} comparisons emptied.")
    if not emptied:
        say("Nothing is older than its project keeps it.")
    return 0


def _days(given: str) -> int | None:
    if given == "always":
        return None
    if not given.isdecimal():
        raise ValueError(f"days: {given[:20]!r} is no number of days; give one, or 'always'.")
    return int(given)
