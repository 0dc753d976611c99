"""The fact table is whole: enough rows, no doubles, every link leads somewhere."""

import pytest

from trainer.starter import facts as fact_table
from trainer.starter.cases import Pool


def test_the_table_holds_enough_of_everything():
    facts = fact_table.load()
    assert len(facts.drugs) >= 150
    assert len(facts.genes) >= 100
    assert len(facts.conditions) >= 100


def test_no_name_stands_twice():
    facts = fact_table.load()
    for names in (
        [d.name for d in facts.drugs],
        [g.symbol for g in facts.genes],
        [c.name for c in facts.conditions],
    ):
        assert len(names) == len(set(names))


def test_every_indication_is_a_condition_of_the_table():
    facts = fact_table.load()
    known = {condition.name for condition in facts.conditions}
    assert {name for drug in facts.drugs for name in drug.treats} <= known


def test_no_cell_is_empty():
    facts = fact_table.load()
    for drug in facts.drugs:
        assert drug.kind
        assert all(drug.treats)
        assert all(drug.effects)
    for condition in facts.conditions:
        assert condition.plain
        assert condition.specialty
        assert all(condition.findings)
        assert all(condition.tests)


def test_a_row_with_a_missing_column_is_named_with_its_line(tmp_path, monkeypatch):
    (tmp_path / "genes.txt").write_text(
        "# gene | product | diseases\nBRCA1 | a repair protein\n", encoding="utf-8"
    )
    monkeypatch.setattr(fact_table, "TABLE", tmp_path)
    with pytest.raises(ValueError, match=r"genes\.txt line 2"):
        fact_table._rows("genes.txt", 3)


def test_a_case_links_only_what_the_table_links(rng):
    facts = fact_table.load()
    pool = Pool(facts)
    for _ in range(300):
        case = pool.case(rng)
        assert case.condition.name in case.drug.treats
        assert set(case.present) <= set(case.condition.findings)
        assert not set(case.denied) & set(case.condition.findings)
        assert case.test in case.condition.tests
        assert case.home_drug in {drug.name for drug in facts.drugs_for(case.history)}


def test_no_case_prescribes_what_clashes(rng):
    pool = Pool(fact_table.load())
    kinds = {drug.name: drug.kind for drug in pool.facts.drugs}
    for _ in range(2000):
        case = pool.case(rng)
        pair = {case.drug.kind, kinds[case.home_drug]}
        assert pair != {"nitrate", "phosphodiesterase 5 inhibitor"}
        assert not (case.history == "asthma" and case.drug.kind == "beta blocker")
