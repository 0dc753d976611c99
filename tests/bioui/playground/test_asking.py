"""Asking both models: real database, real HTTP, a model server with a script."""

import logging
import sys
import threading

import pytest

from bioui import pair_run
from bioui.components import desk as desk_handlers
from bioui.components import voting
from bioui.model_server import Launch, ModelServerDown
from bioui.pages import playground
from db import audit, comparisons, registry
from db.enums import Side
from db.policy import PolicyError
from db.session import read, write
from tests.bioui.playground.conftest import INPUT, INSTRUCTION, ask, asks, event, followed, texts


def test_a_pair_streams_and_is_kept(server, adapter_id, project_id):
    states = list(ask(adapter_id))

    first, last = states[0][0], states[-1]
    assert first["stage"] == "running"
    assert last[0]["stage"] == "done"
    assert texts(last[0]) == {"base": "I do not know.", "tuned": "It is red."}
    assert last[0]["sides"][1]["figures"] == ["first token 0.31 s", "42 tokens/s", "3 tokens"]
    with read() as session:
        stored = comparisons.get_comparison(session, last[2])
        assert stored.input == INPUT
        assert {answer.side: answer.text for answer in stored.answers} == texts(last[0])
        assert stored.answers[1].provenance["adapter"]["hash"] == "a" * 64


def test_both_sides_are_asked_the_same_words_with_the_same_settings(server, script, adapter_id):
    list(ask(adapter_id, longest=50))
    asked = script.asked[0]
    assert asked["messages"] == [{"role": "user", "content": f"{INSTRUCTION}\n\n{INPUT}"}]
    assert (asked["max_tokens"], asked["temperature"], asked["seed"]) == (50, 0.0, 0)


def test_a_link_shows_a_stored_comparison_again(server, adapter_id, project_id):
    *_, (shown, _, comparison_id, _) = ask(adapter_id)
    again, opened = playground.show_comparison(project_id, asks("trainer", comparison=comparison_id))
    assert opened == comparison_id
    assert texts(again) == texts(shown)
    assert again["link"] == f"/playground?project={project_id}&comparison={comparison_id}"
    assert again["sides"][0]["figures"] == shown["sides"][0]["figures"]


def test_a_comparison_is_not_shown_in_another_project(server, adapter_id, project_id):
    *_, (_, _, comparison_id, _) = ask(adapter_id)
    with pytest.raises(LookupError, match="in this project"):
        playground.show_comparison(project_id + 1, asks(comparison=comparison_id))


@pytest.mark.parametrize(
    ("given", "sentence"),
    [
        ({"instruction": "  "}, "^instruction: write what both models are asked"),
        ({"instruction": "word " * 5000}, "^instruction: 24,999 characters"),
        ({"longest": 0}, "^longest answer: 0 cannot be"),
        ({"longest": None}, "^longest answer: give a number"),
        ({"longest": 1.5}, "^longest answer: 1.5 cannot be; give a whole number"),
    ],
)
def test_what_cannot_be_asked_names_its_field_and_sends_nothing(server, script, adapter_id, given, sentence):
    with pytest.raises(ValueError, match=sentence):
        next(ask(adapter_id, **given))
    assert script.asked == []


def test_without_an_adapter_the_field_is_named(server, project_id):
    with pytest.raises(ValueError, match="^adapter: choose"):
        next(ask(None))


def test_a_deleted_adapter_is_told(server, adapter_id, people):
    with write() as session:
        registry.delete_adapter(session, people.trainer, adapter_id)
    with pytest.raises(LookupError, match="no adapter number"):
        next(ask(adapter_id))


def test_who_may_not_compare_is_refused_everywhere(server, adapter_id, project_id):
    author = asks("author")
    with pytest.raises(PolicyError):
        ask(adapter_id, request=author)
    with pytest.raises(PolicyError):
        playground.stop(event(side=""), author)
    with pytest.raises(PolicyError):
        voting.cast_vote(project_id, 1, "", "", event(choice="base"), author)
    with pytest.raises(PolicyError):
        desk_handlers.show_desk(project_id, author)


