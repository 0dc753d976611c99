"""Finding instructions: full text, every filter, every order, pages by key."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from itertools import pairwise

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from sqlalchemy import text, update

from db import audit, imports, instructions, search
from db.content import Content
from db.enums import Category, InstructionStatus, Origin, Provenance
from db.search import InstructionQuery, Sort
from db.session import read, write
from db.tables import Comment, Instruction, PrivacyFlag

LIVER = Content(
    "Which organ does hepatitis inflame?", output="The liver.", task="qa", tags=("organ", "adverse event")
)
KIDNEY = Content("Which organ does nephritis inflame?", output="The kidney.", task="qa", difficulty=1)
CAFE = Content(
    "Résumé: list café-au-lait signs.", input="β-catenin", output="Six.", task="drug_class", difficulty=5
)


@pytest.fixture
def three(people, project_id) -> list[int]:
    """Ids of LIVER, KIDNEY and CAFE."""
    with write() as session:
        return [
            instructions.create_instruction(session, people.author, project_id, content).id
            for content in (LIVER, KIDNEY, CAFE)
        ]


def find(project_id, *, sort=None, **filters) -> list[int]:
    with read() as session:
        page = search.search_instructions(session, project_id, InstructionQuery(**filters), sort=sort)
        assert page.total == len(page.rows)
        return [row.id for row in page.rows]


def walk(project_id, query, sort, limit) -> list[int]:
    seen, after = [], None
    with read() as session:
        while True:
            page = search.search_instructions(session, project_id, query, sort=sort, after=after, limit=limit)
            seen += [row.id for row in page.rows]
            after = page.next_after
            if after is None:
                return seen


@pytest.mark.parametrize(
    ("typed", "found"),
    [
        ("hepatitis ", {0}),
        ("HEPATI", {0}),
        ("inflame ", {0, 1}),
        ("inflame -kidney ", {0}),
        ("-kidney", {0, 2}),
        ('"hepatitis inflame"', {0}),
        ('"inflame hepatitis"', set()),
        ("cafe resume ", {2}),
        ("β-caten", {2}),
        ("tag:event", {0}),
        ("task:qa ", {0, 1}),
        ("drug class ", {2}),
        ("kid*", {1}),
        ("", {0, 1, 2}),
        ('"', {0, 1, 2}),
        ("%", {0, 1, 2}),
    ],
)
def test_full_text_finds(project_id, three, typed, found):
    assert set(find(project_id, text=typed)) == {three[place] for place in found}


@settings(max_examples=150, suppress_health_check=[HealthCheck.function_scoped_fixture], deadline=None)
@given(typed=st.text() | st.text(alphabet='ab"-*:()^{}+ ANDORNEAR\0\ud800', max_size=30))
def test_nothing_that_can_be_typed_fails(project_id, three, typed):
    with read() as session:
        for sort in (None, Sort.CHANGED, Sort.OLDEST):
            search.search_instructions(
                session, project_id, InstructionQuery(text=typed, tags=(typed,)), sort=sort
            )


def test_full_text_follows_edits_deletions_and_bulk_imports(people, project_id, three):
    with write() as session:
        changed = replace(LIVER, output="The hepar.", tags=("organ",))
        instructions.edit_instruction(session, people.author, three[0], changed, version=1)
        imports.import_contents(session, people.author, project_id, [Content("What is a hepatocyte?")])
    assert three[0] not in find(project_id, text="liver ")
    assert find(project_id, text="hepar ") == [three[0]]
    assert find(project_id, text="event ") == []
    assert len(find(project_id, text="hepatocyte ")) == 1
    with write() as session:
        session.execute(text("DELETE FROM revisions"))
        session.execute(text("DELETE FROM instructions"))
    assert find(project_id, text="hepar ") == []
    with read() as session:
        session.execute(text("INSERT INTO instruction_search(instruction_search) VALUES ('integrity-check')"))


def test_a_question_that_holds_the_word_ranks_above_an_answer_that_mentions_it(people, project_id):
    with write() as session:
        for content in (
            Content("What is measured by eGFR?", output="Kidney function."),
            Content("Name a filter.", output="The kidney, among many other organs that can be named here."),
            Content("What does a kidney do?", output="It filters the blood."),
        ):
            last = instructions.create_instruction(session, people.author, project_id, content).id
        instructions.create_instruction(session, people.author, project_id, Content("Name a lung disease."))
    assert find(project_id, text="kidney ")[0] == last


def test_every_filter_takes_what_it_names(people, project_id, three):
    day = datetime(2026, 1, 5, tzinfo=UTC)
    with write() as session:
        session.execute(update(Instruction).values(updated_at=day))
        session.execute(
            update(Instruction)
            .where(Instruction.id == three[0])
            .values(
                status=InstructionStatus.APPROVED,
                category=Category.QA,
                origin=Origin.CONVERTED,
                provenance=Provenance.SYNTHETIC,
                specialty="hepatology",
                author_id=people.other_author.id,
                assignee_id=people.reviewer.id,
                licence="CC0",
                is_restricted=True,
                updated_at=day + timedelta(days=1),
            )
        )
        shared = {"instruction_id": three[0], "version": 1, "field": "output", "span_start": 0, "span_end": 3}
        session.add(Comment(**shared, author_id=people.reviewer.id, body="Sure?"))
        session.add(PrivacyFlag(**shared, kind="NAME", score=0.9))
        session.add(
            PrivacyFlag(**{**shared, "instruction_id": three[1], "version": 7}, kind="NAME", score=0.9)
        )
        session.add(
            PrivacyFlag(**{**shared, "instruction_id": three[2]}, kind="NAME", score=0.9, cleared_at=day)
        )
        session.add(Comment(instruction_id=three[1], version=1, author_id=1, body="Done.", resolved_at=day))
    first, others = [three[0]], [three[2], three[1]]
    assert find(project_id, statuses=(InstructionStatus.APPROVED,)) == first
    assert find(project_id, statuses=(InstructionStatus.APPROVED, InstructionStatus.REJECTED)) == first
    assert find(project_id, categories=(Category.QA,)) == first
    assert find(project_id, origins=(Origin.CONVERTED,)) == first
    assert find(project_id, provenances=(Provenance.SYNTHETIC,)) == first
    assert find(project_id, specialty="hepatology") == first
    assert find(project_id, task="drug_class") == [three[2]]
    assert find(project_id, author_id=people.other_author.id) == first
    assert find(project_id, not_author_id=people.other_author.id) == others
    assert find(project_id, assignee_id=people.reviewer.id) == first
    assert find(project_id, assignee_id=0) == others
    assert find(project_id, licence="CC0") == first
    assert find(project_id, is_restricted=True) == first
    assert find(project_id, is_restricted=False) == others
    assert find(project_id, has_open_remarks=True) == first
    assert find(project_id, has_open_remarks=False) == others
    assert find(project_id, is_flagged=True) == first
    assert find(project_id, is_flagged=False) == others
    assert find(project_id, updated_since=day + timedelta(hours=1)) == first
    assert find(project_id, min_difficulty=2) == [three[2], three[0]]
    assert find(project_id, max_difficulty=3, min_difficulty=2) == first
    assert find(project_id, tags=("adverse event",)) == first
    assert find(project_id, tags=("event",)) == []
    assert find(project_id, tags=("organ", "adverse event"), text="liver ") == first


@pytest.fixture
def many(people, project_id) -> dict[int, Instruction]:
    """Sixty records by id, whose times and difficulties repeat; a third was submitted, one is deleted."""
    day = datetime(2026, 1, 5, tzinfo=UTC)
    contents = [
        Content(f"Case {n}: {'fever ' * (n % 4 + 1)}and chill", difficulty=n % 5 + 1) for n in range(60)
    ]
    with write() as session:
        ids = imports.import_contents(session, people.author, project_id, contents).ids
        for n, id in enumerate(ids):
            submitted = day + timedelta(minutes=n % 7) if n % 3 == 0 else None
            values = {"updated_at": day + timedelta(hours=n % 11), "submitted_at": submitted}
            session.execute(update(Instruction).where(Instruction.id == id).values(**values))
        instructions.delete_instruction(session, people.author, ids[30])
    with read() as session:
        return {row.id: row for row in session.query(Instruction) if row.deleted_at is None}


FAR = datetime(9999, 1, 1, tzinfo=UTC)
ORDERS = {
    Sort.NEWEST: lambda row: -row.id,
    Sort.OLDEST: lambda row: row.id,
    Sort.CHANGED: lambda row: (-row.updated_at.timestamp(), -row.id),
    Sort.SUBMITTED: lambda row: (row.submitted_at or FAR, row.id if row.submitted_at else -row.id),
    Sort.EASIEST: lambda row: (row.difficulty, row.id),
    Sort.HARDEST: lambda row: (-row.difficulty, -row.id),
}


@pytest.mark.parametrize("typed", ["", "fever ", "-nothing"])
@pytest.mark.parametrize("sort", ORDERS)
def test_pages_of_every_order_follow_each_other_without_gap_or_repeat(project_id, many, sort, typed):
    expected = [row.id for row in sorted(many.values(), key=ORDERS[sort])]
    assert walk(project_id, InstructionQuery(text=typed), sort, 7) == expected


def test_pages_by_relevance_hold_every_match_once_the_best_first(project_id, many):
    seen = walk(project_id, InstructionQuery(text="fever "), Sort.RELEVANCE, 7)
    assert sorted(seen) == sorted(many)
    fevers = [many[id].instruction.count("fever") for id in seen]
    assert all(earlier >= later for earlier, later in pairwise(fevers))


def test_beyond_the_ranked_matches_the_older_ones_follow_newest_first(people, project_id):
    contents = [Content(f"Case {n} of fever", output="fever " * (n % 3)) for n in range(search.RANKED + 120)]
    with write() as session:
        ids = imports.import_contents(session, people.author, project_id, contents).ids
    seen = walk(project_id, InstructionQuery(text="fever "), Sort.RELEVANCE, 95)
    assert len(seen) == len(set(seen)) == len(ids)
    assert seen[-120:] == ids[:120][::-1]


def test_a_total_is_counted_no_further_than_people_read(people, project_id):
    with write() as session:
        contents = [Content(f"Question {n}") for n in range(5)]
        imports.import_contents(session, people.author, project_id, contents)
    with read() as session:
        assert search.count_matching(session, project_id, InstructionQuery(), most=3) == 4
        assert search.count_matching(session, project_id, InstructionQuery(text="question "), most=3) == 4
        assert search.count_matching(session, project_id, InstructionQuery(text='"question 1"'), most=3) == 1
        assert search.count_matching(session, project_id, InstructionQuery()) == 5


@pytest.mark.parametrize(
    "after", ["x", "{}", "[]", "[0]", '[0, "a"]', "[7, 1]", "[0, 1, 2, 3, 4]", "[true, 1]"]
)
@pytest.mark.parametrize("sort", [Sort.NEWEST, Sort.CHANGED, Sort.SUBMITTED, Sort.RELEVANCE])
def test_a_place_that_is_none_is_refused_in_one_sentence(project_id, three, sort, after):
    if (sort, after) in ((Sort.NEWEST, "[0]"), (Sort.CHANGED, "[0]"), (Sort.SUBMITTED, "[0]")):
        return  # the first page
    with pytest.raises(ValueError, match="^after:"), read() as session:
        search.search_instructions(
            session, project_id, InstructionQuery(text="inflame "), sort=sort, after=after
        )


def test_relevance_without_words_is_the_newest_first(project_id, three):
    with read() as session:
        page = search.search_instructions(session, project_id, InstructionQuery(), sort=Sort.RELEVANCE)
        assert page.sort is Sort.NEWEST


def test_a_page_needs_no_further_query_for_its_authors(people, project_id, three, database):
    with read() as session:
        rows = search.search_instructions(session, project_id, InstructionQuery()).rows
    assert {row.author.full_name for row in rows} == {"Author"}


def test_finding_writes_no_audit_line(project_id, three):
    with read() as session:
        before = len(audit.list_lines(session))
    find(project_id, text="liver ")
    with read() as session:
        assert len(audit.list_lines(session)) == before
