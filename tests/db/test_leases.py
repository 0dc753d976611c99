"""Work is handed out: the oldest first, to one at a time, back when abandoned."""

import subprocess
import sys
from datetime import timedelta

import pytest

from db import double_review, imports, instructions, leases, projects, reviews
from db.content import Content
from db.double_review import ReviewSettings
from db.enums import Decision, Reason
from db.policy import PolicyError
from db.session import read, write
from db.settings import REPOSITORY
from db.tables import Instruction, Lease
from db.tables.base import utc_now
from db.users import as_actor, invite, redeem_invite

RECORDS, PROCESSES = 300, 6


def submit(people, project_id, count=3, author=None) -> list[int]:
    rows = [Content(f"Question {n}?", output=f"Answer {n}.", task="qa") for n in range(count)]
    with write() as session:
        return imports.import_contents(session, author or people.author, project_id, rows, submit=True).ids


def ask(actor, project_id, **options) -> int | None:
    with write() as session:
        lease = leases.next_for(session, actor, project_id, **options)
        return lease.instruction_id if lease else None


def decide(actor, id, decision=Decision.APPROVE):
    with write() as session:
        reasons = () if decision is Decision.APPROVE else (Reason.WRONG,)
        reviews.review_instruction(session, actor, id, decision, version=1, reasons=reasons)


def test_two_reviewers_are_handed_different_records_and_ones_own_comes_back_first(people, project_id):
    first, second, third = submit(people, project_id)
    assert ask(people.reviewer, project_id) == first
    assert ask(people.other_reviewer, project_id) == second
    assert ask(people.reviewer, project_id) == first
    assert ask(people.admin, project_id) == third
    with read() as session:
        assert len(session.query(Lease).all()) == 3  # asking again renewed, it took no second one


def test_a_decision_ends_the_lease_and_the_next_is_handed_out(people, project_id):
    first, second, _ = submit(people, project_id)
    ask(people.reviewer, project_id)
    decide(people.reviewer, first)
    with read() as session:
        assert leases.find_held(session, people.reviewer, first) is None
    assert ask(people.reviewer, project_id) == second


def test_an_abandoned_record_comes_back_when_its_time_is_over(people, project_id):
    (only,) = submit(people, project_id, 1)
    now = utc_now()
    assert ask(people.reviewer, project_id, minutes=15, now=now) == only
    assert ask(people.other_reviewer, project_id, now=now + timedelta(minutes=14)) is None
    assert ask(people.other_reviewer, project_id, now=now + timedelta(minutes=15)) == only


def test_renewing_keeps_it_and_releasing_gives_it_back_at_once(people, project_id):
    (only,) = submit(people, project_id, 1)
    now = utc_now()
    ask(people.reviewer, project_id, now=now)
    with write() as session:
        renewed = leases.hold(session, people.reviewer, only, now=now + timedelta(minutes=10))
        assert renewed.expires_at == now + timedelta(minutes=25)
    assert ask(people.other_reviewer, project_id, now=now + timedelta(minutes=20)) is None
    with write() as session:
        leases.release(session, people.reviewer, only, now=now + timedelta(minutes=20))
    assert ask(people.other_reviewer, project_id, now=now + timedelta(minutes=20)) == only


def test_what_others_hold_is_neither_taken_nor_decided_on(people, project_id):
    (only,) = submit(people, project_id, 1)
    ask(people.reviewer, project_id)
    with (
        pytest.raises(ValueError, match="^instruction: Reviewer has it in hand, for 15 more"),
        write() as session,
    ):
        leases.hold(session, people.other_reviewer, only)
    with pytest.raises(ValueError, match="^instruction: Reviewer has it in hand"):
        decide(people.other_reviewer, only)
    with write() as session:
        assert reviews.approve_shown(session, people.other_reviewer, project_id, [(only, 1)]) == 0
    with read() as session:
        ((holder,),) = leases.list_holders(session, [only]).values()
        assert (holder.user_id, holder.name) == (people.reviewer.id, "Reviewer")
    decide(people.reviewer, only)


def test_nobody_is_handed_their_own_work_but_in_a_solo_project(people, project_id):
    (own,) = submit(people, project_id, 1, author=people.reviewer)
    assert ask(people.reviewer, project_id) is None
    with pytest.raises(ValueError, match="does not wait for a decision of yours"), write() as session:
        leases.hold(session, people.reviewer, own)
    with write() as session:
        projects.set_solo(session, people.admin, project_id, solo=True)
    assert ask(people.reviewer, project_id) == own


