"""Curation from the shell, by the functions, rights and records of the browser: `python -m db --help`."""

import argparse
import json
import sys
import tempfile
from dataclasses import asdict
from pathlib import Path

from sqlalchemy.orm import Session

from db import (
    coverage,
    handing_in,
    instructions,
    migrate,
    project_shell,
    projects,
    reviews,
    search,
    settings,
    users,
    version_shell,
)
from db.content import content_of
from db.enums import Category, Decision, InstructionStatus, Provenance, Role
from db.exchange import hub, preview, records, writers
from db.exchange.faults import ImportRefused, error_file
from db.exchange.plan import ImportOptions
from db.exchange.screening import Screening
from db.policy import Actor, PolicyError
from db.search import InstructionQuery
from db.session import connect, read, write

REFUSED = 1  # exit code when the studio says no


def main(argv: list[str] | None = None) -> int:
    """Run one command; prints JSON lines or a file's bytes, or one sentence on standard error."""
    given = _parser().parse_args(argv)
    studio = settings.from_environment()
    studio.make_folders()
    migrate.upgrade(connect(studio.url))
    try:
        with given.scope() as session:
            actor = users.get_actor(session, given.acting)
            for line in given.command(session, actor, given):
                if isinstance(line, bytes):
                    sys.stdout.buffer.write(line)
                else:
                    print(json.dumps(line, ensure_ascii=False))
            sys.stdout.flush()
    except ImportRefused as refused:
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
    page = search.search_instructions(session, given.project, _query(given), limit=given.limit)
    for row in page.rows:
        yield {"id": row.id, "status": row.status, "version": row.version, **content_of(row).columns()}


def import_file(session: Session, actor: Actor, given: argparse.Namespace):
    """Every row of a file, or none: JSON, JSONL, CSV, TSV, Parquet, a saved datasets folder."""
    options = ImportOptions(
        mapping=dict(given.map) if given.map else None,
        flatten=given.flatten,
        keep_system=given.keep_system,
        category=Category(given.category),
        task=given.task,
        specialty=given.specialty,
        provenance=Provenance(given.provenance),
        licence=given.licence,
        is_restricted=given.restricted,
    )
    screening = Screening(session, given.project)
    seen = preview.preview_import(session, actor, given.project, given.file, options, screening=screening)
    near, flags = seen.screened.near, seen.screened.flags
    found = {"near_copies": len(near), "flagged": len(flags)}
    for note in seen.notes:
        print(note, file=sys.stderr)
    if given.errors and seen.faults:
        given.errors.write_bytes(error_file(seen.faults))
    if given.preview:
        faults = [{"line": fault.line, "message": fault.message} for fault in seen.faults]
        told = {"format": seen.layout.name, "mapping": seen.mapping, "not_taken": seen.unmapped}
        yield {**told, **seen.counts, **found, "faults": faults}
        return
    with write() as writing:  # others write while the file is looked through
        done = preview.apply_import(
            writing, actor, given.project, given.file, options, fingerprint=seen.fingerprint,
            skip=() if given.keep_near else near, hold={*near, *flags}, submit=given.submit, flags=flags,
        )  # fmt: skip
    counts = {"imported": len(done.ids), "changed": len(done.changed), "duplicates": done.duplicates, **found}
    yield {**counts, "submitted": done.submitted} if given.submit else counts


def submit(session: Session, actor: Actor, given: argparse.Namespace):
    """Hand drafts to the reviewers."""
    for instruction_id in given.ids:
        head = instructions.get_instruction(session, instruction_id)
        row = handing_in.hand_in(session, actor, head.id, version=head.version)
        yield {"id": row.id, "status": row.status}


def review(session: Session, actor: Actor, given: argparse.Namespace):
    """Decide on submissions of others."""
    for instruction_id in given.ids:
        head = instructions.get_instruction(session, instruction_id)
        reviews.review_instruction(
            session, actor, head.id, Decision(given.decision), version=head.version, comment=given.comment
        )
        yield {"id": head.id, "status": head.status}


def export(session: Session, actor: Actor, given: argparse.Namespace):
    """The rows of a frozen version, or without one those that the filter finds."""
    if given.version is not None:
        chosen = records.of_version(session, actor, given.version)
    else:
        chosen = records.of_query(session, actor, given.project, _query(given))
    kind = writers.Format(given.format)
    writers.record_export(session, actor, chosen, kind)
    if chosen.restricted:
        print(chosen.sentence, file=sys.stderr)
    if given.to is None:
        yield from writers.write_records(chosen, kind)
    else:
        size = writers.save_records(chosen, kind, given.to)
        yield {"file": str(given.to), "rows": chosen.rows, "left_out": chosen.restricted, "bytes": size}


def push(session: Session, actor: Actor, given: argparse.Namespace):
    """A frozen version and its card to a dataset repository of the Hub."""
    card = given.card.read_text(encoding="utf-8")
    with tempfile.TemporaryDirectory(prefix="studio-push-") as folder:
        staged = hub.stage_version(session, actor, given.version, Path(folder), card=card)
        session.commit()  # nothing was written: let others write while the network is asked
        pushed = hub.push(staged, given.repository, private=not given.public)
        hub.record_push(session, actor, staged, pushed)
    yield {"url": pushed.url, "commit": pushed.commit, "rows": staged.rows}


