"""What a practitioner may ask of a run, and what it refuses: methods, targets, looks, samples, memory."""

from pathlib import Path

import pytest
import torch
from peft import LoraConfig
from safetensors.torch import load_file

from db import jobs, registry, sample_answers, session
from db.compare_spec import SideSpec
from db.enums import JobStatus, StopMode
from tests.trainer.conftest import claim, freeze, job_of, metrics_of, sentences
from trainer import run
from trainer.context import JobContext
from trainer.models import load
from trainer.serve import catalog
from trainer.serve.holding import Held

SHORT = {"max_steps": 4, "precision": "fp32"}


def finished(context):
    """Carry the job out; returns it."""
    assert run.carry_out(context) == 0, job_of(context.job_id).error
    job = job_of(context.job_id)
    assert job.status is JobStatus.FINISHED, job.error
    return job


def _steps(adapter_id, *steps) -> list[SideSpec]:
    return [SideSpec(adapter_id=adapter_id, step=step) for step in steps]


def adapter_folder(job) -> Path:
    with session.read() as s:
        return Path(registry.get_adapter(s, job.result["adapter_id"]).path)


def test_samples_come_from_the_base_on_and_leave_the_weights_as_they_would_be(claimed):
    lively = {**SHORT, "method": "rslora", "dropout": 0.1, "neftune": 5.0}
    plain = finished(claimed(**lively))
    filmed = finished(
        claimed(**lively, sample_every=2, sample_prompts=["Which colour is the plum?", "Hello"])
    )
    with session.read() as s:
        answers = sample_answers.list_answers(s, filmed.id)
        assert [(a.step, a.number) for a in answers] == [(0, 0), (0, 1), (2, 0), (2, 1), (4, 0), (4, 1)]
        assert {a.prompt for a in answers} == {"Which colour is the plum?", "Hello"}
        assert sample_answers.list_answers(s, plain.id) == []
    one, other = (load_file(adapter_folder(job) / "adapter_model.safetensors") for job in (plain, filmed))
    assert all(torch.equal(tensor, other[name]) for name, tensor in one.items())
    assert LoraConfig.from_pretrained(adapter_folder(filmed)).use_rslora


def test_dora_is_tuned_with_recomputed_activations_and_the_model_server_takes_it_at_any_step_kept(claimed):
    asked = {**SHORT, "method": "dora", "target": "mlp.up_proj, v_proj", "dropout": 0.0}
    kept = finished(claimed(**asked, track="tensorboard", save_every=2))
    recomputed = finished(claimed(**asked, checkpointing="on"))
    assert dict(metrics_of(recomputed.id, "loss")) == pytest.approx(dict(metrics_of(kept.id, "loss")))
    config = LoraConfig.from_pretrained(adapter_folder(kept))
    assert config.use_dora
    assert config.target_modules == {"mlp.up_proj", "v_proj"}
    adapter_id = kept.result["adapter_id"]
    with session.read() as s:
        assert registry.steps_of(registry.get_adapter(s, adapter_id)) == [2, 4]
    targets = catalog.find_sides([SideSpec(adapter_id=adapter_id), *_steps(adapter_id, 2, 4)])
    held = Held(targets[0].base)
    held.use(*(target.adapter for target in targets))  # each passes the self-test
    last, second, fourth = (held.hash_of(target.adapter) for target in targets)
    assert last == fourth != second


def test_all_weights_tuned_are_a_base_that_can_be_tuned_again(claimed, base):
    whole = finished(claimed(method="full", learning_rate=1e-3, precision="bf16", max_steps=4))
    assert "adapter_id" not in whole.result
    assert whole.result["loss"] < whole.result["first_loss"]
    with session.read() as s:
        made = registry.get_base_model(s, whole.result["base_model_id"])
        origin = registry.get_base_model(s, base)
        assert (made.job_id, made.name, made.context_length) == (whole.id, "colour copier", 256)
        assert registry.find_model(s, "colour copier").id == made.id
    folder = Path(made.location)
    assert (folder / "provenance.json").is_file()
    assert load.template_hash(load.load_tokenizer(made.location)) == load.template_hash(
        load.load_tokenizer(origin.location)
    )
    tuned = load.load_base(made.location, dtype=torch.float32, device="cpu")
    plain = load.load_base(origin.location, dtype=torch.float32, device="cpu")
    assert made.parameters == plain.num_parameters()
    before = plain.state_dict()
    assert not any(torch.equal(tensor, before[name]) for name, tensor in tuned.state_dict().items())
    assert load_file(folder / "model.safetensors")["model.norm.weight"].dtype is torch.bfloat16

    again = finished(claimed(base_model_id=made.id, **SHORT))
    assert again.result["first_eval_loss"] == pytest.approx(whole.result["eval_loss"], rel=0.02)


