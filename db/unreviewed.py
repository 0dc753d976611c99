"""Rows that nobody reviewed: frozen only where a random sample of their run tells how good they are.

What may go in is what the sample was drawn from: records that a run kept, in review, as the model wrote them,
without any decision and without an open privacy flag. It goes in when every record drawn is decided and the
lower end of the acceptance's 95 % interval reaches the project's bound. That is the acceptance over all draws
of the run, so that nobody draws until one pleases. A refused record of a sample has its decision, so it never
goes in; nor does what was kept after the latest draw.
"""

from collections.abc import Sequence
from dataclasses import asdict, dataclass
from math import isfinite

from sqlalchemy import ColumnElement, func, select
from sqlalchemy.orm import Session

from db import audit
from db.canonical import FrozenRow
from db.enums import InstructionStatus
from db.generation_audits import MAX_SAMPLE, RunAudit, audit_of
from db.generation_runs import KEPT
from db.policy import Actor, Right, require
from db.privacy import has_open_flag
from db.projects import get_project
from db.recipes import Recipe
from db.search import matching
from db.tables import Candidate, GenerationRun, Instruction, Job, Project, Review

_SETTING = "unreviewed"  # the key in Project.settings
_LEAST_SAMPLE = 10
_MOST_ACCEPTANCE = 0.99
_MOST_NAMED = 5  # records named in a sentence


@dataclass(frozen=True)
class UnreviewedRule:
    """What a project asks of a run's sample. Raises ValueError naming the field."""

    acceptance: float = 0.8  # the lower end of the 95 % interval reaches it; no sample reaches 1
    sample: int = 50  # records at least, or all that the run had kept, drawn from all of them

    def __post_init__(self) -> None:
        share, size = self.acceptance, self.sample
        if not _is_number(share):
            raise ValueError("acceptance: give a share from 0 to 0.99, such as 0.8.")
        if not 0 <= share <= _MOST_ACCEPTANCE:
            raise ValueError(f"acceptance: {share:g} is not from 0 to 0.99; 0.8 is usual.")
        if not _is_number(size) or size != int(size):
            raise ValueError(f"sample: give a whole number from {_LEAST_SAMPLE} to {MAX_SAMPLE:,}.")
        if not _LEAST_SAMPLE <= size <= MAX_SAMPLE:
            raise ValueError(f"sample: {size:,} is not from {_LEAST_SAMPLE} to {MAX_SAMPLE:,}; 50 is usual.")
        object.__setattr__(self, "acceptance", float(share))
        object.__setattr__(self, "sample", int(size))


@dataclass(frozen=True)
class AuditedRun:
    """A generation run, what its samples say, and why its unreviewed records may not go in yet."""

    job_id: int
    name: str
    audit: RunAudit | None
    missing: str  # one sentence; "" when they may

    def record(self) -> dict:
        """The sample as plain values, to be stored with the version. Only of a run with a decided sample."""
        found = self.audit
        return {
            "job": self.job_id,
            "sample": found.sample_id,
            "draws": len(found.draws),
            "population": found.population,
            "kept_since": found.kept_since,
            "sampled": found.sampled,
            "accepted": found.accepted,
            **asdict(found.rate),
        }


def _is_number(value: object) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool) and isfinite(value)


def rule_of(project: Project) -> UnreviewedRule:
    return UnreviewedRule(**project.settings.get(_SETTING, {}))


def set_rule(session: Session, actor: Actor, project_id: int, rule: UnreviewedRule) -> Project:
    """Set what the project asks of samples. Versions that are frozen stay as they are."""
    require(actor, Right.MANAGE_PROJECT)
    project = get_project(session, project_id)
    project.settings = {**project.settings, _SETTING: asdict(rule)}
    audit.record(session, actor, "unreviewed_rule_set", project, **asdict(rule))
    return project


# Runs and their samples ----------------------------------------------------------------------------------


