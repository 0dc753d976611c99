"""Writes the demo set: `python -m trainer.starter.demo` -> db/samples/demo-train.jsonl and demo-test.jsonl.

Instructions in QA, IE and GEN made by code from the fact table. The test part uses names, facts, note
sentences and instruction wordings that the tuning part never shows. It knows nothing of models. One line:
{"instruction": ..., "input": ..., "output": ..., "category": "QA", "task": "yes_no_qa", "specialty": ...,
"difficulty": 2, "tags": [...], "source": "demo set, written by code"}
"""

import argparse
import json
import random
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path

from trainer.starter import demo_passages as passages
from trainer.starter import demo_wordings as words
from trainer.starter import facts as fact_table
from trainer.starter.cases import Case, Pool, words_of
from trainer.starter.demo_passages import Wordings
from trainer.starter.facts import Facts
from trainer.starter.heldout import split
from trainer.starter.wording import chosen, fill, joined, sentence_case, with_article

SAMPLES = Path(__file__).parents[2] / "db" / "samples"
SOURCE = "demo set, written by code"
COUNTS = {
    "yes_no": (700, 50),
    "claim": (900, 50),
    "choice": (600, 50),
    "short": (900, 50),
    "ner": (620, 60),
    "status": (300, 30),
    "label": (200, 30),
    "gene": (80, 20),
    "summary": (260, 50),
    "patient": (260, 50),
    "leaflet": (160, 40),
}
"""Task -> rows to make for tuning and for the test, before doubles are dropped."""


@dataclass
class Note:
    case: Case
    text: str
    said: frozenset[str]
    """Parts of the case that the text states: "present" and "condition" always, the others often."""


@dataclass
class Side:
    """One side of the split: its facts, its wordings, its dice."""

    facts: Facts
    test: bool
    rng: random.Random

    def __post_init__(self) -> None:
        self.pool = Pool(self.facts)

    def pick(self, wordings: Wordings) -> str:
        return chosen(self.rng.choice(wordings.test if self.test else wordings.tune), self.rng)

    def note(self, *needed: str) -> Note:
        """A clinic note that states at least the parts named."""
        case, rng = self.pool.case(self.rng), self.rng
        keys = [k for k in passages.NOTE if k in ("present", "condition", *needed) or rng.random() < 0.7]
        he = "she" if case.woman else "he"
        aged = with_article(case.age)
        slots = {
            "aged": aged,
            "Aged": sentence_case(aged),
            "person": case.person,
            "he": he,
            "He": sentence_case(he),
            "specialty": case.condition.specialty,
            "present": joined(list(case.present), rng),
            "either": joined(list(case.denied), rng, "or"),
            "history": case.history,
            "home": case.home_drug,
            "test": case.test,
            "condition": case.condition.name,
            "drug": case.drug.name,
            "weeks": case.weeks,
        }
        text = " ".join(fill(self.pick(passages.NOTE[key]), rng, **slots) for key in keys)
        return Note(case, text, frozenset(keys))


def row(
    category: str,
    task: str,
    instruction: str,
    text: str,
    output: str,
    specialty: str,
    difficulty: int,
    *tags: str,
) -> dict:
    return {
        "instruction": instruction,
        "input": text,
        "output": output,
        "category": category,
        "task": task,
        "specialty": specialty,
        "difficulty": difficulty,
        "tags": ["demo", *tags],
        "source": SOURCE,
    }


def yes_no(side: Side) -> dict:
    note = side.note("denied")
    present = side.rng.random() < 0.5
    name = side.rng.choice(note.case.present if present else note.case.denied)
    ask = side.pick(words.YES_NO).format(name=name, Name=sentence_case(name))
    return row(
        "QA",
        "yes_no_qa",
        ask,
        note.text,
        "yes" if present else "no",
        note.case.condition.specialty,
        2,
        "negation",
    )


def claim(side: Side) -> dict:
    """Supported, contradicted or not mentioned, a third each: a finding, the new drug or the diagnosis."""
    note = side.note("denied", "history", "drug")
    verdict = side.rng.choice(("supported", "contradicted", "not mentioned"))
    kind = side.rng.choice(("finding", "finding", "drug", "condition"))
    name = _claimed(side, note.case, kind, verdict)
    text = side.pick(words.CLAIMS[kind]).format(name=name, Name=sentence_case(name))
    ask = side.pick(words.CLAIM).format(claim=text)
    return row(
        "QA", "natural_language_inference", ask, note.text, verdict, note.case.condition.specialty, 3, "nli"
    )


