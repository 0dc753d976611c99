"""Remarks: where their passage stands after an edit, who sees them, who may close them."""

from dataclasses import replace
from itertools import pairwise

import pytest

from db import audit, double_review, instructions, remarks, reviews
from db.content import Content, content_of
from db.double_review import ReviewSettings
from db.enums import Decision
from db.policy import PolicyError
from db.remarks import follow
from db.session import read, write

TEXT = Content("Why does 🩺 alpha-catenin matter?", input="A 🩺 note.", output="It binds actin.", task="qa")


@pytest.fixture
def id(people, project_id) -> int:
    with write() as session:
        return instructions.create_instruction(session, people.author, project_id, TEXT).id


def remark(actor, id, body="Sure?", **about) -> int:
    with write() as session:
        said = remarks.add_remark(session, actor, id, body, **about)
        session.flush()
        return said.id


def edit(actor, id, **changed) -> None:
    with write() as session:
        stored = instructions.get_instruction(session, id)
        content = replace(content_of(stored), **changed)
        instructions.edit_instruction(session, actor, id, content, version=stored.version)


def seen(id, actor=None) -> list[remarks.Remark]:
    with read() as session:
        return remarks.list_remarks(session, id, actor)


def test_a_passage_is_counted_in_characters_and_found_again_after_an_edit_before_it(people, id):
    start = TEXT.instruction.index("alpha")
    remark(people.reviewer, id, field="instruction", span=(start, start + 13))
    [told] = seen(id)
    assert (told.quote, told.span_now, told.is_outdated) == ("alpha-catenin", told.span, False)
    edit(people.author, id, instruction="Tell me: why does 🩺 alpha-catenin matter?")
    [told] = seen(id)
    start, end = told.span_now
    assert "Tell me: why does 🩺 alpha-catenin matter?"[start:end] == told.quote == "alpha-catenin"
    edit(people.author, id, instruction="Why does 🩺 beta-catenin matter?")
    [told] = seen(id)
    assert (told.quote, told.span_now, told.is_outdated) == ("alpha-catenin", None, True)


@pytest.mark.parametrize(
    ("before", "quote", "after", "found"),
    [
        ("one two three", "two", "one two three four", "two"),
        ("one two three", "two", "zero one two three", "two"),
        ("one two three", "two", "one TWO three", None),
        ("a b. a b.", "b. a", "c a b. a b.", "b. a"),
        ("one two", "one two", "", None),
    ],
)
def test_a_passage_is_followed_only_where_nobody_touched_it(before, quote, after, found):
    start = before.index(quote)
    span = follow((start, start + len(quote)), before, after)
    assert (after[slice(*span)] if span else None) == found


def test_a_remark_on_a_field_tells_that_the_field_changed(people, id):
    remark(people.reviewer, id, field="tags")
    edit(people.author, id, output="It links actin.")
    assert seen(id)[0].is_outdated is False
    edit(people.author, id, tags=("cell",))
    assert seen(id)[0].is_outdated is True


def test_a_reply_to_a_reply_stays_in_its_thread(people, id):
    first = remark(people.reviewer, id)
    with write() as session:
        answer = remarks.reply(session, people.author, first, "Yes.")
        session.flush()
        remarks.reply(session, people.reviewer, answer.id, "Fine.")
    [told] = seen(id)
    assert [said.body for said in told.replies] == ["Yes.", "Fine."]


@pytest.mark.parametrize(
    ("about", "field"),
    [
        ({"field": "colour"}, "field"),
        ({"field": "tags", "span": (0, 1)}, "field"),
        ({"span": (0, 1)}, "field"),
        ({"field": "output", "span": (3, 3)}, "span"),
        ({"field": "output", "span": (0, 999)}, "span"),
        ({"version": 7}, "version"),
    ],
)
def test_a_remark_on_what_there_is_not_is_refused(people, id, about, field):
    with pytest.raises(ValueError, match=f"^{field}:"):
        remark(people.reviewer, id, **about)
    with pytest.raises(ValueError, match="^comment:"):
        remark(people.reviewer, id, body=" ")
    assert seen(id) == []


