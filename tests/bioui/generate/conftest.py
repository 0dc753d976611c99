"""A project with approved seeds, an endpoint, and a run whose calls are carried out as the worker does."""

import json

import gradio as gr
import pytest

from bioui import generating
from bioui.components.generate_form import DEFAULTS, NAMES
from bioui.components.generate_sections import SECTIONS
from bioui.pages import generate as page
from db import (
    endpoints,
    generation_calls,
    generation_runs,
    instructions,
    jobs,
    processes,
)
from db.content import Content
from db.endpoints import Offer
from db.enums import Category, JobStatus, Origin, ProcessRole
from db.generating import profiles, replies
from db.generating.funnel import Funnel, Stage
from db.generation_calls import Answer, Judged, JudgedCall
from db.lifecycle import Move, move
from db.projects import get_project
from db.session import write
from db.tables import Job
from tests.bioui.conftest import request_of
from trainer.generating.requests import Requests

SEEDS = (
    (
        "Name the cranial nerve that moves the lateral rectus muscle.",
        "It is the abducens nerve.",
        Category.QA,
    ),
    ("List the drugs that this note mentions, one on each line.", "Metformin\nLisinopril", Category.IE),
    (
        "Write a lay summary of what atrial fibrillation is.",
        "The upper chambers beat unevenly.",
        Category.GEN,
    ),
    ("Which electrolyte is low in refeeding syndrome, and why?", "Phosphate.", Category.QA),
)
NEW = "Explain why a patient with a high fever drinks more than usual."
HOSTILE = "<script>alert(1)</script> ${1+1} `x` \\n <img src=x onerror=alert(1)>"
(
    RUNS,
    WORKER,
    TIMER,
    NEW_BTN,
    FORM,
    PANE,
    WATCH,
    TRAIL,
    ENDING,
    HEAD,
    BAR,
    OUTCOME,
    TALLY,
    FUNNEL,
    PAUSE,
    ON,
) = range(16)
LIMITS = slice(17, 21)
SECTION = 21  # where the outputs of the sections begin
OPENED, RADIO, *COLUMNS, EXAMPLES, CALLS, CALL, AUDIT, INTERVAL, DRAW, SETTINGS, LOG = range(
    2 + len(SECTIONS) + 8
)


def event(**data) -> gr.EventData:
    return gr.EventData(None, data)


@pytest.fixture
def seeds(people, project_id) -> list[int]:
    """Four approved seeds, each with an input that serves as a passage."""
    with write() as session:
        made = []
        for text, output, category in SEEDS:
            content = Content(text, f"Note on {output.lower()}", output, category, task="trial")
            made.append(
                instructions.create_instruction(
                    session, people.author, project_id, content, origin=Origin.SEED
                )
            )
            move(made[-1], Move.SHIP)
        session.flush()
        return [row.id for row in made]


@pytest.fixture
def endpoint_id(people, project_id) -> int:
    offer = Offer("Hosted", "https://api.example.org/v1", "big", price_in=2.5, price_out=10.0)
    with write() as session:
        return endpoints.add(session, people.trainer, offer).id


def typed(endpoint_id: int | None, **changed) -> tuple:
    """What the form sends."""
    given = {**DEFAULTS, "endpoint_id": endpoint_id, "name": "Trial", "against": [], **changed}
    return tuple(given[name] for name in NAMES)


def start(people, project_id: int, endpoint_id: int, *, key: str = "k", **changed) -> tuple:
    return page.start(project_id, key, *typed(endpoint_id, **changed), request_of(people.reviewer))


def ask(job_id: int, people, reply: str | None = None, *, number: int = 0, wanted: int = 5) -> None:
    """Carry out one call of a run as the worker does, with that reply, or without any."""
    with write() as session:
        job = jobs.get_job(session, job_id)
        if job.status is JobStatus.QUEUED:
            jobs.claim_next(session, processes.register(session, ProcessRole.WORKER).id)
        run = generation_runs.open_run(session, job)
        pool, spec = generation_runs.pool_of(session, run), generating.spec_of_run(job)
        endpoint = endpoints.get_endpoint(session, spec.endpoint_id)
        planned = Requests(spec, run, pool, endpoint, job.attempt).prepare(number).planned
        call_id = generation_calls.note_asked(session, job_id, planned)
        if reply is None:
            generation_calls.note_failed(session, call_id, planned, "It refused.", tries=1, in_vain=0)
            return
        answer = Answer(reply, "stop", 900, 100, False, 0.00325, 1.5)
        generation_calls.note_answered(session, call_id, planned, answer, tries=1, in_vain=0)
        store(session, job, run.profile, call_id, reply)


def store(session, job: Job, profile: dict, call_id: int, reply: str) -> None:
    """Judge a reply and store its records, as the judge does."""
    funnel = Funnel(session, get_project(session, job.project_id), profiles.from_record(profile))
    found = replies.read(reply, finish_reason="stop")
    rows = [
        Judged(item.content, verdict.stage, verdict.reason, verdict.record(), verdict.flags)
        for item, verdict in zip(found.items, funnel.judge(found.items), strict=True)
    ]
    rows += [
        Judged(
            None, Stage.PARSED, fault.kind, {"detail": fault.sentence, "start": fault.start, "end": fault.end}
        )
        for fault in found.faults
    ]
    generation_calls.store_judged(session, job, [JudgedCall(call_id, tuple(rows))])


def record(
    instruction: str, output: str = "Because water is lost with sweat and fast breathing.", **more
) -> str:
    fields = {
        "instruction": instruction,
        "input": "",
        "output": output,
        "category": "QA",
        "task": "qa",
        **more,
    }
    return json.dumps({name: value for name, value in fields.items() if value is not None})


def reply_of(*records: str) -> str:
    return '{"instructions": [' + ", ".join(records) + "]}"


@pytest.fixture
def run_id(people, project_id, seeds, endpoint_id) -> int:
    """A run with one call: a record kept, one too short, a near copy of a seed, one without an answer."""
    job_id = start(people, project_id, endpoint_id)[HEAD]["id"]
    near = SEEDS[0][0].replace("the lateral", "a lateral")
    copy = record(near, input="Note on it is the abducens nerve.")
    ask(
        job_id,
        people,
        reply_of(record(NEW, HOSTILE), record("Why?"), copy, record("Say what is lost.", None)),
    )
    return job_id
