"""What a study's figure shows and what it does not, in sentences that stand under it wherever it goes."""

from statistics import mean

from db.enums import StudyKind
from db.registry import STARTER
from db.study_figures import GAIN, RELATIVE, FigureCell, StudyFigure
from db.study_spec import StudySpec
from db.tables import BaseModel


def shows(figure: StudyFigure, spec: StudySpec) -> tuple[str, ...]:
    """What can be read from it, of what is measured so far."""
    found = [_best(figure)]
    if figure.kind is StudyKind.CATEGORY_TRANSFER and figure.show in (GAIN, RELATIVE):
        found.append(_transfer(figure))
    return tuple(filter(None, found))


def lacks(figure: StudyFigure, spec: StudySpec, base: BaseModel) -> tuple[str, ...]:
    """What it does not say, and on what little it stands."""
    budget = sorted({row.rows for row in figure.rows if row.rows})
    each = f"{budget[0]:,}" if len(budget) == 1 else f"{budget[0]:,} to {budget[-1]:,}" if budget else ""
    found = [
        f"The intervals ({100 * figure.level:g} %) are of the test rows alone: each arm was tuned once, on "
        f"one draw of rows with seed {spec.seed}, and another draw would give other figures."
    ]
    if each:
        found.append(f"Each arm saw {each} train rows; what more rows would do cannot be read from it.")
    found += [
        f"{row.label} is missing: {row.trouble[:1].lower()}{row.trouble[1:]}"
        for row in figure.rows
        if row.trouble
    ]
    waiting = sum(
        any(cell.is_missing and not cell.n for cell in row.cells) for row in figure.rows if not row.trouble
    )
    if waiting:
        found.append(f"{waiting} of {len(figure.rows)} arms are not measured yet.")
    if base.name == STARTER:
        found.append(
            "The base is the starter model of 5.9 million parameters, measured on invented notes: it shows "
            "that the study works, and nothing of what a real base would gain."
        )
    return tuple(found)


def _best(figure: StudyFigure) -> str:
    """The best arm of each column, and whether its interval leaves nothing out."""
    said = []
    for at, column in enumerate(figure.columns):
        rows = [row for row in figure.rows if not row.is_base and not row.cells[at].is_missing]
        if rows:
            best = max(rows, key=lambda row: row.cells[at].value)
            if best.cells[at].value <= 0:
                said.append(f"in {column.title} no arm has any")
                continue
            said.append(f"in {column.title} that of {best.label} ({spoken(best.cells[at], figure.show)})")
    what = "gain" if figure.show in (GAIN, RELATIVE) else "score"
    return f"The largest {what} is {'; '.join(said)}." if said else ""


def _transfer(figure: StudyFigure) -> str:
    """Gains where tuning data and task are of one category, against where they are not."""
    cells = [cell for row in figure.rows if not row.is_base for cell in row.cells if not cell.is_missing]
    near = [cell.value for cell in cells if cell.is_related]
    far = [cell.value for cell in cells if not cell.is_related]
    if not near or not far:
        return ""
    return (
        f"Where the tuning data held the category that is measured, the mean gain is "
        f"{_signed(mean(near), figure.show)}; where it did not, {_signed(mean(far), figure.show)}."
    )


def spoken(cell: FigureCell, show: str) -> str:
    """`+12.3 points, 8.1 to 16.0`; `missing` with its reason where there is nothing."""
    if cell.is_missing:
        return cell.note or "missing"
    if cell.low is None or cell.high is None:
        return _signed(cell.value, show)
    return f"{_signed(cell.value, show)}, {100 * cell.low:.1f} to {100 * cell.high:.1f}"


def _signed(value: float, show: str) -> str:
    if show == GAIN:
        return f"{100 * value:+.1f} points"
    return f"{100 * value:+.1f} %" if show == RELATIVE else f"{100 * value:.1f} %"
