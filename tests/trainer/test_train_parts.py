"""The small parts of a training run, each by itself: shares of the rows, looks, noise, trackers."""

import math
from importlib.util import find_spec

import pytest
import torch
from transformers import LlamaConfig, LlamaForCausalLM

from db.train_spec import TrainSpec
from trainer import tracking
from trainer.models import fourbit, neftune, precision
from trainer.models.processes import Processes
from trainer.sharing import Share
from trainer.validation import Looks

CPU = torch.device("cpu")


def shares(batches, count):
    """What each of `count` processes gets of an epoch's batches."""
    made = [Share(lambda epoch: batches, Processes(rank, count, CPU)) for rank in range(count)]
    assert all(len(list(share)) == len(share) for share in made)
    return [list(share) for share in made]


def test_each_group_of_batches_is_dealt_out_and_what_is_left_is_split():
    assert shares([[0, 1], [2, 3], [4, 5], [6, 7], [8, 9]], 2) == [
        [[0, 1], [4, 5], [8]],
        [[2, 3], [6, 7], [9]],
    ]


def test_fewer_rows_than_processes_at_the_end_leave_none_without():
    assert shares([[0], [1], [2], [3]], 3) == [[[0], [3]], [[1], [3]], [[2], [3]]]


def test_one_process_has_all():
    assert shares([[0, 1], [2]], 1) == [[[0, 1], [2]]]


def test_the_best_look_is_the_lowest_and_the_others_are_counted():
    looks = Looks()
    assert [looks.take(step, loss) for step, loss in enumerate([3.0, 2.0, 2.5, 2.0, math.nan], 1)] == [
        True, True, False, False, False,
    ]  # fmt: skip
    assert (looks.best, looks.best_step, looks.without_gain) == (2.0, 2, 3)
    assert Looks(**looks.to_json()) == looks


@pytest.fixture
def llama():
    config = LlamaConfig(
        vocab_size=32,
        hidden_size=256,
        intermediate_size=32,
        num_hidden_layers=1,
        num_attention_heads=2,
        num_key_value_heads=2,
    )
    return LlamaForCausalLM(config)


def noise_of(model, **batch) -> torch.Tensor:
    """What the embeddings of a batch have more than the plain ones (B, T, d)."""
    seen = []
    layers = model.model.layers[0]
    hook = layers.register_forward_pre_hook(lambda module, args: seen.append(args[0].detach().clone()))
    model.model(**batch)
    hook.remove()
    return seen[0] - model.get_input_embeddings().weight[batch["input_ids"]].detach()


def test_the_noise_of_a_padded_row_has_the_reach_of_its_own_length(llama):
    neftune.Noise(llama, 8.0)
    ids = torch.ones(2, 16, dtype=torch.long)
    mask = torch.ones_like(ids)
    mask[1, 4:] = 0
    noise = noise_of(llama.train(), input_ids=ids, attention_mask=mask).abs()
    # alpha / sqrt(L d): 8 / sqrt(16 * 256) = 0.125 and 8 / sqrt(4 * 256) = 0.25; the largest of many draws
    # comes close to it.
    assert 0.120 < noise[0].max() <= 0.1251
    assert 0.240 < noise[1].max() <= 0.2501


def test_no_noise_when_the_model_is_only_asked(llama):
    neftune.Noise(llama, 8.0)
    assert noise_of(llama.eval(), input_ids=torch.ones(1, 4, dtype=torch.long)).abs().max() == 0


def test_rows_end_to_end_have_each_their_own_length():
    batch = {"input_ids": torch.zeros(1, 5, dtype=torch.long), "row_lengths": [2, 3]}
    assert neftune.row_lengths(batch).tolist() == [[2.0, 2.0, 3.0, 3.0, 3.0]]


def test_what_only_a_gpu_can_is_one_sentence_elsewhere():
    with pytest.raises(ValueError, match="precision: fp16 needs a GPU, .*; choose auto, bf16 or fp32"):
        precision.pick("fp16", CPU)
    with pytest.raises(ValueError, match="method: QLoRA needs an NVIDIA GPU; .* or choose LoRA"):
        fourbit.require_ready(CPU)
    assert [precision.pick(asked, CPU) for asked in ("bf16", "fp32")] == [torch.bfloat16, torch.float32]


def spec(**settings) -> TrainSpec:
    return TrainSpec(base_model_id=1, dataset_version_id=1, adapter_name="a", **settings)


def test_tensorboard_gets_event_files_and_those_of_a_run_begun_anew_are_gone(tmp_path):
    asked = spec(track="tensorboard")
    for loss in (2.0, 1.0):
        tracker = tracking.open_tracker(asked, tmp_path, begins=True)
        tracker.add(1, {"loss": loss})
        tracker.close()
    (events,) = (tmp_path / "tensorboard").iterdir()
    assert b"loss" in events.read_bytes()


def test_nothing_is_tracked_unless_asked(tmp_path):
    assert tracking.open_tracker(spec(), tmp_path, begins=True) is None
    assert list(tmp_path.iterdir()) == []


def test_trackio_writes_into_the_folder_of_the_run_or_is_asked_for_in_a_sentence(tmp_path):
    asked = spec(track="trackio")
    if find_spec("trackio") is None:
        with pytest.raises(ValueError, match="track: trackio is not installed; pip install trackio"):
            tracking.require_ready(asked)
        return
    tracker = tracking.open_tracker(asked, tmp_path, begins=True)
    tracker.add(1, {"loss": 1.0})
    tracker.close()
    assert list((tmp_path / "trackio").glob("*.db"))
