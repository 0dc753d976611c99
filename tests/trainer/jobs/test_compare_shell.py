"""Batches and the shelf from the shell, with the same checks and records as on the page."""

import json

import pytest

from db import batches, jobs, prompts, session
from db.compare_spec import SideSpec
from db.comparisons import AnswerText
from db.enums import JobKind
from db.tables import Adapter, BaseModel
from trainer.__main__ import main


@pytest.fixture
def models(studio) -> tuple[SideSpec, SideSpec]:
    """A base and an adapter on it, by name alone: nothing here loads them."""
    with session.write() as s:
        base = BaseModel(name="endless", location="/nowhere")
        s.add(base)
        s.flush()
        hashes = dict.fromkeys(("adapter_hash", "base_revision", "template_hash", "data_hash"), "")
        adapter = Adapter(
            project_id=studio[1], name="my adapter", path="/nowhere", base_model_id=base.id, seed=0, spec={},
            packages={}, **hashes,
        )  # fmt: skip
        s.add(adapter)
        s.flush()
        return SideSpec(base_model_id=base.id), SideSpec(adapter_id=adapter.id)


@pytest.fixture
def shell(settings, monkeypatch, capsys):
    """shell("compared", ...) -> (exit code, output, complaint)."""
    monkeypatch.setenv("STUDIO_DATA_DIR", str(settings.data_dir))

    def call(*arguments):
        code = main([str(argument) for argument in arguments])
        return code, *capsys.readouterr()

    return call


def test_a_batch_is_queued_by_names_and_its_answers_are_taken(shell, models, tmp_path):
    file = tmp_path / "wards.jsonl"
    file.write_text('{"prompt": "Which colour?", "slice": "s", "expected": ["red"]}\n')
    code, said, complaint = shell(
        "compare", file, "--side", "endless", "--side", "my adapter", "--max-tokens", 8
    )
    assert (code, complaint) == (0, "")
    with session.write() as s:
        job = jobs.get_job(s, int(said))
        assert (job.kind, job.name) == (JobKind.COMPARE, "wards.jsonl")
        assert batches.spec_of(job).sides == models
        assert batches.spec_of(job).max_tokens == 8
        [row] = batches.list_rows(s, job.id)
        batches.keep(s, row.id, {0: AnswerText(models[0], "It is red.", "stop")})
        batches.keep(s, row.id, {1: AnswerText(models[1], "Blue.", "stop")})
    out = tmp_path / "answers.jsonl"
    code, said, _ = shell("compared", job.id, "--out", out)
    assert (code, said) == (0, f"1 rows written to {out}\n")
    first, second = json.loads(out.read_text())["answers"]
    assert (first["side"], first["found"], second["missing"]) == ("endless", ["red"], ["red"])


@pytest.mark.parametrize(
    ("arguments", "complaint"),
    [
        (("--side", "endless"), "prompts: give a file, or --shelf, or --task"),
        (("--shelf", "--side", "endless"), "prompts: the shelf has none like that"),
        (("--shelf", "--side", "nobody"), "nobody"),
        (("--shelf", "--side", "my adapter@40"), "prompts: the shelf has none"),
        (("--shelf", "--side", "endpoint:gpt"), "endpoint: there is none named gpt"),
    ],
)
def test_what_cannot_be_is_told_in_one_sentence(shell, models, arguments, complaint):
    code, _, said = shell("compare", *arguments)
    assert code == 1
    assert complaint in said


def test_patient_data_is_refused_unless_somebody_looked(shell, models, tmp_path):
    file = tmp_path / "a.txt"
    file.write_text("Summarise: NHS number 943 476 5919, born 3 May 1948.\n")
    asked = ("compare", file, "--side", "endless")
    code, _, said = shell(*asked)
    assert code == 1
    assert "1 may hold patient data, the first being 1 (" in said
    assert "943" not in said
    assert shell(*asked, "--checked")[0] == 0


def test_the_shelf_is_brought_in_listed_and_written(shell, studio, tmp_path):
    source, target = tmp_path / "shelf.yaml", tmp_path / "shelf.jsonl"
    source.write_text("- title: A tick\n  instruction: Answer.\n  tags: [safety]\n  expected: [rash]\n")
    assert shell("prompts", "--import", source)[1] == "1 added, 0 with a new version, 0 as they were\n"
    source.write_text(source.read_text().replace("Answer.", "Answer kindly."))
    assert shell("prompts", "--import", source)[1] == "0 added, 1 with a new version, 0 as they were\n"
    assert "v2   A tick  (safety)" in shell("prompts", "--tag", "safety")[1]
    assert shell("prompts", "--tag", "other")[1] == ""
    assert shell("prompts", "--export", target)[0] == 0
    assert json.loads(target.read_text())["expected"] == ["rash"]
    source.write_text("- instruction: x\n")
    assert "file: line 1: title" in shell("prompts", "--import", source)[2]
    with session.read() as s:
        assert len(prompts.list_shelf(s, studio[1])) == 1
