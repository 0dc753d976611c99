"""Remarks on a page: threads, and the passages that they are about, selected and marked in real text."""

from collections.abc import Iterator
from dataclasses import dataclass, replace

import gradio as gr
import pytest
from playwright.sync_api import Page, expect

from bioui.components import remarks as page_remarks
from bioui.components.frame import page_frame
from bioui.components.remarks import remarks, remarks_value, span_as_read, span_as_stored
from bioui.components.view import View
from bioui.handling import needs
from db import instructions
from db import remarks as threads
from db.content import Content, content_of
from db.policy import Right
from db.session import read, write
from tests.bioui.conftest import request_of
from tests.bioui.served import served, tab

INPUT = "A 🩺 note.\r\nNa 128 mmol/L, <b>K 4.1</b> ${window.ran=1} \\alpha.\r\nStable & well."
NASTY = "<img src=x onerror='window.ran=2'> ${window.ran=3} {{value.id}} `x` \\u"


@dataclass(frozen=True)
class Open:
    """What a page has open."""

    project_id: int = 0
    id: int = 0
    version: int = 0


@pytest.fixture
def record(people, project_id) -> Open:
    content = Content("What does the 🩺 note say?", input=INPUT, output="Low sodium.", task="qa")
    with write() as session:
        return Open(
            project_id, instructions.create_instruction(session, people.author, project_id, content).id, 1
        )


def value(record, actor) -> dict:
    with read() as session:
        return remarks_value(session, record.project_id, record.id, actor, version=record.version)


def send(handler, open_record, actor, **data) -> dict:
    return handler(open_record, gr.EventData(None, data), request_of(actor))


def poll(open_record, mark, actor):
    return page_remarks.poll(open_record, mark, request_of(actor))


def add(record, actor, body="Sure?", **data) -> int:
    given = {"record": record.id, "version": 1, "body": body, "box": "new", **data}
    return send(page_remarks.add, record, actor, **given)["said"]


def as_browser(text: str) -> str:
    return text.replace("\r\n", "\n")


def test_a_browser_counts_one_character_where_a_line_ends_in_two():
    for quote in ("128", "K 4.1", "Stable", "note.\r\nNa"):
        start = INPUT.index(quote)
        stored = (start, start + len(quote))
        there = span_as_read(INPUT, stored)
        assert as_browser(INPUT)[slice(*there)] == as_browser(quote)
        assert span_as_stored(INPUT, there) == stored
    assert span_as_stored(INPUT, (0, 9_999))[1] > len(INPUT)


def test_a_remark_on_a_selected_passage_is_kept_with_its_stored_place(people, record):
    start = as_browser(INPUT).index("128")
    added = add(record, people.reviewer, field="input", span=[start, start + 3], quote="128")
    with read() as session:
        [told] = threads.list_remarks(session, record.id, people.author)
    assert INPUT[slice(*told.span)] == told.quote == "128"
    shown = value(record, people.author)
    assert shown["marks"] == [{"id": added, "field": "input", "span": (start, start + 3)}]
    assert (shown["open"][0]["about"], shown["open"][0]["quote"], shown["told"]) == (
        "Input",
        "128",
        "1 open remark",
    )


def test_a_passage_that_does_not_read_as_quoted_is_refused(people, record):
    with pytest.raises(ValueError, match="^passage:"):
        add(record, people.reviewer, field="input", span=[0, 3], quote="128")
    with pytest.raises(ValueError, match="^span:"):
        add(record, people.reviewer, field="input", span=[0, 99_999], quote=as_browser(INPUT))
    assert value(record, people.author)["open"] == []


def test_a_changed_passage_says_so_and_is_not_marked(people, record):
    start = as_browser(INPUT).index("128")
    add(record, people.reviewer, field="input", span=[start, start + 3], quote="128")
    with write() as session:
        stored = instructions.get_instruction(session, record.id)
        changed = replace(content_of(stored), input=INPUT.replace("128", "129"))
        instructions.edit_instruction(session, people.author, record.id, changed, version=1)
    shown = value(replace(record, version=2), people.author)
    assert shown["marks"] == []
    assert shown["open"][0]["outdated"] == "It was about version 1; this is version 2."


def test_a_thread_is_answered_resolved_and_reopened(people, record):
    first = add(record, people.reviewer)
    shown = send(
        page_remarks.reply,
        record,
        people.author,
        record=record.id,
        remark=first,
        body="Yes.",
        box=f"reply-{first}",
    )
    assert [said["body"] for said in shown["open"][0]["said"]] == ["Sure?", "Yes."]
    assert (shown["done"], shown["said"]) == (f"reply-{first}", first)
    shown = send(page_remarks.close, record, people.author, record=record.id, remark=first, resolved=True)
    assert (shown["open"], shown["closed"][0]["close_word"], shown["closed_told"]) == (
        [],
        "Reopen",
        "1 resolved",
    )
    assert shown["closed"][0]["resolved"] == "Resolved by Author, just now"
    shown = send(page_remarks.close, record, people.author, record=record.id, remark=first, resolved=False)
    assert [thread["id"] for thread in shown["open"]] == [first]
    assert value(record, people.clinician)["open"][0]["can_close"] is False


