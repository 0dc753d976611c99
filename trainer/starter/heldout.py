"""The split of the fact table: what tuning may see and what only the test asks about.

Conditions are split by the list below; findings, tests, drugs, adverse effects and genes follow from it, so
that no name stands on both sides. The base has read all of them in its training text; tuning sees the one
side only.
"""

from collections import Counter
from dataclasses import replace
from hashlib import sha256

from trainer.starter.facts import Facts

HELD_CONDITIONS = """hypothyroidism; acromegaly; hyperprolactinemia; atrial fibrillation; pericarditis;
peripheral artery disease; pulmonary embolism; chronic obstructive pulmonary disease;
narcolepsy; influenza; malaria; herpes zoster; scabies; urinary tract infection; benign
prostatic hyperplasia; gout; systemic lupus erythematosus; giant cell arteritis;
osteoporosis; Parkinson disease; myasthenia gravis; Huntington disease; trigeminal
neuralgia; bipolar disorder; opioid use disorder; peptic ulcer disease; ulcerative
colitis; primary biliary cholangitis; sickle cell disease; multiple myeloma; melanoma;
psoriasis; allergic rhinitis; open-angle glaucoma; endometriosis; cystic fibrosis;
Kawasaki disease; restless legs syndrome; Wilson disease; hyperkalemia"""
SHARED_BY = 3
"""A finding or test that this many tuning conditions have is too common to hold out."""


def held_conditions() -> set[str]:
    return {" ".join(name.split()) for name in HELD_CONDITIONS.split(";")}


def split(facts: Facts) -> tuple[Facts, Facts]:
    """(tuning side, held-out side). No drug, gene, condition, finding, test or adverse effect is on both."""
    held = held_conditions()
    findings = _held_names(facts, "findings")
    tests = _held_names(facts, "tests")
    known = {name for c in facts.conditions for name in c.findings} - findings
    effects = {e for d in facts.drugs for e in d.effects if e in findings or (e not in known and _draw(e, 3))}
    diseases = held | {d for g in facts.genes for d in g.diseases if _draw(d, 4)}
    tune = Facts(
        drugs=tuple(
            replace(d, effects=_without(d.effects, effects)) for d in facts.drugs if not held & set(d.treats)
        ),
        genes=tuple(g for g in facts.genes if not diseases & set(g.diseases)),
        conditions=tuple(
            replace(c, findings=_without(c.findings, findings), tests=_without(c.tests, tests))
            for c in facts.conditions
            if c.name not in held
        ),
        plain=facts.plain,
    )
    test = Facts(
        drugs=tuple(
            replace(d, treats=_within(d.treats, held), effects=_within(d.effects, effects))
            for d in facts.drugs
            if held & set(d.treats)
        ),
        genes=tuple(
            replace(g, diseases=_within(g.diseases, diseases))
            for g in facts.genes
            if diseases & set(g.diseases)
        ),
        conditions=tuple(
            replace(c, findings=_within(c.findings, findings), tests=_within(c.tests, tests))
            for c in facts.conditions
            if c.name in held
        ),
        plain=facts.plain,
    )
    return tune, _apart(test, tune)


def names(facts: Facts) -> set[str]:
    """Every name of one side, in lower case: what must not stand on the other."""
    found = {name for c in facts.conditions for name in (c.name, *c.findings, *c.tests)}
    found |= {name for d in facts.drugs for name in (d.name, *d.treats, *d.effects)}
    found |= {name for g in facts.genes for name in (g.symbol, *g.diseases)}
    return {name.lower() for name in found}


def _held_names(facts: Facts, column: str) -> set[str]:
    """Findings or tests of held-out conditions that are not common among the others."""
    held = held_conditions()
    common = Counter(name for c in facts.conditions if c.name not in held for name in getattr(c, column))
    return {
        name
        for c in facts.conditions
        if c.name in held
        for name in getattr(c, column)
        if common[name] < SHARED_BY
    }


def _apart(test: Facts, tune: Facts) -> Facts:
    """Drops from the held-out side what the tuning side names in another role, as an adverse effect, say."""
    seen = names(tune)

    def keep(column: tuple[str, ...]) -> tuple[str, ...]:
        return tuple(name for name in column if name.lower() not in seen)

    return Facts(
        drugs=tuple(
            replace(d, treats=keep(d.treats), effects=keep(d.effects))
            for d in test.drugs
            if d.name.lower() not in seen
        ),
        genes=tuple(replace(g, diseases=keep(g.diseases)) for g in test.genes if keep(g.diseases)),
        conditions=tuple(
            replace(c, findings=keep(c.findings), tests=keep(c.tests))
            for c in test.conditions
            if c.name.lower() not in seen
        ),
        plain=test.plain,
    )


def _draw(name: str, one_in: int) -> bool:
    return sha256(name.encode()).digest()[0] % one_in == 0


def _without(column: tuple[str, ...], names: set[str]) -> tuple[str, ...]:
    return tuple(name for name in column if name not in names)


def _within(column: tuple[str, ...], names: set[str]) -> tuple[str, ...]:
    return tuple(name for name in column if name in names)