def list_runs(session: Session, project_id: int) -> list[AuditedRun]:
    """The generation runs of a project that have begun, the newest first."""
    query = _runs_in(project_id).order_by(Job.id.desc())
    rule = rule_of(get_project(session, project_id))
    return [_audited(session, job, rule) for job in session.scalars(query)]


def get_runs(session: Session, project_id: int, job_ids: Sequence[int]) -> list[AuditedRun]:
    """Runs by their job numbers. Raises ValueError for a number that is none of this project's."""
    if not job_ids:
        return []
    found = {job.id: job for job in session.scalars(_runs_in(project_id).where(Job.id.in_(job_ids)))}
    for id in job_ids:
        if id not in found:
            raise ValueError(f"unreviewed runs: number {id} is no generation run of this project.")
    rule = rule_of(get_project(session, project_id))
    return [_audited(session, found[id], rule) for id in job_ids]


def require_accepted(session: Session, project_id: int, job_ids: Sequence[int]) -> list[AuditedRun]:
    """The runs, when the sample of each lets its records in. Raises ValueError saying what lacks."""
    runs = get_runs(session, project_id, job_ids)
    for run in runs:
        if run.missing:
            raise ValueError(f"unreviewed runs: {run.missing}")
    return runs


def figures(accepted: int, sampled: int, share: float, low: float, high: float, *, draws: int = 1) -> str:
    """`48 of 50 accepted (96.0 %, 95 % interval 86.5 to 98.9 %)`; `48 of 50 in 2 draws ...`."""
    interval = f"95 % interval {100 * low:.1f} to {100 * high:.1f} %"
    return f"{accepted:,} of {sampled:,}{in_draws(draws)} accepted ({100 * share:.1f} %, {interval})"


def in_draws(draws: int) -> str:
    """Said of a run that was sampled more than once: ` in 2 draws`."""
    return f" in {draws:,} draws" if draws > 1 else ""


def _runs_in(project_id: int):
    return select(Job).join(GenerationRun, GenerationRun.job_id == Job.id).where(Job.project_id == project_id)


def _audited(session: Session, job: Job, rule: UnreviewedRule) -> AuditedRun:
    found = audit_of(session, job.id)
    return AuditedRun(job.id, job.name, found, _missing(f"run {job.id}", found, rule))


def _missing(run: str, found: RunAudit | None, rule: UnreviewedRule) -> str:
    """What keeps the unreviewed records of a run out, with the numbers."""
    if found is None:
        return (
            f"no audit sample of {run} was drawn; draw one of {rule.sample:,} records or more on the "
            "Generate page and review it."
        )
    if not found.is_complete or found.rate is None:
        left = found.sampled - found.decided
        return (
            f"{left:,} of the {found.sampled:,} records in the sample of {run} still wait for a decision; "
            "review them all first."
        )
    # What earlier draws took is no longer there to be drawn.
    needed = min(rule.sample, found.population - (found.sampled - found.sampled_of_all))
    if found.sampled_of_all < needed:
        return (
            f"the sample of {run} holds {found.sampled_of_all:,} records and this project asks for "
            f"{needed:,}, drawn from all of the {found.population:,} that may go in; draw more on the "
            "Generate page and review them."
        )
    if found.rate.low < rule.acceptance:
        told = figures(found.accepted, found.sampled, **asdict(found.rate), draws=len(found.draws))
        return (
            f"of the sample of {run}, {told}: the lower end, {100 * found.rate.low:.2f} %, is below the "
            f"{100 * rule.acceptance:g} % that this project asks for; review the run's records instead."
        )
    return ""


# Their records -------------------------------------------------------------------------------------------


def unreviewed_of(run: AuditedRun) -> list[ColumnElement[bool]]:
    """The conditions under which a record of the run would go in without a review."""
    kept = select(Candidate.instruction_id).where(Candidate.job_id == run.job_id, Candidate.stage == KEPT)
    if run.audit is not None:
        kept = kept.where(Candidate.id <= run.audit.last_candidate_id)
    decided = select(Review.id).where(Review.instruction_id == Instruction.id).correlate(Instruction).exists()
    return [
        Instruction.id.in_(kept),
        Instruction.status == InstructionStatus.IN_REVIEW,
        Instruction.version == 1,  # as the model wrote it: that is what the sample tells of
        Instruction.approved_version.is_(None),
        Instruction.deleted_at.is_(None),
        ~decided,
        ~has_open_flag(),
    ]