def test_a_remark_on_another_projects_record_or_on_none_is_refused(people, record):
    other = replace(record, project_id=record.project_id + 1)
    first = add(record, people.reviewer)
    for sent in ((other, {"record": record.id}), (None, {"record": record.id}), (record, {"id": 1})):
        with pytest.raises(LookupError):
            send(page_remarks.add, sent[0], people.author, body="Hm.", **sent[1])
    with pytest.raises(LookupError):
        send(page_remarks.reply, other, people.author, record=record.id, remark=first, body="Hm.")
    for bad in ({"record": "1"}, {"record": -1}, {"record": 2**60}):
        with pytest.raises(ValueError, match="^remark:"):
            send(page_remarks.add, record, people.author, body="Hm.", **bad)
    assert len(value(record, people.author)["open"]) == 1
    assert page_remarks.show(None, request_of(people.author)) == page_remarks.NO_REMARKS


def test_a_poll_answers_nothing_until_somebody_said_something(people, record):
    shown, mark = poll(record, page_remarks.Mark(), people.author)
    assert (shown["open"], poll(record, mark, people.author)) == ([], gr.skip())
    first = add(record, people.reviewer)
    shown, mark = poll(record, mark, people.author)
    assert (shown["told"], shown["said"], shown["done"]) == ("1 open remark", 0, "")
    for told in ({"resolved": True}, {"resolved": False}):
        send(page_remarks.close, record, people.reviewer, record=record.id, remark=first, **told)
        _, mark = poll(record, mark, people.author)
        assert poll(record, mark, people.author) == gr.skip()
    shown, mark = poll(Open(), mark, people.author)
    assert (shown, mark) == (page_remarks.NO_REMARKS, page_remarks.Mark())


def test_a_poll_of_a_record_that_was_deleted_leaves_the_page_alone(people, record):
    with write() as session:
        instructions.delete_instruction(session, people.author, record.id)
    assert poll(record, page_remarks.Mark(record.id, "earlier"), people.author) == gr.skip()


# In Chromium ------------------------------------------------------------------------------------------

PASSAGES = """{{#if value.id}}<article data-id="{{value.id}}"><h3>Instruction</h3>
<p class="reading" data-remark-field="instruction">{{value.instruction}}</p><h3>Input</h3>
<p class="reading" data-remark-field="input">{{value.input}}</p></article>{{/if}}"""


@needs(Right.READ)
def open_first(project_id: int, request: gr.Request):
    with read() as session:
        stored = instructions.get_instruction(session, 1)
        texts = {"id": stored.id, "instruction": stored.instruction, "input": stored.input}
        return texts, Open(project_id, stored.id, stored.version)


def build() -> None:
    page = page_frame("Read", "One record and what is said of it.")
    with gr.Row(elem_classes="split"):
        with gr.Column(scale=6):
            text_html = View(PASSAGES, {"id": 0})
        with gr.Column(scale=5, elem_classes="pane"):
            record_state = gr.State(Open())
            remarks(page, record_state)
    page.on_load(open_first, [text_html, record_state])


@pytest.fixture(scope="module")
def address() -> Iterator[str]:
    with served(build) as url:
        yield url


@pytest.fixture
def page(address, people, record, browser) -> Iterator[Page]:
    with tab(browser, address, "reviewer") as opened:
        yield opened


SELECT = """([field, quote]) => {
  const passage = document.querySelector(`[data-remark-field=${field}]`);
  const node = passage.firstChild, start = node.data.indexOf(quote);
  document.getSelection().setBaseAndExtent(node, start, node, start + quote.length);
}"""
MARKED = "() => [...(CSS.highlights.get('studio-remark') || [])].map(String)"


def select_text(page: Page, field: str, quote: str) -> None:
    expect(page.locator(f"[data-remark-field={field}]")).to_contain_text(quote)
    expect(page.locator(".remarks")).to_be_visible()
    page.evaluate(SELECT, [field, quote])


def expect_marked(page: Page, *quotes: str) -> None:
    page.wait_for_function(
        f"(wanted) => JSON.stringify(({MARKED})()) === JSON.stringify(wanted)", arg=list(quotes)
    )


def stored(record) -> list[threads.Remark]:
    with read() as session:
        return threads.list_remarks(session, record.id)