def _claimed(side: Side, case: Case, kind: str, verdict: str) -> str:
    right = {"finding": case.present, "drug": (case.drug.name,), "condition": (case.condition.name,)}[kind]
    wrong = {"finding": case.denied, "drug": (case.home_drug,), "condition": (case.history,)}[kind]
    if verdict == "not mentioned":
        return side.rng.choice(_unmentioned(side, case, "condition" if kind == "condition" else kind))
    return side.rng.choice(right if verdict == "supported" else wrong)


def _unmentioned(side: Side, case: Case, kind: str) -> list[str]:
    """Names of one type that share no word with anything in the case."""
    names = {
        "finding": side.pool.findings,
        "drug": [drug.name for drug in side.facts.drugs],
        "condition": [condition.name for condition in side.pool.treated],
    }[kind]
    barred = words_of(case.mentioned())
    return [name for name in names if not words_of([name]) & barred]


def choice(side: Side) -> dict:
    """Four options, always with the tempting one that the note names in another role."""
    key = side.rng.choice(("drug", "condition", "home"))
    note = side.note("history", "drug")
    case = note.case
    right, tempting = {
        "drug": (case.drug.name, case.home_drug),
        "condition": (case.condition.name, case.history),
        "home": (case.home_drug, case.drug.name),
    }[key]
    others = side.rng.sample(_unmentioned(side, case, "condition" if key == "condition" else "drug"), 2)
    options = [right, tempting, *others]
    side.rng.shuffle(options)
    text = note.text + "\nOptions: " + "; ".join(options)
    return row(
        "QA",
        "multiple_choice",
        side.pick(words.CHOICE[key]),
        text,
        right,
        case.condition.specialty,
        3,
        "mcqa",
    )


def short(side: Side) -> dict:
    key = side.rng.choice(list(words.SHORT))
    note = side.note("history" if key == "home" else key)
    case = note.case
    answer = {
        "drug": case.drug.name,
        "home": case.home_drug,
        "condition": case.condition.name,
        "history": case.history,
        "test": case.test,
        "weeks": str(case.weeks),
    }[key]
    return row(
        "QA",
        "passage_qa",
        side.pick(words.SHORT[key]),
        note.text,
        answer,
        case.condition.specialty,
        2,
        "extractive",
    )


def ner(side: Side) -> dict:
    note = side.note()
    case, said = note.case, note.said
    entities = [("finding", name) for name in case.present]
    entities += [("finding", name) for name in case.denied if "denied" in said]
    entities += [("condition", case.condition.name)]
    entities += [("test", case.test)] * ("test" in said) + [("drug", case.drug.name)] * ("drug" in said)
    entities += [("condition", case.history), ("drug", case.home_drug)] * ("history" in said)
    return row(
        "IE",
        "named_entity_recognition",
        side.pick(words.NER),
        note.text,
        _lines(entities, note.text),
        case.condition.specialty,
        3,
        "ner",
    )


def status(side: Side) -> dict:
    note = side.note("denied")
    case = note.case
    entities = [("present", name) for name in case.present] + [("absent", name) for name in case.denied]
    return row(
        "IE",
        "negation_detection",
        side.pick(words.STATUS),
        note.text,
        _lines(entities, note.text),
        case.condition.specialty,
        3,
        "negation",
    )


def label(side: Side) -> dict:
    text, drug = _label(side)
    entities = (
        [("drug", drug.name)]
        + [("condition", t) for t in drug.treats]
        + [("effect", e) for e in drug.effects]
    )
    output = "\n".join(f"{kind}: {name}" for kind, name in entities)
    return row(
        "IE", "relation_extraction", side.pick(words.LABEL_IE), text, output, "pharmacology", 2, "relations"
    )


def _label(side: Side):
    drug = side.rng.choice([drug for drug in side.facts.drugs if drug.effects and drug.treats])
    slots = {"treats": joined(list(drug.treats), side.rng), "effects": joined(list(drug.effects), side.rng)}
    return fill(side.pick(passages.LABEL), side.rng, drug=drug.name, kind=drug.kind, **slots), drug


