"""What the base reads after a passage: questions with answers, lists, checks and summaries, in plain wordings.

Each task takes a passage and returns a question and its answer, or two empty strings when it has nothing to
ask. None of it uses a chat template, and no instruction of the demo set stands here.
"""

# ruff: noqa: E501

import random
from functools import cache

from trainer.starter import facts as fact_table
from trainer.starter.passages import Passage
from trainer.starter.wording import fill, joined, sentence_case, with_article

ASK = {
    "drug": ("[Which|What] [drug|medicine] was [started|prescribed|begun|new]?", "[New drug|New medicine|Treatment given]?", "What was the patient treated with?"),
    "home": ("[Which|What] [drug|medicine] [is taken at home|did the patient already take]?", "[Home drug|Regular medicine]?"),
    "condition": ("[What|Which] [disease|condition|illness] was [diagnosed|found]?", "What is the diagnosis?", "Diagnosis?"),
    "history": ("[Which|What] [older|earlier|known] [disease|condition] does the patient have?", "Past history?", "What is in the history?"),
    "test": ("[Which|What] [test|investigation|study] was [ordered|done]?", "Test?", "How was the patient investigated?"),
    "weeks": ("[After how many weeks|When] [is the next visit|does the patient return]?", "Weeks until follow-up?"),
    "age": ("How old is the patient?", "Age?", "What is the age of the patient?"),
    "present": ("[What|Which symptoms] [does the patient have|brought the patient in]?", "Complaints?", "What does the patient report?"),
    "denied": ("[What|Which symptoms] [does the patient deny|are absent|are missing]?", "Negatives?", "What is denied?"),
    "kind": ("[What|Which] class [is it|does the drug belong to]?", "Class?", "What kind of drug is it?"),
    "treats": ("What [is it used for|does it treat]?", "Used for?", "Which [conditions|diseases] [does it treat|are treated]?"),
    "effects": ("[What|Which] [side effects|harms] [can|may] [occur|appear]?", "Side effects?"),
    "gene": ("[Which|What] gene [is this about|is described|is named]?", "Gene?"),
    "product": ("What does [the gene|it] encode?", "Product?"),
    "diseases": ("Which [disease|diseases] [is|are] linked to it?", "Linked disease?"),
}  # fmt: skip
YES = ("yes", "Yes", "yes", "Yes.", "true", "yes, it does", "correct")
NO = ("no", "No", "no", "No.", "false", "no, it does not", "wrong")
UNSAID = ("not mentioned", "not stated", "the text does not say", "unknown", "not mentioned")
VERDICTS = (
    {"true": "supported", "false": "contradicted", "unsaid": "not in the text"},
    {"true": "True", "false": "False", "unsaid": "Cannot tell"},
    {"true": "right", "false": "wrong", "unsaid": "not stated"},
)
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
    state = rng.choice(
        ("present", "denied", "unsaid", "present", "denied") if "denied" in p.said else ("present", "unsaid")
    )
    name = rng.choice(p.said[state] if state in p.said else p.others["finding"] or ["mild ear itch"])
    if rng.random() < 0.6:
        ask = "[Does the patient have|Is there|Does the patient report|Did the patient have|Any|Is the patient suffering from] {name}?"
        return fill(ask, rng, name=name), {
            "present": rng.choice(YES),
            "denied": rng.choice(NO),
            "unsaid": rng.choice(UNSAID),
        }[state]
    word = {
        "present": "[present|reported|positive]",
        "denied": "[absent|denied|negative]",
        "unsaid": "[not mentioned|not stated]",
    }[state]
    return fill(
        "[{Name}|{name}|Status of {name}|About {name}]", rng, name=name, Name=sentence_case(name)
    ), fill(word, rng)


