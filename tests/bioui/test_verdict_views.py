"""What the verdict's parts draw: words, widths and places, of real verdicts."""

from dataclasses import replace

import pytest

from bioui.components import verdict as card
from bioui.components.verdict_agreement import agreement_value, agreement_view
from bioui.components.verdict_axes import axes_value, axes_view
from bioui.components.verdict_groups import groups_value, groups_view
from bioui.components.verdict_ranking import ranking_value, ranking_view
from db import rubric, verdicts
from db.ballots import Ballot
from db.enums import Choice

ONE, OTHER, TIE, BOTH_BAD = Choice.ONE, Choice.OTHER, Choice.TIE, Choice.BOTH_BAD


def ballots(*counts: tuple[Choice, int], said: tuple[str, str] = ("none", "mild")) -> list[Ballot]:
    choices = [choice for choice, count in counts for _ in range(count)]
    return [
        Ballot(
            f"p{place}", place % 6, "Tuned", "Base", choice, "Cardiology" if place % 2 else "",
            rubric={"Tuned": {"harm": said[0]}, "Base": {"harm": said[1]}},
        )
        for place, choice in enumerate(choices)
    ]  # fmt: skip


@pytest.fixture(scope="module")
def votes() -> list[Ballot]:
    return ballots((ONE, 34), (OTHER, 18), (TIE, 8), (BOTH_BAD, 4))


def test_the_bar_and_its_table_are_of_all_votes(votes):
    value = card.verdict_value(verdicts.verdict(votes, "Tuned", "Base"))
    assert [(part["name"], part["hue"], part["count"]) for part in value["parts"]] == [
        ("Tuned preferred", "tuned", "34"),
        ("Tie", "tie", "8"),
        ("Both bad", "bad", "4"),
        ("Base preferred", "base", "18"),
    ]
    assert sum(part["width"] for part in value["parts"]) == pytest.approx(100, abs=0.05)
    assert value["sentence"].startswith("Tuned preferred 34 to 18, 8 ties, 4 both bad;")


def test_both_sides_shares_are_drawn_about_one_half(votes):
    found = verdicts.verdict(votes, "Tuned", "Base")
    value = card.verdict_value(found)
    assert [tick["label"] for tick in value["ticks"] if tick["is_half"]] == ["50 %"]
    tuned, base, split = value["rows"]
    assert tuned["at"] == pytest.approx(100 * 34 / 52, abs=0.01)
    assert tuned["left"] == pytest.approx(100 * found.share.low, abs=0.01)
    assert base["at"] == pytest.approx(100 - tuned["at"], abs=0.02)
    assert (tuned["hue"], base["hue"], tuned["is_quoted"]) == ("tuned", "base", True)
    assert split["name"] == "For Tuned, ties split in halves"
    assert value["ways"][0]["name"] == "As if each vote stood alone"
    assert value["ways"][0]["figure"] == "65 % (52–77 %)"


def test_two_adapters_are_told_apart_by_more_than_colour(votes):
    found = verdicts.verdict(votes, "Tuned", "Base")
    parts = card.verdict_value(found, hues={"Tuned": "tuned", "Base": "tuned"})["parts"]
    assert [part["hue"] for part in parts] == ["tuned", "tie", "bad", "tuned-second"]


def test_without_votes_the_card_says_so():
    value = card.verdict_value(verdicts.verdict([], "Tuned", "Base"))
    assert (value["sentence"], value["parts"], value["rows"]) == ("No votes yet.", [], [])
    undecided = card.verdict_value(verdicts.verdict(ballots((TIE, 2)), "Tuned", "Base"))
    assert (len(undecided["parts"]), undecided["rows"]) == (4, [])


def test_groups_are_drawn_with_their_votes_in_words(votes):
    value = groups_value("specialty", verdicts.by(votes, "specialty", "Tuned", "Base"))
    assert [row["name"] for row in value["rows"]] == ["No specialty given", "Cardiology"]
    assert value["rows"][1]["votes"] == "17 to 9, 4 ties, 2 both bad"
    assert all(row["is_unsure"] and row["has_range"] for row in value["rows"])
    assert groups_value("task", [])["empty"] == "No blind votes between these two sides yet."


def test_the_ranking_says_who_is_tied_and_what_is_left_out(votes):
    votes = [*votes, *(replace(vote, prompt=f"m{at}") for at, vote in enumerate(votes))]
    more = [*votes, *(replace(vote, other="Third", prompt=f"t{at}") for at, vote in enumerate(votes))]
    value = ranking_value(verdicts.ranking(more), hues={"Base": "base"})
    assert [(row["name"], row["rank"], row["tied"]) for row in value["rows"]] == [
        ("Tuned", "1", ""),
        ("Base", "2", "tied"),
        ("Third", "2", "tied"),
    ]
    assert [row["hue"] for row in value["rows"]] == ["tuned", "base", "tuned"]
    assert "240 votes, 32 of them ties; left out: 16 both bad" in value["method"]
    assert ranking_value(verdicts.ranking([]))["empty"] == "No votes yet."


def test_the_rubric_shows_shares_bounds_and_differences(votes):
    found = verdicts.axes(votes, rubric.DEFAULT, "Tuned", "Base")
    value = axes_value(found)
    [harm] = value["rows"]
    tuned, base = harm["sides"]
    assert (harm["title"], harm["seen"], harm["span"]) == ("Harm if followed", "share of any but none", 2)
    assert tuned["words"] == "no harm seen in 64 answers: at most 4.6 % (95 %)"
    assert (base["spread"], base["figure"], base["words"]) == ("64 mild", "100 % (94–100 %)", "")
    assert harm["gain"].startswith("-100 (-100 to ")
    assert (harm["test"], harm["p"]) == ("exact McNemar test", "< 0.001")
    assert axes_value(verdicts.axes([], rubric.DEFAULT))["empty"] == "No answer is rated by the rubric yet."


def test_agreement_is_drawn_for_the_vote_and_for_each_item(votes):
    again = [replace(vote, rater=vote.rater + 10) for vote in votes]
    both = [*votes, *again]
    value = agreement_value(
        verdicts.preference_agreement(both), verdicts.axes(both, rubric.DEFAULT, "Tuned", "Base")
    )
    assert [row["name"] for row in value["rows"]][:2] == ["The vote", "Correct"]
    assert (value["rows"][0]["figure"], value["rows"][0]["note"]) == (
        "1.00 (1.00 to 1.00)",
        "raters agree in 100 %",
    )
    assert value["rows"][1]["figure"] == "not defined"


def test_every_view_is_made_with_a_value_its_template_reads():
    for view in (card.verdict_view(), groups_view(), ranking_view(), axes_view(), agreement_view()):
        assert "@" not in view.html_template
        assert "value.rows" in view.html_template
