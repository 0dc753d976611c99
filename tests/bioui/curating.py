"""What the tests of the Curate page share: a typed text, and handlers called as Gradio calls them."""

from dataclasses import replace

import gradio as gr

from bioui import writing
from bioui.components.instruction_form import BLANK, Typed
from bioui.components.list_filters import Filters
from bioui.pages import curate
from bioui.pages.curate import Record
from tests.bioui.conftest import request_of

NO_FILTER = Filters()
HEPATITIS = replace(
    BLANK,
    instruction="Which organ does hepatitis inflame?",
    output="The liver.",
    task="qa",
    tags="liver, Viral",
)


def event(**data) -> gr.EventData:
    return gr.EventData(None, data)


def press(handler, first, typed: Typed, actor):
    """Call a handler of the form with what is typed; the record it leaves open, the head, the conflict."""
    record, head, _, conflict, *_ = handler(first, *typed.values(), request_of(actor))
    return record, head, conflict


def save_new(people, project_id, typed: Typed = HEPATITIS) -> Record:
    record, _, _ = press(writing.save_draft, Record(project_id), typed, people.author)
    return record


def list_ids(people, project_id, filters=NO_FILTER) -> list[int]:
    shown, _, _ = curate.show_list(project_id, filters, request_of(people.author))
    return [row["id"] for row in shown["rows"]]
