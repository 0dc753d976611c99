"""A tiny real Llama with a tiny real tokenizer, a real database file, and a frozen version to tune it on."""

import os
import random
import shutil
from pathlib import Path

import pytest

from db import datasets, jobs, processes, registry, session, users
from db.content import Content
from db.enums import Category, JobKind, JobStatus, ProcessRole, Split
from db.settings import Settings
from db.tables import Project
from db.train_spec import TrainSpec
from trainer.context import JobContext

# Threads only get in each other's way in a model this small. Children inherit it.
os.environ.setdefault("OMP_NUM_THREADS", "1")

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
        initializer_range=0.2,  # at the usual 0.02 a frozen random head cannot become sure of anything
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
def settings(tmp_path, empty_file) -> Settings:
    """A data folder of its own with a migrated database, this process connected to it."""
    settings = Settings(data_dir=tmp_path / "data")
    settings.make_folders()
    shutil.copy(empty_file, settings.data_dir / "studio.db")
    engine = session.connect(settings.url)
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


@pytest.fixture
def base(studio, tiny_llama) -> int:
    """The tiny Llama as a base model of the studio."""
    with session.write() as s:
        row = registry.add_base_model(s, studio[0], name="tiny", location=str(tiny_llama))
        s.flush()
        return row.id


def freeze(actor, project_id, triples, *, validation=0, name="colours") -> int:
    """A frozen version of (instruction, input, output) triples; the last `validation` of them validate."""
    rows = [
        datasets.FrozenRow(
            Split.TRAIN if position < len(triples) - validation else Split.VALIDATION,
            Content(instruction=instruction, input=input, output=output, category=Category.QA, task="qa"),
        )
        for position, (instruction, input, output) in enumerate(triples)
    ]
    with session.write() as s:
        dataset = datasets.create_dataset(s, actor, project_id, name=name)
        version = datasets.freeze_rows(s, actor, dataset, rows, recipe={})
        s.flush()
        return version.id


@pytest.fixture
def version(studio) -> int:
    """72 rows: 64 to train on, 8 to validate."""
    return freeze(*studio, list(sentences(72)), validation=8)


@pytest.fixture
def queue(studio, base, version):
    """queue(kind, **settings) -> number of a queued job with settings that suit the tiny Llama."""

    def put(kind=JobKind.TRAIN, **settings) -> int:
        given = {
            "base_model_id": base,
            "dataset_version_id": version,
            "adapter_name": "colour copier",
            "learning_rate": 1e-2,
            "epochs": 3,
            "max_length": 128,
        }
        spec = TrainSpec(**{**given, **settings})
        with session.write() as s:
            job = jobs.enqueue(s, studio[0], studio[1], kind, spec, name="trial")
            s.flush()
            return job.id

    return put


@pytest.fixture
def claimed(settings, queue):
    """claimed(**as for queue) -> the context of a job claimed by this very process: runs without a child."""
    made = []

    def take(*args, **kwargs) -> JobContext:
        job_id = queue(*args, **kwargs)
        with session.write() as s:
            process = processes.register(s, ProcessRole.WORKER)
            job = jobs.claim_next(s, process.id)
        assert job.id == job_id
        made.append(JobContext(settings, job_id, job.attempt))
        return made[-1]

    yield take
    for context in made:
        context.fall_silent()


def job_of(job_id):
    with session.read() as s:
        return jobs.get_job(s, job_id)


def metrics_of(job_id, name):
    """[(step, value), ...] of one metric."""
    with session.read() as s:
        return [(m.step, m.value) for m in jobs.list_metrics(s, job_id) if m.name == name]


def claim(job_id) -> int:
    """Take the next job, which is to be this one, in this process; returns the number of the attempt."""
    with session.write() as s:
        job = jobs.claim_next(s, processes.register(s, ProcessRole.WORKER).id)
        assert job.id == job_id
        return job.attempt


def go_on(studio, job_id) -> int:
    """Take a job again that stopped or whose process died; returns the number of the attempt."""
    with session.write() as s:
        job = jobs.get_job(s, job_id)
        if job.status is JobStatus.RUNNING:  # what a worker does for a child that died
            jobs.close(s, job_id, job.attempt, JobStatus.INTERRUPTED, error="")
        jobs.requeue(s, studio[0], job_id)
    return claim(job_id)
