"""The training recipe, run in this process on a real two-layer Llama: what it saves, tells and refuses."""

from pathlib import Path

from db import registry, session
from db.enums import JobStatus
from tests.trainer.conftest import job_of, metrics_of
from trainer import run


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
    assert all(value > 0 for _, value in metrics_of(job.id, "tokens_per_second"))
    assert (job.step, job.total_steps) == (40, 40)

    with session.read() as s:
        adapter = registry.get_adapter(s, job.result["adapter_id"])
        assert adapter.data_hash == adapter.dataset_version.content_hash
        s.expunge_all()
    folder = Path(adapter.path)
    assert folder.parent == context.settings.adapters_dir
    assert {file.name for file in folder.iterdir()} == {
        "adapter_config.json",
        "adapter_model.safetensors",
        "provenance.json",
    }
    assert adapter.adapter_hash == registry.hash_file(folder / "adapter_model.safetensors")
    assert len(adapter.base_revision) == len(adapter.template_hash) == 64
    assert adapter.spec["rank"] == 4
    assert "peft" in adapter.packages
    assert not (context.folder / "checkpoints").exists()
