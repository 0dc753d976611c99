"""Texts as cells of a spreadsheet, and back: formulas made harmless, lists in one cell."""

import json
import re

# What a spreadsheet takes for the beginning of a formula (OWASP, "CSV injection"), behind any apostrophes.
_FORMULA = re.compile(r"'*[=+\-@\t\r\n]")
_DEFUSED = re.compile(r"'+[=+\-@\t\r\n]")
_LIST_MARKS = frozenset(';,|[]"')


def defused(text: str) -> str:
    """The text with an apostrophe in front where a spreadsheet would run it. `as_written` is the inverse."""
    return "'" + text if _FORMULA.match(text) else text


def as_written(text: str) -> str:
    """What `defused` was given."""
    return text[1:] if _DEFUSED.match(text) else text


def tags_cell(tags: list[str]) -> str:
    """Tags for people to read, "a; b", or as a JSON list where one holds a mark that would split it."""
    if any(_LIST_MARKS & set(tag) for tag in tags):
        return json.dumps(tags, ensure_ascii=False)
    return "; ".join(tags)


def tags_of(cell: str) -> list[str]:
    """The tags of a cell: a JSON list, or words between semicolons, bars or commas.

    Raises ValueError when it opens like a JSON list and is none.
    """
    if cell.lstrip().startswith("["):
        try:
            tags = json.loads(cell)
        except ValueError as error:
            raise ValueError("tags: not a JSON list; write words with semicolons between them.") from error
        return tags
    mark = next((mark for mark in ";|," if mark in cell), ";")
    return [tag for tag in cell.split(mark) if tag.strip()]
