"""The duplicate gate against `rouge_score` as the Self-Instruct scripts use it, and its own speed.

Texts are written by code from a seed: 10 to 60 English-looking words, in part reworded copies of earlier
texts and templates with other names. They are ASCII, where both sides see the same words; on other text the
studio's tokeniser differs on purpose (Greek letters, accents and other scripts count), and so may decide.

The peer scores a candidate against every text of the pool and rejects it when one F1 is above 0.7. That
takes it ten minutes or so for 2,000 candidates, so it runs in full on one candidate in `--every`, and its
time is scaled up by the number of pairs; for every rejected candidate it also scores the pair that decided.
`--every 1` runs all. Its F1 is rounded to 12 decimals before it is compared: at exactly 7/10 its floating
point ends above 0.7 for half of all lengths, by chance, where the fraction is not above.
"""

import json
import random
import time
from argparse import ArgumentParser
from dataclasses import dataclass

from db.checks.similarity import NearestText, rouge_l
from db.duplicates import SHOWN, DuplicateRule

BOUND = 0.7  # Self-Instruct's
CANDIDATES, STORED, ASKED = 2_000, 25_005, 200
RULE = DuplicateRule()

FUNCTION_WORDS = """
the of and to in a is for with that on by are as this from or be at an which it was not have has
their can may than between after during when what how who if into each these other more most no its
all
""".split()
ASKING_WORDS = """
describe explain list name summarise identify classify compare answer write give patient patients
question passage note treatment symptoms diagnosis clinical disease drug dose test results history
findings risk therapy study effects cause brief plain words sentence following report age years
acute chronic severe
""".split()
ONSETS = (
    "b",
    "c",
    "d",
    "f",
    "g",
    "h",
    "k",
    "l",
    "m",
    "n",
    "p",
    "r",
    "s",
    "t",
    "v",
    "br",
    "cl",
    "dr",
    "gl",
    "st",
)
VOWELS = ("a", "e", "i", "o", "u", "ea", "io")
ENDINGS = (
    "in",
    "ol",
    "ide",
    "ase",
    "itis",
    "oma",
    "emia",
    "pril",
    "statin",
    "mab",
    "ine",
    "ic",
    "al",
    "osis",
)


class Writer:
    """Texts from a seed: fresh, reworded from an earlier one, or a template with other names in it."""

    def __init__(self, seed: int) -> None:
        self._random = random.Random(seed)
        self._content = sorted({self._made_up() for _ in range(9_000)})
        self._random.shuffle(self._content)
        self._templates = [self._fresh(self._random.randint(10, 30)) for _ in range(40)]
        self._written: list[list[str]] = []

    def text(self) -> str:
        kind = self._random.random()
        if kind < 0.12 and self._written:
            words = self._changed(self._random.choice(self._written), self._random.uniform(0, 0.2))
        elif kind < 0.24 and self._written:
            words = self._changed(self._random.choice(self._written), self._random.uniform(0.2, 0.45))
        elif kind < 0.34:
            words = self._changed(self._random.choice(self._templates), 0.1)
        else:
            words = self._fresh(self._random.randint(10, 60))
        self._written.append(words)
        return " ".join(words).capitalize() + "."

    def _fresh(self, length: int) -> list[str]:
        return [self._word() for _ in range(length)]

    def _word(self) -> str:
        """A third function words, a quarter words of asking, else a made-up term, by Zipf."""
        share = self._random.random()
        pool = FUNCTION_WORDS if share < 0.33 else ASKING_WORDS if share < 0.58 else self._content
        return pool[int(len(pool) * self._random.random() ** 2)]

    def _changed(self, words: list[str], share: float) -> list[str]:
        """Each word replaced, dropped or followed by another with this probability in all."""
        changed = []
        for word in words:
            if self._random.random() >= share:
                changed.append(word)
            elif (what := self._random.random()) < 0.6:
                changed.append(self._word())
            elif what < 0.8:
                changed += [word, self._word()]
        return changed or words

    def _made_up(self) -> str:
        count = self._random.randint(1, 3)
        syllables = (self._random.choice(ONSETS) + self._random.choice(VOWELS) for _ in range(count))
        return "".join(syllables) + self._random.choice(ENDINGS)


@dataclass(frozen=True)
class Ours:
    seconds: float
    accepted: list[int]  # positions of the pool, in order
    rejected_by: dict[int, int]  # position -> the position that decided


