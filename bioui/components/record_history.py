"""What happened to one instruction: its revisions with what each changed, its reviews, its comments.

Event of `revisions()`: `restore` (`event.number`).
"""

from pathlib import Path

from bioui.components import chip
from bioui.components.view import View
from bioui.components.word_diff import CHANGES, field_changes
from bioui.present import ago, exact
from db import reviews
from db.content import content_of
from db.enums import Decision
from db.session import Session
from db.tables import Instruction

DECISIONS = {
    Decision.APPROVE: ("Approved", "approved"),
    Decision.REQUEST_CHANGES: ("Changes requested", "attention"),
    Decision.REJECT: ("Rejected", "attention"),
}

REVISIONS = Path(__file__).with_name("revisions.hbs").read_text(encoding="utf-8").replace("@changes", CHANGES)
TALK = Path(__file__).with_name("talk.hbs").read_text(encoding="utf-8").replace("@chip", chip.TEMPLATE)
ON_RESTORE = """
element.addEventListener('click', (event) => {
  const button = event.target.closest('[data-restore]');
  if (!button) return;
  const unsaved = document.body.dataset.unsaved;
  if (unsaved && !window.confirm('The text in the form is not saved. Replace it?')) return;
  trigger('restore', {number: Number(button.dataset.restore)});
});
"""
NO_REVISIONS = {"revisions": []}
NO_TALK = {"said": [], "empty": "Reviews and comments appear here."}


def revisions() -> View:
    return View(REVISIONS, NO_REVISIONS, on_load=ON_RESTORE)


def talk() -> View:
    return View(TALK, NO_TALK)


def revisions_value(record: Instruction) -> dict:
    """The revisions, newest first, each with what it changed against the one before."""
    shown = []
    for before, revision in zip([None, *record.revisions], record.revisions, strict=False):
        shown.append(
            {
                "number": revision.number,
                "author": revision.author.full_name,
                "ago": ago(revision.created_at),
                "exact": exact(revision.created_at),
                "reason": revision.reason,
                "in_force": revision.number == record.approved_version,
                "old": revision.number < record.version,
                "changes": field_changes(content_of(before), content_of(revision)) if before else [],
                "nothing": "The first text." if before is None else "Nothing changed.",
            }
        )
    return {"revisions": shown[::-1]}


def talk_value(session: Session, record: Instruction) -> dict:
    """Reviews and comments in the order they were made."""
    said = [(review.created_at, _review(review)) for review in record.reviews]
    said += [
        (comment.created_at, _said(comment.created_at, name, comment.version, comment.body))
        for comment, name in reviews.list_comments(session, record.id)
    ]
    said.sort(key=lambda pair: pair[0])
    return {**NO_TALK, "said": [shown for _, shown in said]}


def _review(review) -> dict:
    shown = _said(review.created_at, review.reviewer.full_name, review.version, review.comment)
    return {**shown, "chip": chip.chip_value(*DECISIONS[review.decision]), "solo": review.is_solo}


def _said(at, author: str, version: int, body: str) -> dict:
    return {
        "author": author,
        "version": version,
        "body": body,
        "ago": ago(at),
        "exact": exact(at),
        "chip": None,
    }