def test_a_passage_behind_an_emoji_and_a_line_break_is_selected_remarked_on_and_marked(page, record):
    page.goto("/")
    select_text(page, "input", "<b>K 4.1</b>")
    page.get_by_role("button", name="Remark on this").click()
    box = page.get_by_label("New remark", exact=True)
    expect(box).to_be_focused()
    expect(page.locator("[data-about-quote]")).to_have_text("<b>K 4.1</b>")
    box.fill(NASTY)
    box.press("Control+Enter")
    expect(page.locator(".thread-body")).to_have_text(NASTY)
    [told] = stored(record)
    assert (told.quote, INPUT[slice(*told.span)], told.field) == ("<b>K 4.1</b>", "<b>K 4.1</b>", "input")
    expect_marked(page, "<b>K 4.1</b>")
    expect(box).to_have_value("")
    expect(page.locator("[data-about]")).to_be_hidden()
    assert page.evaluate("window.ran") is None


def test_with_the_keyboard_m_takes_the_selection_and_a_click_on_a_mark_opens_its_thread(page, record):
    page.goto("/")
    select_text(page, "instruction", "🩺 note")
    page.keyboard.press("m")
    page.get_by_label("New remark", exact=True).fill("Which note?")
    page.get_by_role("button", name="Add remark").click()
    expect_marked(page, "🩺 note")
    place = page.evaluate(
        "() => { const at = [...CSS.highlights.get('studio-remark')][0].getBoundingClientRect();"
        " return [at.x + at.width / 2, at.y + at.height / 2] }"
    )
    page.mouse.click(*place)
    expect(page.locator(f"#remark-{stored(record)[0].first.id}")).to_be_focused()
    page.keyboard.press("m")  # with nothing selected: a remark on the whole record
    expect(page.get_by_label("New remark", exact=True)).to_be_focused()
    expect(page.locator("[data-new] select")).to_have_value("")


def test_what_is_typed_elsewhere_survives_an_action_and_a_refusal_keeps_what_was_typed(page, people, record):
    first, second = add(record, people.author, "First."), add(record, people.author, "Second.")
    page.goto("/")
    page.get_by_label(f"Reply to remark {second}").fill("Half a tho")
    page.get_by_label("New remark", exact=True).fill("x" * 10_001)
    page.get_by_role("button", name="Add remark").click()
    expect(page.get_by_role("alert")).to_contain_text("10,001 characters")
    expect(page.get_by_label("New remark", exact=True)).to_have_value("x" * 10_001)
    page.locator(f"#remark-{first}").get_by_role("button", name="Resolve").click()
    expect(page.locator(".threads-closed summary")).to_have_text("1 resolved")
    expect(page.get_by_label(f"Reply to remark {second}")).to_have_value("Half a tho")
    expect(page.get_by_label("New remark", exact=True)).to_have_value("x" * 10_001)
    page.get_by_label(f"Reply to remark {second}").fill("Half a thought.")
    page.locator(f"#remark-{second}").get_by_role("button", name="Reply", exact=True).click()
    expect(page.locator(f"#remark-{second} .thread-body").last).to_have_text("Half a thought.")
    expect(page.get_by_label(f"Reply to remark {second}")).to_have_value("")


def test_a_link_to_a_resolved_thread_unfolds_and_shows_it(page, people, record):
    first = add(record, people.author, "Done with.")
    send(page_remarks.close, record, people.author, record=record.id, remark=first, resolved=True)
    page.goto(f"/#remark-{first}")
    expect(page.locator(f"#remark-{first}")).to_be_visible()
    expect(page.locator(f"#remark-{first}")).to_be_focused()


def test_what_another_says_appears_by_itself_around_what_one_is_typing(page, people, record):
    first = add(record, people.author, "First.\n" * 60)  # so that the page scrolls
    page.add_init_script(
        "addEventListener('DOMContentLoaded', () => { document.body.dataset.remarksEvery = 300; })"
    )
    page.goto("/")
    box = page.get_by_label("New remark", exact=True)
    box.fill("Half a thought")
    box.evaluate("(box) => { box.setSelectionRange(5, 6); window.scrollTo(0, 9999); }")
    stands = box.bounding_box()["y"]
    send(page_remarks.reply, record, people.reviewer, record=record.id, remark=first, body="Seen.", box="x")
    add(record, people.author, "Second.\n" * 8)
    expect(page.locator(".remarks-head")).to_have_text("2 open remarks")
    expect(page.locator(f"#remark-{first}")).to_contain_text("Seen.")
    expect(box).to_be_focused()
    expect(box).to_have_value("Half a thought")
    assert box.evaluate("(box) => [box.selectionStart, box.selectionEnd]") == [5, 6]
    assert abs(box.bounding_box()["y"] - stands) < 2
    page.keyboard.type("A")
    expect(box).to_have_value("Half A thought")
