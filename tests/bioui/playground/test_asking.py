"""Asking the sides: real database, real HTTP, a model server with a script."""

import logging
import sys
import time

import pytest

from bioui import answering
from bioui.components import sending, voting
from bioui.components.desk import Desk
from bioui.model_server import Launch
from bioui.pages import playground
from db import acknowledgements, audit, comparisons, registry, sides
from db.compare_spec import SideSpec
from db.policy import PolicyError
from db.session import read, write
from tests.bioui.playground.conftest import (
    BASE,
    INPUT,
    INSTRUCTION,
    SIDES,
    TUNED,
    add_adapter,
    ask,
    asked,
    asks,
    event,
    followed,
    step_of,
    texts,
)


def test_answers_stream_and_are_kept(server, adapter_id, project_id):
    seen, _ = followed(ask(project_id))
    first, last = seen[0], seen[-1]
    assert first.answers["stage"] == "running"
    assert first.button["interactive"] is False
    assert last.answers["stage"] == "done"
    assert last.follow is True
    assert texts(last.answers) == [BASE, TUNED]
    assert last.answers["columns"][1]["figures"] == ["first token 0.31 s", "42 tokens/s", "3 tokens"]
    with read() as session:
        stored = comparisons.get(session, project_id, last.shown.comparison_id)
        assert stored.input == INPUT
        assert [answer.text for answer in stored.answers] == texts(last.answers)
        assert [sides.of_answer(answer) for answer in stored.answers] == [
            SideSpec(base_model_id=1),
            SideSpec(adapter_id=adapter_id),
        ]
        assert stored.answers[1].provenance["adapter"]["hash"] == "a" * 64


def test_all_sides_are_asked_the_same_words_with_the_same_settings(server, script, adapter_id, project_id):
    asked(longest=50, system="Answer in one word.")
    request = script.asked[0]
    assert request["sides"] == [{"base_model_id": 1}, {"adapter_id": adapter_id}]
    assert request["messages"] == [
        [
            {"role": "system", "content": "Answer in one word."},
            {"role": "user", "content": f"{INSTRUCTION}\n\n{INPUT}"},
        ]
    ]
    assert (request["max_tokens"], request["temperature"], request["seed"]) == (50, 0.0, 0)


def test_three_sides_answer_in_three_columns(server, adapter_id, project_id):
    other = add_adapter(project_id, "other")
    last = asked(sides=("adapter:1", "base:1", f"adapter:{other}"))
    assert texts(last.answers) == [TUNED, BASE, TUNED]
    assert [column["title"] for column in last.answers["columns"]] == ["copier", "tiny", "other"]


def test_one_side_alone_can_be_asked(server, adapter_id, project_id):
    assert texts(asked(sides=("base:1",)).answers) == [BASE]


@pytest.mark.parametrize(
    ("given", "sentence"),
    [
        ({"instruction": "  "}, "^instruction: write what the sides are asked"),
        ({"instruction": "word " * 5000}, "^instruction: 25,000 characters|^instruction: 24,999 characters"),
        ({"longest": 0}, "^longest answer: 0 cannot be"),
        ({"longest": None}, "^longest answer: give a number"),
        ({"longest": 1.5}, "^longest answer: 1.5 cannot be; give a whole number"),
        ({"sides": ()}, "^sides: 0 are chosen"),
        ({"sides": ("base:1", "base:1")}, "^sides: one is chosen twice"),
        ({"sides": ("adapter:1; --",)}, "^sides: choose them from the list"),
        ({"sides": ("adapter:1:40",)}, "^sides: the weights of copier, step 40 are not kept"),
    ],
)
def test_what_cannot_be_asked_names_its_field_and_sends_nothing(
    server, script, adapter_id, project_id, given, sentence
):
    with pytest.raises(ValueError, match=sentence):
        next(ask(**given))
    assert script.asked == []


def test_sides_on_two_bases_are_told_in_one_sentence(server, script, adapter_id, project_id):
    elsewhere = add_adapter(project_id, "large", base="big")
    with pytest.raises(ValueError, match="^sides: these stand on different bases, tiny and big, and"):
        next(ask(sides=("base:1", f"adapter:{elsewhere}")))
    assert script.asked == []


def test_an_adapter_that_is_deleted_or_of_another_project_is_told(server, adapter_id, people, project_id):
    with pytest.raises(LookupError, match="no adapter number 1 in this project"):
        next(ask(project_id + 1))
    with write() as session:
        registry.delete_adapter(session, people.trainer, adapter_id)
    with pytest.raises(LookupError, match="no adapter number"):
        next(ask())


def test_who_may_not_compare_is_refused_everywhere(adapter_id, project_id):
    author = asks("author")
    with pytest.raises(PolicyError):
        ask(request=author)
    for handler, given in (
        (sending.stop, (event(),)),
        (sending.replay, (project_id, playground.Shown(), event())),
        (voting.cast_vote, (project_id, playground.Shown(), {}, "", "", event(choice="tie"))),
        (playground.show_desk, (project_id,)),
    ):
        with pytest.raises(PolicyError):
            handler(*given, author)


# Before sending -------------------------------------------------------------------------------------


def test_nothing_is_sent_before_the_acknowledgement(server, script, adapter_id, project_id, people):
    request = asks("trainer")
    request.kwargs["cookies"] = {}
    with pytest.raises(PolicyError, match="no patient data"):
        next(ask(request=request))
    assert script.asked == []
    assert "patient data" in acknowledgements.ASKED_FIRST


