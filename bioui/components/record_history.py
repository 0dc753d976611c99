"""What happened to one instruction: its revisions with what each changed, and its reviews.

Event of `revisions()`: `restore` (`event.number`).
"""

from pathlib import Path

from bioui.components import chip
from bioui.components.view import View
from bioui.components.word_diff import CHANGES, field_changes
from bioui.present import ago, exact
from db import reviews
from db.checklists import CHECKLISTS
from db.content import content_of
from db.enums import Category, Decision, Reason
from db.policy import Actor
from db.session import Session
from db.tables import Instruction, Review

DECISIONS = {
    Decision.APPROVE: ("Approved", "approved"),
    Decision.REQUEST_CHANGES: ("Changes requested", "attention"),
    Decision.REJECT: ("Rejected", "attention"),
}

REASONS = {
    Reason.WRONG: "wrong",
    Reason.UNSAFE: "unsafe",
    Reason.INCOMPLETE: "incomplete",
    Reason.UNCLEAR: "unclear",
    Reason.UNSUPPORTED: "not supported by the input",
    Reason.DUPLICATE: "duplicate",
    Reason.OUT_OF_SCOPE: "out of scope",
    Reason.LABELS: "labels do not fit",
    Reason.PRIVACY: "patient data",
    Reason.STYLE: "wording",
    Reason.OTHER: "other",
}

REVISIONS = Path(__file__).with_name("revisions.hbs").read_text(encoding="utf-8").replace("@changes", CHANGES)
TALK = Path(__file__).with_name("talk.hbs").read_text(encoding="utf-8").replace("@chip", chip.TEMPLATE)
ON_RESTORE = """
element.addEventListener('click', (event) => {
  const button = event.target.closest('[data-restore]');
  if (!button) return;
  trigger('restore', {number: Number(button.dataset.restore)});
});
"""
NO_REVISIONS = {"revisions": []}
NO_TALK = {"said": [], "empty": "No review yet."}


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


def talk_value(session: Session, actor: Actor, record: Instruction) -> dict:
    """The reviews that the actor may see, in the order they were made."""
    return {
        **NO_TALK,
        "said": [
            review_value(review, record.category) for review in reviews.list_reviews(session, record, actor)
        ],
    }


def _kind(review: Review) -> str:
    if review.is_adjudication:
        return "settled a disagreement"
    return "solo review" if review.is_solo else ""


def review_value(review: Review, category: Category) -> dict:
    """One decision, with the points of the checklist that were left unticked."""
    unticked = [point.text for point in CHECKLISTS[category] if point.code not in review.checklist]
    return {
        "author": review.reviewer.full_name,
        "version": review.version,
        "body": review.comment,
        "reasons": [REASONS[Reason(reason)] for reason in review.reasons],
        "ticked": len(review.checklist),
        "unticked": unticked if review.checklist else [],
        "ago": ago(review.created_at),
        "exact": exact(review.created_at),
        "chip": chip.chip_value(*DECISIONS[review.decision]),
        "kind": "settled a disagreement"
        if review.is_adjudication
        else "solo review"
        if review.is_solo
        else "",
    }
