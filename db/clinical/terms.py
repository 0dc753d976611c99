"""Where a text names drugs, findings and measurements: mentions with their places, by the studio's own lists.

Drugs are those of `db/metrics/concepts.yaml` and `drugs.yaml` beside this, and words that end as the names of
substances do (INN stems: -mab, -pril, -floxacin), so that a drug of no list, even one a model made up, is
seen. Words are compared as `db.metrics.concepts` does; where two ways of writing overlap, the longest counts.
"""

import re
from collections.abc import Iterator
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path

import yaml

from db.metrics import concepts

MORE_DRUGS = Path(__file__).with_name("drugs.yaml")
FINDING_SECTIONS = ("conditions", "symptoms and findings")
MEASURE_SECTIONS = ("tests and measurements",)
_WORD = re.compile(r"[^\W_]+")
_JOINED = re.compile(r"[ \t'’-]{1,3}")
_CAPITALS = re.compile(r"[A-Z][A-Z0-9&]{1,5}")
# The stems of names of substances (WHO, 2018) that hardly any other English word ends in.
_STEM = re.compile(
    r"[a-z]{3,}(?:mab|nib|pril|prilat|sartan|olol|gliptin|gliflozin|glitazone|glutide|cillin|floxacin|cycline|"
    r"conazole|prazole|dipine|parin|xaban|gatran|azepam|azolam|setron|triptan|vastatin|fibrate|ciclib|parib|"
    r"lukast|dronate|oxetine|barbital|mycin|micin|virine|tegravir|previr|buvir|ciclovir|navir|kinra|cept|"
    r"platin|rubicin|taxel|thiazide|semide|caine|profen|coxib|curonium|tidine)"
)
_NO_DRUG = frozenset({"concept", "accept", "except", "precept", "percept", "intercept", "cocaine"})
_NOT_GIVEN = re.compile(r"-(?:induced|resistant|sensitive|associated|related|allergic|deficient|naive)", re.I)


@dataclass(frozen=True, order=True)
class Mention:
    """Characters `start` to `end` (exclusive) of a text that name something, under its first name."""

    start: int
    end: int
    name: str


@dataclass(frozen=True)
class _Terms:
    phrases: dict[tuple[str, ...], str]  # stems of the words -> name
    capitals: dict[str, str]  # ways of writing in capitals -> name
    longest: int  # in words


def drugs(text: str) -> list[Mention]:
    """The drugs that a text names, without those that only name something else (heparin-induced)."""
    known = _mentions(text, _drug_terms())
    taken = {place for one in known for place in range(one.start, one.end)}
    coined = [
        Mention(word.start(), word.end(), word[0].lower())
        for word in _WORD.finditer(text)
        if word.start() not in taken and _is_coined(word[0].lower())
    ]
    return sorted(one for one in (*known, *coined) if not _NOT_GIVEN.match(text, one.end))


def findings(text: str) -> list[Mention]:
    """The conditions, symptoms and signs that a text names."""
    return _mentions(text, _terms(FINDING_SECTIONS))


def measurements(text: str) -> list[Mention]:
    """The tests and measurements that a text names."""
    return _mentions(text, _terms(MEASURE_SECTIONS))


def _is_coined(word: str) -> bool:
    return word not in _NO_DRUG and _STEM.fullmatch(word) is not None


def _mentions(text: str, terms: _Terms) -> list[Mention]:
    words = list(_WORD.finditer(text))
    stems = [concepts.stem(word[0].casefold()) for word in words]
    found, at = [], 0
    while at < len(words):
        length, name = _longest(text, words, stems, at, terms)
        if name:
            found.append(Mention(words[at].start(), words[at + length - 1].end(), name))
        at += max(length, 1)
    return found


def _longest(text: str, words: list, stems: list[str], at: int, terms: _Terms) -> tuple[int, str]:
    """(how many words, the name) of the longest way of writing that begins there; (0, "") for none."""
    reach = 1
    while reach < terms.longest and at + reach < len(words):
        if not _JOINED.fullmatch(text, words[at + reach - 1].end(), words[at + reach].start()):
            break
        reach += 1
    for length in range(reach, 0, -1):
        if name := terms.phrases.get(tuple(stems[at : at + length])):
            return length, name
    name = terms.capitals.get(words[at][0]) or terms.capitals.get(words[at][0].removesuffix("s"))
    return (1, name) if name else (0, "")


@lru_cache(maxsize=1)
def _drug_terms() -> _Terms:
    more = yaml.safe_load(MORE_DRUGS.read_text(encoding="utf-8"))
    return _read([*_lines(concepts.LIST, ("drugs",)), *(line for lines in more.values() for line in lines)])


@lru_cache(maxsize=4)
def _terms(sections: tuple[str, ...]) -> _Terms:
    return _read(list(_lines(concepts.LIST, sections)))


def _lines(path: Path, sections: tuple[str, ...]) -> Iterator[str]:
    listed = yaml.safe_load(path.read_text(encoding="utf-8"))
    for section in sections:
        yield from listed[section]


def _read(lines: list[str]) -> _Terms:
    """Raises ValueError where one way of writing names two things."""
    phrases: dict[tuple[str, ...], str] = {}
    capitals: dict[str, str] = {}
    for line in lines:
        name, *ways = (way.strip() for way in line.split(";"))
        for way in (name, *ways):
            if _CAPITALS.fullmatch(way):
                known = capitals.setdefault(way, name)
            else:
                stems = tuple(concepts.stem(word.casefold()) for word in _WORD.findall(way))
                known = phrases.setdefault(stems, name)
            if known != name:
                raise ValueError(f"drugs: '{way}' names both {known} and {name}; keep one.")
    return _Terms(phrases, capitals, max(map(len, phrases)))
