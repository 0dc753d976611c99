"""A base with several adapters around it, and the self-test that each adapter must pass."""

from contextlib import nullcontext

import pytest
import torch

from tests.trainer.serve.conftest import make_adapter
from trainer import prompts
from trainer.models.load import PLAIN_TEMPLATE
from trainer.serve import rows, selftest
from trainer.serve.catalog import Base, Tuned
from trainer.serve.decode import next_logits
from trainer.serve.holding import Held, end_ids, row_name

PROBE = [0, 3, 40, 41, 42, 1, 4]


@pytest.fixture(scope="module")
def adapters(tiny_llama, tmp_path_factory):
    room = tmp_path_factory.mktemp("adapters")
    return [
        Tuned(seed, f"number {seed}", str(make_adapter(tiny_llama, room / str(seed), seed=seed)), "", "", "")
        for seed in range(3)
    ]


@pytest.fixture
def held(tiny_llama):
    threads = torch.get_num_threads()
    yield Held(Base("tiny", str(tiny_llama), ""), keep=2)
    torch.set_num_threads(threads)


def logits_of(held, name):
    with rows.assigned(held.model, [name]):
        return next_logits(held.model, torch.tensor([PROBE]), None)[0][0]


def test_only_the_last_used_adapters_are_kept_and_a_dropped_one_comes_back_the_same(held, adapters):
    untouched = logits_of(held, rows.BASE_ROW)
    seen = []
    for adapter in adapters:
        held.use(adapter)
        seen.append(logits_of(held, row_name(adapter)))
    assert [held.holds(adapter) for adapter in adapters] == [False, True, True]
    held.use(adapters[1])
    held.use(adapters[0])
    assert [held.holds(adapter) for adapter in adapters] == [True, True, False]
    assert torch.equal(logits_of(held, row_name(adapters[0])), seen[0])
    assert torch.equal(logits_of(held, row_name(adapters[1])), seen[1])
    assert torch.equal(logits_of(held, rows.BASE_ROW), untouched)
    assert not torch.equal(seen[0], seen[1])


def test_a_base_pane_that_shows_the_tuned_model_is_noticed(held, adapters):
    held.use(adapters[0])

    class Leaky:
        """Its adapters cannot be switched off."""

        def disable_adapter(self):
            return nullcontext()

    with pytest.raises(ValueError, match="base's own answers"):
        selftest.check(held.model, Leaky(), row_name(adapters[0]), PROBE, label="number 0")


def test_weights_that_are_no_numbers_are_noticed(held, adapters):
    held.use(adapters[0])
    for layer in rows.lora_layers(held.model):
        layer.lora_B[row_name(adapters[0])].weight.data.fill_(float("nan"))
    with pytest.raises(ValueError, match="no numbers"):
        selftest.check(held.model, held.peft_model, row_name(adapters[0]), PROBE, label="number 0")


def test_an_answer_ends_at_what_the_template_puts_behind_it(held):
    assert end_ids(held.model, held.tokenizer) == {held.tokenizer.eos_token_id}
    turn_end = "<|pad|>"  # a special token that is neither the model's nor the tokenizer's end
    held.tokenizer.chat_template = PLAIN_TEMPLATE.replace("eos_token", repr(turn_end))
    assert held.tokenizer.convert_tokens_to_ids(turn_end) in end_ids(held.model, held.tokenizer)
    assert prompts.encode(held.tokenizer, prompts.to_prompt("a"), for_answer=True)