CLAIMS = {
    "drug": "[The patient was started on {x}|{X} was started|A prescription for {x} was written|{x} is the new drug]",
    "home": "[The patient takes {x} at home|{X} was already taken|{x} is a home medicine]",
    "condition": "[The patient was diagnosed with {x}|The diagnosis is {x}|{X} was found|The patient has {x}]",
    "history": "[The patient has a history of {x}|{X} is an older diagnosis|{x} was known before]",
    "test": "[{X} was ordered|The patient was tested with {x}|A {x} was done]",
    "weeks": "[The next visit is in {x} weeks|The patient returns after {x} weeks]",
    "age": "[The patient is {x} years old|The age is {x}]",
    "present": "[The patient has {x}|The patient reports {x}|{X} is present|There is {x}]",
    "denied": "[The patient denies {x}|The patient does not have {x}|{X} is absent|There is no {x}]",
    "treats": "[It is used for {x}|It treats {x}|{X} is a reason to give it]",
    "effects": "[It can cause {x}|{X} is a side effect|One harm is {x}]",
    "gene": "[The gene is {x}|The text is about {x}]",
    "diseases": "[It is linked to {x}|{X} is caused by it|Variants cause {x}]",
}
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
    key = rng.choice([key for key in p.said if key in CLAIMS])
    verdict, name = "true", rng.choice(p.said[key])
    draw = rng.random()
    if draw < 0.33 and FLIP.get(key) in p.said and "present" in p.said:
        verdict, name = "false", rng.choice(p.said[FLIP[key]])
    elif draw < 0.45 and key in ("age", "weeks"):
        verdict, name = "false", str(int(name) + rng.choice((-2, -1, 1, 2, 3, 10)))
    elif draw < 0.66 and p.others.get(OF_TYPE.get(key, "")):
        verdict, name = "unsaid", rng.choice(p.others[OF_TYPE[key]])
    text = sentence_case(fill(CLAIMS[key], rng, x=name, X=sentence_case(name)))
    lead = rng.choice(
        ("Statement: {}.", "{}.", "Claim: {}.", "True, false or not said? {}.", "Someone says: {}.")
    )
    return lead.format(text), rng.choice(VERDICTS)[verdict]


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
    head = fill("[Names in the text|Terms|Tagged terms|Index|Concepts|Key terms|Names and types]", rng)
    mark = rng.choice(("", "", "- ", "* "))
    return head, ("\n".join(mark + row for row in rows) if rng.random() < 0.7 else "; ".join(rows))


def of_type(p: Passage, rng: random.Random) -> Asked:
    kind = rng.choice([*sorted(set(p.kind.values())), "drug", "test"])
    names = [name for name, its in p.kind.items() if its == kind]
    label = {"drug": "[Drugs|Medicines|Drug names]", "condition": "[Diseases|Conditions]", "finding": "[Findings|Symptoms and signs]",
             "test": "[Tests|Investigations]", "gene": "[Genes|Gene symbols]"}[kind]  # fmt: skip
    return fill(label, rng), rng.choice((", ", "; ", "\n")).join(names) or "none"


def findings_by_state(p: Passage, rng: random.Random) -> Asked:
    if "denied" not in p.said or "present" not in p.said:
        return NOTHING
    yes, no = rng.choice(
        (("Present", "Absent"), ("+", "-"), ("Has", "Denies"), ("positive", "negative"), ("Yes", "No"))
    )
    head = fill("[Findings by state|What is there and what is not|Positives and negatives]", rng)
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
    head = fill("[In short|Summary|Sum|Briefly|Handover|To sum up]", rng)
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
    return fill("[To the patient|Dear patient|In plain words]", rng), " ".join(bits)


@cache
def plain_words() -> dict[str, str]:
    """Condition or finding -> plain words."""
    facts = fact_table.load()
    return {c.name: c.plain for c in facts.conditions} | facts.plain


TASKS = (span, span, presence, presence, claim, claim, choice, entities, entities, of_type, findings_by_state, form, summary,
         for_patient, unsaid)  # fmt: skip
"""With repeats for weight; the last one, which finds nothing, is left out where one task is repeated."""
