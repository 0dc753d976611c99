"""Evaluations: rows kept once, figures of all of them, writes fenced, removal undone."""

import pytest

from db import evaluations, jobs, processes
from db.enums import JobKind, JobStatus, ProcessRole, Way
from db.policy import PolicyError
from db.session import read, write
from db.tables import BaseModel
from tests.db.evaluated import ROWS, begin, evaluate, make_setting, scored

RIGHT = [True] * 9 + [False] * 3


@pytest.fixture
def setting(people, project_id):
    return make_setting(people, project_id)


def test_rows_are_kept_once_and_the_next_attempt_goes_on_where_the_last_one_fell(setting):
    owner, evaluation_id = begin(setting)
    with write() as session:
        assert evaluations.record(session, *owner, evaluation_id, scored(RIGHT)[:5]) == 5
        jobs.close(session, *owner, JobStatus.INTERRUPTED)
        jobs.requeue(session, setting.people.trainer, owner[0])
        worker = processes.register(session, ProcessRole.WORKER)
        session.flush()
        claimed = jobs.claim_next(session, worker.id, [JobKind.EVALUATE])
        again = claimed.id, claimed.attempt
        same = evaluations.begin(
            session, *again, setting.tasks["Letters"], Way.GENERATION, base_model_id=setting.base_id,
            provenance={"dtype": "bf16"},
        )  # fmt: skip
        assert same.id == evaluation_id
        assert same.provenance == {"dtype": "fp32", "later": {"dtype": "bf16"}}
        assert evaluations.done_positions(session, evaluation_id) == {0, 1, 2, 3, 4}
        with pytest.raises(jobs.FencedError):
            evaluations.record(session, *owner, evaluation_id, scored(RIGHT))
        with pytest.raises(ValueError, match="5 of 12 rows are scored"):
            evaluations.finish(session, *again, evaluation_id, evaluations.Summary("accuracy", {}))
        assert evaluations.record(session, *again, evaluation_id, scored(RIGHT)) == 7
        assert evaluations.find(session, evaluation_id).rows_done == ROWS


def test_the_figures_are_of_all_rows_and_also_of_those_that_did_not_leak(setting):
    evaluation_id = evaluate(setting, RIGHT, without=(0, 1, 2, 3))
    with read() as session:
        found = evaluations.get_evaluation(session, setting.project_id, evaluation_id)
    assert found.measure == "accuracy"
    whole, left = found.figures["accuracy"], found.figures["accuracy without leaks"]
    assert (whole["value"], whole["n"], whole["clusters"]) == (9 / 12, 12, 12)
    assert whole["low"] < 9 / 12 < whole["high"] < 1
    assert (left["value"], left["n"]) == (5 / 8, 8)
    assert found.figures["parse_failures"]["value"] == 0
    assert set(found.tables) == {"faults"}


def test_by_likelihood_the_measures_are_those_of_options():
    names = ("accuracy", "parse_failures", "option_accuracy", "option_accuracy_first")
    assert evaluations.measures_of(names, Way.LIKELIHOOD) == names[2:]
    assert evaluations.measures_of(names, Way.GENERATION) == names[:2]


def test_an_adapter_of_another_base_is_one_sentence_and_nothing_is_stored(setting):
    owner, _ = begin(setting)
    with write() as session:
        other = BaseModel(name="other", location="/models/other")
        session.add(other)
        session.flush()
        other_id = other.id
    named = {"base_model_id": other_id, "adapter_id": setting.adapter_id}
    sentence = "^adapter: Ward v1 was tuned on tiny, not on other; choose its own base.$"
    place = setting.tasks["General"], Way.GENERATION
    with write() as session, pytest.raises(ValueError, match=sentence):
        evaluations.begin(session, *owner, *place, provenance={}, **named)
    with read() as session:
        assert len(evaluations.list_evaluations(session, setting.project_id)) == 1


@pytest.mark.parametrize("model", [{}, {"base_model_id": 1, "encoder_id": 1}])
def test_a_model_is_a_base_or_an_encoder_and_never_both(setting, model):
    with read() as session, pytest.raises(ValueError, match="^model: name a base model"):
        evaluations.require_model(session, **{"base_model_id": None, **model})


def test_a_row_that_the_task_has_not_is_refused_whole(setting):
    owner, evaluation_id = begin(setting)
    with pytest.raises(ValueError, match="rows 0 to 11"), write() as session:
        evaluations.record(session, *owner, evaluation_id, scored([True] * (ROWS + 1)))
    with read() as session:
        assert evaluations.done_positions(session, evaluation_id) == set()


def test_another_jobs_evaluation_is_not_written_to(setting):
    _, evaluation_id = begin(setting)
    other, _ = begin(setting, "General")
    with write() as session, pytest.raises(LookupError, match="has no evaluation"):
        evaluations.record(session, *other, evaluation_id, scored(RIGHT))


def test_a_removed_evaluation_comes_back(setting):
    evaluation_id = evaluate(setting, RIGHT)
    with write() as session, pytest.raises(PolicyError):
        evaluations.remove(session, setting.people.clinician, setting.project_id, evaluation_id)
    with write() as session:
        evaluations.remove(session, setting.people.trainer, setting.project_id, evaluation_id)
    with read() as session, pytest.raises(LookupError):
        evaluations.get_evaluation(session, setting.project_id, evaluation_id)
    with write() as session:
        evaluations.put_back(session, setting.people.trainer, setting.project_id, evaluation_id)
    with read() as session:
        assert evaluations.get_evaluation(session, setting.project_id, evaluation_id).deleted_at is None


def test_a_list_is_of_what_was_asked_for_newest_first(setting):
    base, tuned = evaluate(setting, RIGHT), evaluate(setting, RIGHT, adapter=True)
    _, unfinished = begin(setting, "General")
    with read() as session:

        def ids(**which):
            return [one.id for one in evaluations.list_evaluations(session, setting.project_id, **which)]

        assert ids() == [unfinished, tuned, base]
        assert ids(is_finished=True) == [tuned, base]
        assert ids(adapter_id=setting.adapter_id) == [tuned]
        assert ids(task_version_id=setting.tasks["General"]) == [unfinished]
        listed = evaluations.list_evaluations(session, setting.project_id, is_finished=True)
    assert [evaluations.title_of(one) for one in listed] == ["Ward v1", "tiny"]
