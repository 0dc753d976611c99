"""The page of batches: a file looked at before it is stored, answers by slice, what is withheld, files."""

import gradio as gr
import pytest

from bioui import batching
from bioui.components import batch_form
from bioui.components.batch_form import FIELDS
from bioui.gate import COOKIE
from bioui.pages import batches as page
from db import acknowledgements, batches, jobs, users
from db.comparisons import AnswerText
from db.enums import JobStatus
from db.policy import PolicyError
from db.session import read, write
from db.tables import Assignment, Round, RoundPair
from tests.bioui.conftest import request_of
from tests.bioui.playground.conftest import add_adapter

FILE = (
    "instruction,input,slice,expected,key\n"
    "Which drug?,Ramipril 5 mg.,drugs,ramipril; 5 mg,a\n"
    "Which organ?,Hepatitis.,organs,liver,b\n"
    "Which organ?,Nephritis.,organs,,c\n"
)
OUTPUTS = (
    "runs", "form", "run", "confirm", "head", "bar", "outcome", "links", "cancel", "resume", "log", "slices",
    "slice", "show", "rows", "words", "timer", "look",
)  # fmt: skip


@pytest.fixture(autouse=True)
def environment(settings, monkeypatch):
    for name, value in settings.environment().items():
        monkeypatch.setenv(name, value)


@pytest.fixture
def adapter_id(people, project_id):
    return add_adapter(project_id, "mine")


@pytest.fixture
def file(tmp_path):
    path = tmp_path / "wards.csv"
    path.write_text(FILE)
    return str(path)


def asked(actor, **query) -> gr.Request:
    """A request of somebody who said that no patient data comes in."""
    with write() as s:
        token = users.open_session(s, users.get_user(s, actor.id))
        s.flush()
        acknowledgements.give(s, actor, token)
    return gr.Request(username=actor.username, query_params=query, cookies={COOKIE: token})


def form(adapter_id, **given) -> list:
    filled = {
        "source": "file", "file": None, "specialty": "", "tag": "", "task_id": None, "limit": 100,
        "checked": False, "name": "", "sides": ["base:1", f"adapter:{adapter_id}"],
        "max_tokens": 20, "temperature": 0, "seed": 0, "resumes": 3, **given,
    }  # fmt: skip
    return [filled[name] for name in FIELDS]


def start(people, project_id, adapter_id, request=None, **given):
    values = form(adapter_id, **given)
    shown = page.start(project_id, "key", *values, request or asked(people.clinician))
    return dict(zip(OUTPUTS, shown, strict=True))


def answer(job_id, texts):
    with write() as s:
        sides = batches.spec_of(jobs.get_job(s, job_id)).sides
        for row, both in zip(batches.waiting(s, job_id, [0], limit=10), texts, strict=False):
            batches.keep(
                s, row.id, {at: AnswerText(sides[at], text, "stop", tokens=4) for at, text in enumerate(both)}
            )


TEXTS = [("Ramipril.", "Ramipril 5mg."), ("The liver.", "The kidney."), ("Same.", "Same.")]


def show(people, project_id, job_id, who="clinician", look=None):
    with read() as s:
        actor = users.get_actor(s, who)
        look = look or batching.Look()
        return dict(zip(OUTPUTS, page.screen(s, actor, project_id, job_id, look), strict=True))


def test_a_file_is_shown_before_it_is_stored_and_then_queued_once(people, project_id, adapter_id, file):
    preview, box = page.preview(project_id, "file", file, "", "", None, 100, request_of(people.clinician))
    assert preview["count"] == "3 prompts"
    assert preview["slices"] == ["drugs: 1", "organs: 2"]
    assert preview["first"][0]["facts"] == "2 expected facts"
    assert box["visible"] is False
    shown = start(people, project_id, adapter_id, file=file)
    again = start(people, project_id, adapter_id, file=file)
    assert shown["head"]["id"] == again["head"]["id"]
    assert shown["head"]["name"] == "wards"
    assert [side["colour"] for side in shown["head"]["sides"]] == ["base", "tuned"]
    assert shown["bar"]["phase"] == "Waiting for a worker"
    assert shown["links"] == {"shown": False}
    assert shown["slices"]["parts"] == []
    assert [row["answers"][0]["waiting"] for row in shown["rows"]["rows"]] == [True] * 3


def test_a_bad_file_gets_one_sentence_at_its_field(people, project_id, adapter_id, tmp_path):
    bad = tmp_path / "bad.csv"
    bad.write_text("instruction,input\n,x\n")
    with pytest.raises(ValueError, match=r"^file: line 2, column instruction: empty"):
        start(people, project_id, adapter_id, file=str(bad))
    with pytest.raises(ValueError, match=r"^file: choose one"):
        start(people, project_id, adapter_id)
    with pytest.raises(ValueError, match=r"^sides: 0 are chosen"):
        start(people, project_id, adapter_id, sides=[])


def test_patient_data_is_warned_of_and_the_acknowledgement_wanted(people, project_id, adapter_id, tmp_path):
    path = tmp_path / "a.csv"
    path.write_text('instruction,key\n"NHS number 943 476 5919, born 3 May 1948.",r1\n')
    preview, box = page.preview(project_id, "file", str(path), "", "", None, 1, request_of(people.clinician))
    assert "r1 (" in preview["suspects"]
    assert box["visible"] is True
    with pytest.raises(ValueError, match=r"^checked: some prompts may hold patient data"):
        start(people, project_id, adapter_id, file=str(path))
    with pytest.raises(PolicyError, match="no patient data"):
        start(people, project_id, adapter_id, request_of(people.clinician), file=str(path), checked=True)
    assert start(people, project_id, adapter_id, file=str(path), checked=True)["head"]["id"]