def test_a_thread_is_closed_by_those_it_concerns_and_opened_again(people, id):
    first = remark(people.clinician, id)
    with pytest.raises(PolicyError), write() as session:
        remarks.resolve(session, people.other_author, first)
    for actor in (people.clinician, people.author, people.reviewer):
        with write() as session:
            remarks.resolve(session, actor, first)
        assert seen(id)[0].resolved_by == actor.full_name
        with pytest.raises(ValueError, match="^remark:"), write() as session:
            remarks.resolve(session, actor, first)
        with write() as session:
            remarks.resolve(session, actor, first, resolved=False)
    with read() as session:
        assert remarks.count_open(session, id) == 1
        told = {line.action for line in audit.list_lines(session) if line.subject_id == id}
        assert {"commented", "resolved", "reopened"} <= told
        with pytest.raises(LookupError):
            remarks.resolve(session, people.reviewer, 999)


@pytest.fixture
def blind_id(people, project_id, id) -> int:
    """The record, waiting for two reviewers who may not see each other's work."""
    with write() as session:
        double_review.set_review_settings(session, people.admin, project_id, ReviewSettings(1.0))
        instructions.submit_for_review(session, people.author, id, version=1)
    return id


def test_of_two_blind_reviewers_neither_sees_the_others_remarks_while_one_still_reads(people, blind_id):
    ask = remark(people.author, blind_id, "Taken from the label.")
    mine = remark(people.reviewer, blind_id, "The dose is wrong.")  # before deciding
    assert [one.first.id for one in seen(blind_id, people.other_reviewer)] == [ask]
    assert [one.first.id for one in seen(blind_id, people.author)] == [ask]
    assert [one.first.id for one in seen(blind_id, people.reviewer)] == [ask, mine]
    for act in (remarks.resolve, lambda session, actor, id: remarks.reply(session, actor, id, "Why?")):
        with pytest.raises(LookupError), write() as session:
            act(session, people.other_reviewer, mine)
    for actor in (people.reviewer, people.other_reviewer):
        with write() as session:
            reviews.review_instruction(session, actor, blind_id, Decision.APPROVE, version=1)
    assert [one.first.id for one in seen(blind_id, people.other_reviewer)] == [ask, mine]


def test_what_was_said_before_the_submission_stays_open_to_all(people, project_id, id):
    early = remark(people.reviewer, id, "Name the cell.")
    with write() as session:
        double_review.set_review_settings(session, people.admin, project_id, ReviewSettings(1.0))
        instructions.submit_for_review(session, people.author, id, version=1)
    assert [one.first.id for one in seen(id, people.other_reviewer)] == [early]


def test_the_mark_is_another_whenever_a_thread_may_read_otherwise(people, id):
    def mark() -> str:
        with read() as session:
            return remarks.mark_of(session, id)

    marks = [mark(), mark()]
    assert marks[0] == marks[1]
    first = remark(people.reviewer, id)
    marks = [mark()]
    for change in (
        lambda session: remarks.reply(session, people.author, first, "Yes."),
        lambda session: remarks.resolve(session, people.author, first),
        lambda session: remarks.resolve(session, people.author, first, resolved=False),
    ):
        with write() as session:
            change(session)
        marks.append(mark())
    edit(people.author, id, output="It binds F-actin.")
    marks.append(mark())
    assert all(before != after for before, after in pairwise(marks))
    other = remark(people.reviewer, _another(people, id))
    assert mark() == marks[-1], other


def _another(people, id) -> int:
    with write() as session:
        project_id = instructions.get_instruction(session, id).project_id
        content = replace(TEXT, instruction="Which gene encodes titin?")
        return instructions.create_instruction(session, people.author, project_id, content).id
