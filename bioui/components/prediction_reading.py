"""One row to read: the prompt as asked, the reference, what each model answered and what was read from it.

Event of the returned View: `close`. Differences are shown on request, in the browser; the choice stays while
rows are turned.
"""

from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path

from bioui.components.prediction_marks import LEGEND, PIECES, Verdict, judge, marked
from bioui.components.view import View
from bioui.components.word_diff import PARTS, word_diff
from bioui.present import counted
from db.corpora.forms.prediction import Fault, FaultKind, Mention

TEMPLATE = (
    Path(__file__)
    .with_suffix(".hbs")
    .read_text(encoding="utf-8")
    .replace("@parts", PARTS)
    .replace("@pieces", PIECES)
    .replace("@legend", LEGEND)
)
ON_LOAD = """
const show = (diff) => {
  element.dataset.diff = diff;
  for (const button of element.querySelectorAll('[data-diff]'))
    button.setAttribute('aria-pressed', button.dataset.diff === diff);
};
element.addEventListener('click', (event) => {
  const button = event.target.closest('[data-diff]');
  if (button && button !== element) return show(button.dataset.diff);
  if (event.target.closest('[data-close-row]')) {
    studio.setParam('row', null);
    for (const item of document.querySelectorAll('.predictions .item[aria-current]')) {
      item.removeAttribute('aria-current');
      item.focus();
    }
    trigger('close', {});
  }
});
watch('value', () => {
  const wanted = element.dataset.diff || 'plain';
  show(element.querySelector('button[data-diff="' + wanted + '"]') ? wanted : 'plain');
});
"""
HINT = (
    "Open a row to read its prompt, the reference and what was answered. j and k turn to the next and back."
)
LETTERS = "ABCDEFGHIJKLMNOPQRSTUVWXYZ"  # of options, by their places
NO_READING: dict = {"number": 0, "hint": ""}
LONGEST_DIFF = 40_000  # characters of both texts together: a longer one is read, not compared
FAULTS = {
    FaultKind.EMPTY: "nothing was said",
    FaultKind.UNPARSABLE: "not in the asked form",
    FaultKind.MISSING: "left out",
    FaultKind.INVENTED: "invented, not in the text",
    FaultKind.REPEATED: "repeated",
    FaultKind.UNKNOWN_LABEL: "unknown label",
    FaultKind.AMBIGUOUS: "several answers",
    FaultKind.BROKEN: "broken form",
    FaultKind.CUT_OFF: "cut off",
}


@dataclass(frozen=True)
class Answered:
    """What one model said to a row; `read` are (name, words) of what was read from it."""

    name: str
    hue: str
    text: str
    is_right: bool
    score: float
    tokens: int = 0
    read: Sequence[tuple[str, str]] = ()
    faults: Sequence[Fault] = ()
    mentions: Sequence[Mention] | None = None  # of tasks that mark a text


@dataclass(frozen=True)
class Asked:
    """A row of a task as it was asked."""

    number: int  # from 1
    key: str
    document: str
    instruction: str
    input: str
    reference: str
    examples: Sequence[dict] = ()
    leak: str = ""
    text: str = ""  # the text of the mentions
    mentions: Sequence[Mention] = field(default=())  # of the reference


def reading_view() -> View:
    return View(
        TEMPLATE, NO_READING, on_load=ON_LOAD, elem_classes="prediction-reading", elem_id="prediction-reading"
    )


def fault_words(kind: str) -> str:
    """What a kind of fault is called on a page."""
    return FAULTS.get(kind, kind.replace("_", " "))  # type: ignore[call-overload]


def outcome(is_right: bool, has_faults: bool, score: float) -> tuple[str, str]:
    """(word, kind) of a row: right, partly right, faulty or wrong."""
    if is_right:
        return "right", "right"
    if has_faults:
        return "faulty", "faulty"
    return ("partly right", "partly") if score > 0 else ("wrong", "wrong")


def change(was_right: bool, is_right: bool, before: float, after: float) -> tuple[str, str]:
    """(words, hue) of what tuning did to a row; empty where nothing changed."""
    if was_right != is_right:
        return ("fixed by tuning", "better") if is_right else ("broken by tuning", "worse")
    if after != before:
        return ("better", "better") if after > before else ("worse", "worse")
    return "", ""


def reading_value(asked: Asked, answers: Sequence[Answered]) -> dict:
    """The open row; with two answers the base's is the first."""
    is_pair = len(answers) > 1
    told = ("", "")
    if is_pair:
        before, after = answers
        told = change(before.is_right, after.is_right, before.score, after.score)
    return {
        "number": f"{asked.number:,}",
        "about": _about(asked),
        "leak": asked.leak,
        "examples": list(asked.examples),
        "examples_words": f"{counted(len(asked.examples), 'example')} shown before it",
        "instruction": asked.instruction,
        "input": asked.input,
        "reference": asked.reference,
        "is_pair": is_pair,
        "can_differ": any(answer.text for answer in answers),
        "change": told[0],
        "change_hue": told[1],
        "answers": [_answer(asked, answer, _other(answers, place)) for place, answer in enumerate(answers)],
        "marked": [_marked(asked, answer, is_pair) for answer in answers if answer.mentions is not None],
    }


def _about(asked: Asked) -> str:
    parts = [asked.key, f"document {asked.document}" if asked.document not in ("", asked.key) else ""]
    return " · ".join(filter(None, parts))


def _other(answers: Sequence[Answered], place: int) -> Answered | None:
    """The answer that one is compared with: the tuned one with the base's, and the base's with nothing."""
    return answers[0] if place == 1 else None


def _answer(asked: Asked, answer: Answered, other: Answered | None) -> dict:
    word, kind = outcome(answer.is_right, bool(answer.faults), answer.score)
    between = _diff(other.text, answer.text) if other else [{"text": answer.text}]
    facts = [*answer.read, ("Score", f"{answer.score:.2f}")]
    if answer.tokens:
        facts.append(("Tokens", f"{answer.tokens:,}"))
    return {
        "name": answer.name,
        "hue": answer.hue,
        "text": answer.text,
        "silence": "It said nothing." if not answer.text else "",
        "word": word,
        "outcome": kind,
        "to_reference": {"parts": _diff(asked.reference, answer.text)},
        "to_other": {"parts": between},
        "facts": [{"name": name, "text": text} for name, text in facts],
        "faults": [{"kind": fault_words(fault.kind), "words": fault.words} for fault in answer.faults],
    }


def _diff(before: str, after: str) -> list[dict]:
    if len(before) + len(after) > LONGEST_DIFF:
        return [{"text": after}]
    return word_diff(before, after)


def _marked(asked: Asked, answer: Answered, is_pair: bool) -> dict:
    said = answer.mentions or ()
    verdicts = [one.verdict for one in judge(asked.mentions, said)]
    tally = [f"{verdicts.count(one)} {one.value}" for one in Verdict if one in verdicts]
    return {
        "name": answer.name if is_pair else "",
        "hue": answer.hue,
        "tally": ", ".join(tally) or "Nothing to find, and nothing said.",
        "pieces": marked(asked.text, asked.mentions, said),
    }
