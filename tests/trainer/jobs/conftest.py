"""A tiny base that never ends an answer by itself, two adapters on it, and batches of prompts for them."""

from dataclasses import dataclass

import pytest

from db import batches, session
from db.batch_prompts import BatchPrompt
from db.compare_spec import CompareSpec, SideSpec
from db.tables import Adapter, Project
from tests.trainer.conftest import COLOURS, FRUITS
from tests.trainer.serve.conftest import LONG, add_adapter, add_base, make_adapter, make_base


@pytest.fixture(scope="session")
def weights(tmp_path_factory, tiny_llama):
    """Folders of the base and of the two adapters."""
    room = tmp_path_factory.mktemp("batch")
    base = make_base(room / "base", tiny_llama, LONG)
    return base, [make_adapter(base, room / f"adapter-{seed}", seed=seed) for seed in (1, 2)]


@dataclass(frozen=True)
class Trial:
    """A project with a base and two adapters on it."""

    project_id: int
    base: SideSpec
    first: SideSpec
    second: SideSpec


@pytest.fixture
def trial(studio, weights) -> Trial:
    base, adapters = weights
    base_id = add_base("endless", base)
    ids = [add_adapter(f"adapter {folder.name}", folder, base_id) for folder in adapters]
    with session.write() as s:
        project_id = s.get_one(Adapter, ids[0]).project_id
        assert s.get_one(Project, project_id)
    return Trial(project_id, SideSpec(base_model_id=base_id), *(SideSpec(adapter_id=id) for id in ids))


def fruits(count: int) -> list[BatchPrompt]:
    """Prompts in two slices, no two alike."""
    rows = [(colour, fruit) for fruit in FRUITS for colour in COLOURS][:count]
    return [
        BatchPrompt(
            f"Which colour is the {fruit}?",
            f"The {fruit} is {colour}.",
            key=str(number),
            slice="odd" if number % 2 else "even",
            expected=(colour,),
        )
        for number, (colour, fruit) in enumerate(rows, start=1)
    ]


@pytest.fixture
def start(studio, trial):
    """start(sides, rows, **settings of the spec) -> number of a queued batch."""

    def put(*sides: SideSpec, rows=4, prompts=None, **given) -> int:
        spec = CompareSpec(sides, **{"max_tokens": 8, **given})
        with session.write() as s:
            return batches.start(
                s, studio[0], trial.project_id, spec, prompts or fruits(rows), name="fruits"
            ).id

    return put


def answers_of(job_id: int) -> dict[tuple[str, int], tuple[int, str]]:
    """(key, column) -> (id of the answer, its text)."""
    with session.read() as s:
        return {
            (row.key, answer.position): (answer.id, answer.text)
            for row in batches.list_rows(s, job_id)
            for answer in row.answers
        }
