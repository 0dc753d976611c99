"""What a side of a comparison scored on frozen tasks, in a line or two beside its answers.

A fluent answer looks right; how often its author was right before is what should weigh. Tasks that match the
prompt come first: the same task, else its category, else whatever the side was measured on, and that is said.
Rows that were found among an adapter's train rows are left out wherever there is a figure without them.
"""

from collections.abc import Sequence

from bioui.present import counted
from db import gains
from db.compare_spec import SideSpec
from db.enums import Category, Way
from db.evaluations import WITHOUT_LEAKS, level_of
from db.metrics import measures
from db.session import Session
from db.tables import Evaluation

MOST = 2  # lines of one side
HELP = "{level:g} % interval by bootstrap over documents; {rows}."


def measured_lines(
    session: Session,
    project_id: int,
    sides: Sequence[SideSpec],
    *,
    task: str = "",
    category: Category | None = None,
) -> list[list[dict]]:
    """For each side lines {"text", "help", "href", "link"}; `task` and `category` are those of the prompt."""
    kept = [one for one in gains.newest(session, project_id) if one.way is not Way.ENCODER]
    board = {"help": "", "href": f"/evaluate?project={project_id}", "link": "Leaderboard"}
    return [_lines(session, side, kept, task, category, board) for side in sides]


def _lines(
    session: Session,
    side: SideSpec,
    kept: Sequence[Evaluation],
    task: str,
    category: Category | None,
    board: dict,
) -> list[dict]:
    if side.endpoint_id is not None:
        return [{**board, "text": "Not measured: the studio measures its own models only."}]
    own = [one for one in kept if _is_of(one, _finished(side))]
    if side.step is not None:
        words = f"Step {side.step:,} was not measured." + (" The finished adapter was:" if own else "")
        return [{**board, "text": words}, *_figures(session, _nearest(own, task, category)[1], board)]
    if not own:
        return [{**board, "text": "Not measured yet."}]
    nearness, nearest = _nearest(own, task, category)
    lines = _figures(session, nearest, board)
    if nearness == 2 and (task or category):
        lines[0]["text"] = f"Not measured on such prompts. {lines[0]['text']}"
    more = len(nearest) - MOST
    return [*lines[:-1], {**lines[-1], "text": f"{lines[-1]['text']}; {more} more"}] if more > 0 else lines


def _finished(side: SideSpec) -> SideSpec:
    return SideSpec(adapter_id=side.adapter_id) if side.step is not None else side


def _is_of(one: Evaluation, side: SideSpec) -> bool:
    if side.adapter_id is not None:
        return one.adapter_id == side.adapter_id
    return one.adapter_id is None and one.encoder_id is None and one.base_model_id == side.base_model_id


def _nearest(own: Sequence[Evaluation], task: str, category: Category | None) -> tuple[int, list[Evaluation]]:
    """How near (0 the task, 1 its category, 2 neither) and which evaluations, what was written first."""
    tests = (
        lambda one: bool(task) and one.task_version.task == task,
        lambda one: category is not None and one.task_version.category is category,
        lambda one: True,
    )
    for nearness, is_near in enumerate(tests):
        if found := [one for one in own if is_near(one)]:
            found.sort(key=lambda one: (one.way is not Way.GENERATION, one.task_version.name.casefold()))
            return nearness, found
    return 2, []


def _figures(session: Session, found: Sequence[Evaluation], board: dict) -> list[dict]:
    return [{**board, "link": "", "href": "", **_figure(session, one)} for one in found[:MOST]]


def _figure(session: Session, one: Evaluation) -> dict:
    """`On MedQA (test): 41 % right (38 to 44 %)`."""
    measure = measures.get(one.measure)
    clean = one.figures.get(one.measure + WITHOUT_LEAKS)
    figure = clean or one.figures[one.measure]
    version = one.task_version
    name = version.name + (f" ({version.split})" if version.split else "")
    way = ", by likelihood of the options" if one.way is Way.LIKELIHOOD else ""
    seen = ", without rows seen in training" if clean else ""
    rows = f"{counted(figure['n'], 'row')}, {counted(figure['clusters'], 'document')}"
    return {
        "text": f"On {name}: {_in_words(measure, figure)}{way}{seen}",
        "help": HELP.format(level=100 * level_of(session, one), rows=rows),
    }


def _in_words(measure: measures.Measure, figure: dict) -> str:
    if figure["value"] is None:
        return "no figure"
    scale = 100 if measure.unit == "share" else 1
    digits = 0 if measure.unit == "share" else 2
    value, low, high = (
        None if figure[name] is None else f"{scale * figure[name]:.{digits}f}"
        for name in ("value", "low", "high")
    )
    if measure.is_binary:
        return f"{value} % right" + (f" ({low} to {high} %)" if low and high else ", no interval")
    return f"{measure.title} {value}" + (f" ({low} to {high})" if low and high else ", no interval")
