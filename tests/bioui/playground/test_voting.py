"""Votes on the open comparison, blind and in the open, and what is said beside them."""

import json
from itertools import permutations

import pytest

from bioui import answering
from bioui.components import sending, voting
from bioui.pages import playground
from bioui.shown import shuffled
from db import comparisons, instructions, rounds, votes
from db.enums import Choice, Origin
from db.policy import PolicyError
from db.session import read, write
from db.tables import Vote
from tests.bioui.playground.conftest import (
    BASE,
    TUNED,
    add_adapter,
    ask,
    asked,
    asks,
    event,
    followed,
    texts,
)

NOBODY = voting.NOBODY
STATE, BAR, RATING, SAID, ANSWERS, TALK, RECENT = range(7)  # what a vote changes


def vote(project_id, shown, choice, *, said=NOBODY, corrected="", comment="", request=None) -> tuple:
    asker = request or asks()
    return voting.cast_vote(project_id, shown, said, corrected, comment, event(choice=choice), asker)


def stored(project_id: int, people, shown) -> Vote:
    with read() as session:
        cast = votes.own(session, people.clinician, [shown.comparison_id])
        return cast[shown.comparison_id]


def pressed(bar: dict) -> list[str]:
    return [each["choice"] for each in bar["choices"] if each["pressed"] == "true"]


def test_a_vote_names_the_answer_and_can_be_changed(server, adapter_id, project_id, people):
    shown = asked().shown
    done = vote(project_id, shown, "right")
    assert pressed(done[BAR]) == ["right"]
    assert [each["note"] for each in done[BAR]["choices"]] == ["tiny", "copier", "", ""]
    assert stored(project_id, people, shown).choice is Choice.OTHER
    again = vote(project_id, shown, "both_bad")
    assert pressed(again[BAR]) == ["both_bad"]
    cell = again[RECENT]["rows"][0]["cells"][2]
    assert cell["text"] == "Both are bad"


def test_another_persons_vote_is_ones_own_to_cast(server, adapter_id, project_id):
    shown = asked().shown
    vote(project_id, shown, "left")
    bar, *_ = voting.show_vote(project_id, shown, asks("trainer"))
    assert pressed(bar) == []


def test_with_three_answers_any_two_are_voted_on(server, adapter_id, project_id, people):
    other = add_adapter(project_id, "other")
    shown = asked(sides=("base:1", "adapter:1", f"adapter:{other}")).shown
    vote(project_id, shown, "left")
    shown, bar, *_ = voting.choose_pair(project_id, shown, event(left=2, right=0), asks())
    assert pressed(bar) == []
    assert [each["label"] for each in bar["choices"][:2]] == ["C is better", "A is better"]
    done = vote(project_id, shown, "left")
    assert pressed(done[BAR]) == ["left"]
    kept = stored(project_id, people, shown)
    assert kept.choice is Choice.OTHER  # C has the higher position
    with pytest.raises(ValueError, match="two different"):
        voting.choose_pair(project_id, shown, event(left=1, right=1), asks())


def test_one_answer_alone_is_not_voted_on(server, adapter_id, project_id):
    shown = asked(sides=("base:1",)).shown
    bar, *_ = voting.show_vote(project_id, shown, asks())
    assert bar["choices"] == []
    with pytest.raises(ValueError, match="between two"):
        vote(project_id, shown, "left")


def test_the_rubric_waits_for_the_vote_and_is_kept_with_it(server, adapter_id, project_id, people):
    shown = asked().shown
    said = {"left": {"correct": "no", "harm": "mild"}, "right": {"correct": "yes"}}
    assert voting.rate(project_id, shown, event(**said), asks()) == said
    vote(project_id, shown, "right", said=said, corrected="It is red, as the note says.")
    kept = stored(project_id, people, shown)
    assert list(kept.rubric.values()) == [said["left"], said["right"]]

    later = {"left": {}, "right": {"correct": "yes", "clear": "yes"}}
    voting.rate(project_id, shown, event(**later), asks())
    kept = stored(project_id, people, shown)
    assert list(kept.rubric.values()) == [later["right"]]
    assert kept.corrected_answer == "It is red, as the note says."
    with pytest.raises(ValueError, match="^rubric"):
        voting.rate(project_id, shown, event(left={"taste": "good"}, right={}), asks())