def test_answers_stand_by_slice_with_facts_found_or_missing(people, project_id, adapter_id, file):
    job_id = start(people, project_id, adapter_id, file=file)["head"]["id"]
    answer(job_id, TEXTS)
    shown = show(people, project_id, job_id)
    total, drugs, organs = shown["slices"]["parts"]
    assert [row["facts"] for row in total["columns"]] == ["2 of 3", "2 of 3"]
    assert [row["facts"] for row in drugs["columns"]] == ["1 of 2", "2 of 2"]
    assert organs["columns"][1]["overlap"] == "0.75"
    first = shown["rows"]["rows"][0]
    assert [fact["word"] for fact in first["answers"][0]["facts"]] == ["found", "missing"]
    assert first["href"].startswith(f"/playground?project={project_id}&comparison=")
    assert [file["href"] for file in shown["links"]["files"]] == [
        f"/batches/{job_id}/answers.{suffix}?project={project_id}" for suffix in ("csv", "jsonl")
    ]
    assert shown["links"]["round"] == ""  # a clinician leads no rounds
    led = show(people, project_id, job_id, who="reviewer")["links"]["round"]
    assert led == f"/rounds?project={project_id}&batch={job_id}"


def test_rows_are_filtered_by_slice_facts_and_words(people, project_id, adapter_id, file):
    job_id = start(people, project_id, adapter_id, file=file)["head"]["id"]
    answer(job_id, TEXTS)
    request = request_of(people.clinician, job=str(job_id))

    def keys(slice="*", show="", words=""):
        *_, rows, _ = page.filter_rows(project_id, batching.Look(), slice, show, words, request)
        return [row["key"] for row in rows["rows"]]

    assert keys() == ["a", "b", "c"]
    assert keys(slice="organs") == ["b", "c"]
    assert keys(show="apart") == ["a", "b"]
    assert keys(words="KIDNEY") == ["b"]
    assert keys(show="nonsense") == ["a", "b", "c"]


def test_what_a_rater_is_to_judge_blind_tells_nothing_here(people, project_id, adapter_id, file):
    job_id = start(people, project_id, adapter_id, file=file)["head"]["id"]
    answer(job_id, TEXTS)
    with write() as s:
        row = batches.list_rows(s, job_id)[1]
        round = Round(project_id=project_id, title="R", seed=1, created_by_id=people.reviewer.id)
        s.add(round)
        s.flush()
        one, other = row.answers
        ids = {"comparison_id": row.id, "one_id": one.id, "other_id": other.id}
        s.add(RoundPair(round_id=round.id, position=0, **ids))
        s.flush()
        s.add(Assignment(pair_id=1, rater_id=people.clinician.id, position=0, is_flipped=False))
    shown = show(people, project_id, job_id)
    assert [row["hidden"] for row in shown["rows"]["rows"]] == [False, True, False]
    assert "kidney" not in str(shown)
    assert shown["slices"]["parts"] == []
    found = show(people, project_id, job_id, look=batching.Look(words="kidney"))
    assert found["rows"]["rows"] == []
    assert "kidney" in str(show(people, project_id, job_id, who="reviewer"))


def test_a_running_batch_shows_answers_a_second_and_stops_and_resumes(people, project_id, adapter_id, file):
    job_id = start(people, project_id, adapter_id, file=file)["head"]["id"]
    request = request_of(people.clinician, job=str(job_id))
    with write() as s:
        job = jobs.get_job(s, job_id)
        job.status, job.phase, job.step, job.total_steps, job.attempt = (
            JobStatus.RUNNING,
            "answering",
            2,
            6,
            1,
        )
        jobs.record_metrics(s, job_id, 1, 2, {"rows_per_second": 2.0})
    answer(job_id, TEXTS[:1])
    shown = dict(zip(OUTPUTS, page.tick(project_id, batching.Look(), request), strict=True))
    assert shown["bar"]["count"] == "2 of 6 answers"
    assert "about 2 s left" in shown["bar"]["pace"]
    assert shown["rows"]["rows"][0]["answers"][0]["text"] == "Ramipril."
    assert page.tick(project_id, shown["look"], request) == (gr.skip(),) * len(OUTPUTS)
    _, said = page.ask_cancel(project_id, request)
    assert "It is at answer 2 of 6" in said["text"]
    page.cancel(project_id, batching.Look(), request)
    with write() as s:
        job = jobs.get_job(s, job_id)
        assert job.cancel_requested_at
        job.status = JobStatus.CANCELLED
    back = dict(zip(OUTPUTS, page.resume(project_id, batching.Look(), request), strict=True))
    assert back["bar"]["phase"] == "Waiting for a worker"


def test_answers_are_taken_as_a_file_by_those_who_may(studio, people, project_id, adapter_id, file):
    job_id = start(people, project_id, adapter_id, file=file)["head"]["id"]
    answer(job_id, TEXTS)
    address = f"/batches/{job_id}/answers.csv"
    with studio.browser(people.clinician) as client:
        taken = client.get(address, params={"project": project_id})
        assert taken.status_code == 200
        assert "Ramipril 5mg." in taken.text
        assert client.get(address, params={"project": project_id + 1}).status_code == 404
        assert client.get(address.replace("csv", "exe"), params={"project": project_id}).status_code == 404
    with studio.browser(people.author) as client:
        assert client.get(address, params={"project": project_id}).status_code == 403


def test_the_form_shows_only_the_fields_of_its_source(people, project_id):
    assert [part["visible"] for part in batch_form.visible_parts("shelf")] == [
        False,
        True,
        True,
        False,
        False,
    ]
    assert not any(part["visible"] for part in batch_form.visible_parts("nonsense"))
