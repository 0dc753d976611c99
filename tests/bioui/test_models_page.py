"""The models page's handlers on a real database."""

import json

import gradio as gr
import pytest

from bioui.components import adapter_export
from bioui.pages import models
from bioui.pages.models import Opened
from db import jobs, processes, registry
from db.enums import JobKind, JobStatus, ProcessRole
from db.policy import PolicyError
from db.session import read, write
from db.tables import BaseModel
from tests.bioui.conftest import request_of


@pytest.fixture
def base_id(project_id):
    with write() as session:
        base = BaseModel(name="tiny", location="/models/tiny", context_length=256, description="A miniature.")
        session.add(base)
        session.flush()
        return base.id


@pytest.fixture
def adapter_ids(project_id, base_id):
    with write() as session:
        adapters = [
            registry.register_adapter(
                session,
                project_id=project_id,
                name=name,
                path=f"/adapters/{name}",
                adapter_hash="a" * 64,
                base_model_id=base_id,
                base_revision="b" * 64,
                template_hash="c" * 64,
                data_hash="d" * 64,
                seed=7,
                spec={"rank": 8, "learning_rate": 3e-4},
                packages={"peft": "0.21.2"},
            )
            for name in ("first", "second")
        ]
        session.flush()
        return [adapter.id for adapter in adapters]


@pytest.fixture
def model_folder(tmp_path):
    folder = tmp_path / "model"
    folder.mkdir()
    (folder / "config.json").write_text(json.dumps({"max_position_embeddings": 2048}))
    (folder / "model.safetensors").write_bytes(b"weights")
    return folder


def event(**data) -> gr.EventData:
    return gr.EventData(None, data)


def names(listed: dict) -> list[str]:
    return [row["cells"][0]["text"] for row in listed["rows"]]


def test_the_newest_adapter_is_open_when_the_page_opens(people, project_id, adapter_ids):
    details, opened, adapters, bases = models.show_models(project_id, request_of(people.author))
    assert details["title"] == "second"
    assert opened == Opened(adapter_ids[1])
    assert names(adapters) == ["second", "first"]
    assert [row["current"] for row in adapters["rows"]] == [True, False]
    assert names(bases) == ["tiny"]


def test_the_adapter_in_the_link_is_opened(people, project_id, adapter_ids):
    details, *_ = models.show_models(project_id, request_of(people.author, adapter=str(adapter_ids[0])))
    assert details["title"] == "first"


def test_an_adapter_shows_every_field_of_its_provenance(people, project_id, adapter_ids):
    details, *_ = models.open_adapter(project_id, event(id=adapter_ids[0]), request_of(people.clinician))
    shown = {fact["name"]: fact["text"] for fact in details["facts"]}
    assert shown == {
        "Base": "tiny",
        "Base revision": "b" * 64,
        "Data hash": "d" * 64,
        "Template hash": "c" * 64,
        "Adapter hash": "a" * 64,
        "Seed": "7",
        "Folder": "/adapters/first",
    }
    settings, packages = details["groups"]
    assert {fact["name"]: fact["text"] for fact in settings["facts"]} == {
        "rank": "8",
        "learning rate": "0.0003",
    }
    assert packages["facts"][0]["text"] == "0.21.2"
    assert details["links"][0]["href"] == f"/playground?project={project_id}&adapter={adapter_ids[0]}"


def test_a_base_model_shows_where_it_lies(people, project_id, base_id):
    details, opened, *_ = models.open_base(project_id, event(id=base_id), request_of(people.author))
    assert {fact["name"]: fact["text"] for fact in details["facts"]}["Context length"] == "256 tokens"
    assert opened == Opened(base_id=base_id)


def test_without_models_the_lists_say_what_will_be_there(people, project_id):
    details, _, adapters, bases = models.show_models(project_id, request_of(people.author))
    assert details == models.NOTHING_OPEN
    assert adapters["empty"]["title"] == "No adapters yet."
    assert bases["empty"]["title"] == "No base models yet."


