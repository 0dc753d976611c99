"""Generation runs: start, stop, go on with another budget; what they drew from, and how far they are.

The calls of a run are in `db.generation_calls`, its audit samples in `db.generation_audits`.
"""

import secrets
from collections.abc import Sequence
from dataclasses import asdict, dataclass, replace

from sqlalchemy import func, select
from sqlalchemy.orm import Session

from db import audit, endpoints, generation_templates, jobs, specs
from db.content import content_of
from db.enums import CallState, InstructionStatus, JobKind, Origin, Provenance
from db.generate_spec import GenerateSpec
from db.generating import profiles
from db.generating.draws import Seed
from db.generating.profiles import Profile
from db.generating.prompts import Mode, PromptTemplate
from db.policy import Actor, require
from db.projects import get_project
from db.session import parts
from db.tables import Candidate, DatasetVersion, GenerationCall, GenerationRun, Instruction, Job, Revision

KEPT = "kept"


@dataclass(frozen=True)
class Totals:
    """What a run has done so far. Tokens and money hold what was perhaps paid for nothing too."""

    calls: int = 0
    answered: int = 0
    failed: int = 0
    lost: int = 0  # under way when the process died
    unjudged: int = 0  # answered, their rows not yet through the funnel
    tokens: int = 0
    cost: float = 0.0
    unsettled: int = 0  # requests sent and never answered: perhaps paid
    unsettled_cost: float = 0.0
    kept: int = 0
    next_number: int = 0


@dataclass(frozen=True)
class FunnelCount:
    """How many records ended at one stage of the funnel, for one reason."""

    stage: str
    reason: str
    rows: int


@dataclass(frozen=True)
class Spring:
    """Where a generated record sprang from: its call, the seeds shown in it and the reply as it came."""

    call: GenerationCall
    candidate: Candidate
    seeds: tuple[Revision, ...]


def start(
    session: Session,
    actor: Actor,
    project_id: int,
    spec: GenerateSpec,
    *,
    name: str,
    request_key: str | None = None,
) -> Job:
    """Queue a run. Raises ValueError for what would make it fail at once, such as too few seeds."""
    require(actor, jobs.right_to(JobKind.GENERATE))
    get_project(session, project_id)
    if not name.strip():
        raise ValueError("name: name the run so that you find it again.")
    endpoint = endpoints.get_endpoint(session, spec.endpoint_id)
    if spec.budget_money and endpoint.price_in is None and endpoint.price_out is None:
        raise ValueError("budget money: the endpoint has no prices; enter them there, or limit the tokens.")
    template_of(session, project_id, spec)
    profile_for(session, project_id, spec)
    require_seeds(seed_pool(session, project_id, Mode(spec.mode)), spec)
    _require_versions(session, spec.against)
    return jobs.enqueue(
        session, actor, project_id, JobKind.GENERATE, spec, name=name.strip(), request_key=request_key
    )


def pause(session: Session, actor: Actor, job_id: int) -> Job:
    """Ask a run to stop: what is under way is still taken in. `resume` goes on from there."""
    _get_job(session, job_id)
    return jobs.request_cancel(session, actor, job_id)


def resume(session: Session, actor: Actor, job_id: int, **changed) -> Job:
    """Go on with a run that stopped early. `changed` may hold other budgets, target, tries or timeout.

    Raises ValueError for a setting that would make it another run.
    """
    job = _get_job(session, job_id)
    allowed = {"target", "budget_tokens", "budget_money", "budget_hours", "patience", "tries", "timeout"}
    for field in set(changed) - allowed:
        raise ValueError(f"{field.replace('_', ' ')}: it cannot change within a run; start another.")
    wants_more = False
    if changed:
        if job.status.is_open:
            raise ValueError("job: it is still going on; pause it first.")
        require(actor, jobs.right_to(job.kind))
        spec = replace(specs.from_json(job.kind, job.spec), **changed)
        wants_more = spec.target > job.spec["target"]
        job.spec = specs.to_json(spec)
        audit.record(session, actor, "changed_run", job, **changed)
    return jobs.requeue(session, actor, job_id, more_to_do=wants_more)


def seed_pool(session: Session, project_id: int, mode: Mode = Mode.GROW) -> list[Seed]:
    """What a run may show to an endpoint: the texts in force that people wrote and that may leave.

    For drafts from a passage: those with an input, which is the passage.
    """
    query = (
        select(Revision)
        .join(Instruction, Instruction.id == Revision.instruction_id)
        .where(
            Instruction.project_id == project_id,
            Instruction.status == InstructionStatus.APPROVED,
            Instruction.origin != Origin.GENERATED,
            Instruction.provenance == Provenance.NATIVE,
            Instruction.is_restricted.is_(False),
            Instruction.deleted_at.is_(None),
            Revision.number == Instruction.approved_version,
        )
        .order_by(Revision.instruction_id)
    )
    if mode is Mode.FROM_PASSAGE:
        query = query.where(Revision.input != "")
    return [Seed(row.instruction_id, row.number, content_of(row)) for row in session.scalars(query)]


def require_seeds(pool: list[Seed], spec: GenerateSpec) -> None:
    """Raise ValueError when there are fewer seeds than one prompt shows."""
    if len(pool) < spec.seeds_per_call:
        raise ValueError(
            f"seeds per call: {spec.seeds_per_call} are to be shown, and {len(pool)} approved records of "
            "people may be; approve more, or show fewer."
        )


