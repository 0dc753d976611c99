"""Frozen versions from the shell: freeze, compare, describe, check. See db.__main__, which runs these."""

import argparse
from collections.abc import Callable
from dataclasses import asdict
from pathlib import Path

from sqlalchemy.orm import Session

from db import cards, datasets, freezing, version_diff
from db import lineage as lineages
from db.checks.contamination import EvaluationSet
from db.enums import Category, Origin, Split
from db.freezing import Contaminated, Screening
from db.policy import Actor, Right, require
from db.recipes import NearOn, Recipe
from db.session import read, write
from db.version_diff import Difference


def add_commands(command: Callable[..., argparse.ArgumentParser]) -> None:
    """Add this file's commands; `command(name, function, scope)` gives the parser of each."""
    _add_freeze_options(command("freeze", freeze, read))
    comparing = command("diff", diff, read)
    comparing.add_argument("before", type=int)
    comparing.add_argument("after", type=int)
    comparing.add_argument("--kind", choices=list(Difference))
    comparing.add_argument(
        "--behind", type=int, default=-1, metavar="KEY", help="the last key of the page before"
    )
    comparing.add_argument("--limit", type=int, default=version_diff.PAGE_ROWS)
    carding = command("card", card, read)
    carding.add_argument("version", type=int)
    carding.add_argument("--language", action="append", help="ISO 639-1; en unless told")
    command("report", report, read).add_argument("version", type=int)
    command("lines", lines, read).add_argument("version", type=int)
    checking = command("check", check, read)
    checking.add_argument("version", type=int)
    checking.add_argument("--file", type=Path, help="what `lines` printed")
    tracing = command("lineage", lineage, read)
    tracing.add_argument("number", type=int, help="of a version")
    tracing.add_argument("--instruction", action="store_true", help="the number is an instruction's")


def freeze(session: Session, actor: Actor, given: argparse.Namespace):
    """The approved instructions as the next version of a dataset, made when it is new."""
    require(actor, Right.FREEZE)
    recipe = Recipe(
        categories=tuple(Category(category) for category in given.category),
        origins=tuple(Origin(origin) for origin in given.origin),
        task=given.task,
        specialty=given.specialty,
        text=given.text,
        validation=given.validation,
        test=given.test,
        seed=given.seed,
        near=given.near,
        near_on=NearOn(given.near_on),
        by_source=not given.split_anew,
        unreviewed_runs=tuple(given.unreviewed_run),
    )
    sets = [freezing.evaluation_set(session, *chosen) for chosen in given.against]
    sets += [EvaluationSet.of_file(path) for path in given.against_file]
    screening = Screening(tuple(sets), Contaminated(given.contaminated), given.reason)
    plan = freezing.plan_version(session, given.project, recipe, screening)  # others write meanwhile
    with write() as writing:
        named = [row for row in datasets.list_datasets(writing, given.project) if row.name == given.name]
        dataset = (
            named[0] if named else datasets.create_dataset(writing, actor, given.project, name=given.name)
        )
        same = datasets.same_version(writing, dataset.id, plan.content_hash)
        version = datasets.freeze(writing, actor, dataset.id, recipe, plan=plan)
        said = {"said": datasets.same_sentence(same)} if same else {}
    told = {"version_id": version.id, "number": version.number, "hash": version.content_hash}
    if waiting := version.report.get("unreviewed", {}).get("rows"):
        said["unreviewed"] = waiting
    yield {**told, "new": same is None, **said, **version.counts}


def diff(session: Session, actor: Actor, given: argparse.Namespace):
    """What changed between two frozen versions, after a line with the counts."""
    found = version_diff.compare_versions(session, given.before, given.after)
    yield {**found.counts, "unchanged": found.unchanged}
    kind = Difference(given.kind) if given.kind else None
    for change in found.page(kind, after=given.behind, limit=given.limit):
        yield {**asdict(change), "differences": sorted(change.differences)}


def card(session: Session, actor: Actor, given: argparse.Namespace):
    """The card of a frozen version, as Markdown for the Hugging Face Hub."""
    yield cards.dataset_card(session, given.version, languages=given.language or ("en",)).encode()


def report(session: Session, actor: Actor, given: argparse.Namespace):
    """How a frozen version was made, what was checked, found and waived."""
    version = datasets.get_version(session, given.version)
    yield {"hash": version.content_hash, "recipe": version.recipe, "report": version.report}


def check(session: Session, actor: Actor, given: argparse.Namespace):
    """Whether a frozen version, or a file of its lines, still has the hash it was frozen with."""
    if given.file is None:
        intact = datasets.verify(session, given.version)
    else:
        with given.file.open(encoding="utf-8", newline="\n") as lines:
            intact = datasets.verify_lines(session, given.version, lines)
    yield {"version_id": given.version, "intact": intact}


def lines(session: Session, actor: Actor, given: argparse.Namespace):
    """The canonical lines of a frozen version: sorted (LC_ALL=C sort), their SHA-256 is its hash."""
    for line in datasets.export_lines(session, given.version):
        yield line.encode() + b"\n"


def lineage(session: Session, actor: Actor, given: argparse.Namespace):
    """What was trained on a frozen version; with --instruction, the versions that an instruction is in."""
    if given.instruction:
        yield from map(asdict, lineages.list_memberships(session, given.number))
        return
    for trained in lineages.list_trained(session, given.number):
        row = trained.adapter
        yield {
            "adapter_id": row.id, "name": row.name, "same_data": trained.is_same_data,
            "deleted": row.deleted_at is not None,
        }  # fmt: skip


def _add_freeze_options(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("name")
    parser.add_argument("--text", default="", help="only rows that hold this text")
    parser.add_argument("--category", action="append", default=[], choices=list(Category))
    parser.add_argument("--origin", action="append", default=[], choices=list(Origin))
    parser.add_argument("--task", default="")
    parser.add_argument("--specialty", default="")
    parser.add_argument("--validation", type=float, default=Recipe.validation, help="share of the rows")
    parser.add_argument("--test", type=float, default=Recipe.test, help="share of the rows")
    parser.add_argument("--seed", type=int, default=Recipe.seed)
    parser.add_argument("--near", type=float, default=Recipe.near, help="rows above it keep together")
    parser.add_argument("--near-on", default=Recipe.near_on, choices=list(NearOn))
    parser.add_argument(
        "--split-anew", action="store_true", help="do not keep the splits that corpora came with"
    )
    parser.add_argument(
        "--unreviewed-run", action="append", default=[], type=int, metavar="JOB",
        help="a generation run whose rows go in unreviewed, when its audit sample allows it",
    )  # fmt: skip
    parser.add_argument(
        "--against", action="append", default=[], type=_version_and_split, metavar="VERSION[:SPLIT]",
        help="a frozen version that a model will be measured on",
    )  # fmt: skip
    parser.add_argument(
        "--against-file", action="append", default=[], type=Path, metavar="FILE",
        help="the same as JSONL: a text a line, or objects with instruction, question or text",
    )  # fmt: skip
    parser.add_argument("--contaminated", default=Contaminated.REFUSE, choices=list(Contaminated))
    parser.add_argument("--reason", default="", help="why contaminated rows may stay")


def _version_and_split(text: str) -> tuple[int, Split | None]:
    number, _, split = text.partition(":")
    if not number.isdigit() or (split and split not in list(Split)):
        raise argparse.ArgumentTypeError(f"{text!r} is not VERSION or VERSION:SPLIT")
    return int(number), Split(split) if split else None
