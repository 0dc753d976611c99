"""Two evaluations of one task, and a judge run over them against a scripted endpoint."""

import json
from dataclasses import replace

import pytest

from db import endpoints, session
from db.endpoints import Offer
from db.enums import Category, JobKind, Role, Way
from db.jobs import enqueue
from db.judge_spec import JudgeSpec
from db.judging import rubrics
from db.session import Session
from db.tables import Evaluation, Prediction, TaskRow, TaskVersion
from db.tables.base import utc_now
from trainer.__main__ import main

ROWS = 8
GOOD, POOR = "Stop metformin and check the eGFR.", "Eat more fruit."
CRITERIA = [criterion.name for criterion in rubrics.get_rubric("answer-quality").criteria]


def verdict(key: str, _rows: int) -> str:
    """Prefers the evaluation's answer, but in row 0 whatever stands first, and in row 1 neither."""
    position, order = map(int, key.rsplit("-", 2)[1:])
    if order >= 2:
        return json.dumps({"reason": "graded", **dict.fromkeys(CRITERIA, 5 if order == 2 else 2)})
    better = {0: "1", 1: "tie"}.get(position, "1" if order == 0 else "2")
    return json.dumps({"reason": "compared", "better": better})


def answer_twice(s: Session, actor_id: int, project_id: int) -> tuple[int, int]:
    """Two evaluations of one task with ROWS answers each; their ids."""
    task = TaskVersion(
        project_id=project_id,
        name="Advice",
        task="instructions-gen",
        category=Category.GEN,
        rows=ROWS,
        settings={},
        content_hash="0",
        created_by_id=actor_id,
    )
    s.add(task)
    s.flush()
    texts = {"instruction": "What now?", "input": "eGFR 25.", "reference": "Stop it.", "source": {}}
    s.add_all(
        TaskRow(task_version_id=task.id, position=at, key=str(at), document=str(at), **texts)
        for at in range(ROWS)
    )
    both = [
        Evaluation(
            project_id=project_id,
            task_version_id=task.id,
            way=Way.GENERATION,
            rows=ROWS,
            rows_done=ROWS,
            finished_at=utc_now(),
            provenance={"answers": name},
        )
        for name in ("Careful", "Careless")
    ]
    s.add_all(both)
    s.flush()
    counted = {"score": 0.5, "is_right": False, "has_faults": False, "counts": {}, "said": {}}
    s.add_all(
        Prediction(evaluation_id=one.id, position=at, answer=answer, **counted)
        for one, answer in zip(both, (GOOD, POOR), strict=True)
        for at in range(ROWS)
    )
    return both[0].id, both[1].id


@pytest.fixture
def answered(studio):
    actor, project_id = studio
    with session.write() as s:
        return answer_twice(s, actor.id, project_id)


@pytest.fixture
def judge(settings, studio, answered):
    """judge(endpoint, **settings of the spec) -> id of a queued judge run."""
    actor, project_id = studio

    def queue(scripted, *, offer=None, **given) -> int:
        with session.write() as s:
            admin = replace(actor, roles=actor.roles | {Role.ADMIN})
            entered = Offer(**{"name": scripted.url, "base_url": scripted.url, "model": "m", **(offer or {})})
            endpoint = endpoints.add(s, admin, entered, private=True)
            spec = JudgeSpec(
                endpoint.id,
                **{"evaluation_id": answered[0], "against_id": answered[1], "timeout": 5.0, **given},
            )
            return enqueue(s, actor, project_id, JobKind.JUDGE, spec, name="judged").id

    return queue


@pytest.fixture
def shell(settings, monkeypatch, capsys):
    """shell("judged", ...) -> (exit code, output, complaint)."""
    monkeypatch.setenv("STUDIO_DATA_DIR", str(settings.data_dir))

    def call(*arguments):
        code = main([str(argument) for argument in arguments])
        return code, *capsys.readouterr()

    return call
