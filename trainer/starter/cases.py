"""Made-up patients drawn from the fact table: who they are, what they have, deny, take and are tested for.

Every link in a case (finding, test and drug of a condition) is in the table, so a note written from it is
medically true. It knows nothing of wording: `sentences.py` and `demo.py` write the notes.
"""

import random
from collections.abc import Iterable
from dataclasses import dataclass, field

from trainer.starter.clashes import clash
from trainer.starter.facts import Condition, Drug, Facts, Gene

CHRONIC = """type 2 diabetes; hypothyroidism; hypercholesterolemia; hypertension; atrial fibrillation; stable
angina; asthma; chronic obstructive pulmonary disease; gout; rheumatoid arthritis; osteoarthritis;
psoriasis; migraine; epilepsy; restless legs syndrome; major depressive disorder; generalized
anxiety disorder; gastroesophageal reflux disease; insomnia; ulcerative colitis; Crohn disease;
osteoporosis; open-angle glaucoma; allergic rhinitis; overactive bladder; heart failure; chronic
kidney disease; chronic urticaria; rosacea; narcolepsy; bipolar disorder; peripheral artery disease"""
WOMEN = {"gynecology", "obstetrics"}
MEN = {
    "benign prostatic hyperplasia",
    "erectile dysfunction",
    "prostate cancer",
    "Duchenne muscular dystrophy",
}
CHILDREN = {"pediatrics"}
CHILDHOOD = {"asthma", "allergic rhinitis"}
"""Chronic conditions that a young child may plausibly have."""
YOUNG = {"Duchenne muscular dystrophy", "phenylketonuria", "acute otitis media", "croup"}
OLD = {
    "Alzheimer disease",
    "giant cell arteritis",
    "polymyalgia rheumatica",
    "age-related macular degeneration",
}
AGES = {"preeclampsia": (19, 41), "menopausal vasomotor symptoms": (47, 58)}


@dataclass(frozen=True)
class Case:
    """One made-up patient. Names in `present` and `denied` never overlap."""

    age: int
    woman: bool
    condition: Condition
    present: tuple[str, ...]
    denied: tuple[str, ...]
    drug: Drug
    """Started at this visit, for the condition."""
    test: str
    history: str
    """An older, chronic condition."""
    home_drug: str
    """Taken for the history."""
    weeks: int

    @property
    def person(self) -> str:
        if self.age < 13:
            return "girl" if self.woman else "boy"
        return "woman" if self.woman else "man"

    def mentioned(self) -> set[str]:
        names = {self.condition.name, self.drug.name, self.test, self.history, self.home_drug}
        return names | set(self.present) | set(self.denied)


@dataclass
class Pool:
    """The part of the table that cases may draw on: all of it, or one side of the split."""

    facts: Facts
    treated: list[Condition] = field(init=False)
    chronic: list[Condition] = field(init=False)
    findings: list[str] = field(init=False)

    def __post_init__(self) -> None:
        names = {" ".join(name.split()) for name in CHRONIC.split(";")}
        self.by_condition = {c.name: self.facts.drugs_for(c.name) for c in self.facts.conditions}
        self.treated = [c for c in self.facts.conditions if self._treatable(c)]
        self.chronic = [c for c in self.treated if c.name in names]
        self.findings = sorted({finding for c in self.facts.conditions for finding in c.findings})

    def _treatable(self, c: Condition) -> bool:
        """Pregnancy is left out: what a pregnant woman may take is no matter for a small table."""
        return bool(self.by_condition[c.name] and c.findings and c.tests) and c.specialty != "obstetrics"

    def case(self, rng: random.Random) -> Case:
        condition = rng.choice(self.treated)
        woman = _is_woman(condition, rng)
        age = _age(condition, rng)
        drug, history, home = self._treatment(condition, age, rng)
        present = rng.sample(condition.findings, rng.randint(1, min(3, len(condition.findings))))
        barred = words_of((*condition.findings, *history.findings, condition.name, history.name))
        others = [finding for finding in self.findings if not words_of([finding]) & barred]
        return Case(
            age=age,
            woman=woman,
            condition=condition,
            present=tuple(present),
            denied=tuple(rng.sample(others, rng.randint(1, 3))),
            drug=drug,
            test=rng.choice(condition.tests),
            history=history.name,
            home_drug=home.name,
            weeks=rng.randint(2, 12),
        )

    def _treatment(self, condition: Condition, age: int, rng: random.Random) -> tuple[Drug, Condition, Drug]:
        """A drug to start, an older condition and its drug, drawn again until they go together."""
        while True:
            drug = rng.choice(self.by_condition[condition.name])
            history = rng.choice(self.chronic)
            home = rng.choice(self.by_condition[history.name])
            child = age < 13 and history.name not in CHILDHOOD
            if child or history == condition or history.name in drug.treats or condition.name in home.treats:
                continue
            if not clash(drug, home, condition.name, history.name):
                return drug, history, home

    def drug(self, rng: random.Random) -> Drug:
        return rng.choice(self.facts.drugs)

    def gene(self, rng: random.Random) -> Gene:
        return rng.choice(self.facts.genes)


def words_of(names: Iterable[str]) -> set[str]:
    """Names that share no word cannot be taken for one another: "chest pain" bars "pleuritic chest pain"."""
    return {word for name in names for word in name.lower().split()}


def _is_woman(condition: Condition, rng: random.Random) -> bool:
    if condition.specialty in WOMEN or condition.name in {"breast cancer", "ovarian cancer"}:
        return True
    return condition.name not in MEN and rng.random() < 0.5


def _age(condition: Condition, rng: random.Random) -> int:
    if condition.name in AGES:
        return rng.randint(*AGES[condition.name])
    if condition.specialty in CHILDREN or condition.name in YOUNG:
        return rng.randint(2, 9)
    if condition.name in OLD:
        return rng.randint(66, 88)
    if condition.specialty in WOMEN:
        return rng.randint(20, 46)
    return rng.randint(24, 84)