def test_a_validation_loss_that_falls_no_more_ends_the_run_with_the_best_weights(claimed):
    context = claimed(learning_rate=0.3, epochs=20, evaluate_every=2, patience=3, keep="best", dropout=0.0)
    job = finished(context)
    looks = dict(metrics_of(job.id, "eval_loss"))
    best = min((step for step in looks if step), key=lambda step: looks[step])
    assert job.result["stopped_early"]
    assert job.result["steps"] == best + 6 < 160
    assert job.result["best_step"] == best
    assert job.result["best_eval_loss"] == pytest.approx(looks[best], abs=1e-4)
    assert {file.name for file in adapter_folder(job).iterdir()} - {registry.STEPS} == {
        "README.md",
        "adapter_config.json",
        "adapter_model.safetensors",
        "provenance.json",
    }


def test_the_loss_is_the_mean_over_labelled_tokens_however_the_step_is_cut_up(claimed, studio):
    # The validation rows are the training rows, and the first step takes all of them in unlike pieces: before
    # any weight has changed both losses are one.
    rows = [
        (question, text, answer * (1 + at % 4)) for at, (question, text, answer) in enumerate(sentences(20))
    ]
    version = freeze(*studio, rows + rows, validation=20, name="twice")
    asked = {
        "dataset_version_id": version,
        "batch_size": 3,
        "accumulation": 7,
        "dropout": 0.0,
        "max_steps": 1,
    }
    for batching in ("padded", "flat"):
        job = finished(claimed(**asked, batching=batching, precision="fp32"))
        ((_, loss),) = metrics_of(job.id, "loss")
        assert loss == pytest.approx(dict(metrics_of(job.id, "eval_loss"))[0], rel=1e-5)


class Cancels(JobContext):
    """Somebody cancels the run at its third step."""

    actor, mode = None, StopMode.SAVE

    def progress(self, phase, step=0, total_steps=0):
        super().progress(phase, step, total_steps)
        if phase == "training" and step == 3:
            with session.write() as s:
                jobs.request_cancel(s, self.actor, self.job_id, mode=self.mode)
            while self.stop_mode() is None:  # its own thread asks twice a second
                self._stop.wait(0.05)


@pytest.mark.parametrize(("mode", "left"), [(StopMode.SAVE, ["checkpoint-3"]), (StopMode.DISCARD, [])])
def test_who_cancels_chooses_what_is_left(settings, studio, queue, mode, left):
    job_id = queue(**SHORT, save_every=1000)  # no checkpoint but the one that is asked for
    context = Cancels(settings, job_id, claim(job_id))
    context.actor, context.mode = studio[0], mode
    assert run.carry_out(context) == 0
    assert job_of(job_id).status is JobStatus.CANCELLED
    assert [path.name for path in (context.folder / "checkpoints").glob("check*")] == left
    assert list(settings.adapters_dir.iterdir()) == []


@pytest.mark.parametrize(
    ("asked", "said"),
    [
        (
            {"target": "q_proj, ffn"},
            "target: this base has no layer named ffn; it has down_proj, gate_proj, k_proj, o_proj, q_proj, "
            "up_proj, v_proj.",
        ),
        ({"warmup": 4.0, "max_steps": 4}, "warmup: 4 steps are all the run has (4); give fewer"),
        ({"processes": 2}, "processes: the settings say 2 in all and 1 were started"),
        (
            {"sample_every": 1, "sample_prompts": ["plum " * 300]},
            "sample prompts: number 1 is ",
        ),
    ],
)
def test_what_cannot_be_is_one_sentence(claimed, asked, said):
    context = claimed(**asked)
    assert run.carry_out(context) == 1
    assert job_of(context.job_id).error.startswith(said)


def test_without_validation_rows_there_is_no_best(claimed, studio):
    version = freeze(*studio, list(sentences(8)), name="no validation")
    context = claimed(dataset_version_id=version, keep="best")
    assert run.carry_out(context) == 1
    assert job_of(context.job_id).error.startswith("keep: this version has no validation rows")
