"""The regression gate: what an adapter may lose on general tasks, and that a failing one stays here."""

import pytest

from db import adapter_cards, evaluations, exports, gates, registry
from db.export_spec import ExportSpec
from db.gates import State
from db.policy import PolicyError
from db.session import read, write
from db.tables import Job
from tests.db.evaluated import evaluate, make_setting

ROWS = 50  # a row is 2 points


@pytest.fixture
def setting(people, project_id):
    return make_setting(people, project_id, rows=ROWS)


def right(number):
    return [True] * number + [False] * (ROWS - number)


def verdict(setting):
    with read() as session:
        return gates.verdict(session, registry.get_adapter(session, setting.adapter_id))


def test_a_loss_beyond_the_bound_fails_and_one_at_the_bound_does_not(setting):
    evaluate(setting, right(40), "General")
    evaluate(setting, right(39), "General", adapter=True)
    found = verdict(setting)
    assert (found.state, found.points) == (State.PASSED, 2.0)
    assert found.held[0].points == pytest.approx(-2)
    evaluate(setting, right(30), "General", adapter=True)
    found = verdict(setting)
    [lost] = found.failed
    assert found.state is State.FAILED
    assert (lost.task, round(lost.points, 6)) == ("General", -20)
    assert lost.low < -20 < lost.high < 0
    assert lost.excludes_zero
    assert "General lost 20.0 points" in found.sentence
    assert "the interval excludes 0" in found.sentence


def test_a_small_loss_may_fail_and_still_not_be_sure(setting):
    evaluate(setting, right(40), "General")
    evaluate(setting, right(38), "General", adapter=True)
    [lost] = verdict(setting).failed
    assert lost.points == pytest.approx(-4)
    assert lost.excludes_zero is False


def test_without_a_score_of_both_nothing_is_said(setting):
    assert verdict(setting).missing == ("General has no score of the adapter.",)
    evaluate(setting, right(40), "General", adapter=True)
    found = verdict(setting)
    assert found.state is State.NOT_MEASURED
    assert found.sentence == "Not measured: General has no score of the base."


def test_tasks_that_are_not_general_are_not_looked_at(setting):
    evaluate(setting, right(40))
    evaluate(setting, right(0), adapter=True)
    assert verdict(setting).state is State.NOT_MEASURED
    with read() as session:
        assert gates.count_general(session, setting.project_id) == 1


def test_the_bound_is_the_projects_and_an_admins_to_set(setting):
    evaluate(setting, right(40), "General")
    evaluate(setting, right(38), "General", adapter=True)
    with write() as session, pytest.raises(PolicyError):
        gates.set_points(session, setting.people.trainer, setting.project_id, 5)
    with write() as session, pytest.raises(ValueError, match="^points: 101 is no bound"):
        gates.set_points(session, setting.people.admin, setting.project_id, 101)
    for points, state in ((5, State.PASSED), (1.5, State.FAILED), (None, State.NO_GATE)):
        with write() as session:
            gates.set_points(session, setting.people.admin, setting.project_id, points)
            assert gates.points_of(session, setting.project_id) == points
        assert verdict(setting).state is state


def test_a_failing_adapter_is_not_pushed_until_somebody_says_why(setting, monkeypatch):
    monkeypatch.setenv("HF_TOKEN", "hf_test")
    evaluate(setting, right(40), "General")
    evaluate(setting, right(30), "General", adapter=True)
    trainer, place = setting.people.trainer, setting.project_id
    push = ExportSpec(setting.adapter_id, repository="ward-7/copier")
    sentence = r"^repository: the adapter fails the regression gate \(General lost 20.0 points .*\); waive"
    with write() as session:
        with pytest.raises(ValueError, match=sentence):
            exports.start(session, trainer, place, push)
        assert isinstance(exports.start(session, trainer, place, ExportSpec(setting.adapter_id)), Job)
        with pytest.raises(PolicyError):
            gates.waive(session, setting.people.author, setting.adapter_id, "It is fine.")
        with pytest.raises(ValueError, match="^reason: say why"):
            gates.waive(session, trainer, setting.adapter_id, "  ")
        gates.waive(session, trainer, setting.adapter_id, "Only used for\nnotes.")
    assert verdict(setting).waiver.reason == "Only used for notes."
    with write() as session:
        assert exports.start(session, trainer, place, push).spec["repository"] == "ward-7/copier"
        gates.withdraw_waiver(session, trainer, setting.adapter_id)
        with pytest.raises(ValueError, match=sentence):
            exports.start(session, trainer, place, push)


def test_the_card_carries_the_scores_and_the_gates_word(setting):
    def card():
        with read() as session:
            return adapter_cards.adapter_card(session, setting.adapter_id)

    assert "## Evaluation\n\nNot measured yet." in card()
    evaluate(setting, right(40), "General")
    tuned = evaluate(setting, right(30), "General", adapter=True, without=range(10))
    evaluate(setting, right(10), adapter=True)
    text = card()
    assert "| General (generation) | Accuracy | 50 | 80.0 (" in text
    assert "| 60.0 (" in text
    assert "| -20.0 (" in text
    assert "| the same without those rows | Accuracy | 40 | | 50.0 (" in text
    assert "| Letters (generation) | Accuracy | 50 | not measured | 20.0 (" in text
    assert "Regression gate. Failed, for more than 2 points: General lost 20.0 points" in text
    with write() as session:
        evaluations.remove(session, setting.people.trainer, setting.project_id, tuned)
    assert "General has no score of the adapter" in card()
