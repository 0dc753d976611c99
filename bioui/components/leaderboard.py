"""The leaderboard: models by frozen tasks; each cell a figure, its interval, its gain and how sure that is.

Events of the returned View: `look` (a filter, switch or order was chosen; the address says which) and
`choose` (an adapter's gains by task are wanted; ?adapter= names it). Figures and gains are dicts
{value, low, high, ...} of shares, shown in per cent and in points.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

import gradio as gr

from bioui.components import empty, gate_badge
from bioui.components.result_axis import Axis, axis_about_zero, axis_from_zero, bounds
from bioui.components.result_figures import p_words
from bioui.components.view import View

TEMPLATE = (
    Path(__file__)
    .with_suffix(".hbs")
    .read_text(encoding="utf-8")
    .replace("@gate", gate_badge.TEMPLATE)
    .replace("@empty", empty.TEMPLATE)
)
# The address holds what is looked at, so that a view of the board can be linked to. What had the focus keeps
# it when the board is drawn anew.
ON_LOAD = """
let last = null;
const put = (name, value) => {
  studio.setParam(name, value);
  last = [name, value];
  trigger('look', {});
};
element.addEventListener('change', (event) => {
  const select = event.target.closest('select[data-look]');
  if (select) put(select.dataset.look, select.value);
});
element.addEventListener('click', (event) => {
  const button = event.target.closest('button[data-look]'), row = event.target.closest('[data-adapter]');
  if (button) put(button.dataset.look, button.dataset.value);
  if (!row) return;
  studio.setParam('adapter', row.dataset.adapter);
  trigger('choose', {id: Number(row.dataset.adapter)});
});
watch('value', () => {
  if (!last || element.contains(document.activeElement)) return;
  const [name, value] = last;
  const same = [...element.querySelectorAll('[data-look="' + name + '"]')];
  (same.find((one) => one.dataset.value === value) || (same.length === 1 && same[0]))?.focus?.();
  last = null;
});
"""
GROUPS = {"QA": "Question answering", "IE": "Information extraction", "GEN": "Generation", "OTHER": "Other"}
SORT_BY_NAME = "name"
LEGEND = (
    "Figures are per cent with {level}intervals; a dot and a line on a scale from 0 to 100. A gain is in "
    "{unit} over the same base on the same rows: ▲ better and ▼ worse hold after Holm's correction over the "
    "model's tasks, ≈ does not. A mean is of a group of which every task is scored."
)


@dataclass(frozen=True)
class Column:
    """One task asked in one way, or the mean of a group."""

    key: str
    group: str  # QA, IE, GEN, OTHER
    title: str
    note: str = ""  # the measure, the rows, the way
    help: str = ""
    is_general: bool = False
    is_mean: bool = False


@dataclass(frozen=True)
class Cell:
    """What one model has in one column."""

    figure: Mapping = field(default_factory=dict)  # {} while there is none
    href: str = ""
    gain: Mapping = field(default_factory=dict)  # absolute, over the base
    relative: Mapping = field(default_factory=dict)
    gain_href: str = ""
    p: float | None = None  # after Holm
    test: str = ""
    sign: int = 0  # 1 better, -1 worse, 0 neither is shown
    leak: str = ""
    leak_help: str = ""
    unread: float | None = None  # share of answers of another form than asked
    missing: str = ""  # said in place of a figure


@dataclass(frozen=True)
class ModelRow:
    """One model with its cells by column key."""

    name: str
    side: str  # base, tuned, encoder
    cells: Mapping[str, Cell]
    note: str = ""
    adapter_id: int = 0
    gate: Mapping | None = None


@dataclass(frozen=True)
class Look:
    """What of the board is looked at, and how; `choices` of filters are the board's."""

    category: str = ""
    base: str = ""
    way: str = ""
    gains: bool = False  # else scores
    relative: bool = False  # gains as a share of the base's score, as the papers report; else in points
    sort: str = ""  # a column's key or SORT_BY_NAME, a minus before it for the other direction
    adapter_id: int = 0


