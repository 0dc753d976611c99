"""Verbs in a ring, the nouns they go with in the ring around it: an angle is a number of records."""

from collections.abc import Sequence
from dataclasses import dataclass
from math import cos, pi, sin
from pathlib import Path

from bioui.components.view import View

HOLE, VERB_EDGE, NOUN_EDGE = 110, 300, 490  # radii, of a canvas from -500 to 500
FONT = 21
CHARACTERS = 16  # that fit between two rings
TINTS = 4

TEMPLATE = Path(__file__).with_suffix(".hbs").read_text(encoding="utf-8")


@dataclass(frozen=True)
class Slice:
    """A verb, its records, and the commonest of its nouns with theirs."""

    name: str
    count: int
    parts: Sequence[tuple[str, int]]


def sunburst() -> View:
    return View(TEMPLATE, {"arcs": [], "waiting": True}, elem_classes="sunburst-view")


def sunburst_value(slices: Sequence[Slice], *, share: str) -> dict:
    """The drawing; `share` stands in the middle, of all texts how many are in it."""
    total = sum(piece.count for piece in slices)
    arcs, labels, start = [], [], 0.0
    for place, piece in enumerate(slices):
        turn = piece.count / total
        tint = place % TINTS if place + 1 < len(slices) or place % TINTS else 1
        _add(arcs, labels, piece.name, piece.count, (start, start + turn), (HOLE, VERB_EDGE), "verb", tint)
        inner = start
        for noun, count in piece.parts:
            end = inner + count / total
            title = f"{piece.name} {noun}"
            _add(arcs, labels, noun, count, (inner, end), (VERB_EDGE, NOUN_EDGE), "noun", tint, title)
            inner = end
        start += turn
    return {
        "waiting": False,
        "share": share,
        "arcs": arcs,
        "labels": labels,
        "summary": "Verbs and nouns of the instructions; the commonest: "
        + ", ".join(f"{piece.name} {piece.count:,}" for piece in slices[:5]),
        "table": [
            {
                "verb": piece.name,
                "records": f"{piece.count:,}",
                "nouns": ", ".join(f"{noun} {count:,}" for noun, count in piece.parts),
            }
            for piece in slices
        ],
    }


def _add(
    arcs: list, labels: list, name: str, count: int, turns: tuple[float, float], radii: tuple[int, int],
    ring: str, tint: int, title: str = "",
) -> None:  # fmt: skip
    """One arc; and its name along the radius where the arc is wide enough for a line of text."""
    arcs.append(
        {"path": _path(turns, radii), "ring": ring, "tint": tint, "title": f"{title or name}: {count:,}"}
    )
    middle, radius = sum(turns) / 2, sum(radii) / 2
    if (turns[1] - turns[0]) * 2 * pi * radius < FONT:
        return
    degrees, is_left = middle * 360 - 90, middle > 0.5
    turned = f"rotate({degrees:.2f}) translate({radius:g} 0)" + (" rotate(180)" if is_left else "")
    text = name if len(name) <= CHARACTERS else name[: CHARACTERS - 1] + "…"
    labels.append({"text": text, "ring": ring, "place": turned, "anchor": "middle"})


def _path(turns: tuple[float, float], radii: tuple[int, int]) -> str:
    """A piece of a ring, from and to a share of the whole turn, clockwise from the top."""
    low, high = turns[0], min(turns[1], turns[0] + 0.99999)
    large = int(high - low > 0.5)
    inner, outer = radii
    corners = [_point(low, outer), _point(high, outer), _point(high, inner), _point(low, inner)]
    return (
        f"M{corners[0]} A{outer} {outer} 0 {large} 1 {corners[1]} "
        f"L{corners[2]} A{inner} {inner} 0 {large} 0 {corners[3]} Z"
    )


def _point(turn: float, radius: int) -> str:
    angle = (turn - 0.25) * 2 * pi
    return f"{radius * cos(angle):.1f} {radius * sin(angle):.1f}"
