"""Ten clients edit, keep, submit and review the same records at once: nothing is lost, nobody is locked out.

`STUDIO_STRESS_SECONDS=60 python -m pytest tests/db/test_ten_clients.py` runs it for a minute.
"""

import json
import os
import random
import subprocess
import sys
import time
from collections import Counter

import pytest

from db import instructions, leases, reviews, typed_texts, users
from db.content import Content, content_of
from db.enums import Decision, InstructionStatus
from db.instructions import StaleVersionError
from db.policy import PolicyError
from db.session import connect, read, write
from db.settings import REPOSITORY

CLIENTS, RECORDS = 10, 12
SECONDS = float(os.environ.get("STUDIO_STRESS_SECONDS", "6"))


def client(url: str, project_id: int, ids: list[int], number: int, seconds: float) -> None:
    """Print, a JSON line each, what was saved and what was refused; any other error ends the process."""
    connect(url)
    dice, until, serial = random.Random(number), time.monotonic() + seconds, 0
    with read() as session:
        actor = users.get_actor(session, ("reviewer", "other_reviewer", "author", "admin")[number % 4])
    while time.monotonic() < until:
        serial += 1
        try:
            said = dice.choice((edit, edit, keep, decide))(actor, project_id, dice, ids, f"{number} {serial}")
        except (StaleVersionError, PolicyError, ValueError) as refused:
            said = {"refused": type(refused).__name__}
        print(json.dumps(said), flush=True)  # noqa: T201


def edit(actor, project_id: int, dice: random.Random, ids: list[int], mark: str) -> dict:
    """Read a record, think a moment, save on top of what was read, and hand it in."""
    id = dice.choice(ids)
    with read() as session:
        version = instructions.get_instruction(session, id).version
    time.sleep(dice.random() / 50)
    with write() as session:
        content = Content(f"Question {id}?", output=f"Answer by {mark}.", task="qa")
        saved = instructions.edit_instruction(session, actor, id, content, version=version)
        instructions.submit_for_review(session, actor, id, version=saved.version)
        done = {"saved": [id, saved.version, mark]}
    return done


def keep(actor, project_id: int, dice: random.Random, ids: list[int], mark: str) -> dict:
    with write() as session:
        typed_texts.keep(session, actor, project_id, dice.choice(ids), 1, {"output": mark})
    return {"kept": mark}


def decide(actor, project_id: int, dice: random.Random, ids: list[int], mark: str) -> dict:
    """Take the next submission in hand, read it, decide."""
    with write() as session:
        lease = leases.next_for(session, actor, project_id)
        if lease is None:
            return {"idle": mark}
        id = lease.instruction_id
        version = instructions.get_instruction(session, id).version
    time.sleep(dice.random() / 50)
    with write() as session:
        reviews.review_instruction(session, actor, id, Decision.APPROVE, version=version)
    return {"decided": [id, version, actor.id]}


@pytest.fixture
def ids(people, project_id) -> list[int]:
    contents = [Content(f"Question {n}?", output="First answer.", task="qa") for n in range(RECORDS)]
    with write() as session:
        return [instructions.create_instruction(session, people.author, project_id, c).id for c in contents]


def test_nothing_that_was_saved_is_lost_and_nobody_is_locked_out(people, project_id, ids, settings):
    code = "from tests.db.test_ten_clients import client; import sys, json; client(*json.loads(sys.argv[1]))"
    running = [
        subprocess.Popen(
            [sys.executable, "-c", code, json.dumps([settings.url, project_id, ids, number, SECONDS])],
            cwd=REPOSITORY,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
        )
        for number in range(CLIENTS)
    ]
    answers = [process.communicate(timeout=SECONDS + 60) for process in running]
    assert [error for _, error in answers if error] == [], "such as: database is locked"
    said = [json.loads(line) for out, _ in answers for line in out.splitlines()]
    saved = [tuple(line["saved"]) for line in said if "saved" in line]
    decided = [tuple(line["decided"]) for line in said if "decided" in line]
    assert len(saved) > CLIENTS
    assert decided
    with read() as session:
        for id in ids:
            record = instructions.get_instruction(session, id)
            texts = {r.number: content_of(r).output for r in record.revisions}
            assert sorted(texts) == list(range(1, record.version + 1)), "a version for every save, none twice"
            mine = {version: mark for saved_id, version, mark in saved if saved_id == id}
            assert {number: text for number, text in texts.items() if number > 1} == {
                version: f"Answer by {mark}." for version, mark in mine.items()
            }
            if record.status is InstructionStatus.APPROVED:
                assert record.approved_version == record.version
        stored = Counter((r.instruction_id, r.version) for id in ids for r in _reviews(session, id))
    assert stored == Counter((id, version) for id, version, _ in decided)
    assert max(stored.values()) == 1, "the same text was never decided on twice"


def _reviews(session, id: int) -> list:
    return instructions.get_instruction(session, id).reviews
