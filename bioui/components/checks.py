"""What the page says of a text while it is typed: lengths, advice, likely patient data, the nearest text.

Events of the View: `pause` (typing has rested), `waive` (`event.near`, `event.reason`: keep both texts) and
`clear` (`event.flag`, `event.reason`: the flagged text tells of no real person).
"""

from pathlib import Path

from bioui.components.view import View
from bioui.components.word_diff import PARTS, word_diff
from bioui.present import counted, shortened
from db import duplicates, instructions, privacy
from db.checks import quality
from db.content import Content, content_of
from db.duplicates import Kind, Near
from db.policy import Actor, Right
from db.session import Session
from db.tables import Instruction, PrivacyFlag, User

# Typing pauses -> the View's `pause` event. Nothing is sent while keys are still coming.
PAUSE_SECONDS = 0.6
PAUSE = """
let timer = 0;
document.addEventListener('input', (event) => {
  if (!event.target.closest('SELECTOR')) return;
  clearTimeout(timer);
  timer = setTimeout(() => trigger('pause', {}), MILLISECONDS);
});
"""
ON_LOAD = """
watch('value', () => {
  const note = document.getElementById('checks-note');
  if (note) note.textContent = props.value.summary || '';
});
"""
# A finding's own buttons, each with the reason beside it.
ON_REASON = """
element.addEventListener('click', (event) => {
  const button = event.target.closest('[data-act]');
  if (!button) return;
  const reason = button.closest('.reasoned').querySelector('input').value;
  if (button.dataset.act === 'waive') trigger('waive', {near: Number(button.dataset.of), reason});
  if (button.dataset.act === 'clear') trigger('clear', {flag: Number(button.dataset.of), reason});
});
element.addEventListener('keydown', (event) => {
  const box = event.key === 'Enter' && event.target.closest('.reasoned');
  if (box) { event.preventDefault(); box.querySelector('[data-act]').click(); }
});
"""
FINDINGS = (Path(__file__).parent / "findings.hbs").read_text(encoding="utf-8").replace("@parts", PARTS)
"""For inclusion where `this` holds findings_value(...)."""
TEMPLATE = Path(__file__).with_suffix(".hbs").read_text(encoding="utf-8").replace("@findings", FINDINGS)
NO_CHECKS = {"ready": False}
AROUND = 40  # characters shown on either side of a flagged stretch


def checks() -> View:
    return View(TEMPLATE, NO_CHECKS, on_load=pause("#instruction-form") + ON_LOAD + ON_REASON)


def pause(selector: str) -> str:
    """JavaScript for a View: `pause` is triggered when typing inside `selector` has rested."""
    return PAUSE.replace("SELECTOR", selector).replace("MILLISECONDS", str(int(PAUSE_SECONDS * 1000)))


def checks_value(
    session: Session, actor: Actor, project_id: int, content: Content, stored: Instruction | None
) -> dict:
    """Everything about what stands in the form; `stored` is the record that is open, if it is saved."""
    if not content.instruction.strip():
        return NO_CHECKS
    lengths = [("instruction", content.instruction), ("input", content.input), ("output", content.output)]
    findings = findings_value(session, actor, project_id, content, stored)
    return {
        "ready": True,
        "counts": [
            {"words": f"{len(text.split()):,}", "label": f"words of {name}"} for name, text in lengths if text
        ],
        "tokens": f"{about_tokens(content):,}",
        "findings": findings,
        "summary": _summary(findings),
    }


def findings_value(
    session: Session, actor: Actor, project_id: int, content: Content, stored: Instruction | None
) -> dict:
    """The faults of a text, for its author and for its reviewer alike."""
    report = privacy.scan(content)
    flags = [_flag_value(session, actor, content, flag, stored) for flag in report.flags]
    return {
        "advice": advice_value(content),
        "near": near_value(session, project_id, content, stored),
        "flags": flags,
        "is_flagged": any(not flag["cleared"] for flag in flags),
        "checked": ", ".join(report.checked),
        "not_checked": "; ".join(report.not_checked),
    }


