"""Generation runs as the Generate page shows them: rows of the database in, plain values out."""

from dataclasses import dataclass, replace

import gradio as gr

from bioui.components.empty import empty_state
from bioui.components.funnel_chart import funnel_value
from bioui.components.generate_run import (
    EMPTY,
    bar_value,
    head_value,
    outcome_value,
    runs_value,
    settings_facts,
    tally_value,
)
from bioui.components.job_panel import log_path, read_log
from bioui.components.notice import NO_NOTICE, notice_value
from bioui.components.table import Trail
from bioui.components.train_form import request_key
from bioui.handling import linked, project_of
from bioui.watching import mark_of
from db import endpoints, generation_figures, generation_runs, generation_templates, jobs, specs
from db.enums import JobKind, JobStatus
from db.generate_spec import GenerateSpec
from db.policy import Actor
from db.session import Session
from db.settings import from_environment
from db.tables import GenerationRun, Job
from db.tables.base import utc_now

NO_ENDPOINT = "Add an endpoint first: the server that writes."
NO_SEED = "Approve instructions first: they are the seeds that a run shows."


@dataclass(frozen=True)
class Watch:
    """What a page has seen of the list and of the open run; marks tell when something shown has changed."""

    job_id: int = 0
    list_mark: str = ""
    job_mark: tuple = ()
    log_mark: tuple = ()


def find_run(session: Session, project_id: int, job_id: int) -> Job:
    """The run, when it is this project's. Raises LookupError when it is not."""
    job = jobs.get_job(session, job_id)
    if job.project_id != project_id or job.kind is not JobKind.GENERATE:
        raise LookupError(f"This project has no generation run number {job_id}.")
    return job


def linked_run(session: Session, project_id: int, request: gr.Request) -> Job:
    """The run that the address names (?run=). Raises LookupError."""
    return find_run(session, project_id, linked(request, "run"))


def project_id_of(session: Session, request: gr.Request) -> int:
    return project_of(session, request).id


def list_value(session: Session, project_id: int, trail: Trail, *, open_id: int = 0) -> dict:
    page = generation_figures.list_runs(session, project_id, before=trail.before_id)
    empty = EMPTY if page.jobs else _first_step(session, project_id)
    return runs_value(page, trail, open_id=open_id, empty=empty)


def older(session: Session, project_id: int, trail: Trail) -> Trail:
    page = generation_figures.list_runs(session, project_id, before=trail.before_id)
    return trail.older(page.next_before)


def look(session: Session, watch: Watch, job: Job | None, listed: dict) -> Watch:
    """`watch` with all that is new of the list and of the open run, if one is open."""
    if job is None:
        return Watch(list_mark=str(listed))
    path = log_path(from_environment().jobs_dir, job.id)
    return replace(
        watch,
        job_id=job.id,
        list_mark=str(listed),
        job_mark=(*mark_of(job), *generation_figures.state_mark(session, job.id)),
        log_mark=(path.stat().st_size,) if path.is_file() else (),
    )


def panel_values(session: Session, job: Job) -> tuple[dict, dict, dict, dict]:
    """What an open run shows now: head, progress, outcome, tally."""
    spec, totals = spec_of_run(job), generation_runs.totals(session, job.id)
    per_minute = jobs.last_values(session, [job.id], "kept_per_minute").get(job.id)
    run = session.get(GenerationRun, job.id)
    before = jobs.count_open(session) - 1 if job.status is JobStatus.QUEUED else 0
    log = str(log_path(from_environment().jobs_dir, job.id))
    return (
        head_value(job, spec, endpoint=endpoint_name(session, spec), kept=totals.kept),
        bar_value(job, spec, totals.kept, jobs_before=before, per_minute=per_minute),
        outcome_value(job, spec, totals, log=log),
        tally_value(spec, totals, run.seconds if run else 0.0, per_minute=per_minute),
    )


def funnel_of(session: Session, job: Job, *, stage: str = "") -> dict:
    fallen: dict[str, int] = {}
    for count in generation_runs.funnel_counts(session, job.id):
        fallen[count.stage] = fallen.get(count.stage, 0) + count.rows
    return funnel_value(
        generation_figures.count_judged_wanted(session, job.id),
        fallen,
        current=stage,
        with_passage=job.spec["mode"] == "from_passage",
    )


def settings_of(session: Session, job: Job) -> dict:
    spec, run = spec_of_run(job), session.get(GenerationRun, job.id)
    if run is not None:
        template, profile = run.template_version, run.profile["name"]
    else:
        template = generation_templates.get_template(
            session, job.project_id, spec.template_id, spec.mode
        ).name
        profile = generation_runs.profile_for(session, job.project_id, spec).name
    facts = settings_facts(spec, endpoint=endpoint_name(session, spec), template=template, profile=profile)
    return {"facts": facts}


def log_of(job_id: int) -> dict:
    return read_log(log_path(from_environment().jobs_dir, job_id))


def spec_of_run(job: Job) -> GenerateSpec:
    return specs.from_json(job.kind, job.spec)


def endpoint_name(session: Session, spec: GenerateSpec) -> str:
    """The endpoint's name; of one that was removed its number."""
    try:
        return endpoints.get_endpoint(session, spec.endpoint_id).name
    except LookupError:
        return f"an endpoint that was removed (number {spec.endpoint_id})"


def any_open(session: Session, project_id: int) -> bool:
    return any(job.status.is_open for job in jobs.list_jobs(session, project_id, JobKind.GENERATE))


def can_pause(job: Job) -> bool:
    return job.status.is_open and job.cancel_requested_at is None


def is_finished(job: Job) -> bool:
    return job.status is JobStatus.FINISHED


def can_resume(job: Job) -> bool:
    return not job.status.is_open


def start(
    session: Session, actor: Actor, project_id: int, form_key: str, name: str, spec: GenerateSpec
) -> tuple[Job, bool]:
    """Queue what the form says: the run, and whether it is new. One form pressed twice is one run."""
    asked_at, key = utc_now(), request_key(form_key, spec, JobKind.GENERATE)
    job = generation_runs.start(session, actor, project_id, spec, name=name, request_key=key)
    session.flush()
    return job, job.created_at >= asked_at


def missing_notice(session: Session, project_id: int) -> dict:
    """What the form lacks before any run can start, and where to get it; nothing where it lacks nothing."""
    query = f"?project={project_id}"
    if not endpoints.list_endpoints(session):
        return notice_value(
            "No endpoint yet", NO_ENDPOINT, hue="review", links={"Open Endpoints": f"/endpoints{query}"}
        )
    if not generation_runs.seed_pool(session, project_id):
        links = {"Review what was submitted": f"/review{query}", "Write one": f"/curate{query}"}
        return notice_value("No approved seed yet", NO_SEED, hue="review", links=links)
    return NO_NOTICE


def _first_step(session: Session, project_id: int) -> dict:
    """What an empty list says: the one step that is missing."""
    query = f"?project={project_id}"
    if not endpoints.list_endpoints(session):
        return empty_state(
            "No generation run yet.", NO_ENDPOINT, href=f"/endpoints{query}", link="Open Endpoints"
        )
    if not generation_runs.seed_pool(session, project_id):
        return empty_state(
            "No generation run yet.", NO_SEED, href=f"/review{query}", link="Review what was submitted"
        )
    return EMPTY
