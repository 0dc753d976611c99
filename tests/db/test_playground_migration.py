"""Migration 0012 on a database of revision 0011 that holds a playground's rows, there and back."""

import json
import shutil

import pytest
from alembic.autogenerate import compare_metadata
from alembic.migration import MigrationContext
from sqlalchemy import text

from db import migrate
from db.session import make_engine
from db.tables import Base

THEN = "2026-01-01 00:00:00.000000"
LATER = "2026-02-01 00:00:00.000000"
FIGURES = {"tokens": 12, "tokens_per_second": 6.5, "first_token_seconds": 0.25}
OLD = {
    "users": [
        {
            "id": n, "username": f"u{n}", "full_name": "A", "password_hash": "", "is_active": 1,
            "created_at": THEN,
        }
        for n in (1, 2)
    ],
    "projects": [
        {"id": 1, "name": "W", "description": "", "is_solo": 0, "settings": "{}", "created_at": THEN},
    ],
    "base_models": [
        {"id": 3, "name": "B", "location": "/b", "revision": "", "description": "", "created_at": THEN},
    ],
    "adapters": [
        {
            "id": 5, "project_id": 1, "name": "T", "path": "/t", "adapter_hash": "h", "base_model_id": 3,
            "base_revision": "", "template_hash": "", "data_hash": "", "seed": 0, "spec": "{}",
            "packages": "{}", "created_at": THEN,
        },
    ],
    "processes": [
        {
            "id": 9, "role": "worker", "host": "h", "boot": "b", "pid": 1, "started": 1.0, "address": "",
            "token": "", "detail": "{}", "heartbeat_at": THEN,
        },
    ],
    "prompts": [
        {
            "id": 4, "project_id": 1, "title": "Fever", "category": "QA", "task": "qa",
            "specialty": "paediatrics", "instruction": "What now?", "input": "A child with fever.",
            "watch_for": "Dose by weight.",
            "created_at": THEN,
        },
    ],
    "comparisons": [
        {
            "id": n, "project_id": 1, "adapter_id": 5, "prompt_id": prompt, "instruction": f"Ask {n}",
            "input": "", "sampling": '{"max_tokens": 9, "temperature": 0, "seed": 1}', "created_by_id": 1,
            "created_at": THEN,
        }
        for n, prompt in ((7, 4), (8, None))
    ],
    "answers": [
        {
            "id": n, "comparison_id": comparison, "side": side, "text": f"{side} says",
            "finish_reason": "stop", "provenance": json.dumps({"dtype": "float32", **held}),
            "created_at": THEN,
        }
        # The tuned side's row came first once, so that ids cannot be taken for columns.
        for n, comparison, side, held in (
            (1, 7, "tuned", {"figures": FIGURES}), (2, 7, "base", {"figures": FIGURES}),
            (3, 8, "base", {}), (4, 8, "tuned", {}),
        )
    ],
    "votes": [
        {
            "id": n, "comparison_id": comparison, "voter_id": voter, "choice": choice, "rubric": "{}",
            "corrected_answer": "Better.", "comment": "So.", "created_at": THEN,
        }
        for n, comparison, voter, choice in (
            (1, 7, 1, "tuned"), (2, 7, 2, "base"), (3, 8, 1, "tie"), (4, 8, 2, "both_bad"),
        )
    ],
    "instructions": [
        {
            "id": 9, "project_id": 1, "origin": "feedback", "provenance": "native", "status": "draft",
            "version": 1, "author_id": 1, "comparison_id": 7, "instruction": "I", "input": "", "output": "O",
            "category": "QA", "task": "qa", "specialty": "", "difficulty": 3, "tags": "[]", "source": "",
            "created_at": THEN, "updated_at": THEN,
        },
    ],
}  # fmt: skip


@pytest.fixture(scope="module")
def old_file(tmp_path_factory):
    """The old rows in a database of revision 0011."""
    path = tmp_path_factory.mktemp("old") / "studio.db"
    engine = make_engine(f"sqlite:///{path}")
    migrate.upgrade(engine, "0011")
    with engine.begin() as connection:
        for table, rows in OLD.items():
            insert(connection, table, *rows)
    engine.dispose()
    return path


@pytest.fixture(scope="module")
def upgraded(old_file, tmp_path_factory):
    """That database after the upgrade, for looking at."""
    engine = copy_of(old_file, tmp_path_factory.mktemp("new"))
    migrate.upgrade(engine)
    yield engine
    engine.dispose()


@pytest.fixture
def engine(old_file, tmp_path):
    """A copy of one's own, of revision 0011."""
    engine = copy_of(old_file, tmp_path)
    yield engine
    engine.dispose()


def copy_of(file, folder):
    shutil.copy(file, folder / "studio.db")
    return make_engine(f"sqlite:///{folder / 'studio.db'}")


def insert(connection, table, *rows) -> None:
    for row in rows:
        marks = ", ".join(f":{name}" for name in row)
        connection.execute(text(f"INSERT INTO {table} ({', '.join(row)}) VALUES ({marks})"), row)


def rows_of(engine, table, *columns) -> list[tuple]:
    with engine.connect() as connection:
        found = connection.exec_driver_sql(f"SELECT {', '.join(columns)} FROM {table} ORDER BY id")
        return [tuple(row) for row in found]


