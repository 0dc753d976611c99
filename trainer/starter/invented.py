"""Names that do not exist, shaped like drugs, conditions, findings, genes and tests.

A passage about an invented name can be answered only by copying from the passage: that is their whole use,
in the base's training text. They never stand in the demo set.
"""

# ruff: noqa: E501, SIM905

import random

_HEADS = "ba bel bri ca cor da del dro el fa fen fi ga gal gli ha hel in ja jor ka kel la lor lu ma mel mi mor na nev ni or pa pel pri qui ra rel ro sa sel so ta tel tri u va vel vi vo xan yl za zel zo".split()
_MIDDLES = "ba ca ci co da di do fa fi ga lo la li ma mi mo na ni no pa pi ra ri ro sa si ta ti to va vi xi za".split()
_DRUG_ENDS = "mab nib pril olol sartan statin gliptin zole mycin cillin vir tide pam dine xin tan fen one ide ate in ol".split()
_FINDING_ENDS = "algia uria emia pathy rrhea plegia osis itis edema spasm megaly trophy lysis".split()
_PLACES = "arm leg chest facial nocturnal morning recurrent mild left-sided right-sided hand neck".split()
_KINDS = "syndrome disease disorder deficiency fever dystrophy".split()
_CONDITION_ENDS = "itis osis oma emia pathy algia".split()
_TEST_KINDS = "level;antibody;scan;assay;antigen test;biopsy".split(";")
_LETTERS = "ABCDEFGHIKLMNPRSTUVWXYZ"


def _stem(rng: random.Random, most: int = 2) -> str:
    return rng.choice(_HEADS) + "".join(rng.choice(_MIDDLES) for _ in range(rng.randint(1, most)))


def drug(rng: random.Random) -> str:
    return _stem(rng) + rng.choice(_DRUG_ENDS)


def condition(rng: random.Random) -> str:
    if rng.random() < 0.5:
        return _stem(rng) + rng.choice(_CONDITION_ENDS)
    eponym = "-".join(_stem(rng).capitalize() for _ in range(rng.randint(1, 2)))
    return f"{eponym} {rng.choice(_KINDS)}"


def finding(rng: random.Random) -> str:
    word = _stem(rng) + rng.choice(_FINDING_ENDS)
    return f"{rng.choice(_PLACES)} {word}" if rng.random() < 0.4 else word


def test(rng: random.Random) -> str:
    head = rng.choice(("serum ", "urine ", "", ""))
    return f"{head}{_stem(rng)} {rng.choice(_TEST_KINDS)}"


def gene(rng: random.Random) -> str:
    letters = "".join(rng.choice(_LETTERS) for _ in range(rng.randint(2, 4)))
    return letters + (str(rng.randint(1, 29)) if rng.random() < 0.8 else "")
