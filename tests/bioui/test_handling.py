"""From a click to a handler's call and back: rights, and the three errors that become a sentence."""

import gradio as gr
import pytest

from bioui.handling import NOTHING, Cause, Problem, actor_of, needs, on, project_of, translated
from db.policy import PolicyError, Right
from db.session import read, write
from db.tables import Project
from tests.bioui.conftest import request_of


@needs(Right.WRITE)
def save(text: str, request: gr.Request) -> tuple[str, str]:
    if text == "empty":
        raise ValueError("full_name: write a name.")
    if text == "gone":
        raise LookupError("There is no instruction number 7.")
    if text == "bug":
        raise KeyError("text")
    return text, "saved"


@needs(Right.WRITE)
def count(request: gr.Request):
    yield 1
    yield 2
    raise ValueError("instruction: too long.")


@needs(Right.WRITE)
def touch(request: gr.Request) -> None:
    """A handler that shows nothing."""


def test_a_handler_answers_with_its_outputs_and_an_empty_problem_area(people):
    call = translated(save, 2, Cause())
    assert call("hello", request_of(people.author)) == ("hello", "saved", NOTHING)


def test_a_wrong_field_is_named_and_what_was_typed_stays(people):
    *outputs, problem = translated(save, 2, Cause())("empty", request_of(people.author))
    assert outputs == [gr.skip(), gr.skip()]
    assert problem == {"text": "Write a name.", "field": "full name", "slug": "full-name"}


def test_a_missing_record_is_told_in_one_sentence(people):
    *_, problem = translated(save, 2, Cause())("gone", request_of(people.author))
    assert problem["text"] == "There is no instruction number 7."


def test_a_bug_is_not_dressed_up_as_a_message(people):
    with pytest.raises(KeyError):
        translated(save, 2, Cause())("bug", request_of(people.author))


def test_someone_without_the_right_is_refused_before_the_handler_runs(people):
    with pytest.raises(PolicyError, match="You may not write instructions"):
        save("hello", request_of(people.clinician))
    *_, problem = translated(save, 2, Cause())("hello", request_of(people.clinician))
    assert problem["text"].startswith("You may not write instructions")


def test_nobody_is_told_to_log_in_again(people):
    with pytest.raises(PolicyError, match="Log in again"):
        save("hello", request_of(None))


def test_a_stream_shows_what_it_yielded_and_then_what_went_wrong(people):
    told = list(translated(count, 1, Cause())(request_of(people.author)))
    assert told[:2] == [(1, NOTHING), (2, NOTHING)]
    assert told[2][1]["field"] == "instruction"


def test_a_handler_without_outputs_answers_with_the_bare_problem(people):
    assert translated(touch, 0, Cause())(request_of(people.author)) == NOTHING
    assert translated(touch, 0, Cause())(request_of(people.clinician))["text"].startswith("You may not")


def test_a_tick_leaves_an_earlier_problem_standing(people):
    *_, problem = translated(save, 2, Cause(is_person=False))("hello", request_of(people.author))
    assert problem == gr.skip()


def test_only_what_a_person_does_clears_the_problem_area(people):
    with gr.Blocks() as blocks:
        problem, button, timer = gr.State(), gr.Button(), gr.Timer(1)
        clicked = on(button.click, touch, problem=problem)
        on(timer.tick, touch, problem=problem)
        on(clicked.then, touch, problem=problem)
        on(blocks.load, touch, problem=problem)
    answers = [fn.fn(request_of(people.author)) for fn in blocks.fns.values()]
    assert answers == [NOTHING, gr.skip(), gr.skip(), gr.skip()]


def test_an_unmarked_function_cannot_be_wired():
    with gr.Blocks(), pytest.raises(TypeError, match="without a right"):
        on(gr.Button().click, lambda: None, problem=gr.State())


@pytest.mark.parametrize(
    ("error", "text", "field"),
    [
        (ValueError("rank: give a number from 1 to 256."), "Give a number from 1 to 256.", "rank"),
        (ValueError("nothing to say"), "Nothing to say", ""),
        (PolicyError("You may not: ask an admin."), "You may not: ask an admin.", ""),
        (ValueError(), "ValueError", ""),
    ],
)
def test_a_field_is_read_out_of_a_value_error_alone(error, text, field):
    assert Problem.of(error) == Problem(text, field)


def test_the_project_is_the_one_in_the_address_or_the_first(people, project_id):
    with write() as session:
        session.add(Project(name="Ward 8"))
    with read() as session:
        assert project_of(session, request_of(people.author)).id == project_id
        assert project_of(session, request_of(people.author, project=str(project_id + 1))).name == "Ward 8"
        with pytest.raises(LookupError):
            project_of(session, request_of(people.author, project="../1"))


def test_the_actor_is_read_from_the_database_at_every_call(people):
    with read() as session:
        assert actor_of(session, request_of(people.trainer)).can(Right.TRAIN)
