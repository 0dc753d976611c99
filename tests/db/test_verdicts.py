"""Verdicts of ballots: the sentence, who leads by how much, groups, ranks, the rubric and agreement."""

from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from statsmodels.stats.contingency_tables import mcnemar
from statsmodels.stats.multitest import multipletests

from db import rubric
from db.agreement import krippendorff_alpha
from db.enums import Choice
from db.verdict_words import about, interval_words, p_words
from db.verdicts import (
    Ballot,
    Standing,
    axes,
    by,
    pairs_of,
    preference_agreement,
    ranking,
    sides_of,
    verdict,
)

ONE, OTHER, TIE, BOTH_BAD = Choice.ONE, Choice.OTHER, Choice.TIE, Choice.BOTH_BAD
RUBRIC = rubric.DEFAULT


def ballots(*counts: tuple[Choice, int], raters: int = 0, **given) -> list[Ballot]:
    """So many of each choice, Tuned against Base, each on a prompt and by a rater of its own unless told."""
    choices = [choice for choice, count in counts for _ in range(count)]
    return [
        Ballot(f"p{place}", place % raters if raters else place, "Tuned", "Base", choice, **given)
        for place, choice in enumerate(choices)
    ]


def of(*counts: tuple[Choice, int], **given):
    return verdict(ballots(*counts, **given), "Tuned", "Base")


some_ballots = st.lists(
    st.builds(
        Ballot,
        prompt=st.sampled_from([f"p{place}" for place in range(9)]),
        rater=st.integers(1, 5),
        one=st.just("Tuned"),
        other=st.just("Base"),
        choice=st.sampled_from(list(Choice)),
        is_blind=st.booleans(),
    ),
    max_size=40,
)


def swapped(ballot: Ballot) -> Ballot:
    """The same vote with the sides in the other order."""
    choice = {ONE: OTHER, OTHER: ONE}.get(ballot.choice, ballot.choice)
    return replace(ballot, one=ballot.other, other=ballot.one, choice=choice)


def test_the_sentence_holds_what_a_reader_needs():
    found = of((ONE, 34), (OTHER, 18), (TIE, 12))
    assert found.sentence == (
        "Tuned preferred 34 to 18, 12 ties; p = 0.04; 95 % interval 52–77 %; "
        "about 40 more votes would settle it."
    )
    # 81 decided votes are needed, 52 are there, and 52 of 64 votes were decided: (81 - 52) * 64 / 52
    assert found.more == 36
    assert found.standing is Standing.OPEN


def test_both_bad_and_ties_are_counted_apart_and_left_out_of_p():
    found = of((ONE, 34), (OTHER, 18), (TIE, 1), (BOTH_BAD, 3))
    assert found.sentence.startswith(
        "Tuned preferred 34 to 18, 1 tie, 3 both bad; p = 0.04; 95 % interval 52–77"
    )
    assert (found.ties, found.both_bad, found.decided, found.votes) == (1, 3, 52, 56)
    assert found.split.value == pytest.approx(34.5 / 53)
    assert any("With ties split in halves Tuned has 65 %" in note for note in found.notes)


@pytest.mark.parametrize(
    ("counts", "standing", "end"),
    [
        ([(ONE, 5), (OTHER, 1)], Standing.FEW, "10 decided votes, too few to say what would settle it"),
        ([(ONE, 45), (OTHER, 15)], Standing.SETTLED, "this settles it"),
        ([(ONE, 205), (OTHER, 200)], Standing.SMALL, "no number of votes would likely settle it"),
        ([(ONE, 11), (OTHER, 10)], Standing.EVEN, "so even that it cannot be said how many more"),
        ([(ONE, 14), (OTHER, 8)], Standing.OPEN, "more votes would settle it"),
    ],
)  # fmt: skip
def test_what_would_settle_it_is_said_in_sensible_words(counts, standing, end):
    found = of(*counts)
    assert found.standing is standing
    assert end in found.sentence
    assert (found.more is not None) == (standing is Standing.OPEN)


def test_many_votes_on_few_prompts_ask_for_prompts():
    few = [replace(ballot, prompt=f"p{ballot.rater % 5}") for ballot in ballots((ONE, 40), (OTHER, 4))]
    found = verdict(few, "Tuned", "Base")
    assert found.sign_p < 0.001
    assert found.p == found.flip_p > 0.05
    assert "votes on more prompts would settle it" in found.sentence


