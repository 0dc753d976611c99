"""Short passages in plain wordings for the base to read: clinic notes, drug and gene paragraphs.

A passage remembers what it states (`Passage.said`), so `questions.py` can ask about it and be right. In a
share of the passages names are replaced by invented ones. The demo set has wordings of its own; none stand
here.
"""

# ruff: noqa: E501

import functools
import operator
import random
from collections.abc import Callable
from dataclasses import dataclass, field
from functools import partial

from trainer.starter import invented
from trainer.starter.cases import Pool
from trainer.starter.wording import fill, joined, sentence_case, with_article

INTRO = (
    "[The patient|This patient|Our patient] is {aged} {person} [who presents with|who came in with|complaining of|with] {present}.",
    "{Aged} {person} [presents|presented|was seen|was admitted|came to the ward] with {present}.",
    "{Aged} {person} [came to the clinic|attended the office|was seen today] [because of|on account of|for] {present}.",
    "[We saw|I saw|We evaluated|We examined] {aged} {person} with {present}.",
    "{Present} brought {aged} {person} to [the clinic|our office|the emergency room|the ward].",
    "[Chief complaint|Complaint|Reason for visit|CC]: {present}. [Patient|Seen]: {aged} {person}.",
    "[Age|Age in years]: {age}. [Sex|Gender]: {person}. [Symptoms|Complaints|Problems]: {present}.",
    "{Aged} {person}. [Reports|Has|Describes|Notes|Complains of] {present}.",
    "[A colleague|A general practitioner|A family doctor] referred {aged} {person} [for|because of] {present}.",
)
DENIED = (
    "[He_she|The patient] [denies|denied] {either}.",
    "[He_she|The patient] [does not have|did not report|does not complain of|has had no|has not noticed] {either}.",
    "There [is|was] [no|no sign of|no evidence of|no history of] {either}.",
    "No {either}.",
    "[Negative for|Without|Denies|Free of] {either}.",
    "[Not present|Absent|Negatives|Ruled out by history]: {listed}.",
    "{Listed} [is absent|was not found|was not seen|is denied].",
)
HISTORY = (
    "[Past history|History|Medical history|PMH|Background] [includes|is notable for|is significant for|of] {history}.",
    "[He_she|The patient] has [a history of|long-standing|known|had] {history}.",
    "[Known|Previous|Chronic|Longstanding] {history}.",
    "{History} was diagnosed [years ago|some years ago|in the past|long ago].",
    "[Also has|Lives with|Is known to have] {history}.",
    "[Comorbidity|Past diagnosis|Old diagnosis]: {history}.",
)
HOME = (
    "[He_she|The patient] [takes|uses|is on|has been taking|already takes] {home}[| for this| at home| for {history}].",
    "[Home medicine|Current medicine|Home medication|Long-term medication|Regular drug|Meds]: {home}.",
    "{Home} is [taken at home|used for {history}|the regular medicine].",
    "[Takes|On|Using|Continues] {home}.",
    "[The home medicine|The usual drug] is {home}.",
)
TEST = (
    "[We ordered|We requested|I asked for|I ordered|The team ordered] {test}.",
    "{Test} was [ordered|done|performed|arranged|obtained|sent|planned].",
    "[The work-up|Work-up|Testing|Evaluation|Investigation] [included|consisted of|was done with] {test}.",
    "[Test|Investigation|Study|Ordered test|Work-up]: {test}.",
    "[He_she|The patient] [underwent|had|was sent for|will have] {test}.",
)
DIAGNOSIS = (
    "[The diagnosis is|The diagnosis was|This is|Findings are consistent with|The picture fits] {condition}.",
    "[Diagnosis|Assessment|Impression|Dx|Final diagnosis|Main problem]: {condition}.",
    "[We diagnosed|I diagnosed|The team diagnosed|We made a diagnosis of] {condition}.",
    "{Condition} was [diagnosed|confirmed|found|the final diagnosis|considered most likely].",
    "[He_she|The patient] [was diagnosed with|was found to have|turned out to have|has] {condition}.",
    "[These findings led to|All this points to|Results confirmed] [a diagnosis of|] {condition}.",
)
DRUG = (
    "[We started|I started|We prescribed|We began|The plan is to start|The team gave] {drug}.",
    "{Drug} was [started|prescribed|begun|given|added|chosen].",
    "[He_she|The patient] was [started on|treated with|given|put on|prescribed] {drug}.",
    "[Treatment|Plan|Rx|Therapy|New medicine|Prescription]: {drug}.",
    "[Treatment|Therapy] with {drug} was [started|begun|initiated].",
    "[He_she|The patient] [received|will take|left with a prescription for|will begin] {drug}.",
)
FOLLOW = (
    "[Return|Follow-up|Review|Next visit|Come back|Control visit] in {weeks} weeks.",
    "[We will see the patient again|He_she will return|A follow-up visit is planned] in {weeks} weeks.",
    "[The next visit is|Review is due] after {weeks} weeks.",
)
KEYS = {"history": HISTORY, "home": HOME, "test": TEST, "condition": DIAGNOSIS, "drug": DRUG, "weeks": FOLLOW}

