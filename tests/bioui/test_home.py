"""Home: the step that a person can best take next, and links that lead only where they may go."""

from dataclasses import replace

from bioui import main
from bioui.pages import home
from bioui.pages.home import Holdings, next_step, show_home
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
    pipeline, _ = show_home(project_id, request_of(people.clinician))
    linked = {step["name"] for step in pipeline["steps"] if step["href"]}
    assert "Review" not in linked
    assert "Compare" in linked


def test_the_rights_that_home_assumes_are_those_of_the_pages():
    rights = main.rights_of()
    for _, path, right in home.STEPS:
        assert rights.get(path, right) is right, path