def advice_value(content: Content) -> list[dict]:
    """quality.advise, the field apart from the sentence."""
    return [
        dict(zip(("field", "sentence"), told.split(": ", 1), strict=True)) for told in quality.advise(content)
    ]


def near_value(
    session: Session, project_id: int, content: Content, stored: Instruction | None
) -> dict | None:
    """The stored instruction that decides about the text; where it is near, with what differs."""
    found = duplicates.find_near(session, project_id, content, except_ids={stored.id} if stored else set())
    if found is None:
        return None
    other = instructions.get_instruction(session, found.id)
    theirs = duplicates.text_of(other.instruction, other.input)
    ours = duplicates.text_of(content.instruction, content.input)
    is_near, waived = found.kind is not Kind.NONE, _waiver(session, content, stored, found.id)
    return {
        "id": found.id,
        "score": f"{found.score:.2f}",
        "is_copy": found.stops and not waived,
        "may_waive": bool(found.stops and not waived and stored),
        "title": f"Near {found.kind}." if is_near else "",
        "told": f". Kept beside it on purpose: {waived}" if waived else _near_told(found),
        "href": f"/curate?project={project_id}&id={found.id}",
        "parts": word_diff(theirs, ours) if is_near else [{"text": shortened(theirs, 400)}],
    }


def _waiver(session: Session, content: Content, stored: Instruction | None, near_id: int) -> str:
    """Why this very text may stand beside that one; "" where nobody said so."""
    if stored is None or (content.instruction, content.input) != (stored.instruction, stored.input):
        return ""
    waivers = duplicates.list_waivers(session, stored)
    return next((waiver.reason for waiver in waivers if waiver.near_id == near_id), "")


def _near_told(found: Near) -> str:
    if found.stops:
        return f", above {found.bound:.2f}. Change yours, edit that one instead, or keep both and say why."
    if found.kind is Kind.VARIANT:
        return f". Each names something that the other does not: it passes up to {found.bound:.2f}."
    return ""


def _flag_value(
    session: Session, actor: Actor, content: Content, flag: privacy.Flag, stored: Instruction | None
) -> dict:
    """A stretch with what stands around it, and what became of it in the saved version."""
    text = privacy.text_of(content, flag.field)
    kept = _stored_flag(session, flag, text, stored)
    by = session.get(User, kept.cleared_by_id) if kept and kept.cleared_by_id else None
    return {
        "field": flag.field,
        "kind": flag.kind,
        "named": privacy.with_article(flag.kind),
        "before": text[max(0, flag.start - AROUND) : flag.start],
        "text": text[flag.start : flag.end],
        "after": text[flag.end : flag.end + AROUND],
        "cleared": f"{by.full_name}: {kept.cleared_reason}" if by else "",
        "id": kept.id if kept and not by and actor.can(Right.CLEAR_PRIVACY) else 0,
    }


def _stored_flag(
    session: Session, flag: privacy.Flag, text: str, stored: Instruction | None
) -> PrivacyFlag | None:
    """The same flag of the saved version, as long as the field still says the same."""
    if stored is None or privacy.text_of(content_of(stored), flag.field) != text:
        return None
    place = (flag.field, flag.start, flag.end)
    flags = privacy.list_flags(session, stored.id, stored.version)
    return next((one for one in flags if (one.field, one.span_start, one.span_end) == place), None)


def _summary(findings: dict) -> str:
    """One line for beside the buttons, where the checks themselves may be out of sight."""
    near, advice = findings["near"], findings["advice"]
    open_flags = sum(not flag["cleared"] for flag in findings["flags"])
    said = [f"{near['title'].removesuffix('.')} of number {near['id']}"] if near and near["is_copy"] else []
    said += [counted(open_flags, "privacy flag")] if open_flags else []
    return ". ".join([*said, counted(len(advice), "remark")] if advice else said)


def about_tokens(content: Content) -> int:
    """Tokens of the whole record by the rule of thumb of four characters each."""
    return round(sum(len(text) for text in (content.instruction, content.input, content.output)) / 4)
