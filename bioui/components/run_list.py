"""The training runs: open one, put waiting ones in order, pick some to compare.

Events of the returned View: `open` ({id}), `move` ({id, to: "up" | "down"}), `compare` ({ids}).
"""

from collections.abc import Sequence
from pathlib import Path

import gradio as gr

from bioui.components import empty
from bioui.components.table import Column, grid
from bioui.components.view import View
from bioui.present import counted

MOST_COMPARED = 8  # lines that an eye still tells apart
TEMPLATE = Path(__file__).with_suffix(".hbs").read_text(encoding="utf-8").replace("@empty", empty.TEMPLATE)

# What is picked lives in the browser, and is put back when the list is drawn anew.
ON_LOAD = """
const picked = new Set();
const show = () => {
  for (const box of element.querySelectorAll('[data-pick]')) {
    box.checked = picked.has(Number(box.dataset.pick));
    box.disabled = !box.checked && picked.size >= MOST;
  }
  const button = element.querySelector('[data-compare]');
  if (!button) return;
  button.disabled = picked.size < 2;
  button.textContent = picked.size > 1 ? 'Compare ' + picked.size + ' runs' : 'Pick two or more to compare';
};
const open = (row) => {
  studio.setParam('job', row.dataset.id);
  trigger('open', {id: Number(row.dataset.id)});
};
element.addEventListener('change', (event) => {
  if (!event.target.dataset.pick) return;
  const id = Number(event.target.dataset.pick);
  event.target.checked ? picked.add(id) : picked.delete(id);
  show();
});
element.addEventListener('click', (event) => {
  const row = event.target.closest('tr[data-id]'), move = event.target.closest('[data-move]');
  if (move) trigger('move', {id: Number(row.dataset.id), to: move.dataset.move});
  else if (event.target.closest('[data-compare]')) trigger('compare', {ids: [...picked]});
  else if (row && !event.target.closest('.col-pick, a')) open(row);
});
element.addEventListener('keydown', (event) => {
  const row = event.target.closest('tr[data-id]');
  if (!row || event.target !== row) return;
  const step = {ArrowDown: 'nextElementSibling', ArrowUp: 'previousElementSibling'}[event.key];
  if (step && event.altKey) {
    event.preventDefault();
    trigger('move', {id: Number(row.dataset.id), to: event.key === 'ArrowUp' ? 'up' : 'down'});
  } else if (step && row[step]) { event.preventDefault(); row[step].focus(); }
  if (event.key === 'Enter') { event.preventDefault(); open(row); }
  if (event.key === ' ') { event.preventDefault(); row.querySelector('[data-pick]')?.click(); }
});
watch('value', show);
show();
""".replace("MOST", str(MOST_COMPARED))


def run_list(empty_value: dict) -> View:
    return View(
        TEMPLATE, run_list_value((), [], empty=empty_value), on_load=ON_LOAD, elem_classes="table-view"
    )


def run_list_value(
    columns: Sequence[Column], rows: Sequence[dict], *, empty: dict, current_id: int = 0, picks: bool = False
) -> dict:
    """The value of the list. A row is {"id", "name", "cells"}; `picks` shows the boxes to compare by."""
    return {
        **grid(columns, rows, current_id),
        "range": counted(len(rows), "run"),
        "picks": picks and len(rows) > 1,
        "empty": empty,
    }


def moved_run(event: gr.EventData) -> tuple[int, bool]:
    """(id, is it to go earlier) of a press on an arrow."""
    return int(event.id), event.to == "up"


def picked_runs(event: gr.EventData) -> list[int]:
    """The ids picked to compare, in the order they were picked."""
    return [int(id) for id in event.ids][:MOST_COMPARED]
