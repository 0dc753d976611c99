"""The predictions row by row: a filter, a list by pages, the open row beside it."""

from dataclasses import replace

import gradio as gr

from bioui.components.frame import Page
from bioui.components.prediction_filter import NO_FILTER, prediction_filter, shows_of
from bioui.components.prediction_list import NO_LIST, prediction_list
from bioui.components.prediction_reading import HINT, NO_READING, reading_view
from bioui.components.table import Trail, row_id
from bioui.components.view import View
from bioui.handling import needs
from bioui.predicted import Browsing, filter_of, list_of, reading_of
from bioui.resulting import Pair
from db.policy import Right
from db.session import Session, read

RIGHT = Right.READ
OUTPUTS = 4
CLOSED = {**NO_READING, "hint": HINT}
NOTHING = (NO_FILTER, NO_LIST, NO_READING, Browsing())


def browser_values(session: Session, pair: Pair, browsing: Browsing, *, position: int | None = None) -> tuple:
    """Filter, list, open row and state; with a position the list begins at that row, which is open."""
    project_id = pair.evaluation.project_id
    if position is not None and position > 0:
        browsing = replace(browsing, trail=Trail((None, position - 1)), jumped=True)
    listed, browsing = list_of(session, project_id, browsing, current=position)
    reading = CLOSED if position is None else reading_of(session, project_id, browsing, position)
    return filter_of(browsing), listed, reading, browsing


# handlers ---------------------------------------------------------------------------------------------


@needs(RIGHT)
def filter_rows(project_id: int, browsing: Browsing, event: gr.EventData, request: gr.Request):
    """The first page of other rows."""
    show = str(event.show)
    if show not in shows_of(bool(browsing.against_id)):
        raise ValueError(f"show: there are no rows called {show[:20]}; choose one of the buttons.")
    fault = str(event.fault) if show == "faulty" else ""
    said = {"show": show, "text": str(event.text).strip(), "fault": fault}
    of_left = browsing.of_left and bool(fault)
    return _first(project_id, replace(browsing, **said, of_left=of_left, jumped=False))


@needs(RIGHT)
def next_rows(project_id: int, browsing: Browsing, request: gr.Request):
    return _first(project_id, browsing, browsing.trail.older(browsing.following))


@needs(RIGHT)
def rows_before(project_id: int, browsing: Browsing, request: gr.Request):
    return _first(project_id, browsing, browsing.trail.newer())


@needs(RIGHT)
def open_row(project_id: int, browsing: Browsing, event: gr.EventData, request: gr.Request):
    """The row beside the list; the list stays as it is, with the focus where it was."""
    with read() as session:
        return reading_of(session, project_id, browsing, row_id(event))


@needs(RIGHT)
def close_row(project_id: int, request: gr.Request):
    return CLOSED


def _first(project_id: int, browsing: Browsing, trail: Trail = Trail()) -> tuple:
    with read() as session:
        listed, browsing = list_of(session, project_id, replace(browsing, trail=trail))
    return listed, CLOSED, browsing


# layout and wiring ------------------------------------------------------------------------------------


def prediction_browser(page: Page) -> list[View | gr.State]:
    """Lay it out and wire it; what is returned is filled by `browser_values`."""
    filter_html = prediction_filter()
    with gr.Row(elem_classes="predictions-and-row"):
        list_html = prediction_list()
        reading_html = reading_view()
    browsing_state = gr.State(Browsing())
    here = [page.project_id, browsing_state]
    shown = [list_html, reading_html, browsing_state]
    page.on(filter_html.filter, filter_rows, here, shown)
    page.on(list_html.older, next_rows, here, shown)
    page.on(list_html.newer, rows_before, here, shown)
    opened = page.on(list_html.open, open_row, here, reading_html)
    opened.then(fn=None, js="() => studio.reveal('prediction-reading')")
    page.on(reading_html.close, close_row, [page.project_id], reading_html)
    return [filter_html, *shown]
