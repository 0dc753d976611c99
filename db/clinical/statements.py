"""What one text states clinically: drugs and whether they are given or advised against, their doses, other
numbers with what they count, findings that are affirmed or denied. Each with its place in the text.

A dose belongs to the drug just behind it ("500 mg of metformin"), else to the last one before it in its
sentence, else to the only drug of the sentence before. Any other number belongs to the test, finding or drug
nearest to it in its sentence, an age to "age"; where there is none, to nothing.
"""

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import lru_cache

from db.clinical import doses, terms
from db.clinical.denials import DENYING_WORDS, Status, is_denied, status
from db.clinical.doses import Dose
from db.clinical.quantities import Amount, Quantity, amounts
from db.clinical.terms import Mention
from db.generating.grounding import split_sentences

_UNIT_LETTER = re.compile(r"/(?=[A-Za-z]\.)|(?<=\d)\s(?=[A-Za-z]\.\s)|°(?=[CF]\.)")
_LONGEST = 1_500  # characters of a sentence
_NEAR = 60  # characters between a number and what it counts
_JUST_BEHIND = re.compile(
    r"\s*(?:(?:of|oral|iv|im|sc|intravenous|inhaled|tablets?|capsules?)\s+){0,3}", re.IGNORECASE
)
_JUST_BEFORE = re.compile(r"[\s(:,]*", re.IGNORECASE)
_AGE = re.compile(r"[\s-]*(?:old|of age)\b", re.IGNORECASE)
_OTHER_VERB = r"(?!(?:is|are|was|were|should|must|once|when|if|after|before|and|or|than)\b)"
_AVOIDED_BEHIND = re.compile(
    rf"^(?:\s+{_OTHER_VERB}[\w-]+){{0,3}}?\s+(?:(?:is|are) (?:\w+ly )?contraindicated|"
    r"(?:should|must|needs? to|has to|have to|is to) (?:be )?(?:\w+ly )?(?:avoided|stopped|discontinued|"
    r"withheld|omitted|held)|(?:is|are|was|were) (?:stopped|discontinued|withheld|avoided)|"
    r"(?:is|are|was|were|should|must|can|may)(?: not|n['’]t) (?:be )?(?:\w+ )?(?:recommended|indicated|"
    r"advised|given|used|appropriate|safe|started|prescribed|taken|necessary|needed|required)|allergy)\b",
    re.IGNORECASE,
)  # fmt: skip
# Not "warfarin should be stopped and enoxaparin ...": there it is what stands before that is stopped.
_AVOIDS = re.compile(
    r"(?<!\bbe )(?<!\bis )(?<!\bare )(?<!\bwas )(?<!\bwere )(?<!\bbeen )"
    r"\b(?:avoid\w*|stop\w*|discontinu\w+|withh\w+|hold|omit\w*|ceas\w+|contraindicat\w+|instead of|"
    r"rather than|allerg(?:y|ic) to|intoleran(?:t|ce) (?:of|to))\b", re.IGNORECASE,
)  # fmt: skip
_YES_NO = re.compile(r"\W*(?:answer\W+)?(yes|no)\b(?=\s*(?:[.,;:!—-]|$|\n))", re.IGNORECASE)


@dataclass(frozen=True)
class DrugSaid:
    """A drug, and whether it is given or spoken of, or advised against."""

    name: str
    start: int
    end: int
    is_avoided: bool


@dataclass(frozen=True)
class DoseSaid:
    drug: str
    dose: Dose
    start: int
    end: int


@dataclass(frozen=True)
class NumberSaid:
    """A number that is no dose; `about` is what it counts, "" where that is not clear."""

    about: str
    quantity: Quantity
    start: int
    end: int


@dataclass(frozen=True)
class FindingSaid:
    name: str
    status: Status
    start: int
    end: int


@dataclass(frozen=True)
class Statements:
    """Everything found in one text, each kind in order of its places. `verdict` is a leading yes or no."""

    text: str
    drugs: tuple[DrugSaid, ...]
    doses: tuple[DoseSaid, ...]
    numbers: tuple[NumberSaid, ...]
    findings: tuple[FindingSaid, ...]
    verdict: FindingSaid | None

    @property
    def is_empty(self) -> bool:
        return not (self.drugs or self.doses or self.findings or self.verdict) and not any(
            one.quantity.dimension for one in self.numbers
        )


@lru_cache(maxsize=64)  # of one comparison each text is asked for several times
def read(text: str) -> Statements:
    """What the text states, as far as the rules see."""
    reader = _Reader(text)
    for start, end in _sentences(text):
        reader.read(start, end)
    return Statements(
        text,
        tuple(reader.drugs),
        tuple(reader.doses),
        tuple(reader.numbers),
        tuple(reader.findings),
        _verdict(text),
    )


def _sentences(text: str) -> Iterator[tuple[int, int]]:
    """(start, end) of each sentence; one without an end is cut, since what is said together stands near."""
    # A unit of one letter ends a sentence like any word: "5.9 mmol/L.", "1 g.", "38 °C.".
    for start, end in split_sentences(_UNIT_LETTER.sub("x", text)):
        yield from ((at, min(at + _LONGEST, end)) for at in range(start, end, _LONGEST))


def _verdict(text: str) -> FindingSaid | None:
    match = _YES_NO.match(text)
    if match is None:
        return None
    said = Status.AFFIRMED if match[1].lower() == "yes" else Status.DENIED
    return FindingSaid("yes or no", said, match.start(1), match.end(1))


