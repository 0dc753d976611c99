"""Which rows of a dataset hold texts that a model will be measured on.

Three ways to be contaminated, from the plainest on:

- *exact*: a row's prompt (instruction and input), or one of its fields, has the same words in the same order
  as the evaluation text, whatever the case, punctuation or Unicode form;
- *n-gram*: a field of the row shares a run of 13 words with the evaluation text, or of 8 where that text has
  fewer than 13. 8 and 13 are the ends of GPT-3's range (Brown et al. 2020, appendix C), and as there one
  shared run is enough, and a run that stands in more than 10 evaluation texts is a common phrase and proves
  nothing. Texts of fewer than 8 words have no runs: they are looked for exactly and by ROUGE-L alone. Where
  an evaluation text has an input of 8 words or more, runs are taken from that alone: the wording of a task
  is no leak;
- *rouge-l*: the row's prompt and the evaluation text have a ROUGE-L F1 above a bound.

What none of them finds: a paraphrase, a translation, the same facts in other words.
"""

import json
from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from difflib import SequenceMatcher
from enum import StrEnum
from itertools import pairwise
from pathlib import Path

from db.checks.near_index import NearIndex
from db.checks.similarity import tokenise

LONG_RUN, SHORT_RUN = 13, 8  # words
COMMON = 10  # evaluation texts that may hold a run before it is a common phrase


class HitKind(StrEnum):
    EXACT = "exact"
    NGRAM = "n-gram"
    ROUGE_L = "rouge-l"


@dataclass(frozen=True)
class Probe:
    """One text of an evaluation set: what is asked, and on which input."""

    instruction: str
    input: str = ""

    @property
    def prompt(self) -> str:
        return f"{self.instruction}\n{self.input}"


@dataclass(frozen=True)
class EvaluationSet:
    """What a model will be measured on, under the name that reports give it."""

    name: str
    probes: tuple[Probe, ...]

    @classmethod
    def of_texts(cls, name: str, texts: Sequence[str]) -> "EvaluationSet":
        return cls(name, tuple(Probe(text) for text in texts))

    @classmethod
    def of_file(cls, path: Path) -> "EvaluationSet":
        """From JSONL: a text a line, or objects with instruction, question or text, and maybe input.

        Raises ValueError naming the first line that holds none.
        """
        try:
            lines = path.read_text(encoding="utf-8-sig").split("\n")
        except UnicodeDecodeError as error:
            raise ValueError(f"against: {path.name} is not text in UTF-8; save it as JSONL.") from error
        probes = [_probe(line, f"line {number} of {path.name}") for number, line in enumerate(lines, 1)]
        found = tuple(probe for probe in probes if probe)
        if not found:
            raise ValueError(f"against: {path.name} holds no text.")
        return cls(path.name, found)


@dataclass(frozen=True)
class Limits:
    """What counts as contaminated. Raises ValueError naming the field."""

    run: int = LONG_RUN  # words in a row, 8 to 13
    near: float = 0.7  # ROUGE-L F1

    def __post_init__(self) -> None:
        if not SHORT_RUN <= self.run <= LONG_RUN:
            raise ValueError(f"run: {self.run} words; give a whole number from {SHORT_RUN} to {LONG_RUN}.")
        if not 0 < self.near <= 1:
            raise ValueError(f"near: {self.near:g} is no bound; give a score above 0 up to 1, such as 0.7.")

    def run_for(self, words: int) -> int:
        """How many words in a row count against an evaluation text of so many; 0 when it is too short."""
        return self.run if words >= self.run else SHORT_RUN if words >= SHORT_RUN else 0

    @property
    def sentence(self) -> str:
        """The rule, as a report states it."""
        return (
            "A row is contaminated when it has the same words as an evaluation text, when it shares "
            f"{self.run} words in a row with it ({SHORT_RUN} where the text has fewer than {self.run}; runs "
            f"that stand in more than {COMMON} evaluation texts do not count), or when their ROUGE-L F1 is "
            f"above {self.near:g}."
        )


@dataclass(frozen=True)
class Text:
    """A row as it is searched."""

    instruction: str
    input: str = ""
    output: str = ""


@dataclass(frozen=True)
class Hit:
    """One row and one evaluation text found in it; the strongest kind only."""

    row: int  # position among the rows given
    set_name: str
    probe: int  # position in the evaluation set
    kind: HitKind
    score: float  # exact: 1; n-gram: share of the text's runs that the row holds; rouge-l: F1