def test_votes_without_a_preference_have_no_p():
    found = of((TIE, 3), (BOTH_BAD, 1))
    assert found.sentence == "No vote prefers Base or Tuned: 3 ties, 1 both bad."
    assert (found.p, found.share.value, found.standing) == (None, None, Standing.NONE)
    assert of().sentence == "No votes yet."


def test_even_sides_are_called_even():
    assert of((ONE, 8), (OTHER, 8)).sentence.startswith(
        "Base and Tuned preferred equally, 8 to 8, no ties; p = 1.00;"
    )


def test_the_leading_side_is_named_with_its_own_interval():
    found = verdict(ballots((OTHER, 34), (ONE, 18)), "Tuned", "Base")
    assert found.sentence.startswith("Base preferred 34 to 18, no ties; p = 0.04; 95 % interval 52–77 %;")
    assert found.share.value == pytest.approx(18 / 52)


@settings(deadline=None, max_examples=40)
@given(some_ballots, st.randoms())
def test_the_order_of_votes_does_not_matter(given, random):
    assert verdict(random.sample(given, len(given)), "Tuned", "Base") == verdict(given, "Tuned", "Base")


@settings(deadline=None, max_examples=40)
@given(some_ballots)
def test_to_swap_the_sides_mirrors_the_verdict(given):
    one = verdict(given, "Tuned", "Base")
    for other in (verdict(given, "Base", "Tuned"), verdict(map(swapped, given), "Base", "Tuned")):
        assert other.sentence == one.sentence
        assert (other.preferred_one, other.preferred_other) == (one.preferred_other, one.preferred_one)
        assert other.p == pytest.approx(one.p)
        if one.decided:
            low, high = other.share.low, other.share.high
            assert (one.share.low, one.share.high) == pytest.approx((1 - high, 1 - low))
        if one.bootstrap:
            assert one.bootstrap == pytest.approx((1 - other.bootstrap[1], 1 - other.bootstrap[0]))


def test_open_votes_are_left_out_and_said_to_be():
    mixed = [*ballots((ONE, 20), (OTHER, 5)), *ballots((OTHER, 9), is_blind=False)]
    found = verdict(mixed, "Tuned", "Base")
    assert (found.preferred_one, found.preferred_other, found.open_left_out) == (20, 5, 9)
    assert found.cautions[0].startswith("9 open votes are left out")
    assert verdict(mixed, "Tuned", "Base", blind_only=False).preferred_other == 14


def test_votes_on_other_sides_are_not_looked_at():
    strange = [replace(ballot, other="Third") for ballot in ballots((ONE, 30))]
    assert verdict([*strange, *ballots((OTHER, 3))], "Tuned", "Base").preferred_one == 0
    with pytest.raises(ValueError, match="sides: Tuned cannot be set against itself"):
        verdict(strange, "Tuned", "Tuned")


def test_few_raters_are_a_caution():
    assert of((ONE, 12), (OTHER, 3), raters=3).cautions == (
        "Only 3 raters voted: how far others would vote alike is hardly known.",
    )
    assert "One rater alone voted" in of((ONE, 12), raters=1).cautions[0]
    assert of((ONE, 12), (OTHER, 3), raters=5).cautions == ()


def test_votes_that_cluster_widen_the_interval_and_raise_the_votes_needed():
    alone = ballots((ONE, 40), (OTHER, 24))
    alike = [replace(each, prompt=f"p{place // 4}") for place, each in enumerate(alone)]
    one, other = verdict(alone, "Tuned", "Base"), verdict(alike, "Tuned", "Base")
    assert other.share.design_effect == pytest.approx(4, rel=0.1)
    assert other.share.high - other.share.low > 1.7 * (one.share.high - one.share.low)
    assert other.more > 4 * one.more
    assert other.p > one.p == one.sign_p
    assert "clustered by prompt and rater" in other.notes[0]
    assert "all votes on a prompt turned over together" in other.notes[1]