DRUG_PARAGRAPH = (
    (
        "{Drug} is [a|one] kind of {kind}.",
        "{Drug} belongs to the class {kind}.",
        "{Drug} ({kind}) is a medicine.",
        "[The drug|The medicine|The agent] {drug} [is classed as|works as|acts as] {kind}.",
        "[Drug|Medicine|Agent]: {drug}. [Class|Type|Group]: {kind}.",
    ),
    (
        "It is [used|given|prescribed|approved|taken] [for|to treat|against] {treats}.",
        "[Indications|Uses|Indicated for|Used in]: {treats}.",
        "[Doctors|Clinicians|Physicians] [use|prescribe|give] {drug} [for|to treat|in people with] {treats}.",
        "{Treats} [can be|may be|is often|is] treated with {drug}.",
    ),
    (
        "[Side effects|Adverse effects|Unwanted effects|Possible harms] [include|are] {effects}.",
        "It [can|may] [cause|lead to|bring on] {effects}.",
        "[Patients|People|Some patients] taking {drug} [may|can] [develop|notice|have|get] {effects}.",
        "[Watch for|Look out for|Warn about|Monitor for] {effects}.",
    ),
)
GENE_PARAGRAPH = (
    ("{gene} encodes {product}.", "The {gene} gene [encodes|codes for|carries the code for|makes] {product}.",
     "The product of {gene} is {product}.", "[Gene|Symbol]: {gene}. [Product|Protein|Encodes]: {product}."),
    ("[Variants|Mutations|Changes|Pathogenic variants|Alterations] in {gene} [cause|are linked to|are associated with|are found in|underlie] {diseases}.",
     "{Diseases} [is|can be] [caused by|linked to|due to|associated with] [variants|mutations|changes] in {gene}.",
     "[A mutation|A change|A variant] [in|of] {gene} [was found|was seen|was reported] in [a patient|a family|people] with {diseases}.",
     "[Related disease|Disease|Linked to]: {diseases}."),
)  # fmt: skip


@dataclass
class Passage:
    text: str
    said: dict[str, list[str]]
    """Slot -> the names the passage states for it, such as {"drug": ["metformin"], "denied": ["fever"]}."""
    kind: dict[str, str] = field(default_factory=dict)
    """Name -> its type (drug, condition, finding, test, gene), in order of first mention."""
    others: dict[str, list[str]] = field(default_factory=dict)
    """Type -> names of that type which the passage does not mention, for wrong options."""


def note(pool: Pool, rng: random.Random, share: float) -> Passage:
    """A clinic note; each name is invented with the chance `share`."""
    case = pool.case(rng)
    swap = partial(_swapped, rng=rng, share=share)
    slots = {
        "condition": [swap(case.condition.name, invented.condition)],
        "drug": [swap(case.drug.name, invented.drug)],
        "home": [swap(case.home_drug, invented.drug)],
        "history": [swap(case.history, invented.condition)],
        "test": [swap(case.test, invented.test)],
        "present": [swap(name, invented.finding) for name in case.present],
        "denied": [swap(name, invented.finding) for name in case.denied],
        "weeks": [str(case.weeks)],
        "age": [str(case.age)],
        "person": [case.person],
    }
    if len(set(functools.reduce(operator.iadd, slots.values(), []))) < sum(
        len(names) for names in slots.values()
    ):
        return note(pool, rng, share)
    dropped = {key for key in ("denied", *KEYS) if rng.random() < 0.25}
    if "history" in dropped:
        dropped.add("home")
    said = {key: names for key, names in slots.items() if key not in dropped}
    text = _write_note(said, case.woman, case.age, rng)
    others = {
        "finding": [rng.choice(pool.findings), invented.finding(rng)],
        "drug": [rng.choice(pool.facts.drugs).name, pool.drug(rng).name, invented.drug(rng)],
        "condition": [rng.choice(pool.treated).name, rng.choice(pool.treated).name, invented.condition(rng)],
        "test": [rng.choice(rng.choice(pool.treated).tests), invented.test(rng)],
    }
    return _passage(text, said, others)


