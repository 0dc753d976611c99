"""What a project covers: the matrix, targets and gaps, pace, queue, lengths, shares."""

from datetime import UTC, date, datetime, timedelta

import pytest
from sqlalchemy import update

from db import coverage, imports, instructions, projects, reviews, text_figures
from db.content import Content
from db.coverage import Target
from db.enums import Category, Decision, InstructionStatus
from db.policy import PolicyError
from db.session import read, write
from db.tables import Instruction, Review

WEDNESDAY = datetime(2026, 1, 14, 12, tzinfo=UTC)


@pytest.fixture
def ids(people, project_id) -> list[int]:
    """Two approved and two drafts of qa in cardiology, one ner draft; the last one is deleted."""
    contents = [
        Content(
            f"Which valve is number {n}?",
            output="One two three.",
            task="qa",
            specialty="cardiology",
            category=Category.QA,
        )
        for n in range(4)
    ] + [Content("Mark the drugs.", task="ner", difficulty=5, category=Category.IE)] * 2
    with write() as session:
        ids = imports.import_contents(session, people.author, project_id, contents).ids
        for id in ids[:2]:
            instructions.submit_for_review(session, people.author, id, version=1)
            reviews.review_instruction(session, people.reviewer, id, Decision.APPROVE, version=1)
        instructions.delete_instruction(session, people.author, ids[-1])
    return ids


def set_targets(actor, project_id, *targets):
    with write() as session:
        coverage.set_targets(session, actor, project_id, targets)


def test_the_matrix_counts_every_cell_by_status_and_shows_empty_ones_with_a_target(people, project_id, ids):
    set_targets(people.admin, project_id, Target("qa", 3, "cardiology", 3), Target("re", 1, "oncology", 2))
    with read() as session:
        cells = {(c.task, c.specialty, c.difficulty): c for c in coverage.matrix(session, project_id)}
    assert set(cells) == {("qa", "cardiology", 3), ("ner", "", 5), ("re", "oncology", 2)}
    qa = cells["qa", "cardiology", 3]
    assert qa.counts == {InstructionStatus.APPROVED: 2, InstructionStatus.DRAFT: 2}
    assert (qa.target, qa.gap) == (3, 1)
    assert (cells["re", "oncology", 2].counts, cells["re", "oncology", 2].gap) == ({}, 1)


def test_gaps_count_whole_rows_and_what_is_under_way(people, project_id, ids):
    set_targets(people.admin, project_id, Target("qa", 7), Target("qa", 2, "cardiology"), Target("ner", 3))
    with read() as session:
        found = coverage.gaps(session, project_id)
    assert [(gap.target.task, gap.missing, gap.under_way, gap.to_write) for gap in found] == [
        ("qa", 5, 2, 3),
        ("ner", 3, 1, 2),
    ]


def test_targets_are_the_admins_and_keep_other_settings(people, project_id):
    with pytest.raises(PolicyError):
        set_targets(people.author, project_id, Target("qa", 7))
    with write() as session:
        projects.get_project(session, project_id).settings = {"other": 1}
    set_targets(people.admin, project_id, Target("qa", 7))
    set_targets(people.admin, project_id, Target(" qa ", 8, difficulty=2))
    with read() as session:
        assert coverage.get_targets(session, project_id) == [Target("qa", 8, "", 2)]
        assert projects.get_project(session, project_id).settings["other"] == 1
    with pytest.raises(ValueError, match="^targets:"):
        set_targets(people.admin, project_id, Target("qa", 7), Target("qa", 8))


@pytest.mark.parametrize(
    ("field", "given"), [("task", ("", 1)), ("count", ("qa", 0)), ("difficulty", ("qa", 1, "", 6))]
)
def test_a_wrong_target_names_its_field(field, given):
    with pytest.raises(ValueError, match=f"^{field}:"):
        Target(*given)


def test_throughput_puts_every_deed_in_its_week(people, project_id, ids):
    with write() as session:
        session.execute(update(Instruction).values(created_at=WEDNESDAY - timedelta(days=7)))
        session.execute(update(Review).values(created_at=WEDNESDAY))
    with read() as session:
        last, this = coverage.throughput(session, project_id, weeks=2, now=WEDNESDAY)
        now = coverage.throughput(session, project_id, weeks=1)[0]
    assert (last.start, last.written, last.approved) == (date(2026, 1, 5), 6, 0)
    assert (this.start, this.written, this.approved) == (date(2026, 1, 12), 0, 2)
    assert now.submitted == 2


def test_the_queues_age_is_told_in_percentiles(people, project_id, ids):
    with write() as session:
        instructions.submit_for_review(session, people.author, ids[2], version=1)
        instructions.submit_for_review(session, people.author, ids[3], version=1)
        for id, hours in ((ids[2], 10), (ids[3], 30)):
            at = WEDNESDAY - timedelta(hours=hours)
            session.execute(update(Instruction).where(Instruction.id == id).values(submitted_at=at))
    with read() as session:
        age = coverage.queue_age(session, project_id, now=WEDNESDAY)
    assert (age.waiting, age.median, age.p90, age.oldest) == (2, 20, pytest.approx(28), 30)


def test_reasons_for_rejection_are_counted_and_shared(project_id, ids, people):
    with write() as session:
        for reasons in (["wrong", "unsafe"], ["wrong"], []):
            session.add(
                Review(
                    instruction_id=ids[0],
                    version=1,
                    reviewer_id=people.reviewer.id,
                    decision=Decision.REJECT,
                    reasons=reasons,
                )
            )
    with read() as session:
        found = coverage.refusal_reasons(session, project_id)
        assert coverage.refusal_reasons(session, project_id, decisions=(Decision.REQUEST_CHANGES,)) == []
    assert [(row.reason, row.reviews) for row in found] == [("wrong", 2), ("unsafe", 1), ("not said", 1)]
    assert found[0].share == pytest.approx(2 / 3)


def test_lengths_leave_no_text_out(project_id, ids):
    with read() as session:
        words = text_figures.lengths(session, project_id, field="output")
        characters = text_figures.lengths(session, project_id, field="instruction", unit="characters")
        assert text_figures.lengths(session, project_id, field="input").records == 0
        with pytest.raises(ValueError, match="^field:"):
            text_figures.lengths(session, project_id, field="tags")
    assert (words.bins, words.median, words.longest) == ([(0, 5, 4)], 3, 3)
    assert sum(count for _, _, count in characters.bins) == characters.records == 5
    assert all(low * 2 == high or low == 0 for low, high, _ in characters.bins)
    assert characters.longest == len("Which valve is number 0?")


def test_category_shares_stand_beside_those_of_bioinstruct(project_id, ids):
    with read() as session:
        shares = {row.category: row for row in coverage.category_shares(session, project_id)}
        approved = coverage.category_shares(session, project_id, status=InstructionStatus.APPROVED)
    assert (shares[Category.QA].share, shares[Category.QA].bioinstruct) == (0.8, 0.228)
    assert (shares[Category.OTHER].records, shares[Category.OTHER].share) == (0, 0)
    assert sum(row.records for row in approved) == 2


def test_an_empty_project_has_an_empty_report(project_id):
    with read() as session:
        assert coverage.matrix(session, project_id) == []
        assert coverage.queue_age(session, project_id).waiting == 0
        assert {row.share for row in coverage.category_shares(session, project_id)} == {0}
