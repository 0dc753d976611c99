"""What the base reads after a passage: questions with answers, lists, checks and summaries, in plain wordings.

Each task takes a passage and returns a question and its answer, or two empty strings when it has nothing to
ask. None of it uses a chat template, and no instruction of the demo set stands here.
"""

# ruff: noqa: E501

import random
from functools import cache

from trainer.starter import facts as fact_table
from trainer.starter.passages import Passage
from trainer.starter.question_wordings import (
    ASK,
    CLAIM_LEADS,
    CLAIMS,
    ENTITY_HEADS,
    LISTING,
    PATIENT_HEADS,
    PRESENCE,
    STATE_HEADS,
    STATES,
    SUMMARY_HEADS,
    VERDICTS,
    YES_OR_NO,
)
from trainer.starter.wording import chosen, fill, joined, sentence_case, with_article

YES = ("yes", "Yes", "yes", "Yes.", "true", "yes, it does", "correct")
NO = ("no", "No", "no", "No.", "false", "no, it does not", "wrong")
UNSAID = ("not mentioned", "not mentioned", "not mentioned", "not stated", "unknown")
Asked = tuple[str, str]
"""A question, heading or claim, and what answers it. Both empty when the passage gives nothing to ask."""
NOTHING: Asked = ("", "")
LEADS = (
    ("Q: ", " A: "),
    ("Question: ", " Answer: "),
    ("", " "),
    ("- ", " -> "),
    ("", "\n"),
    ("Q. ", "\nA. "),
    ("", ": "),
    ("", " = "),
)


def written(asked: Asked, rng: random.Random) -> str:
    """Question and answer in one of the ways people set them down."""
    question, answer = asked
    if "\n" in answer:
        return f"{question}:\n{answer}"
    before, between = rng.choice(LEADS)
    return f"{before}{question}{between}{answer}"


def written_around(passage: str, asked: Asked, rng: random.Random) -> str:
    """The question first, then the passage, then the answer."""
    question, answer = asked
    before = rng.choice(("", "", "Q: ", "Question: ", "Task: ", "Asked: ", "To do: "))
    after = rng.choice(("", " ", "A: ", "Answer: ", "Done: ", "Reply: "))
    gap = rng.choice(("\n", "\n", "\n\n", " "))
    return f"{before}{question}{gap}{passage}\n{after}{answer}"


def written_as_list(passage: str, asked: list[Asked], rng: random.Random) -> str:
    """Several numbered questions first, then the passage, then their answers under the same numbers."""
    gap, mark = rng.choice(("\n", "\n\n")), rng.choice((". ", ") ", ": "))
    questions = [f"{i}{mark}{question}" for i, (question, _) in enumerate(asked, 1)]
    answers = [f"{i}{mark}{answer}" for i, (_, answer) in enumerate(asked, 1)]
    return gap.join(["\n".join(questions), passage, "\n".join(answers)])


def span(p: Passage, rng: random.Random) -> Asked:
    key = rng.choice([key for key in p.said if key in ASK])
    return fill(rng.choice(ASK[key]), rng), joined(p.said[key], rng)


def unsaid(p: Passage, rng: random.Random) -> Asked:
    keys = [
        key
        for key in ("drug", "home", "condition", "history", "test", "weeks", "denied")
        if key not in p.said
    ]
    if not keys or "present" not in p.said:
        return NOTHING
    return fill(rng.choice(ASK[rng.choice(keys)]), rng), rng.choice(UNSAID)


def presence(p: Passage, rng: random.Random) -> Asked:
    """Is a finding present, denied, or not in the passage at all?"""
    if "present" not in p.said:
        return NOTHING
    name, state = rng.choice(_findings(p))
    ask = fill(rng.choice(PRESENCE), rng, name=name, Name=sentence_case(name))
    if state == "unsaid":
        return ask, rng.choice(UNSAID)
    tail = chosen(YES_OR_NO, rng)
    plain = (
        {"present": "yes", "denied": "no"} if tail else {"present": rng.choice(YES), "denied": rng.choice(NO)}
    )
    return (ask.rstrip("?.") + tail if tail.startswith(",") else ask + tail), plain[state]


def checklist(p: Passage, rng: random.Random) -> Asked:
    """Every finding of the passage and some that are not in it, each with its state."""
    if "present" not in p.said:
        return NOTHING
    found = _findings(p)
    rng.shuffle(found)
    words = dict(zip(("present", "denied", "unsaid"), rng.choice(STATES), strict=True))
    between = rng.choice((": ", "? ", " - ", " = ", " -> "))
    rows = [f"{name}{between}{words[state]}" for name, state in found]
    return fill("[Checklist|Check|One by one|Item by item|Symptom by symptom]", rng), "\n".join(rows)


def _findings(p: Passage) -> list[tuple[str, str]]:
    """(finding, its state in the passage), with up to two that the passage does not mention."""
    said = [(name, state) for state in ("present", "denied") for name in p.said.get(state, ())]
    return said + [(name, "unsaid") for name in p.others["finding"]]


