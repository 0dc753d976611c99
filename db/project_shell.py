"""A project's settings, guidelines and privacy check from the shell. See db.__main__, which runs these."""

import argparse
import sys
from collections.abc import Callable
from dataclasses import asdict, replace
from pathlib import Path

from sqlalchemy.orm import Session

from db import double_review, duplicates, notices, privacy_sweep, projects, unreviewed
from db import guidelines as guides
from db.exchange import hub
from db.policy import Actor, Right, require
from db.session import read


def add_commands(command: Callable[..., argparse.ArgumentParser]) -> None:
    """Add this file's commands; `command(name, function, scope)` gives the parser of each."""
    setting = command("settings", settings)
    setting.add_argument(
        "--double-share", type=float, metavar="SHARE", help="of submissions that two people review, 0 to 1"
    )
    setting.add_argument("--copy", type=float, metavar="SCORE", help="ROUGE-L above which a text is a copy")
    setting.add_argument(
        "--variant", type=float, metavar="SCORE", help="the same where each names something else"
    )
    setting.add_argument(
        "--acceptance", type=float, metavar="SHARE",
        help="that the lower end of a sample's interval reaches before unreviewed rows are frozen",
    )  # fmt: skip
    setting.add_argument("--sample", type=int, metavar="RECORDS", help="of such a sample, at least")
    setting.add_argument("--token-variable", metavar="NAME", help="environment variable of the Hub's token")
    setting.add_argument(
        "--solo", action=argparse.BooleanOptionalAction, help="people may approve their own work"
    )
    setting.add_argument("--webhook", metavar="URL", help="told when a run ends; '' for none (an admin)")
    setting.add_argument(
        "--webhook-private", action=argparse.BooleanOptionalAction, help="its address may be private"
    )
    setting.add_argument(
        "--webhook-secret", metavar="NAME", help="environment variable, ends in _SECRET, sent as bearer token"
    )
    command("guidelines", guidelines, read).add_argument(
        "number", type=int, nargs="?", help="of a version; the one in force unless told"
    )
    writing = command("write-guidelines", write_guidelines)
    writing.add_argument("file", type=Path, help="Markdown")
    writing.add_argument(
        "--on", type=int, required=True, metavar="NUMBER", help="the version it follows; 0 for the first"
    )
    writing.add_argument("--reason", default="", help="what changed")
    command("check-privacy", check_privacy, read)


def settings(session: Session, actor: Actor, given: argparse.Namespace):
    """Change what is named of a project's settings, and print them all."""
    require(actor, Right.READ)
    project = projects.get_project(session, given.project)
    if given.double_share is not None:
        wanted = double_review.ReviewSettings(given.double_share)
        double_review.set_review_settings(session, actor, project.id, wanted)
    bounds = {name: getattr(given, name) for name in ("copy", "variant") if getattr(given, name) is not None}
    if bounds:
        duplicates.set_rule(session, actor, project.id, replace(duplicates.rule_of(project), **bounds))
    samples = {"acceptance": given.acceptance, "sample": given.sample}
    asked = {name: value for name, value in samples.items() if value is not None}
    if asked:
        unreviewed.set_rule(session, actor, project.id, replace(unreviewed.rule_of(project), **asked))
    if given.token_variable is not None:
        hub.set_token_variable(session, actor, project.id, given.token_variable)
    hook = {"url": given.webhook, "private": given.webhook_private, "secret_variable": given.webhook_secret}
    told = {name: value for name, value in hook.items() if value is not None}
    if told:
        notices.set_webhook(session, actor, project.id, replace(notices.webhook_of(project), **told))
    if given.solo is not None:
        projects.set_solo(session, actor, project.id, solo=given.solo)
    yield {
        **asdict(double_review.get_review_settings(session, project.id)),
        **asdict(duplicates.rule_of(project)),
        **asdict(unreviewed.rule_of(project)),
        "token_variable": hub.token_variable(session, project.id),
        "webhook": asdict(notices.webhook_of(project)),
        "solo": project.is_solo,
    }


def guidelines(session: Session, actor: Actor, given: argparse.Namespace):
    """The guidelines for writing and reviewing, as Markdown."""
    require(actor, Right.READ)
    if given.number is not None:
        shown = guides.get_guideline(session, given.project, given.number)
    else:
        shown = guides.current_guideline(session, given.project)
    if shown is None:
        raise LookupError("This project has no guidelines yet; write-guidelines FILE --on 0 makes the first.")
    yield f"{shown.body}\n".encode()


def write_guidelines(session: Session, actor: Actor, given: argparse.Namespace):
    """A file of Markdown as the next version of the guidelines."""
    body = given.file.read_text(encoding="utf-8-sig")
    stored = guides.write_guideline(session, actor, given.project, body, number=given.on, reason=given.reason)
    yield {"number": stored.number, "new": stored.number == given.on + 1}


def check_privacy(session: Session, actor: Actor, given: argparse.Namespace):
    """Check every record again for what looks like patient data; progress on standard error."""
    total = len(privacy_sweep.list_records(session, given.project))

    def report(done: int) -> None:
        sys.stderr.write(f"{done:,} of {total:,} records\n")

    yield asdict(privacy_sweep.sweep(actor, given.project, report))
