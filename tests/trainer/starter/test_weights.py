"""The shipped base and adapter: small, quick to load, and speaking the chat template."""

import time

import pytest
import torch
from peft import PeftModel
from transformers import AutoModelForCausalLM, AutoTokenizer

from trainer.starter.build import WEIGHTS
from trainer.starter.measure import HERE, TEST, answers, read_rows, table
from trainer.starter.score import entity_f1

CHAT = [
    {"role": "system", "content": "Be brief."},
    {"role": "user", "content": "Name the drug.\n\nHe takes aspirin."},
    {"role": "assistant", "content": "aspirin"},
]


@pytest.fixture(scope="module")
def tokenizer():
    return AutoTokenizer.from_pretrained(WEIGHTS)


@pytest.fixture(scope="module")
def base():
    return AutoModelForCausalLM.from_pretrained(WEIGHTS, dtype=torch.float32).eval()


def size(folder) -> int:
    return sum(path.stat().st_size for path in folder.iterdir())


def test_the_base_is_small_and_loads_quickly():
    AutoModelForCausalLM.from_pretrained(WEIGHTS)  # imports aside
    started = time.monotonic()
    model = AutoModelForCausalLM.from_pretrained(WEIGHTS)
    assert time.monotonic() - started < 2
    assert size(WEIGHTS) < 25_000_000
    assert 3_000_000 <= sum(p.numel() for p in model.parameters()) <= 12_000_000


def test_a_chat_goes_through_the_template_and_back(tokenizer):
    text = tokenizer.apply_chat_template(CHAT, tokenize=False)
    assert text.startswith("<|bos|><|system|> Be brief.<|end|><|user|> Name")
    assert text.endswith("<|assistant|> aspirin<|end|>")
    ids = tokenizer(text, add_special_tokens=False).input_ids
    assert tokenizer.decode(ids) == text
    assert ids[0] == tokenizer.bos_token_id
    assert ids[-1] == tokenizer.eos_token_id


def test_the_prompt_is_a_prefix_of_the_whole_chat(tokenizer):
    prompt = tokenizer.apply_chat_template(CHAT[:2], add_generation_prompt=True, tokenize=False)
    whole = tokenizer.apply_chat_template(CHAT, tokenize=False)
    ids = tokenizer(prompt, add_special_tokens=False).input_ids
    assert tokenizer(whole, add_special_tokens=False).input_ids[: len(ids)] == ids


def test_the_adapter_is_small_and_finds_entities_that_the_base_does_not(base, tokenizer):
    rows = [row for row in read_rows(TEST) if row["task"] == "named_entity_recognition"][:6]
    right = [row["output"] for row in rows]
    before = entity_f1(answers(base, tokenizer, rows, most=60), right)
    tuned = PeftModel.from_pretrained(base, HERE / "adapter").eval()
    after = entity_f1(answers(tuned, tokenizer, rows, most=60), right)
    assert size(HERE / "adapter") < 2_000_000
    assert after.value > before.value + 0.3


def test_the_table_has_a_line_for_every_group():
    rows = read_rows(TEST)
    lines = table(rows, {"perfect": [row["output"] for row in rows]})
    assert {line["category"] for line in lines} == {"QA", "IE", "GEN"}
    assert all(line["perfect"].value == 1 for line in lines)
    whole = next(line for line in lines if line["category"] == "QA" and line["task"] == "all")
    assert 0.2 < whole["chance"] < 0.4
