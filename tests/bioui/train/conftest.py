"""A base, a version, the form filled, and a run that a worker has taken."""

import pytest

from bioui.components import train_start
from bioui.components.train_form import DEFAULTS, FIELDS
from db import datasets, jobs, processes
from db.content import Content
from db.datasets import FrozenRow
from db.enums import ProcessRole, Split
from db.session import write
from db.tables import BaseModel
from tests.bioui.conftest import request_of


@pytest.fixture(autouse=True)
def environment(settings, monkeypatch):
    """The settings that the pages read."""
    for name, value in settings.environment().items():
        monkeypatch.setenv(name, value)


@pytest.fixture
def base_id(people) -> int:
    with write() as session:
        base = BaseModel(name="tiny", location="/models/tiny")
        session.add(base)
        session.flush()
        return base.id


@pytest.fixture
def version_id(people, project_id) -> int:
    with write() as session:
        dataset = datasets.create_dataset(session, people.trainer, project_id, name="Ward")
        rows = [FrozenRow(Split.TRAIN, Content("Ask", output="Say"))]
        return datasets.freeze_rows(session, people.trainer, dataset, rows, recipe={}).id


@pytest.fixture
def form(base_id, version_id):
    """The form's values with some changed: form(rank=4)."""

    def values(**changed):
        given = {
            "base_model_id": base_id,
            "dataset_version_id": version_id,
            "adapter_name": "Ward v1",
            **changed,
        }
        return tuple({**DEFAULTS, "sample_prompts": "", **given}[name] for name in FIELDS)

    return values


@pytest.fixture
def start(people, project_id, form):
    """Press Start as the trainer; returns the id of the run that is shown."""

    def press(key="key", **changed) -> int:
        return train_start.start(project_id, key, request_of(people.trainer), *form(**changed))[9].job_id

    return press


@pytest.fixture
def running(start):
    """A run that a worker has taken: (its id, its attempt)."""
    job_id = start()
    with write() as session:
        worker = processes.register(session, ProcessRole.WORKER)
        return job_id, jobs.claim_next(session, worker.id).attempt
