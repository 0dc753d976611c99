from collections import Counter
from itertools import combinations, pairwise
from random import Random

import pytest
from sqlalchemy import select

from db import rounds, rubric, users
from db.compare_spec import SideSpec
from db.policy import PolicyError
from db.rounds import deal
from db.session import read, write
from db.tables import Assignment, AuditLine, Project, RoundPair
from tests.db.compared import compare, pairs
from tests.db.compared import sides as sides

BASE, TUNED, OTHER = SideSpec(base_model_id=1), SideSpec(adapter_id=1), SideSpec(adapter_id=2)
RATERS = (11, 12, 13, 14, 15)


def create(people, project_id, made, *, raters=None, **given):
    raters = raters or (people.clinician, people.reviewer, people.trainer)
    with write() as session:
        return rounds.create(
            session, people.trainer, project_id, pairs=made, rater_ids=[rater.id for rater in raters],
            **{"title": "First look", **given},
        )  # fmt: skip


def test_every_pair_meets_as_many_raters_as_asked_and_all_raters_get_as_many_within_one():
    dealt = deal([(BASE, TUNED)] * 41, RATERS, 3, Random(0))
    assert set(Counter(pair for pair, *_ in dealt).values()) == {3}
    assert len({(pair, rater) for pair, rater, *_ in dealt}) == 41 * 3
    loads = Counter(rater for _, rater, *_ in dealt)
    assert max(loads.values()) - min(loads.values()) <= 1
    for rater in RATERS:
        places = sorted(position for _, of, position, _ in dealt if of == rater)
        assert places == list(range(len(places)))


def test_every_two_raters_share_pairs_so_that_agreement_can_be_measured():
    dealt = deal([(BASE, TUNED)] * 40, RATERS, 2, Random(1))
    of_pair: dict[int, set[int]] = {}
    for pair, rater, *_ in dealt:
        of_pair.setdefault(pair, set()).add(rater)
    met = Counter(couple for raters in of_pair.values() for couple in combinations(sorted(raters), 2))
    assert len(met) == 10  # every couple of five
    assert min(met.values()) >= 2


def test_raters_share_each_kind_of_pair_evenly():
    kinds = [(BASE, TUNED)] * 20 + [(BASE, OTHER)] * 10
    dealt = deal(kinds, RATERS, 1, Random(2))
    for kind, share in (((BASE, TUNED), 4), ((BASE, OTHER), 2)):
        assert set(Counter(rater for pair, rater, *_ in dealt if kinds[pair] == kind).values()) == {share}


