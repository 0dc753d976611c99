"""A study's figure as an SVG of its own: text and shapes, no script, nothing fetched, light and dark.

A heat map for grids (blue gains, orange losses, colour as strong as the change is large) and a small chart a
column for curves (score against rows or rank, the interval a band, the untuned base a slate line).
"""

import xml.etree.ElementTree as ET
from math import log2

from db.study_figures import GAIN, KIND_WORDS, RELATIVE, SHOWS, FigureCell, FigureRow, StudyFigure

SVG = "http://www.w3.org/2000/svg"
LIGHT = """
.ground{fill:#fcfcfb}.ink{fill:#1b1d1f}.quiet{fill:#565b61}.line{stroke:#e3e3e0}.base{fill:#475569}
.gain{fill:#2b7bba}.loss{fill:#d9730d}.none{fill:#f4f4f2}.tuned-line{stroke:#0f766e}.tuned{fill:#0f766e}
.base-line{stroke:#475569}.mark{stroke:#1b1d1f}
text{font-family:IBM Plex Sans,system-ui,-apple-system,Segoe UI,sans-serif;font-variant-numeric:tabular-nums}
"""
DARK = """
.ground{fill:#111314}.ink{fill:#ebecec}.quiet{fill:#a9afb4}.line{stroke:#2a2e30}.base{fill:#94a3b8}
.gain{fill:#4a9ade}.loss{fill:#e58a35}.none{fill:#191c1d}.tuned-line{stroke:#2dd4bf}.tuned{fill:#2dd4bf}
.base-line{stroke:#94a3b8}.mark{stroke:#ebecec}
"""
STYLES = {  # mode -> sheet; "" follows the reader's machine
    "": f"{LIGHT}@media (prefers-color-scheme: dark){{{DARK}}}",
    "light": LIGHT,
    "dark": LIGHT + DARK,
}
STRONGEST = 0.6  # opacity of the largest change: the ink stays readable on it
PAD, CELL_W, CELL_H, HEAD = 24, 132, 44, 92
CHART_W, CHART_H = 280, 170
WIDEST = 34  # characters of a label


def to_svg(figure: StudyFigure, mode: str = "", *, notes: bool = True) -> str:
    """The drawing as text: light or dark as the reader's machine is, or as `mode` says; with
    `notes` the sentences of what it shows and does not stand below.

    Every value is in it as text too, with a title that a screen reader says.
    """
    body, width, height = _curves(figure) if figure.is_curve else _heat_map(figure)
    said = (*figure.shows, *figure.lacks) if notes else ()
    lines = [line for sentence in said for line in _wrapped(sentence, width)]
    total = height + 18 * len(lines) + (PAD if notes else 0)
    root = ET.Element(
        "svg",
        {
            "xmlns": SVG,
            "viewBox": f"0 0 {width} {total}",
            "width": str(width),
            "height": str(total),
            "role": "img",
            "aria-labelledby": "t d",
        },
    )
    ET.SubElement(root, "title", {"id": "t"}).text = f"{figure.title}: {KIND_WORDS[figure.kind].lower()}"
    ET.SubElement(root, "desc", {"id": "d"}).text = " ".join((*figure.shows, *figure.lacks))
    ET.SubElement(root, "style").text = STYLES[mode]
    ET.SubElement(root, "rect", {"class": "ground", "width": "100%", "height": "100%", "rx": "6"})
    _text(root, PAD, 34, figure.title, "ink", size=17, weight=600)
    _text(root, PAD, 56, _subtitle(figure), "quiet", size=13)
    root.extend(body)
    for at, line in enumerate(lines):
        _text(root, PAD, height + 18 * at, line, "quiet", size=12)
    return ET.tostring(root, encoding="unicode") + "\n"


def _subtitle(figure: StudyFigure) -> str:
    return f"{SHOWS[figure.show]}. Base: {figure.base}. In brackets {100 * figure.level:g} % intervals."


# The heat map -------------------------------------------------------------------------------------------


def _heat_map(figure: StudyFigure) -> tuple[list[ET.Element], int, int]:
    """(elements, width, height up to the notes)."""
    group, left = ET.Element("g"), _label_width(figure)
    width = max(left + CELL_W * len(figure.columns) + PAD, 560)
    top = HEAD + 34
    for at, column in enumerate(figure.columns):
        middle = left + CELL_W * at + CELL_W / 2
        _text(group, middle, HEAD, _cut(column.title, 20), "ink", size=13, weight=600, anchor="middle")
        _text(
            group,
            middle,
            HEAD + 17,
            f"{column.measure}, n = {column.rows:,}",
            "quiet",
            size=11,
            anchor="middle",
        )
    for number, row in enumerate(figure.rows):
        y = top + CELL_H * number
        label = _cut(row.label, WIDEST)
        _text(
            group,
            left - 12,
            y + CELL_H / 2 + 5,
            label,
            "base" if row.is_base else "ink",
            size=13,
            anchor="end",
        )
        for at, cell in enumerate(row.cells):
            _cell(group, figure, row, cell, left + CELL_W * at, y)
    bottom = top + CELL_H * len(figure.rows)
    return [group, _legend(figure, left, bottom + 14)], width, bottom + 64


