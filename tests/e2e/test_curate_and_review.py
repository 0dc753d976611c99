"""Writing, reviewing and importing in a real browser, by two people."""

import json
from collections.abc import Callable, Iterator

import pytest
from playwright.sync_api import Page, expect

from db.enums import Role
from tests.e2e.conftest import log_in, open_page

expect.set_options(timeout=20_000)  # two busy cores


@pytest.fixture(scope="module")
def cookies(studio) -> dict[str, dict]:
    """A log-in cookie for an author and a reviewer."""
    return log_in(studio, ("nora", "Nora Aasen", [Role.AUTHOR]), ("ravi", "Ravi Menon", [Role.REVIEWER]))


@pytest.fixture
def page_of(browser, studio, cookies) -> Iterator[Callable[..., Page]]:
    """`page_of("nora", "/curate")`: that page, loaded, in a browser of Nora's own; closed after the test."""
    opened = []

    def open_as(who: str, path: str, **options) -> Page:
        page = open_page(browser, studio, **options)
        opened.append(page)
        page.context.add_cookies([cookies[who]])
        page.goto(path)
        expect(page.locator(".list-side").locator(".item, .empty").first).to_be_visible()
        return page

    yield open_as
    for page in opened:
        page.context.close()


def write_new(page: Page, instruction: str, output: str, task: str = "qa") -> None:
    page.locator("#new-btn").click()
    expect(page.get_by_role("heading", name="New instruction")).to_be_visible()
    field(page, "instruction").fill(instruction)
    field(page, "output").fill(output)
    page.locator("#field-task input").fill(task)
    page.locator("#field-task input").press("Tab")


def field(page: Page, name: str):
    return page.locator(f"#field-{name}").locator("textarea, input").first


def test_one_writes_and_submits_by_keys_and_another_approves_by_a_key(page_of):
    author = page_of("nora", "/curate")
    write_new(author, "Which organ does hepatitis inflame?", "The liver.")
    author.keyboard.press("Control+s")
    expect(author.locator(".record-note")).to_contain_text("Saved")
    number = author.locator(".record-head h2").inner_text()
    field(author, "output").fill("The liver, most often by a virus.")
    author.keyboard.press("Control+Enter")
    expect(author.locator(".record-head")).to_contain_text("In review")
    author.get_by_role("tab", name="History").click()
    expect(author.locator(".history ins").first).to_contain_text("most often by a virus")

    reviewer = page_of("ravi", "/review")
    expect(reviewer.locator("nav .count")).to_have_text("1")
    expect(reviewer.locator(".reading-head")).to_contain_text(number)
    reviewer.keyboard.press("c")
    expect(reviewer.locator("#field-comment .field-error")).to_contain_text(
        "say what should change", ignore_case=True
    )
    reviewer.locator("h1").click()
    reviewer.keyboard.press("a")
    expect(reviewer.locator("#reading")).to_contain_text("Nothing to review.")
    expect(reviewer.locator("nav .count")).to_be_hidden()
    author.reload()
    expect(author.locator(".record-head")).to_contain_text("Approved")


def test_the_keyboard_walks_the_list_and_says_what_it_can_do(page_of):
    author = page_of("nora", "/curate")
    rows = author.locator(".item")
    author.keyboard.press("j")
    expect(rows.nth(0)).to_have_attribute("aria-current", "true")
    author.keyboard.press("j")
    expect(rows.nth(1)).to_have_attribute("aria-current", "true")
    author.keyboard.press("k")
    expect(rows.nth(0)).to_have_attribute("aria-current", "true")
    author.keyboard.press("?")
    sheet = author.get_by_role("dialog", name="Keyboard shortcuts")
    expect(sheet).to_contain_text("Open the next record")
    expect(sheet).not_to_contain_text("Approve")
    author.keyboard.press("Escape")
    expect(sheet).to_be_hidden()
    expect(field(author, "instruction")).to_be_visible()
    author.keyboard.press("e")
    expect(field(author, "instruction")).to_be_focused()
    author.keyboard.press("?")
    expect(sheet).to_be_hidden()