def test_a_deleted_adapter_is_gone_and_can_be_put_back(people, project_id, adapter_ids):
    trainer = request_of(people.trainer)
    details, left, adapters, undo = models.delete_adapter(project_id, Opened(adapter_ids[1]), trainer)
    assert (details["title"], undo["name"], names(adapters)) == ("first", "second", ["first"])
    with read() as session, pytest.raises(LookupError):
        registry.get_adapter(session, adapter_ids[1])
    details, _, adapters, undo = models.put_back(project_id, left, trainer)
    assert (details["title"], undo["name"], names(adapters)) == ("second", "", ["second", "first"])


def test_only_those_who_train_delete_adapters_and_add_bases(people, project_id, adapter_ids):
    author = request_of(people.author)
    with pytest.raises(PolicyError):
        models.delete_adapter(project_id, Opened(adapter_ids[0]), author)
    with pytest.raises(PolicyError):
        models.put_back(project_id, Opened(deleted_id=adapter_ids[0]), author)
    with pytest.raises(PolicyError):
        models.add_base(project_id, "x", "owner/name", "", "", author)
    assert [tool["visible"] for tool in models.show_tools(project_id, author)] == [False, False]
    assert [tool["visible"] for tool in models.show_tools(project_id, request_of(people.trainer))] == [
        True
    ] * 2


def test_a_folder_becomes_a_base_model_with_its_context_length(people, project_id, model_folder):
    answer = models.add_base(project_id, "Mine", str(model_folder), "", "Ours", request_of(people.trainer))
    details, _, _, bases, *form = answer
    assert details["title"] == "Mine"
    assert bases["rows"][0]["cells"][1]["text"] == "2,048"
    assert form == ["", "", "", ""]


@pytest.mark.parametrize(
    ("name", "location", "sentence"),
    [
        ("", "owner/name", "^name: give the base model a name"),
        ("tiny", "owner/name", "^name: there is already a base model named tiny"),
        ("New", "somewhere", "^location: give an absolute folder, or owner/name"),
        ("New", "/nowhere/at/all", r"^location: /nowhere/at/all holds no config\.json"),
    ],
)
def test_a_base_model_that_cannot_be_added_names_its_field(
    people, project_id, base_id, name, location, sentence
):
    with pytest.raises(ValueError, match=sentence):
        models.add_base(project_id, name, location, "", "", request_of(people.trainer))


def test_a_folder_with_an_unreadable_config_is_told(people, project_id, model_folder):
    (model_folder / "config.json").write_text("{not json")
    with pytest.raises(ValueError, match=r"^location: .*config\.json is not readable JSON"):
        models.add_base(project_id, "Mine", str(model_folder), "", "", request_of(people.trainer))


def test_an_adapter_is_exported_once_and_its_export_is_shown(people, project_id, adapter_ids):
    request, opened = request_of(people.trainer), Opened(adapter_ids[0])
    column, listed, timer, key, hub_column = adapter_export.show_exports(project_id, opened, request)
    assert (column.visible, listed, timer.active, hub_column.visible) == (True, {"exports": []}, False, False)
    for _ in range(2):  # a double click
        listed, timer = adapter_export.export(project_id, opened, key, "merged", "", True, request)
    assert [(one["status"], one["form"]) for one in listed["exports"]] == [
        ("Queued", "Merged model (safetensors)")
    ]
    assert timer.active
    with write() as session:
        worker = processes.register(session, ProcessRole.WORKER)
        job = jobs.claim_next(session, worker.id, [JobKind.EXPORT])
        result = {"folder": "/exports/1", "bytes": 2_500_000}
        jobs.close(session, job.id, job.attempt, JobStatus.FINISHED, result=result)
    listed, timer = adapter_export.poll(project_id, opened, request)
    assert listed["exports"][0]["size"] == "2.5 MB"
    assert not timer.active
    assert adapter_export.show_exports(project_id, Opened(), request)[0].visible is False


def test_who_may_not_train_exports_nothing(people, project_id, adapter_ids):
    with pytest.raises(PolicyError):
        adapter_export.export(
            project_id, Opened(adapter_ids[0]), "key", "adapter", "", True, request_of(people.author)
        )
    with pytest.raises(ValueError, match="^repository: no token of the Hub is configured"):
        adapter_export.export(
            project_id, Opened(adapter_ids[0]), "key", "adapter", "a/b", True, request_of(people.trainer)
        )
