"""What a sentence says of a finding: that it is there, that it is not, or neither ("rule out pneumonia").

After NegEx (Chapman et al. 2001) and ConText (Harkema et al. 2009), with lists of our own: a denial reaches
forward to the next turn of the sentence, or back to a finding just before it ("fever was absent"). A finding
that is only possible, feared, somebody else's or to be looked for is neither affirmed nor denied.
"""

import re
from enum import StrEnum


class Status(StrEnum):
    AFFIRMED = "affirmed"
    DENIED = "denied"
    UNSURE = "unsure"


_FORWARD, _BACK = 12, 6  # words that a denial reaches
_WORD = re.compile(r"[^\W_]+(?:['’]t\b)?|;")
_TURNS = """
but however although though except ; whereas while because presents presented presenting has have had reports
reported reveals revealed shows showed who which despite therefore so is are was were then
"""
_ENDS = frozenset(_TURNS.split())
_DENIES = re.compile(
    r"\b(?:no|not|without|den(?:y|ies|ied|ying)|never|neither|nor|none of|free (?:of|from)|lacks?|lacking|"
    r"lack of|absence of|negative for|cannot|rules out|ruled out|excludes|excluded|\w+n['’]t)\b",
    re.IGNORECASE,
)  # fmt: skip
_DENIED_BEHIND = re.compile(
    r"^(?:\s*:\s*(?:no|none|nil|negative|absent)\b|"
    r"\W*(?:(?:is|are|was|were|has been|have been|had been|being)\s+)*"
    r"(?:(?:not|never) (?:\w+ )?(?:present|seen|found|noted|detected|reported|observed|identified|evident|"
    r"elicited)|absent|negative|denied|ruled out|excluded|undetectable)\b)", re.IGNORECASE,
)  # fmt: skip
# Words that hold a denial and deny nothing of what follows them.
_SEEMING = re.compile(
    r"\b(?:not only|no (?:significant |further |major |real )?(?:increase|decrease|change|improvement|"
    r"worsening|difference|effect|doubt|relief|response|longer|more than|less than)|"
    r"not (?:necessarily|certain|sure|know\w*|uncommon|unusual|rule\w* out|exclude\w*)|"
    r"(?:cannot|can not|could not|never|n['’]t) (?:be )?(?:rule\w* out|exclude\w*)|"
    r"without (?:difficulty|delay|treatment)|no (?:known )?cause)\b", re.IGNORECASE,
)  # fmt: skip
_UNSURE_BEFORE = re.compile(
    r"\b(?:if|unless|whether|in case of|risk (?:of|for)|risks? includ\w+|to (?:rule|exclude) (?:out)?|"
    r"rule\w* out|exclud\w+|suspect\w*|possibl[ey]|probabl[ey]|likely|may|might|could|can (?:cause|lead)|"
    r"concern\w* (?:for|about)|consider\w*|"
    r"(?:monitor\w*|watch\w*|look\w*|screen\w*|check\w*|assess\w*|evaluat\w+|test\w*|ask\w*|work-?up) "
    r"(?:closely )?(?:for|about)|prevent\w*|"
    r"prophylaxis|avoid\w*|such as|side effects?|adverse|complications?|differential|"
    r"signs? (?:and symptoms? )?of|symptoms? of|diagnosis of exclusion|report any|"
    r"(?:treat\w*|therap\w+|management|drug|used|given|indicated) (?:of|for|in)|question of|versus|vs)\b",
    re.IGNORECASE,
)  # fmt: skip
_UNSURE_BEHIND = re.compile(
    r"^\W*(?:(?:is|are|was|were|cannot|can not|could not|has|have|should|must|may|might|can) )*"
    r"(?:not |be |been )*(?:possible|suspected|unlikely|likely|considered|cannot be excluded|excluded\?|\?|"
    r"ruled out\?|occurs?\b|develops?\b)", re.IGNORECASE,
)  # fmt: skip
_OTHERS = re.compile(r"\b(?:family history|mother|father|sister|brother|sibling|uncle|aunt)\b", re.IGNORECASE)
_NOT = re.compile(r"(?:not|never|cannot|\w+n['’]t)", re.IGNORECASE)
# Words that deny a finding by themselves.
DENYING_WORDS = {
    "afebrile": "fever", "apyrexial": "fever", "apyretic": "fever", "anicteric": "jaundice",
    "acyanotic": "cyanosis", "nontender": "tenderness", "non-tender": "tenderness", "euvolaemic": "",
}  # fmt: skip


def status(sentence: str, start: int, end: int) -> Status:
    """What the sentence says of its characters `start` to `end`."""
    before, behind = _reach_back(sentence[:start]), _reach_on(sentence[end:])
    if _OTHERS.search(sentence, 0, start):
        return Status.UNSURE
    denial = _last_denial(before)
    if _DENIED_BEHIND.match(behind) and not _UNSURE_BEHIND.match(behind):
        return Status.AFFIRMED if denial is not None else Status.DENIED
    if denial is not None and not _UNSURE_BEFORE.search(before, 0, denial):
        words = before[denial:]
        return Status.UNSURE if _UNSURE_BEFORE.search(_without_denial(words)) else Status.DENIED
    if _UNSURE_BEFORE.search(before) or _UNSURE_BEHIND.match(behind):
        return Status.UNSURE
    return Status.AFFIRMED


def is_denied(sentence: str, at: int) -> bool:
    """Whether a denial before that character reaches it."""
    return _last_denial(_reach_back(sentence[:at])) is not None


def _last_denial(before: str) -> int | None:
    """Where the denial stands whose reach goes to the end of these words; None for none."""
    seeming = [match.span() for match in _SEEMING.finditer(before)]
    found = [
        match.start()
        for match in _DENIES.finditer(before)
        if not any(start <= match.start() < end for start, end in seeming)
    ]
    return found[-1] if found else None


def _without_denial(words: str) -> str:
    """ "no signs of" is a denial and no doubt: its own words do not make it unsure."""
    return re.sub(
        r"^(?:\S+ )(?:(?:clear|obvious|other|any|current|significant|definite) )*"
        r"(?:(?:signs?|symptoms?|evidence|features?|history|suspicion|complaints?)(?: (?:and|or) \w+)? "
        r"(?:of|for) ?)?",
        "", words, flags=re.IGNORECASE,
    )  # fmt: skip


def _reach_back(words: str) -> str:
    """The end of `words` that a denial in it can reach from: to the last turn of the sentence."""
    found = list(_WORD.finditer(words))
    near = found[-_FORWARD:]
    for at in range(len(near) - 1, -1, -1):
        word = near[at][0].lower()
        is_verb_denied = any(_NOT.fullmatch(one[0]) for one in near[max(0, at - 2) : at])  # "does not have"
        if word.isdigit() or (word in _ENDS and not is_verb_denied):
            return words[near[at].end() :]
    return words[near[0].start() :] if len(found) > _FORWARD else words


def _reach_on(words: str) -> str:
    found = list(_WORD.finditer(words))
    return words[: found[_BACK].start()] if len(found) > _BACK else words
