"""Exports of a trained adapter: a PEFT folder, a merged model, and what may not leave."""

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest
import torch
from peft import PeftModel
from transformers import AutoModelForCausalLM, AutoTokenizer

from db import exports, jobs, processes, registry, session
from db.enums import JobKind, JobStatus, ProcessRole, Split
from db.export_spec import ExportSpec
from db.tables import Adapter, DatasetRow
from tests.db.hub_double import FakeHub
from tests.trainer.conftest import job_of
from trainer import run
from trainer.context import JobContext


@pytest.fixture
def adapter(claimed):
    """An adapter trained in this process."""
    context = claimed(rank=4, epochs=2)
    assert run.carry_out(context) == 0
    with session.read() as s:
        adapter = registry.get_adapter(s, job_of(context.job_id).result["adapter_id"])
        assert adapter.base_model.name == "tiny"
        return adapter


@pytest.fixture
def export(settings, studio, adapter):
    """export(form="merged", ...) -> the closed job."""

    def carry_out(**given):
        with session.write() as s:
            job_id = exports.start(s, *studio, ExportSpec(adapter.id, **given)).id
            process = processes.register(s, ProcessRole.WORKER)
            attempt = jobs.claim_next(s, process.id, (JobKind.EXPORT,)).attempt
        run.carry_out(JobContext(settings, job_id, attempt))
        return job_of(job_id)

    return carry_out


def test_an_adapter_is_exported_with_its_tokenizer_and_its_card(adapter, export):
    job = export()
    assert job.status is JobStatus.FINISHED, job.error
    folder = Path(job.result["folder"])
    assert {"adapter_model.safetensors", "tokenizer.json", "README.md"} <= {f.name for f in folder.iterdir()}
    card = (folder / "README.md").read_text()
    assert card.startswith("---\nlibrary_name: peft\n")
    assert "Not for clinical use" in card
    assert adapter.data_hash in card
    assert "| category: QA | 100.0% |" in card
    assert "| rank | 4 |" in card
    assert str(adapter.base_model.location) not in card  # a folder of this machine


def test_a_merged_model_answers_as_base_and_adapter_did(adapter, export, tiny_llama):
    job = export(form="merged")
    assert job.status is JobStatus.FINISHED, job.error
    folder = job.result["folder"]
    tokenizer = AutoTokenizer.from_pretrained(folder)
    assert tokenizer.chat_template
    ids = tokenizer("Which colour is the plum?", return_tensors="pt").input_ids
    merged = AutoModelForCausalLM.from_pretrained(folder, dtype=torch.float32)
    tuned = PeftModel.from_pretrained(AutoModelForCausalLM.from_pretrained(tiny_llama), adapter.path)
    with torch.no_grad():
        apart = (merged(ids).logits - tuned(ids).logits).abs().max()
        with tuned.disable_adapter():
            moved = (merged(ids).logits - tuned(ids).logits).abs().max()
    trained_in = json.loads((Path(adapter.path) / "provenance.json").read_text())["precision"]
    assert apart < (1e-3 if trained_in == "fp32" else 0.5)
    assert moved > 10 * apart


def test_weights_that_have_changed_are_not_exported(adapter, export):
    weights = Path(adapter.path) / "adapter_model.safetensors"
    weights.write_bytes(weights.read_bytes()[:-1] + b"\0")
    job = export()
    assert job.status is JobStatus.FAILED
    assert job.error.startswith("adapter: ")
    assert "no longer what was trained" in job.error


@pytest.fixture
def entered(studio, base, version) -> Adapter:
    """An adapter in the books alone."""
    with session.write() as s:
        return registry.register_adapter(
            s,
            name="copier",
            path="/nowhere",
            adapter_hash="",
            base_model_id=base,
            base_revision="",
            template_hash="",
            dataset_version_id=version,
            data_hash="",
            seed=1,
            spec={},
            packages={},
            project_id=studio[1],
        )


@pytest.mark.parametrize(
    ("repository", "sentence"),
    [
        ("ward 7", "repository: write it as owner/name"),
        ("ward-7/copier", "repository: no token of the Hub is configured; set HF_TOKEN"),
    ],
)
def test_a_push_that_cannot_be_is_refused_before_it_is_queued(
    studio, entered, monkeypatch, repository, sentence
):
    monkeypatch.delenv("HF_TOKEN", raising=False)
    with session.write() as s, pytest.raises(ValueError) as caught:
        exports.start(s, *studio, ExportSpec(entered.id, repository=repository))
    assert str(caught.value).startswith(sentence)


def test_what_learned_from_rows_under_an_agreement_stays(studio, entered, monkeypatch):
    monkeypatch.setenv("HF_TOKEN", "hf_test")
    row = {"position": 10_000, "split": Split.TRAIN, "instruction": "a", "output": "b", "category": "QA"}
    with session.write() as s:
        s.add(DatasetRow(version_id=entered.dataset_version_id, is_restricted=True, **row))
    with session.read() as s, pytest.raises(ValueError, match="^repository: the adapter learned from 1 rows"):
        exports.require_leave(s, entered, "ward-7/copier")


def test_another_projects_adapter_is_not_found(studio, entered):
    with session.write() as s, pytest.raises(LookupError, match="This project has no adapter"):
        exports.start(s, studio[0], studio[1] + 1, ExportSpec(entered.id))


@pytest.fixture
def hub():
    hub = FakeHub()
    yield hub
    hub.close()


def pushed(folder: Path, hub: FakeHub) -> str:
    """What a push of `folder` to our own Hub says, in a process whose Hub client knows plain uploads only."""
    script = (
        "import sys; from pathlib import Path; from db.export_spec import ExportSpec;"
        "from trainer.jobs.export import push\n"
        "try: print(push(Path(sys.argv[1]), ExportSpec(1, repository='ward/questions'), token='hf_test'))\n"
        "except ValueError as error: print(error)"
    )
    ours = {"HF_ENDPOINT": hub.url, "HF_HUB_DISABLE_XET": "1", "HF_HUB_OFFLINE": "0"}
    done = subprocess.run(
        [sys.executable, "-c", script, folder],
        env={**os.environ, **ours},
        capture_output=True,
        text=True,
        check=True,
    )
    return done.stdout


def test_a_push_is_one_commit_to_a_private_repository(tmp_path, hub):
    (tmp_path / "README.md").write_text("---\nlibrary_name: peft\n---\n# Copier\n")
    (tmp_path / "adapter_model.safetensors").write_bytes(b"weights")
    assert "'commit': 'c0ffee'" in pushed(tmp_path, hub)
    assert hub.created[0]["visibility"] == "private"
    assert hub.files["adapter_model.safetensors"] == b"weights"
    assert hub.tokens - {""} == {"Bearer hf_test"}  # the library also asks some things as nobody


@pytest.mark.parametrize(
    ("refuses", "sentence"),
    [(0, "repository: ward/questions is on the Hub already and public"), (403, "hub: it answered 403")],
)
def test_what_the_hub_does_not_take_is_one_sentence(tmp_path, hub, refuses, sentence):
    hub.is_private, hub.refuses = False, refuses
    assert pushed(tmp_path, hub).startswith(sentence)
    assert hub.files == {}
