"""The playground around the pair: opening the page, prompts on the desk, votes."""

import pytest

from bioui.components import desk as desk_handlers
from bioui.components import voting
from bioui.components.desk import Desk
from bioui.pages import playground
from db import comparisons
from db.enums import Choice
from db.session import read
from tests.bioui.playground.conftest import INPUT, INSTRUCTION, ask, asks, event

# opening the page -----------------------------------------------------------------------------------


def test_the_page_opens_with_an_adapter_and_a_prompt_ready_for_one_press(adapter_id, prompt_id, project_id):
    adapter, desk_row, empty = playground.show_adapters(project_id, asks())
    assert adapter["value"] == adapter_id
    assert adapter["choices"][0][0].startswith("copier · base tiny · ")
    assert desk_row["visible"] is True
    assert empty == {"empty": {}}
    desk, instruction, input, note, shelf = desk_handlers.show_desk(project_id, asks())
    assert (desk.prompt_id, instruction, input) == (prompt_id, INSTRUCTION, INPUT)
    assert note["watch_for"] == "It is red."
    assert shelf["groups"][0]["prompts"][0]["current"] is True


def test_opening_the_page_starts_the_model_server_ahead_of_need(adapter_id, project_id):
    playground.show_adapters(project_id, asks())
    assert playground.launch._process is not None


@pytest.mark.parametrize(("who", "link"), [("trainer", "Train an adapter"), ("clinician", "")])
def test_without_adapters_the_next_step_is_shown(project_id, who, link):
    _, desk_row, shown = playground.show_adapters(project_id, asks(who))
    assert desk_row["visible"] is False
    assert shown["empty"]["title"] == "No adapter to compare yet."
    assert shown["empty"]["link"] == link
    assert playground.launch._process is None


def test_the_adapter_in_the_link_is_chosen(adapter_id, project_id):
    adapter, *_ = playground.show_adapters(project_id, asks(adapter=adapter_id))
    assert adapter["value"] == adapter_id


# the desk -------------------------------------------------------------------------------------------


def test_picking_a_prompt_lays_typed_text_aside_and_gives_it_back(adapter_id, prompt_id, project_id):
    picked, instruction, *_, note, _ = desk_handlers.pick_prompt(
        project_id, Desk(), "My own question", "", event(id=prompt_id), asks()
    )
    assert instruction == INSTRUCTION
    assert note["replaced"] is True
    back, instruction, input, note, _ = desk_handlers.put_back(project_id, picked, asks())
    assert (back.prompt_id, instruction, input) == (0, "My own question", "")
    assert note["replaced"] is False


def test_picking_another_prompt_without_typing_lays_nothing_aside(prompt_id, project_id):
    desk = Desk(9, "Another", "prompt")
    *_, note, _ = desk_handlers.pick_prompt(
        project_id, desk, "Another", "prompt", event(id=prompt_id), asks()
    )
    assert note["replaced"] is False


def test_a_changed_prompt_counts_as_ones_own(server, adapter_id, prompt_id):
    desk = Desk(prompt_id, INSTRUCTION, INPUT)
    *_, (_, _, as_it_was, _) = ask(adapter_id, desk=desk)
    *_, (_, _, changed, _) = ask(adapter_id, desk=desk, input="The apple is green.")
    with read() as session:
        assert comparisons.get_comparison(session, as_it_was).prompt_id == prompt_id
        assert comparisons.get_comparison(session, changed).prompt_id is None


def test_asking_again_brings_prompt_and_settings_back(server, adapter_id, project_id):
    *_, (_, _, comparison_id, _) = ask(adapter_id, longest=77)
    desk, instruction, input, *_ = desk_handlers.ask_again(
        project_id, comparison_id, Desk(), "half a thought", "", asks()
    )
    assert (instruction, input) == (INSTRUCTION, INPUT)
    assert desk.replaced == ("half a thought", "")
    assert desk_handlers.settings_again(project_id, comparison_id, asks()) == (adapter_id, 77, 0.0, 0)


# votes ----------------------------------------------------------------------------------------------


def test_voting_again_replaces_the_vote(server, adapter_id, project_id):
    *_, (_, _, comparison_id, _) = ask(adapter_id)
    voting.cast_vote(project_id, comparison_id, "", "", event(choice="base"), asks())
    bar, recent = voting.cast_vote(project_id, comparison_id, "It is green.", "", event(choice="tie"), asks())
    assert [choice["pressed"] for choice in bar["choices"]] == ["false", "false", "true", "false"]
    assert recent["rows"][0]["cells"][2]["text"] == "Equally good"
    _, corrected, *_ = voting.show_vote(project_id, comparison_id, asks())
    assert corrected == "It is green."
    bar, *_ = voting.show_vote(project_id, comparison_id, asks("trainer"))
    assert bar["said"] == ""


def test_a_note_needs_a_vote_and_is_kept_with_it(server, adapter_id, project_id, people):
    *_, (_, _, comparison_id, _) = ask(adapter_id)
    with pytest.raises(ValueError, match="^vote: say first"):
        voting.save_note(project_id, comparison_id, "", "Too short.", asks())
    voting.cast_vote(project_id, comparison_id, "", "", event(choice="tuned"), asks())
    voting.save_note(project_id, comparison_id, "", "Too short.", asks())
    with read() as session:
        vote = comparisons.get_vote(session, people.clinician, comparison_id)
        assert (vote.choice, vote.comment) == (Choice.TUNED, "Too short.")


def test_a_vote_for_nothing_we_know_is_refused(server, adapter_id, project_id):
    *_, (_, _, comparison_id, _) = ask(adapter_id)
    with pytest.raises(ValueError, match="^vote: choose"):
        voting.cast_vote(project_id, comparison_id, "", "", event(choice="left"), asks())
