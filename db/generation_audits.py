"""Audit samples: how good a run's records are, told from a random few of them that people have reviewed.

What counts is the decision on the record as the model wrote it, its first version. The interval is Wilson's
(JASA 1927;22:209-212): it stays within 0 and 1, and says something honest of small samples.

A run may be sampled again, and every draw stays: what is told of a run is told over all records that were
ever drawn, so that drawing anew until a sample pleases gains nothing. A record is drawn once.
"""

import math
import random
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import func, select
from sqlalchemy.orm import Session

from db import audit
from db.enums import Decision, InstructionStatus
from db.generation_runs import KEPT, get_run
from db.policy import Actor, Right, require
from db.session import parts
from db.tables import AuditSample, Candidate, Instruction, Review, User

Z95 = 1.959963984540054  # of the normal distribution: a two-sided interval of 95 %
MAX_SAMPLE = 2_000


@dataclass(frozen=True)
class Interval:
    """A share with its 95 % interval, each from 0 to 1."""

    share: float
    low: float
    high: float


@dataclass(frozen=True)
class Draw:
    """One sample of a run, as it stands. It is never taken back."""

    sample_id: int
    drawn_at: datetime
    drawn_by: str  # full name
    population: int  # records that the run had kept by then
    sampled: int
    decided: int
    accepted: int  # approved as the model wrote them


@dataclass(frozen=True)
class RunAudit:
    """What all samples of a run say of it so far."""

    draws: tuple[Draw, ...]  # oldest first
    population: int  # records kept when the latest was drawn
    last_candidate_id: int  # the last of them
    kept_since: int  # records kept later, of which no sample says anything
    sampled: int  # of all draws together, as the next three
    decided: int
    accepted: int
    rate: Interval | None  # None while nothing is decided
    sampled_of_all: int  # drawn while the population was what it is now: of older draws it has outgrown

    @property
    def sample_id(self) -> int:
        """The latest draw."""
        return self.draws[-1].sample_id

    @property
    def is_complete(self) -> bool:
        """Every record drawn has its decision: before that the easy ones may have been first."""
        return self.decided == self.sampled


def draw_sample(session: Session, actor: Actor, job_id: int, *, size: int, seed: int = 42) -> AuditSample:
    """Draw a run's next sample: `size` of the kept records not drawn before, each as likely as any other.

    Raises ValueError when there are none, or while an earlier draw is still being reviewed.
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
    drawn = set(_drawn(list_samples(session, job_id)))
    left = [id for _, id in kept if id not in drawn]
    if not left:
        raise ValueError("sample: each record that the run kept was drawn already; there is no other.")
    chosen = random.Random(f"{seed}/{job_id}").sample(left, min(size, len(left)))
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


def list_samples(session: Session, job_id: int) -> list[AuditSample]:
    """The audit samples drawn of a run, oldest first."""
    query = select(AuditSample).where(AuditSample.job_id == job_id).order_by(AuditSample.id)
    return list(session.scalars(query))


def audit_of(session: Session, job_id: int) -> RunAudit | None:
    """What the run's samples say, all of them together; None while none was drawn."""
    samples = list_samples(session, job_id)
    if not samples:
        return None
    drawn, latest = _drawn(samples), samples[-1]
    decisions = _decisions(session, drawn)
    accepted = sum(decision is Decision.APPROVE for decision in decisions.values())
    later = select(func.count(Candidate.id)).where(
        Candidate.job_id == job_id, Candidate.stage == KEPT, Candidate.id > latest.last_candidate_id
    )
    of_all = [one for one in samples if one.last_candidate_id == latest.last_candidate_id]
    names = _names(session, samples)
    return RunAudit(
        draws=tuple(_draw(sample, decisions, names) for sample in samples),
        population=latest.population,
        last_candidate_id=latest.last_candidate_id,
        kept_since=session.scalar(later) or 0,
        sampled=len(drawn),
        decided=len(decisions),
        accepted=accepted,
        rate=wilson(accepted, len(decisions)) if decisions else None,
        sampled_of_all=len(_drawn(of_all)),
    )


def list_undecided(session: Session, job_id: int) -> list[int]:
    """The ids of drawn records that wait for a decision: what a reviewer of the audit is given."""
    drawn = _drawn(list_samples(session, job_id))
    decided = _decisions(session, drawn)
    return [id for id in drawn if id not in decided]


def wilson(successes: int, trials: int, z: float = Z95) -> Interval:
    """Wilson's score interval of a share. Raises ValueError without trials."""
    if not 0 <= successes <= trials or trials < 1:
        raise ValueError(f"trials: {successes} of {trials} is no share.")
    share = successes / trials
    middle = share + z * z / (2 * trials)
    half = z * math.sqrt(share * (1 - share) / trials + z * z / (4 * trials * trials))
    scale = 1 + z * z / trials
    return Interval(share, max(0.0, (middle - half) / scale), min(1.0, (middle + half) / scale))


def _drawn(samples: Sequence[AuditSample]) -> list[int]:
    """The ids of the records drawn, each once: samples of before records were drawn once may share some."""
    return sorted({id for sample in samples for id in sample.instruction_ids})


def _draw(sample: AuditSample, decisions: dict[int, Decision], names: dict[int, str]) -> Draw:
    found = [decisions[id] for id in sample.instruction_ids if id in decisions]
    return Draw(
        sample_id=sample.id,
        drawn_at=sample.created_at,
        drawn_by=names[sample.created_by_id],
        population=sample.population,
        sampled=len(sample.instruction_ids),
        decided=len(found),
        accepted=found.count(Decision.APPROVE),
    )


def _names(session: Session, samples: Sequence[AuditSample]) -> dict[int, str]:
    ids = {sample.created_by_id for sample in samples}
    return dict(map(tuple, session.execute(select(User.id, User.full_name).where(User.id.in_(ids)))))


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
