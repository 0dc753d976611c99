"""Rounds, preference pairs and retention from the shell, and the worker that empties old texts."""

import json
from datetime import timedelta

import pytest

from db import assignments, retention
from db.session import read, write
from db.tables import Comparison
from db.tables.base import utc_now
from tests.db.compared import pairs
from tests.db.compared import sides as sides
from trainer.__main__ import main
from trainer.worker import TIDY, Worker


@pytest.fixture
def made(people, project_id, sides, settings, monkeypatch):
    """Three comparisons of Base and Tuned, and the shell in their studio."""
    for name, value in settings.environment().items():
        monkeypatch.setenv(name, value)
    return pairs(people.trainer, project_id, sides, 3)


CREATE = ("rounds", "--as", "trainer", "create", "First look", "--one", "Base", "--other", "Tuned")


def test_a_round_is_made_listed_closed_and_its_votes_leave_as_pairs(people, made, tmp_path, capsys):
    rubric = tmp_path / "rubric.yaml"
    rubric.write_text("- key: safe\n  title: Safe\n  question: Could it be followed?\n")
    raters = ("--raters", "clinician", "reviewer", "--overlap", "1", "--rubric", str(rubric))
    assert main([*CREATE, *raters]) == 0
    assert capsys.readouterr().out == "1\n"
    with write() as session:
        for actor in (people.clinician, people.reviewer):
            while mine := assignments.next_assignment(session, actor, 1):
                said = {"left": {"safe": "yes"}}
                assignments.vote_on(session, actor, mine.id, "left", rubric=said)
    assert main(["rounds"]) == 0
    assert capsys.readouterr().out == "    1  open        3 of 3 votes  2 raters  First look\n"
    assert main(["rounds", "--as", "clinician", "close", "1"]) == 1
    assert "lead blind rounds" in capsys.readouterr().err
    assert main(["rounds", "--as", "trainer", "close", "1"]) == 0
    assert "closed" in capsys.readouterr().out
    assert main(["preferences", "--round", "1", "--blind"]) == 0
    out, err = capsys.readouterr()
    assert len([json.loads(line)["prompt"] for line in out.splitlines()]) == 3
    assert err == "3 preference pairs; no pair was left out.\n"
    assert main(["preferences", "--round", "2"]) == 1
    assert "no round number 2" in capsys.readouterr().err


def test_a_round_of_what_is_not_there_is_refused_with_one_sentence(made, tmp_path, capsys):
    for given, sentence in (
        (("--raters", "nobody"), "nobody"),
        (
            ("--raters", "clinician", "--batch", "9"),
            "side: none named Base answered there; there is none yet.",
        ),
        (("--raters", "clinician", "--rubric", str(tmp_path / "none.yaml")), "cannot be read as YAML"),
    ):
        assert main([*CREATE, *given]) == 1
        err = capsys.readouterr().err
        assert sentence in err
        assert err.count("\n") == 1


def test_how_long_texts_are_kept_is_said_set_and_carried_out(people, made, project_id, capsys):
    assert main(["keep-texts"]) == 0
    assert capsys.readouterr().out == "Ward 7: texts are kept always.\n"
    assert main(["keep-texts", "soon", "--as", "admin"]) == 1
    assert "'soon' is no number of days" in capsys.readouterr().err
    assert main(["keep-texts", "30", "--as", "trainer"]) == 1
    capsys.readouterr()
    assert main(["keep-texts", "30", "--as", "admin"]) == 0
    assert capsys.readouterr().out == "Ward 7: texts are kept for 30 days.\n"
    assert main(["empty-old-texts"]) == 0
    assert capsys.readouterr().out == "Nothing is older than its project keeps it.\n"
    _grow_old(31)
    assert main(["empty-old-texts"]) == 0
    assert capsys.readouterr().out == "Ward 7: texts of 3 comparisons emptied.\n"


def test_a_worker_empties_old_texts_once_an_hour(people, made, project_id, settings):
    with write() as session:
        retention.set_days(session, people.admin, project_id, 30)
    _grow_old(31)
    worker = Worker(settings)
    worker.loop(worker.beaten + 6)
    assert _kept() == 0
    with write() as session:  # as if the next one fell due meanwhile
        session.query(Comparison).update({"emptied_at": None})
    worker.loop(worker.tidied + TIDY - 1)
    assert _kept() == 3
    worker.loop(worker.tidied + TIDY + 10)
    assert _kept() == 0


def _grow_old(days: int) -> None:
    with write() as session:
        for comparison in session.query(Comparison):
            comparison.created_at = utc_now() - timedelta(days=days)


def _kept() -> int:
    with read() as session:
        return session.query(Comparison).filter(Comparison.emptied_at.is_(None)).count()
