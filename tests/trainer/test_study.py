"""A study led for real: tiny adapters tuned, experts merged, all measured, killed and gone on, cancelled."""

from pathlib import Path

import pytest
import torch

from db import jobs, processes, registry, studies, study_control, study_reading, study_steps
from db.enums import JobKind, JobStatus, ProcessRole
from db.session import read, write
from db.study_steps import Step
from db.tables import Adapter, Study
from tests.db import studied
from tests.trainer.conftest import claim, job_of
from trainer import run as child
from trainer.__main__ import main
from trainer.context import JobContext
from trainer.jobs import study as job
from trainer.studying import merge

TRAINING = {"learning_rate": 1e-2, "max_steps": 2, "batch_size": 4, "max_length": 128, "rank": 2, "alpha": 4}


@pytest.fixture
def make(studio, base):
    """make(**changed) -> (study id, job id) on a version of three categories, measured on tiny tasks."""
    actor, project_id = studio
    version = studied.freeze_version(actor, project_id, studied.frozen_rows(train=6, test=2, validation=1))
    tasks = studied.freeze_tasks(actor, project_id, version)

    def made(**changed) -> tuple[int, int]:
        given = {"tasks": tasks, "training": TRAINING, "evaluation": {"max_tokens": 4}, **changed}
        with write() as s:
            study = studies.create(s, actor, project_id, studied.spec(base, version, **given))
            return study.id, study.job_id

    return made


def standings(study_id):
    with read() as s:
        return study_steps.standings(s, s.get(Study, study_id))


def carry_out(settings, job_id) -> None:
    """Run a queued job in this process, as the worker's child does."""
    with write() as s:
        attempt = jobs.claim_next(s, processes.register(s, ProcessRole.WORKER).id, job_id=job_id).attempt
    assert child.carry_out(JobContext(settings, job_id, attempt)) == 0


def lead(settings, study_id, job_id, *, failing=()):
    """Lead the study to its end in this process: each time it would wait, the runs it waits for are done."""
    context = JobContext(settings, job_id, claim(job_id))
    while True:
        found = standings(study_id)
        if all(one.step in study_steps.CLOSED for one in found):
            break
        for one in found:
            if one.step not in study_steps.WAITING | study_steps.CLOSED:
                job._act(context, one)
        for one in standings(study_id):
            if one.job and one.label in failing:
                studied.fail(one.job.id)
            elif one.job:
                carry_out(settings, one.job.id)
    return context


def delta(adapter: Adapter, layer: str) -> torch.Tensor:
    """What an adapter adds to one layer's weights."""
    import json

    from safetensors.torch import load_file

    weights = load_file(Path(adapter.path) / "adapter_model.safetensors")
    config = json.loads((Path(adapter.path) / "adapter_config.json").read_text())
    down, up = (next(w for name, w in weights.items() if f"{layer}.lora_{side}" in name) for side in "AB")
    return up @ down * config["lora_alpha"] / config["r"]


def test_experts_are_tuned_merged_and_measured_beside_one_for_all(settings, studio, make):
    study_id, job_id = make(kind="experts", among=("QA", "IE"), merge="svd")
    context = lead(settings, study_id, job_id)
    job.run(context)  # nothing is left to do: it finishes
    assert job_of(job_id).status is JobStatus.FINISHED
    with read() as s:
        study = s.get(Study, study_id)
        first, second, together, merged = (s.get(Adapter, arm.adapter_id) for arm in study.arms[1:])
        figure = study_reading.figure(s, study)
        trained = jobs.list_jobs(s, studio[1], JobKind.TRAIN)
    assert merged.spec["merged_adapters"] == [first.id, second.id]
    assert merged.dataset_version_id is None
    assert merged.job_id == job_id
    assert len(trained) == 3
    assert together.spec["max_steps"] == 4
    assert figure.missing == 0
    layer = "layers.0.self_attn.q_proj"
    whole = (delta(first, layer) + delta(second, layer)) / 2
    left, sizes, right = torch.linalg.svd(whole)
    best = left[:, :2] * sizes[:2] @ right[:2]  # of the experts' rank
    assert torch.allclose(delta(merged, layer), best, atol=1e-5)


@pytest.mark.parametrize("how", ["linear", "ties", "dare_linear", "dare_ties"])
def test_every_way_of_merging_leaves_one_adapter_that_differs_from_its_experts(
    settings, studio, base, queue, how, tmp_path
):
    first, second = (add_adapter(studio, base, tmp_path / name, seed) for seed, name in enumerate(("a", "b")))
    spec = studied.spec(base, 1, (1,), kind="experts", merge=how)
    with read() as s:
        columns = merge.merge(settings, registry.get_base_model(s, base), [first, second], spec, "merged", 1)
    again = Adapter(**{name: columns[name] for name in ("path",)})
    for layer in ("layers.0.self_attn.q_proj", "layers.1.mlp.up_proj"):
        assert not torch.allclose(delta(again, layer), delta(first, layer))
        assert delta(again, layer).abs().sum() > 0
    assert sorted(path.name for path in Path(columns["path"]).iterdir()) == [
        "adapter_config.json",
        "adapter_model.safetensors",
    ]