def _cell(
    group: ET.Element, figure: StudyFigure, row: FigureRow, cell: FigureCell, x: float, y: float
) -> None:
    box = {"x": _n(x + 1), "y": _n(y + 1), "width": str(CELL_W - 2), "height": str(CELL_H - 2), "rx": "3"}
    ET.SubElement(group, "rect", {**box, "class": "none"})
    if not (row.is_base or cell.is_missing) and figure.show in (GAIN, RELATIVE):
        share = min(1.0, abs(cell.value) / figure.largest)
        hue = "gain" if cell.value >= 0 else "loss"
        ET.SubElement(group, "rect", {**box, "class": hue, "fill-opacity": f"{STRONGEST * share:.3f}"})
    if cell.is_related and not row.is_base:
        ET.SubElement(group, "rect", {**box, "class": "mark", "fill": "none", "stroke-width": "1.5"})
    middle = x + CELL_W / 2
    if cell.is_missing:
        _text(group, middle, y + 27, _cut(cell.note or "missing", 22), "quiet", size=11, anchor="middle")
        return
    sign = "" if row.is_base or figure.show not in (GAIN, RELATIVE) else "+"
    value = f"{100 * cell.value:{sign}.1f}"
    _text(
        group, middle, y + 20, value, "base" if row.is_base else "ink", size=15, weight=600, anchor="middle"
    )
    if cell.low is not None and cell.high is not None:
        said = f"[{100 * cell.low:.1f}, {100 * cell.high:.1f}]"
        _text(group, middle, y + 35, said, "base" if row.is_base else "ink", size=11, anchor="middle")


def _legend(figure: StudyFigure, left: float, y: float) -> ET.Element:
    group = ET.Element("g")
    if figure.show not in (GAIN, RELATIVE):
        return group
    for step in range(-4, 5):
        box = {"x": _n(left + 22 * (step + 4)), "y": _n(y), "width": "22", "height": "10"}
        ET.SubElement(group, "rect", {**box, "class": "none"})
        hue = "gain" if step >= 0 else "loss"
        ET.SubElement(
            group, "rect", {**box, "class": hue, "fill-opacity": f"{STRONGEST * abs(step) / 4:.3f}"}
        )
    edge = f"{100 * figure.largest:.0f}"
    _text(group, left, y + 24, f"−{edge}", "quiet", size=11)
    _text(group, left + 99, y + 24, "0", "quiet", size=11, anchor="middle")
    _text(group, left + 198, y + 24, f"+{edge}", "quiet", size=11, anchor="end")
    if any(cell.is_related for row in figure.rows for cell in row.cells):
        box = {"x": _n(left + 222), "y": _n(y), "width": "18", "height": "12", "rx": "2", "class": "mark"}
        ET.SubElement(group, "rect", {**box, "fill": "none", "stroke-width": "1.5"})
        _text(group, left + 248, y + 10, "tuned on that", "quiet", size=11)
    return group


# Curves -------------------------------------------------------------------------------------------------


