"""Filters under a name, and filters as links."""

from datetime import UTC, datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st

from db import saved_filters
from db.enums import Category, InstructionStatus, Origin, Provenance
from db.policy import PolicyError
from db.saved_filters import View, from_params, to_params
from db.search import InstructionQuery, Sort
from db.session import read, write

WAITING = View(InstructionQuery(statuses=(InstructionStatus.IN_REVIEW,), text="liver"), Sort.SUBMITTED)

words = st.text(st.characters(exclude_categories=["Cs"])).map(str.strip)
choices = st.sampled_from([None, True, False])
numbers = st.none() | st.integers(0, 10**9 - 1)
queries = st.builds(
    InstructionQuery,
    text=words,
    statuses=st.lists(st.sampled_from(InstructionStatus), unique=True).map(tuple),
    categories=st.lists(st.sampled_from(Category), unique=True).map(tuple),
    origins=st.lists(st.sampled_from(Origin), unique=True).map(tuple),
    provenances=st.lists(st.sampled_from(Provenance), unique=True).map(tuple),
    task=words,
    specialty=words,
    author_id=numbers,
    not_author_id=numbers,
    min_difficulty=st.none() | st.integers(1, 5),
    max_difficulty=st.none() | st.integers(1, 5),
    tags=st.lists(words.filter(bool), unique=True).map(tuple),
    assignee_id=numbers,
    has_open_remarks=choices,
    is_flagged=choices,
    updated_since=st.none() | st.datetimes(timezones=st.just(UTC)),
    licence=words,
    is_restricted=choices,
)


@given(st.builds(View, queries, st.none() | st.sampled_from(Sort)))
def test_a_view_comes_back_from_its_link_as_it_was(view):
    params = to_params(view)
    assert all(isinstance(value, str) for value in params.values())
    assert from_params(params) == view


@given(
    st.dictionaries(
        st.sampled_from([*"abc", *to_params(WAITING), "from", "since"]), st.text() | st.integers()
    )
)
def test_whatever_a_link_says_gives_a_view(params):
    assert isinstance(from_params(params), View)


def test_unknown_names_and_values_do_not_filter():
    said = {
        "status": "draft,lost",
        "colour": "blue",
        "from": "many",
        "since": "x",
        "remarks": "maybe",
        "sort": "?",
    }
    assert from_params(said) == View(InstructionQuery(statuses=(InstructionStatus.DRAFT,)))
    assert from_params({"since": "2026-01-05"}).query.updated_since == datetime(2026, 1, 5, tzinfo=UTC)


def save(actor, project_id, name="Waiting", **options) -> int:
    with write() as session:
        return saved_filters.save_filter(session, actor, project_id, name=name, view=WAITING, **options).id


def names(actor, project_id) -> list[str]:
    with read() as session:
        return [row.name for row in saved_filters.list_filters(session, actor, project_id)]


def test_one_sees_ones_own_filters_and_those_that_others_share(people, project_id):
    save(people.author, project_id, "Mine")
    save(people.reviewer, project_id, "Theirs")
    save(people.reviewer, project_id, "A shared one", is_shared=True)
    assert names(people.author, project_id) == ["Mine", "A shared one"]
    assert names(people.clinician, project_id) == ["A shared one"]


def test_a_stored_filter_gives_its_view_back(people, project_id):
    filter_id = save(people.author, project_id)
    with read() as session:
        row = saved_filters.get_filter(session, people.author, filter_id)
        assert from_params(row.query) == WAITING
        with pytest.raises(LookupError):
            saved_filters.get_filter(session, people.reviewer, filter_id)


def test_a_name_is_an_owners_once(people, project_id):
    filter_id = save(people.author, project_id)
    save(people.reviewer, project_id)
    with pytest.raises(ValueError, match="^name:"):
        save(people.author, project_id, " Waiting ")
    with pytest.raises(ValueError, match="^name:"):
        save(people.author, project_id, " ")
    with write() as session:
        saved_filters.change_filter(session, people.author, filter_id, name="Waiting", is_shared=True)
        saved_filters.change_filter(session, people.author, filter_id, name="Queue", view=View())
    with read() as session:
        row = saved_filters.get_filter(session, people.reviewer, filter_id)
        assert (row.name, from_params(row.query)) == ("Queue", View())


def test_only_its_owner_changes_or_deletes_a_filter(people, project_id):
    filter_id = save(people.author, project_id, is_shared=True)
    with pytest.raises(PolicyError), write() as session:
        saved_filters.change_filter(session, people.admin, filter_id, name="Taken")
    with pytest.raises(PolicyError), write() as session:
        saved_filters.delete_filter(session, people.admin, filter_id)
    with write() as session:
        saved_filters.delete_filter(session, people.author, filter_id)
    assert names(people.author, project_id) == []
