"""The playground around the answers: opening the page, prompts on the desk, conversations."""

import pytest

from bioui.components.desk import Desk, Typed, desk_values
from bioui.pages import playground
from bioui.shown import Shown
from db import comparisons, prompts
from db.session import read, write
from tests.bioui.playground.conftest import (
    BASE,
    INPUT,
    INSTRUCTION,
    TUNED,
    add_adapter,
    ask,
    asked,
    asks,
    event,
    texts,
)

# What `show_desk` fills, in its order.
SHOWN, ANSWERS, TALK, _, DESK, SYSTEM, TEXT, INPUT_TEXT, NOTE, _, LONGEST, _, _, CHOSEN = range(14)


def opened(project_id: int, **query) -> tuple:
    return playground.show_desk(project_id, asks(**query))


# opening the page -----------------------------------------------------------------------------------


def test_the_page_opens_with_a_base_its_adapter_and_a_prompt_ready_for_one_press(
    adapter_id, version_id, project_id
):
    desk_row, empty, note = playground.show_page(project_id, asks())
    assert desk_row["visible"] is True
    assert (empty, note) == ({"empty": {}}, "")
    page = opened(project_id)
    assert page[CHOSEN]["value"] == ["base:1", "adapter:1"]
    assert page[CHOSEN]["choices"][0][0].startswith("copier · on tiny · ")
    assert (page[DESK].version_id, page[TEXT], page[INPUT_TEXT]) == (version_id, INSTRUCTION, INPUT)
    assert page[NOTE]["watch_for"] == "It is red."
    assert (page[SHOWN].comparison_id, page[ANSWERS]["stage"]) == (0, "empty")


def test_opening_the_page_starts_the_model_server_ahead_of_need(adapter_id, project_id):
    playground.show_page(project_id, asks())
    assert playground.launch._process is not None


@pytest.mark.parametrize(("who", "link"), [("trainer", "Train an adapter"), ("clinician", "")])
def test_without_adapters_the_next_step_is_shown(project_id, who, link):
    desk_row, shown, _ = playground.show_page(project_id, asks(who))
    assert desk_row["visible"] is False
    assert shown["empty"]["title"] == "No adapter to compare yet."
    assert shown["empty"]["link"] == link
    assert playground.launch._process is None


def test_links_choose_the_adapter_and_the_prompt(adapter_id, version_id, project_id, people):
    other = add_adapter(project_id, "other")
    draft = prompts.PromptDraft(title="Pears", category="QA", instruction="Which colour is the pear?")
    with write() as session:
        pear = prompts.add(session, people.trainer, project_id, draft)
        session.flush()
        pear_id = pear.prompt_id
    page = opened(project_id, adapter=adapter_id, prompt=pear_id)
    assert page[CHOSEN]["value"] == ["base:1", f"adapter:{adapter_id}"] != ["base:1", f"adapter:{other}"]
    assert page[TEXT] == "Which colour is the pear?"


def test_a_link_shows_a_stored_comparison_again(server, adapter_id, project_id):
    last = asked(longest=77, system="Be brief.")
    page = opened(project_id, comparison=last.shown.comparison_id)
    assert page[SHOWN].comparison_id == last.shown.comparison_id
    assert texts(page[ANSWERS]) == [BASE, TUNED]
    assert page[ANSWERS]["columns"] == last.answers["columns"]
    assert page[ANSWERS]["link"] == f"/playground?project={project_id}&comparison={page[SHOWN].comparison_id}"
    assert (page[SYSTEM], page[TEXT], page[LONGEST]) == ("Be brief.", INSTRUCTION, 77)
    assert page[CHOSEN]["value"] == ["base:1", "adapter:1"]
    with pytest.raises(LookupError, match="in this project"):
        opened(project_id + 1, comparison=page[SHOWN].comparison_id)


# the desk -------------------------------------------------------------------------------------------


def test_picking_a_prompt_lays_typed_text_aside_and_gives_it_back(adapter_id, version_id, project_id):
    _, desk, _, instruction, _, note, _ = playground.pick_prompt(
        project_id, Desk(), "", "My own question", "", event(id=version_id), asks()
    )
    assert instruction == INSTRUCTION
    assert note["replaced"] is True
    back, _, instruction, input, note, _ = playground.put_back(project_id, desk, asks())
    assert (back.version_id, instruction, input) == (0, "My own question", "")
    assert note["replaced"] is False