def test_what_looks_like_patient_data_is_warned_of_and_sent_only_when_told_again(
    server, script, adapter_id, project_id
):
    note = "Seen on 12 March 2021, record number MRN 00482913."
    seen, _ = followed(ask(input=note))
    (only,) = seen
    assert only.warning["findings"][0]["slug"] == "input"
    assert only.answers is None
    assert script.asked == []

    seen, _ = followed(ask(input=note, handler=sending.compare_anyway))
    assert seen[-1].shown.comparison_id > 0
    with read() as session:
        lines = audit.list_lines(session)
    assert [line.action for line in lines].count("sent_despite_warning") == 1
    assert "00482913" not in str([line.detail for line in lines])


# Failing --------------------------------------------------------------------------------------------


def test_a_prompt_longer_than_the_context_is_told_at_the_longest_field(
    server, script, adapter_id, project_id
):
    script.refusal = {"message": "It is 900 tokens long and 312 fit; shorten it.", "param": "prompt"}
    seen, error = followed(ask(input="a long note " * 20))
    assert str(error).startswith("input: the prompt is 900 tokens long and 312 fit")
    assert seen[-1].button["interactive"] is True
    assert answering.runs.get("tab") is None


def test_after_a_failure_compare_can_be_pressed_again(server, script, adapter_id, project_id):
    script.failure = {"message": "The adapter's folder is gone.", "field": "adapter_id"}
    for _ in range(2):
        seen, error = followed(ask())
        assert str(error) == "sides: The adapter's folder is gone."
        assert (seen[-1].answers["stage"], seen[-1].button["interactive"]) == ("failed", True)
    with read() as session:
        assert comparisons.count(session, project_id) == 0


def test_a_server_that_goes_away_is_told_on_the_page_with_a_way_to_try_again(
    server, script, adapter_id, project_id
):
    script.hangs_up = True
    seen, error = followed(ask())
    assert error is None
    assert "ended before the answers did" in seen[-1].failure["sentences"][0]
    assert (seen[-1].answers["stage"], seen[-1].button["interactive"]) == ("failed", True)
    script.hangs_up = False
    seen, _ = followed(ask())
    assert seen[0].failure == {"sentences": []}
    assert seen[-1].shown.comparison_id > 0


def test_a_start_that_fails_is_told_with_its_log(adapter_id, project_id, monkeypatch, settings):
    monkeypatch.setattr(answering, "launch", Launch((sys.executable, "-c", "raise OSError")))
    seen, error = followed(ask())
    assert error is None
    assert "Starting the model server" in {step.answers["phase"] for step in seen}
    assert "OSError" in seen[-1].failure["sentences"][0]
    assert str(settings.logs_dir / "model_server.log") in seen[-1].failure["sentences"][0]


# Stopping -------------------------------------------------------------------------------------------


def until_first_word(running) -> sending.Step:
    while not any(texts((step := step_of(next(running))).answers)):
        pass
    return step


def test_a_second_press_in_the_same_tab_is_refused_while_the_first_runs(
    server, script, adapter_id, project_id
):
    script.pause = 0.2
    running = ask()
    next(running)
    with pytest.raises(ValueError, match="under way"):
        next(ask())
    assert step_of(next(ask(request=asks(tab="other")))).answers["stage"] == "running"
    with pytest.raises(ValueError, match="under way"):
        playground.open_comparison(project_id, Desk(), "", "", "", event(id=1), asks())
    running.close()
    assert answering.runs.get("tab") is None


def test_one_side_stops_while_the_other_goes_on(server, script, adapter_id, project_id):
    script.answers, script.pause = {"base": "word " * 2000, "tuned": "a b c"}, 0.02
    running = ask()
    until_first_word(running)
    sending.stop(event(position=0), asks())
    seen, _ = followed(running)
    endings = [column["ending"] for column in seen[-1].answers["columns"]]
    assert endings == ["stopped by hand", "ended by itself"]
    assert seen[-1].shown.comparison_id > 0


def test_nobody_stops_the_answers_of_another_tab(server, script, adapter_id, project_id):
    script.answers, script.pause = dict.fromkeys(("base", "tuned"), "a b c d e"), 0.05
    running = ask()
    next(running)
    sending.stop(event(), asks("trainer", tab="other"))
    seen, _ = followed(running)
    assert [column["ending"] for column in seen[-1].answers["columns"]] == ["ended by itself"] * 2


def test_stopping_while_the_server_starts_keeps_nothing(adapter_id, project_id):
    running = ask()
    next(running)
    assert "Starting the model server" in step_of(next(running)).answers["phase"]
    sending.stop(event(), asks())
    seen, _ = followed(running)
    assert seen[-1].answers["stage"] == "done"
    assert seen[-1].button["interactive"] is True
    with read() as session:
        assert comparisons.count(session, project_id) == 0


def test_closing_the_tab_stops_all_answers(server, script, adapter_id, project_id):
    script.answers, script.pause = dict.fromkeys(("base", "tuned"), "word " * 500), 0.05
    running = ask()
    until_first_word(running)
    running.close()
    deadline = time.monotonic() + 10
    while not script.stops and time.monotonic() < deadline:
        time.sleep(0.01)
    assert [stop["position"] for stop in script.stops] == [None]


def test_prompts_and_answers_are_neither_logged_nor_audited(server, adapter_id, project_id, caplog):
    with caplog.at_level(logging.DEBUG):
        asked(sides=SIDES)
    with read() as session:
        lines = str([line.detail for line in audit.list_lines(session)])
    for secret in (INSTRUCTION, INPUT, TUNED):
        assert secret not in caplog.text
        assert secret not in lines
