"""The versions of a project's prompt templates. Number 0 is the studio's own, of each mode."""

from dataclasses import asdict

from sqlalchemy import func, select
from sqlalchemy.orm import Session

from db import audit
from db.generating import prompts
from db.generating.prompts import Mode, PromptTemplate
from db.policy import Actor, Right, require
from db.tables import GenerationTemplate


def save_template(
    session: Session, actor: Actor, project_id: int, *, name: str, mode: Mode, text: str
) -> GenerationTemplate:
    """Store a new version under the name; the newest one again when nothing has changed.

    Raises ValueError naming the line of the text that cannot be.
    """
    require(actor, Right.RUN_FACTORY)
    newest = session.scalar(
        select(func.max(GenerationTemplate.number)).where(
            GenerationTemplate.project_id == project_id, GenerationTemplate.name == name.strip()
        )
    )
    template = PromptTemplate(name, (newest or 0) + 1, mode, text)
    stored = _find(session, project_id, template.name, newest)
    if stored is not None and stored.body_hash == template.hash:
        return stored
    row = GenerationTemplate(
        project_id=project_id,
        name=template.name,
        number=template.number,
        body=asdict(template),
        body_hash=template.hash,
        created_by_id=actor.id,
    )
    session.add(row)
    audit.record(session, actor, "saved_template", row, number=template.number, hash=template.hash)
    return row


def list_templates(session: Session, project_id: int) -> list[GenerationTemplate]:
    """Every version, the newest first."""
    query = select(GenerationTemplate).where(GenerationTemplate.project_id == project_id)
    return list(session.scalars(query.order_by(GenerationTemplate.id.desc())))


def get_template(session: Session, project_id: int, template_id: int, mode: Mode) -> PromptTemplate:
    """The template of that id, or for 0 the studio's own of the mode. Raises LookupError."""
    if template_id == 0:
        return prompts.shipped(mode)
    row = session.get(GenerationTemplate, template_id)
    if row is None or row.project_id != project_id:
        raise LookupError(f"There is no prompt template number {template_id} in this project.")
    return PromptTemplate(**row.body)


def _find(session: Session, project_id: int, name: str, number: int | None) -> GenerationTemplate | None:
    return session.scalar(
        select(GenerationTemplate).where(
            GenerationTemplate.project_id == project_id,
            GenerationTemplate.name == name,
            GenerationTemplate.number == number,
        )
    )