OF_TYPE = {"drug": "drug", "home": "drug", "condition": "condition", "history": "condition", "test": "test",
           "present": "finding", "denied": "finding", "treats": "condition", "effects": "finding", "gene": "gene", "diseases": "condition"}  # fmt: skip
FLIP = {
    "present": "denied",
    "denied": "present",
    "drug": "home",
    "home": "drug",
    "condition": "history",
    "history": "condition",
}


def claim(p: Passage, rng: random.Random) -> Asked:
    """A statement with its verdict: supported, contradicted, or not in the passage."""
    text, verdict = _claim(p, rng)
    labels = rng.choice(VERDICTS)
    a, b, c = labels
    ask = fill(rng.choice(CLAIM_LEADS), rng, claim=text, a=a, b=b, c=c, A=sentence_case(a))
    return sentence_case(ask), labels[verdict]


def claims(p: Passage, rng: random.Random) -> Asked:
    """Several statements, each with its verdict."""
    labels, between = rng.choice(VERDICTS), rng.choice((" -> ", ": ", " = ", " | "))
    judged = dict(_claim(p, rng) for _ in range(rng.randint(2, 4)))
    rows = [f"{i}. {text}{between}{labels[verdict]}" for i, (text, verdict) in enumerate(judged.items(), 1)]
    return rng.choice(("Statements", "Claims", "True or not", "Judged")), "\n".join(rows)


def _claim(p: Passage, rng: random.Random) -> tuple[str, int]:
    """A statement, and its place among the labels: 0 supported, 1 contradicted, 2 not in the passage."""
    key = rng.choice([key for key in p.said if key in CLAIMS and (key != "drug" or "present" in p.said)])
    verdict, name = 0, rng.choice(p.said[key])
    draw = rng.random()
    if draw < 0.33 and FLIP.get(key) in p.said and "present" in p.said:
        verdict, name = 1, rng.choice(p.said[FLIP[key]])
    elif draw < 0.45 and key in ("age", "weeks"):
        verdict, name = 1, str(int(name) + rng.choice((-2, -1, 1, 2, 3, 10)))
    elif draw < 0.66 and p.others.get(OF_TYPE.get(key, "")):
        verdict, name = 2, rng.choice(p.others[OF_TYPE[key]])
    return sentence_case(fill(CLAIMS[key], rng, x=name, X=sentence_case(name))), verdict


def choice(p: Passage, rng: random.Random) -> Asked:
    """Which of these ...: the right name among others of its type, some of them from the same passage."""
    keys = [
        key
        for key in ("drug", "home", "condition", "history", "test", "gene", "treats")
        if key in p.said and key in ASK
    ]
    if not keys:
        return NOTHING
    key = rng.choice(keys)
    right = p.said[key][0]
    same = [name for name, kind in p.kind.items() if kind == OF_TYPE[key] and name not in p.said[key]]
    options = [*(same + p.others[OF_TYPE[key]])[: rng.randint(1, 3)], right]
    rng.shuffle(options)
    question = fill(rng.choice(ASK[key]), rng)
    style = rng.randrange(4)
    if style == 0:
        return f"{question} Choices: {'; '.join(options)}.", right
    if style == 1:
        return f"{question} [{' / '.join(options)}]", right
    if style == 2:
        rows = "\n".join(f"{letter}) {name}" for letter, name in zip("abcd", options, strict=False))
        return f"{question}\n{rows}\n", f"{'abcd'[options.index(right)]}) {right}"
    return f"{question} {sentence_case(joined(options, rng, 'or'))}?", right


def entities(p: Passage, rng: random.Random) -> Asked:
    """Every name with its type, in order of first mention."""
    label = rng.choice((str, sentence_case, str.upper))
    pairs = [(name, label(kind)) for name, kind in p.kind.items()]
    sep = rng.choice((": ", " | ", " > ", " - ", " = "))
    if rng.random() < 0.5:
        rows = [f"{kind}{sep}{name}" for name, kind in pairs]
    else:
        before, after = rng.choice(((" (", ")"), (sep, "")))
        rows = [f"{name}{before}{kind}{after}" for name, kind in pairs]
    head = _head(ENTITY_HEADS, rng)
    mark = rng.choice(("", "", "- ", "* "))
    return head, ("\n".join(mark + row for row in rows) if rng.random() < 0.7 else "; ".join(rows))


def of_type(p: Passage, rng: random.Random) -> Asked:
    kind = rng.choice([*sorted(set(p.kind.values())), "drug", "test"])
    names = [name for name, its in p.kind.items() if its == kind]
    label = {"drug": "[Drugs|Medicines|Drug names|{listing}the drugs]", "condition": "[Diseases|Conditions|{listing}the diseases]", "finding": "[Findings|Symptoms and signs|{listing}the symptoms]",
             "test": "[Tests|Investigations|{listing}the tests]", "gene": "[Genes|Gene symbols|{listing}the genes]"}[kind]  # fmt: skip
    return _head(label, rng), rng.choice((", ", "; ", "\n")).join(names) or "none"