def _write_note(said: dict[str, list[str]], woman: bool, age: int, rng: random.Random) -> str:
    he_she = "She" if woman else "He"
    aged = with_article(age)
    one = {key: names[0] for key, names in said.items()}
    one |= {sentence_case(key): sentence_case(value) for key, value in list(one.items())}
    slots = one | {"aged": aged, "Aged": sentence_case(aged), "present": joined(said["present"], rng)}
    slots["Present"] = sentence_case(slots["present"])
    parts = [rng.choice(INTRO)]
    if "denied" in said:
        slots["either"] = joined(said["denied"], rng, rng.choice(("or", "or", "and")))
        slots["listed"] = joined(said["denied"], rng)
        slots["Listed"] = sentence_case(slots["listed"])
        parts.append(rng.choice(DENIED))
    order = [key for key in ("history", "home", "test", "condition", "drug", "weeks") if key in said]
    if rng.random() < 0.35:
        rng.shuffle(order)
    parts += [rng.choice(KEYS[key]) for key in order]
    if rng.random() < 0.15:
        rng.shuffle(parts)
    slots.setdefault("history", "it")
    gap = "\n" if rng.random() < 0.15 else " "
    return gap.join(fill(part.replace("He_she", he_she), rng, **slots) for part in parts)


def _swapped(name: str, make: Callable[[random.Random], str], rng: random.Random, share: float) -> str:
    return make(rng) if rng.random() < share else name


def drug_paragraph(pool: Pool, rng: random.Random, share: float) -> Passage:
    drug = pool.drug(rng)
    swap = partial(_swapped, rng=rng, share=share)
    said = {
        "drug": [swap(drug.name, invented.drug)],
        "kind": [drug.kind],
        "treats": [swap(name, invented.condition) for name in drug.treats],
        "effects": [swap(name, invented.finding) for name in drug.effects],
    }
    slots = {"drug": said["drug"][0], "kind": drug.kind}
    slots |= {key: joined(said[key], rng) for key in ("treats", "effects")}
    others = {
        "drug": [pool.drug(rng).name, invented.drug(rng), pool.drug(rng).name],
        "condition": [pool.drug(rng).treats[0], invented.condition(rng)],
        "finding": [pool.drug(rng).effects[0], invented.finding(rng)],
    }
    return _passage(_write(DRUG_PARAGRAPH, slots, rng), said, others)


def gene_paragraph(pool: Pool, rng: random.Random, share: float) -> Passage:
    gene = pool.gene(rng)
    swap = partial(_swapped, rng=rng, share=share)
    said = {
        "gene": [swap(gene.symbol, invented.gene)],
        "product": [gene.product],
        "diseases": [swap(name, invented.condition) for name in gene.diseases],
    }
    slots = {"gene": said["gene"][0], "product": gene.product, "diseases": joined(said["diseases"], rng)}
    others = {
        "gene": [pool.gene(rng).symbol, invented.gene(rng), pool.gene(rng).symbol],
        "condition": [pool.gene(rng).diseases[0], invented.condition(rng)],
    }
    return _passage(_write(GENE_PARAGRAPH, slots, rng), said, others)


def _write(paragraph: tuple[tuple[str, ...], ...], slots: dict[str, str], rng: random.Random) -> str:
    slots = slots | {sentence_case(key): sentence_case(value) for key, value in slots.items()}
    return " ".join(fill(rng.choice(wordings), rng, **slots) for wordings in paragraph)


TYPES = {
    "condition": "condition",
    "history": "condition",
    "treats": "condition",
    "diseases": "condition",
    "drug": "drug",
    "home": "drug",
    "present": "finding",
    "denied": "finding",
    "effects": "finding",
    "test": "test",
    "gene": "gene",
}


def _passage(text: str, said: dict[str, list[str]], others: dict[str, list[str]]) -> Passage:
    low = text.lower()
    typed = {name: TYPES[key] for key, names in said.items() if key in TYPES for name in names}
    placed = sorted(typed, key=lambda name: low.find(name.lower()))
    others = {kind: [name for name in names if name.lower() not in low] for kind, names in others.items()}
    return Passage(text, said, {name: typed[name] for name in placed}, others)
