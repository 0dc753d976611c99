import json

import gradio as gr
import pytest

from bioui.components.freeze_form import count_value, recipe_of
from bioui.components.table import Trail
from bioui.components.version_panel import recipe_sentence
from bioui.frozen import Reading, hash_notice, row_value, rows_value, versions_value
from bioui.pages import datasets as page
from db import datasets
from db.content import Content
from db.datasets import FrozenRow, Recipe
from db.enums import Category, Split
from db.policy import PolicyError
from db.session import read, write
from db.tables import Instruction, Revision
from tests.bioui.conftest import request_of

DEFAULTS = ([], [], "", "", "", 0.1, 0.1, 0)  # the form as it opens


@pytest.fixture
def approved(people, project_id):
    """Twelve approved instructions: eight QA, four IE."""
    with write() as session:
        for number in range(12):
            category = Category.QA if number < 8 else Category.IE
            content = Content(
                f"Question {number}?", output="An answer.", category=category, task=category.lower()
            )
            row = Instruction(
                project_id=project_id,
                origin="seed",
                provenance="native",
                author_id=people.author.id,
                status="approved",
                approved_version=1,
                **content.columns(),
            )
            session.add(row)
            session.flush()
            session.add(
                Revision(
                    instruction_id=row.id,
                    number=1,
                    author_id=people.author.id,
                    reason="",
                    **content.columns(),
                )
            )


@pytest.fixture
def long_version(people, project_id) -> int:
    """A frozen version of 120 rows, every tenth of them for validation."""
    rows = [
        FrozenRow(Split.VALIDATION if n % 10 == 0 else Split.TRAIN, Content(f"Ask {n}", output=f"Say {n}"))
        for n in range(120)
    ]
    with write() as session:
        dataset = datasets.create_dataset(session, people.trainer, project_id, name="Long")
        return datasets.freeze_rows(session, people.trainer, dataset, rows, recipe={}).id


def press_freeze(actor, project_id, name="Ward questions", form=DEFAULTS):
    """The last thing the handler yields."""
    return list(page.freeze(project_id, name, *form, request_of(actor)))[-1]


def names_of(value):
    return [row["cells"][0]["text"] for row in value["rows"]]


def test_the_count_names_the_categories_and_the_split(project_id, approved):
    with read() as session:
        value = count_value(session, project_id, recipe_of(*DEFAULTS), 0.25, 0.25)
    assert value["count"] == "12 approved instructions"
    assert value["rest"] == ": 8 QA, 4 IE. Split: 6 to train, 3 to validation, 3 to test."


def test_the_count_stands_while_a_share_is_being_typed(project_id, approved):
    with read() as session:
        assert count_value(session, project_id, Recipe(), None, 7)["rest"] == ": 8 QA, 4 IE. "


def test_freezing_opens_the_new_version_and_names_the_next_step(people, project_id, approved):
    _, listed, _, form, version, said, panel, *_ = press_freeze(people.trainer, project_id)
    assert names_of(listed) == ["Ward questions"]
    assert (form.visible, version.visible) == (False, True)
    assert said["links"] == [
        {"text": "Train on this", "href": f"/train?project={project_id}&version={panel['id']}"}
    ]
    assert panel["recipe"].startswith("All approved instructions; shuffled with seed 0")


def test_the_same_name_again_makes_the_next_version(people, project_id, approved):
    press_freeze(people.trainer, project_id)
    panel = press_freeze(people.reviewer, project_id, form=(["IE"], *DEFAULTS[1:]))[6]
    assert panel["name"] == "Ward questions, version 2"
    assert panel["train_href"] == ""  # a reviewer freezes, and leaves the training to others


def test_freezing_nothing_says_so_and_leaves_no_empty_dataset(people, project_id, approved):
    with pytest.raises(ValueError, match=r"^filter: "):
        press_freeze(people.trainer, project_id, form=([], [], "no such task", *DEFAULTS[3:]))
    with read() as session:
        assert datasets.list_datasets(session, project_id) == []


