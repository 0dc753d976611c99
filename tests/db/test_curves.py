"""Curves as they are read for drawing: thinned by the database, spikes kept, resumed runs mended."""

import random

import pytest
from sqlalchemy import insert

from db import curves, jobs, session
from db.enums import JobKind
from db.tables import Metric
from db.train_spec import TrainSpec


@pytest.fixture
def job_id(people, project_id) -> int:
    spec = TrainSpec(base_model_id=1, dataset_version_id=1, adapter_name="run")
    with session.write() as s:
        job = jobs.enqueue(s, people.trainer, project_id, JobKind.TRAIN, spec, name="run")
        s.flush()
        return job.id


def write(job_id: int, name: str, points, attempt: int = 1) -> None:
    rows = [{"job_id": job_id, "attempt": attempt, "step": x, "name": name, "value": y} for x, y in points]
    with session.write() as s:
        s.execute(insert(Metric), rows)


def read(job_id: int, **given) -> curves.Curves:
    with session.read() as s:
        return curves.read_curves(s, job_id, **given)


def test_a_short_curve_comes_as_it_was_written(job_id):
    write(job_id, "loss", [(1, 3.0), (2, 2.5)])
    write(job_id, "learning_rate", [(1, 0.1)])
    found = read(job_id)
    assert found.points == {"loss": ((1, 3.0), (2, 2.5)), "learning_rate": ((1, 0.1),)}
    assert read(job_id, names=("loss",)).points.keys() == {"loss"}
    assert found.newest == 3


def test_a_run_without_points_has_no_curves(job_id):
    assert read(job_id) == curves.Curves({}, 0)


def test_what_a_resumed_run_does_again_replaces_what_it_had_done(job_id):
    write(job_id, "loss", [(step, 1.0) for step in range(1, 8)], attempt=1)
    write(job_id, "loss", [(step, 2.0) for step in range(5, 7)], attempt=2)
    write(job_id, "loss", [(step, 3.0) for step in range(6, 9)], attempt=3)
    values = [value for _, value in read(job_id).points["loss"]]
    assert values == [1.0] * 4 + [2.0] + [3.0] * 3
    thin = read(job_id, stretches=2).points["loss"]
    assert thin[0] == (1, 1.0)
    assert thin[-1] == (8, 3.0)


def test_a_long_curve_is_thinned_and_keeps_its_spikes_and_its_end(job_id):
    dice = random.Random(7)
    points = [(step, dice.random()) for step in range(1, 20_001)]
    points[12_345] = (12_346, 99.0)
    points[777] = (778, -99.0)
    write(job_id, "loss", points)
    thin = read(job_id).points["loss"]
    assert len(thin) <= 2 * curves.STRETCHES + 1
    assert max(value for _, value in thin) == 99.0
    assert min(value for _, value in thin) == -99.0
    assert thin[-1] == points[-1]
    assert [step for step, _ in thin] == sorted(step for step, _ in thin)
    spike = next(step for step, value in thin if value == 99.0)
    assert abs(spike - 12_346) <= 20_000 / curves.STRETCHES + 1
