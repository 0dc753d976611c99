"""When a run asks for a person: losses made by hand, the step and the kind reckoned by hand."""

from db.enums import AlertKind
from trainer.alarms import Alarms


def kinds(alarms, losses, total=10_000):
    """[(step, kind), ...] as the losses are logged one by one."""
    return [(step, kind) for step, loss in enumerate(losses, 1) for kind, _ in alarms.log(step, total, loss)]


def test_a_loss_far_above_its_lowest_for_long_has_diverged():
    # The mean of ten is 1.0 at step 10. From step 11 on each 2.0 lifts it by 0.1: at step 16 it is 1.6, above
    # 1.5 times the lowest. Twenty such points in a row end at step 35.
    assert kinds(Alarms(), [1.0] * 10 + [2.0] * 25)[:1] == [(35, AlertKind.DIVERGED)]


def test_a_short_spike_is_no_divergence():
    assert kinds(Alarms(), [1.0] * 10 + [4.0] * 3 + [0.9] * 30) == []


def test_a_loss_that_falls_no_more_is_a_plateau_once_two_stretches_of_fifty_agree():
    found = kinds(Alarms(), [2.0 - 0.02 * step for step in range(50)] + [1.0] * 100)
    # Flat from step 51 on; the mean of 51-100 equals that of 101-150 only at step 150. Before, the older
    # stretch still holds falling losses: at 149 its mean is above 1.0 by 0.02 / 50, less than half a percent.
    first, kind = found[0]
    assert kind is AlertKind.PLATEAU
    # The older fifty hold k falling losses, 1.02, 1.04, ...: their mean exceeds 1 by 0.02 k (k + 1) / 2 / 50,
    # which is at most 0.005 of it (0.00502...) for k = 4, at step 146.
    assert first == 146


def test_near_its_end_a_run_may_be_flat():
    assert kinds(Alarms(), [1.0] * 120, total=120) == []


def test_validation_loss_that_rises_twice_while_the_training_loss_falls_is_overfitting():
    alarms, found = Alarms(), []
    for look, (trained, validated) in enumerate([(2.0, 1.5), (1.5, 1.4), (1.0, 1.6), (0.5, 1.7)]):
        alarms.log(10 * look, 1000, trained)
        found.append([kind for kind, _ in alarms.look(10 * look + 5, validated)])
    assert found == [[], [], [], [AlertKind.OVERFITTING]]


def test_both_losses_rising_are_not_overfitting():
    alarms = Alarms()
    for look, (trained, validated) in enumerate([(1.0, 1.0), (1.5, 1.5), (2.0, 2.0), (2.5, 2.5)]):
        alarms.log(10 * look, 1000, trained)
        assert alarms.look(10 * look + 5, validated) == []


def test_what_it_knows_survives_a_checkpoint():
    alarms = Alarms()
    kinds(alarms, [1.0] * 10 + [2.0] * 24)
    again = Alarms(**alarms.to_json())
    assert [kind for kind, _ in again.log(35, 1000, 2.0)] == [AlertKind.DIVERGED]