def invite(session: Session, actor: Actor, given: argparse.Namespace):
    """An account, and the link with which its owner chooses a password."""
    roles = [Role(role) for role in given.role]
    token = users.invite(session, actor, username=given.username, full_name=given.full_name, roles=roles)
    yield {"link": f"/invite?token={token}"}


def list_projects(session: Session, actor: Actor, given: argparse.Namespace):
    """Every project."""
    for project in projects.list_projects(session):
        yield {"id": project.id, "name": project.name, "solo": project.is_solo}


def list_coverage(session: Session, actor: Actor, given: argparse.Namespace):
    """Every task, specialty and difficulty with its records by status and its target; or only the gaps."""
    if given.gaps:
        for gap in coverage.gaps(session, given.project):
            counts = {"approved": gap.approved, "under_way": gap.under_way, "to_write": gap.to_write}
            yield {**asdict(gap.target), **counts}
        return
    for cell in coverage.matrix(session, given.project):
        place = {"task": cell.task, "specialty": cell.specialty, "difficulty": cell.difficulty}
        yield {**place, **cell.counts, "target": cell.target}


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="python -m db", description=__doc__.splitlines()[0])
    parser.add_argument("--as", dest="acting", required=True, metavar="USER", help="whose rights to act with")
    parser.add_argument("--project", type=int, default=1, help="project number (default: %(default)s)")
    commands = parser.add_subparsers(required=True, metavar="COMMAND")

    def command(name: str, function, scope=write) -> argparse.ArgumentParser:
        added = commands.add_parser(name, help=function.__doc__)
        added.set_defaults(command=function, scope=scope)
        return added

    command("projects", list_projects)
    listing = command("list", list_rows)
    _add_filter(listing)
    _add_status(listing)
    listing.add_argument("--limit", type=int, default=search.PAGE_ROWS)
    importing = command("import", import_file, read)
    importing.add_argument("file", type=Path)
    _add_import_options(importing)
    command("submit", submit).add_argument("ids", type=int, nargs="+")
    reviewing = command("review", review)
    reviewing.add_argument("decision", choices=list(Decision))
    reviewing.add_argument("ids", type=int, nargs="+")
    reviewing.add_argument("--comment", default="")
    version_shell.add_commands(command)
    project_shell.add_commands(command)
    exporting = command("export", export)
    exporting.add_argument("version", type=int, nargs="?", help="number of a frozen version")
    exporting.add_argument("--format", default=writers.Format.JSONL, choices=list(writers.Format))
    exporting.add_argument("--to", type=Path, metavar="FILE", help="instead of standard output")
    _add_filter(exporting)
    _add_status(exporting)
    pushing = command("push", push)
    pushing.add_argument("version", type=int)
    pushing.add_argument("repository", metavar="OWNER/NAME")
    pushing.add_argument("--card", type=Path, required=True, help="Markdown that becomes README.md")
    pushing.add_argument("--public", action="store_true", help="a new repository is private unless told")
    covering = command("coverage", list_coverage)
    covering.add_argument("--gaps", action="store_true", help="only the targets that are not reached")
    inviting = command("invite", invite)
    inviting.add_argument("username")
    inviting.add_argument("full_name")
    inviting.add_argument("--role", action="append", required=True, choices=list(Role))
    return parser


def _pair(text: str) -> tuple[str, str]:
    field, equals, column = text.partition("=")
    if not equals:
        raise argparse.ArgumentTypeError(f"{text!r} is not FIELD=COLUMN")
    return field.strip(), column


def _query(given: argparse.Namespace) -> InstructionQuery:
    return InstructionQuery(
        text=given.text,
        statuses=tuple(InstructionStatus(status) for status in given.status),
        categories=tuple(Category(category) for category in given.category),
    )


def _add_import_options(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--map", action="append", type=_pair, metavar="FIELD=COLUMN", help="not by guess")
    parser.add_argument("--preview", action="store_true", help="say what would happen and store nothing")
    parser.add_argument("--errors", type=Path, metavar="FILE", help="write the faulty lines there, as CSV")
    parser.add_argument("--provenance", default=Provenance.NATIVE, choices=list(Provenance))
    parser.add_argument("--task", default="", help="of rows that name none, with the next two")
    parser.add_argument("--category", default=Category.OTHER, choices=list(Category))
    parser.add_argument("--specialty", default="")
    parser.add_argument("--licence", default="", help="of rows that name none")
    parser.add_argument("--restricted", action="store_true", help="under a data-use agreement: never leave")
    parser.add_argument("--flatten", action="store_true", help="write turns between into the input")
    parser.add_argument("--keep-system", action="store_true", help="put system messages into instructions")
    parser.add_argument("--keep-near", action="store_true", help="store near copies too, as drafts")
    parser.add_argument("--submit", action="store_true", help="complete rows go to the reviewers at once")


def _add_status(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--status", action="append", default=[], choices=list(InstructionStatus))


def _add_filter(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--text", default="", help="only rows that hold this text")
    parser.add_argument("--category", action="append", default=[], choices=list(Category))


if __name__ == "__main__":
    sys.exit(main())
