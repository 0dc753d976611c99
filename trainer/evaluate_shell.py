"""Evaluations from the shell: queue one, read the leaderboard. See trainer.__main__."""

import argparse
from collections.abc import Callable, Iterator
from dataclasses import fields, replace

from db import jobs, leaderboard, leaderboard_table, projects, registry, task_versions
from db.enums import JobKind
from db.evaluate_spec import EvaluateSpec
from db.leaderboard import Board, Cell, Column, Row
from db.metrics.interval import Interval
from db.session import read, write
from db.settings import Settings
from db.specs import help_for
from db.tables import TaskVersion
from trainer.shell import actor_of, add_acting, named, open_studio, say

Act = Callable[[Settings, argparse.Namespace], int]
_GIVEN = {"base_model_id", "adapter_id", "tasks"}  # by --base, --adapter and --task
_NONE = Interval(None, None, None, 0, 0)


def add_commands(action: Callable[[str, Act, str], argparse.ArgumentParser]) -> None:
    """Add this file's commands; `action(name, act, help)` gives the parser of each."""
    asking = action("evaluate", evaluate, "queue an evaluation, and print the job's number")
    asking.add_argument("--base", required=True, help="name of a base model")
    asking.add_argument("--adapter", help="name of an adapter on it; the base itself unless given")
    asking.add_argument(
        "--task",
        required=True,
        action="append",
        help="name or number of a frozen task; may be given again, and `all` is every one",
    )
    asking.add_argument("--project", help="name of the project; the first unless given")
    asking.add_argument("--name", help="what the run goes by; model and tasks unless given")
    for option in fields(EvaluateSpec):
        if option.name not in _GIVEN:
            _add_option(asking, option)
    add_acting(asking)

    reading = action("scores", scores, "the leaderboard: what each model scored on each task")
    reading.add_argument(
        "--task", action="append", default=[], help="name or number of a task; all unless given"
    )
    reading.add_argument("--project", help="name of the project; the first unless given")
    reading.add_argument("--csv", action="store_true", help="as CSV, a row a model, with all that is known")


def evaluate(settings: Settings, options: argparse.Namespace) -> int:
    open_studio(settings)
    given = {f.name: getattr(options, f.name) for f in fields(EvaluateSpec) if f.name not in _GIVEN}
    with write() as s:
        project = named(projects.list_projects(s), options.project, "project")
        base = named(registry.list_base_models(s), options.base, "base")
        adapter = None
        if options.adapter:
            adapter = named(registry.list_adapters(s, project.id), options.adapter, "adapter")
        versions = _tasks(task_versions.list_tasks(s, project.id), options.task)
        spec = EvaluateSpec(
            base.id, tuple(version.id for version in versions), adapter.id if adapter else 0, **given
        )
        title = f"{(adapter or base).name} on {', '.join(version.name for version in versions[:3])}"
        name = options.name or f"{title}{' and others' if len(versions) > 3 else ''}"
        job = jobs.enqueue(s, actor_of(s, options), project.id, JobKind.EVALUATE, spec, name=name)
        s.flush()
        say(str(job.id))
    return 0


def scores(settings: Settings, options: argparse.Namespace) -> int:
    open_studio(settings)
    with read() as s:
        project = named(projects.list_projects(s), options.project, "project")
        wanted = {version.id for version in _tasks(task_versions.list_tasks(s, project.id), options.task)}
        board = leaderboard.read_board(s, project.id)
        board = replace(board, columns=tuple(one for one in board.columns if one.task_version.id in wanted))
        if options.csv:
            say(leaderboard_table.as_csv(board).rstrip())
        else:
            _print_table(board)
    return 0


def _tasks(there: list[TaskVersion], wanted: list[str]) -> list[TaskVersion]:
    """Those of these names or numbers, each once. Raises LookupError."""
    if not wanted or "all" in wanted:
        return there
    numbered = {str(version.id): version for version in there}
    found = [numbered.get(one) or named(there, one, "task") for one in wanted]
    return list({version.id: version for version in found}.values())


def _cells(board: Board) -> Iterator[tuple[Row, Column, Cell]]:
    for row in board.rows:
        for column in board.columns:
            if (cell := row.cells.get(column.key)) is not None:
                yield row, column, cell


def _print_table(board: Board) -> None:
    cells = list(_cells(board))
    if not cells:
        say("No finished evaluation yet; queue one by evaluate.")
        return
    lines = [("model", "task", "measure", "score", "interval", "gain", "p", "leaks")]
    for row, column, cell in cells:
        figure, gain = cell.figure, cell.gain.absolute if cell.gain else _NONE
        lines.append(
            (
                row.title,
                column.title,
                f"{column.measure_title}, {cell.way}",
                _figure(figure.value),
                f"{_figure(figure.low)} to {_figure(figure.high)}",
                _figure(gain.value, signed=True),
                "" if cell.p_holm is None else f"{cell.p_holm:.3g}",
                cell.leaks.sentence,
            )
        )
    widths = [max(len(line[at]) for line in lines) for at in range(len(lines[0]))]
    for line in lines:
        say("  ".join(text.ljust(width) for text, width in zip(line, widths, strict=True)).rstrip())


def _figure(value: float | None, *, signed: bool = False) -> str:
    return "" if value is None else f"{value:+.3f}" if signed else f"{value:.3f}"


def _add_option(parser: argparse.ArgumentParser, option) -> None:
    flag, text = f"--{option.name.replace('_', '-')}", help_for(EvaluateSpec, option.name)
    kind: dict = {"action": argparse.BooleanOptionalAction} if option.type is bool else {"type": option.type}
    said = f"{text} ({option.default})".replace("%", "%%")
    parser.add_argument(flag, default=option.default, help=said, **kind)
