"""The training recipe, run in this process on a real two-layer Llama: what it saves, tells and refuses."""

import json
import math
import shutil
from pathlib import Path

import pytest
import torch
from transformers import TrainerState

from db import alerts, registry, session
from db.enums import AlertKind, JobStatus
from db.tables import DatasetVersion
from tests.trainer.conftest import job_of, metrics_of
from trainer import run
from trainer.data import batching
from trainer.data.examples import Example, Examples
from trainer.models.processes import Processes
from trainer.reporter import Reporter, Watched


def test_a_run_lowers_the_loss_and_registers_an_adapter_that_says_where_it_came_from(claimed, tiny_llama):
    context = claimed(rank=4, epochs=5)
    assert run.carry_out(context) == 0

    job = job_of(context.job_id)
    assert job.status is JobStatus.FINISHED, job.error
    losses = metrics_of(job.id, "loss")
    assert [step for step, _ in losses] == list(range(1, 41))
    assert losses[-1][1] < 0.7 * losses[0][1]
    assert [step for step, _ in metrics_of(job.id, "eval_loss")] == [0, 8, 16, 24, 32, 40]
    assert job.result["eval_loss"] < job.result["first_eval_loss"]
    for name in ("tokens_per_second", "memory", "grad_norm", "epoch"):
        assert all(value > 0 for _, value in metrics_of(job.id, name)), name
    assert max(value for _, value in metrics_of(job.id, "learning_rate")) == pytest.approx(1e-2, rel=0.05)
    assert (job.step, job.total_steps) == (40, 40)

    with session.read() as s:
        adapter = registry.get_adapter(s, job.result["adapter_id"])
        assert adapter.data_hash == adapter.dataset_version.content_hash
    folder = Path(adapter.path)
    assert folder.parent == context.settings.adapters_dir
    assert {file.name for file in folder.iterdir()} - {registry.STEPS} == {  # a slow run keeps some steps
        "README.md",
        "adapter_config.json",
        "adapter_model.safetensors",
        "provenance.json",
    }
    assert "Not for clinical use" in (folder / "README.md").read_text()
    assert adapter.adapter_hash == registry.hash_file(folder / "adapter_model.safetensors")
    assert len(adapter.base_revision) == len(adapter.template_hash) == 64
    assert adapter.spec["rank"] == 4
    assert "peft" in adapter.packages
    assert not (context.folder / "checkpoints").exists()
    written = json.loads((context.folder / "provenance.json").read_text())
    assert written == json.loads((folder / "provenance.json").read_text())
    assert written["data_hash"] == adapter.data_hash
    assert written["hardware"]["cpus"] > 0
    assert {"studio_commit", "seed", "spec", "template_hash", "base_revision"} <= written.keys()


def failure(context) -> str:
    """The sentence a run ends with."""
    assert run.carry_out(context) == 1
    job = job_of(context.job_id)
    assert job.status is JobStatus.FAILED
    assert "adapter_id" not in job.result
    assert list(context.settings.adapters_dir.iterdir()) == []
    return job.error


def test_a_corrupt_model_folder_is_one_sentence(claimed, base, tiny_llama, tmp_path):
    copy = Path(shutil.copytree(tiny_llama, tmp_path / "copy"))
    (copy / "model.safetensors").write_bytes(b"half")
    with session.write() as s:
        registry.get_base_model(s, base).location = str(copy)
    assert "base model:" in (said := failure(claimed()))
    assert said.endswith("save or download the model again.")


def test_a_rank_beyond_the_smallest_layer_names_the_rank(claimed):
    assert failure(claimed(rank=64)).startswith("rank: 64 is more than the smallest layer")


def test_rows_that_are_all_too_long_name_the_dataset_and_the_mend(claimed):
    assert failure(claimed(max_length=16)) == (
        "dataset: none of its 64 training rows can be used: "
        "64 are longer than 16 tokens (raise the longest row)."
    )


def test_rows_changed_behind_the_freeze_are_not_trained_on(claimed, version):
    with session.write() as s:
        s.get(DatasetVersion, version).content_hash = "0" * 64
    assert "no longer have the hash they were frozen with" in failure(claimed())


def test_a_loss_that_is_no_number_stops_the_run_and_names_the_learning_rate(claimed):
    context = claimed()
    watched = Watched(lambda model: None, best=None, film=None, tracker=None)
    reporter = Reporter(context, watched, Processes(0, 1, torch.device("cpu")), 1)
    state = TrainerState(global_step=3, max_steps=9)
    with pytest.raises(ValueError, match="learning rate: the loss became nan at step 3; lower the"):
        reporter.on_log(None, state, None, logs={"loss": math.nan, "grad_norm": 1.0, "learning_rate": 1.0})
    context.fail("")
    with session.read() as s:
        assert [alert.kind for alert in alerts.list_alerts(s, context.job_id)] == [AlertKind.NOT_A_NUMBER]


def test_the_report_counts_the_steps_the_trainer_takes(claimed):
    context = claimed(epochs=2.5, batch_size=5, accumulation=4)  # 13 batches an epoch, the last one short
    run.carry_out(context)
    job = job_of(context.job_id)
    assert job.status is JobStatus.FINISHED, job.error
    examples = Examples.of([Example([1, 2], 1)] * 64)
    assert job.result["steps"] == batching.plan(context.spec, "flat", examples).steps(context.spec) == 10
