"""Blind rounds from the shell: list them, make one of stored comparisons, close it. See trainer.__main__."""

import argparse
from collections.abc import Callable, Sequence
from pathlib import Path

import yaml

from db import projects, round_drawing, rounds, rubric, sides, users
from db.compare_spec import SideSpec
from db.rubric import Axis
from db.session import Session, read, write
from db.settings import Settings
from db.tables import Project, Round
from trainer.shell import actor_of, add_acting, named, open_studio, say

Act = Callable[[Settings, argparse.Namespace], int]


def add_commands(action: Callable[[str, Act, str], argparse.ArgumentParser]) -> None:
    """Add this file's command; `action(name, act, help)` gives its parser."""
    asking = action("rounds", show, "blind rounds: list them, create one, close or reopen one")
    asking.add_argument("--project", help="name of the project; the first unless given")
    add_acting(asking)
    deeds = asking.add_subparsers(metavar="DEED")
    deeds.add_parser("list", help="every round and how far it is")

    making = deeds.add_parser("create", help="make a round of the pairs of two sides; prints its number")
    making.set_defaults(act=create)
    making.add_argument("title")
    making.add_argument("--note", default="", help="what raters read before they begin")
    making.add_argument("--one", required=True, metavar="SIDE", help="name of a side that answered")
    making.add_argument("--other", required=True, metavar="SIDE", help="and of another")
    making.add_argument("--batch", type=int, metavar="JOB", help="of that batch; recent comparisons else")
    making.add_argument("--slices", nargs="*", default=[], help="only these; all unless given")
    making.add_argument("--per-slice", type=int, default=0, help="pairs of each slice; 0: all")
    making.add_argument("--raters", nargs="+", required=True, metavar="USER", help="their user names")
    making.add_argument("--overlap", type=int, default=0, help="raters a pair; 0: all of them")
    making.add_argument("--seed", type=int, default=0, help="of the drawing and the shuffling")
    making.add_argument("--rubric", type=Path, metavar="FILE", help="YAML list of items; QUEST's else")

    for name, act, text in (
        ("close", close, "take no more votes"),
        ("reopen", reopen, "take votes again"),
    ):
        deed = deeds.add_parser(name, help=text)
        deed.set_defaults(act=act)
        deed.add_argument("round", type=int)


def show(settings: Settings, options: argparse.Namespace) -> int:
    open_studio(settings)
    with read() as s:
        for round in rounds.list_rounds(s, _project(s, options).id):
            say(_line(s, round))
    return 0


def create(settings: Settings, options: argparse.Namespace) -> int:
    open_studio(settings)
    with write() as s:
        project = _project(s, options)
        found = round_drawing.list_comparisons(s, project.id, job_id=options.batch)
        known = {sides.label_of(s, side): side for side in round_drawing.list_sides(found)}
        one, other = (_side(known, name) for name in (options.one, options.other))
        there = round_drawing.candidates(found, one, other)
        drawn = round_drawing.draw(
            there.pairs, slices=options.slices, per_slice=options.per_slice, seed=options.seed
        )
        round = rounds.create(
            s,
            actor_of(s, options),
            project.id,
            title=options.title,
            note=options.note,
            rubric=_rubric(options.rubric),
            pairs=[(pair.one_id, pair.other_id) for pair in drawn],
            rater_ids=[users.get_actor(s, name).id for name in options.raters],
            overlap=options.overlap,
            seed=options.seed,
        )
        say(str(round.id))
    return 0


def close(settings: Settings, options: argparse.Namespace) -> int:
    return _change(settings, options, rounds.close)


def reopen(settings: Settings, options: argparse.Namespace) -> int:
    return _change(settings, options, rounds.reopen)


def _change(settings: Settings, options: argparse.Namespace, change) -> int:
    open_studio(settings)
    with write() as s:
        round = rounds.get(s, _project(s, options).id, options.round)
        change(s, actor_of(s, options), round.id)
        say(_line(s, round))
    return 0


def _project(session: Session, options: argparse.Namespace) -> Project:
    return named(projects.list_projects(session), options.project, "project")


def _side(known: dict[str, SideSpec], name: str) -> SideSpec:
    if name not in known:
        there = ", ".join(known) or "none yet"
        raise LookupError(f"side: none named {name} answered there; there is {there}.")
    return known[name]


def _rubric(file: Path | None) -> Sequence[Axis]:
    if file is None:
        return rubric.DEFAULT
    try:
        held = yaml.safe_load(file.read_text(encoding="utf-8"))
    except (OSError, UnicodeDecodeError, yaml.YAMLError) as error:
        raise ValueError(f"rubric: {file} cannot be read as YAML; check the file.") from error
    if not isinstance(held, list) or not all(isinstance(item, dict) for item in held):
        raise ValueError(f"rubric: {file} must hold a list of items with key, title and question.")
    return rubric.check(held)


def _line(session: Session, round: Round) -> str:
    way = rounds.progress(session, round.id)
    done, total = sum(one.voted for one in way), sum(one.total for one in way)
    state = "closed" if round.closed_at else "open"
    return f"{round.id:>5}  {state:<7} {done:>5,} of {total:,} votes  {len(way)} raters  {round.title}"
