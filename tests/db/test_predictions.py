"""The list of predictions: each kind of row, words, pages, and what the database walks for them."""

import random

import pytest
from sqlalchemy import event

from db import evaluations, predictions
from db.evaluations import Scored
from db.predictions import Show
from db.session import read, write
from db.tasks.task import RowScore
from tests.db.evaluated import add_task, begin, evaluate, make_setting, scored

ROWS = 60
WORDS = ("aspirin", "gout", "Déjà-vu", "warfarin", "insulin")


@pytest.fixture
def both(people, project_id):
    """(setting, evaluation, against, what is in them) of the same task, drawn from a seed."""
    setting = make_setting(people, project_id)
    add_task(setting, "Drawn", ROWS)
    ours, theirs = _drawn(1), _drawn(2)
    ids = (
        evaluate(setting, ours, "Drawn", adapter=True, keeps=False),
        evaluate(setting, theirs, "Drawn", keeps=False),
    )
    return setting, *ids, list(zip(ours, theirs, strict=True))


def _drawn(seed):
    draw = random.Random(seed)
    found = []
    for at in range(ROWS):
        score = draw.choice((0.0, 0.25, 0.5, 1.0))
        faults = [["unparsed", "nothing"]] if draw.random() < 0.2 else []
        said = {"faults": faults or ([["repeated", "x"]] if draw.random() < 0.1 else [])}
        row = RowScore(score, score == 1.0, {"right": int(score == 1.0)}, said)
        found.append(Scored(at, " ".join(draw.sample(WORDS, 2)), row))
    return found


KINDS = {
    Show.ALL: lambda a, b: True,
    Show.RIGHT: lambda a, b: a.is_right,
    Show.WRONG: lambda a, b: not a.is_right,
    Show.FAULTY: lambda a, b: a.has_faults,
    Show.FIXED: lambda a, b: a.is_right and not b.is_right,
    Show.BROKEN: lambda a, b: b.is_right and not a.is_right,
    Show.BETTER: lambda a, b: a.score > b.score,
    Show.WORSE: lambda a, b: a.score < b.score,
}


@pytest.mark.parametrize("text", ["", "aspirin"])
def test_pages_of_each_kind_hold_every_such_row_once_and_in_order(both, text):
    _, ours, theirs, rows = both
    for show, is_so in KINDS.items():
        wanted = [a.position for a, b in rows if is_so(a.score, b.score) and text in a.answer]
        assert wanted, show
        with read() as session:
            found = list(_paged(session, ours, theirs, show, text, len(wanted)))
            counts = predictions.count_each(session, ours, against_id=theirs, text=text)
        assert [row.position for row in found] == wanted, show
        assert counts[show] == len(wanted), show
        row = found[-1]
        assert row.prediction.answer == rows[row.position][0].answer
        assert row.against.answer == rows[row.position][1].answer
        assert row.reference == f"letter{row.position}"


def _paged(session, ours, theirs, show, text, total):
    after = None
    while True:
        page = predictions.page(session, ours, against_id=theirs, show=show, text=text, after=after, limit=9)
        yield from page.rows
        assert (page.total, page.has_more) == (total, False)
        if (after := page.next) is None:
            break
        assert len(page.rows) == 9


def test_words_are_found_in_answers_and_questions_whatever_accents_and_case(both):
    _, ours, _, rows = both
    with read() as session:

        def found(text):
            return [row.position for row in predictions.page(session, ours, text=text, limit=ROWS).rows]

        assert found("deja-VU") == [a.position for a, _ in rows if "Déjà-vu" in a.answer]
        assert found("letter7") == [7]  # of the question
        assert found("aspirin -gout") == [
            a.position for a, _ in rows if "aspirin" in a.answer and "gout" not in a.answer
        ]
        assert found('task:" OR "') == []
        assert found("!!!") == list(range(ROWS))
        with pytest.raises(ValueError, match="^text: name a word to look for"):
            found("-gout")


def test_the_faulty_are_told_apart_by_kind(both):
    _, ours, _, rows = both
    with read() as session:
        page = predictions.page(session, ours, show=Show.FAULTY, fault="repeated", limit=ROWS)
    repeated = [a.position for a, _ in rows if ["repeated", "x"] in a.score.said["faults"]]
    assert [row.position for row in page.rows] == repeated != []


def test_what_cannot_be_listed_is_one_sentence(both):
    setting, ours, _, _ = both
    other = evaluate(setting, [True] * 12, keeps=False)
    with read() as session:
        with pytest.raises(ValueError, match="is of another task version"):
            predictions.page(session, ours, against_id=other)
        with pytest.raises(ValueError, match="^show: what is fixed shows beside another evaluation"):
            predictions.page(session, ours, show="fixed")
        with pytest.raises(ValueError, match="^show: odd is no kind of row"):
            predictions.page(session, ours, show="odd")
        with pytest.raises(LookupError):
            predictions.page(session, 99)


def test_an_evaluation_under_way_shows_what_is_scored_so_far(both):
    setting, ours, _, _ = both
    owner, evaluation_id = begin(setting, "Drawn")
    with write() as session:
        evaluations.record(session, *owner, evaluation_id, scored([True] * 3))
    with read() as session:
        page = predictions.page(session, evaluation_id, against_id=ours)
        better = predictions.page(session, ours, against_id=evaluation_id, show="worse")
        assert predictions.find(session, evaluation_id, 2).is_right
        assert predictions.find(session, evaluation_id, 3) is None
    assert [row.position for row in page.rows] == [0, 1, 2]
    assert all(row.position < 3 for row in better.rows)


def test_a_long_list_is_counted_only_so_far_and_only_once(people, project_id):
    setting = make_setting(people, project_id)
    rows = predictions.MOST_COUNTED + 5
    add_task(setting, "Long", rows)
    owner, evaluation_id = begin(setting, "Long")
    with write() as session:
        evaluations.record(session, *owner, evaluation_id, scored([True] * rows))
        exact = predictions.page(session, evaluation_id, show="right", limit=2)
        assert (exact.total, exact.has_more) == (rows, False)
        evaluations.find(session, evaluation_id).rows = predictions.MOST_ROWS + 1  # as of a longer task
        session.flush()
        page = predictions.page(session, evaluation_id, show="right", limit=2)
        assert (page.total, page.has_more) == (predictions.MOST_COUNTED, True)
        following = predictions.page(session, evaluation_id, after=page.next, limit=2, counted=(7, False))
        assert (following.total, [row.position for row in following.rows]) == (7, [2, 3])


def test_every_list_walks_an_index_and_sorts_nothing(both, database):
    _, ours, theirs, _ = both
    asked = []

    def note(connection, cursor, statement, parameters, *_):
        if "predictions" in statement and "task_rows" not in statement:
            asked.append((statement, parameters))

    event.listen(database, "before_cursor_execute", note)
    with read() as session:
        for show in Show:
            for text in ("", "aspirin"):
                predictions.page(session, ours, against_id=theirs, show=show, text=text, after=3, limit=4)
    event.remove(database, "before_cursor_execute", note)
    assert len(asked) >= 2 * len(Show)
    with database.connect() as connection:
        for statement, parameters in asked:
            plan = connection.exec_driver_sql(f"EXPLAIN QUERY PLAN {statement}", parameters).all()
            lines = [row[3] for row in plan]
            assert not any(line.startswith("SCAN predictions") for line in lines), (statement, lines)
            # what words find is united to be counted, MOST_COUNTED of it
            sorted_by = {line for line in lines if "TEMP B-TREE" in line} - {"UNION USING TEMP B-TREE"}
            assert not sorted_by, (statement, lines)