@dataclass(frozen=True)
class Filter:
    name: str
    label: str
    choices: Sequence[tuple[str, str]]  # (text, value)
    chosen: str


def leaderboard() -> View:
    """A board that says nothing until it is read."""
    start = {"filters": [], "rows": [], "empty": empty.empty_state("", "")}
    return View(TEMPLATE, start, on_load=ON_LOAD, elem_classes="lb-view table-view")


def chosen_adapter(event: gr.EventData) -> int:
    """The adapter whose gains are wanted."""
    return int(event.id)


def leaderboard_value(
    columns: Sequence[Column],
    rows: Sequence[ModelRow],
    look: Look,
    *,
    filters: Sequence[Filter],
    csv: str,
    empty: dict,
    level: float | None = 0.95,
) -> dict:
    """The board as it is looked at. Columns of one group stand together, in the order of GROUPS."""
    ordered = [column for group in GROUPS for column in columns if column.group == group]
    first = {group: next((c.key for c in ordered if c.group == group), "") for group in GROUPS}
    axis = _axis(rows, ordered, look)
    return {
        "filters": [_filter(one) for one in filters],
        "switches": [_show(look), _unit(look)],
        "csv": csv,
        "groups": [
            {"title": title, "span": sum(column.group == group for column in ordered)}
            for group, title in GROUPS.items()
            if first[group]
        ],
        "columns": [
            {**_head(column, look), "is_first": column.key == first[column.group]} for column in ordered
        ],
        "name_sort": _turned(SORT_BY_NAME, look),
        "name_order": _order(SORT_BY_NAME, look),
        "rows": [_row(row, ordered, first, axis, look) for row in in_order(rows, look)] if ordered else [],
        "legend": LEGEND.format(
            level=f"{100 * level:g} % " if level else "",
            unit="per cent of its score" if look.relative else "points",
        ),
        "empty": empty,
    }


def in_order(rows: Sequence[ModelRow], look: Look) -> list[ModelRow]:
    """The rows as the reader wants them: a column's best first; what has no figure there last."""
    key, is_turned = look.sort.removeprefix("-"), look.sort.startswith("-")
    if not key:
        return list(rows)
    if key == SORT_BY_NAME:
        return sorted(rows, key=lambda row: row.name.casefold(), reverse=is_turned)
    values = {id(row): _main(row.cells.get(key, Cell()), look).get("value") for row in rows}
    known = [row for row in rows if values[id(row)] is not None]
    known.sort(key=lambda row: values[id(row)], reverse=not is_turned)
    return known + [row for row in rows if values[id(row)] is None]


def sign_words(sign: int) -> tuple[str, str, str]:
    """(icon, word, hue) of what a gain shows."""
    return {1: ("▲", "better", "better"), -1: ("▼", "worse", "worse")}.get(sign, ("≈", "unclear", "unsure"))


def score_text(value: float | None) -> str:
    return "" if value is None else f"{100 * value:.1f} %"


def gain_text(value: float | None, *, relative: bool = False) -> str:
    """`+5.7` points, or `+17.3 %`."""
    if value is None:
        return ""
    text = f"{100 * value:+.1f}"
    text = text if text.strip("+-0.") else text.lstrip("+-")
    return f"{text} %" if relative else text


def range_text(figure: Mapping, *, signed: bool = False) -> str:
    """`71.2 to 82.4`; "" without an interval."""
    low, high = figure.get("low"), figure.get("high")
    if low is None or high is None:
        return ""
    form = "{:+.1f} to {:+.1f}" if signed else "{:.1f} to {:.1f}"
    return form.format(100 * low, 100 * high)


def _main(cell: Cell, look: Look) -> Mapping:
    """The figure that a cell is about: the score, or the gain as it is wanted."""
    if not look.gains:
        return cell.figure
    return cell.relative if look.relative else cell.gain


def _axis(rows: Sequence[ModelRow], columns: Sequence[Column], look: Look) -> Axis:
    if not look.gains:
        return axis_from_zero([])
    shown = [_main(row.cells[c.key], look) for row in rows for c in columns if c.key in row.cells]
    return axis_about_zero(bounds(dict(one) for one in shown))


