"""The tasks' page: a file or a frozen dataset looked at, frozen, read row by row, removed and put back."""

import gradio as gr
import pytest

from bioui.components import task_form
from bioui.components.task_form import NAMES, DatasetDraft, task_updates
from bioui.components.task_kind import kind_value, task_choices
from bioui.pages import tasks as page
from bioui.pages.tasks import Opened
from db import task_versions
from db.corpora import files
from db.policy import PolicyError
from db.session import read, write
from db.task_drafts import TaskDraft, prepare
from db.tasks import TASKS
from tests.bioui.conftest import request_of
from tests.db.frozen import add_questions, freeze, new_dataset
from tests.db.tasks import samples

(OPENED, UNDO, ADD, LIST_COL, LIST, FORM, PANE, HEAD, FACTS, KIND, ROWS, ROW, TOOLS, GENERAL) = range(
    page.SHOWN
)


@pytest.fixture(autouse=True)
def _data_folder(settings, monkeypatch):
    """The page finds the studio's folder as the server does: by the environment."""
    monkeypatch.setenv("STUDIO_DATA_DIR", str(settings.data_dir))


@pytest.fixture
def many(tmp_path):
    """A file of 25 questions."""
    options = {"A": "Vitamin A", "B": "Vitamin C"}
    rows = [
        {"id": f"q{n}", "question": f"What ails {n}?", "options": options, "answer_idx": "A"}
        for n in range(25)
    ]
    return samples.write_file(tmp_path / "exam.jsonl", rows)


@pytest.fixture
def frozen(settings, people, project_id, many) -> int:
    draft = TaskDraft("medqa", files.keep(settings.data_dir, many), name="Exam", licence="MIT")
    with write() as session:
        return task_versions.freeze(session, people.trainer, project_id, prepare(settings.data_dir, draft)).id


def event(id: int) -> gr.EventData:
    return gr.EventData(None, {"id": id})


def form(**given) -> tuple:
    """The values of a form as it is when a task was chosen, with these filled in."""
    empty = {
        "task": "medqa",
        "format": "",
        "rows": "test",
        "split": "",
        "wording": "1",
        "shots": 0,
        "limit": 0,
    }
    values = {**empty, "seed": 0, "restricted": False, "general": False, "leave_out": False, **given}
    return tuple(values.get(name) for name in NAMES)


def last(stream) -> tuple:
    *_, shown = stream
    return shown


def look(project_id, actor, **given) -> tuple:
    """(progress, the draft looked at, the preview, the button) after Preview."""
    return last(page.look(project_id, *form(**given), request_of(actor)))


def cells(listed) -> list[list[str]]:
    return [[cell["text"] for cell in row["cells"]] for row in listed["rows"]]


def test_a_file_is_looked_at_frozen_and_opened(people, project_id, many):
    asked = {"file": str(many), "name": "Exam", "licence": "MIT"}
    _, draft, preview, button = look(project_id, people.trainer, **asked)
    assert preview["lead"].startswith("25 rows to score; the first 3, as they will be asked.")
    assert preview["rows"][0]["question"].endswith("What ails 0?\n\nA. Vitamin A\nB. Vitamin C")
    assert (preview["rows"][0]["reference"], button["interactive"]) == ("A", True)
    _, *shown, _ = last(page.freeze(project_id, draft, *form(**asked), request_of(people.trainer)))
    assert shown[HEAD]["title"] == "Exam"
    assert cells(shown[LIST]) == [
        ["Exam", "QA", "25", "0", "MIT", shown[LIST]["rows"][0]["cells"][5]["text"]]
    ]
    assert (shown[FORM]["visible"], shown[PANE]["visible"]) == (False, True)


def test_examples_are_shown_as_turns_before(people, project_id, many, tmp_path):
    train = samples.write_file(tmp_path / "train.jsonl", samples.FILES["medqa"][1])
    kept = files.keep(page.from_environment().data_dir, train)
    _, draft, preview, _ = look(project_id, people.trainer, file=str(many), shots=2, examples=kept)
    assert draft.examples == kept
    assert preview["shots_word"] == "2 examples before each question"
    assert {shot["answer"] for shot in preview["shots"]} <= set("ABCD")
    assert (("train.jsonl", kept)) in task_form.kept_files()


def test_only_what_was_looked_at_is_frozen(people, project_id, many):
    _, draft, *_ = look(project_id, people.trainer, file=str(many))
    with pytest.raises(ValueError, match="changed since the preview"):
        last(page.freeze(project_id, draft, *form(file=str(many), limit=3), request_of(people.trainer)))
    with read() as session:
        assert task_versions.list_tasks(session, project_id) == []


