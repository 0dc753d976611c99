"""Evaluation sets made ready once, and asked row by row: is this one contaminated, and by which text?

The rule is that of `db.checks.contamination`, which compares whole datasets at a time and prepares the sets
anew each time; tests hold the two to the same answers.
"""

from collections.abc import Sequence
from itertools import pairwise

from db.checks.contamination import COMMON, SHORT_RUN, EvaluationSet, Hit, HitKind, Limits, Probe, Text
from db.checks.similarity import NearestText, tokenise

Words = tuple[str, ...]


class EvaluationTexts:
    """The texts of some evaluation sets, searched for one that a row holds."""

    def __init__(self, sets: Sequence[EvaluationSet], limits: Limits) -> None:
        self._limits = limits
        self._places = [(group.name, at) for group in sets for at in range(len(group.probes))]
        self._whole: dict[Words, int] = {}  # the first probe of these words
        self._runs: dict[Words, list[int]] = {}
        self._sizes: dict[int, int] = {}  # probe -> its runs that are no common phrase
        self._near = NearestText()
        probes = [probe for group in sets for probe in group.probes]
        for number, probe in enumerate(probes):
            self._whole.setdefault(_words(probe.prompt), number)
            self._near.put(number, probe.prompt)
        self._whole.pop((), None)
        self._fill_runs(probes)
        self._starts = {run[:2] for run in self._runs}
        self._lengths = sorted({len(run) for run in self._runs})

    def __len__(self) -> int:
        return len(self._places)

    def find(self, row: Text) -> Hit | None:
        """The strongest hit of a row (exact, n-gram, ROUGE-L), None where it is clean."""
        if not self._places:
            return None
        prompt = f"{row.instruction}\n{row.input}"
        parts = [_words(part) for part in (row.instruction, row.input, row.output)]
        for words in (_words(prompt), *parts):
            if words in self._whole:
                return self._hit(self._whole[words], HitKind.EXACT, 1.0)
        held: dict[int, set[Words]] = {}
        for words in parts:
            self._hold(words, held)
        if held:
            shares = {number: len(runs) / self._sizes[number] for number, runs in held.items()}
            best = max(shares, key=lambda number: (shares[number], -number))
            return self._hit(best, HitKind.NGRAM, shares[best])
        near = self._near.nearest(prompt, above=self._limits.near)
        return self._hit(near.id, HitKind.ROUGE_L, near.score) if near else None

    def _hit(self, number: int, kind: HitKind, score: float) -> Hit:
        return Hit(0, *self._places[number], kind, round(score, 4))

    def _hold(self, words: Words, held: dict[int, set[Words]]) -> None:
        for at, start in enumerate(pairwise(words)):
            if start in self._starts:
                for run in (words[at : at + length] for length in self._lengths):
                    for number in self._runs.get(run, ()):
                        held.setdefault(number, set()).add(run)

    def _fill_runs(self, probes: Sequence[Probe]) -> None:
        """Equal passages count once when a run is called a common phrase."""
        passages: dict[Words, list[int]] = {}
        for number, probe in enumerate(probes):
            passages.setdefault(_passage(probe), []).append(number)
        holders: dict[Words, list[Words]] = {}
        for words in passages:
            length = self._limits.run_for(len(words))
            for run in {words[at : at + length] for at in range(len(words) - length + 1) if length}:
                holders.setdefault(run, []).append(words)
        for run, inside in holders.items():
            if len(inside) <= COMMON:
                self._runs[run] = [number for words in inside for number in passages[words]]
                for number in self._runs[run]:
                    self._sizes[number] = self._sizes.get(number, 0) + 1


def _passage(probe: Probe) -> Words:
    """The words of a probe in which runs are looked for."""
    words = _words(probe.input)
    return words if len(words) >= SHORT_RUN else _words(probe.prompt)


def _words(text: str) -> Words:
    return tuple(tokenise(text))