def test_two_who_write_at_once_lose_nothing(page_of):
    author = page_of("nora", "/curate")
    write_new(author, "Name the drug class of atenolol.", "Beta blocker.")
    author.keyboard.press("Control+s")
    expect(author.locator(".record-note")).to_contain_text("Saved")
    other = page_of("ravi", author.url)
    expect(field(other, "output")).to_have_value("Beta blocker.")
    field(other, "output").fill("Beta-1 blocker.")
    other.keyboard.press("Control+s")
    expect(other.locator(".record-note")).to_contain_text("Saved")
    field(author, "output").fill("A cardioselective beta blocker.")
    author.keyboard.press("Control+s")
    expect(author.locator(".conflict")).to_contain_text("Ravi Menon saved version 2")
    expect(field(author, "output")).to_have_value("A cardioselective beta blocker.")
    author.get_by_role("button", name="Take theirs").click()
    expect(field(author, "output")).to_have_value("Beta-1 blocker.")
    author.get_by_role("button", name="Put mine back").click()
    expect(field(author, "output")).to_have_value("A cardioselective beta blocker.")


def test_a_near_copy_is_named_while_one_types_and_a_deletion_can_be_undone(page_of):
    author = page_of("nora", "/curate")
    write_new(author, "List the symptoms of scurvy in an adult patient.", "Bleeding gums, fatigue.")
    author.keyboard.press("Control+s")
    expect(author.locator(".record-note")).to_contain_text("Saved")
    write_new(author, "List the symptoms of scurvy in one adult patient.", "")
    expect(author.locator(".near-copy")).to_contain_text("Near copy")
    expect(author.locator(".near-copy ins")).to_have_text("one ")
    author.keyboard.press("Control+s")
    expect(author.locator(".record-note")).to_contain_text("Saved")
    author.locator("#delete-btn").click()
    expect(author.locator("#record")).to_contain_text("is deleted")
    author.get_by_role("button", name="Undo").click()
    expect(author.locator(".record-note")).to_contain_text("It is back")


def test_a_file_is_imported_whole_or_not_at_all_and_approved_as_one(page_of, tmp_path):
    good, bad = tmp_path / "pairs.jsonl", tmp_path / "faulty.jsonl"
    rows = [json.dumps({"instruction": f"Question {n}?", "output": f"Answer {n}."}) for n in range(120)]
    good.write_text("\n".join(rows))
    bad.write_text("\n".join([*rows[:5], "not json", '{"output": "no question"}']))
    author = page_of("nora", "/curate")
    author.locator("#import-btn").click()
    author.locator("#field-file input[type=file]").set_input_files(bad)
    expect(author.locator("#import-panel")).to_contain_text("Nothing was imported")
    expect(author.locator("#import-panel .table tbody tr")).to_have_count(2)
    author.locator("#field-file").get_by_role("button", name="Clear").click()
    author.locator("#import-task").locator("textarea, input").fill("qa")
    author.locator("#import-submit input").check()
    author.locator("#field-file input[type=file]").set_input_files(good)
    author.get_by_role("button", name="Import 120 rows").click()
    expect(author.locator("#import-panel")).to_contain_text("120 went to the reviewers")

    reviewer = page_of("ravi", "/review")
    reviewer.get_by_role("tab", name="50 on a page").click()
    reviewer.get_by_role("button", name="Approve the 50 shown on this page").click()
    expect(reviewer.locator(".card-head").first).to_be_visible()
    reviewer.get_by_role("tab", name="Whole imports").click()
    approve = reviewer.get_by_role("button", name="Approve all 70 of this import")
    field(reviewer, "number").fill("69")
    field(reviewer, "checked").fill("Read 20 of 70.")
    approve.click()
    expect(reviewer.locator("#field-number .field-error")).to_contain_text("70 rows")
    field(reviewer, "number").fill("70")
    approve.click()
    expect(reviewer.get_by_text("No import waits.")).to_be_visible()


@pytest.mark.parametrize("path", ["/curate", "/review"])
def test_the_pages_fit_a_phone(page_of, path):
    page = page_of("ravi", path, width=390, dark=True)
    assert page.evaluate("document.documentElement.scrollWidth") <= 390
