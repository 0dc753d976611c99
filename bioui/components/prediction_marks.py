"""A text with the mentions of the reference and those of an answer, each judged in words and marked.

What both hold is underlined, what only the reference holds is dashed, what only the answer holds is wavy;
the verdict stands beside in words. Pure values: offsets are characters of the text, end exclusive.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from enum import StrEnum
from itertools import pairwise

from db.corpora.forms.prediction import Mention, Span

# For inclusion where `this.pieces` holds marked(...).
PIECES = (
    '{{#each this.pieces}}{{#if this.verdicts}}<span class="mention mention-{{this.hue}}">{{#each this.runs}}'
    '<span class="run-{{this.who}}">{{this.text}}</span>{{/each}}{{#each this.verdicts}}'
    '<small class="verdict">{{this}}</small>{{/each}}</span>{{else}}{{this.text}}{{/if}}{{/each}}'
)
LEGEND = """<p class="mention-legend"><span class="run-both">in both</span>
<span class="run-gold">in the reference only</span> <span class="run-said">in the answer only</span></p>"""


class Verdict(StrEnum):
    FOUND = "found"
    MISSED = "missed"
    SPURIOUS = "spurious"  # stands in the text and is not in the reference
    BOUNDARY = "wrong boundary"
    TYPE = "wrong type"
    BOTH = "wrong type and boundary"


@dataclass(frozen=True)
class Judged:
    """A mention of the reference, one of the answer, or the two of them taken as one attempt."""

    verdict: Verdict
    gold: Mention | None
    said: Mention | None

    @property
    def words(self) -> str:
        """`found: Disease`, `wrong type: Chemical, said Disease`."""
        named = self.gold or self.said
        told = f"{self.verdict.value}: {named.type}"
        return f"{told}, said {self.said.type}" if self._differs else told

    @property
    def _differs(self) -> bool:
        return bool(self.gold and self.said and self.gold.type != self.said.type)


def judge(gold: Sequence[Mention], said: Sequence[Mention]) -> list[Judged]:
    """Each mention once: paired with its equal, else with one at its place, else with one it overlaps."""
    left_gold, left_said = list(dict.fromkeys(gold)), list(dict.fromkeys(said))
    found: list[Judged] = []
    for verdict, belongs in _PAIRINGS:
        for true in list(left_gold):
            match = next((one for one in left_said if belongs(true, one)), None)
            if match is not None:
                left_gold.remove(true)
                left_said.remove(match)
                found.append(Judged(verdict, true, match))
    found += [Judged(Verdict.MISSED, true, None) for true in left_gold]
    found += [Judged(Verdict.SPURIOUS, None, one) for one in left_said]
    return sorted(found, key=lambda one: (one.gold or one.said).offsets)


def marked(text: str, gold: Sequence[Mention], said: Sequence[Mention]) -> list[dict]:
    """The text in pieces, in reading order: plain ones, and stretches with their runs and verdicts."""
    judged = judge(gold, said)
    pieces: list[dict] = []
    at = 0
    for start, end in _stretches([span for one in judged for span in _spans(one)], len(text)):
        here = [one for one in judged if any(start <= span[0] < end for span in _spans(one))]
        # The words stand once, at the beginning of a mention, however many stretches it is broken into.
        first = [one for one in here if start <= min(_spans(one))[0] < end]
        if text[at:start]:
            pieces.append({"text": text[at:start]})
        pieces.append(
            {
                "runs": _runs(text, start, end, here),
                "verdicts": [one.words for one in first] or ["goes on"],
                "hue": _hue(here),
            }
        )
        at = end
    return [*pieces, {"text": text[at:]}] if text[at:] else pieces


def _is_equal(gold: Mention, said: Mention) -> bool:
    return gold == said


def _is_same_place(gold: Mention, said: Mention) -> bool:
    return gold.offsets == said.offsets


def _overlaps(gold: Mention, said: Mention) -> bool:
    return any(a[0] < b[1] and b[0] < a[1] for a in gold.offsets for b in said.offsets)


def _overlaps_in_type(gold: Mention, said: Mention) -> bool:
    return gold.type == said.type and _overlaps(gold, said)


_PAIRINGS = (
    (Verdict.FOUND, _is_equal),
    (Verdict.TYPE, _is_same_place),
    (Verdict.BOUNDARY, _overlaps_in_type),
    (Verdict.BOTH, _overlaps),
)


def _spans(one: Judged) -> tuple[Span, ...]:
    return tuple(span for mention in (one.gold, one.said) if mention for span in mention.offsets)


def _stretches(spans: Sequence[Span], length: int) -> list[Span]:
    """The spans, those that overlap run together, cut to the text."""
    found: list[Span] = []
    for start, end in sorted((max(0, start), min(end, length)) for start, end in spans):
        if start >= end:
            continue
        if found and start < found[-1][1]:
            found[-1] = (found[-1][0], max(found[-1][1], end))
        else:
            found.append((start, end))
    return found


def _runs(text: str, start: int, end: int, judged: Sequence[Judged]) -> list[dict]:
    gold = [span for one in judged if one.gold for span in one.gold.offsets]
    said = [span for one in judged if one.said for span in one.said.offsets]
    edges = sorted({start, end, *(edge for span in (*gold, *said) for edge in span if start < edge < end)})
    return [{"text": text[a:b], "who": _who(_holds(gold, a), _holds(said, a))} for a, b in pairwise(edges)]


def _holds(spans: Sequence[Span], at: int) -> bool:
    return any(start <= at < end for start, end in spans)


def _who(in_gold: bool, in_said: bool) -> str:
    return "both" if in_gold and in_said else "gold" if in_gold else "said"


def _hue(judged: Sequence[Judged]) -> str:
    verdicts = {one.verdict for one in judged}
    if verdicts == {Verdict.FOUND}:
        return "found"
    return "missed" if verdicts == {Verdict.MISSED} else "wrong"