def _curves(figure: StudyFigure) -> tuple[list[ET.Element], int, int]:
    """A chart a column, two beside each other."""
    groups = []
    for at in range(len(figure.columns)):
        left = PAD + 44 + (CHART_W + 76) * (at % 2)
        top = HEAD + 24 + (CHART_H + 84) * (at // 2)
        groups.append(_chart(figure, at, left, top))
    across = min(2, len(figure.columns))
    down = -(-len(figure.columns) // 2)
    width = max(PAD * 2 + 44 + (CHART_W + 76) * across - 32, 560)
    return groups, width, HEAD + 24 + (CHART_H + 84) * down


def _chart(figure: StudyFigure, at: int, left: float, top: float) -> ET.Element:
    group, column = ET.Element("g"), figure.columns[at]
    drawn = [(row.x, row.cells[at]) for row in figure.rows if row.x and not row.cells[at].is_missing]
    base = next((row.cells[at] for row in figure.rows if row.is_base), FigureCell())
    high = _ceiling([base, *(cell for _, cell in drawn)])
    xs = [row.x for row in figure.rows if row.x]
    span = (log2(max(xs)) - log2(min(xs))) or 1.0

    def place(x: float, value: float) -> tuple[float, float]:
        across = (log2(x) - log2(min(xs))) / span if len(xs) > 1 else 0.5
        return left + CHART_W * across, top + CHART_H * (1 - max(0.0, value) / high)

    _text(group, left - 44, top - 14, f"{column.title}: {column.measure}, %", "ink", size=13, weight=600)
    for step in range(5):
        y = top + CHART_H * step / 4
        ET.SubElement(
            group,
            "line",
            {"x1": _n(left), "x2": _n(left + CHART_W), "y1": _n(y), "y2": _n(y), "class": "line"},
        )
        _text(group, left - 8, y + 4, f"{100 * high * (1 - step / 4):.0f}", "quiet", size=11, anchor="end")
    for x in xs:
        _text(group, place(x, 0)[0], top + CHART_H + 18, f"{x:,.0f}", "quiet", size=11, anchor="middle")
    _text(
        group,
        left + CHART_W / 2,
        top + CHART_H + 36,
        f"{figure.x_name} (log scale)",
        "quiet",
        size=11,
        anchor="middle",
    )
    if not base.is_missing:
        y = place(xs[0], base.value)[1]
        line = {"x1": _n(left), "x2": _n(left + CHART_W), "y1": _n(y), "y2": _n(y), "stroke-dasharray": "5 4"}
        ET.SubElement(group, "line", {**line, "class": "base-line", "stroke-width": "1.5"})
        _text(group, left + CHART_W, y - 5, f"untuned {100 * base.value:.1f}", "base", size=11, anchor="end")
    _band(group, drawn, place)
    return group


def _band(group: ET.Element, drawn: list[tuple[float, FigureCell]], place) -> None:
    sure = [(x, cell) for x, cell in drawn if cell.low is not None and cell.high is not None]
    if len(sure) > 1:
        edge = [place(x, cell.high) for x, cell in sure] + [place(x, cell.low) for x, cell in reversed(sure)]
        ET.SubElement(group, "polygon", {"points": _points(edge), "class": "tuned", "fill-opacity": "0.16"})
    if len(drawn) > 1:
        line = _points([place(x, cell.value) for x, cell in drawn])
        ET.SubElement(
            group, "polyline", {"points": line, "class": "tuned-line", "fill": "none", "stroke-width": "2"}
        )
    for x, cell in drawn:
        across, down = place(x, cell.value)
        if (x, cell) in sure:
            ends = {"y1": _n(place(x, cell.low)[1]), "y2": _n(place(x, cell.high)[1])}
            ET.SubElement(group, "line", {"x1": _n(across), "x2": _n(across), **ends, "class": "tuned-line"})
        ET.SubElement(group, "circle", {"cx": _n(across), "cy": _n(down), "r": "3.5", "class": "tuned"})
        top = place(x, cell.high)[1] if (x, cell) in sure else down
        side = "start" if x == drawn[0][0] else "middle"  # clear of the axis
        _text(group, across, top - 6, f"{100 * cell.value:.1f}", "ink", size=11, anchor=side)


def _ceiling(cells: list[FigureCell]) -> float:
    """The top of the axis: the next tenth above all that is drawn."""
    values = [value for cell in cells for value in (cell.value, cell.high) if value is not None]
    return max(0.1, -(-max(values, default=0.1) * 10 // 1) / 10)


# Shapes and words ---------------------------------------------------------------------------------------


def _text(
    parent: ET.Element,
    x: float,
    y: float,
    text: str,
    hue: str,
    *,
    size: int,
    weight: int = 400,
    anchor: str = "",
) -> None:
    at = {"x": _n(x), "y": _n(y), "class": hue, "font-size": str(size)}
    if weight != 400:
        at["font-weight"] = str(weight)
    if anchor:
        at["text-anchor"] = anchor
    ET.SubElement(parent, "text", at).text = _clean(text)


def _clean(text: str) -> str:
    """XML knows no control characters, however they are escaped."""
    return "".join(mark for mark in " ".join(text.split()) if mark.isprintable())


def _wrapped(sentence: str, width: int) -> list[str]:
    lines, room = [""], int((width - 2 * PAD) / 6.1)
    for word in sentence.split():
        if len(lines[-1]) + len(word) + 1 > room and lines[-1]:
            lines.append("")
        lines[-1] = f"{lines[-1]} {word}".strip()
    return lines


def _label_width(figure: StudyFigure) -> float:
    longest = max(len(_cut(row.label, WIDEST)) for row in figure.rows)
    return PAD + 12 + max(90, 7.4 * longest)


def _cut(text: str, most: int) -> str:
    return text if len(text) <= most else f"{text[: most - 1]}…"


def _points(places: list[tuple[float, float]]) -> str:
    return " ".join(f"{_n(x)},{_n(y)}" for x, y in places)


def _n(value: float) -> str:
    return f"{value:.1f}".removesuffix(".0")
