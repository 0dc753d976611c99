"""A stored comparison asked again: whether each side says the same, and what has changed since."""

import pytest

from bioui import replaying
from bioui.components import sending
from db import registry
from db.session import write
from tests.bioui.playground.conftest import BASE, TUNED, asked, asks, event, followed, step_of
from tests.bioui.scripted_model_server import provenance


def replayed(project_id: int, shown, **pressed) -> list[sending.Step]:
    seen, error = followed(sending.replay(project_id, shown, event(**pressed), asks()))
    assert error is None
    return seen


def notes(step: sending.Step) -> list[str]:
    return [column["note"] for column in step.answers["columns"]]


def test_the_same_is_asked_again_and_the_same_text_is_said_to_be_so(server, script, adapter_id, project_id):
    shown = asked(longest=33, system="Be brief.").shown
    seen = replayed(project_id, shown)
    assert notes(seen[0]) == ["Asking again."] * 2
    assert notes(seen[-1]) == ["Replayed: the same text."] * 2
    first, again = ({**one, "request_id": ""} for one in script.asked)
    assert again == first
    assert len(script.asked) == 2


def test_another_text_is_told_beneath_its_column_and_the_stored_one_stays(
    server, script, adapter_id, project_id
):
    shown = asked().shown
    script.answers["tuned"] = "It is green."
    last = replayed(project_id, shown)[-1]
    assert [column["text"] for column in last.answers["columns"]] == [BASE, TUNED]
    assert notes(last)[0] == "Replayed: the same text."
    assert notes(last)[1].startswith("Replayed: another text, though weights")
    only = replayed(project_id, shown, position=1)[-1]
    assert [bool(note) for note in notes(only)] == [False, True]


def test_a_side_that_is_gone_and_a_server_that_fails_are_told(server, script, adapter_id, project_id, people):
    shown = asked().shown
    script.hangs_up = True
    last = replayed(project_id, shown)[-1]
    assert "ended before" in last.failure["sentences"][0]
    assert last.button["interactive"] is True
    with write() as session:
        registry.delete_adapter(session, people.trainer, adapter_id)
    with pytest.raises(LookupError, match="no adapter number"):
        step_of(next(sending.replay(project_id, shown, event(), asks())))


def test_what_changed_is_named():
    before = provenance("tuned")
    after = {
        **before,
        "base": {"name": "tiny", "revision": "e" * 64},
        "template_hash": "f" * 64,
        "packages": {"python": "3.11", "torch": "2.14.0", "peft": "0.21.2"},
    }
    named = replaying.changes(before, after)
    assert named == ["the base's weights", "the chat template", "torch 2.13.0 to 2.14.0"]
    assert replaying.changes(before, before) == []
    assert replaying.changes({}, after) == []
