"""Exports of adapters: asked for, checked, listed. The job itself is `trainer.jobs.export`."""

from sqlalchemy import func, select
from sqlalchemy.orm import Session

from db import gates, jobs, registry
from db.enums import JobKind
from db.exchange import hub
from db.export_spec import ExportSpec
from db.policy import Actor, Right, require
from db.tables import Adapter, DatasetRow, Job


def start(
    session: Session,
    actor: Actor,
    project_id: int,
    spec: ExportSpec,
    *,
    request_key: str | None = None,
) -> Job:
    """Queue an export. Raises ValueError when its repository is no name, no token is configured, or the
    adapter would leave and learned from rows under a data-use agreement, or fails the regression gate;
    LookupError for another's adapter.
    """
    require(actor, Right.TRAIN)
    adapter = get_adapter(session, project_id, spec.adapter_id)
    if spec.repository:
        require_leave(session, adapter, spec.repository)
    return jobs.enqueue(
        session, actor, project_id, JobKind.EXPORT, spec, name=adapter.name, request_key=request_key
    )


def get_adapter(session: Session, project_id: int, adapter_id: int) -> Adapter:
    """The adapter, when it is this project's. Raises LookupError when it is not."""
    adapter = registry.get_adapter(session, adapter_id)
    if adapter.project_id != project_id:
        raise LookupError(f"This project has no adapter number {adapter_id}.")
    return adapter


def require_leave(session: Session, adapter: Adapter, repository: str) -> None:
    """Raise ValueError unless the adapter may go to that repository, and can."""
    hub.require_repository(repository)
    if not hub.is_configured(session, adapter.project_id):
        variable = hub.token_variable(session, adapter.project_id)
        raise ValueError(
            f"repository: no token of the Hub is configured; set {variable} where the worker runs, and "
            "restart it, or leave the field empty."
        )
    if stay := count_restricted(session, adapter):
        raise ValueError(
            f"repository: the adapter learned from {stay:,} rows under a data-use agreement, so it does not "
            "leave this studio; leave the field empty."
        )
    gates.require_release(session, adapter)


def count_restricted(session: Session, adapter: Adapter) -> int:
    """How many of the rows it learned from are under a data-use agreement."""
    query = select(func.count()).where(
        DatasetRow.version_id == adapter.dataset_version_id, DatasetRow.is_restricted.is_(True)
    )
    return session.scalar(query) or 0


def list_exports(session: Session, adapter_id: int) -> list[Job]:
    """The exports of an adapter, newest first."""
    of = Job.spec["adapter_id"].as_integer() == adapter_id
    return list(session.scalars(select(Job).where(Job.kind == JobKind.EXPORT, of).order_by(Job.id.desc())))
