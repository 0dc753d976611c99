import logging

import pytest

from db import audit, instructions, typed_texts
from db.content import Content
from db.policy import PolicyError
from db.session import read, write

HALF = {"instruction": "Which organ does hepat", "tags": "liver, ", "difficulty": 3, "category": None}


@pytest.fixture
def record_id(people, project_id) -> int:
    with write() as session:
        content = Content("Which organ does hepatitis inflame?")
        return instructions.create_instruction(session, people.author, project_id, content).id


def keep(actor, project_id, instruction_id=0, base_version=0, typed=HALF):
    with write() as session:
        return typed_texts.keep(session, actor, project_id, instruction_id, base_version, typed)


def find(actor, project_id, instruction_id=0):
    with read() as session:
        return typed_texts.find(session, actor, project_id, instruction_id)


def test_what_is_typed_comes_back_as_it_stood(people, project_id, record_id):
    saved_at = keep(people.author, project_id, record_id, 1)
    kept = find(people.author, project_id, record_id)
    assert (kept.typed, kept.base_version, kept.saved_at) == (HALF, 1, saved_at)


def test_the_latest_typing_takes_the_place_of_the_one_before(people, project_id, record_id):
    first = keep(people.author, project_id, record_id, 1)
    second = keep(people.author, project_id, record_id, 2, {"output": " The liver. "})
    assert second > first
    with read() as session:
        (kept,) = typed_texts.list_kept(session, people.author, project_id)
    assert (kept.typed, kept.base_version) == ({"output": " The liver. "}, 2)


def test_nobody_sees_what_another_typed(people, project_id, record_id):
    keep(people.author, project_id, record_id, 1)
    keep(people.reviewer, project_id, record_id, 1, {"output": "Theirs."})
    assert find(people.author, project_id, record_id).typed == HALF
    assert find(people.other_author, project_id, record_id) is None
    with write() as session:
        typed_texts.drop(session, people.other_author, project_id, record_id)
        typed_texts.drop(session, people.reviewer, project_id, record_id)
    assert find(people.author, project_id, record_id) is not None
    assert find(people.reviewer, project_id, record_id) is None


def test_a_new_record_and_an_old_one_are_kept_apart_the_latest_first(people, project_id, record_id):
    keep(people.author, project_id)
    keep(people.author, project_id, record_id, 1)
    with read() as session:
        kept = typed_texts.list_kept(session, people.author, project_id)
    assert [row.instruction_id for row in kept] == [record_id, 0]


def test_what_was_saved_is_dropped_and_dropping_twice_does_no_harm(people, project_id):
    keep(people.author, project_id)
    for _ in range(2):
        with write() as session:
            typed_texts.drop(session, people.author, project_id)
    assert find(people.author, project_id) is None


def test_a_text_too_long_to_save_is_kept_all_the_same(people, project_id):
    long = {"input": "x" * 100_000, "output": "‮ مرحبا \x00 \ud83d"}
    keep(people.author, project_id, typed=long)
    assert find(people.author, project_id).typed == long


@pytest.mark.parametrize(
    ("typed", "field"),
    [
        ({"input": "x" * 200_001}, "input"),
        ({"author_id": 1}, "author_id"),
        ({"tags": ["liver"]}, "tags"),
        ({"difficulty": float("nan")}, "difficulty"),
    ],
)
def test_what_cannot_be_kept_is_refused_by_name_and_the_text_before_stays(people, project_id, typed, field):
    keep(people.author, project_id)
    with pytest.raises(ValueError, match=f"^{field}:"):
        keep(people.author, project_id, typed=typed)
    assert find(people.author, project_id).typed == HALF


def test_a_deleted_record_still_takes_what_is_typed(people, project_id, record_id):
    with write() as session:
        instructions.delete_instruction(session, people.author, record_id)
    keep(people.author, project_id, record_id, 1)
    assert find(people.author, project_id, record_id).typed == HALF


def test_there_must_be_such_a_record_and_version(people, project_id, record_id):
    with pytest.raises(LookupError):
        keep(people.author, project_id, record_id + 1, 1)
    with pytest.raises(LookupError):
        keep(people.author, project_id + 1)
    with pytest.raises(ValueError, match="^base_version:"):
        keep(people.author, project_id, record_id, -1)


def test_only_who_may_write_keeps(people, project_id):
    with pytest.raises(PolicyError):
        keep(people.clinician, project_id)


def test_keeping_leaves_no_trace_in_the_audit_nor_in_a_log(people, project_id, caplog):
    with read() as session:
        before = len(audit.list_lines(session))
    with caplog.at_level(logging.DEBUG):
        keep(people.author, project_id)
    with read() as session:
        assert len(audit.list_lines(session)) == before
    assert "hepat" not in caplog.text
