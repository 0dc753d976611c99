"""The regression gate: no general task may lose more than so many points, or the adapter stays here.

Which tasks are general is said of each (`TaskVersion.is_general`), how many points is a project's setting. A
loss is the point estimate of the headline measure, in points of a hundred, against the newest score of the
adapter's own base on the same rows, asked in the same way; its interval is told beside it. Only stored
figures are read, so a verdict is quick. A failing adapter is pushed to the Hub only once somebody waives the
gate with a reason.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from enum import StrEnum

from sqlalchemy import func, select
from sqlalchemy.orm import Session

from db import audit, gains, registry
from db.enums import Way
from db.gains import Pair, Reckoned
from db.metrics import measures
from db.policy import Actor, Right, require
from db.projects import get_project
from db.tables import Adapter, Evaluation, Project, TaskVersion
from db.tables.base import utc_now

DEFAULT_POINTS = 2.0
_POINTS, _WAIVERS = "regression_points", "gate_waivers"  # keys in Project.settings
REASON = 1_000  # characters of a waiver's reason at most


class State(StrEnum):
    PASSED = "passed"
    FAILED = "failed"
    NOT_MEASURED = "not measured"
    NO_GATE = "no gate"


@dataclass(frozen=True)
class Change:
    """What an adapter changed on one general task, in points: below 0 it lost."""

    task_version_id: int
    task: str
    way: Way
    measure: str
    points: float
    low: float | None  # of the interval; None while it is not reckoned
    high: float | None
    evaluation_id: int
    against_id: int

    @property
    def excludes_zero(self) -> bool | None:
        """Whether the interval leaves 0 out; None without one."""
        if self.low is None or self.high is None:
            return None
        return self.low > 0 or self.high < 0

    @property
    def sentence(self) -> str:
        """`MMLU anatomy lost 3.1 points (1.0 to 5.2; the interval excludes 0).`"""
        did = f"lost {-self.points:.1f}" if self.points < 0 else f"gained {self.points:.1f}"
        if self.low is None or self.high is None:
            return f"{self.task} {did} points (interval not reckoned yet)."
        ends = (-self.high, -self.low) if self.points < 0 else (self.low, self.high)
        zero = "excludes" if self.excludes_zero else "includes"
        return f"{self.task} {did} points ({ends[0]:.1f} to {ends[1]:.1f}; the interval {zero} 0)."


@dataclass(frozen=True)
class Waiver:
    """Why an adapter may leave although it fails."""

    reason: str
    by_id: int
    at: str  # ISO time


@dataclass(frozen=True)
class Verdict:
    """Whether an adapter passes. `failed` and `held` are the general tasks measured, `missing` says of each
    other one what is missing."""

    state: State
    points: float | None  # allowed
    failed: tuple[Change, ...] = ()
    held: tuple[Change, ...] = ()
    missing: tuple[str, ...] = ()
    waiver: Waiver | None = None

    @property
    def sentence(self) -> str:
        """In one sentence, or few."""
        if self.state is State.NO_GATE:
            return "There is no regression gate."
        if self.state is State.NOT_MEASURED:
            return f"Not measured: {' '.join(self.missing)}"
        if self.state is State.PASSED:
            return f"Passed: no general task lost more than {self.points:g} points."
        losses = " ".join(change.sentence for change in self.failed)
        waived = f" Waived: {self.waiver.reason}" if self.waiver else ""
        return f"Failed, for more than {self.points:g} points: {losses}{waived}"

    @property
    def lines(self) -> list[str]:
        """A sentence for each task: what failed first, then what is missing, then what held."""
        return [
            *(change.sentence for change in self.failed),
            *self.missing,
            *(change.sentence for change in self.held),
        ]


# The setting ------------------------------------------------------------------------------------------


def points_of(session: Session, project_id: int) -> float | None:
    """How many points a general task may lose; None where the project has no gate."""
    return get_project(session, project_id).settings.get(_POINTS, DEFAULT_POINTS)


def set_points(session: Session, actor: Actor, project_id: int, points: float | None) -> Project:
    """Set the bound; None takes the gate away. Raises ValueError, PolicyError."""
    require(actor, Right.MANAGE_PROJECT)
    if points is not None and not (isinstance(points, int | float) and 0 <= points <= 100):
        raise ValueError(f"points: {points} is no bound; give a number from 0 to 100, or none for no gate.")
    project = get_project(session, project_id)
    project.settings = {**project.settings, _POINTS: points}
    audit.record(session, actor, "regression_points_set", project, points=points)
    return project


def count_general(session: Session, project_id: int) -> int:
    """How many of the project's tasks the gate looks at."""
    return session.scalar(select(func.count()).select_from(_general(project_id).subquery())) or 0


# Waivers ----------------------------------------------------------------------------------------------


