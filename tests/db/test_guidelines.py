"""A project's guidelines: written on top of one another, none lost, each review under the one in force."""

import pytest

from db import audit, double_review, guidelines, instructions, reviews
from db.content import Content
from db.double_review import ReviewSettings
from db.enums import Decision, Reason
from db.guidelines import MAX_CHARACTERS, MAX_REASON, StaleGuidelineError
from db.policy import PolicyError
from db.session import read, write
from db.tables import Project

COMPLETE = Content("Which organ does hepatitis inflame?", output="The liver.", task="qa")


def put(actor, project_id, body, *, on, reason="") -> int:
    with write() as session:
        stored = guidelines.write_guideline(session, actor, project_id, body, number=on, reason=reason)
        return stored.number


def in_force(project_id) -> tuple[int, str]:
    with read() as session:
        current = guidelines.current_guideline(session, project_id)
        return current.number, current.body


def decide(actor, id, decision, version=1):
    with write() as session:
        reasons = [] if decision is Decision.APPROVE else [Reason.UNCLEAR]
        reviews.review_instruction(session, actor, id, decision, version=version, reasons=reasons)


@pytest.fixture
def submitted_id(people, project_id) -> int:
    with write() as session:
        row = instructions.create_instruction(session, people.author, project_id, COMPLETE)
        return instructions.submit_for_review(session, people.author, row.id, version=1).id


def under(id) -> int | None:
    with read() as session:
        found = guidelines.reviewed_under(session, instructions.get_instruction(session, id))
        return found.number if found else None


def test_each_save_is_a_version_and_the_newest_is_in_force(people, project_id):
    assert put(people.reviewer, project_id, "One.", on=0, reason="The\nfirst  one") == 1
    assert put(people.admin, project_id, "  Two.\r\n\r\nThree.\n", on=1) == 2
    assert in_force(project_id) == (2, "Two.\n\nThree.")
    with read() as session:
        told = guidelines.list_guidelines(session, project_id)
        assert [(one.number, one.author.full_name, one.reason) for one in told] == [
            (2, "Ada Admin", ""),
            (1, "Reviewer", "The first one"),
        ]
        assert guidelines.get_guideline(session, project_id, 1).body == "One."
        lines = [line for line in audit.list_lines(session) if line.subject == "guidelines"]
    assert [(line.action, line.detail) for line in lines] == [
        ("wrote", {"number": 2}),
        ("wrote", {"number": 1}),
    ]
    assert "Two" not in str([line.detail for line in lines])


def test_the_same_text_makes_no_version(people, project_id):
    put(people.reviewer, project_id, "One.", on=0)
    assert put(people.reviewer, project_id, " One.\r\n", on=1) == 1


def test_a_save_on_top_of_an_old_version_is_refused_and_carries_the_new_text(people, project_id):
    put(people.reviewer, project_id, "One.", on=0)
    put(people.other_reviewer, project_id, "Two.", on=1)
    with pytest.raises(StaleGuidelineError, match="Other Reviewer saved version 2") as refused:
        put(people.reviewer, project_id, "Mine.", on=1)
    assert refused.value.stored.body == "Two."
    assert in_force(project_id) == (2, "Two.")
    assert put(people.reviewer, project_id, "Mine.", on=2) == 3


def test_a_first_version_cannot_be_on_top_of_one(people, project_id):
    with pytest.raises(ValueError, match="^guideline: there is no version 3"):
        put(people.reviewer, project_id, "One.", on=3)


@pytest.mark.parametrize(
    ("body", "reason", "field"),
    [
        (" \n", "", "guideline"),
        ("x" * (MAX_CHARACTERS + 1), "", "guideline"),
        ("Fine.", "y" * (MAX_REASON + 1), "reason"),
    ],
)
def test_what_is_empty_or_too_long_is_refused_at_its_field(people, project_id, body, reason, field):
    with pytest.raises(ValueError, match=f"^{field}: "):
        put(people.reviewer, project_id, body, on=0, reason=reason)


@pytest.mark.parametrize("role", ["author", "trainer", "clinician"])
def test_only_who_may_guide_writes_or_brings_back(people, project_id, role):
    put(people.reviewer, project_id, "One.", on=0)
    with pytest.raises(PolicyError, match="write guidelines"):
        put(getattr(people, role), project_id, "Mine.", on=1)
    with pytest.raises(PolicyError), write() as session:
        guidelines.bring_back(session, getattr(people, role), project_id, 1, number=1)
    assert in_force(project_id) == (1, "One.")


def test_an_earlier_version_is_brought_back_as_a_new_one(people, project_id):
    put(people.reviewer, project_id, "One.", on=0)
    put(people.reviewer, project_id, "Two.", on=1)
    with write() as session:
        stored = guidelines.bring_back(session, people.reviewer, project_id, 1, number=2)
        assert (stored.number, stored.body, stored.reason) == (3, "One.", "Brought back version 1")
    with pytest.raises(ValueError, match="Reviewer saved version 3 in the meantime"), write() as session:
        guidelines.bring_back(session, people.admin, project_id, 2, number=2)
    with pytest.raises(LookupError, match="no version 9"), write() as session:
        guidelines.bring_back(session, people.admin, project_id, 9, number=3)


def test_each_project_has_its_own(people, project_id):
    with write() as session:
        other = Project(name="Ward 8")
        session.add(other)
        session.flush()
        other_id = other.id
    put(people.reviewer, project_id, "One.", on=0)
    assert put(people.reviewer, other_id, "Another.", on=0) == 1
    assert in_force(project_id) == (1, "One.")


def test_a_review_remembers_the_version_it_was_made_under(people, project_id, submitted_id):
    assert under(submitted_id) is None
    put(people.reviewer, project_id, "One.", on=0)
    decide(people.reviewer, submitted_id, Decision.APPROVE)
    put(people.reviewer, project_id, "Two.", on=1)
    assert under(submitted_id) == 1


def test_what_is_in_force_counts_over_a_later_review_of_its_successor(people, project_id, submitted_id):
    put(people.reviewer, project_id, "One.", on=0)
    decide(people.reviewer, submitted_id, Decision.APPROVE)
    put(people.reviewer, project_id, "Two.", on=1)
    changed = Content("Which organ does hepatitis B inflame?", output="The liver.", task="qa")
    with write() as session:
        instructions.edit_instruction(session, people.author, submitted_id, changed, version=1)
        instructions.submit_for_review(session, people.author, submitted_id, version=2)
    decide(people.reviewer, submitted_id, Decision.REQUEST_CHANGES, version=2)
    assert under(submitted_id) == 1


def test_a_review_before_there_were_guidelines_is_under_none(people, project_id, submitted_id):
    decide(people.reviewer, submitted_id, Decision.REJECT)
    put(people.reviewer, project_id, "One.", on=0)
    assert under(submitted_id) is None


def test_a_sealed_decision_does_not_show_by_its_guidelines(people, project_id):
    with write() as session:
        double_review.set_review_settings(session, people.admin, project_id, ReviewSettings(1.0))
        row = instructions.create_instruction(session, people.author, project_id, COMPLETE)
        id = instructions.submit_for_review(session, people.author, row.id, version=1).id
    put(people.reviewer, project_id, "One.", on=0)
    decide(people.reviewer, id, Decision.REJECT)
    assert under(id) is None
    decide(people.other_reviewer, id, Decision.REJECT)
    assert under(id) == 1
