"""The question before typing, the warning before sending, what sides were measured at: as pages show them."""

import gradio as gr
import pytest

from bioui import gate
from bioui.components.acknowledgement import acknowledge, require_acknowledged, show_acknowledgement
from bioui.components.privacy_warning import NO_WARNING, warning_value
from bioui.measured import measured_lines
from db import users
from db.compare_spec import SideSpec
from db.enums import Category
from db.policy import PolicyError
from db.prompt_privacy import look
from db.session import read, write
from tests.db.evaluated import evaluate, make_setting


def request_from(actor) -> gr.Request:
    """A handler's request from a new login of that person."""
    with write() as session:
        token = users.open_session(session, users.get_user(session, actor.id))
    return gr.Request(username=actor.username, query_params={}, cookies={gate.COOKIE: token})


def test_the_question_goes_once_it_is_answered(people, project_id):
    request = request_from(people.clinician)
    assert show_acknowledgement(project_id, request)["asks"]
    with read() as session, pytest.raises(PolicyError, match="Say first"):
        require_acknowledged(session, request)
    assert not acknowledge(request)["asks"]
    with read() as session:
        require_acknowledged(session, request)
    assert "just now" in show_acknowledgement(project_id, request)["said"]
    with pytest.raises(PolicyError, match="You may not"):
        acknowledge(request_from(people.author))


def test_a_request_without_a_login_session_is_refused(people, project_id):
    request = gr.Request(username="clinician", query_params={})
    assert show_acknowledgement(project_id, request)["asks"]
    with pytest.raises(PolicyError, match="session has ended"):
        acknowledge(request)


def test_the_warning_names_each_place_and_what_was_not_looked_for():
    assert warning_value(look({"input": "A 60-year-old man."})) == NO_WARNING
    shown = warning_value(look({"system prompt": "Dated 12 March 1950."}))
    assert shown["title"] == "1 place in this prompt may tell who a person is"
    (found,) = shown["findings"]
    assert found["slug"] == "system-prompt"
    assert found["sentence"].startswith("System prompt, characters ")
    assert "names of people" in shown["not_checked"]


def test_each_side_says_what_it_was_measured_at(people, project_id):
    setting = make_setting(people, project_id)
    base, adapter = SideSpec(base_model_id=setting.base_id), SideSpec(adapter_id=setting.adapter_id)
    step = SideSpec(adapter_id=setting.adapter_id, step=40)
    with read() as session:
        unmeasured = measured_lines(session, project_id, [base, step])
    assert [lines[0]["text"] for lines in unmeasured] == ["Not measured yet.", "Step 40 was not measured."]
    assert unmeasured[0][0]["href"] == f"/evaluate?project={project_id}"
    evaluate(setting, [True] * 6 + [False] * 6, adapter=True)
    with read() as session:
        sides = [base, adapter, step, SideSpec(endpoint_id=1)]
        lines = measured_lines(session, project_id, sides, category=Category.QA)
        (other,) = measured_lines(session, project_id, [adapter], category=Category.IE)
    assert lines[0][0]["text"] == "Not measured yet."
    (own,) = lines[1]
    assert own["text"].startswith("On Letters")
    assert ": 50 % right (" in own["text"]
    assert own["help"].startswith("95 % interval by bootstrap over documents; 12 rows")
    assert [line["text"] for line in lines[2]] == [
        "Step 40 was not measured. The finished adapter was:", own["text"],
    ]  # fmt: skip
    assert "own models only" in lines[3][0]["text"]
    assert other[0]["text"].startswith("Not measured on such prompts. On Letters")