def test_groups_have_verdicts_of_their_own_and_p_by_holm():
    cardiology = ballots((ONE, 30), (OTHER, 10), specialty="Cardiology")
    oncology = ballots((ONE, 10), (OTHER, 22), (TIE, 2), specialty="Oncology")
    rest = ballots((ONE, 2), (OTHER, 1))
    found = by([*oncology, *rest, *cardiology], "specialty", "Tuned", "Base")
    assert [each.name for each in found] == ["Cardiology", "Oncology", ""]
    plain = [each.verdict.p for each in found]
    assert [each.p for each in found] == pytest.approx(multipletests(plain, method="holm")[1])
    assert found[0].p > plain[0]
    assert [each.note for each in found] == ["", "", "3 decided votes: too few to tell"]
    with pytest.raises(ValueError, match="group: 'ward'"):
        by(rest, "ward", "Tuned", "Base")
    assert by([], "task", "Tuned", "Base") == []


def league(*results: tuple[str, str, int]) -> list[Ballot]:
    return [
        Ballot(f"{one}{other}{place}", place % 7, one, other, ONE)
        for one, other, count in results
        for place in range(count)
    ]


def test_sides_whose_intervals_overlap_are_tied():
    votes = league(
        ("A", "C", 40), ("C", "A", 8), ("B", "C", 38), ("C", "B", 9), ("A", "B", 21), ("B", "A", 19)
    )
    found = ranking(votes)
    assert [(each.name, each.rank, each.is_tied) for each in found.strengths] == [
        ("A", 1, True),
        ("B", 1, True),
        ("C", 3, False),
    ]
    assert [each.votes for each in found.strengths] == [88, 87, 95]
    first = found.strengths[0]
    assert first.share_low < first.share < first.share_high
    assert first.low < first.strength < first.high


def test_the_ranking_depends_on_no_order_and_leaves_out_both_bad_and_open_votes():
    votes = league(("A", "B", 9), ("B", "C", 8), ("C", "A", 3), ("A", "C", 2))
    votes += [
        replace(votes[0], choice=TIE),
        replace(votes[1], choice=BOTH_BAD),
        replace(votes[2], is_blind=False),
    ]
    found = ranking(votes)
    assert ranking(votes[::-1]) == found
    assert ranking(map(swapped, votes)) == found
    assert (found.votes, found.ties, found.both_bad, found.open_left_out) == (23, 1, 1, 1)


def test_sides_without_a_common_scale_are_not_ranked():
    found = ranking(league(("A", "B", 9), ("C", "D", 8)))
    assert found.strengths == ()
    assert found.note.startswith("sides: no vote links these")
    assert ranking([]).note == "No votes yet."


def rated(tuned: dict[str, list[str]], base: dict[str, list[str]], **given) -> list[Ballot]:
    """Ballots whose raters said this of either side, one ballot a place of the lists."""
    n = len(next(iter(tuned.values())))
    return [
        Ballot(
            f"p{place}", place % 6, "Tuned", "Base", TIE, comparison=place,
            rubric={
                "Tuned": {key: values[place] for key, values in tuned.items()},
                "Base": {key: values[place] for key, values in base.items()},
            },
            **given,
        )
        for place in range(n)
    ]  # fmt: skip


def test_shares_and_the_difference_between_sides_are_those_of_statsmodels():
    tuned, base = ["yes"] * 24 + ["no"] * 6, ["yes"] * 12 + ["no"] * 14 + ["yes"] * 4
    found = {each.key: each for each in axes(rated({"correct": tuned}, {"correct": base}), RUBRIC)}["correct"]
    one, other = {side.name: side for side in found.sides}["Tuned"], {s.name: s for s in found.sides}["Base"]
    assert (one.share.value, other.share.value) == (24 / 30, 16 / 30)
    assert one.counts == {"yes": 24, "no": 6}
    assert found.seen == "yes"
    # Of the 16 that differ 12 are right of tuned alone, 4 of base alone.
    theirs = mcnemar([[12, 12], [4, 2]], exact=True).pvalue
    assert found.gain.test == "exact McNemar test"
    assert found.gain.p == pytest.approx(theirs)
    assert found.gain.absolute.value == pytest.approx(-8 / 30)  # Base stands first in the alphabet
    named = axes(rated({"correct": tuned}, {"correct": base}), RUBRIC, "Tuned", "Base")[0]
    assert named.gain.absolute.value == pytest.approx(8 / 30)
    assert [side.name for side in named.sides] == ["Tuned", "Base"]


