"""Export: exactly the rows that were chosen, in every format, for one person, and noted when they leave."""

import json
import os
import time
import tracemalloc

import pytest

from bioui import outgoing
from bioui.components import export_panel
from db import audit, datasets, imports, instructions, reviews, search
from db.content import Content, content_of
from db.datasets import Recipe
from db.enums import Category, Decision
from db.exchange import records
from db.exchange.mapping import guess_mapping, read_given
from db.exchange.readers import read_rows
from db.exchange.sniff import sniff
from db.exchange.writers import Format
from db.search import InstructionQuery
from db.session import read, write
from db.tables import Instruction
from tests.bioui.conftest import request_of

TEXTS = ["Which vitamin prevents scurvy?", '=SUM(A1) in "cells", why?', "ما هو فقر الدم؟", "Two\nlines?"]


@pytest.fixture(autouse=True)
def _own_data_folder(settings, monkeypatch):
    monkeypatch.setenv("STUDIO_DATA_DIR", str(settings.data_dir))


@pytest.fixture
def stored(people, project_id) -> list[int]:
    """Four QA rows and one IE row of an author."""
    contents = [
        Content(instruction=text, output=f"Answer {n}.", category=Category.QA, task="qa", tags=("one", "b;c"))
        for n, text in enumerate(TEXTS)
    ]
    drug = Content(instruction="Name the drug.", output="Metformin", category=Category.IE, task="ner")
    with write() as session:
        return imports.import_contents(session, people.author, project_id, [*contents, drug]).ids


def query_of(category: str) -> InstructionQuery:
    return InstructionQuery(categories=(Category(category),) if category else ())


def chosen(session, actor, project_id, category):
    return records.of_query(session, actor, project_id, query_of(category))


def frozen(session, actor, version_id):
    return records.of_version(session, actor, version_id)


def make(actor, format: str, *values, choose=chosen) -> dict:
    """What the panel shows in the end."""
    *_, export = export_panel.handlers_of(choose, len(values))
    *_, last = export(format, *values, request_of(actor))
    return last[1]


def file_of(actor, shown: dict):
    _, _, token, _ = shown["href"].split("/")
    return outgoing.find(actor, token, shown["name"])


def contents_of(path) -> list[Content]:
    rows = list(read_rows(path, sniff(path)))
    mapping = guess_mapping(list(rows[0].values), [row.values for row in rows])
    return [read_given(row.values, mapping).content() for row in rows]


@pytest.mark.parametrize("format", Format)
def test_exactly_the_filtered_rows_leave_and_come_back_the_same(people, project_id, stored, format):
    path = file_of(people.author, make(people.author, format.value, project_id, "QA"))
    assert path.name == "instructions" + format.suffix
    with read() as session:
        page = search.search_instructions(session, project_id, query_of("QA"))
        assert contents_of(path) == [content_of(row) for row in page.rows[::-1]]


def test_rows_under_a_data_use_agreement_stay_and_the_panel_says_how_many(people, project_id, stored):
    with write() as session:
        session.get_one(Instruction, stored[0]).is_restricted = True
    toggle, *_ = export_panel.handlers_of(chosen, 2)
    is_open, _, shown = toggle(False, "jsonl", project_id, "QA", request_of(people.author))
    assert is_open
    assert (shown["count"], shown["stays"]) == (
        "3 rows to export.", "1 row is under a data-use agreement and stays here.",
    )  # fmt: skip
    made = make(people.author, "jsonl", project_id, "QA")
    assert made["told"].startswith("3 rows, ")
    assert "1 row is under" in made["told"]
    texts = [
        json.loads(line)["instruction"] for line in file_of(people.author, made).read_text().splitlines()
    ]
    assert texts == TEXTS[1:]


def test_nothing_is_made_where_no_row_may_leave(people, project_id, stored):
    with pytest.raises(ValueError, match="no row may leave"):
        make(people.author, "csv", project_id, "GEN")


def test_an_unknown_format_is_refused(people, project_id, stored):
    with pytest.raises(ValueError, match="format: choose one of"):
        make(people.author, "docx", project_id, "QA")


def test_an_open_panel_counts_anew_and_a_closed_one_does_not(people, project_id, stored):
    _, recount, _ = export_panel.handlers_of(chosen, 2)
    asked = ("csv", project_id, "IE", request_of(people.author))
    assert recount(True, *asked)["count"] == "1 row to export."
    assert "count" not in recount(False, *asked)