@pytest.mark.parametrize(
    ("given", "said"),
    [
        ({"task": None}, "task: choose one of those offered."),
        ({}, "file: choose a file, or one that is here already."),
        ({"kept": "../studio.db"}, "path: ../studio.db lies outside the studio's folder"),
        ({"shots": 2.5}, "shots: write a whole number."),
        ({"task": "instructions-qa"}, "version: choose a frozen dataset version"),
    ],
)
def test_a_form_that_cannot_be_names_its_field(people, project_id, given, said):
    with pytest.raises(ValueError) as refused:
        look(project_id, people.trainer, **given)
    assert str(refused.value).startswith(said)


def test_a_frozen_dataset_becomes_a_task(people, project_id):
    add_questions(people, project_id, 30)
    version = freeze(people, new_dataset(people, project_id))
    asked = {"task": "instructions-qa", "version": version.id, "rows": "test"}
    _, draft, preview, _ = look(project_id, people.trainer, **asked)
    assert isinstance(draft, DatasetDraft)
    assert preview["rows"]
    _, *shown, _ = last(page.freeze(project_id, draft, *form(**asked), request_of(people.trainer)))
    facts = {fact["name"]: fact["text"] for fact in shown[FACTS]["facts"]}
    assert facts["Source"] == "Ward questions, version 1"
    assert shown[KIND]["title"] == "Frozen dataset, questions"


def test_rows_are_read_a_page_at_a_time(people, project_id, frozen):
    request = request_of(people.author)
    shown = page.open_task(project_id, Opened(), event(frozen), request)
    assert [row["id"] for row in shown[ROWS]["rows"]] == list(range(10))
    assert shown[ROWS]["range"] == "1–10 of 25"
    opened, rows, row = page.next_rows(project_id, shown[OPENED], request)
    assert (rows["range"], row["rows"][0]["place"]) == ("11–20 of 25", "Row 11")
    opened, rows, row = page.open_row(project_id, opened, event(14), request)
    assert (rows["range"], row["rows"][0]["key"]) == ("11–20 of 25", "q14")
    opened, rows, _ = page.next_rows(project_id, opened, request)
    assert (rows["range"], rows["has_older"]) == ("21–25 of 25", False)
    _, rows, row = page.previous_rows(project_id, opened, request)
    assert (rows["range"], row["rows"][0]["place"]) == ("11–20 of 25", "Row 11")
    with pytest.raises(LookupError, match="no such row"):
        page.open_row(project_id, opened, event(99), request)


def test_the_link_of_a_task_opens_it(people, project_id, frozen):
    assert page.show_page(project_id, request_of(people.author, task=str(frozen)))[UNDO]["open_id"] == frozen
    for wanted in ("", "99", "x", "9" * 30):
        assert page.show_page(project_id, request_of(people.author, task=wanted))[UNDO]["open_id"] == 0


def test_a_reader_sees_and_changes_nothing(people, project_id, frozen):
    shown = page.show_page(project_id, request_of(people.author, task=str(frozen)))
    assert not shown[ADD]["visible"]
    assert not shown[TOOLS]["visible"]
    for handler in (page.turn_general, page.remove, page.put_back, page.begin):
        with pytest.raises(PolicyError):
            handler(project_id, shown[OPENED], request_of(people.author))


def test_a_task_is_marked_as_general_and_unmarked(people, project_id, frozen):
    request = request_of(people.trainer)
    shown = page.turn_general(project_id, Opened(frozen), request)
    assert shown[GENERAL]["value"] == "Not general"
    assert "general" in shown[LIST]["rows"][0]["cells"][0]["note"]
    assert page.turn_general(project_id, Opened(frozen), request)[GENERAL]["value"] == "Mark as general"


def test_a_removed_task_can_be_put_back(people, project_id, frozen):
    request = request_of(people.trainer)
    shown = page.remove(project_id, Opened(frozen), request)
    assert (shown[UNDO]["name"], shown[LIST]["rows"], shown[PANE]["visible"]) == ("Exam", [], False)
    back = page.put_back(project_id, shown[OPENED], request)
    assert (back[HEAD]["title"], back[UNDO]["name"]) == ("Exam", "")


def test_every_task_can_be_chosen_and_tells_what_it_is(people):
    assert {name for _, name in task_choices()} == TASKS.keys()
    for name in TASKS:
        shown = kind_value(name)
        assert any(part["code"] for part in shown["paragraphs"])
        assert "`" not in str(shown)
        updates = task_updates(name)
        assert updates[1].visible != updates[2].visible


def test_the_options_follow_the_format(people):
    by_name = dict(
        zip(
            task_form.OPTION_FIELDS,
            page.choose_format("ner-gene", "iob", request_of(people.trainer)),
            strict=True,
        )
    )
    assert (by_name["option_type"]["value"], by_name["option_type"]["visible"]) == ("Gene", True)
    with pytest.raises(ValueError, match="format: choose one"):
        page.choose_format("ner-gene", "medqa", request_of(people.trainer))
