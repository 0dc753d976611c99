"""Home: the step to take next, links only to where one may go, what was left unsaved, what happened."""

from dataclasses import asdict, replace

import gradio as gr

from bioui import main
from bioui.components.instruction_form import Typed
from bioui.pages import home
from bioui.pages.home import Holdings, next_step, show_home
from db import datasets, instructions, projects, saved_filters, typed_guidelines, typed_texts, users
from db.content import Content, content_of
from db.datasets import FrozenRow
from db.enums import Role, Split
from db.session import read, write
from tests.bioui.conftest import request_of

EMPTY = Holdings(
    instructions=0,
    drafts=0,
    approved=0,
    in_review=0,
    waiting=0,
    versions=0,
    rows=0,
    adapters=0,
    open_jobs=0,
    comparisons=0,
)


def test_the_next_step_follows_the_work(people):
    assert next_step(EMPTY, people.author)[0] == "Write"
    approved = replace(EMPTY, instructions=80, approved=80)
    assert next_step(approved, people.reviewer)[0] == "Freeze"
    assert next_step(approved, people.author)[0] == "Write"
    frozen = replace(approved, versions=1, rows=80)
    assert next_step(frozen, people.trainer)[0] == "Train"
    assert next_step(replace(frozen, open_jobs=1), people.trainer)[2] == "Watch the run"
    assert next_step(replace(frozen, adapters=1), people.clinician)[0] == "Compare"
    assert next_step(replace(frozen, adapters=1, waiting=2), people.reviewer)[1].startswith(
        "2 submissions wait"
    )


def test_steps_link_only_to_pages_that_open_for_the_person(people, project_id):
    _, pipeline, _ = show_home(project_id, request_of(people.clinician))
    linked = {step["name"] for step in pipeline["steps"] if step["href"]}
    assert "Review" not in linked
    assert "Compare" in linked


def test_the_rights_that_home_assumes_are_those_of_the_pages():
    rights = main.rights_of()
    for _, path, right in home.STEPS:
        assert rights.get(path, right) is right, path


def write_one(people, project_id, instruction="Which organ does hepatitis inflame?") -> int:
    with write() as session:
        content = Content(instruction, output="The liver.", task="qa")
        return instructions.create_instruction(session, people.author, project_id, content).id


# what was typed and not saved ---------------------------------------------------------------------------


def keep(actor, project_id, instruction_id=0, version=0, **typed) -> None:
    with write() as session:
        typed_texts.keep(session, actor, project_id, instruction_id, version, typed)


def kept_rows(actor, project_id) -> list[dict]:
    kept, *_ = show_home(project_id, request_of(actor))
    return kept["rows"]


def test_who_returns_finds_what_they_typed_and_did_not_save_and_nobody_else_does(people, project_id):
    id = write_one(people, project_id)
    keep(people.author, project_id, id, 1, instruction="Which organ does hepat")
    keep(people.author, project_id, instruction="Name the bones of")
    assert [(row["name"], row["text"], row["href"]) for row in kept_rows(people.author, project_id)] == [
        ("New instruction", "Name the bones of", f"/curate?project={project_id}&new=1"),
        (f"Number {id}", "Which organ does hepat", f"/curate?project={project_id}&id={id}"),
    ]
    assert kept_rows(people.reviewer, project_id) == []


def test_what_was_typed_can_be_thrown_away_from_home(people, project_id):
    id = write_one(people, project_id)
    keep(people.author, project_id, id, 1, instruction="Which organ does hepat")
    keep(people.reviewer, project_id, id, 1, instruction="Theirs")
    shown = home.throw_away(project_id, gr.EventData(None, {"id": str(id)}), request_of(people.author))
    assert shown["rows"] == []
    assert [row["text"] for row in kept_rows(people.reviewer, project_id)] == ["Theirs"]


def test_guidelines_that_were_typed_and_not_saved_are_told_and_can_be_thrown_away(people, project_id):
    with write() as session:
        typed_guidelines.keep(session, people.reviewer, project_id, 0, "# Doses\n\nAlw")
    [row] = kept_rows(people.reviewer, project_id)
    assert (row["name"], row["href"]) == ("Guidelines", f"/guidelines?project={project_id}&edit=1")
    assert kept_rows(people.author, project_id) == []
    thrown = gr.EventData(None, {"id": row["id"]})
    assert home.throw_away(project_id, thrown, request_of(people.reviewer))["rows"] == []


def test_typing_on_a_record_that_was_deleted_since_is_told_without_a_link(people, project_id):
    id = write_one(people, project_id)
    keep(people.author, project_id, id, 1, instruction="Which organ does hepat")
    with write() as session:
        instructions.delete_instruction(session, people.author, id)
    [row] = kept_rows(people.author, project_id)
    assert (row["name"], row["href"]) == (f"Number {id}, deleted since", "")


def test_typing_that_says_what_is_stored_by_now_is_not_told(people, project_id):
    id = write_one(people, project_id)
    with read() as session:
        now = Typed.of(content_of(instructions.get_instruction(session, id)))
    keep(people.author, project_id, id, 1, **asdict(now))
    assert kept_rows(people.author, project_id) == []


# activity -----------------------------------------------------------------------------------------------


def told(actor, project_id) -> list[str]:
    *_, activity = show_home(project_id, request_of(actor))
    return [line["what"] for line in activity["lines"]]


def submit(people, project_id, **columns) -> int:
    id = write_one(people, project_id, **columns)
    with write() as session:
        instructions.submit_for_review(session, people.author, id, version=1)
    return id


def test_the_activity_is_the_chosen_projects(people, project_id):
    with write() as session:
        other_id = projects.create_project(session, people.admin, name="Ward 8").id
    mine = submit(people, project_id)
    theirs = submit(people, other_id)
    with write() as session:
        dataset = datasets.create_dataset(session, people.trainer, other_id, name="Theirs")
        rows = [FrozenRow(Split.TRAIN, Content("Why?", output="So."))]
        version_id = datasets.freeze_rows(session, people.trainer, dataset, rows, recipe={}).id
        dataset_id = dataset.id
    assert told(people.author, project_id) == [f"submitted instruction {mine}"]
    assert told(people.author, other_id) == [
        f"froze dataset version {version_id}",
        f"created dataset {dataset_id}",
        f"submitted instruction {theirs}",
        f"created project {other_id}",
    ]


def test_people_are_told_of_to_admins_alone_and_log_ins_to_nobody(people, project_id):
    with write() as session:
        users.set_roles(session, people.admin, people.clinician.id, [Role.CLINICIAN, Role.AUTHOR])
        users.open_session(session, users.get_user(session, people.author.id))
    assert told(people.author, project_id) == []
    seen = told(people.admin, project_id)
    assert seen[0] == "changed the roles of Clinician"
    assert "logged in" not in seen


def test_a_filter_that_someone_keeps_for_themselves_is_no_activity(people, project_id):
    with write() as session:
        saved_filters.save_filter(session, people.author, project_id, name="Mine", view=saved_filters.View())
    assert told(people.author, project_id) == []