def find_contamination(
    rows: Sequence[Text], sets: Sequence[EvaluationSet], limits: Limits | None = None
) -> list[Hit]:
    """Every pair of a row and an evaluation text it is contaminated by, in order of rows."""
    limits = limits or Limits()
    probes = [(group.name, at, probe) for group in sets for at, probe in enumerate(group.probes)]
    if not probes:
        return []
    found: dict[tuple[int, int], tuple[HitKind, float]] = {}
    searches = (
        (HitKind.ROUGE_L, _near(rows, probes, limits)),
        (HitKind.NGRAM, _shared_runs(rows, probes, limits)),
        (HitKind.EXACT, _equal(rows, probes)),
    )
    for kind, hits in searches:  # a stronger kind replaces a weaker one
        found.update({(row, probe): (kind, score) for row, probe, score in hits})
    return [
        Hit(row, *probes[probe][:2], kind, round(score, 4))
        for (row, probe), (kind, score) in sorted(found.items())
    ]


def shared_passage(row: Text, probe: Probe) -> str:
    """The longest run of words that a row shares with an evaluation text, as words in lower case."""
    asked = _words(probe.prompt)
    runs = (_longest_run(_words(part), asked) for part in (row.instruction, row.input, row.output))
    return " ".join(max(runs, key=len))


def _longest_run(words: tuple[str, ...], others: tuple[str, ...]) -> tuple[str, ...]:
    found = SequenceMatcher(None, words, others, autojunk=False).find_longest_match()
    return words[found.a : found.a + found.size]


def _probe(line: str, where: str) -> Probe | None:
    if not line.strip():
        return None
    try:
        row = json.loads(line)
    except json.JSONDecodeError as error:
        raise ValueError(f"against: {where} is no JSON.") from error
    fields = row if isinstance(row, dict) else {"text": row}
    texts = [fields[name] for name in ("instruction", "question", "text") if fields.get(name)]
    if not texts or not isinstance(texts[0], str):
        raise ValueError(f"against: {where} has no instruction, question or text.")
    return Probe(texts[0], str(fields.get("input") or ""))


def _equal(rows: Sequence[Text], probes) -> Iterator[tuple[int, int, float]]:
    asked: dict[tuple[str, ...], list[int]] = {}
    for number, (_, _, probe) in enumerate(probes):
        asked.setdefault(_words(probe.prompt), []).append(number)
    asked.pop((), None)
    for row, text in enumerate(rows):
        prompt = f"{text.instruction}\n{text.input}"
        for words in {_words(part) for part in (prompt, text.instruction, text.input, text.output)}:
            yield from ((row, number, 1.0) for number in asked.get(words, ()))


def _shared_runs(rows: Sequence[Text], probes, limits: Limits) -> Iterator[tuple[int, int, float]]:
    askers: dict[tuple[str, ...], list[int]] = {}
    for number, (_, _, probe) in enumerate(probes):
        askers.setdefault(_passage(probe), []).append(number)
    wanted, sizes = _wanted_runs(askers, limits)
    lengths = {len(run) for run in wanted}
    starts = {run[:2] for run in wanted}  # most places in a row begin no run: two words tell
    for row, text in enumerate(rows):
        held: dict[tuple[str, ...], set] = {}
        for part in (text.instruction, text.input, text.output):
            words = _words(part)
            for at, start in enumerate(pairwise(words)):
                if start not in starts:
                    continue
                for run in (words[at : at + length] for length in lengths):
                    for passage in wanted.get(run, ()):
                        held.setdefault(passage, set()).add(run)
        for passage, runs in held.items():
            yield from ((row, number, len(runs) / sizes[passage]) for number in askers[passage])


def _wanted_runs(passages: Iterable[tuple[str, ...]], limits: Limits) -> tuple[dict, Counter]:
    """Run of words -> the passages that hold it, without common phrases; how many runs each passage has."""
    wanted: dict[tuple[str, ...], list[tuple[str, ...]]] = {}
    for words in passages:
        length = limits.run_for(len(words))
        for run in {words[at : at + length] for at in range(len(words) - length + 1) if length}:
            wanted.setdefault(run, []).append(words)
    wanted = {run: holders for run, holders in wanted.items() if len(holders) <= COMMON}
    return wanted, Counter(words for holders in wanted.values() for words in holders)


def _passage(probe: Probe) -> tuple[str, ...]:
    """The words of a probe in which runs are looked for."""
    words = _words(probe.input)
    return words if len(words) >= SHORT_RUN else _words(probe.prompt)


def _near(rows: Sequence[Text], probes, limits: Limits) -> Iterator[tuple[int, int, float]]:
    index = NearIndex((f"{row.instruction}\n{row.input}" for row in rows), limits.near)
    for number, (_, _, probe) in enumerate(probes):
        yield from ((row, number, score) for row, score in index.near(probe.prompt))


def _words(text: str) -> tuple[str, ...]:
    return tuple(tokenise(text))
