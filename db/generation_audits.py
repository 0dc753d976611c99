"""Audit samples: how good a run's records are, told from a random few of them that people have reviewed.

What counts is the decision on the record as the model wrote it, its first version. The interval is Wilson's
(JASA 1927;22:209-212): it stays within 0 and 1, and says something honest of small samples.
"""

import math
import random
from dataclasses import dataclass

from sqlalchemy import func, select
from sqlalchemy.orm import Session

from db import audit
from db.enums import Decision, InstructionStatus
from db.generation_runs import KEPT, get_run
from db.policy import Actor, Right, require
from db.retagging import parts
from db.tables import AuditSample, Candidate, Instruction, Review

Z95 = 1.959963984540054  # of the normal distribution: a two-sided interval of 95 %
MAX_SAMPLE = 2_000


@dataclass(frozen=True)
class Interval:
    """A share with its 95 % interval, each from 0 to 1."""

    share: float
    low: float
    high: float


@dataclass(frozen=True)
class RunAudit:
    """What a sample says of its run so far."""

    sample_id: int
    population: int  # records kept when the sample was drawn
    last_candidate_id: int  # the last of them
    kept_since: int  # records kept later, of which the sample says nothing
    sampled: int
    decided: int
    accepted: int  # approved as the model wrote them
    rate: Interval | None  # None while nothing is decided

    @property
    def is_complete(self) -> bool:
        """Every record of the sample has its decision: before that the easy ones may have been first."""
        return self.decided == self.sampled


def draw_sample(session: Session, actor: Actor, job_id: int, *, size: int, seed: int = 42) -> AuditSample:
    """Draw a run's next sample: `size` of its kept records, every one as likely as any other.

    Raises ValueError when there are none, or while the latest sample is still being reviewed: drawing again
    until a sample pleases is no audit.
    """
    require(actor, Right.REVIEW)
    get_run(session, job_id)
    if not 1 <= size <= MAX_SAMPLE:
        raise ValueError(f"size: {size} records; draw 1 to {MAX_SAMPLE:,}.")
    standing = audit_of(session, job_id)
    if standing is not None and not standing.is_complete:
        raise ValueError(
            f"sample: {standing.sampled - standing.decided} records of the last one still wait for a review; "
            "finish it before you draw another."
        )
    kept = _kept(session, job_id)
    if not kept:
        raise ValueError("sample: the run has kept nothing yet; let it go on first.")
    chosen = random.Random(f"{seed}/{job_id}").sample([id for _, id in kept], min(size, len(kept)))
    sample = AuditSample(
        job_id=job_id,
        seed=seed,
        population=len(kept),
        last_candidate_id=kept[-1][0],
        instruction_ids=sorted(chosen),
        created_by_id=actor.id,
    )
    session.add(sample)
    audit.record(session, actor, "drew_audit_sample", sample, job=job_id, size=len(chosen))
    return sample


def audit_of(session: Session, job_id: int) -> RunAudit | None:
    """What the run's latest sample says; None while none was drawn."""
    query = select(AuditSample).where(AuditSample.job_id == job_id).order_by(AuditSample.id.desc()).limit(1)
    sample = session.scalar(query)
    if sample is None:
        return None
    decisions = _decisions(session, sample.instruction_ids)
    accepted = sum(decision is Decision.APPROVE for decision in decisions.values())
    later = select(func.count(Candidate.id)).where(
        Candidate.job_id == job_id, Candidate.stage == KEPT, Candidate.id > sample.last_candidate_id
    )
    return RunAudit(
        sample_id=sample.id,
        population=sample.population,
        last_candidate_id=sample.last_candidate_id,
        kept_since=session.scalar(later) or 0,
        sampled=len(sample.instruction_ids),
        decided=len(decisions),
        accepted=accepted,
        rate=wilson(accepted, len(decisions)) if decisions else None,
    )


def list_undecided(session: Session, job_id: int) -> list[int]:
    """The ids of the latest sample that wait for a decision: what a reviewer of the audit is given."""
    query = select(AuditSample).where(AuditSample.job_id == job_id).order_by(AuditSample.id.desc()).limit(1)
    sample = session.scalar(query)
    if sample is None:
        return []
    decided = _decisions(session, sample.instruction_ids)
    return [id for id in sample.instruction_ids if id not in decided]


def wilson(successes: int, trials: int, z: float = Z95) -> Interval:
    """Wilson's score interval of a share. Raises ValueError without trials."""
    if not 0 <= successes <= trials or trials < 1:
        raise ValueError(f"trials: {successes} of {trials} is no share.")
    share = successes / trials
    middle = share + z * z / (2 * trials)
    half = z * math.sqrt(share * (1 - share) / trials + z * z / (4 * trials * trials))
    scale = 1 + z * z / trials
    return Interval(share, max(0.0, (middle - half) / scale), min(1.0, (middle + half) / scale))


def _kept(session: Session, job_id: int) -> list[tuple[int, int]]:
    """(candidate id, instruction id) of the kept records, in order."""
    query = (
        select(Candidate.id, Candidate.instruction_id)
        .where(Candidate.job_id == job_id, Candidate.stage == KEPT, Candidate.instruction_id.is_not(None))
        .order_by(Candidate.id)
    )
    return [tuple(row) for row in session.execute(query)]


def _decisions(session: Session, ids: list[int]) -> dict[int, Decision]:
    """What was decided on the first version of each record, an adjudicator's word before others'.

    A record that is still in review in its first version waits for a further reviewer. One that was edited,
    or thrown away, before anyone decided was not accepted as it stood.
    """
    found: dict[int, Decision] = {}
    for some in parts(ids):
        heads = session.execute(
            select(Instruction.id, Instruction.version, Instruction.status, Instruction.deleted_at).where(
                Instruction.id.in_(some)
            )
        ).all()
        reviews = session.execute(
            select(Review.instruction_id, Review.decision)
            .where(Review.instruction_id.in_(some), Review.version == 1)
            .order_by(Review.is_adjudication, Review.id)
        ).all()
        last = dict(map(tuple, reviews))
        for id, version, status, deleted_at in heads:
            if deleted_at is not None or (version > 1 and id not in last):
                found[id] = Decision.REJECT
            elif id in last and not (version == 1 and status is InstructionStatus.IN_REVIEW):
                found[id] = last[id]
    return found