def gene(side: Side) -> dict:
    fact = side.rng.choice(side.facts.genes)
    slots = {"gene": fact.symbol, "product": fact.product, "diseases": joined(list(fact.diseases), side.rng)}
    text = fill(side.pick(passages.GENE), side.rng, **slots)
    output = "\n".join([f"gene: {fact.symbol}"] + [f"disease: {name}" for name in fact.diseases])
    return row(
        "IE", "gene_disease_relation", side.pick(words.GENE_IE), text, output, "genetics", 2, "relations"
    )


def _lines(entities: list[tuple[str, str]], text: str) -> str:
    """One `type: text` line each, in order of first mention."""
    placed = sorted(entities, key=lambda entity: text.lower().find(entity[1].lower()))
    return "\n".join(f"{kind}: {name}" for kind, name in placed)


def _joined(names: Iterable[str], last: str = "and") -> str:
    """References always join alike, without the comma that `joined` leaves to chance."""
    return f" {last} ".join(", ".join(names).rsplit(", ", 1))


def summary(side: Side) -> dict:
    note = side.note("drug")
    case, said = note.case, note.said
    aged = sentence_case(with_article(case.age))
    output = f"{aged} {case.person} with {_joined(case.present)} was diagnosed with {case.condition.name}"
    output += f" and started on {case.drug.name}"
    output += (
        f", on a background of {case.history} treated with {case.home_drug}" if "history" in said else ""
    )
    output += f", with review in {case.weeks} weeks." if "weeks" in said else "."
    return row(
        "GEN",
        "clinical_summarization",
        side.pick(words.SUMMARY),
        note.text,
        output,
        case.condition.specialty,
        3,
        "summarization",
    )


def patient(side: Side) -> dict:
    note = side.note("drug")
    case, said, plain = note.case, note.said, side.facts.plain
    came = _joined(plain.get(name, name) for name in case.present)
    output = (
        f"You came to us because of {came}. You have {case.condition.name}, which is {case.condition.plain}."
    )
    output += f" Start taking {case.drug.name}" + (
        f" and keep taking {case.home_drug}." if "history" in said else "."
    )
    output += f" Please come back in {case.weeks} weeks." if "weeks" in said else ""
    tags = ("plain language",)
    return row(
        "GEN",
        "lay_summary",
        side.pick(words.PATIENT),
        note.text,
        output,
        case.condition.specialty,
        4,
        *tags,
    )


def leaflet(side: Side) -> dict:
    text, drug = _label(side)
    effects = _joined((side.facts.plain.get(name, name) for name in drug.effects), "or")
    output = f"Your medicine {drug.name} is used to treat {_joined(drug.treats)}."
    output += f" It can cause {effects}, so tell us if you notice this."
    return row(
        "GEN",
        "medication_counselling",
        side.pick(words.LEAFLET),
        text,
        output,
        "pharmacology",
        3,
        "plain language",
    )


TASKS = {
    f.__name__: f for f in (yes_no, claim, choice, short, ner, status, label, gene, summary, patient, leaflet)
}


def write_side(facts: Facts, *, test: bool, seed: int) -> list[dict]:
    """All rows of one side, shuffled; no two of one task share their input."""
    side = Side(facts, test, random.Random(seed))
    rows: dict[tuple[str, str], dict] = {}
    for name, counts in COUNTS.items():
        made, tries = 0, 0
        while made < counts[test] and tries < 20 * counts[test]:
            tries += 1
            new = TASKS[name](side)
            key = (new["task"], new["input"])
            if key not in rows:
                rows[key] = new
                made += 1
    shuffled = list(rows.values())
    side.rng.shuffle(shuffled)
    return shuffled


def demo() -> tuple[list[dict], list[dict]]:
    """(tuning rows, held-out test rows), the same on every call."""
    tune, test = split(fact_table.load())
    return write_side(tune, test=False, seed=3), write_side(test, test=True, seed=4)


def save(rows: list[dict], path: Path) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text("".join(json.dumps(each, ensure_ascii=False) + "\n" for each in rows), encoding="utf-8")


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--out", type=Path, default=SAMPLES)
    folder = parser.parse_args().out
    train, test = demo()
    save(train, folder / "demo-train.jsonl")
    save(test, folder / "demo-test.jsonl")
    print(f"{len(train)} rows for tuning, {len(test)} held out, in {folder}")  # noqa: T201


if __name__ == "__main__":
    main()
