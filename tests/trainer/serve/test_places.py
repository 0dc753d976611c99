"""Where the model server computes, and which bases it takes there."""

import os

import pytest

from db import jobs, processes, session
from db.enums import JobKind, ProcessRole
from db.tables import Job
from trainer import machine
from trainer.machine import Gpu
from trainer.serve import places
from trainer.serve.catalog import Base
from trainer.serve.places import Place

GPUS = [Gpu("0", "NVIDIA H100"), Gpu("1", "NVIDIA H100")]
TRAINING = Job(kind=JobKind.TRAIN, name="ward notes")


@pytest.mark.parametrize(
    ("asked", "gpus", "busy", "place"),
    [
        ("auto", [], {}, Place()),
        ("cpu", GPUS, {}, Place()),
        ("auto", GPUS, {}, Place(gpu="1")),
        ("cuda", GPUS, {"1": TRAINING}, Place(gpu="0")),
        ("auto", GPUS, {"0": TRAINING, "1": TRAINING}, Place(reason="Training 'ward notes' has the GPU.")),
        ("cpu", GPUS, {"0": TRAINING, "1": TRAINING}, Place()),
    ],
)
def test_a_free_gpu_is_taken_and_the_cpu_else(asked, gpus, busy, place):
    assert places.choose(asked, gpus, busy) == place


def test_a_gpu_that_was_asked_for_and_is_not_to_be_had_is_one_sentence():
    with pytest.raises(ValueError, match="device: this machine has no NVIDIA GPU; leave it out"):
        places.choose("cuda", [], {})
    with pytest.raises(ValueError, match="device: Training 'ward notes' has the GPU. Try again when"):
        places.choose("cuda", GPUS[:1], {"0": TRAINING})


@pytest.mark.parametrize(("place", "seen"), [(Place(gpu="1"), "1"), (Place(), "")])
def test_torch_sees_that_place_alone(monkeypatch, place, seen):
    monkeypatch.setenv(machine.VISIBLE, "0,1")
    places.settle(place)
    assert os.environ[machine.VISIBLE] == seen


def test_beside_a_job_on_the_gpu_the_cpu_takes_small_bases_only(tiny_llama):
    beside = Place(reason="Training 'ward notes' has the GPU.")
    small, unknown = Base("tiny", str(tiny_llama), ""), Base("far", "nobody/knows", "")
    large = Base("large", str(tiny_llama), "", parameters=7_000_000_000)
    beside.require_fits(small)
    for base in (large, unknown):
        Place().require_fits(base)
        with pytest.raises(ValueError, match="base model: Training 'ward notes' has the GPU. Meanwhile"):
            beside.require_fits(base)


def test_the_gpus_of_this_machines_running_jobs_are_known_by_key(queue):
    first, _waiting = queue(), queue()
    with session.write() as s:
        worker = processes.register(s, ProcessRole.WORKER)
        jobs.claim_next(s, worker.id, job_id=first, device="0,2")
    with session.read() as s:
        assert {key: job.id for key, job in places.taken(s).items()} == {"0": first, "2": first}