def ours(texts: list[str]) -> Ours:
    """Accept each text that no accepted one scores above the bound with."""
    begin = time.perf_counter()
    pool, accepted, rejected_by = NearestText(), [], {}
    for position, text in enumerate(texts):
        near = pool.stopping(text, copy=BOUND, variant=BOUND)
        if near:
            rejected_by[position] = near.id
        else:
            pool.put(position, text)
            accepted.append(position)
    return Ours(time.perf_counter() - begin, accepted, rejected_by)


@dataclass(frozen=True)
class Peer:
    seconds: float  # of all candidates, scaled up
    compared: int  # candidates that it ran in full
    differing: list[int]
    ties: int  # candidates of those whose best score is exactly the bound


def peer(texts: list[str], found: Ours, every: int) -> Peer:
    """`rouge_score` in full on every `every`-th candidate, against the pool as it was at that candidate."""
    from rouge_score.rouge_scorer import RougeScorer

    scorer = RougeScorer(["rougeL"], use_stemmer=False)

    def f1(one: int, other: int) -> float:
        return round(scorer.score(texts[one], texts[other])["rougeL"].fmeasure, 12)

    seconds, pairs, all_pairs, compared, ties, differing = 0.0, 0, 0, 0, 0, []
    accepted = set(found.accepted)
    for position in range(len(texts)):
        pool = [other for other in found.accepted if other < position]
        all_pairs += len(pool)
        if position % every == 0:
            begin = time.perf_counter()
            best = max((f1(position, other) for other in pool), default=0)
            seconds += time.perf_counter() - begin
            pairs, compared, ties = pairs + len(pool), compared + 1, ties + (best == BOUND)
            is_same = (best <= BOUND) == (position in accepted)
        else:
            is_same = position in accepted or f1(position, found.rejected_by[position]) > BOUND
        if not is_same:
            differing.append(position)
    return Peer(seconds * all_pairs / pairs, compared, differing, ties)


def one_text(pool: NearestText, texts: list[str]) -> list[float]:
    """Milliseconds of the gate's answer for each text: what stops it, and if nothing does the nearest."""
    took = []
    for text in texts:
        begin = time.perf_counter()
        pool.stopping(text, copy=RULE.copy, variant=RULE.variant) or pool.nearest(text, above=SHOWN)
        took.append(1000 * (time.perf_counter() - begin))
    return sorted(took)


def online(texts: list[str]) -> tuple[float, int]:
    """Seconds for one text after another, each against those that passed before it; how many stopped."""
    begin = time.perf_counter()
    pool, stopped = NearestText(), 0
    for id, text in enumerate(texts):
        if pool.stopping(text, copy=RULE.copy, variant=RULE.variant):
            stopped += 1
        else:
            pool.put(id, text)
    return time.perf_counter() - begin, stopped


def main(argv: list[str]) -> None:
    parser = ArgumentParser(prog="python -m tests.bench similarity")
    parser.add_argument("--every", type=int, default=40, help="run the peer on one candidate in so many")
    parser.add_argument("--seed", type=int, default=1)
    options = parser.parse_args(argv)
    writer = Writer(options.seed)
    texts = [writer.text() for _ in range(STORED)]
    asked = [writer.text() for _ in range(ASKED)]

    found = ours(texts[:CANDIDATES])
    theirs = peer(texts[:CANDIDATES], found, options.every)
    print(f"candidates {CANDIDATES:,}: {len(found.rejected_by):,} rejected, {found.seconds:.2f} s")
    print(
        f"rouge_score: {theirs.seconds:.0f} s, from {theirs.compared:,} candidates in full; "
        f"{len(theirs.differing)} decisions differ, {theirs.ties} best scores exactly at the bound"
    )
    pool = NearestText()
    for id, text in enumerate(texts):
        pool.put(id, text)
    took = one_text(pool, asked)
    median, p95 = took[len(took) // 2], took[len(took) * 95 // 100]
    nearest = {text: pool.nearest(text) for text in asked[:5]}
    exact = all(near.score == max(rouge_l(text, other) for other in texts) for text, near in nearest.items())
    print(f"one text against {STORED:,}: median {median:.1f}, p95 {p95:.1f}, slowest {took[-1]:.1f} ms")
    print(f"the nearest is that of a full search, {len(nearest)} times: {exact}")
    seconds, stopped = online(texts)
    print(f"{STORED:,} online: {seconds:.1f} s, {stopped:,} stopped")
    figures = {
        "same_decisions": not theirs.differing and exact,
        "speedup": round(theirs.seconds / found.seconds),
        "one_ms": round(p95, 2),
        "online_25005_s": round(seconds, 1),
        "one_slowest_ms": round(took[-1], 2),
        "peer_candidates_in_full": theirs.compared,
    }
    print(json.dumps(figures))