def _require_versions(session: Session, ids: Sequence[int]) -> None:
    """Raise ValueError for a number that no frozen version has."""
    known = set(session.scalars(select(DatasetVersion.id).where(DatasetVersion.id.in_(ids))))
    for id in ids:
        if id not in known:
            raise ValueError(
                f"against: there is no frozen version number {id}; name one of those on Datasets."
            )


def template_of(session: Session, project_id: int, spec: GenerateSpec) -> PromptTemplate:
    """The prompt template of a run. Raises LookupError, and ValueError for one of another mode."""
    template = generation_templates.get_template(session, project_id, spec.template_id, Mode(spec.mode))
    if template.mode != spec.mode:
        raise ValueError(f"template: {template.name} is for the mode {template.mode}, not {spec.mode}.")
    return template


def profile_for(session: Session, project_id: int, spec: GenerateSpec) -> Profile:
    """The filters of a run: the project's, or the shipped ones that the spec names. Raises ValueError."""
    if not spec.profile:
        return profiles.profile_of(get_project(session, project_id))
    if spec.profile not in profiles.SHIPPED:
        raise ValueError(f"profile: {spec.profile!r} is not one of {', '.join(profiles.SHIPPED)}.")
    return profiles.SHIPPED[spec.profile]


def open_run(session: Session, job: Job) -> GenerationRun:
    """The run of a job: made when it first starts, and then what it draws from stands."""
    run = session.get(GenerationRun, job.id)
    if run is not None:
        return run
    spec = specs.from_json(job.kind, job.spec)
    pool = seed_pool(session, job.project_id, Mode(spec.mode))
    require_seeds(pool, spec)
    template = template_of(session, job.project_id, spec)
    run = GenerationRun(
        job_id=job.id,
        key=secrets.token_hex(8),
        pool=[[seed.id, seed.version] for seed in pool],
        template=asdict(template),
        template_version=f"{template.name} {template.number} ({template.hash[:12]})",
        profile=profile_for(session, job.project_id, spec).record(),
    )
    session.add(run)
    session.flush()
    return run


def get_run(session: Session, job_id: int) -> GenerationRun:
    run = session.get(GenerationRun, job_id)
    if run is None:
        raise LookupError(f"Job number {job_id} has not begun to generate.")
    return run


def pool_of(session: Session, run: GenerationRun) -> list[Seed]:
    """The seeds of a run, in the versions it began with."""
    versions = dict(run.pool)
    found: dict[int, Seed] = {}
    for ids in parts(sorted(versions)):
        for row in session.scalars(select(Revision).where(Revision.instruction_id.in_(ids))):
            if versions[row.instruction_id] == row.number:
                found[row.instruction_id] = Seed(row.instruction_id, row.number, content_of(row))
    return [found[id] for id, _ in run.pool]


def totals(session: Session, job_id: int) -> Totals:
    """Counts over the calls of a run, and its kept rows."""
    call = GenerationCall
    row = session.execute(
        select(
            func.count(call.id),
            func.count(call.id).filter(call.state == CallState.ANSWERED),
            func.count(call.id).filter(call.state == CallState.FAILED),
            func.count(call.id).filter(call.state == CallState.LOST),
            func.count(call.id).filter(call.state == CallState.ANSWERED, call.judged_at.is_(None)),
            func.coalesce(func.sum(call.tokens_in + call.tokens_out + call.unsettled_tokens), 0),
            func.coalesce(func.sum(call.cost + call.unsettled_cost), 0.0),
            func.coalesce(func.sum(call.unsettled), 0),
            func.coalesce(func.sum(call.unsettled_cost), 0.0),
            func.coalesce(func.max(call.number) + 1, 0),
        ).where(call.job_id == job_id)
    ).one()
    *counts, number = row
    return Totals(*counts, kept=count_kept(session, job_id), next_number=number)


def count_kept(session: Session, job_id: int) -> int:
    query = select(func.count(Candidate.id)).where(Candidate.job_id == job_id, Candidate.stage == KEPT)
    return session.scalar(query) or 0


def funnel_counts(session: Session, job_id: int) -> list[FunnelCount]:
    """How many records ended at each stage for each reason, most first."""
    query = (
        select(Candidate.stage, Candidate.reason, func.count(Candidate.id))
        .where(Candidate.job_id == job_id)
        .group_by(Candidate.stage, Candidate.reason)
        .order_by(func.count(Candidate.id).desc(), Candidate.stage, Candidate.reason)
    )
    return [FunnelCount(*row) for row in session.execute(query)]


def count_wanted(session: Session, job_id: int) -> int:
    """How many records the answered calls were asked for: the mouth of the funnel."""
    query = select(func.sum(GenerationCall.wanted)).where(
        GenerationCall.job_id == job_id, GenerationCall.state == CallState.ANSWERED
    )
    return session.scalar(query) or 0


def spring_of(session: Session, instruction_id: int) -> Spring | None:
    """What a reviewer sees of a generated record's making; None for a record of another origin."""
    candidate = session.scalar(select(Candidate).where(Candidate.instruction_id == instruction_id))
    if candidate is None:
        return None
    seeds = [
        session.scalars(
            select(Revision).where(Revision.instruction_id == id, Revision.number == version)
        ).one()
        for id, version in candidate.call.draw
    ]
    return Spring(candidate.call, candidate, tuple(seeds))


def _get_job(session: Session, job_id: int) -> Job:
    job = jobs.get_job(session, job_id)
    if job.kind is not JobKind.GENERATE:
        raise LookupError(f"Job number {job_id} is no generation run.")
    return job