class _Reader:
    """Reads sentence by sentence; remembers the drugs of the sentence before."""

    def __init__(self, text: str) -> None:
        self.text = text
        self.drugs: list[DrugSaid] = []
        self.doses: list[DoseSaid] = []
        self.numbers: list[NumberSaid] = []
        self.findings: list[FindingSaid] = []
        self._all = {kind: find(text) for kind, find in _FINDERS.items()}
        self._amounts = list(amounts(text))
        self._before: list[Mention] = []  # the drugs of the last sentence that names any

    def read(self, start: int, end: int) -> None:
        sentence = self.text[start:end]
        here = {kind: [one for one in found if start <= one.start < end] for kind, found in self._all.items()}
        own = [one for one in self._amounts if start <= one.start < end]
        drugs = here["drugs"]
        self.drugs += [
            DrugSaid(one.name, one.start, one.end, _is_avoided(sentence, one.start - start, one.end - start))
            for one in drugs
        ]
        self.findings += [
            FindingSaid(one.name, status(sentence, one.start - start, one.end - start), one.start, one.end)
            for one in here["findings"]
            if self.text[one.start : one.end].lower() not in DENYING_WORDS
        ]
        self.findings += _denying_words(self.text, start, end)
        self._read_amounts(own, drugs, [*drugs, *here["findings"], *here["measurements"]], start, end)
        self._before = drugs or self._before

    def _read_amounts(
        self, own: Sequence[Amount], drugs: Sequence[Mention], counted: list[Mention], start: int, end: int
    ) -> None:
        of_drug = [(one, _drug_of(self.text, one, drugs, self._before)) for one in own if one.is_dose]
        of_drug = [(one, drug) for one, drug in of_drug if drug]
        taken = [self._dose(one, drug, of_drug, drugs, start, end) for one, drug in of_drug]
        spans = [(said.start, said.end) for said in taken]
        self.doses += taken
        for one in own:
            if not any(begin <= one.start < finish for begin, finish in spans):
                about = _about(self.text, one, counted, end)
                self.numbers.append(NumberSaid(about, one.quantity, one.start, one.end))

    def _dose(
        self, one: Amount, drug: str, others: Sequence, drugs: Sequence, start: int, end: int
    ) -> DoseSaid:
        """With how often it is taken: said behind it before the next dose, or before the first dose."""
        limit = min([other.start for other, _ in others if other.start > one.start] or [end])
        following = [mention.start for mention in drugs if mention.start > one.end]
        if len(following) > 1 or (following and not _is_just_behind(self.text, one, drugs)):
            limit = min(limit, following[1] if _is_just_behind(self.text, one, drugs) else following[0])
        told = doses.often(self.text, one.end, limit)
        first = min((other.start for other, _ in others), default=one.start)
        if told is None and one.start == first:
            others_end = [
                mention.end for mention in drugs if mention.end <= one.start and mention.name != drug
            ]
            told = doses.often(self.text, max([start, *others_end]), one.start)
        dose = doses.dose(
            self.text, one.quantity, told, self.text[start : one.start], self.text[one.end : limit]
        )
        until = max(one.end, told.end) if told and told.start >= one.end else one.end
        return DoseSaid(drug, dose, one.start, until)


_FINDERS = {"drugs": terms.drugs, "findings": terms.findings, "measurements": terms.measurements}


def _drug_of(text: str, one: Amount, drugs: Sequence[Mention], before: Sequence[Mention]) -> str:
    previous = [drug for drug in drugs if drug.end <= one.start]
    is_beside = previous and _JUST_BEFORE.fullmatch(text, previous[-1].end, one.start)
    behind = _is_just_behind(text, one, drugs)
    if behind and not is_beside:
        return behind.name
    if previous:
        return previous[-1].name
    named = {drug.name for drug in drugs or before}
    return named.pop() if len(named) == 1 else ""


def _is_just_behind(text: str, one: Amount, drugs: Sequence[Mention]) -> Mention | None:
    """The drug of "500 mg of metformin"."""
    match = _JUST_BEHIND.match(text, one.end)
    return next((drug for drug in drugs if match and drug.start == match.end()), None)


def _about(text: str, one: Amount, counted: Sequence[Mention], end: int) -> str:
    if one.quantity.dimension == "blood pressure":
        return "blood pressure"
    if one.quantity.dimension in ("months", "time") and _AGE.match(text, one.end, end):
        return "age"
    near = [(_distance(text, one, mention), mention.name) for mention in counted]
    return min((item for item in near if item[0] <= _NEAR), default=(0, ""))[1]


def _distance(text: str, one: Amount, mention: Mention) -> int:
    """Characters between; what stands behind a number counts as twice as far, and a time looks back only."""
    if mention.end <= one.start:
        between, times = text[mention.end : one.start], 1
    else:
        between, times = text[one.end : mention.start], 2
        if one.quantity.dimension in ("time", "months"):
            return _NEAR + 1
    return _NEAR + 1 if ";" in between else times * len(between)


def _is_avoided(sentence: str, start: int, end: int) -> bool:
    """Advised against: "avoid", "stop", "is contraindicated"; "do not stop" is no such thing."""
    behind = _AVOIDED_BEHIND.match(sentence[end:])
    if behind:
        return True
    last = max(
        _AVOIDS.finditer(sentence, max(0, start - 60), start), key=lambda one: one.start(), default=None
    )
    if last is not None and not re.search(r"[;:]|\b(?:and (?:start|give|use)|then|but|start\w*|switch\w*)\b",
                                          sentence[last.end() : start], re.IGNORECASE):  # fmt: skip
        return not is_denied(sentence, last.start())
    return is_denied(sentence, start)


def _denying_words(text: str, start: int, end: int) -> Iterator[FindingSaid]:
    for word in re.finditer(r"[\w-]+", text[start:end]):
        if name := DENYING_WORDS.get(word[0].lower()):
            yield FindingSaid(name, Status.DENIED, start + word.start(), start + word.end())