@pytest.mark.parametrize(
    ("shares", "field"),
    [
        ((1.5, 0.1, 0), "validation"),
        ((0.1, None, 0), "test"),
        ((0.5, 0.5, 0), "test"),
        ((0.1, 0.1, 0.5), "seed"),
    ],
)
def test_a_share_or_seed_that_cannot_be_is_named(people, project_id, approved, shares, field):
    with pytest.raises(ValueError, match=f"^{field}: "):
        press_freeze(people.trainer, project_id, form=(*DEFAULTS[:5], *shares))


def test_a_dataset_without_a_name_is_refused(people, project_id, approved):
    with pytest.raises(ValueError, match=r"^name: "):
        press_freeze(people.trainer, project_id, name=None)


@pytest.mark.parametrize("role", ["author", "clinician"])
def test_who_may_not_freeze_is_refused_by_the_handlers_themselves(people, project_id, approved, role):
    actor = getattr(people, role)
    with pytest.raises(PolicyError):
        press_freeze(actor, project_id)
    with pytest.raises(PolicyError):
        page.open_form(project_id, request_of(actor))
    assert page.show_page(project_id, request_of(actor))[1].visible is False


def test_rows_are_paged_by_position_and_come_back(people, long_version):
    with read() as session:
        first, reading = rows_value(session, Reading(long_version))
        second, _ = rows_value(session, Reading(long_version, trail=reading.trail.older(reading.following)))
    assert first["range"] == "1–50 of 120"
    assert second["rows"][0]["id"] == 50
    assert reading.trail.older(reading.following).newer() == Trail()


def test_a_split_is_paged_alone(long_version):
    with read() as session:
        value, reading = rows_value(session, Reading(long_version, "validation"))
    assert len(value["rows"]) == 12
    assert reading.following is None


def test_one_row_is_shown_in_full(project_id, long_version):
    with read() as session:
        value = row_value(session, Reading(long_version), 7, project_id)
    assert (value["position"], value["instruction"], value["output"]) == (8, "Ask 7", "Say 7")


def test_a_row_that_is_not_there_is_said_to_be_missing(project_id, long_version):
    with read() as session, pytest.raises(LookupError, match="row number 1,?000"):
        row_value(session, Reading(long_version), 999, project_id)


def test_a_version_of_another_project_does_not_open(people, project_id, long_version):
    event = gr.EventData(None, {"id": long_version})
    with pytest.raises(LookupError, match="This project"):
        page.open_version(project_id + 1, event, request_of(people.trainer))


def test_the_link_of_a_version_opens_it(people, project_id, long_version):
    opened = page.show_page(project_id, request_of(people.clinician, version=str(long_version)))
    assert opened[5]["name"] == "Long, version 1"


def test_the_hash_is_verified(long_version):
    with read() as session:
        assert hash_notice(session, long_version)["title"] == "The hash is right"


def test_an_empty_project_says_what_comes_first(project_id):
    with read() as session:
        assert versions_value(session, project_id)["empty"]["href"] == f"/review?project={project_id}"


def test_a_recipe_reads_as_a_sentence():
    recipe = {"categories": ["QA", "IE"], "task": "ner", "text": "sepsis", "validation": 0.1, "test": 0.2}
    assert recipe_sentence(recipe) == (
        "Approved instructions of category QA or IE, task ner, text containing “sepsis”; "
        "shuffled with seed 0, a share of 0.1 to validation and 0.2 to test."
    )


def test_the_export_goes_to_a_logged_in_person_and_to_nobody_else(people, studio, long_version):
    path = f"/datasets/versions/{long_version}.jsonl"
    answer = studio.browser(people.clinician).get(path)
    rows = [json.loads(line) for line in answer.text.splitlines()]
    assert len(rows) == 120
    assert rows[3]["instruction"] == "Ask 3"
    assert answer.headers["content-disposition"] == 'attachment; filename="Long-v1.jsonl"'
    assert studio.browser().get(path).status_code in (401, 303)
    assert studio.browser(people.clinician).get("/datasets/versions/999.jsonl").status_code == 404
