"""Generate: templates with their line at fault, and filters tried on what is stored."""

import pytest

from bioui.components import generate_filters, generate_templates
from db import datasets
from db.canonical import FrozenRow
from db.content import Content
from db.enums import Category, Split
from db.generating import profiles
from db.generating.prompts import Mode, shipped
from db.policy import PolicyError
from db.projects import get_project
from db.session import read, write
from tests.bioui.conftest import request_of
from tests.bioui.generate.conftest import SEEDS, event


def own_text() -> str:
    return shipped(Mode.GROW).text


def test_a_broken_template_tells_its_line_while_one_types(people, project_id, seeds):
    text = own_text().replace("{{ format }}", "{{ formt }}")
    shown, _ = generate_templates.follow_typing(project_id, "grow", 0, text, request_of(people.reviewer))
    line = text.splitlines().index("{{ formt }}") + 1
    assert shown["fault"].startswith(f"Line {line}:")
    assert shown["line"] == f"{line}  {{{{ formt }}}}"
    assert not shown["messages"]


def test_a_saved_template_is_a_new_version_and_shows_what_changed(people, project_id, seeds):
    request = request_of(people.reviewer)
    text = own_text().replace("Varied.", "Manifold.")
    first = generate_templates.save(project_id, "grow", "ward", text, request)
    again = generate_templates.save(project_id, "grow", "ward", text, request)
    assert first[0].value == again[0].value  # nothing had changed
    second = generate_templates.save(
        project_id, "grow", "ward", text.replace("Manifold.", "Diverse."), request
    )
    assert [name for name, _ in second[0].choices] == [
        "The studio's own", "ward, version 2", "ward, version 1",
    ]  # fmt: skip
    changed = [part["text"] for part in second[4]["parts"] if part.get("added") or part.get("removed")]
    assert changed == ["Manifold", "Diverse"]
    assert (second[4]["before"], second[4]["after"]) == ("version 1", "ward, version 2")


def test_what_is_wrong_with_a_template_stands_at_its_own_field(people, project_id):
    with pytest.raises(ValueError, match="^template name: "):
        generate_templates.save(project_id, "grow", " ", own_text(), request_of(people.reviewer))
    with pytest.raises(ValueError, match="^template text: line 1"):
        generate_templates.save(project_id, "grow", "x", "{{ nothing }}", request_of(people.reviewer))


def test_filters_are_tried_on_what_is_stored_without_changing_it(people, project_id, seeds):
    values = generate_filters.profile_values(profiles.Profile(name="x", min_words=10))
    *_, last = generate_filters.try_on_stored(project_id, [], *values, request_of(people.reviewer))
    _, funnel, _, found = last
    fallen = {row["name"]: row["fell"] for row in funnel["rows"]}
    assert fallen["Length"] == "4" or int(fallen["Length"]) == sum(
        len(text.split()) < 10 for text, *_ in SEEDS
    )
    _, examples = generate_filters.open_stage(
        project_id, found, event(stage="length"), request_of(people.reviewer)
    )
    assert {item["link"] for item in examples["items"]} <= {f"Number {id}" for id in seeds}
    assert examples["items"]


def test_filters_are_tried_with_evaluation_sets_too(people, project_id, seeds):
    rows = [
        FrozenRow(Split.TRAIN, Content(SEEDS[2][0], "Note on the heart.", "Unevenly.", Category.GEN, "trial"))
    ]
    with write() as session:
        dataset = datasets.create_dataset(session, people.trainer, project_id, name="Ward test")
        version = datasets.freeze_rows(session, people.trainer, dataset, rows, recipe={})
        session.flush()
        version_id = version.id
    request = request_of(people.reviewer)
    offered = generate_filters.show_tab(project_id, False, request)[4]
    assert [id for _, id in offered.choices] == [version_id]
    values = generate_filters.profile_values(profiles.BIOMEDICAL)
    fallen = []
    for against in ([], [version_id]):
        *_, (_, _, _, found) = generate_filters.try_on_stored(project_id, against, *values, request)
        fallen.append(found["stages"]["contaminated"])
    assert fallen == [0, 1]
    _, examples = generate_filters.open_stage(project_id, found, event(stage="contaminated"), request)
    assert [item["link"] for item in examples["items"]] == [f"Number {seeds[2]}"]
    assert "Ward test, version 1" in examples["items"][0]["sentences"][0]
    with pytest.raises(LookupError, match="no dataset version number 99"):
        list(generate_filters.try_on_stored(project_id, [99], *values, request))


def test_the_classic_profile_says_its_faults_and_only_an_admin_sets_it(people, project_id):
    caution, *values = generate_filters.choose_profile(
        project_id, "self-instruct", request_of(people.reviewer)
    )
    assert "CT image" in caution["sentences"][0]
    with pytest.raises(PolicyError, match="change project settings"):
        generate_filters.save(project_id, *values, request_of(people.reviewer))
    name, _ = generate_filters.save(project_id, *values, request_of(people.admin))
    assert name == "self-instruct"
    with read() as session:
        assert profiles.profile_of(get_project(session, project_id)) == profiles.CLASSIC


def test_an_edited_profile_is_the_projects_own(people, project_id):
    values = generate_filters.profile_values(profiles.Profile(name="x", max_words=77, blacklist=("a b",)))
    name, _ = generate_filters.save(project_id, *values, request_of(people.admin))
    assert name == ""
    with read() as session:
        stored = profiles.profile_of(get_project(session, project_id))
    assert (stored.max_words, stored.blacklist, stored.name) == (77, ("a b",), generate_filters.OURS)
