"""What happened to one instruction: its revisions with what each changed, its reviews, its comments.

Event of `revisions()`: `restore` (`event.number`).
"""

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

REVISIONS = (
    """
{{#if value.revisions}}<ol class="history">{{#each value.revisions}}
  <li><p class="history-head"><b>Version {{this.number}}</b> <span>{{this.author}}</span>
      <time title="{{this.exact}}">{{this.ago}}</time>
      {{#if this.in_force}}<span class="chip chip-approved"><span class="chip-mark" aria-hidden="true"></span>In force</span>{{/if}}
      {{#if this.old}}<button type="button" class="quiet-btn" data-restore="{{this.number}}">Restore</button>{{/if}}</p>
    {{#if this.reason}}<p class="history-reason">{{this.reason}}</p>{{/if}}
    {{#if this.changes}}"""
    + CHANGES
    + """{{else}}<p class="muted">{{this.nothing}}</p>{{/if}}</li>{{/each}}
</ol>{{else}}<p class="muted">Saved versions appear here, each with who wrote it, when and what changed.</p>{{/if}}
"""
)
TALK = (
    """
{{#if value.said}}<ol class="history">{{#each value.said}}
  <li><p class="history-head">{{#if this.chip}}{{#with this.chip}}"""
    + chip.TEMPLATE
    + """{{/with}}{{/if}} <b>{{this.author}}</b>
      <span>on version {{this.version}}</span>{{#if this.solo}}<span>solo review</span>{{/if}}
      <time title="{{this.exact}}">{{this.ago}}</time></p>
    {{#if this.body}}<p class="history-body">{{this.body}}</p>{{/if}}</li>{{/each}}
</ol>{{else}}<p class="muted">{{value.empty}}</p>{{/if}}
"""
)
ON_RESTORE = """
element.addEventListener('click', (event) => {
  const button = event.target.closest('[data-restore]');
  if (!button) return;
  if (document.body.dataset.unsaved && !window.confirm('The text in the form is not saved. Replace it?')) return;
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
