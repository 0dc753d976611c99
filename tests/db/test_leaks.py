"""Leaks: task rows among an adapter's train rows, looked for once and told with the words they share."""

import pytest

from db import datasets, evaluations, leaks, task_versions
from db.canonical import FrozenRow
from db.checks.contamination import Limits
from db.content import Content
from db.enums import Category, Split
from db.leaks import Asked
from db.session import read, write
from tests.db.evaluated import begin, evaluate, make_setting

WORDING = "Read the question and the options below, then answer with the letter of the best option alone."
PASSAGE = "a woman of sixty with crushing chest pain that spreads to her left arm and jaw since this morning"
OTHER = "the enzyme that turns angiotensin one into angiotensin two is blocked by drugs such as ramipril"


def found(train, asked, **limits):
    return [
        (one.position, one.dataset_position, one.kind) for one in leaks.check(train, asked, Limits(**limits))
    ]


def test_the_same_words_and_long_runs_are_found_and_the_strongest_kind_told():
    train = [
        Asked(3, "What is this?", PASSAGE.upper() + "!"),
        Asked(4, "Summarise.", f"Yesterday {PASSAGE}, as the daughter tells."),
        Asked(5, "Which drug?", OTHER),
    ]
    asked = [Asked(0, "Diagnose.", PASSAGE), Asked(1, "Who discovered insulin?"), Asked(2, "Diagnose.", "x")]
    assert found(train, asked) == [(0, 3, "exact"), (0, 4, "n-gram")]


def test_the_wording_that_all_rows_share_is_no_leak():
    train = [Asked(at, WORDING, f"{OTHER} number {at}") for at in range(5)]
    asked = [Asked(at, WORDING, f"Which organ makes hormone h{at}? A) x{at} B) y{at}") for at in range(5)]
    assert found(train, asked) == []
    assert found([*train, Asked(9, WORDING, asked[2].input)], asked) == [(2, 9, "exact")]


def test_a_question_without_an_input_is_looked_for_whole():
    assert found([Asked(0, PASSAGE)] * 2, [Asked(7, PASSAGE)]) == [(7, 0, "exact")] * 2


def test_an_answer_that_holds_the_text_is_a_leak():
    asked = [Asked(7, "Diagnose.", PASSAGE), Asked(8, "Treat.", OTHER)]
    assert found([Asked(0, "Tell a case.", "", f"Here: {PASSAGE}.")], asked) == [(7, 0, "n-gram")]


def test_of_one_row_found_everywhere_the_strongest_are_kept():
    train = [Asked(at, "Explain.", f"{PASSAGE} again{at}") for at in range(30)]
    train.append(Asked(30, "Explain.", PASSAGE))
    kept = found(train, [Asked(0, "Diagnose.", PASSAGE), Asked(1, "Diagnose.", OTHER)])
    assert len(kept) == leaks.MOST_A_ROW
    assert kept[0] == (0, 30, "exact")


@pytest.fixture
def setting(people, project_id):
    return make_setting(people, project_id)


@pytest.fixture
def looked(setting):
    """(task version, dataset version): one row of two stands in the train rows; nobody has looked yet."""
    rows = [
        FrozenRow(Split.TRAIN, Content("Judge.", input=f"Then {PASSAGE}.", output="urgent")),
        FrozenRow(Split.TRAIN, Content("Judge.", input=OTHER, output="not urgent")),
        FrozenRow(Split.TEST, Content("Is it urgent?", input=PASSAGE, output="yes", category=Category.QA)),
        FrozenRow(Split.TEST, Content("Is it?", input="A cold.", output="no", category=Category.QA)),
    ]
    with write() as session:
        actor = setting.people.trainer
        dataset = datasets.create_dataset(session, actor, setting.project_id, name="Leaky")
        version = datasets.freeze_rows(session, actor, dataset, rows, recipe={})
        session.flush()
        task = task_versions.freeze_dataset(
            session, actor, setting.project_id, dataset_version_id=version.id, category=Category.QA
        )
        return task.id, version.id


def test_what_was_found_is_kept_once_and_shown_with_the_shared_words(setting, looked):
    owner, _ = begin(setting)
    with read() as session:
        train, asked = leaks.load(session, *looked)
    assert (len(train), len(asked)) == (2, 2)
    overlaps = leaks.check(train, asked)
    with write() as session:
        kept = leaks.keep(session, *owner, *looked, overlaps)
        assert leaks.keep(session, *owner, *looked, []).id == kept.id
        assert kept.rows_found == 1
        assert leaks.positions(session, *looked) == {0}
        assert [one.kind for one in leaks.rows_found(session, *looked)[0]] == ["n-gram"]
        page = leaks.page(session, *looked)
    [overlap] = page.overlaps
    assert (page.total, page.next) == (1, None)
    assert overlap.shared == PASSAGE
    assert overlap.train_row.output == "urgent"
    assert overlap.task_row.reference == "yes"


def test_the_badge_says_what_is_known(setting):
    evaluation_id = evaluate(setting, [True] * 12, adapter=True)
    base = evaluate(setting, [True] * 12)
    owner, _ = begin(setting, "General")
    place = setting.tasks["Letters"], setting.version_id
    with write() as session:

        def said(id):
            return leaks.badge_of(session, id).sentence

        assert said(base) == "train rows not known"
        assert said(evaluation_id) == "not looked for"
        overlaps = [leaks.Found(at, 0, "exact", 1.0) for at in (1, 2, 2)]
        leaks.keep(session, *owner, *place, overlaps)
        assert said(evaluation_id) == "2 of 12 rows overlap the train rows"
        general = evaluations.find(session, evaluation_id)
        leaks.keep(session, *owner, setting.tasks["General"], setting.version_id, [])
        check = leaks.find_check(session, setting.tasks["General"], setting.version_id)
        assert leaks.badge(general, check).sentence == "no overlap found"
