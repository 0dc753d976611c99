"""A generation run in a real browser, with the real worker and an endpoint that answers as a script says."""

import json
import re
from collections.abc import Callable, Iterator

import pytest
from playwright.sync_api import Locator, Page, expect

from db import endpoints, users
from db.endpoints import Offer
from db.enums import Role
from db.session import connect, write
from tests.e2e.conftest import log_in, open_page
from tests.scripted_endpoint import ScriptedEndpoint, rows_for

SLOW = 60_000  # milliseconds; a worker's child starts on two busy cores
HOSTILE = "<img src=x onerror=\"document.title='broken'\"> ${document.title='broken'} `x`"


def reply(key: str, count: int) -> str:
    """Invented rows, of which the first is too short; around them what no page may take for markup."""
    first, *others = rows_for(key, count)
    first["instruction"] = "Why?"
    return f"{HOSTILE}\n{json.dumps({'instructions': [first, *others]})}"


def draft(endpoint: ScriptedEndpoint) -> Callable[[str, int], str]:
    """A writer of two records on the passage of a request: one in its words, one that it does not support."""

    def write(key: str, count: int) -> str:
        asked = next(one for one in endpoint.received if one.key == key).body["messages"][-1]["content"]
        after = asked.partition("The passage, as a JSON string")[2].partition("\n\n")[2]
        passage, _ = json.JSONDecoder().raw_decode(after)
        true, false = rows_for(key, 2)
        true["output"] = re.split(r"(?<=[.!?])\s|\n", passage.strip())[0]
        return json.dumps({"instructions": [true, false]})

    return write


@pytest.fixture(scope="module")
def endpoint() -> Iterator[ScriptedEndpoint]:
    with ScriptedEndpoint(latency=2.0, write=reply) as scripted:
        yield scripted


@pytest.fixture(scope="module")
def cookie(studio, endpoint) -> dict:
    """The log-in of a reviewer, in a studio whose admin has added the endpoint."""
    cookies = log_in(studio, ("ravi", "Ravi Menon", [Role.REVIEWER]))
    engine = connect(f"sqlite:///{studio.data_dir}/studio.db")
    with write() as session:
        offer = Offer("Scripted", endpoint.url, "invented", price_in=2.5, price_out=10.0, concurrency=2)
        endpoints.add(session, users.get_actor(session, "admin"), offer, private=True)
    engine.dispose()
    return cookies["ravi"]


@pytest.fixture
def visit(browser, studio, cookie) -> Callable[..., Page]:
    def enter(path: str, **options) -> Page:
        page = open_page(browser, studio, **options)
        page.context.add_cookies([cookie])
        page.goto(path, timeout=SLOW)
        expect(page.locator(".person-name")).to_be_attached()
        return page

    return enter


def number_in(text: str) -> int:
    return int(re.search(r"[\d,]+", text).group().replace(",", ""))


def kept(page: Page) -> int:
    return number_in(page.locator(".funnel-kept .funnel-count").first.inner_text())


def figure(page: Page, name: str) -> Locator:
    return page.locator(".tally > div").filter(has=page.locator("dt", has_text=re.compile(f"^{name}$")))


