"""The shelf of prompts from the shell: list it, take it out as a file, bring one in. See trainer.__main__."""

import argparse
from collections.abc import Callable
from pathlib import Path

from db import projects, prompt_files, prompts
from db.enums import Category
from db.session import read, write
from db.settings import Settings
from trainer.shell import actor_of, add_acting, named, open_studio, say

Act = Callable[[Settings, argparse.Namespace], int]


def add_commands(action: Callable[[str, Act, str], argparse.ArgumentParser]) -> None:
    """Add this file's commands; `action(name, act, help)` gives the parser of each."""
    parser = action("prompts", show, "the shelf of prompts; --export FILE or --import FILE, YAML or JSONL")
    parser.add_argument("words", nargs="*", help="only prompts that hold all of these")
    parser.add_argument("--specialty", default="")
    parser.add_argument("--tag", action="append", default=[], help="may be given again")
    parser.add_argument("--category", type=Category, choices=list(Category))
    way = parser.add_mutually_exclusive_group()
    way.add_argument("--export", type=Path, metavar="FILE", help="write them to a .yaml or .jsonl file")
    way.add_argument("--import", type=Path, metavar="FILE", dest="bring", help="add the prompts of a file")
    parser.add_argument("--project", help="name of the project; the first unless given")
    add_acting(parser)


def show(settings: Settings, options: argparse.Namespace) -> int:
    open_studio(settings)
    if options.bring:
        return _bring(options)
    with read() as s:
        project = named(projects.list_projects(s), options.project, "project")
        shelf = prompts.search(
            s, project.id, " ".join(options.words),
            specialty=options.specialty, tags=options.tag, category=options.category,
        )  # fmt: skip
        if options.export:
            _write(options.export, shelf)
            say(f"{len(shelf):,} prompts written to {options.export}")
            return 0
        for version in shelf:
            about = ", ".join(part for part in (version.specialty, *version.tags) if part)
            say(f"{version.prompt_id:>5}  v{version.number:<3} {version.prompt.title}  ({about})")
    return 0


def _bring(options: argparse.Namespace) -> int:
    drafts = prompt_files.read(options.bring)
    with write() as s:
        project = named(projects.list_projects(s), options.project, "project")
        done = prompt_files.bring_in(s, actor_of(s, options), project.id, drafts)
    say(f"{done.added:,} added, {done.changed:,} with a new version, {done.same:,} as they were")
    return 0


def _write(path: Path, shelf: list) -> None:
    if path.suffix not in prompt_files.SUFFIXES:
        raise ValueError(f"export: give a file that ends in {', '.join(prompt_files.SUFFIXES)}.")
    to_text = prompt_files.as_jsonl if path.suffix == ".jsonl" else prompt_files.as_yaml
    path.write_text(to_text(shelf), encoding="utf-8")
