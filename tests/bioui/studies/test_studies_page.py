"""The Studies page: the form, an open study, its figure and files, and who may do what."""

import gradio as gr
import pytest

from bioui.components.study_form import choices_of, shown_preset, spec_of
from bioui.components.study_run import bar_value
from bioui.pages import studies as page
from bioui.studying import Watch, seconds_left
from db import jobs, studies, study_control, study_presets, study_steps
from db.enums import JobKind
from db.policy import PolicyError
from db.session import read, write
from db.tables import Study
from db.train_yaml import DEFAULTS
from tests.bioui.conftest import request_of
from tests.db import studied

SKIP = gr.skip()


def asked(people, project_id, study_id, who="trainer"):
    return request_of(getattr(people, who), project=str(project_id), study=str(study_id))


def test_the_form_becomes_a_study_and_pressed_twice_it_is_one(people, project_id, start):
    study_id = start()
    assert start() == study_id
    with read() as s:
        study = studies.get_study(s, project_id, study_id)
        assert len(study.arms) == 8
        assert len(jobs.list_jobs(s, project_id, JobKind.STUDY)) == 1
    shown = page.show_page(project_id, asked(people, project_id, study_id))
    arms = shown[13]["arms"]
    assert [arm["label"] for arm in arms][:2] == ["none (untuned)", "QA"]
    assert arms[1]["state"] == "Waiting to be drawn"


@pytest.mark.parametrize(
    ("changed", "sentence"),
    [
        ({"base_model_id": None}, "base model: choose one"),
        ({"tasks": None}, "tasks: choose at least one"),
        ({"ranks": "4, x"}, "ranks: 'x' is no number"),
        ({"rank": None}, "rank: it is empty"),
        ({"training": "- a\n- b"}, "training: write one `setting: value` a line"),
        ({"training": "speed: 3"}, "speed: train has no such setting"),
        ({"weights": "QA: [1"}, "weights: these lines cannot be read"),
        ({"weights": "QA: much"}, "weights: give a number above 0"),
        ({"rows": 500}, "rows: 500 cannot be"),
    ],
)
def test_what_the_form_cannot_mean_is_said_at_its_field(start, changed, sentence):
    with pytest.raises(ValueError, match=sentence):
        start(**changed)


def test_its_arms_are_shown_before_it_is_started(people, project_id, form):
    shown = page.check(project_id, *form(), request_of(people.trainer))
    assert shown["title"] == "8 arms, 15 runs"
    assert shown["rows"][4] == {"label": "QA + IE", "drawn": "QA 6, IE 6", "rows": "12"}


@pytest.mark.parametrize("preset", [p.name for p in study_presets.PRESETS if p.group != "This machine"])
def test_a_preset_filled_in_is_the_preset_started(form, preset):
    values = list(form(name="From a preset"))
    for at, value in enumerate(shown_preset(preset)):
        if value != SKIP:
            values[at] = value
    made, wanted = spec_of(values), study_presets.find(preset).settings
    assert {name: getattr(made, name) for name in wanted if name != "training"} == {
        name: value for name, value in wanted.items() if name != "training"
    }
    whole = {**DEFAULTS, **wanted.get("training", {})}
    assert made.training.items() >= {name: whole[name] for name in wanted.get("training", {})}.items()


def test_the_figure_is_shown_cell_by_cell_with_a_table_and_files(people, project_id, start, studio):
    study_id = start()
    before, _ = page.draw_figure(project_id, "gain", "", Watch(study_id), request_of(people.author))
    assert before["empty"]["title"] == "No figure yet."
    studied.carry_out(people.trainer, study_id, studied.knows)
    shown, _ = page.draw_figure(project_id, "gain", "", Watch(study_id), request_of(people.author))
    cell = shown["rows"][1]["cells"][0]
    assert (cell["value"], cell["hue"], cell["related"]) == ("+66.7", "heat-gain", True)
    assert len(shown["flat"]) == 24
    links = page.export(project_id, "gain", "", asked(people, project_id, study_id))["links"]
    assert [link["name"] for link in links] == ["transfer.svg", "transfer.csv", "transfer.md"]
    with studio.browser(people.trainer) as browser:
        assert browser.get(links[0]["href"]).text.startswith("<svg")
    with studio.browser(people.author) as browser:
        assert browser.get(links[0]["href"]).status_code == 404
    for wrong in (("guess", ""), ("gain", "guess")):
        with pytest.raises(ValueError, match="is none of"):
            page.draw_figure(project_id, *wrong, Watch(study_id), request_of(people.author))
    with read() as s:  # what the arms were tuned on is no data to begin a study with
        assert [name for name, _ in choices_of(s, project_id)[1]] == [
            "Three categories, version 1 (36 train rows)"
        ]


def test_the_timer_brings_what_is_new_and_rests_when_all_is_closed(people, project_id, start):
    study_id = start()
    request = asked(people, project_id, study_id)
    watch = page.tick(Watch(), "gain", "", request)[3]
    assert page.tick(watch, "gain", "", request) == SKIP
    with write() as s:
        study_control.cancel(s, people.trainer, s.get(Study, study_id))
    closed = page.tick(watch, "gain", "", request)
    assert closed[8]["title"].startswith("Cancelled")
    assert page.tick(closed[3], "gain", "", request)[2].active is False


def test_a_reader_looks_and_changes_nothing(people, project_id, start):
    study_id = start()
    request = asked(people, project_id, study_id, "author")
    shown = page.show_page(project_id, request)
    assert shown[7].visible is False  # New study
    assert shown[14].visible is False  # Cancel
    for press in (page.CONTROL.cancel, page.CONTROL.resume, page.run_miniature):
        with pytest.raises(PolicyError):
            press(project_id, request)
    with pytest.raises(LookupError, match="no study number 99"):
        page.show_page(project_id, asked(people, project_id, 99))
    with pytest.raises(LookupError, match="no dataset named Starter demo"):
        page.run_miniature(project_id, asked(people, project_id, study_id))


def test_the_time_left_follows_from_the_runs_that_are_done(people, project_id, start):
    study_id = start()
    with read() as s:
        study = s.get(Study, study_id)
        found = study_steps.standings(s, study)
        assert seconds_left(s, study, found) is None
        job = jobs.get_job(s, study.job_id)
        assert bar_value(job, found, None)["phase"] == "Waiting for a worker"
    studied.take(job.id)
    with read() as s:
        shown = bar_value(jobs.get_job(s, job.id), found, 130.0)
    assert shown["count"] == "0 of 15 runs"
    assert "about 2 min 10 s left" in shown["pace"]
