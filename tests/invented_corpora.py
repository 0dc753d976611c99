"""Files in the forms and sizes of Llama2-MedTuned's corpora, of invented words from a seed.

The sizes are the paper's composition (200,252 rows of training data). Lengths are set by hand to be those
of such corpora, roughly: some 25 words a sentence, some 200 a consultation. About a third of the sentences
hold a number, as clinical text does, so that the look for patient data has something to look at.
"""

import json
import random
from collections.abc import Callable, Iterator
from functools import cache
from itertools import accumulate
from pathlib import Path

from db.corpora import presets, templates
from tests.bench.similarity import ENDINGS, FUNCTION_WORDS, ONSETS, VOWELS

Write = Callable[["Words", int, Path], None]
"""Writes so many rows to a file."""


class Words:
    """An endless supply of text, the same for the same seed."""

    def __init__(self, seed: int, vocabulary: int = 40_000) -> None:
        self._random = random.Random(seed)
        made = {self._made_up() for _ in range(vocabulary)}
        self._words = [*FUNCTION_WORDS, *sorted(made)]
        self._weights = list(accumulate(1 / (rank + 10) for rank in range(len(self._words))))

    def some(self, low: int, high: int) -> list[str]:
        """`low` to `high` words, the common ones more often; one text in three has a number in it."""
        words = self._random.choices(
            self._words, cum_weights=self._weights, k=self._random.randint(low, high)
        )
        if self._random.random() < 0.33:
            words[self._random.randrange(len(words))] = str(self._random.randint(1, 400))
        return words

    def text(self, low: int, high: int) -> str:
        return " ".join(self.some(low, high)).capitalize() + "."

    def pick(self, among):
        return self._random.choice(among)

    def chance(self, share: float) -> bool:
        return self._random.random() < share

    def number(self, below: int) -> int:
        return self._random.randrange(below)

    def _made_up(self) -> str:
        count = self._random.randint(1, 3)
        syllables = (self._random.choice(ONSETS) + self._random.choice(VOWELS) for _ in range(count))
        return "".join(syllables) + self._random.choice(ENDINGS)


def _tagged(words: Words, rows: int, path: Path) -> None:
    """Tokens tagged B, I or O, a blank line between sentences; a third of the sentences have no mention."""
    with path.open("w", encoding="utf-8") as file:
        for _ in range(rows):
            tokens = words.some(12, 40)
            tags = ["O"] * len(tokens)
            for _ in range(0 if words.chance(0.33) else 1 + words.number(3)):
                _mark(words, tags)
            lines = (f"{token}\t{tag}\n" for token, tag in zip(tokens, tags, strict=True))
            file.write("".join(lines) + "\n")


def _mark(words: Words, tags: list[str]) -> None:
    """Tag one to three tokens as a mention, unless another one lies or begins beside them."""
    start = words.number(len(tags) - 4) + 1
    stop = start + 1 + words.number(3)
    if all(tag == "O" for tag in tags[start - 1 : stop + 1]):
        tags[start:stop] = ["B", *("I" for _ in tags[start + 1 : stop])]


def _relations(words: Words, rows: int, path: Path) -> None:
    def row() -> dict:
        label = words.pick(_labels("re-clinical"))
        first, second = ("@test$" if label.startswith("Te") else "@treatment$"), "@problem$"
        if label == "PIP":
            first = "@problem$"
        parts = [" ".join(words.some(4, 12)) for _ in range(3)]
        return {"text": f"{parts[0]} {first} {parts[1]} {second} {parts[2]} .", "label": label}

    _json_lines(path, (row() for _ in range(rows)))


def _pairs(words: Words, rows: int, path: Path) -> None:
    def row(number: int) -> dict:
        return {
            "pairID": f"p{number}",
            "sentence1": words.text(10, 35),
            "sentence2": words.text(4, 12),
            "gold_label": words.pick(_labels("nli-clinical")),
        }

    _json_lines(path, (row(number) for number in range(rows)))


def _labelled(words: Words, rows: int, path: Path) -> None:
    def labels() -> list[str]:
        if words.chance(0.4):
            return []
        return sorted({words.pick(_labels("hallmarks-of-cancer")) for _ in range(1 + words.number(2))})

    _json_lines(path, ({"text": words.text(15, 40), "labels": labels()} for _ in range(rows)))


def _consultations(words: Words, rows: int, path: Path) -> None:
    _json_lines(
        path,
        (
            {
                "instruction": "If you are a doctor, please answer the medical questions of the patient.",
                "input": words.text(50, 130),
                "output": words.text(60, 160),
            }
            for _ in range(rows)
        ),
    )


def _questions(words: Words, rows: int, path: Path) -> None:
    _json_lines(
        path,
        (
            {"instruction": "Answer this.", "input": words.text(20, 80), "output": words.text(40, 140)}
            for _ in range(rows)
        ),
    )


def _json_lines(path: Path, rows: Iterator[dict]) -> None:
    with path.open("w", encoding="utf-8") as file:
        file.writelines(json.dumps(row) + "\n" for row in rows)


@cache
def _labels(template: str) -> tuple[str, ...]:
    return tuple(label.name for label in templates.get(template).labels)


WRITERS: dict[str, tuple[Write, str]] = {
    "iob": (_tagged, ".tsv"),
    "masked_pair": (_relations, ".jsonl"),
    "pairs": (_pairs, ".jsonl"),
    "labels": (_labelled, ".jsonl"),
    "chatdoctor": (_consultations, ".jsonl"),
    "pmc-llama": (_questions, ".jsonl"),
}


def write_paper(folder: Path, *, share: float = 1.0, seed: int = 1) -> dict[str, Path]:
    """A file for each set of the paper's composition, with `share` of its rows: preset name -> path."""
    words, paths = Words(seed), {}
    for preset in presets.composition():
        write, suffix = WRITERS[preset.name if preset.name in WRITERS else preset.format]
        paths[preset.name] = folder / f"{preset.name}-train{suffix}"
        write(words, max(1, round(preset.rows * share)), paths[preset.name])
    return paths
