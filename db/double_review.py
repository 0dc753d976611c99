"""Blind double review: which submissions two people decide on, each without seeing the other's decision.

The draw is a hash, not a die: the same submission is drawn, or not, whenever it is asked, and nobody can
submit again and again until it is not.
"""

from collections.abc import Iterable
from dataclasses import asdict, dataclass
from hashlib import sha256

from sqlalchemy import update
from sqlalchemy.orm import Session

from db import audit
from db.policy import Actor, Right, require
from db.projects import get_project
from db.session import parts
from db.tables import Instruction, Project

REVIEWERS = 2
_KEY = "review"  # where a project's settings keep this


@dataclass(frozen=True)
class ReviewSettings:
    """How a project's submissions are reviewed. Raises ValueError naming the field."""

    double_share: float = 0.0  # share of submissions that two people review, 0 to 1

    def __post_init__(self) -> None:
        share = self.double_share
        if isinstance(share, bool) or not isinstance(share, int | float) or not 0 <= share <= 1:
            raise ValueError(f"double_share: {share} is not a share; give 0 to 1, such as 0.2.")
        object.__setattr__(self, "double_share", float(share))


def get_review_settings(session: Session, project_id: int) -> ReviewSettings:
    return _settings_of(get_project(session, project_id))


def set_review_settings(session: Session, actor: Actor, project_id: int, settings: ReviewSettings) -> Project:
    """Holds for what is submitted from now on; what waits already keeps the reviews it was drawn for."""
    require(actor, Right.MANAGE_PROJECT)
    project = get_project(session, project_id)
    project.settings = {**project.settings, _KEY: asdict(settings)}
    audit.record(session, actor, "review_settings_set", project, **asdict(settings))
    return project


def is_drawn(share: float, project_id: int, instruction_id: int, version: int) -> bool:
    """True for about `share` of all submissions, always the same ones."""
    digest = sha256(f"{project_id}/{instruction_id}/{version}".encode()).digest()
    return int.from_bytes(digest[:8], "big") < share * 2**64


def draw(session: Session, instruction: Instruction) -> None:
    """Say how many reviews a new submission needs. One where the project is solo: nobody else is there."""
    project = get_project(session, instruction.project_id)
    share = 0.0 if project.is_solo else _settings_of(project).double_share
    drawn = is_drawn(share, project.id, instruction.id, instruction.version)
    instruction.overlap = REVIEWERS if drawn else 1


def draw_all(session: Session, project_id: int, submitted: Iterable[tuple[int, int]]) -> None:
    """`draw` for the (id, version) pairs of one project."""
    project = get_project(session, project_id)
    share = 0.0 if project.is_solo else _settings_of(project).double_share
    needed: dict[int, list[int]] = {1: [], REVIEWERS: []}
    for id, version in submitted:
        needed[REVIEWERS if is_drawn(share, project_id, id, version) else 1].append(id)
    for overlap, ids in needed.items():
        _set_overlap(session, ids, overlap)


def _set_overlap(session: Session, ids: list[int], overlap: int) -> None:
    for part in parts(ids):
        session.execute(
            update(Instruction)
            .where(Instruction.id.in_(part), Instruction.overlap != overlap)
            .values(overlap=overlap)
            .execution_options(synchronize_session=False)
        )


def _settings_of(project: Project) -> ReviewSettings:
    return ReviewSettings(**project.settings.get(_KEY, {}))
