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
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from difflib import SequenceMatcher
from enum import StrEnum
from functools import lru_cache
from itertools import pairwise
from pathlib import Path

from db.checks.near_index import NearIndex
from db.checks.similarity import tokenise

LONG_RUN, SHORT_RUN = 13, 8  # words
COMMON = 10  # evaluation texts that may hold a run before it is a common phrase
_TOLD_EVERY = 256  # rows

Words = tuple[str, ...]


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
    rows: Sequence[Text],
    sets: Sequence[EvaluationSet],
    limits: Limits | None = None,
    tell: Callable[[int], object] = lambda done: None,
) -> list[Hit]:
    """Every pair of a row and an evaluation text it is contaminated by, in order of rows.

    `tell` hears now and then how many rows have been looked at.
    """
    return Contamination(sets, limits).find(rows, tell)


class Contamination:
    """Evaluation sets, made ready once to be looked for in any number of rows."""

    def __init__(self, sets: Sequence[EvaluationSet], limits: Limits | None = None) -> None:
        limits = limits or Limits()
        self._probes = [(group.name, at, probe) for group in sets for at, probe in enumerate(group.probes)]
        asked = [_words(probe.prompt) for _, _, probe in self._probes]
        self._equal: dict[Words, list[int]] = {}  # the words of a probe -> the probes that have them
        self._askers: dict[Words, list[int]] = {}  # a passage -> the probes that ask about it
        for number, (words, (_, _, probe)) in enumerate(zip(asked, self._probes, strict=True)):
            self._equal.setdefault(words, []).append(number)
            self._askers.setdefault(_passage(probe, words), []).append(number)
        self._equal.pop((), None)
        self._wanted, self._sizes = _wanted_runs(self._askers, limits)
        self._lengths = {len(run) for run in self._wanted}
        self._starts = {run[:2] for run in self._wanted}  # most places begin no run: two words tell
        self._near = NearIndex((probe.prompt for _, _, probe in self._probes), limits.near)

    def find(self, rows: Sequence[Text], tell: Callable[[int], object] = lambda done: None) -> list[Hit]:
        """As `find_contamination` gives them."""
        found: list[Hit] = []
        for row, text in enumerate(rows if self._probes else ()):
            if row % _TOLD_EVERY == 0:
                tell(row)
            found += [
                Hit(row, *self._probes[probe][:2], kind, round(score, 4))
                for probe, (kind, score) in sorted(self._found_in(text).items())
            ]
        return found

    def _found_in(self, row: Text) -> dict[int, tuple[HitKind, float]]:
        """The probes that a row holds, each with the strongest kind and its score."""
        parts = _shared_words(row.instruction), _words(row.input), _words(row.output)
        prompt = parts[0] + parts[1]
        near = {probe: (HitKind.ROUGE_L, score) for probe, score in self._near.near_words(prompt)}
        runs = {probe: (HitKind.NGRAM, score) for probe, score in self._runs_in(parts)}
        equal = {
            probe: (HitKind.EXACT, 1.0) for words in (prompt, *parts) for probe in self._equal.get(words, ())
        }
        return near | runs | equal

    def _runs_in(self, parts: Iterable[Words]) -> Iterator[tuple[int, float]]:
        """(probe, share of its runs) of each whose passage shares a run with one of the parts."""
        held: dict[Words, set[Words]] = {}
        for words in parts:
            if self._starts.isdisjoint(pairwise(words)):
                continue
            for at, start in enumerate(pairwise(words)):
                if start not in self._starts:
                    continue
                for run in (words[at : at + length] for length in self._lengths):
                    for passage in self._wanted.get(run, ()):
                        held.setdefault(passage, set()).add(run)
        for passage, runs in held.items():
            yield from ((probe, len(runs) / self._sizes[passage]) for probe in self._askers[passage])


def shared_passage(row: Text, probe: Probe) -> str:
    """The longest run of words that a row shares with an evaluation text, as words in lower case."""
    asked = _words(probe.prompt)
    runs = (_longest_run(_words(part), asked) for part in (row.instruction, row.input, row.output))
    return " ".join(max(runs, key=len))


def _longest_run(words: Words, others: Words) -> Words:
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


def _wanted_runs(passages: Iterable[Words], limits: Limits) -> tuple[dict[Words, list[Words]], Counter]:
    """Run of words -> the passages that hold it, without common phrases; how many runs each passage has."""
    wanted: dict[Words, list[Words]] = {}
    for words in passages:
        length = limits.run_for(len(words))
        for run in {words[at : at + length] for at in range(len(words) - length + 1) if length}:
            wanted.setdefault(run, []).append(words)
    wanted = {run: holders for run, holders in wanted.items() if len(holders) <= COMMON}
    return wanted, Counter(words for holders in wanted.values() for words in holders)


def _passage(probe: Probe, prompt: Words) -> Words:
    """The words of a probe in which runs are looked for; `prompt`: those of all of it."""
    words = _words(probe.input)
    return words if len(words) >= SHORT_RUN else prompt


def _words(text: str) -> Words:
    return tuple(tokenise(text))


@lru_cache(maxsize=1_024)
def _shared_words(instruction: str) -> Words:
    """The words of an instruction: converted rows share theirs by the thousand."""
    return _words(instruction)