def waive(session: Session, actor: Actor, adapter_id: int, reason: str) -> Waiver:
    """Let an adapter leave although it fails. Raises ValueError without a reason; PolicyError."""
    require(actor, Right.EVALUATE)
    adapter = registry.get_adapter(session, adapter_id)
    reason = " ".join(reason.split())
    if not reason:
        raise ValueError("reason: say why the adapter may leave although it fails; it is kept with it.")
    if len(reason) > REASON:
        raise ValueError(f"reason: it has {len(reason):,} characters; {REASON:,} are the most.")
    waiver = Waiver(reason, actor.id, utc_now().isoformat(timespec="seconds"))
    _keep_waivers(session, adapter, {str(adapter.id): vars(waiver)})
    audit.record(session, actor, "gate_waived", adapter)
    return waiver


def withdraw_waiver(session: Session, actor: Actor, adapter_id: int) -> None:
    """Take a waiver back."""
    require(actor, Right.EVALUATE)
    adapter = registry.get_adapter(session, adapter_id)
    _keep_waivers(session, adapter, {})
    audit.record(session, actor, "gate_waiver_withdrawn", adapter)


def _keep_waivers(session: Session, adapter: Adapter, own: dict) -> None:
    project = get_project(session, adapter.project_id)
    others = {id: held for id, held in _waivers(project).items() if id != str(adapter.id)}
    project.settings = {**project.settings, _WAIVERS: others | own}


def _waivers(project: Project) -> dict[str, dict]:
    return project.settings.get(_WAIVERS, {})


# Verdicts ---------------------------------------------------------------------------------------------


def verdict(session: Session, adapter: Adapter) -> Verdict:
    """Whether the adapter passes its project's gate."""
    return verdicts(session, adapter.project_id, [adapter])[adapter.id]


def verdicts(session: Session, project_id: int, adapters: Sequence[Adapter]) -> dict[int, Verdict]:
    """Adapter -> verdict, with few questions to the database however many there are."""
    project = get_project(session, project_id)
    points = points_of(session, project_id)
    general = list(session.scalars(_general(project_id)))
    listed = gains.newest(session, project_id)
    couples = [(one, base) for one, base in gains.over_base(listed) if one.task_version.is_general]
    kept = gains.kept(session, [_pair(*couple) for couple in couples])
    found = {}
    for adapter in adapters:
        own = [
            change
            for one, base in couples
            if one.adapter_id == adapter.id
            and (change := _change(one, base, kept.get(_pair(one, base)))) is not None
        ]
        missing = _missing(adapter, general, listed, own)
        held = _waivers(project).get(str(adapter.id))
        found[adapter.id] = _judge(points, own, missing, Waiver(**held) if held else None)
    return found


def require_release(session: Session, adapter: Adapter) -> None:
    """Raise ValueError where the adapter fails the gate and nobody has waived that."""
    found = verdict(session, adapter)
    if found.state is State.FAILED and found.waiver is None:
        lost = found.failed[0].sentence.rstrip(".")
        raise ValueError(
            f"repository: the adapter fails the regression gate ({lost}); waive the gate with a reason, or "
            "leave the field empty."
        )


def _judge(
    points: float | None, changes: Sequence[Change], missing: Sequence[str], waiver: Waiver | None
) -> Verdict:
    if points is None:
        return Verdict(State.NO_GATE, None)
    failed = tuple(change for change in changes if round(-change.points, 9) > points)
    held = tuple(change for change in changes if change not in failed)
    state = State.FAILED if failed else State.NOT_MEASURED if missing else State.PASSED
    return Verdict(state, points, failed, held, tuple(missing), waiver)


def _change(one: Evaluation, base: Evaluation, reckoned: Reckoned | None) -> Change | None:
    """In the direction of better, whatever the measure's; None where either has no value."""
    now, before = (each.figures[each.measure]["value"] for each in (one, base))
    if now is None or before is None:
        return None
    sign = 100.0 if measures.get(one.measure).higher_is_better else -100.0
    low = high = None
    if reckoned is not None and reckoned.gain.absolute.low is not None:
        ends = sign * reckoned.gain.absolute.low, sign * reckoned.gain.absolute.high
        low, high = min(ends), max(ends)
    task = one.task_version
    return Change(task.id, task.name, one.way, one.measure, sign * (now - before), low, high, one.id, base.id)


def _missing(
    adapter: Adapter, general: Sequence[TaskVersion], listed: Sequence[Evaluation], own: Sequence[Change]
) -> list[str]:
    """Of each general task without a change, what is missing; one sentence where no task is general."""
    if not general:
        return ["No task is marked as general."]
    measured = {change.task_version_id for change in own}
    scored = {one.task_version_id for one in listed if one.adapter_id == adapter.id}
    return [
        f"{task.name} has no score of the {'base' if task.id in scored else 'adapter'}."
        for task in general
        if task.id not in measured
    ]


def _pair(one: Evaluation, base: Evaluation) -> Pair:
    return Pair(one.id, base.id, one.measure)


def _general(project_id: int):
    return (
        select(TaskVersion)
        .where(
            TaskVersion.project_id == project_id,
            TaskVersion.is_general.is_(True),
            TaskVersion.deleted_at.is_(None),
        )
        .order_by(TaskVersion.name, TaskVersion.id)
    )
