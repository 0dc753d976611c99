"""What a reviewer checks before approving: a short list for each category, as a careful clinician would ask.

A review stores the codes of the points that were ticked. The list is an aid: an unticked point blocks
nothing, but it stays visible that it was not ticked.
"""

from collections.abc import Iterable
from dataclasses import dataclass

from db.enums import Category


@dataclass(frozen=True)
class Point:
    """One thing to check; `code` is what a review stores, and never changes its meaning."""

    code: str
    text: str


_SAFE = Point(
    "safe",
    "Nobody is harmed by following it: doses, units, routes, contraindications and red flags are right.",
)
_LABELS = Point("labels", "Category, task, specialty and difficulty fit.")
_NO_PATIENT = Point("no_patient_data", "Nothing in it leads to a real patient: name, date, number or place.")

CHECKLISTS: dict[Category, tuple[Point, ...]] = {
    Category.QA: (
        Point("correct", "The answer is correct by current practice, and complete enough to act on."),
        Point("supported", "The input, or well-established knowledge, supports every statement."),
        _SAFE,
        Point("clear", "The question can be read in one way only and has one best answer."),
        _LABELS,
        _NO_PATIENT,
    ),
    Category.IE: (
        Point("complete", "Every item asked for is there, and none that was not asked for."),
        Point("verbatim", "Each item stands in the input as given; nothing was inferred or completed."),
        Point("context", "Negated, suspected, past and family findings are treated as the instruction says."),
        Point("format", "The output has exactly the form that the instruction asks for."),
        _LABELS,
        _NO_PATIENT,
    ),
    Category.GEN: (
        Point("correct", "Every statement is true to the input; nothing was invented."),
        Point("complete", "What the reader must know is in it: diagnosis, treatment, follow-up, red flags."),
        _SAFE,
        Point("audience", "Words and tone fit the reader whom the instruction names."),
        _LABELS,
        _NO_PATIENT,
    ),
    Category.OTHER: (
        Point("correct", "The output is correct and complete."),
        Point("supported", "The input, or well-established knowledge, supports it."),
        _SAFE,
        Point("clear", "The instruction can be read in one way only."),
        _LABELS,
        _NO_PATIENT,
    ),
}


def ticked(category: Category, codes: Iterable[str]) -> list[str]:
    """The codes in the list's order, each once. Raises ValueError for one that the list lacks."""
    given, known = set(codes), [point.code for point in CHECKLISTS[category]]
    unknown = sorted(given - set(known))
    if unknown:
        raise ValueError(f"checklist: {unknown[0]} is not a point of it; the points are {', '.join(known)}.")
    return [code for code in known if code in given]