def add_adapter(studio, base_id, folder, seed) -> Adapter:
    """A random adapter on the tiny base."""
    from peft import LoraConfig, get_peft_model

    from trainer.models import load

    with read() as s:
        base = registry.get_base_model(s, base_id)
    torch.manual_seed(seed)
    model = load.load_base(base.location, dtype=torch.float32, device="cpu")
    config = LoraConfig(r=2, lora_alpha=4, target_modules=["q_proj", "up_proj"], init_lora_weights=False)
    get_peft_model(model, config).save_pretrained(folder)
    return Adapter(
        id=seed + 1, name=str(seed), path=str(folder), base_model_id=base_id, data_hash=str(seed),
        base_revision="", template_hash="",
    )  # fmt: skip


def test_a_study_that_was_killed_goes_on_and_asks_for_nothing_twice(settings, studio, make):
    study_id, job_id = make(among=("QA", "IE"))
    context = JobContext(settings, job_id, claim(job_id))
    for one in standings(study_id):
        job._act(context, one)  # rows drawn, the base's evaluation queued
    for one in standings(study_id):
        if one.step is Step.TRAIN:
            job._act(context, one)
    context.fall_silent()  # killed here
    with write() as s:
        jobs.close(s, job_id, context.attempt, JobStatus.INTERRUPTED, error="")
        assert jobs.go_on(s, job_id) is not None
    before = {one.job.id for one in standings(study_id)}
    context = JobContext(settings, job_id, claim(job_id))
    assert context.attempt == 2
    for one in standings(study_id):
        assert one.step in study_steps.WAITING
    assert {one.job.id for one in standings(study_id)} == before
    with pytest.raises(jobs.FencedError), write() as s:
        jobs.require_owned(s, job_id, 1)
    context.fall_silent()


def test_a_cancel_from_the_shell_stops_the_runs_it_asked_for(settings, studio, make):
    study_id, job_id = make(among=("QA", "IE"))
    context = JobContext(settings, job_id, claim(job_id))
    for _ in range(2):
        for one in standings(study_id):
            if one.step not in study_steps.WAITING:
                job._act(context, one)
    with write() as s:
        jobs.request_cancel(s, studio[0], job_id)
    assert child.carry_out(context) == 0
    assert job_of(job_id).status is JobStatus.CANCELLED
    with read() as s:
        own = studies.list_own_jobs(s, s.get(Study, study_id))
    assert {run.status for run in own} == {JobStatus.CANCELLED}
    with write() as s:
        study_control.resume(s, studio[0], s.get(Study, study_id))
    assert {one.step for one in standings(study_id)} <= study_steps.WAITING


def test_a_failed_arm_is_named_at_the_end_and_the_others_are_measured(settings, studio, make):
    study_id, job_id = make(kind="rank", ranks=(1, 2))
    context = lead(settings, study_id, job_id, failing=("rank 2",))
    assert child.carry_out(context) == 1
    ended = job_of(job_id)
    assert ended.status is JobStatus.FAILED
    assert "1 of 3 failed (rank 2: Its training" in ended.error
    assert "disk: it is full" in ended.error
    assert [one.step for one in standings(study_id)] == [Step.DONE, Step.DONE, Step.FAILED]


def test_the_shell_lists_shows_draws_stops_and_makes_studies(
    settings, studio, make, tmp_path, capsys, monkeypatch
):
    study_id, _ = make(among=("QA", "IE"))
    studied.carry_out(studio[0], study_id, studied.knows)

    def said(*words) -> str:
        assert main(["study", *words, "--data-dir", str(settings.data_dir)]) == 0
        return capsys.readouterr().out

    monkeypatch.setenv("STUDIO_DATA_DIR", str(settings.data_dir))
    assert "Transfer  7 of 7 runs" in said("list")
    assert "QA + IE" in said("show", str(study_id))
    said("figure", str(study_id), "--svg", str(tmp_path / "f.svg"), "--csv", str(tmp_path / "f.csv"))
    assert (tmp_path / "f.svg").read_text().startswith("<svg")
    assert (tmp_path / "f.csv").read_text().count("\n") == 13
    assert "| QA | 6 |" in said("figure", str(study_id))
    (tmp_path / "again.json").write_text(said("show", str(study_id), "--spec"))
    again = said("make", str(tmp_path / "again.json")).strip()
    assert "stopped, with 0 of its runs" in said("cancel", again)
    assert main(["study", "show", "99"]) == 1
    assert "no study number 99" in capsys.readouterr().err
    (tmp_path / "again.json").write_text('{"kind": "rank"}')
    assert main(["study", "make", str(tmp_path / "again.json")]) == 1
    assert "spec: " in capsys.readouterr().err