@pytest.mark.parametrize("overlap", [2, 3, 4])
def test_half_of_a_pairs_raters_see_it_each_way_round(overlap):
    dealt = deal([(BASE, TUNED)] * 30, RATERS, overlap, Random(3))
    flips = Counter(pair for pair, _, _, flipped in dealt if flipped)
    assert {flips[pair] for pair in range(30)} <= {overlap // 2, (overlap + 1) // 2}


def test_a_raters_sides_are_coins_that_nobody_can_guess_from_those_before():
    """Over many rounds: the side, given the side before in the rater's order, is even; and so is a last one
    after all others, where a balance within the rater would give it away."""
    after_same = last_flipped = last_owed = seen = 0
    for seed in range(400):
        own = sorted(
            (position, flipped)
            for _, rater, position, flipped in deal([(BASE, TUNED)] * 10, RATERS[:2], 2, Random(seed))
            if rater == RATERS[0]
        )
        flips = [flipped for _, flipped in own]
        after_same += sum(one == after for one, after in pairwise(flips))
        seen += len(flips) - 1
        owed = sum(flips[:-1]) < len(flips[:-1]) / 2
        last_owed += flips[-1] == owed
        last_flipped += flips[-1]
    assert 0.46 < after_same / seen < 0.54
    assert 160 < last_flipped < 240
    assert 160 < last_owed < 240


def test_each_rater_has_an_order_of_their_own_and_a_seed_draws_the_same_again():
    dealt = deal([(BASE, TUNED)] * 20, RATERS, 5, Random(4))
    orders = {
        tuple(pair for pair, of, *_ in sorted(dealt, key=lambda one: one[2]) if of == rater)
        for rater in RATERS
    }
    assert len(orders) == len(RATERS)
    assert deal([(BASE, TUNED)] * 20, RATERS, 5, Random(4)) == dealt
    assert deal([(BASE, TUNED)] * 20, RATERS, 5, Random(5)) != dealt


def test_a_round_is_stored_with_its_rubric_its_pairs_and_an_audit_line(people, project_id, sides):
    made = pairs(people.trainer, project_id, sides, 4)
    id = create(people, project_id, [made[0], *((b, a) for a, b in made[1:])], rubric=rubric.DEFAULT).id
    with read() as session:
        round = rounds.get(session, project_id, id)
        assert [(pair.one_id, pair.other_id) for pair in round.pairs] == made
        assert rubric.of_round(round) == rubric.DEFAULT
        assert len(session.scalars(select(Assignment)).all()) == 12  # overlap 0: all raters
        line = session.scalars(select(AuditLine).order_by(AuditLine.id.desc())).first()
        assert (line.action, line.subject, line.subject_id) == ("created", "rounds", id)
        way = rounds.progress(session, id)
        assert [(one.name, one.total, one.left, one.last_at) for one in way] == [
            ("Clinician", 4, 4, None), ("Reviewer", 4, 4, None), ("Trainer", 4, 4, None),
        ]  # fmt: skip
        assert [one.id for one in rounds.list_open_for(session, people.clinician, project_id)] == [id]
        assert rounds.list_open_for(session, people.other_reviewer, project_id) == []


def test_a_round_is_refused_with_what_is_wrong(people, project_id, sides):
    made = pairs(people.trainer, project_id, sides, 2)
    _, empty = compare(people.trainer, project_id, {sides.base: "", sides.tuned: "Yes."})
    for given, sentence in (
        ({"title": " "}, "title: give the round a title"),
        ({"overlap": 4}, "overlap: 4 raters a pair cannot be; give 1 to 3"),
        ({"seed": -1}, "seed: -1 cannot be"),
        ({"raters": [people.clinician, people.clinician]}, "raters: one is chosen twice"),
        ({"raters": [people.author]}, "raters: Author may not compare answers"),
    ):
        with pytest.raises(ValueError, match=sentence):
            create(people, project_id, made, **given)
    for wrong, sentence in (
        ([], "pairs: 0 are chosen"),
        ([(made[0][0], made[1][1])], "each needs two answers to one prompt"),
        ([made[0], made[0][::-1]], "paired twice"),
        ([tuple(empty)], "has an empty answer"),
    ):
        with pytest.raises(ValueError, match=sentence):
            create(people, project_id, wrong)
    with write() as session:
        session.add(Project(name="Ward 8"))
    with pytest.raises(LookupError, match="no answer number"):
        create(people, project_id + 1, made)
    with read() as session:
        assert session.scalars(select(RoundPair)).all() == []


def test_only_who_leads_rounds_makes_closes_and_removes_them(people, project_id, sides):
    made = pairs(people.trainer, project_id, sides, 1)
    id = create(people, project_id, made).id
    for deed in (rounds.close, rounds.reopen, rounds.remove):
        with write() as session, pytest.raises(PolicyError, match="lead blind rounds"):
            deed(session, people.clinician, id)
    with write() as session:
        rounds.close(session, people.reviewer, id)
        assert rounds.list_open_for(session, people.clinician, project_id) == []
        rounds.reopen(session, people.reviewer, id)
        rounds.remove(session, people.reviewer, id)
        assert rounds.list_rounds(session, project_id) == []
        with pytest.raises(LookupError):
            rounds.get(session, project_id, id)
        rounds.remove(session, people.reviewer, id, removed=False)
        session.flush()
        told = [line.action for line in session.scalars(select(AuditLine).order_by(AuditLine.id))]
    assert told[-4:] == ["closed", "reopened_round", "deleted", "restored"]


def test_who_may_rate_are_active_people_who_may_compare(people):
    with write() as session:
        users.set_active(session, people.admin, people.other_reviewer.id, active=False)
        names = [user.full_name for user in rounds.list_raters(session)]
    assert names == ["Ada Admin", "Clinician", "Reviewer", "Trainer"]
