"""A tiny real Llama with a tiny real tokenizer, a real database file, and a frozen version to tune it on."""

import random
from pathlib import Path

import pytest

from db import datasets, jobs, migrate, registry, session, users
from db.content import Content
from db.enums import Category, Role, Split
from db.settings import Settings
from db.specs import TrainLoraSpec
from db.tables import Project, UserRole

CHAT_TEMPLATE = (
    "{{ bos_token }}{% for message in messages %}"
    "{{ '<|' + message['role'] + '|>\n' + message['content'] + eos_token + '\n' }}"
    "{% endfor %}{% if add_generation_prompt %}{{ '<|assistant|>\n' }}{% endif %}"
)
COLOURS = ("red", "green", "blue", "white", "black", "amber")
FRUITS = ("apple", "pear", "plum", "grape", "melon", "cherry")


def sentences(count, seed=0):
    """(instruction, input, output) triples a two-layer model can learn: a colour and a fruit, copied."""
    draw = random.Random(seed)
    for _ in range(count):
        colour, fruit = draw.choice(COLOURS), draw.choice(FRUITS)
        yield f"Which colour is the {fruit}?", f"The {fruit} is {colour}.", f"It is {colour}."


def make_tiny_llama(folder: Path) -> Path:
    """Write a random two-layer Llama (vocabulary about 350) and its byte-level BPE tokenizer to `folder`."""
    import torch
    from tokenizers import Tokenizer, decoders, models, pre_tokenizers, trainers
    from transformers import LlamaConfig, LlamaForCausalLM, PreTrainedTokenizerFast

    core = Tokenizer(models.BPE())
    core.pre_tokenizer = pre_tokenizers.ByteLevel(add_prefix_space=False)
    core.decoder = decoders.ByteLevel()
    special = ["<|begin|>", "<|end|>", "<|pad|>", "<|user|>", "<|assistant|>"]
    alphabet = pre_tokenizers.ByteLevel.alphabet()
    trainer = trainers.BpeTrainer(vocab_size=350, special_tokens=special, initial_alphabet=alphabet)
    core.train_from_iterator((" ".join(row) for row in sentences(200)), trainer)
    tokenizer = PreTrainedTokenizerFast(
        tokenizer_object=core, bos_token="<|begin|>", eos_token="<|end|>", pad_token="<|pad|>"
    )
    tokenizer.chat_template = CHAT_TEMPLATE
    tokenizer.save_pretrained(folder)
    torch.manual_seed(0)
    config = LlamaConfig(
        vocab_size=len(tokenizer),
        hidden_size=64,
        intermediate_size=128,
        num_hidden_layers=2,
        num_attention_heads=4,
        num_key_value_heads=2,
        max_position_embeddings=256,
        bos_token_id=tokenizer.bos_token_id,
        eos_token_id=tokenizer.eos_token_id,
        pad_token_id=tokenizer.pad_token_id,
    )
    LlamaForCausalLM(config).save_pretrained(folder)
    return folder


@pytest.fixture(scope="session")
def tiny_llama(tmp_path_factory) -> Path:
    return make_tiny_llama(tmp_path_factory.mktemp("tiny-llama"))


@pytest.fixture
def settings(tmp_path) -> Settings:
    """A data folder of its own with a migrated database, this process connected to it."""
    settings = Settings(data_dir=tmp_path / "data")
    settings.make_folders()
    engine = session.connect(settings.url)
    migrate.upgrade(engine)
    yield settings
    engine.dispose()


@pytest.fixture
def studio(settings):
    """The studio's account and a project: (actor, project id)."""
    with session.write() as s:
        actor = users.studio_account(s)
        project = Project(name="Trial")
        s.add(project)
        s.flush()
        return actor, project.id
