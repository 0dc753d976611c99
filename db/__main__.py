"""Curation from the shell, by the functions, rights and records of the browser: `python -m db --help`."""

import argparse
import json
import sys
from pathlib import Path

from sqlalchemy.orm import Session

from db import datasets, imports, instructions, migrate, projects, reviews, settings, users
from db.content import content_of
from db.datasets import Recipe
from db.enums import Category, Decision, InstructionStatus, Provenance, Role
from db.instructions import InstructionQuery
from db.policy import Actor, PolicyError
from db.session import connect, write

REFUSED = 1  # exit code when the studio says no


def main(argv: list[str] | None = None) -> int:
    """Run one command; prints JSON lines, or one sentence on standard error."""
    given = _parser().parse_args(argv)
    studio = settings.from_environment()
    studio.make_folders()
    migrate.upgrade(connect(studio.url))
    try:
        with write() as session:
            actor = users.get_actor(session, given.acting)
            for line in given.command(session, actor, given):
                print(json.dumps(line, ensure_ascii=False))
    except imports.ImportRefused as refused:
        for error in refused.errors:
            print(f"line {error.line}: {error.message}", file=sys.stderr)
        print(refused, file=sys.stderr)
        return REFUSED
    except (PolicyError, LookupError, ValueError) as error:
        print(error, file=sys.stderr)
        return REFUSED
    return 0


def list_rows(session: Session, actor: Actor, given: argparse.Namespace):
    """The matching instructions, newest first."""
    query = InstructionQuery(
        text=given.text,
        statuses=tuple(InstructionStatus(status) for status in given.status),
        categories=tuple(Category(category) for category in given.category),
    )
    page = instructions.search_instructions(session, given.project, query, limit=given.limit)
    for row in page.rows:
        yield {"id": row.id, "status": row.status, "version": row.version, **content_of(row).columns()}


def import_file(session: Session, actor: Actor, given: argparse.Namespace):
    """Every row of a JSON or JSONL file as a draft, or none."""
    contents = imports.read_file(given.file)
    imports.import_contents(
        session,
        actor,
        given.project,
        contents,
        provenance=Provenance(given.provenance),
        file_name=given.file.name,
    )
    yield {"imported": len(contents)}


def submit(session: Session, actor: Actor, given: argparse.Namespace):
    """Hand drafts to the reviewers."""
    for instruction_id in given.ids:
        head = instructions.get_instruction(session, instruction_id)
        row = instructions.submit_for_review(session, actor, head.id, version=head.version)
        yield {"id": row.id, "status": row.status}


def review(session: Session, actor: Actor, given: argparse.Namespace):
    """Decide on submissions of others."""
    for instruction_id in given.ids:
        head = instructions.get_instruction(session, instruction_id)
        reviews.review_instruction(
            session, actor, head.id, Decision(given.decision), version=head.version, comment=given.comment
        )
        yield {"id": head.id, "status": head.status}


def freeze(session: Session, actor: Actor, given: argparse.Namespace):
    """The approved instructions as the next version of a dataset, made when it is new."""
    recipe = Recipe(
        categories=tuple(Category(category) for category in given.category),
        text=given.text,
        validation=given.validation,
        test=given.test,
        seed=given.seed,
    )
    named = [row for row in datasets.list_datasets(session, given.project) if row.name == given.name]
    dataset = named[0] if named else datasets.create_dataset(session, actor, given.project, name=given.name)
    version = datasets.freeze(session, actor, dataset.id, recipe)
    yield {"version_id": version.id, "number": version.number, "hash": version.content_hash, **version.counts}


def export(session: Session, actor: Actor, given: argparse.Namespace):
    """The rows of a frozen version."""
    return map(json.loads, datasets.export_lines(session, given.version))


def invite(session: Session, actor: Actor, given: argparse.Namespace):
    """An account, and the link with which its owner chooses a password."""
    roles = [Role(role) for role in given.role]
    token = users.invite(session, actor, username=given.username, full_name=given.full_name, roles=roles)
    yield {"link": f"/invite?token={token}"}


def list_projects(session: Session, actor: Actor, given: argparse.Namespace):
    """Every project."""
    for project in projects.list_projects(session):
        yield {"id": project.id, "name": project.name, "solo": project.is_solo}


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="python -m db", description=__doc__.splitlines()[0])
    parser.add_argument("--as", dest="acting", required=True, metavar="USER", help="whose rights to act with")
    parser.add_argument("--project", type=int, default=1, help="project number (default: %(default)s)")
    commands = parser.add_subparsers(required=True, metavar="COMMAND")

    def command(name: str, function) -> argparse.ArgumentParser:
        added = commands.add_parser(name, help=function.__doc__)
        added.set_defaults(command=function)
        return added

    command("projects", list_projects)
    listing = command("list", list_rows)
    _add_filter(listing)
    listing.add_argument("--status", action="append", default=[], choices=list(InstructionStatus))
    listing.add_argument("--limit", type=int, default=instructions.PAGE_ROWS)
    importing = command("import", import_file)
    importing.add_argument("file", type=Path)
    importing.add_argument("--provenance", default=Provenance.NATIVE, choices=list(Provenance))
    command("submit", submit).add_argument("ids", type=int, nargs="+")
    reviewing = command("review", review)
    reviewing.add_argument("decision", choices=list(Decision))
    reviewing.add_argument("ids", type=int, nargs="+")
    reviewing.add_argument("--comment", default="")
    freezing = command("freeze", freeze)
    freezing.add_argument("name")
    _add_filter(freezing)
    freezing.add_argument("--validation", type=float, default=Recipe.validation)
    freezing.add_argument("--test", type=float, default=Recipe.test)
    freezing.add_argument("--seed", type=int, default=Recipe.seed)
    command("export", export).add_argument("version", type=int)
    inviting = command("invite", invite)
    inviting.add_argument("username")
    inviting.add_argument("full_name")
    inviting.add_argument("--role", action="append", required=True, choices=list(Role))
    return parser


def _add_filter(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--text", default="", help="only rows that hold this text")
    parser.add_argument("--category", action="append", default=[], choices=list(Category))


if __name__ == "__main__":
    sys.exit(main())
