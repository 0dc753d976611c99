"""Batches without padding give the loss and the gradients of padded ones, or are not used."""

import pytest
import torch

from db.train_spec import TrainSpec
from trainer.data.collate import Flattened, Padded, flatten, pad
from trainer.data.encode import Example
from trainer.loop import count_tokens
from trainer.models import attention, load, lora

EXAMPLES = [
    Example([5, 9, 12, 30, 7, 8, 44, 1], 5),
    Example([5, 100, 7, 1], 2),
    Example([5, 61, 62, 63, 64, 65, 66, 67, 68, 69, 70, 71, 1], 1),
]
SPEC = TrainSpec(base_model_id=1, dataset_version_id=1, adapter_name="x", dropout=0.0)


@pytest.fixture
def model(tiny_llama):
    torch.manual_seed(0)
    base = load.load_base(str(tiny_llama), dtype=torch.float32, device="cpu")
    base.config.use_cache = False
    attention.switch_to_rows(base, EXAMPLES, pad_id=2)
    tuned = lora.attach(base, SPEC)
    for name, weight in tuned.named_parameters():
        if "lora_B" in name:  # zero at the start, where no gradient reaches A
            torch.nn.init.normal_(weight, std=0.05)
    return tuned


def loss_and_gradients(model, batch):
    model.zero_grad()
    loss = model(**batch).loss
    loss.backward()
    return loss.item(), [weight.grad.clone() for weight in model.parameters() if weight.requires_grad]


def test_flattened_rows_give_the_loss_and_gradients_of_padded_ones(model):
    flat, flat_gradients = loss_and_gradients(model, flatten(EXAMPLES))
    model.get_base_model().set_attn_implementation("sdpa")
    padded, padded_gradients = loss_and_gradients(model, pad(EXAMPLES, pad_id=2))
    assert flat == pytest.approx(padded, abs=1e-5)
    for one, other in zip(flat_gradients, padded_gradients, strict=True):
        torch.testing.assert_close(one, other, atol=1e-5, rtol=1e-4)


def test_a_flattened_batch_keeps_exactly_the_positions_before_each_answer_token():
    batch = flatten(EXAMPLES)
    assert batch["input_ids"].shape == (1, 25)
    assert batch["position_ids"][0, 8:12].tolist() == [0, 1, 2, 3]
    assert batch["logits_to_keep"][:5].tolist() == [4, 5, 6, 9, 10]
    assert batch["labels"][0, :5].tolist() == [8, 44, 1, 7, 1]


def test_padded_labels_are_ignored_outside_the_answers():
    batch = pad(EXAMPLES, pad_id=2)
    assert batch["labels"][1].tolist() == [-100, -100, 7, 1] + [-100] * 9
    assert batch["attention_mask"].sum(1).tolist() == [8, 4, 13]


def test_a_llama_attends_by_row(model):
    assert model.config._attn_implementation == attention.BY_ROW


def test_a_model_that_carries_state_from_row_to_row_is_given_padded_ones():
    from transformers import MambaConfig, MambaForCausalLM

    torch.manual_seed(0)
    mamba = MambaForCausalLM(MambaConfig(vocab_size=128, hidden_size=32, num_hidden_layers=1, state_size=4))
    assert not attention.switch_to_rows(mamba, EXAMPLES, pad_id=2)


def test_rows_beyond_a_sliding_window_are_padded_so_that_the_window_holds(model):
    base = model.get_base_model()
    base.set_attn_implementation("sdpa")
    base.config.sliding_window = 12
    assert not attention.switch_to_rows(base, EXAMPLES, pad_id=2)
    base.config.sliding_window = 13
    assert attention.switch_to_rows(base, EXAMPLES, pad_id=2)


def test_a_model_that_cannot_attend_by_row_is_left_as_it_was(model, monkeypatch):
    base = model.get_base_model()
    base.set_attn_implementation("sdpa")
    monkeypatch.setattr(attention, "takes_rows", lambda *_: False)
    assert not attention.switch_to_rows(base, EXAMPLES, pad_id=2)
    assert base.config._attn_implementation == "sdpa"


def test_the_tokens_of_a_batch_are_counted_without_its_padding():
    assert [count_tokens(collator(pad_id=2)(EXAMPLES)) for collator in (Padded, Flattened)] == [25, 25]


def test_a_model_that_attends_by_row_takes_padded_batches_for_a_while(model):
    base = model.get_base_model()
    base.set_attn_implementation("sdpa")
    assert attention.switch_to_rows(base, EXAMPLES, pad_id=2)
    with attention.padded(base):
        assert base.config._attn_implementation == "sdpa"
        assert base(**pad(EXAMPLES, 2)).logits.shape[:2] == (len(EXAMPLES), 13)
    assert base.config._attn_implementation == attention.BY_ROW