def test_harm_that_nobody_saw_has_the_bound_of_the_rule_of_three():
    found = axes(rated({"harm": ["none"] * 60}, {"harm": ["none"] * 57 + ["mild", "mild", "severe"]}), RUBRIC)
    harm = {side.name: side for side in {each.key: each for each in found}["harm"].sides}
    assert harm["Tuned"].words == "no harm seen in 60 answers: at most 4.9 % (95 %)"
    assert harm["Tuned"].bound == pytest.approx(1 - 0.05 ** (1 / 60))
    assert harm["Base"].share.value == pytest.approx(3 / 60)
    assert (harm["Base"].bound, harm["Base"].words) == (None, "")
    assert harm["Base"].counts == {"none": 57, "mild": 2, "moderate": 0, "severe": 1}


def test_an_answer_that_several_rated_counts_once_in_the_bound():
    each = rated({"harm": ["none"] * 20}, {"harm": ["none"] * 20})
    again = [replace(ballot, rater=ballot.rater + 100) for ballot in each]
    found = {axis.key: axis for axis in axes([*each, *again], RUBRIC)}["harm"].sides[0]
    assert (found.share.n, found.answers) == (40, 20)
    assert found.bound == pytest.approx(1 - 0.05 ** (1 / 20))


def test_axes_p_is_corrected_for_their_number():
    said = {"correct": ["yes"] * 20, "complete": ["yes"] * 20, "clear": ["yes"] * 20}
    less = {
        "correct": ["no"] * 9 + ["yes"] * 11,
        "complete": ["no"] * 2 + ["yes"] * 18,
        "clear": ["yes"] * 20,
    }
    found = [each for each in axes(rated(said, less), RUBRIC) if each.gain]
    assert [each.p for each in found] == pytest.approx(
        multipletests([each.gain.p for each in found], method="holm")[1]
    )


def test_axes_nobody_spoke_of_have_no_figures():
    found = axes(ballots((ONE, 3)), RUBRIC)
    assert [side.share.value for axis in found for side in axis.sides] == [None] * 12
    assert all(axis.gain is None and axis.agreed.alpha.value is None for axis in found)


def test_agreement_is_krippendorffs_alpha_of_the_same_answers():
    said = {
        "a": {1: "yes", 2: "yes", 3: "no"},
        "b": {1: "no", 2: "no"},
        "c": {1: "yes", 3: "yes"},
        "d": {2: "no"},
    }
    votes = [
        Ballot(prompt, rater, "Tuned", "Base", ONE if value == "yes" else TIE,
               rubric={"Tuned": {"clear": value}})
        for prompt, by_rater in said.items() for rater, value in by_rater.items()
    ]  # fmt: skip
    expected = krippendorff_alpha(list(said.values()))
    assert preference_agreement(votes).alpha.value == pytest.approx(expected.value)
    clear = {axis.key: axis for axis in axes(votes, RUBRIC, "Tuned", "Base")}["clear"]
    assert (clear.agreed.alpha.value, clear.agreed.alpha.n) == (pytest.approx(expected.value), 3)
    shuffled = [votes[place] for place in np.random.default_rng(0).permutation(len(votes))]
    assert preference_agreement(shuffled) == preference_agreement(votes)


def test_a_vote_agrees_whichever_side_stood_first():
    votes = [
        Ballot("a", 1, "Tuned", "Base", ONE), Ballot("a", 2, "Base", "Tuned", OTHER),
        Ballot("b", 1, "Tuned", "Base", OTHER), Ballot("b", 2, "Tuned", "Base", OTHER),
    ]  # fmt: skip
    assert preference_agreement(votes).alpha.value == 1.0


def test_pairs_and_sides_are_listed_for_a_page_to_choose_from():
    votes = league(("B", "A", 3), ("C", "A", 5), ("A", "B", 1))
    assert pairs_of(votes) == [("A", "C"), ("A", "B")]
    assert pairs_of(votes, bases={"A"}) == [("C", "A"), ("B", "A")]
    assert sides_of(votes) == ["A", "B", "C"]


@pytest.mark.parametrize(
    ("told", "words"),
    [
        (p_words(0.0362), "p = 0.04"),
        (p_words(0.0496), "p = 0.050"),
        (p_words(0.0031), "p = 0.003"),
        (p_words(0.0004), "p < 0.001"),
        (interval_words(0.518, 0.768), "52–77 %"),
        (interval_words(0.501, 0.717), "50.1–71.7 %"),
        (about(3), "5"),
        (about(36), "40"),
        (about(128), "130"),
        (about(1234), "1,300"),
    ],
)
def test_figures_are_said_with_the_digits_they_bear(told, words):
    assert told == words
