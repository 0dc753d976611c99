"""The overlaps of the open evaluations' task with the train rows, by pages."""

from dataclasses import dataclass, field, replace
from urllib.parse import urlencode

import gradio as gr

from bioui.components.frame import Page
from bioui.components.result_leaks import (
    NO_LEAKS,
    NO_LEAKS_FOUND,
    NO_TUNING,
    NOT_CHECKED,
    PAGE_ROWS,
    Leaked,
    leaks_value,
    leaks_view,
)
from bioui.components.table import Trail
from bioui.handling import needs
from bioui.present import counted
from bioui.resulting import PATH, Chosen, Pair, name_of, open_pair
from db import leaks
from db.checks.contamination import Limits
from db.policy import Right
from db.session import Session, read
from db.tables import DatasetRow, TaskRow


@dataclass(frozen=True)
class Turning:
    """Where in the list the reader is."""

    trail: Trail = field(default_factory=Trail)
    following: int | None = None


NOTHING = (NO_LEAKS, Turning())


def leak_values(session: Session, pair: Pair, turning: Turning = Turning()) -> tuple[dict, Turning]:
    """A page of overlaps, and where the next begins. Of two tuned models, those of the right one."""
    evaluation = pair.evaluation
    version_id = evaluation.adapter.dataset_version_id if evaluation.adapter else None
    if version_id is None:
        return {**NO_LEAKS, "empty": NO_TUNING}, Turning()
    check = leaks.find_check(session, evaluation.task_version_id, version_id)
    if check is None:
        return {**NO_LEAKS, "empty": NOT_CHECKED}, Turning()
    page = leaks.page(
        session, evaluation.task_version_id, version_id, after=turning.trail.before_id, limit=PAGE_ROWS
    )
    if not page.overlaps:
        return {**NO_LEAKS, "empty": NO_LEAKS_FOUND}, Turning()
    value = leaks_value(
        [_leaked(overlap, pair, version_id) for overlap in page.overlaps],
        title=f"{counted(check.rows_found, 'row')} found among the train rows of {name_of(evaluation)}",
        rule=Limits(check.limits["run"], check.limits["near"]).sentence,
        trail=turning.trail,
        following=page.next,
        total=page.total,
    )
    return value, replace(turning, following=page.next)


@needs(Right.READ)
def next_leaks(project_id: int, chosen: Chosen, turning: Turning, request: gr.Request):
    return _turned(project_id, chosen, Turning(turning.trail.older(turning.following)))


@needs(Right.READ)
def leaks_before(project_id: int, chosen: Chosen, turning: Turning, request: gr.Request):
    return _turned(project_id, chosen, Turning(turning.trail.newer()))


def _turned(project_id: int, chosen: Chosen, turning: Turning) -> tuple[dict, Turning]:
    with read() as session:
        pair = open_pair(session, project_id, chosen.evaluation_id, chosen.against_id)
        return leak_values(session, pair, turning)


def leak_list(page: Page, chosen_state: gr.State) -> list:
    """Lay it out; what is returned is filled by `leak_values`."""
    leaks_html, turning_state = leaks_view(), gr.State(Turning())
    asked, shown = [page.project_id, chosen_state, turning_state], [leaks_html, turning_state]
    page.on(leaks_html.older, next_leaks, asked, shown)
    page.on(leaks_html.newer, leaks_before, asked, shown)
    return shown


def _leaked(overlap: leaks.Overlap, pair: Pair, version_id: int) -> Leaked:
    found, project_id = overlap.found, pair.evaluation.project_id
    own = {"project": project_id, "evaluation": pair.chosen.evaluation_id, "row": found.position}
    return Leaked(
        position=found.position,
        href=f"{PATH}?{urlencode(own)}",
        asked=_text(overlap.task_row),
        kind=found.kind,
        score=found.score,
        train_position=found.dataset_position,
        train_href=f"/datasets?project={project_id}&version={version_id}",
        train="\n".join(filter(None, [_text(overlap.train_row), overlap.train_row.output])),
    )


def _text(row: TaskRow | DatasetRow) -> str:
    return "\n".join(filter(None, [row.instruction, row.input]))