def findings_by_state(p: Passage, rng: random.Random) -> Asked:
    if "denied" not in p.said or "present" not in p.said:
        return NOTHING
    yes, no = rng.choice(
        (("Present", "Absent"), ("+", "-"), ("Has", "Denies"), ("positive", "negative"), ("Yes", "No"))
    )
    head = _head(STATE_HEADS, rng)
    if rng.random() < 0.4:
        return head, f"{yes}: {', '.join(p.said['present'])}\n{no}: {', '.join(p.said['denied'])}"
    return head, "\n".join(
        [f"{yes}: {name}" for name in p.said["present"]] + [f"{no}: {name}" for name in p.said["denied"]]
    )


def form(p: Passage, rng: random.Random) -> Asked:
    """The passage as a filled-in form, in random order."""
    names = {"drug": "[New drug|Started]", "home": "[Home drug|Takes]", "condition": "[Diagnosis|Problem]", "history": "[History|Background]",
             "test": "[Test|Ordered]", "weeks": "[Weeks|Return]", "age": "[Age|Years]", "present": "[Complaints|Has]", "denied": "[Denies|Absent]",
             "kind": "[Class|Type]", "treats": "[Uses|For]", "effects": "[Harms|Effects]", "gene": "[Gene|Symbol]", "product": "[Encodes|Product]",
             "diseases": "[Disease|Linked]"}  # fmt: skip
    keys = [key for key in p.said if key in names]
    rng.shuffle(keys)
    sep = rng.choice((": ", " = ", " -> ", "\t"))
    rows = [f"{fill(names[key], rng)}{sep}{joined(p.said[key], rng)}" for key in keys]
    return fill("[Form|Fields|Record]", rng), rng.choice(("\n", "\n", "; ")).join(rows)


def summary(p: Passage, rng: random.Random) -> Asked:
    s = {key: joined(names, rng) for key, names in p.said.items()}
    head = _head(SUMMARY_HEADS, rng)
    if "gene" in s:
        return head, fill(
            "[{gene} is linked to {diseases}|{diseases} goes with {gene}, which encodes {product}].", rng, **s
        )
    if "kind" in s:
        return head, fill(
            "[{drug} treats {treats} and may cause {effects}|{drug}, a kind of {kind}, is for {treats}].",
            rng,
            **s,
        )
    order = [("present", " with {x}"), ("condition", ", diagnosis {x}|, found to have {x}|, {x}"), ("history", ", history of {x}|, known {x}"),
             ("home", ", on {x}|, taking {x}"), ("test", ", had {x}|, {x} done"), ("drug", ", given {x}|, started on {x}|, new drug {x}"),
             ("weeks", ", back in {x} weeks")]  # fmt: skip
    if rng.random() < 0.4:
        rng.shuffle(order)
    bits = [f"{with_article(int(s['age']))} {s['person']}"]
    bits += [fill(f"[{words}]", rng, x=s[key]) for key, words in order if key in s and rng.random() < 0.75]
    return head, sentence_case("".join(bits)) + "."


def for_patient(p: Passage, rng: random.Random) -> Asked:
    """The same in plain words, with the fact table's lay wordings where it has them."""
    if "present" not in p.said:
        return NOTHING
    plain = plain_words()
    bits = [f"You came with {joined([plain.get(name, name) for name in p.said['present']], rng)}."]
    if "condition" in p.said:
        name = p.said["condition"][0]
        means = f", [that is|in plain words] {plain[name]}" if name in plain else ""
        bits.append(fill("[You have|We found|The cause is] {name}" + means + ".", rng, name=name))
    if "drug" in p.said:
        bits.append(
            fill(
                "[Please take|You will take|We gave you|Your new medicine is] {x}.", rng, x=p.said["drug"][0]
            )
        )
    if "home" in p.said:
        bits.append(fill("[Go on with|Continue|Do not stop] {x}.", rng, x=p.said["home"][0]))
    if "weeks" in p.said:
        bits.append(fill("[See us|Come back|Return] in {x} weeks.", rng, x=p.said["weeks"][0]))
    return _head(PATIENT_HEADS, rng), " ".join(bits)


@cache
def plain_words() -> dict[str, str]:
    """Condition or finding -> plain words."""
    facts = fact_table.load()
    return {c.name: c.plain for c in facts.conditions} | facts.plain


def _head(template: str, rng: random.Random) -> str:
    return fill(template, rng, listing=chosen(LISTING, rng))


TASKS = (span, span, span, presence, presence, checklist, claim, claim, claims, choice, choice, entities, entities, of_type,
         findings_by_state, form, summary, for_patient, unsaid)  # fmt: skip
"""With repeats for weight; the last one, which finds nothing, is left out where one task is repeated."""