def test_a_prompt_longer_than_the_context_is_told_at_the_longer_field(server, script, adapter_id):
    script.refusal = {"message": "It is 900 tokens long and 312 fit; shorten it.", "param": "prompt"}
    with pytest.raises(ValueError, match=r"^input: the prompt is 900 tokens long and 312 fit"):
        list(ask(adapter_id, input="a long note " * 20))
    assert playground.runs.get("tab") is None


def test_after_a_failure_compare_can_be_pressed_again(server, script, adapter_id):
    script.failure = {"message": "The adapter's folder is gone.", "field": "adapter_id"}
    for _ in range(2):
        seen, error = followed(ask(adapter_id))
        assert str(error) == "adapter: The adapter's folder is gone."
        shown, button, *_ = seen[-1]
        assert (shown["stage"], button["interactive"]) == ("failed", True)
    with read() as session:
        assert comparisons.list_comparisons(session, 1) == []


def test_a_server_that_goes_away_is_told(server, script, adapter_id):
    script.hangs_up = True
    with pytest.raises(ModelServerDown, match="ended before the answers did"):
        list(ask(adapter_id))


def test_a_start_that_fails_is_told_with_its_log(adapter_id, monkeypatch, settings):
    monkeypatch.setattr(pair_run, "launch", Launch((sys.executable, "-c", "raise OSError")))
    seen, error = followed(ask(adapter_id))
    assert isinstance(error, ModelServerDown)
    assert "Starting the model server" in {shown["phase"] for shown, *_ in seen}
    assert "OSError" in str(error)
    assert str(settings.logs_dir / "model_server.log") in str(error)


def test_a_second_press_in_the_same_tab_is_refused_while_the_first_runs(server, script, adapter_id):
    script.pause = 0.2
    running = ask(adapter_id)
    next(running)
    with pytest.raises(ValueError, match="under way"):
        next(ask(adapter_id))
    assert next(ask(adapter_id, request=asks(tab="other")))[0]["stage"] == "running"
    with pytest.raises(ValueError, match="on their way"):
        playground.open_comparison(1, event(id=1), asks())
    running.close()
    assert playground.runs.get("tab") is None


def test_one_side_stops_while_the_other_goes_on(server, script, adapter_id):
    script.answers, script.pause = dict.fromkeys(Side, "a b c d e f g h i j"), 0.1
    running = ask(adapter_id)
    while not any(texts(shown := next(running)[0]).values()):
        assert shown["stage"] == "running"
    playground.stop(event(side="base"), asks())
    *_, (shown, _, comparison_id, _) = running
    assert [side["ending"] for side in shown["sides"]] == ["stopped by hand", "ended by itself"]
    assert comparison_id > 0


def test_nobody_stops_the_pair_of_another_tab(server, script, adapter_id):
    script.answers, script.pause = dict.fromkeys(Side, "a b c d e"), 0.05
    running = ask(adapter_id)
    next(running)
    playground.stop(event(side=""), asks("trainer", tab="other"))
    *_, (shown, *_) = running
    assert [side["ending"] for side in shown["sides"]] == ["ended by itself"] * 2


def test_stopping_while_the_server_starts_keeps_nothing(adapter_id, project_id):
    running = ask(adapter_id)
    next(running)
    assert "Starting the model server" in next(running)[0]["phase"]
    playground.stop(event(side=""), asks())
    *_, (shown, button, *_) = running
    assert shown["stage"] == "done"
    assert button["interactive"] is True
    with read() as session:
        assert comparisons.list_comparisons(session, project_id) == []


def test_leaving_the_page_stops_both_answers(server, script, adapter_id):
    script.answers, script.pause = dict.fromkeys(Side, "word " * 500), 0.05
    running = ask(adapter_id)
    while not any(texts(next(running)[0]).values()):
        pass
    running.close()
    for thread in threading.enumerate():
        if thread.name == "pair-stop":
            thread.join(timeout=5)
    assert [stop["side"] for stop in script.stops] == [None]


def test_prompts_and_answers_are_neither_logged_nor_audited(server, adapter_id, caplog):
    with caplog.at_level(logging.DEBUG):
        list(ask(adapter_id))
    with read() as session:
        lines = str([line.detail for line in audit.list_lines(session)])
    for secret in (INSTRUCTION, INPUT, "It is red."):
        assert secret not in caplog.text
        assert secret not in lines
