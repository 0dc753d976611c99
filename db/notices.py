"""Notices: a project's webhook is told when a run ends. Written with the end, sent by a worker.

What is sent names the run, how it ended and where to look; never the text of an instruction. The address is
an admin's choice, held by the rules of db.addresses; a secret stays in the environment variable named.
"""

import os
import re
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from typing import Any

from sqlalchemy import select, update
from sqlalchemy.orm import Session

from db import addresses, audit, projects
from db.enums import JobKind
from db.policy import Actor, Right, require
from db.tables import Job, Notice, Project
from db.tables.base import utc_now

SETTING = "webhook"  # its key in the project's settings
QUIET = (JobKind.DATA_REPORT,)  # quick, and asked for by someone who looks on
TRIES = 6
_VARIABLE = re.compile(r"[A-Z][A-Z0-9_]*_SECRET")


@dataclass(frozen=True)
class Webhook:
    """Where ends are told. Raises ValueError naming the field."""

    url: str = ""  # empty: nowhere
    private: bool = False  # an admin's consent to loopback and private addresses
    secret_variable: str = ""  # its value goes along as "Authorization: Bearer VALUE"

    def __post_init__(self) -> None:
        if not self.url:
            return
        _check_url(self.url)
        host = addresses.host_and_port(self.url)[0]
        if addresses.is_named_private(host) and not self.private:
            raise ValueError(f"webhook: {host} is a private address; agree to that, or give a public one.")
        if self.secret_variable and not (
            len(self.secret_variable) <= 64 and _VARIABLE.fullmatch(self.secret_variable)
        ):
            # A key pasted here, or another service's, must never be sent.
            raise ValueError(
                "secret variable: give the name of an environment variable that ends in _SECRET, such as "
                "WEBHOOK_SECRET; the secret itself is never stored."
            )

    @property
    def secret(self) -> str:
        """Its value in this process, empty where it has none. Never to be stored or logged."""
        return os.environ.get(self.secret_variable, "") if self.secret_variable else ""


@dataclass(frozen=True)
class Delivery:
    """One notice on its way: `try_number` counts from 1."""

    notice_id: int
    try_number: int
    webhook: Webhook
    body: Mapping[str, Any]


def webhook_of(project: Project) -> Webhook:
    return Webhook(**project.settings.get(SETTING, {}))


def set_webhook(session: Session, actor: Actor, project_id: int, webhook: Webhook) -> None:
    """Choose where the ends of this project's runs are told; an empty URL tells nobody."""
    require(actor, Right.MANAGE_PROJECT)
    project = projects.get_project(session, project_id)
    project.settings = {**project.settings, SETTING: asdict(webhook)}
    host = addresses.host_and_port(webhook.url)[0] if webhook.url else ""
    audit.record(session, actor, "webhook_set", project, host=host, private=webhook.private)


def list_notices(session: Session, project_id: int, *, limit: int = 20) -> list[Notice]:
    """The latest notices of a project, the newest first: what was sent, what failed and why."""
    query = select(Notice).join(Job, Job.id == Notice.job_id).where(Job.project_id == project_id)
    return list(session.scalars(query.order_by(Notice.id.desc()).limit(limit)))


# The worker's side ----------------------------------------------------------------------------------


def put(session: Session, job: Job) -> Notice | None:
    """Note that an attempt at the job was its last, in the transaction that ends it."""
    project = session.get_one(Project, job.project_id)
    if job.kind in QUIET or not webhook_of(project).url:
        return None
    notice = Notice(job_id=job.id, attempt=job.attempt, body=_body(job, project))
    session.add(notice)
    return notice


def list_unsent(session: Session) -> list[Notice]:
    query = select(Notice).where(Notice.sent_at.is_(None), Notice.given_up.is_(False)).order_by(Notice.id)
    return list(session.scalars(query))


def take(session: Session, notice: Notice, *, address: str) -> Delivery | None:
    """Count a try and get what is to be sent, or None when another worker was faster.

    `address` is the studio's own, for the link.
    """
    counted = (
        update(Notice)
        .where(Notice.id == notice.id, Notice.tries == notice.tries, Notice.sent_at.is_(None))
        .values(tries=Notice.tries + 1)
        .returning(Notice.id)
        .execution_options(synchronize_session=False)
    )
    if session.scalar(counted) is None:
        return None
    job = session.get_one(Job, notice.job_id)
    project = session.get_one(Project, job.project_id)
    body = {**notice.body, "link": f"{address}/train?project={project.id}&job={job.id}"}
    return Delivery(notice.id, notice.tries + 1, webhook_of(project), body)


def settle(session: Session, delivery: Delivery, error: str) -> None:
    """Note how a try went: an empty error for taken. After TRIES of them it is given up."""
    notice = session.get_one(Notice, delivery.notice_id)
    notice.error = error
    if not error:
        notice.sent_at = utc_now()
    notice.given_up = bool(error) and delivery.try_number >= TRIES


def _body(job: Job, project: Project) -> dict[str, Any]:
    began, ended = job.started_at, job.finished_at
    return {
        "job": job.id,
        "attempt": job.attempt,  # the two together are the notice's identity, should it come twice
        "kind": job.kind.value,
        "name": job.name,
        "project": project.name,
        "status": job.status.value,
        "sentence": job.error,
        "seconds": round((ended - began).total_seconds(), 1) if began and ended else None,
    }


def _check_url(url: str) -> None:
    """Raises ValueError. Unlike an endpoint's, the address of a webhook may have a query."""
    plain = url.partition("?")[0]
    try:
        addresses.parse_base_url(plain)
    except ValueError as error:
        raise ValueError(f"webhook: {str(error).removeprefix('base url: ')}") from None
    if "#" in url or any(letter.isspace() for letter in url):
        raise ValueError("webhook: leave out spaces and what follows #.")