def test_a_run_is_started_watched_paused_resumed_and_its_records_reviewed(visit, endpoint, screenshots):
    page = visit("/generate")
    page.locator("#new-run-btn").click()
    prompt = page.locator(".prompt-preview")
    expect(prompt.get_by_role("heading", name="The prompt of draw 1")).to_be_visible()
    first = prompt.locator("pre").last.inner_text()
    page.locator("#another-btn").click()
    expect(prompt.get_by_role("heading", name="The prompt of draw 2")).to_be_visible()
    assert prompt.locator("pre").last.inner_text() != first
    page.locator("#field-name input, #field-name textarea").fill("First growth")
    page.locator("#field-target input").fill("40")
    page.locator("#field-budget-money input").fill("3")
    expect(prompt).to_contain_text("8 to 24")
    page.locator("#start-btn").dblclick()

    expect(page.locator("#run-pane h2")).to_have_text("First growth")
    expect(page).to_have_url(re.compile(r"[?&]run=\d+"))
    expect(page.locator(".funnel-kept .funnel-count").first).to_be_visible(timeout=SLOW)
    page.locator("#pause-btn").click()
    expect(page.locator("#run-pane .pane-head .chip")).to_have_text("Paused", timeout=SLOW)
    expect(page.locator("#runs-list tr[data-id], .table-view tr[data-id]")).to_have_count(1)  # one run
    assert 0 < kept(page) < 40
    sent = [call.body["messages"][-1]["content"].strip() for call in endpoint.received]
    assert first.strip() in sent[:4]  # four at once: any of them may come first
    asked = len(endpoint.served)

    page.reload()  # closed and come back to by its link: nothing is lost
    expect(page.locator("#run-pane .pane-head .chip")).to_have_text("Paused")
    before = kept(page)
    page.locator("#resume-btn").click()
    expect(page.get_by_text("The run has all it was asked for")).to_be_visible(timeout=SLOW)
    expect(figure(page, "Kept").locator("b")).to_have_text(re.compile("4[0-9]"))
    assert kept(page) > before
    assert len(endpoint.served) > asked
    keys = [one.key for one in endpoint.served]
    assert len(keys) == len(set(keys))  # no call was made twice
    expect(figure(page, "Cost")).to_contain_text("of 3")

    page.locator('[data-stage="length"]').click()
    examples = page.locator(".funnel-examples")
    expect(examples).to_contain_text("instruction too short")
    expect(examples.locator(".funnel-item")).to_have_count(5)
    page.locator("h1").scroll_into_view_if_needed()
    page.screenshot(path=screenshots / "generate.png")
    examples.locator("[data-call]").first.click()
    call = page.locator(".call-detail")
    expect(call.locator(".raw-reply")).to_contain_text(HOSTILE)
    expect(call.locator(".call-items .chip").first).to_have_text("Length")
    expect(call.locator("img")).to_have_count(0)
    assert page.title() != "broken"

    page.get_by_role("link", name="Review what was kept").click()
    for _ in range(2):
        spring = page.locator(".spring")
        expect(spring).to_contain_text("First growth")
        head = page.locator(".reading-head b").inner_text()
        spring.get_by_text("Seeds it was drawn from").click()
        expect(spring.locator(".spring-seeds li")).to_have_count(3)
        spring.get_by_text("Raw reply").click()
        expect(spring.locator("pre")).to_contain_text(HOSTILE)
        page.locator("#approve-btn").click()
        expect(page.locator(".record-note")).to_contain_text("approved")
        expect(page.locator(".reading-head b")).not_to_have_text(head)
    assert page.title() != "broken"


def test_drafts_from_passages_are_kept_with_their_passage_or_dropped_as_not_grounded(visit, endpoint):
    endpoint.write, endpoint.latency = draft(endpoint), 0.2
    page = visit("/generate")
    page.locator("#new-run-btn").click()
    page.get_by_label("Draft from passages").check()
    prompt = page.locator(".prompt-preview")
    expect(prompt.locator("pre").last).to_contain_text("The passage, as a JSON string")
    page.locator("#field-name input, #field-name textarea").fill("Drafts")
    page.locator("#field-target input").fill("4")
    page.locator("#start-btn").click()
    expect(page.get_by_text("The run has all it was asked for")).to_be_visible(timeout=2 * SLOW)
    assert kept(page) >= 4
    grounded = page.locator('[data-stage="grounded"]')
    assert number_in(grounded.locator(".funnel-lost").inner_text()) >= 4
    grounded.click()
    expect(page.locator(".funnel-examples")).to_contain_text("not in the passage")
    page.locator('[data-stage="kept"]').click()
    expect(page.locator(".funnel-examples .chip").first).to_have_text("kept")
    number = number_in(page.locator(".funnel-examples .funnel-item a").first.inner_text())
    page.goto(f"/review?id={number}")
    expect(page.locator(".spring")).to_contain_text("Drafts, call")


def test_a_broken_template_tells_its_line_and_a_narrow_screen_holds_the_page(visit):
    page = visit("/generate?tab=templates", width=390, height=844, dark=True)
    text = page.locator("#field-template-text textarea")
    expect(text).to_have_value(re.compile("=== user ==="))
    text.fill(text.input_value().replace("{{ format }}", "{{ formt }}"))
    expect(page.locator(".template-preview .notice")).to_contain_text(re.compile(r"Line \d+: .*formt"))
    expect(page.locator(".fault-line")).to_contain_text("{{ formt }}")
    assert page.evaluate("document.documentElement.scrollWidth") <= 390
