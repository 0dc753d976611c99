"""Half-written checkpoints are passed over; checkpoints of another run are not resumed from."""

import json

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