def choosing(project_id: int, recipe: Recipe, run: AuditedRun) -> list[ColumnElement[bool]]:
    """The conditions under which an unreviewed record of the run goes in by the recipe's filters."""
    return [*matching(project_id, recipe.query), *unreviewed_of(run)]


def count_unreviewed(session: Session, project_id: int, recipe: Recipe, run: AuditedRun) -> int:
    """How many unreviewed records of the run the recipe's filters choose, whether they may go in or not."""
    query = select(func.count()).select_from(Instruction).where(*choosing(project_id, recipe, run))
    return session.scalar(query) or 0


def require_unchanged(session: Session, project_id: int, rows: Sequence[FrozenRow], report: dict) -> None:
    """Raise ValueError when a planned row was reviewed, edited, flagged or withdrawn, or a sample changed.

    `report` is what `describe_unreviewed` said when the rows were planned.
    """
    planned = {run["job"]: run for run in report["runs"]}
    runs = require_accepted(session, project_id, list(planned))
    for run in runs:
        now = run.record()
        if any(now[name] != planned[run.job_id][name] for name in ("sample", "sampled", "accepted")):
            raise ValueError(
                f"unreviewed runs: the sample of run {run.job_id} changed while the version was being made; "
                "freeze again."
            )
    waits = (select(Instruction.id).where(*unreviewed_of(run)) for run in runs)
    waiting = {id for query in waits for id in session.scalars(query)}
    gone = sorted({row.instruction_id for row in rows if row.is_unreviewed} - waiting)
    if gone:
        named = ", ".join(map(str, gone[:_MOST_NAMED])) + (" and others" if len(gone) > _MOST_NAMED else "")
        raise ValueError(
            f"unreviewed runs: {len(gone):,} of the unreviewed records were reviewed, edited, flagged or "
            f"withdrawn while the version was being made (number {named}); freeze again."
        )


# What is said of them ------------------------------------------------------------------------------------


def describe_unreviewed(session: Session, rows: Sequence[FrozenRow], runs: Sequence[AuditedRun]) -> dict:
    """How many rows nobody reviewed, by split and by run, and what the sample of each run says."""
    frozen = {row.instruction_id: row.split.value for row in rows if row.is_unreviewed}
    splits: dict[str, int] = {}
    for split in frozen.values():
        splits[split] = splits.get(split, 0) + 1
    return {
        "rows": len(frozen),
        "splits": splits,
        "runs": [{**run.record(), "rows": _count_in(session, run, frozen)} for run in runs],
    }


def unreviewed_sentence(report: dict) -> str:
    """`12 of 60 rows were not reviewed; of the sample of run 3 ...`; "" where each was, or nobody asked."""
    found = report.get("unreviewed") or {}
    if not found.get("rows"):
        return ""
    samples = []
    for run in found["runs"]:
        interval = f"95 % interval {100 * run['low']:.1f} to {100 * run['high']:.1f} %"
        samples.append(
            f"of the sample of {run['sampled']:,}{in_draws(run.get('draws', 1))} from run {run['job']}, "
            f"{run['accepted']:,} were accepted "
            f"({100 * run['share']:.1f} %, {interval})"
        )
    return f"{found['rows']:,} of {report['rows']:,} rows were not reviewed; {'; '.join(samples)}."


def _count_in(session: Session, run: AuditedRun, frozen: dict[int | None, str]) -> int:
    kept = select(Candidate.instruction_id).where(Candidate.job_id == run.job_id, Candidate.stage == KEPT)
    return sum(id in frozen for id in session.scalars(kept))