def test_old_comparisons_become_sides_of_their_adapter_and_its_base(upgraded):
    sides = rows_of(upgraded, "answers", "id", "position", "base_model_id", "adapter_id", "step", "text")
    assert sides == [
        (1, 1, None, 5, None, "tuned says"), (2, 0, 3, None, None, "base says"),
        (3, 0, 3, None, None, "base says"), (4, 1, None, 5, None, "tuned says"),
    ]  # fmt: skip
    figures = rows_of(upgraded, "answers", "tokens", "tokens_per_second", "first_token_seconds", "provenance")
    assert figures[0] == (12, 6.5, 0.25, '{"dtype": "float32"}')
    assert figures[2] == (0, 0.0, None, '{"dtype": "float32"}')
    assert rows_of(upgraded, "instructions", "id", "comparison_id") == [(9, 7)]


def test_old_votes_mean_the_answers_they_meant_and_are_not_blind(upgraded):
    columns = ("one_id", "other_id", "voter_id", "choice", "is_blind", "settles", "corrected_answer")
    assert rows_of(upgraded, "votes", *columns) == [
        (2, 1, 1, "other", 0, 0, "Better."), (2, 1, 2, "one", 0, 0, "Better."),
        (3, 4, 1, "tie", 0, 0, "Better."), (3, 4, 2, "both_bad", 0, 0, "Better."),
    ]  # fmt: skip


def test_old_prompts_become_the_first_version_of_themselves(upgraded):
    told = ("prompt_id", "number", "category", "instruction", "input", "specialty", "watch_for", "tags")
    assert rows_of(upgraded, "prompt_versions", *told) == [
        (4, 1, "QA", "What now?", "A child with fever.", "paediatrics", "Dose by weight.", "[]")
    ]
    [(version,)] = rows_of(upgraded, "prompt_versions", "id")
    assert rows_of(upgraded, "comparisons", "id", "prompt_version_id") == [(7, version), (8, None)]


def test_the_schema_is_what_the_tables_say_and_every_reference_holds(upgraded):
    with upgraded.connect() as connection:
        context = MigrationContext.configure(connection, opts={"include_name": migrate.is_ours})
        assert compare_metadata(context, Base.metadata) == []
        assert connection.exec_driver_sql("PRAGMA foreign_key_check").all() == []


def test_a_step_back_gives_the_old_rows_again(engine):
    def held():
        return {table: rows_of(engine, table, *OLD[table][0]) for table in OLD if table != "answers"}

    before, answers = held(), rows_of(engine, "answers", "id", "comparison_id", "side", "text")
    migrate.upgrade(engine)
    migrate.downgrade(engine, "0011")
    assert held() == before
    assert rows_of(engine, "answers", "id", "comparison_id", "side", "text") == answers
    [(kept,), *_] = rows_of(engine, "answers", "provenance")
    assert json.loads(kept) == {"dtype": "float32", "figures": FIGURES}


def test_a_step_back_leaves_out_what_two_sides_cannot_say(engine):
    migrate.upgrade(engine)
    answer = {
        "comparison_id": 8, "position": 2, "adapter_id": 5, "step": 40, "model": "", "text": "earlier",
        "finish_reason": "stop", "tokens": 1, "tokens_per_second": 1.0, "provenance": "{}",
        "created_at": THEN,
    }  # fmt: skip
    later = {
        "id": 20, "project_id": 1, "follows_id": 7, "slice": "", "system": "", "instruction": "And then?",
        "input": "", "sampling": "{}", "created_by_id": 1, "created_at": THEN,
    }  # fmt: skip
    vote = {
        "comparison_id": 8, "voter_id": 1, "rubric": "{}", "corrected_answer": "", "comment": "",
        "is_blind": 1, "settles": 0, "created_at": THEN, "updated_at": LATER,
    }  # fmt: skip
    round = {
        "id": 1, "project_id": 1, "title": "R", "note": "", "rubric": "[]", "overlap": 1, "seed": 0,
        "created_by_id": 1, "created_at": THEN,
    }  # fmt: skip
    with engine.begin() as connection:
        insert(connection, "answers", {"id": 30, **answer})
        insert(connection, "comparisons", later)
        insert(connection, "rounds", round)
        insert(connection, "votes", {**vote, "one_id": 4, "other_id": 30, "choice": "one", "round_id": None})
        insert(connection, "votes", {**vote, "one_id": 3, "other_id": 4, "choice": "other", "round_id": 1})
        newer = "INSERT INTO prompt_versions SELECT 40, prompt_id, 2, category, task, specialty, tags,"
        newer += " system, 'What first?', input, expected, watch_for, NULL, created_at FROM prompt_versions"
        connection.exec_driver_sql(newer)
    migrate.downgrade(engine, "0011")
    assert [id for (id,) in rows_of(engine, "comparisons", "id")] == [7, 8]
    assert [id for (id,) in rows_of(engine, "answers", "id")] == [1, 2, 3, 4]
    assert rows_of(engine, "prompts", "id", "instruction") == [(4, "What first?")]
    votes = {(comparison, voter): choice for comparison, voter, choice in rows_of(engine, "votes", *_VOTE)}
    assert votes == {(7, 1): "tuned", (7, 2): "base", (8, 1): "tuned", (8, 2): "both_bad"}


_VOTE = ("comparison_id", "voter_id", "choice")
