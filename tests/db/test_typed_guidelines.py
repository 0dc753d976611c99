import pytest

from db import audit, guidelines, typed_guidelines
from db.guidelines import MAX_REASON
from db.policy import PolicyError
from db.session import read, write


def keep(actor, project_id, body, base_number=0, reason=""):
    with write() as session:
        return typed_guidelines.keep(session, actor, project_id, base_number, body, reason)


def find(actor, project_id):
    with read() as session:
        return typed_guidelines.find(session, actor, project_id)


@pytest.fixture
def version_1(people, project_id) -> int:
    """The project, with a first version."""
    with write() as session:
        guidelines.write_guideline(session, people.reviewer, project_id, "# One", number=0)
    return project_id


def test_what_is_typed_comes_back_as_it_stood_to_nobody_but_its_author(people, version_1):
    first = keep(people.reviewer, version_1, "# One\n\nAlw", 1)
    second = keep(people.reviewer, version_1, "# One\n\nAlways ", 1, "Units")
    kept = find(people.reviewer, version_1)
    assert (kept.body, kept.reason, kept.base_number) == ("# One\n\nAlways ", "Units", 1)
    assert kept.saved_at == second > first
    assert find(people.other_reviewer, version_1) is None
    with write() as session:
        typed_guidelines.drop(session, people.other_reviewer, version_1)
    assert find(people.reviewer, version_1) is not None
    with write() as session:
        typed_guidelines.drop(session, people.reviewer, version_1)
    assert find(people.reviewer, version_1) is None


def test_typing_that_says_no_more_than_a_version_is_forgotten(people, version_1):
    assert keep(people.reviewer, version_1, "# Two", 1) is not None
    assert keep(people.reviewer, version_1, "# One\n", 1) is None
    assert find(people.reviewer, version_1) is None
    assert keep(people.reviewer, version_1, "# Two", 1) is not None
    with write() as session:
        guidelines.write_guideline(session, people.admin, version_1, "# Two", number=1)
    assert find(people.reviewer, version_1) is None  # somebody else saved the very text
    assert keep(people.reviewer, version_1, "# One", 1) is None  # nothing was changed since it began


def test_an_emptied_editor_is_kept_where_there_was_a_text(people, project_id):
    assert keep(people.reviewer, project_id, "  ") is None
    with write() as session:
        guidelines.write_guideline(session, people.reviewer, project_id, "# One", number=0)
    assert keep(people.reviewer, project_id, "", 1) is not None


def test_keeping_takes_the_right_and_refuses_what_cannot_be_kept(people, version_1):
    with pytest.raises(PolicyError):
        keep(people.author, version_1, "# Mine", 1)
    keep(people.reviewer, version_1, "# Two", 1, "x" * (MAX_REASON + 9))
    with pytest.raises(ValueError, match="^guideline: 200,001 characters"):
        keep(people.reviewer, version_1, "x" * 200_001, 1)
    with pytest.raises(ValueError, match="^base_number"):
        keep(people.reviewer, version_1, "# Three", -1)
    with pytest.raises(LookupError, match="no version 7"):
        keep(people.reviewer, version_1, "# Three", 7)
    kept = find(people.reviewer, version_1)
    assert (kept.body, len(kept.reason)) == ("# Two", MAX_REASON)


def test_keeping_leaves_no_trace_in_the_history(people, version_1):
    with read() as session:
        before = len(audit.list_activity(session, version_1, limit=100))
    keep(people.reviewer, version_1, "# Two", 1)
    with read() as session:
        assert len(audit.list_activity(session, version_1, limit=100)) == before
