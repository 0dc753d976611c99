"""A base with several adapters around it, and the self-test that each adapter must pass."""

from dataclasses import replace

import pytest
import torch
from peft import PeftModel
from transformers import AutoModelForCausalLM

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
    held.use(adapters[1], adapters[0])
    assert [held.holds(adapter) for adapter in adapters] == [True, True, False]
    assert torch.equal(logits_of(held, row_name(adapters[0])), seen[0])
    assert torch.equal(logits_of(held, row_name(adapters[1])), seen[1])
    assert torch.equal(logits_of(held, rows.BASE_ROW), untouched)
    assert not torch.equal(seen[0], seen[1])


def test_more_adapters_than_are_kept_stay_while_one_request_wants_them_all(held, adapters):
    held.use(*adapters)
    assert [held.holds(adapter) for adapter in adapters] == [True, True, True]
    held.use(adapters[0])
    assert [held.holds(adapter) for adapter in adapters] == [True, False, True]


def test_an_adapter_and_its_checkpoints_are_dropped_and_the_base_is_plain_again(held, adapters):
    untouched = logits_of(held, rows.BASE_ROW)
    step = replace(adapters[1], id=0, step=8)
    held.use(adapters[0], step)
    assert held.drop(0) is True
    assert not held.holds(adapters[0])
    assert not held.holds(step)
    assert rows.lora_layers(held.model) == []
    assert held.drop(0) is False
    held.use(adapters[1])
    assert torch.equal(logits_of(held, rows.BASE_ROW), untouched)


def test_dora_passes_the_self_test_and_says_in_turn_what_peft_says(held, adapters, tiny_llama, tmp_path):
    folder = make_adapter(tiny_llama, tmp_path / "dora", seed=9, use_dora=True)
    dora = Tuned(9, "dora", str(folder), "", "", "")
    held.use(adapters[0], dora)
    with rows.in_turn(held.model) as switch:
        switch(row_name(dora))
        said, _ = next_logits(held.model, torch.tensor([PROBE]), None)
    own = PeftModel.from_pretrained(AutoModelForCausalLM.from_pretrained(tiny_llama), folder).eval()
    expected, _ = next_logits(own, torch.tensor([PROBE]), None)
    assert torch.allclose(said, expected, atol=1e-5)
    idle = make_adapter(tiny_llama, tmp_path / "idle", seed=9, size=0, use_dora=True)
    with pytest.raises(ValueError, match="changes nothing"):
        held.use(Tuned(10, "idle", str(idle), "", "", ""))


@pytest.mark.parametrize("mixes", [True, False])
def test_a_base_column_that_moved_is_noticed(held, adapters, mixes):
    plain = selftest.plain_logits(held.model, PROBE)
    held.use(adapters[0])
    name = row_name(adapters[0])
    selftest.check(held.model, name, PROBE, plain, mixes=mixes, label="number 0")
    with torch.no_grad():
        held.model.lm_head.weight.mul_(1.5)
    with pytest.raises(ValueError, match="base's own answers"):
        selftest.check(held.model, name, PROBE, plain, mixes=mixes, label="number 0")


@pytest.mark.parametrize("mixes", [True, False])
def test_weights_that_are_no_numbers_are_noticed(held, adapters, mixes):
    plain = selftest.plain_logits(held.model, PROBE)
    held.use(adapters[0])
    name = row_name(adapters[0])
    for layer in rows.lora_layers(held.model):
        layer.lora_B[name].weight.data.fill_(float("nan"))
    with pytest.raises(ValueError, match="no numbers"):
        selftest.check(held.model, name, PROBE, plain, mixes=mixes, label="number 0")


def test_an_answer_ends_at_what_the_template_puts_behind_it(held):
    assert end_ids(held.model, held.tokenizer) == {held.tokenizer.eos_token_id}
    turn_end = "<|pad|>"  # a special token that is neither the model's nor the tokenizer's end
    held.tokenizer.chat_template = PLAIN_TEMPLATE.replace("eos_token", repr(turn_end))
    assert held.tokenizer.convert_tokens_to_ids(turn_end) in end_ids(held.model, held.tokenizer)
    assert prompts.encode(held.tokenizer, prompts.to_prompt("a"), for_answer=True)
