"""Projects: the frame of all work."""

from sqlalchemy import select
from sqlalchemy.orm import Session

from db import audit
from db.policy import Actor, Right, require
from db.tables import Project


def list_projects(session: Session) -> list[Project]:
    return list(session.scalars(select(Project).order_by(Project.id)))


def get_project(session: Session, project_id: int) -> Project:
    project = session.get(Project, project_id)
    if project is None:
        raise LookupError(f"There is no project number {project_id}.")
    return project


def create_project(session: Session, actor: Actor, *, name: str, description: str = "") -> Project:
    require(actor, Right.MANAGE_PROJECT)
    project = Project(name=_free_name(session, name), description=description.strip())
    session.add(project)
    audit.record(session, actor, "created", project)
    return project


def set_solo(session: Session, actor: Actor, project_id: int, *, solo: bool) -> Project:
    """Allow, or stop allowing, people to approve their own work in this project."""
    require(actor, Right.MANAGE_PROJECT)
    project = get_project(session, project_id)
    project.is_solo = solo
    audit.record(session, actor, "solo_set", project, solo=solo)
    return project


def _free_name(session: Session, name: str) -> str:
    name = name.strip()
    if not name:
        raise ValueError("name: give the project a name.")
    if session.scalar(select(Project.id).where(Project.name == name)) is not None:
        raise ValueError(f"name: there is already a project named {name}; choose another.")
    return name
