"""The leaderboard of the database as the pages show it: a Board in, plain values out."""

from collections.abc import Sequence
from dataclasses import asdict

import gradio as gr

from bioui.components.empty import empty_state
from bioui.components.gate_badge import gate_value
from bioui.components.leaderboard import (
    GROUPS,
    Cell,
    Column,
    Filter,
    Look,
    ModelRow,
    gain_text,
    leaderboard_value,
    range_text,
    score_text,
    sign_words,
)
from bioui.components.leaderboard_forest import forest_value as drawn
from bioui.components.leaderboard_forest import no_forest
from bioui.handling import linked
from bioui.present import counted
from db import leaderboard, task_versions
from db.enums import Way
from db.gates import State, Verdict
from db.leaderboard import Board, GroupMean, Row
from db.metrics import measures
from db.metrics.interval import Interval
from db.session import Session
from db.tables import Adapter

ALPHA = 0.05  # of a gain after Holm's correction
WAYS = {"": "Every way", Way.GENERATION: "By generation", Way.LIKELIHOOD: "By likelihood"}
SIDES = {"base": "base", "adapter": "tuned", "encoder": "encoder"}
SOON = "gain is not reckoned yet"
NO_TASK = "Freeze a task first: its rows and prompts are then the same for every model."
NO_BOARD = empty_state(
    "No model is scored yet.",
    "Models stand here by what they score on frozen tasks, each gain with how sure it is. Begin with "
    "Evaluate models.",
)
NOTHING_LEFT = empty_state("Nothing is scored in that choice.", "Choose another group, base or way.")


# What is looked at --------------------------------------------------------------------------------------


def look_of(request: gr.Request, *, adapter_id: int | None = None) -> Look:
    """What the address asks to see; what it cannot mean is as if it were not there."""
    asked = request.query_params
    category, way = asked.get("category", "").upper(), asked.get("way", "")
    return Look(
        category=category if category in GROUPS else "",
        base=str(linked(request, "base") or ""),
        way=way if way in WAYS else "",
        gains=asked.get("show") == "gains",
        relative=asked.get("as") == "relative",
        sort=asked.get("sort", ""),
        adapter_id=linked(request, "adapter") if adapter_id is None else adapter_id,
    )


def narrowed(board: Board, look: Look) -> tuple[list[leaderboard.Column], list[Row]]:
    """The columns and the models that are looked at; a model without a score in them is left out."""
    columns = [
        column
        for column in board.columns
        if look.category in ("", column.category) and (not look.way or look.way in column.ways)
    ]
    keys = {column.key for column in columns}
    rows = [
        row
        for row in board.rows
        if look.base in ("", str(row.base_model_id)) and not keys.isdisjoint(row.cells)
    ]
    return [column for column in columns if any(column.key in row.cells for row in rows)], rows


# The board ----------------------------------------------------------------------------------------------


def board_value(session: Session, project_id: int, look: Look, board: Board | None = None) -> dict:
    """What the board shows. Reads it unless it is given."""
    board = board or leaderboard.read_board(session, project_id)
    if not board.rows:
        empty = NO_BOARD if task_versions.list_tasks(session, project_id) else _no_task(project_id)
        return leaderboard_value([], [], look, filters=[], csv="", empty=empty)
    columns, rows = narrowed(board, look)
    levels = {cell.level for row in rows for cell in row.cells.values()}
    return leaderboard_value(
        _with_means(columns, look),
        [_model(row, project_id) for row in rows],
        look,
        filters=_filters(board, look),
        csv=f"/evaluate/leaderboard.csv?project={project_id}",
        empty=NOTHING_LEFT,
        level=levels.pop() if len(levels) == 1 else None,
    )


def _no_task(project_id: int) -> dict:
    return {**NO_BOARD, "sentence": NO_TASK, "href": f"/tasks?project={project_id}", "link": "Freeze a task"}


def _filters(board: Board, look: Look) -> list[Filter]:
    """One for each choice that there is."""
    there = {column.category for column in board.columns}
    groups = [(title, group) for group, title in GROUPS.items() if group in there]
    bases = {str(row.base_model_id): row.base_title for row in board.rows if row.base_model_id}
    is_both = any(Way.LIKELIHOOD in column.ways for column in board.columns)
    named = [("All bases", ""), *((name, id) for id, name in bases.items())]
    found = [
        Filter("category", "Group", [("All groups", ""), *groups], look.category),
        Filter("base", "Base", named, look.base),
    ]
    ways = Filter("way", "Way", [(words, way) for way, words in WAYS.items()], look.way)
    return [*found, ways] if is_both else found


def _with_means(columns: Sequence[leaderboard.Column], look: Look) -> list[Column]:
    """The columns, and for a group of several tasks its mean; none where a way is left out of the means."""
    shown = []
    for group in GROUPS:
        own = [column for column in columns if column.category == group]
        both = len({column.task_version.id for column in own}) < len(own)
        shown += [_column(column, says_way=both or bool(look.way)) for column in own]
        if len({column.task_version.id for column in own}) > 1 and not look.way:
            said = "Of each task's headline; of what was written where both ways are scored."
            shown.append(Column(group, group, "Mean", "of the group's tasks", said, is_mean=True))
    return shown


def _column(column: leaderboard.Column, *, says_way: bool) -> Column:
    note = f"{column.measure_title}, {counted(column.task_version.rows, 'row')}"
    written = "likelihood" if Way.LIKELIHOOD in column.ways else "generation"
    way = f"; {written}" if says_way and "likelihood" not in note else ""
    return Column(
        column.key,
        column.category,
        column.title,
        note + way,
        measures.get(column.measure).help,
        is_general=column.task_version.is_general,
    )


