"""What people's votes say, from the shell."""

import json

import pytest

from db import votes
from db.enums import Choice
from db.session import write
from tests.db.compared import compare, pairs
from tests.db.compared import sides as sides
from trainer.__main__ import main


@pytest.fixture
def asked(people, project_id, settings, sides, monkeypatch) -> list[tuple[int, int]]:
    for name, value in settings.environment().items():
        monkeypatch.setenv(name, value)
    return pairs(people.trainer, project_id, sides, 12)


def cast(actor, pair: tuple[int, int], choice: Choice, *, is_blind: bool = True) -> None:
    from db.tables import Answer

    with write() as session:
        comparison_id = session.get_one(Answer, pair[0]).comparison_id
        said = {pair[0]: {"harm": "mild", "correct": "no"}, pair[1]: {"harm": "none", "correct": "yes"}}
        votes.cast(session, actor, comparison_id, *pair, choice, rubric=said, is_blind=is_blind)


def test_a_script_hears_the_verdict_in_words(people, asked, capsys):
    assert main(["verdict"]) == 1
    assert capsys.readouterr().out == "No blind votes yet.\n"
    for place, pair in enumerate(asked):
        cast(people.clinician, pair, Choice.ONE if place == 0 else Choice.OTHER)
        cast(people.reviewer, pair, Choice.TIE if place < 6 else Choice.OTHER)
    cast(people.trainer, asked[0], Choice.ONE, is_blind=False)
    assert main(["verdict", "--by", "task", "--axes", "--ranking"]) == 0
    told = capsys.readouterr().out
    lines = told.splitlines()
    assert lines[0].startswith("Tuned preferred 17 to 1, 6 ties; p = ")
    assert "1 open vote is left out: who sees which model wrote an answer votes on the model." in lines
    assert "Only 2 raters voted: how far others would vote alike is hardly known." in lines
    assert "no harm seen in 12 answers: at most 22.1 % (95 %)" in told
    assert any(line.startswith("1  Tuned  ") for line in lines)
    assert any(line.startswith("The vote: alpha ") for line in lines)
    assert any(line.startswith("no task given: Tuned preferred 17 to 1") for line in lines)


def test_another_program_reads_the_same_figures_as_json(people, asked, project_id, sides, capsys):
    for pair in asked:
        cast(people.clinician, pair, Choice.OTHER)
    _, ids = compare(people.trainer, project_id, {sides.tuned: "This.", sides.other: "That."})
    cast(people.clinician, (ids[0], ids[1]), Choice.BOTH_BAD)
    assert main(["verdict", "--json", "--ranking", "--by", "specialty"]) == 0
    told = json.loads(capsys.readouterr().out)
    assert told["verdict"]["sentence"].startswith("Tuned preferred 12 to 0, no ties; p < 0.001;")
    assert told["verdict"]["share"]["value"] == 1.0
    assert told["ranking"]["strengths"][0]["name"] == "Tuned"
    assert told["specialty"][0]["verdict"]["preferred_one"] == 12
    assert main(["verdict", "--sides", "Tuned", "Other"]) == 0
    assert capsys.readouterr().out.startswith("No vote prefers Other or Tuned: no ties, 1 both bad.")


@pytest.mark.parametrize(
    ("given", "said"),
    [
        (["--sides", "Tuned", "Nobody"], "sides: nobody voted on Nobody; there is Base, Tuned."),
        (["--round", "9"], "There is no round number 9"),
        (["--level", "2"], "level: 2 cannot be"),
    ],
)
def test_what_cannot_be_is_refused_in_one_sentence(people, asked, capsys, given, said):
    cast(people.clinician, asked[0], Choice.ONE)
    assert main(["verdict", *given]) == 1
    assert capsys.readouterr().err.startswith(said)
