"""What of a prompt looks like patient data before it is sent to a model: told by kind and place.

A prompt is not held back for it as an instruction is: whoever sends it may say that it tells of no real
person, and the audit log keeps who said so, in which fields and of what kind. Never the text itself.
"""

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from sqlalchemy.orm import Session

from db import audit
from db.checks import phi
from db.policy import Actor, Right, require
from db.privacy import with_article
from db.projects import get_project


@dataclass(frozen=True)
class Finding:
    """Characters `start` to `end` (exclusive) of the field that look like what `kind` says."""

    field: str
    start: int
    end: int
    kind: str

    @property
    def sentence(self) -> str:
        """`Input, characters 12 to 22: a date.`"""
        place = f"characters {self.start + 1:,} to {self.end:,}"
        return f"{self.field.capitalize()}, {place}: {with_article(self.kind)}."


def look(texts: Mapping[str, str]) -> tuple[Finding, ...]:
    """What looks like patient data in the fields of a prompt, by field and place.

    Raises ValueError when STUDIO_NER_DIR names no folder with a spaCy pipeline.
    """
    return tuple(
        Finding(field, span.start, span.end, span.kind.value)
        for field, text in texts.items()
        if text and phi.may_hold(text)
        for span in phi.find(text)
    )


def note_sent(session: Session, actor: Actor, project_id: int, findings: Sequence[Finding]) -> None:
    """An audit line: `actor` sent a prompt with these findings all the same. Nothing where there are none."""
    require(actor, Right.COMPARE)
    if not findings:
        return
    counts = Counter((one.field, one.kind) for one in findings)
    found = [{"field": field, "kind": kind, "count": count} for (field, kind), count in counts.items()]
    audit.record(session, actor, "sent_despite_warning", get_project(session, project_id), found=found)