def test_a_submission_for_two_goes_to_two_and_to_no_third(people, project_id):
    with write() as session:
        double_review.set_review_settings(session, people.admin, project_id, ReviewSettings(1.0))
    (only,) = submit(people, project_id, 1)
    assert ask(people.reviewer, project_id) == only
    assert ask(people.other_reviewer, project_id) == only
    assert ask(people.admin, project_id) is None
    decide(people.reviewer, only)
    assert ask(people.reviewer, project_id) is None  # one does not review twice
    assert ask(people.admin, project_id) is None  # one has decided, the other has it in hand
    decide(people.other_reviewer, only, Decision.REJECT)
    assert ask(people.admin, project_id) is None  # a disagreement is settled, not reviewed again


def test_assigned_work_comes_first_and_that_of_others_last(people, project_id):
    first, second, third = submit(people, project_id)
    with write() as session:
        session.get(Instruction, first).assignee_id = people.other_reviewer.id
        session.get(Instruction, third).assignee_id = people.reviewer.id
    handed = []
    for _ in range(3):
        handed.append(ask(people.reviewer, project_id))
        decide(people.reviewer, handed[-1])
    assert handed == [third, second, first]


def test_what_is_skipped_is_not_handed_out_now(people, project_id):
    first, second, _ = submit(people, project_id)
    assert ask(people.reviewer, project_id, skip=[first]) == second


def test_an_edit_takes_the_record_out_of_the_queue_and_a_new_hand_in_brings_it_back(people, project_id):
    (only,) = submit(people, project_id, 1)
    ask(people.reviewer, project_id)
    changed = Content("Question 0?", output="Better.", task="qa")
    with write() as session:
        instructions.edit_instruction(session, people.author, only, changed, version=1)
    assert ask(people.reviewer, project_id) is None
    with write() as session:
        instructions.submit_for_review(session, people.author, only, version=2)
    assert ask(people.other_reviewer, project_id) is None  # still in the first one's hands
    assert ask(people.reviewer, project_id) == only


def test_only_reviewers_are_handed_work_and_for_a_sensible_time(people, project_id):
    with pytest.raises(PolicyError):
        ask(people.author, project_id)
    for minutes in (0, 10_000):
        with pytest.raises(ValueError, match="^minutes:"):
            ask(people.reviewer, project_id, minutes=minutes)


# Many at once -----------------------------------------------------------------------------------------

TAKER = """
import sys
from db import leases, reviews, session, users
from db.enums import Decision

session.connect(sys.argv[1])
name, project_id, decides = sys.argv[2], int(sys.argv[3]), sys.argv[4] == "decides"
with session.read() as s:
    me = users.get_actor(s, name)
print("ready", flush=True)
sys.stdin.readline()
skip = []
while True:
    with session.write() as s:
        lease = leases.next_for(s, me, project_id, skip=skip)
    if lease is None:
        break
    print(lease.instruction_id, flush=True)
    if decides:
        with session.write() as s:
            reviews.review_instruction(s, me, lease.instruction_id, Decision.APPROVE, version=1)
    else:
        skip.append(lease.instruction_id)  # keep it in hand and ask for another
"""


@pytest.mark.parametrize("way", ["decides", "keeps"])
def test_six_processes_are_handed_three_hundred_records_and_none_twice(people, project_id, settings, way):
    with write() as session:
        names = [f"reader_{n}" for n in range(PROCESSES)]
        for name in names:
            token = invite(session, people.admin, username=name, full_name=name, roles=["reviewer"])
            as_actor(redeem_invite(session, token, password="a long enough password"))
    ids = submit(people, project_id, RECORDS)
    takers = [
        subprocess.Popen(
            [sys.executable, "-c", TAKER, settings.url, name, str(project_id), way],
            cwd=REPOSITORY,
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
        )
        for name in names
    ]
    for taker in takers:
        assert taker.stdout.readline() == "ready\n"
    for taker in takers:  # all at once, when all are up
        taker.stdin.write("go\n")
        taker.stdin.flush()
    told = [taker.communicate(timeout=300) for taker in takers]
    assert [errors for _, errors in told] == [""] * PROCESSES
    assert sorted(int(line) for output, _ in told for line in output.split()) == ids
    assert sum(bool(output) for output, _ in told) > 1, "one process did all the work: nothing was shown"
