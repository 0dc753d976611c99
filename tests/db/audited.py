"""What the tests of unreviewed rows share: a generation run with kept records, and its audit sample."""

from db import endpoints, generation_audits, jobs, reviews
from db import generation_calls as calls
from db import generation_runs as runs
from db.endpoints import Offer
from db.enums import Decision, Reason
from db.generate_spec import GenerateSpec
from db.generation_calls import Answer, Judged, JudgedCall, Planned
from db.session import write
from tests.db.frozen import add_approved, question

SEEDS = 3


def add_run(people, project_id, rows, *, name="First", start=1000) -> tuple[int, list[int]]:
    """A run that kept that many records, none near to another; its job and their ids."""
    with write() as session:
        for number in range(SEEDS):
            add_approved(session, people, project_id, question(start - 1 - number))
        offer = Offer(f"Ours {start}", f"https://{start}.example.org/v1", "big")
        endpoint = endpoints.add(session, people.trainer, offer)
        job = runs.start(session, people.reviewer, project_id, GenerateSpec(endpoint.id), name=name)
        runs.open_run(session, job)
        job_id = job.id
    return job_id, keep_more(job_id, rows, start=start)


def keep_more(job_id, rows, *, start, number=0) -> list[int]:
    """Answer the run's next call with records that are kept; their ids."""
    kept = tuple(Judged(question(start + n), "kept", "", {}) for n in range(rows))
    planned = Planned(number, 1, (), "hash", "biomedical 1", 5, 1000, 0.5)
    with write() as session:
        call_id = calls.note_asked(session, job_id, planned)
        answer = Answer("reply", "stop", 100, 200, False, 0.005, 1.5)
        calls.note_answered(session, call_id, planned, answer, tries=1, in_vain=0)
        return calls.store_judged(session, jobs.get_job(session, job_id), [JudgedCall(call_id, kept)])


def draw(people, job_id, size, *, seed=42) -> list[int]:
    with write() as session:
        sample = generation_audits.draw_sample(session, people.reviewer, job_id, size=size, seed=seed)
        return list(sample.instruction_ids)


def decide(people, ids, decision=Decision.APPROVE) -> None:
    refusal = {} if decision is Decision.APPROVE else {"comment": "No.", "reasons": [Reason.WRONG]}
    with write() as session:
        for id in ids:
            reviews.review_instruction(session, people.reviewer, id, decision, version=1, **refusal)


def audited_run(
    people, project_id, rows=60, *, size=50, refused=0, **how
) -> tuple[int, list[int], list[int]]:
    """A run whose sample is decided whole: its job, its records, and the sample's, refused first."""
    job_id, ids = add_run(people, project_id, rows, **how)
    sample = draw(people, job_id, size)
    decide(people, sample[:refused], Decision.REJECT)
    decide(people, sample[refused:])
    return job_id, ids, sample
