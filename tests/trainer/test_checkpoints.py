"""Half-written checkpoints are passed over; checkpoints of another run are not resumed from."""

import json
import os
import shutil
from itertools import pairwise

import pytest
import torch
from safetensors.torch import save_file

from trainer.models import checkpoints


def write_checkpoint(folder, step):
    checkpoint = folder / f"checkpoint-{step}"
    checkpoint.mkdir(parents=True)
    save_file({"a": torch.zeros(64)}, checkpoint / "adapter_model.safetensors")
    for name in ("optimizer.pt", "scheduler.pt", "rng_state.pth"):
        torch.save({"state": torch.zeros(64)}, checkpoint / name)
    (checkpoint / "trainer_state.json").write_text(json.dumps({"global_step": step}))
    return checkpoint


def cut(path):
    path.write_bytes(path.read_bytes()[: path.stat().st_size // 2])


def test_the_highest_step_wins_not_the_last_in_the_alphabet(tmp_path):
    write_checkpoint(tmp_path, 90)
    newest = write_checkpoint(tmp_path, 100)
    assert checkpoints.last_valid(tmp_path) == newest


@pytest.mark.parametrize(
    "name",
    ["adapter_model.safetensors", "optimizer.pt", "scheduler.pt", "rng_state.pth", "trainer_state.json"],
)
def test_a_file_cut_short_makes_the_one_before_count(tmp_path, name):
    older, newest = write_checkpoint(tmp_path, 1), write_checkpoint(tmp_path, 2)
    cut(newest / name)
    assert checkpoints.fault(newest)
    assert checkpoints.last_valid(tmp_path) == older


def test_a_state_of_another_step_is_a_fault(tmp_path):
    checkpoint = write_checkpoint(tmp_path, 5)
    (checkpoint / "trainer_state.json").write_text(json.dumps({"global_step": 4}))
    assert checkpoints.fault(checkpoint) == "its state is of step 4"


def test_a_checkpoint_whose_best_weights_are_gone_or_cut_is_no_checkpoint(tmp_path):
    checkpoint = write_checkpoint(tmp_path, 8)
    kept = {"stateful_callbacks": {"Reporter": {"args": {}, "attributes": {"kept_step": 6}}}}
    (checkpoint / "trainer_state.json").write_text(json.dumps({"global_step": 8, **kept}))
    assert checkpoints.best_steps(tmp_path) == {6}
    assert checkpoints.fault(checkpoint) == "it holds no .safetensors weights"
    best = checkpoints.best_folder(tmp_path, 6)
    best.mkdir()
    save_file({"a": torch.zeros(64)}, best / "adapter_model.safetensors")
    assert checkpoints.fault(checkpoint) is None
    cut(best / "adapter_model.safetensors")
    assert checkpoints.last_valid(tmp_path) is None


def test_a_whole_model_in_shards_is_whole_only_with_all_of_them(tmp_path):
    checkpoint = write_checkpoint(tmp_path, 3)
    (checkpoint / "adapter_model.safetensors").unlink()
    shards = ["model-00001-of-00002.safetensors", "model-00002-of-00002.safetensors"]
    for shard in shards:
        save_file({shard: torch.zeros(64)}, checkpoint / shard)
    index = {"weight_map": {shard: shard for shard in shards}}
    (checkpoint / "model.safetensors.index.json").write_text(json.dumps(index))
    assert checkpoints.fault(checkpoint) is None
    (checkpoint / shards[1]).unlink()
    assert checkpoints.fault(checkpoint) == f"its weight file {shards[1]} is missing"


def test_every_process_needs_its_own_random_state(tmp_path):
    checkpoint = write_checkpoint(tmp_path, 3)
    assert checkpoints.fault(checkpoint, processes=2) == "rng_state_0.pth is cut short or missing"
    for rank in range(2):
        torch.save({"state": torch.zeros(64)}, checkpoint / f"rng_state_{rank}.pth")
    assert checkpoints.fault(checkpoint, processes=2) is None


def test_the_two_highest_steps_stay_whatever_the_clock_said(tmp_path):
    for step, second in ((5, 300), (20, 200), (100, 100)):  # the clock ran backwards
        os.utime(write_checkpoint(tmp_path, step), (second, second))
    checkpoints.prune(tmp_path)
    assert {path.name for path in tmp_path.iterdir()} == {"checkpoint-20", "checkpoint-100"}


def test_no_folder_holds_no_checkpoint(tmp_path):
    assert checkpoints.last_valid(tmp_path / "none") is None


def test_checkpoints_of_a_run_on_other_data_are_removed(tmp_path):
    folder = tmp_path / "checkpoints"
    assert not checkpoints.claim(folder, {"data_hash": "a"})
    write_checkpoint(folder, 1)
    assert checkpoints.claim(folder, {"data_hash": "a"})
    assert checkpoints.last_valid(folder)
    assert not checkpoints.claim(folder, {"data_hash": "b"})
    assert checkpoints.last_valid(folder) is None


def test_the_steps_that_are_kept_are_few_and_spread_over_the_run():
    assert checkpoints.spread([], 3) == []
    assert checkpoints.spread([5, 10], 3) == [5, 10]
    assert checkpoints.spread(list(range(0, 101, 10)), 6) == [0, 20, 40, 60, 80, 100]
    growing = []
    for step in range(10, 2010, 10):  # one at a time, as a run keeps them
        growing = checkpoints.spread([*growing, step], 10)
    gaps = [after - before for before, after in pairwise(growing)]
    assert (len(growing), growing[0], growing[-1]) == (10, 10, 2000)
    assert max(gaps) <= 4 * min(gaps[:-1])


def test_a_step_is_kept_after_its_checkpoint_went_and_what_is_no_adapter_is_not(tmp_path):
    adapter, whole = tmp_path / "checkpoint-20", tmp_path / "checkpoint-30"
    for folder, names in ((adapter, ("adapter_config.json", "adapter_model.safetensors")), (whole, ())):
        folder.mkdir()
        for name in (*names, "optimizer.pt"):
            (folder / name).write_text(name)
        checkpoints.keep_step(folder, tmp_path / "steps")
        shutil.rmtree(folder)
    kept = sorted(path.relative_to(tmp_path / "steps").as_posix() for path in tmp_path.rglob("*.*"))
    assert kept == ["20/adapter_config.json", "20/adapter_model.safetensors"]
