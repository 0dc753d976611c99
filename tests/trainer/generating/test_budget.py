from db.generate_spec import GenerateSpec
from trainer.generating.budget import Budget


def budget(**given) -> Budget:
    return Budget(GenerateSpec(endpoint_id=1, **given), tokens=0, cost=0.0, seconds=0.0)


def test_what_is_under_way_counts_at_its_worst_until_it_is_settled():
    tokens = budget(budget_tokens=1000)
    assert tokens.reserve(600, 0.0)
    assert not tokens.reserve(600, 0.0)
    tokens.settle(600, 0.0, used_tokens=100, used_cost=0.0)
    assert tokens.reserve(600, 0.0)
    assert tokens.tokens == 100


def test_money_stops_a_run_too_and_the_sentence_names_it():
    money = budget(budget_money=1.0)
    assert money.reserve(10, 0.9)
    assert not money.reserve(10, 0.2)
    money.settle(10, 0.9, used_tokens=5, used_cost=0.9)
    assert money.explain(10, 0.2).startswith("budget money: 0.9000 of 1.0000 is spent")


def test_hours_count_those_of_earlier_attempts():
    hours = budget(budget_hours=1)
    hours.seconds = 3000.0
    assert not hours.is_late(599.0)
    assert hours.is_late(600.0)


def test_without_budgets_there_is_always_room():
    assert budget().reserve(10**9, 10**6)
    assert not budget().is_late(10**9)
