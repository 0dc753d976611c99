"""The reading pane of a review: the record as a reader needs it, its faults, what changed since.

Event of the View: `clear` (`event.flag`, `event.reason`), as of `checks`.
"""

from pathlib import Path

from bioui.components import chip
from bioui.components.checks import FINDINGS, ON_REASON, findings_value
from bioui.components.empty import TEMPLATE as EMPTY_TEMPLATE
from bioui.components.empty import empty_state
from bioui.components.feedback_spring import TEMPLATE as FEEDBACK
from bioui.components.feedback_spring import feedback_value
from bioui.components.generate_spring import TEMPLATE as SPRING
from bioui.components.generate_spring import spring_value
from bioui.components.instruction_form import CATEGORIES
from bioui.components.record_history import talk_value
from bioui.components.view import View
from bioui.components.word_diff import CHANGES, field_changes
from bioui.present import ago, exact
from db.content import content_of
from db.policy import Actor
from db.session import Session
from db.tables import Instruction, Revision

DIFFICULTY = {1: "a student knows", 2: "a graduate knows", 3: "a clinician works it out",
              4: "an expert knows", 5: "a specialist thinks"}  # fmt: skip
# For inclusion where `this` holds text_value(...).
TEXT = Path(__file__).with_name("passage.hbs").read_text(encoding="utf-8")
TEMPLATE = (
    Path(__file__)
    .with_suffix(".hbs")
    .read_text(encoding="utf-8")
    .replace("@passage", TEXT.replace("data-field", "data-remark-field"))
    .replace("@spring", SPRING)
    .replace("@feedback", FEEDBACK)
    .replace("@findings", FINDINGS)
    .replace("@changes", CHANGES)
    .replace("@chip", chip.TEMPLATE)
    .replace("@empty", EMPTY_TEMPLATE)
)
# A new record is read from its top.
ON_LOAD = """
let shown = null;
watch('value', () => {
  const id = props.value.id;
  studio.setParam('id', id || null);
  if (shown !== null && id !== shown) {
    const pane = document.getElementById('reading');
    const isAway = pane.getBoundingClientRect().top < 0 || window.innerWidth <= 900;
    if (isAway) pane.scrollIntoView({block: 'start'});
  }
  shown = id;
});
"""
NOTHING_TO_READ = {
    "id": 0,
    "note": "",
    "empty": empty_state("Nothing to review.", "New submissions appear here."),
}
CATEGORY_NAMES = {value: name for name, value in CATEGORIES}


def reading_pane() -> View:
    return View(TEMPLATE, NOTHING_TO_READ, on_load=ON_LOAD + ON_REASON)


def reading_value(
    session: Session, actor: Actor, record: Instruction, *, own: str = "", note: str = ""
) -> dict:
    """`own` says why the reader may not decide, or that the decision is recorded as solo."""
    content = content_of(record)
    before, since = _text_before(record)
    return {
        **text_value(record),
        "version": record.version,
        "ago": ago(record.submitted_at),
        "exact": exact(record.submitted_at),
        "href": f"/curate?project={record.project_id}&id={record.id}",
        "own": own,
        "spring": spring_value(session, record),
        "feedback": feedback_value(session, record),
        "findings": findings_value(session, actor, record.project_id, content, record),
        "changes": field_changes(content_of(before), content) if before else [],
        "since": since,
        "said": talk_value(session, actor, record)["said"],
        "note": note,
        "empty": NOTHING_TO_READ["empty"],
    }


def text_value(record: Instruction) -> dict:
    """The texts and labels of one record."""
    labels = [CATEGORY_NAMES[record.category], record.task.replace("_", " "), record.specialty]
    labels += [f"difficulty {record.difficulty}: {DIFFICULTY[record.difficulty]}", *record.tags]
    return {
        "id": record.id,
        "author": record.author.full_name,
        "instruction": record.instruction,
        "input": record.input,
        "output": record.output,
        "labels": [label for label in labels if label]
        + ([f"source: {record.source}"] if record.source else []),
    }


def _text_before(record: Instruction) -> tuple[Revision | None, str]:
    """The revision a reviewer compares with: the one in force, else the one before this."""
    number = record.approved_version or record.version - 1
    before = next((revision for revision in record.revisions if revision.number == number), None)
    if before is None or number == record.version:
        return None, ""
    what = "approved version" if record.approved_version else "version"
    return before, f"Changed since {what} {number}"