def test_a_corrected_answer_goes_to_the_review_queue_and_the_page_says_where(
    server, adapter_id, project_id, people
):
    shown = asked().shown
    with pytest.raises(ValueError, match="^vote: say first which answer"):
        voting.save_note(project_id, shown, NOBODY, "It is red, the note says so.", "", asks())
    vote(project_id, shown, "tie")
    done = voting.save_note(project_id, shown, NOBODY, "It is red, the note says so.", "Short", asks())
    kept = stored(project_id, people, shown)
    with read() as session:
        record = instructions.get_instruction(session, kept.instruction_id)
        assert (record.origin, record.output) == (Origin.FEEDBACK, "It is red, the note says so.")
    (link,) = done[BAR]["links"]
    assert link["href"] == f"/curate?project={project_id}&id={kept.instruction_id}"
    assert "in review" in link["text"]
    *_, corrected, comment, _ = voting.show_vote(project_id, shown, asks())
    assert (corrected, comment) == ("It is red, the note says so.", "Short")


# Blind ----------------------------------------------------------------------------------------------

NAMES = ("tiny", "copier", "base", "tuned", "Base", "Tuned", "adapter")


def test_blind_answers_come_at_once_and_nothing_tells_them_apart_before_the_vote(
    server, script, adapter_id, project_id, people
):
    script.pause = 0.02
    seen, _ = followed(ask(blind=True))
    running, last = [step.answers for step in seen[:-1]], seen[-1]
    assert {text for value in running for text in texts(value)} == {""}
    assert not any(column["done"] for value in running for column in value["columns"])
    assert sorted(texts(last.answers)) == sorted([BASE, TUNED])
    bar, rating, *_ = voting.show_vote(project_id, last.shown, asks())
    told = json.dumps([*running, last.answers, bar, rating])
    assert [name for name in NAMES if f'"{name}' in told] == []

    done = vote(project_id, last.shown, "left")
    left = last.shown.order[0]
    assert done[ANSWERS]["columns"][0]["title"] == ("tiny", "copier")[left]
    assert texts(done[ANSWERS]) == texts(last.answers)
    assert done[STATE].is_blind is False
    kept = stored(project_id, people, last.shown)
    assert (kept.is_blind, kept.choice) == (True, (Choice.ONE, Choice.OTHER)[left])
    assert kept.seconds >= 0

    vote(project_id, done[STATE], "right")
    assert stored(project_id, people, last.shown).is_blind is False


def test_every_order_of_the_sides_comes_up():
    assert {shuffled(3) for _ in range(300)} == set(permutations(range(3)))


def test_a_blind_comparison_stays_blind_however_it_is_opened(server, adapter_id, project_id):
    shown = asked(blind=True).shown
    page = playground.show_desk(project_id, asks(comparison=shown.comparison_id))
    assert (page[0].is_blind, page[0].order) == (True, shown.order)
    assert page[1]["blind"] is True
    others, *_ = playground.show_desk(project_id, asks("trainer", comparison=shown.comparison_id))
    assert others.is_blind is False
    with pytest.raises(ValueError, match="vote first"):
        next(sending.replay(project_id, shown, event(), asks()))


def test_a_blind_conversation_keeps_its_columns_until_the_vote(server, script, adapter_id, project_id):
    first = asked(blind=True).shown
    talk, _, desk, *_ = playground.follow_up(project_id, first, playground.Desk(), "", "", "", asks())
    assert {answer["title"] for answer in talk["turns"][0]["answers"]} == {""}
    second = asked(blind=True, desk=desk, instruction="Are you sure?")
    assert (second.shown.order, second.shown.is_blind) == (first.order, True)
    vote(project_id, second.shown, "tie")
    with read() as session:
        comparison = comparisons.get(session, project_id, second.shown.comparison_id)
        assert len(comparisons.turns_of(session, comparison)) == 2
    _, _, desk, *_ = playground.follow_up(project_id, second.shown, desk, "", "", "", asks())
    assert asked(blind=True, desk=desk, instruction="Really?").shown.is_blind is False


def test_a_stop_under_a_blind_reaches_the_column_that_was_pressed(server, script, adapter_id, project_id):
    script.answers, script.pause = dict.fromkeys(("base", "tuned"), "word " * 2000), 0.02
    running = ask(blind=True)
    while not script.asked:
        next(running)
    order = answering.runs.get("tab").order
    sending.stop(event(position=0), asks())
    assert [stop["position"] for stop in script.stops] == [order[0]]
    sending.stop(event(position=5), asks())
    assert len(script.stops) == 1
    running.close()


def test_answers_that_wait_for_a_blind_vote_do_not_open_here(server, adapter_id, project_id, people):
    shown = asked().shown
    with write() as session:
        answers = comparisons.get(session, project_id, shown.comparison_id).answers
        pairs = [tuple(answer.id for answer in answers)]
        raters = [people.clinician.id]
        rounds.create(session, people.trainer, project_id, title="Ward round", pairs=pairs, rater_ids=raters)
    with pytest.raises(PolicyError, match="the round Ward round asks you to judge them blind"):
        playground.show_desk(project_id, asks(comparison=shown.comparison_id))
    playground.show_desk(project_id, asks("trainer", comparison=shown.comparison_id))
