import json

import pytest
from datasets import Dataset, List, Value
from sqlalchemy import select

from db import assignments, comparisons, preferences, rounds, votes
from db.enums import Choice
from db.policy import PolicyError
from db.session import read, write
from db.tables import AuditLine
from tests.db.compared import QUESTION, compare
from tests.db.compared import sides as sides


def cast(actor, asked, choice, **said) -> None:
    id, (one, other) = asked
    with write() as session:
        votes.cast(session, actor, id, one, other, choice, **said)


def rows(project_id, **which) -> preferences.Preferences:
    with read() as session:
        return preferences.rows(session, project_id, **which)


@pytest.fixture
def asked(people, project_id, sides):
    return compare(
        people.trainer, project_id, {sides.base: "Base.", sides.tuned: "Tuned."}, system="Be brief."
    )


def test_the_lines_are_what_trl_calls_conversational_preferences(people, project_id, asked, tmp_path):
    """Columns and messages as TRL documents them under "Dataset formats and types", read by `datasets`."""
    cast(people.clinician, asked, Choice.OTHER)
    file = tmp_path / "pairs.jsonl"
    file.write_bytes(preferences.lines(rows(project_id)))
    read_back = Dataset.from_json(str(file), cache_dir=str(tmp_path))
    messages = List({"role": Value("string"), "content": Value("string")})
    assert {name: read_back.features[name] for name in ("prompt", "chosen", "rejected")} == dict.fromkeys(
        ("prompt", "chosen", "rejected"), messages
    )
    [row] = read_back.to_list()
    assert row["prompt"] == [
        {"role": "system", "content": "Be brief."}, {"role": "user", "content": QUESTION},
    ]  # fmt: skip
    assert row["chosen"] == [{"role": "assistant", "content": "Tuned."}]
    assert row["rejected"] == [{"role": "assistant", "content": "Base."}]
    assert (row["comparison_id"], row["by"]) == (asked[0], "vote")


def test_the_majority_of_a_pairs_votes_decides_and_a_split_is_counted(people, project_id, asked):
    cast(people.clinician, asked, Choice.ONE)
    cast(people.reviewer, asked, Choice.OTHER)
    assert rows(project_id).left_out == {preferences.CONTESTED: 1}
    cast(people.trainer, asked, Choice.ONE)
    [row] = rows(project_id).rows
    assert (row["chosen"][0]["content"], len(row["votes"])) == ("Base.", 3)


def test_ties_and_pairs_that_are_both_bad_are_left_out_and_counted(people, project_id, sides):
    for number, choice in enumerate((Choice.TIE, Choice.BOTH_BAD, Choice.BOTH_BAD, Choice.ONE)):
        said = {sides.base: "Base.", sides.tuned: "Tuned."}
        asked = compare(people.trainer, project_id, said, instruction=f"{number}?")
        cast(people.clinician, asked, choice)
    same = compare(people.trainer, project_id, {sides.base: "Yes.", sides.tuned: "Yes. "})
    cast(people.clinician, same, Choice.ONE)
    found = rows(project_id)
    assert len(found.rows) == 1
    assert found.left_out == {preferences.BOTH_BAD: 2, preferences.SAME: 1, preferences.TIE: 1}
    assert found.sentence == (
        "1 preference pair; left out: 1 (both answers are the same), 2 (both bad), 1 (tie)."
    )


def test_a_corrected_answer_is_preferred_to_both_answers(people, project_id, asked):
    cast(people.clinician, asked, Choice.BOTH_BAD, corrected_answer="Nitrofurantoin.")
    found = rows(project_id)
    assert {(row["chosen"][0]["content"], row["rejected"][0]["content"]) for row in found.rows} == {
        ("Nitrofurantoin.", "Base."), ("Nitrofurantoin.", "Tuned."),
    }  # fmt: skip
    assert {row["by"] for row in found.rows} == {"correction"}
    assert found.left_out == {preferences.BOTH_BAD: 1}


def test_turns_count_where_both_sides_were_asked_the_same_before(people, project_id, sides):
    for before, expected in ((("Same.", "Same."), 1), (("One.", "Other."), 0)):
        said = dict(zip((sides.base, sides.tuned), before, strict=True))
        first, _ = compare(people.trainer, project_id, said)
        said = {sides.base: "Base.", sides.tuned: "Tuned."}
        asked = compare(people.trainer, project_id, said, instruction="And then?", follows_id=first)
        cast(people.clinician, asked, Choice.ONE)
        assert len([row for row in rows(project_id).rows if row["comparison_id"] == asked[0]]) == expected
    found = rows(project_id)
    assert [message["role"] for message in found.rows[0]["prompt"]] == ["user", "assistant", "user"]
    assert found.left_out == {preferences.TALKS_DIFFER: 1}


def test_a_settled_pair_counts_as_it_was_settled_and_a_round_alone_can_be_taken(people, project_id, asked):
    with write() as session:
        round = rounds.create(
            session, people.trainer, project_id, title="R", pairs=[tuple(asked[1])],
            rater_ids=[people.clinician.id, people.reviewer.id],
        )  # fmt: skip
        round_id = round.id
        for actor, pressed in ((people.clinician, Choice.ONE), (people.reviewer, Choice.TIE)):
            mine = assignments.next_assignment(session, actor, round_id)
            left_right = assignments.to_left_right(pressed, is_flipped=mine.is_flipped)
            assignments.vote_on(session, actor, mine.id, left_right)
        votes.cast(
            session, people.trainer, asked[0], *asked[1], Choice.OTHER, round_id=round_id, settles=True
        )
    cast(people.admin, asked, Choice.ONE)
    [row] = rows(project_id, round_id=round_id).rows
    assert row["chosen"][0]["content"] == "Tuned."
    assert rows(project_id, round_id=round_id + 1) == preferences.Preferences((), {})
    assert rows(project_id, blind_only=True).rows[0]["chosen"][0]["content"] == "Tuned."


def test_an_export_is_noted_with_its_number_of_rows_and_not_their_text(people, project_id, asked):
    cast(people.clinician, asked, Choice.ONE)
    found = rows(project_id)
    with write() as session:
        with pytest.raises(PolicyError):
            preferences.record_export(session, people.author, project_id, found)
        preferences.record_export(session, people.trainer, project_id, found)
        session.flush()
        line = session.scalars(select(AuditLine).order_by(AuditLine.id.desc())).first()
        assert (line.action, line.detail) == ("exported_preferences", {"rows": 1})
    assert json.loads(preferences.lines(found))["votes"] == found.rows[0]["votes"]
    with read() as session:
        assert comparisons.count(session, project_id) == 1
