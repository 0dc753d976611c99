"""The rows of a batch: each prompt with its answers side by side, and the expected facts found or missing.

Events of the View: `older` and `newer` turn the pages.
"""

from collections.abc import Sequence
from pathlib import Path

from bioui.components import empty
from bioui.components.empty import empty_state
from bioui.components.table import Trail
from bioui.components.view import View
from bioui.present import counted, shortened
from db.batch_figures import Row, seconds_of
from db.enums import Side
from db.expected import Fact
from db.tables import Answer

PAGE_ROWS = 20
TEMPLATE = Path(__file__).with_suffix(".hbs").read_text(encoding="utf-8").replace("@empty", empty.TEMPLATE)
ON_LOAD = """
element.addEventListener('click', (event) => {
  const turn = event.target.closest('[data-turn]');
  if (turn) turn.dataset.turn === 'older' ? trigger('older', {}) : trigger('newer', {});
});
"""
NO_ROWS = {"rows": [], "empty": empty_state("", ""), "pages": False, "shown": False}
NONE_LIKE_IT = empty_state("No row is like that.", "Choose another slice or filter, or fewer words.")


def batch_rows() -> View:
    return View(TEMPLATE, NO_ROWS, on_load=ON_LOAD, elem_classes="batch-rows-view")


def rows_value(
    found: Sequence[Row],
    titles: Sequence[str],
    colours: Sequence[Side],
    *,
    trail: Trail,
    project_id: int,
    hidden: frozenset[int] | set[int] = frozenset(),
) -> tuple[dict, int | None]:
    """A page of the rows, and the number of the row that the next one begins behind.

    The answers of comparisons in `hidden` are left out altogether: their reader is still to judge them blind.
    """
    first = int(trail.before_id or 0)
    page = found[first : first + PAGE_ROWS]
    last = first + len(page)
    next_first = last if last < len(found) else None
    value = {
        "shown": True,
        "rows": [_row(row, titles, colours, project_id, row.comparison.id in hidden) for row in page],
        "columns": len(titles),
        "range": f"{first + 1:,}–{last:,} of {len(found):,}" if next_first or first else counted(last, "row"),
        "pages": bool(first or next_first),
        "has_newer": bool(first),
        "has_older": next_first is not None,
        "empty": NONE_LIKE_IT,
    }
    return value, next_first


def _row(row: Row, titles: Sequence[str], colours: Sequence[Side], project_id: int, is_hidden: bool) -> dict:
    comparison = row.comparison
    emptied = comparison.emptied_at is not None
    return {
        "key": comparison.key,
        "slice": comparison.slice,
        "prompt": "Its texts are no longer kept." if emptied else shortened(comparison.instruction, 200),
        "input": comparison.input,
        "href": f"/playground?project={project_id}&comparison={comparison.id}" if row.is_whole else "",
        "hidden": is_hidden,
        "answers": []
        if is_hidden
        else [
            {"title": title, "colour": colour.value, **_answer(answer, facts, overlap)}
            for title, colour, answer, facts, overlap in zip(
                titles, colours, row.answers, row.facts, row.overlap, strict=True
            )
        ],
    }


def _answer(answer: Answer | None, facts: Sequence[Fact], overlap: float | None) -> dict:
    if answer is None:
        return {"text": "", "waiting": True, "facts": []}
    if refused := answer.provenance.get("refused"):
        return {"text": "", "refused": refused.partition(": ")[2] or refused, "facts": []}
    seconds = seconds_of(answer)
    said = [
        counted(len(answer.text.split()), "word"),
        "" if seconds is None else f"{seconds:,.1f} s",
        "" if overlap is None else f"overlap {overlap:.2f}",
        "cut at the longest allowed" if answer.finish_reason == "length" else "",
    ]
    return {
        "text": answer.text.strip(),
        "figures": " · ".join(part for part in said if part),
        "facts": [
            {
                "text": fact.text.partition("|")[0].strip(),
                "title": fact.text,
                "word": "found" if fact.is_found else "missing",
                "mark": "✓" if fact.is_found else "✗",
            }
            for fact in facts
        ],
    }