def _row(row: ModelRow, columns: Sequence[Column], first: Mapping[str, str], axis: Axis, look: Look) -> dict:
    return {
        "name": row.name,
        "note": row.note,
        "side": row.side,
        "adapter_id": row.adapter_id,
        "current": bool(row.adapter_id) and row.adapter_id == look.adapter_id,
        "gate": dict(row.gate) if row.gate else None,
        "cells": [
            {
                **_cell(row.cells.get(column.key, Cell()), axis, look, row.side),
                "is_mean": column.is_mean,
                "is_first": column.key == first[column.group],
            }
            for column in columns
        ],
    }


def _cell(cell: Cell, axis: Axis, look: Look, side: str) -> dict:
    main = _main(cell, look)
    score = cell.figure.get("value")
    if main.get("value") is None:
        said = cell.missing or "–" if score is None else _no_gain(cell, side)
        return {"figure": "", "missing": said}
    icon, word, hue = sign_words(cell.sign)
    has_gain = cell.gain.get("value") is not None
    gain = _gain_words(cell, look)
    return {
        "figure": gain_text(main["value"], relative=look.relative)
        if look.gains
        else score_text(main["value"]),
        "href": cell.gain_href if look.gains else cell.href,
        "range": range_text(main, signed=look.gains),
        "zero": look.gains,
        "second": f"scores {score_text(score)}" if look.gains else gain,
        "second_href": cell.href if look.gains else cell.gain_href,
        "icon": icon,
        "sure": word if has_gain and (cell.test or cell.sign) else "",
        "hue": hue,
        "test": f"p {p_words(cell.p)} after Holm, {cell.test}" if cell.test else "",
        "leak": cell.leak,
        "leak_help": cell.leak_help,
        "unread": f"{100 * cell.unread:.1f} % unread" if cell.unread is not None and not look.gains else "",
        **axis.interval(dict(main)),
    }


def _no_gain(cell: Cell, side: str) -> str:
    """Why a scored cell has no gain to show."""
    if side == "base":
        return f"{score_text(cell.figure.get('value'))}, the base"
    return cell.relative.get("note") or cell.gain.get("note") or "no score of the base"


def _gain_words(cell: Cell, look: Look) -> str:
    gain = cell.relative if look.relative else cell.gain
    if gain.get("value") is None:
        return ""
    told = gain_text(gain["value"], relative=look.relative)
    between = range_text(gain, signed=True)
    return f"{told} ({between})" if between else told


def _head(column: Column, look: Look) -> dict:
    return {
        "title": column.title,
        "note": column.note,
        "help": column.help,
        "is_general": column.is_general,
        "is_mean": column.is_mean,
        "sort": _turned(column.key, look),
        "order": _order(column.key, look),
    }


def _turned(key: str, look: Look) -> str:
    """What a press on the column's name asks for: it first, then the other way round."""
    return f"-{key}" if look.sort == key else key


def _order(key: str, look: Look) -> str:
    if look.sort.removeprefix("-") != key:
        return "none"
    is_turned = look.sort.startswith("-")
    rising = is_turned if key != SORT_BY_NAME else not is_turned
    return "ascending" if rising else "descending"


def _filter(one: Filter) -> dict:
    return {
        "name": one.name,
        "label": one.label,
        "choices": [
            {"text": text, "value": value, "chosen": value == one.chosen} for text, value in one.choices
        ],
    }


def _show(look: Look) -> dict:
    return _switch("show", "What is shown", {"": "Scores", "gains": "Gains"}, "gains" if look.gains else "")


def _unit(look: Look) -> dict:
    words = {"": "Points", "relative": "Relative"}
    label = "Gains in points, or relative to the base"
    return _switch("as", label, words, "relative" if look.relative else "")


def _switch(name: str, label: str, words: Mapping[str, str], chosen: str) -> dict:
    return {
        "name": name,
        "label": label,
        "choices": [
            {"text": text, "value": value, "pressed": "true" if value == chosen else "false"}
            for value, text in words.items()
        ],
    }
