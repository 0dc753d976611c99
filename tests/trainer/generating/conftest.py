"""A project with approved seeds, a scripted endpoint, and generation jobs run in this very process."""

import contextlib
from dataclasses import replace

import pytest

from db import endpoints, generation_runs, instructions, jobs, processes, session
from db.content import Content
from db.endpoints import Offer
from db.enums import Category, Origin, ProcessRole, Role
from db.generate_spec import GenerateSpec
from db.lifecycle import Move, move
from trainer.context import JobContext
from trainer.run import carry_out

SEEDS = (
    (
        "Name the cranial nerve that moves the lateral rectus muscle.",
        "It is the abducens nerve.",
        Category.QA,
    ),
    ("List the drugs that this note mentions.", "Metformin and lisinopril.", Category.IE),
    (
        "Write a lay summary of what atrial fibrillation is.",
        "The upper chambers beat unevenly.",
        Category.GEN,
    ),
    ("Does the second sentence follow from the first?", "Yes.", Category.OTHER),
    ("Which electrolyte is low in refeeding syndrome?", "Phosphate.", Category.QA),
)


@pytest.fixture
def seeds(studio) -> list[int]:
    """Five approved seeds; their ids."""
    actor, project_id = studio
    with session.write() as s:
        made = []
        for instruction, output, category in SEEDS:
            content = Content(instruction, "", output, category, task="trial")
            row = instructions.create_instruction(s, actor, project_id, content, origin=Origin.SEED)
            move(row, Move.SHIP)
            made.append(row)
        s.flush()
        return [row.id for row in made]


@pytest.fixture
def generate(settings, studio, seeds):
    """generate(endpoint, **settings of the spec) -> id of a queued run; `offer` holds settings of the row."""

    def queue(scripted, *, offer=None, **given) -> int:
        actor, project_id = studio
        with session.write() as s:
            name = f"scripted {len(endpoints.list_endpoints(s))}"
            entered = Offer(**{"name": name, "base_url": scripted.url, "model": "m", **(offer or {})})
            admin = replace(actor, roles=actor.roles | {Role.ADMIN})  # the server is on this very machine
            endpoint = endpoints.add(s, admin, entered, private=True)
            spec = GenerateSpec(
                endpoint_id=endpoint.id,
                **{"target": 40, "per_call": scripted.per_call, "max_tokens": 2000, "timeout": 5.0, **given},
            )
            return generation_runs.start(s, actor, project_id, spec, name="trial").id

    return queue


@pytest.fixture
def claim(settings):
    """claim(job id) -> the context of its next attempt, owned by this process."""
    made = []

    def take(job_id: int) -> JobContext:
        with session.write() as s:
            process = processes.register(s, ProcessRole.WORKER)
            job = jobs.claim_next(s, process.id)
            assert job.id == job_id
            attempt = job.attempt
        made.append(JobContext(settings, job_id, attempt))
        return made[-1]

    yield take
    for context in made:
        with contextlib.suppress(RuntimeError):
            context.fall_silent()


@pytest.fixture
def run(claim):
    """run(job id) -> the job, once an attempt at it has ended in this process."""

    def carry(job_id: int):
        carry_out(claim(job_id))
        return job_now(job_id)

    return carry


def job_now(job_id: int):
    with session.read() as s:
        return jobs.get_job(s, job_id)


def totals_of(job_id: int):
    with session.read() as s:
        return generation_runs.totals(s, job_id)