def test_picking_another_prompt_without_typing_lays_nothing_aside(version_id, project_id):
    desk = Desk(9, Typed("", "Another", "prompt"))
    *_, note, _ = playground.pick_prompt(
        project_id, desk, "", "Another", "prompt", event(id=version_id), asks()
    )
    assert note["replaced"] is False


def test_a_changed_prompt_counts_as_ones_own(server, adapter_id, version_id, project_id):
    desk = Desk(version_id, Typed("", INSTRUCTION, INPUT))
    as_it_was = asked(desk=desk).shown.comparison_id
    changed = asked(desk=desk, input="The apple is green.").shown.comparison_id
    with read() as session:
        assert comparisons.get(session, project_id, as_it_was).prompt_version_id == version_id
        assert comparisons.get(session, project_id, changed).prompt_version_id is None


# conversations --------------------------------------------------------------------------------------


def follow(project_id: int, shown: Shown, desk: Desk = Desk(), typed: str = INSTRUCTION) -> tuple[Desk, dict]:
    """The desk for the next turn, and the conversation."""
    talk, _, desk, *_ = playground.follow_up(project_id, shown, desk, "", typed, INPUT, asks())
    return desk, talk


def test_each_side_goes_on_from_its_own_answers(server, script, adapter_id, project_id):
    first = asked().shown
    desk, talk = follow(project_id, first)
    assert (desk.follows_id, desk.picked.instruction, desk.replaced) == (first.comparison_id, "", None)
    assert [answer["text"] for answer in talk["turns"][0]["answers"]] == [BASE, TUNED]
    second = asked(desk=desk, instruction="Are you sure?", input="").shown
    said = [[message["content"] for message in messages] for messages in script.asked[-1]["messages"]]
    prompt = f"{INSTRUCTION}\n\n{INPUT}"
    assert said == [[prompt, BASE, "Are you sure?"], [prompt, TUNED, "Are you sure?"]]
    with read() as session:
        turn = comparisons.get(session, project_id, second.comparison_id)
        assert turn.follows_id == first.comparison_id


def test_a_conversation_goes_on_with_the_sides_it_began_with(server, adapter_id, project_id):
    desk, _ = follow(project_id, asked().shown)
    with pytest.raises(ValueError, match="^sides: a conversation goes on with the sides"):
        next(ask(desk=desk, sides=("base:1",)))
    turned = asked(desk=desk, sides=("adapter:1", "base:1"), instruction="And now?")
    assert texts(turned.answers) == [BASE, TUNED]


def test_an_earlier_turn_edited_and_sent_again_makes_a_branch(server, adapter_id, project_id):
    first = asked().shown
    desk, _ = follow(project_id, first)
    second = asked(desk=desk, instruction="Are you sure?").shown
    desk, talk = follow(project_id, second, desk, "Are you sure?")
    assert [turn["asked"].splitlines()[0] for turn in talk["turns"]] == [INSTRUCTION, "Are you sure?"]

    page = playground.edit_turn(project_id, desk, "", "", "", event(turn=1), asks())
    desk = page[DESK]
    assert (desk.follows_id, page[TEXT]) == (first.comparison_id, "Are you sure?")
    assert len(page[TALK]["turns"]) == 1
    branch = asked(desk=desk, instruction="Are you very sure?").shown
    with read() as session:
        turns = comparisons.turns_of(session, comparisons.get(session, project_id, branch.comparison_id))
        assert [turn.id for turn in turns] == [first.comparison_id, branch.comparison_id]
        assert second.comparison_id not in [turn.id for turn in turns]


def test_a_new_conversation_begins_on_a_blank_page_and_loses_no_text(server, adapter_id, project_id):
    desk, _ = follow(project_id, asked().shown)
    shown, answers, talk, _, desk, _, instruction, _, note, _ = playground.begin_anew(
        project_id, desk, "", "Half a question", "", asks()
    )
    assert (shown.comparison_id, answers["stage"], talk["turns"], instruction) == (0, "empty", [], "")
    assert (desk.follows_id, note["replaced"]) == (0, True)
    with read() as session:
        assert desk_values(session, project_id, desk)[0].replaced.instruction == "Half a question"


def test_a_turn_that_is_not_there_is_refused(server, adapter_id, project_id):
    desk, _ = follow(project_id, asked().shown)
    with pytest.raises(ValueError, match="no such turn"):
        playground.edit_turn(project_id, desk, "", "", "", event(turn=7), asks())
