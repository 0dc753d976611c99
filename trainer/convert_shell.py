"""Conversions from the shell: bring files, see the plan, queue the job, take one back (trainer.__main__)."""

import argparse
import json
import logging
from collections.abc import Callable, Mapping
from dataclasses import asdict
from pathlib import Path

from db import conversion_undo, conversions, projects
from db.convert_spec import ConvertSpec
from db.corpora import files
from db.corpora.mixture import Plan
from db.session import read, write
from db.settings import Settings
from trainer.shell import actor_of, add_acting, named, open_studio, say

logger = logging.getLogger("trainer")

Act = Callable[[Settings, argparse.Namespace], int]


def add_commands(action: Callable[[str, Act, str], argparse.ArgumentParser]) -> None:
    """Add this file's commands; `action(name, act, help)` gives the parser of each."""
    converting = action("convert", convert, "turn corpora into instructions, or tell what that would give")
    converting.add_argument(
        "recipe", type=Path, help="JSON: name, sources (their paths beside this file), mixture"
    )
    converting.add_argument("--plan", action="store_true", help="read and count only; store nothing")
    converting.add_argument("--project", help="name of the project; the first unless given")
    add_acting(converting)

    taking = action("take-back", take_back, "delete all instructions of a conversion that nobody worked on")
    taking.add_argument("conversion", type=int)
    add_acting(taking)

    composing_ = action("composition", compose, "what a conversion's instructions are made of, as JSON")
    composing_.add_argument("conversion", type=int)
    composing_.add_argument("--tokens", action="store_true", help="count by the starter model's tokenizer")


def convert(settings: Settings, options: argparse.Namespace) -> int:
    """Print the number of the queued job, or the plan. Raises ValueError for a recipe that cannot be."""
    open_studio(settings)
    spec = read_recipe(options.recipe, settings.data_dir)
    if options.plan:
        from db.corpora.converting import take_census

        _print_plan(take_census(spec, settings.data_dir).draw().plan)
        return 0
    with write() as s:
        project = named(projects.list_projects(s), options.project, "project")
        job = conversions.start(s, actor_of(s, options), project.id, spec)
        s.flush()
        say(str(job.id))
    return 0


def take_back(settings: Settings, options: argparse.Namespace) -> int:
    """Delete in parts, so that others can write in between."""
    open_studio(settings)
    left = -1
    while left:
        with write() as s:
            left = conversion_undo.take_back(s, actor_of(s, options), options.conversion)
        logger.info("%d left", left)
    return 0


def compose(settings: Settings, options: argparse.Namespace) -> int:
    from db import composing
    from db.corpora import composition

    open_studio(settings)
    with read() as s:
        conversions.get_conversion(s, options.conversion)
        rows = composing.stored_rows(s, conversions.rows_of(options.conversion))
        found = composition.composition_of(rows, exact_tokens=options.tokens)
    say(json.dumps(asdict(found), indent=2))
    return 0


def read_recipe(path: Path, data_dir: Path) -> ConvertSpec:
    """The settings of a recipe file, its corpora brought into the studio. Raises ValueError by field."""
    try:
        stored = json.loads(path.read_text(encoding="utf-8"))
    except OSError as error:
        raise ValueError(f"recipe: {path} cannot be read ({error.strerror}).") from error
    except ValueError as error:
        raise ValueError(f"recipe: {path.name} is no JSON in UTF-8 ({error}).") from error
    if not isinstance(stored, dict) or not isinstance(stored.get("sources"), list):
        raise ValueError(f"recipe: {path.name} has no list of sources.")
    unknown = set(stored) - set(ConvertSpec.__dataclass_fields__)
    if unknown:
        raise ValueError(f"{sorted(unknown)[0]}: a conversion has no such setting.")
    sources = [_brought(source, path.parent, data_dir) for source in stored["sources"]]
    return ConvertSpec(**{**stored, "sources": tuple(sources)})


def _brought(source: object, beside: Path, data_dir: Path) -> dict:
    """The source with its file, and files that its options name, kept in the studio."""
    if not isinstance(source, dict) or not isinstance(source.get("path"), str):
        raise ValueError("sources: each is an object with name, path, format and template.")
    from db.corpora import readers

    options = source.get("options", {})
    named = {
        option.name
        for option in readers.get_format(source.get("format", "")).options
        if option.kind == "file"
    }
    if not isinstance(options, Mapping):
        raise ValueError("options: those of a source are an object of names and values.")
    kept = {
        name: files.keep(data_dir, beside / value) if name in named and value else value
        for name, value in options.items()
    }
    return {**source, "path": files.keep(data_dir, beside / source["path"]), "options": kept}


def _print_plan(plan: Plan) -> None:
    for each in plan.sources:
        state = "missing" if each.is_missing else f"short by {each.short_by:,}" if each.short_by else ""
        measured = sum(each.measured.values())
        shares = f"{each.train:>9,} to train on {measured:>9,} to measure on"
        say(f"{each.source:<24} {shares}  {state}".rstrip())
    say(f"{'in all':<24} {plan.train:>9,} to train on {plan.rows - plan.train:>9,} to measure on")
