"""The shelf on the page: what it lists, what is saved, two texts that meet, prompts taken off and back."""

from dataclasses import replace

import gradio as gr
import pytest

from bioui.components import shelf_panel
from bioui.components.desk import Desk, Typed
from bioui.components.shelf import picked_id, shelf_value
from bioui.components.shelf_panel import FIELDS
from db import prompts
from db.enums import Category
from db.policy import PolicyError
from db.prompts import PromptDraft
from db.session import read, write
from tests.bioui.conftest import request_of

DRAFT = PromptDraft(
    "A tick",
    "Answer plainly.",
    "A tick bit me.",
    task="patient_question",
    specialty="infection",
    tags=("lay",),
)
FORM = (
    "A tick",
    "QA",
    "patient_question",
    "infection",
    "lay",
    "rash\nflu-like | flu like",
    "No antibiotics.",
)


@pytest.fixture
def desk(people, project_id) -> Desk:
    with write() as s:
        version = prompts.add(s, people.clinician, project_id, DRAFT)
        s.flush()
        return Desk(version.id, Typed.of(version))


def names(values, of=FIELDS):
    """The panel's values by what they are."""
    head, *rest = values
    fields, (save, remove, meeting, versions, removed, number, *more) = rest[: len(of)], rest[len(of) :]
    return {
        "head": head, "fields": fields, "save": save, "remove": remove, "meeting": meeting,
        "versions": versions, "removed": removed, "number": number, "more": more,
    }  # fmt: skip


def save(people, project_id, desk, *, number=0, instruction="Answer kindly.", fields=FORM, who="reviewer"):
    texts = (desk.picked.system, instruction, desk.picked.input)
    request = request_of(getattr(people, who))
    return names(shelf_panel.save_version(project_id, desk, number, *texts, *fields, request))


def test_the_shelf_lists_the_newest_by_category_with_its_filters(people, project_id, desk):
    with write() as s:
        prompts.add(s, people.clinician, project_id, PromptDraft("Letter", "Write.", category=Category.GEN))
    with read() as s:
        value = shelf_value(prompts.list_shelf(s, project_id), desk.version_id)
    assert [group["heading"] for group in value["groups"]] == ["Questions", "Writing"]
    [item] = value["groups"][0]["prompts"]
    assert (item["title"], item["about"], item["tags"]) == ("A tick", "patient question · infection", "|lay|")
    assert item["current"]
    assert (value["specialties"], value["tags"], value["own"]) == (["infection"], ["lay"], False)
    assert picked_id(gr.EventData(None, {"id": item["id"]})) == desk.version_id


def test_what_lies_on_the_desk_becomes_the_next_version_with_its_diff(people, project_id, desk):
    told = save(people, project_id, desk)
    assert told["head"]["text"] == "On the desk lies A tick, version 2."
    newest, first = told["versions"]["versions"]
    labels = [change["label"] for change in newest["changes"]]
    assert labels == ["Instruction", "Expected facts", "Watch for"]
    assert {"text": "plainly", "removed": True} in newest["changes"][0]["parts"]
    assert first["nothing"] == "The first text."
    laid, shelf = told["more"]
    assert laid.picked.instruction == "Answer kindly."
    assert shelf["groups"][0]["prompts"][0]["version"] == "v2"
    with read() as s:
        assert prompts.get_version(s, project_id, laid.version_id).expected == ["rash", "flu-like | flu like"]


def test_two_who_save_at_once_see_both_texts_and_lose_none(people, project_id, desk):
    save(people, project_id, desk, instruction="Theirs.")
    told = save(people, project_id, desk, instruction="Mine.", who="clinician")
    assert "Reviewer saved version 2" in told["meeting"]["sentence"]
    assert [field["mine"] for field in told["meeting"]["fields"]] == ["Mine."]
    assert {"text": "Theirs", "added": True} in told["meeting"]["fields"][0]["parts"]
    assert told["number"] == 2
    kept = save(people, project_id, desk, instruction="Mine.", number=told["number"], who="clinician")
    assert kept["meeting"]["sentence"] == ""
    assert [one["number"] for one in kept["versions"]["versions"]] == [3, 2, 1]


def test_a_prompt_is_taken_off_and_put_back(people, project_id, desk):
    gone = names(shelf_panel.remove(project_id, desk, request_of(people.clinician)))
    assert gone["removed"]["just"]["title"] == "A tick"
    assert gone["save"]["visible"] is False
    assert gone["more"][0]["count"] == 0
    event = gr.EventData(None, {"id": gone["removed"]["just"]["id"]})
    back = names(shelf_panel.put_back(project_id, desk, event, request_of(people.clinician)))
    assert back["removed"] == {"just": None, "gone": [], "count": 0}
    assert back["more"][0]["count"] == 1


def test_one_s_own_text_becomes_a_new_prompt_and_a_bad_field_is_named(people, project_id):
    own = Desk(0, Typed("", "Ask.", ""))
    request = request_of(people.clinician)
    told = names(shelf_panel.save_new(project_id, own, "", "Ask.", "", *FORM, request))
    assert told["more"][0].version_id
    with pytest.raises(ValueError, match=r"^title: a prompt named A tick is on the shelf"):
        shelf_panel.save_new(project_id, own, "", "Ask.", "", *FORM, request)
    with pytest.raises(ValueError, match=r"^instruction: write what"):
        shelf_panel.save_new(project_id, own, "", "", "", "Other", *FORM[1:], request)
    with pytest.raises(ValueError, match=r"^prompt: none of the shelf lies on the desk"):
        save(people, project_id, own)


def test_who_may_not_compare_gets_one_sentence(people, project_id, desk):
    with pytest.raises(PolicyError, match="You may not compare answers"):
        save(people, project_id, replace(desk), who="author")