def _model(row: Row, project_id: int) -> ModelRow:
    cells = {key: _cell(cell, project_id) for key, cell in row.cells.items()}
    means = {str(group): _mean(mean) for group, mean in row.groups.items()}
    notes = {
        "base": "base model",
        "adapter": f"on {row.base_title}",
        "encoder": "encoder, stand-in: never pretrained" if row.is_stand_in else f"encoder, {row.base_title}",
    }
    return ModelRow(
        row.title,
        SIDES[row.kind],
        {**cells, **means},
        notes[row.kind],
        row.adapter_id or 0,
        gate_of(row.verdict),
    )


def gate_of(verdict: Verdict | None) -> dict | None:
    """The badge; None where there is no gate."""
    if verdict is None or verdict.state is State.NO_GATE:
        return None
    waived = verdict.waiver.reason if verdict.waiver else ""
    return gate_value(verdict.state.value, verdict.lines, waived=waived)


def _cell(cell: leaderboard.Cell, project_id: int) -> Cell:
    href = f"/results?project={project_id}&evaluation={cell.evaluation_id}"
    gain, found = cell.gain, cell.leaks.found
    return Cell(
        figure=asdict(cell.figure),
        href=href,
        gain=asdict(gain.absolute) if gain else {"note": SOON} if cell.gain_is_due else {},
        relative=asdict(gain.relative) if gain else {},
        gain_href=f"{href}&against={cell.against_id}" if cell.against_id else "",
        p=cell.p_holm,
        test=gain.test if gain else "",
        sign=_sign(gain.absolute, cell.p_holm, cell.measure) if gain else 0,
        leak=f"{counted(found, 'row')} leaked" if found else "",
        leak_help=_leak_words(cell) if found else "",
        unread=cell.parse_failures or None,
    )


def _leak_words(cell: leaderboard.Cell) -> str:
    rest = f" Without them: {score_text(cell.without_leaks.value)}." if cell.without_leaks else ""
    return f"{cell.leaks.sentence[:1].upper()}{cell.leaks.sentence[1:]}.{rest}"


def _sign(gain: Interval, p: float | None, measure: str) -> int:
    """1 better, -1 worse, 0 where chance would do as well."""
    if p is None or gain.value is None or p >= ALPHA or gain.value == 0:
        return 0
    return 1 if (gain.value > 0) == measures.get(measure).higher_is_better else -1


def _mean(mean: GroupMean) -> Cell:
    missing = f"{counted(len(mean.missing), 'task')} not scored" if mean.missing else ""
    return Cell(
        figure=asdict(mean.figure),
        gain=asdict(mean.gain) if mean.gain else {},
        relative=asdict(mean.relative) if mean.relative else {},
        missing=missing,
    )


# An adapter's gains -------------------------------------------------------------------------------------


def adapter_choices(board: Board) -> list[tuple[str, int]]:
    """The adapters with a gain on some task."""
    return [
        (f"{row.title} (on {row.base_title})", row.adapter_id)
        for row in board.rows
        if row.adapter_id and any(cell.gain for cell in row.cells.values())
    ]


def shown_adapter(board: Board, look: Look) -> int | None:
    """The adapter whose gains are drawn: the one that is looked at, else the first there is."""
    known = [id for _, id in adapter_choices(board)]
    return look.adapter_id if look.adapter_id in known else next(iter(known), None)


def forest_value(board: Board, look: Look, project_id: int) -> dict:
    """The gains by task of the shown adapter, those of its groups' means below."""
    wanted = shown_adapter(board, look)
    row = next((row for row in board.rows if row.adapter_id and row.adapter_id == wanted), None)
    if row is None:
        return no_forest()
    base = next((one for one in board.rows if one.key == f"base:{row.base_model_id}"), None)
    columns, _ = narrowed(board, Look(category=look.category, way=look.way))
    lines = []
    for column in (column for column in columns if column.key in row.cells):
        cell = _cell(row.cells[column.key], project_id)
        lines.append((column.title, column.measure_title, cell, _score(base, column.key)))
    for group, mean in row.groups.items():
        if len(mean.columns) > 1 and mean.gain and look.category in ("", group) and not look.way:
            other = base.groups[group].figure.value if base and group in base.groups else None
            lines.append((f"{GROUPS[group]}, mean", counted(len(mean.columns), "task"), _mean(mean), other))
    return drawn(row.title, row.base_title, lines, relative=look.relative, alpha=ALPHA)


def _score(base: Row | None, key: str) -> float | None:
    return base.cells[key].figure.value if base and key in base.cells else None


def adapter_scores(session: Session, adapter: Adapter) -> dict:
    """Headline scores, gains and the gate's badge of one adapter, for the Models page."""
    board = leaderboard.read_board(session, adapter.project_id, most_reckoned=0)
    row = next((row for row in board.rows if row.adapter_id == adapter.id), None)
    href = f"/evaluate?project={adapter.project_id}&adapter={adapter.id}"
    if row is None:
        return {"shown": True, "scores": [], "gate": None, "href": href}
    scores = [
        _score_line(column.title, _cell(row.cells[column.key], adapter.project_id))
        for column in board.columns
        if column.key in row.cells
    ]
    return {"shown": True, "scores": scores, "gate": gate_of(row.verdict), "href": href}


def _score_line(name: str, cell: Cell) -> dict:
    icon, word, hue = sign_words(cell.sign)
    between = range_text(cell.figure)
    gain = gain_text(cell.gain.get("value"))
    return {
        "name": name,
        "href": cell.gain_href or cell.href,
        "score": f"{score_text(cell.figure.get('value'))}{f' ({between})' if between else ''}",
        "gain": f"{gain} points" if gain else "",
        "icon": icon,
        "sure": word,
        "hue": hue,
    }