def test_an_event_before_the_page_has_loaded_takes_the_projects_of_the_address(people, project_id, stored):
    _, recount, _ = export_panel.handlers_of(chosen, 2)
    request = request_of(people.author, project=str(project_id))
    assert recount(True, "csv", 0, "QA", request)["count"] == "4 rows to export."


def test_a_frozen_version_goes_out_with_its_splits(people, project_id, stored):
    with write() as session:
        for id in stored:
            instructions.submit_for_review(session, people.author, id, version=1)
            reviews.review_instruction(session, people.reviewer, id, Decision.APPROVE, version=1)
        dataset = datasets.create_dataset(session, people.reviewer, project_id, name="Ward questions")
        recipe = Recipe(validation=0.2, test=0.2)
        version_id = datasets.freeze(session, people.reviewer, dataset.id, recipe).id
    made = make(people.trainer, "jsonl", version_id, choose=frozen)
    assert made["name"] == "ward-questions-v1.jsonl"
    lines = [json.loads(line) for line in file_of(people.trainer, made).read_text().splitlines()]
    assert sorted(line["split"] for line in lines) == ["test", "train", "train", "train", "validation"]


# the file ---------------------------------------------------------------------------------------------


def test_the_file_is_for_the_one_who_made_it_and_noted_when_it_is_taken(studio, people, project_id, stored):
    made = make(people.author, "csv", project_id, "QA")
    with studio.browser(people.other_author) as client:
        assert client.get(made["href"]).status_code == 404
    with studio.browser() as client:
        assert client.get(made["href"]).status_code == 401
    assert exports() == []
    with studio.browser(people.author) as client:
        answer = client.get(made["href"])
    assert answer.headers["content-disposition"] == 'attachment; filename="instructions.csv"'
    assert answer.content == file_of(people.author, made).read_bytes()
    assert exports() == [("author", {"format": "csv", "rows": 4, "restricted_left_out": 0})]


@pytest.mark.parametrize("path", ["..", "export.json", "%2e%2e%2fexport.json", "instructions.csv%00"])
def test_only_the_file_itself_can_be_fetched(studio, people, project_id, stored, path):
    made = make(people.author, "csv", project_id, "QA")
    with studio.browser(people.author) as client:
        answer = client.get(made["href"].rpartition("/")[0] + "/" + path)
    assert answer.status_code in (404, 405)


def test_files_go_after_a_day(people, project_id, stored):
    old = file_of(people.author, make(people.author, "csv", project_id, "QA"))
    day_ago = time.time() - outgoing.KEPT_SECONDS - 60
    os.utime(old.parent, (day_ago, day_ago))
    make(people.author, "csv", project_id, "QA")
    assert not old.exists()


def test_an_export_that_nobody_watches_leaves_no_half_file(people, project_id, settings):
    contents = [Content(instruction=f"Question {n}?", output="x" * 2_000) for n in range(9_000)]
    with write() as session:
        imports.import_contents(session, people.author, project_id, contents)
    *_, export = export_panel.handlers_of(chosen, 2)
    running = export("datasets", project_id, "", request_of(people.author))
    next(running)
    running.close()
    folder = settings.data_dir / "outgoing" / str(people.author.id)
    deadline = time.monotonic() + 30
    while (half := _half_files(folder)) and time.monotonic() < deadline:
        time.sleep(0.05)
    assert half == []


def _half_files(folder) -> list:
    """What was begun and not ended. A whole file, which a quick machine may have made by then, has a note."""
    return [place for place in folder.glob("*") if not (place / "export.json").is_file()]


def test_memory_does_not_grow_with_the_rows(people, project_id):
    def peak() -> int:
        tracemalloc.start()
        make(people.author, "csv", project_id, "")
        most = tracemalloc.get_traced_memory()[1]
        tracemalloc.stop()
        return most

    def add(rows: int) -> None:
        contents = [Content(instruction=f"Question {n}?", output="x" * 1_000) for n in range(rows)]
        with write() as session:
            imports.import_contents(session, people.author, project_id, contents)

    add(4_000)
    few = peak()
    add(16_000)
    assert peak() < few * 1.5


def exports() -> list[tuple[str, dict]]:
    with read() as session:
        lines = [line for line in audit.list_lines(session) if line.action == "exported"]
        return [(line.actor.username, line.detail) for line in lines]
