"""Writing, reviewing and importing in a real browser, by two people."""

import re
from collections.abc import Callable, Iterator

import pytest
from playwright.sync_api import Page, expect

from db import imports, projects, reviews, users
from db.content import Content
from db.enums import Role
from db.session import connect, write
from tests.e2e.conftest import log_in, open_page


@pytest.fixture(scope="module")
def cookies(studio) -> dict[str, dict]:
    """A log-in cookie for an author and two reviewers."""
    nora, ravi = ("nora", "Nora Aasen", [Role.AUTHOR]), ("ravi", "Ravi Menon", [Role.REVIEWER])
    return log_in(studio, nora, ravi, ("eva", "Eva Lind", [Role.REVIEWER]))


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
    author.get_by_role("button", name="Take all of theirs").click()
    expect(field(author, "output")).to_have_value("Beta-1 blocker.")
    author.get_by_role("button", name="Put mine back").click()
    expect(field(author, "output")).to_have_value("A cardioselective beta blocker.")


def test_two_texts_are_merged_field_by_field(page_of):
    author = page_of("nora", "/curate")
    write_new(author, "Name the drug class of ramipril.", "ACE inhibitor.")
    author.keyboard.press("Control+s")
    expect(author.locator(".record-note")).to_contain_text("Saved")
    other = page_of("ravi", author.url)
    expect(field(other, "output")).to_have_value("ACE inhibitor.")
    field(other, "output").fill("An ACE inhibitor.")
    other.keyboard.press("Control+s")
    expect(other.locator(".record-note")).to_contain_text("Saved")
    field(author, "instruction").fill("Name the class of the drug ramipril.")
    author.keyboard.press("Control+s")
    both = author.locator(".conflict-field")
    expect(both).to_have_count(2)
    both.filter(has_text="Output").locator("[value=theirs]").check()
    author.get_by_role("button", name="Merge what is chosen").click()
    expect(field(author, "output")).to_have_value("An ACE inhibitor.")
    expect(field(author, "instruction")).to_have_value("Name the class of the drug ramipril.")
    author.keyboard.press("Control+s")
    expect(author.locator(".record-head")).to_contain_text("Version 3")


def test_what_was_typed_is_there_again_after_the_tab_was_closed(page_of):
    author = page_of("nora", "/curate")
    author.locator("#new-btn").click()
    field(author, "instruction").fill("Name the bones of the wri")
    expect(author.locator(".kept")).to_contain_text(re.compile(r"Typing saved \d\d:\d\d:\d\d"))
    author.context.close()
    again = page_of("nora", "/curate")
    again.locator("#new-btn").click()
    expect(field(again, "instruction")).to_have_value("Name the bones of the wri")
    expect(again.locator(".kept-back")).to_contain_text("is back in the form")
    again.get_by_role("button", name="Throw it away").click()
    expect(field(again, "instruction")).to_have_value("")
    expect(again.locator(".kept-back")).to_be_hidden()


def test_two_reviewers_are_never_given_the_same_text_and_one_may_pass(page_of):
    author = page_of("nora", "/curate")
    numbers = []
    for question in ("Which nerve moves the diaphragm?", "Where is insulin made?"):
        write_new(author, question, "See an atlas of anatomy.")
        author.keyboard.press("Control+Enter")
        expect(author.locator(".record-head")).to_contain_text("In review")
        numbers.append(author.locator(".record-head h2").inner_text())
    first, second = page_of("ravi", "/review"), page_of("eva", "/review")
    expect(first.locator(".reading-head")).to_contain_text(numbers[0])
    expect(second.locator(".reading-head")).to_contain_text(numbers[1])
    expect(second.locator(".held")).to_have_text("with Ravi Menon")
    expect(first.locator(".lease")).to_contain_text("In your hands until")
    second.goto(f"/review?id={numbers[0].split()[-1]}")
    expect(second.locator("#reading")).to_contain_text("In the hands of Ravi Menon")
    expect(second.locator("#approve-btn")).to_be_hidden()
    first.get_by_role("button", name="Pass, and take another").click()
    expect(first.locator("#reading")).not_to_contain_text(numbers[0])
    second.reload()
    expect(second.locator("#approve-btn")).to_be_visible()
    second.keyboard.press("a")
    expect(second.locator("#reading .record-note")).to_contain_text("approved")


def test_patient_data_is_marked_and_blocks_approval_until_it_is_cleared(page_of):
    author = page_of("nora", "/curate")
    write_new(author, "Sum up the visit in one line.", "A visit for a cough.")
    field(author, "input").fill("Seen on 12 March 2019 for a cough.")
    expect(author.locator(".flag mark")).to_have_text("12 March 2019")
    author.keyboard.press("Control+Enter")
    expect(author.locator(".record-head")).to_contain_text("In review")
    number = author.locator(".record-head h2").inner_text().split()[-1]
    reviewer = page_of("ravi", f"/review?id={number}")
    expect(reviewer.locator(".flag mark")).to_have_text("12 March 2019")
    reviewer.locator("#approve-btn").click()
    expect(reviewer.locator(".problem")).to_contain_text("look like a date")
    reviewer.locator(".flag input").fill("An invented visit.")
    reviewer.get_by_role("button", name="Clear").click()
    expect(reviewer.locator(".flag-cleared")).to_contain_text("An invented visit.")
    reviewer.locator("#approve-btn").click()
    expect(reviewer.locator("#reading .record-note")).to_contain_text(f"Number {number} approved")


def test_filters_are_in_the_address_and_can_be_kept_and_chosen_again(page_of):
    author = page_of("nora", "/curate")
    author.locator("#search").fill("insulin")
    expect(author.locator(".item mark").first).to_have_text(re.compile("insulin", re.IGNORECASE))
    author.locator("[data-filter=category]").select_option("QA")
    expect(author).to_have_url(re.compile("q=insulin.*category=QA"))
    shown = author.locator(".item")
    expect(shown.filter(has_not_text="QA")).to_have_count(0)
    author.locator(".filter-saved summary").click()
    author.get_by_label("Name of these filters").fill("Insulin questions")
    author.get_by_role("button", name="Keep", exact=True).click()
    author.get_by_role("button", name="Clear all").click()
    expect(author).not_to_have_url(re.compile("insulin"))
    author.locator(".filter-saved summary").click()
    author.get_by_role("button", name="Insulin questions", exact=True).click()
    expect(author).to_have_url(re.compile("q=insulin.*category=QA"))
    expect(author.locator(".item mark").first).to_be_visible()

    author.locator(".filter-saved summary").click()
    author.get_by_role("button", name="Change Insulin questions").click()
    name = author.get_by_label("Name of Insulin questions")
    expect(name).to_be_focused()
    name.fill("Insulin, for all")
    author.locator(".saved-change").get_by_label("For all").check()
    name.press("Enter")
    expect(author.locator("#search")).to_have_value("insulin")
    other = page_of("eva", "/curate")
    other.locator(".filter-saved summary").click()
    expect(other.locator(".saved-filter")).to_contain_text(["Insulin, for all"])
    expect(other.locator(".saved-filter").get_by_role("button", name="Change")).to_have_count(0)


def test_home_leads_back_to_what_was_typed_and_not_saved(page_of):
    author = page_of("nora", "/curate")
    author.locator("#new-btn").click()
    field(author, "instruction").fill("Name the muscles of the rotator cuff.")
    expect(author.locator(".kept")).to_contain_text("Typing saved")
    author.goto("/")
    left = author.get_by_role("region", name="Typed and not saved")
    expect(left).to_contain_text("Name the muscles of the rotator cuff.")
    left.get_by_role("link", name="New instruction").click()
    expect(field(author, "instruction")).to_have_value("Name the muscles of the rotator cuff.")
    author.goto("/")
    left.get_by_role("button", name="Throw away what was typed: New instruction").click()
    expect(left.get_by_text("rotator cuff")).to_have_count(0)
    author.goto("/curate?new=1")
    expect(author.get_by_role("heading", name="New instruction")).to_be_visible()
    expect(field(author, "instruction")).to_have_value("")


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
    author.locator(".near-copy input").fill("Both are asked in exams.")
    author.get_by_role("button", name="Keep both").click()
    expect(author.locator(".record-note")).to_contain_text("Kept beside number")
    expect(author.locator(".near-copy")).to_be_hidden()
    author.locator("#delete-btn").click()
    expect(author.locator("#record")).to_contain_text("is deleted")
    author.get_by_role("button", name="Undo").click()
    expect(author.locator(".record-note")).to_contain_text("It is back")


def test_an_import_is_approved_as_one_after_a_look_at_a_sample(page_of, studio):
    engine = connect(f"sqlite:///{studio.data_dir}/studio.db")
    with write() as session:
        nora, project = users.get_actor(session, "nora"), projects.list_projects(session)[0].id
        rows = [Content(f"Question {n}?", output=f"Answer {n}.", task="qa") for n in range(120)]
        waiting = reviews.count_waiting(session, users.get_actor(session, "ravi"), project)
        imports.import_contents(session, nora, project, rows, file_name="pairs.jsonl", submit=True)
    engine.dispose()

    reviewer = page_of("ravi", "/review")
    reviewer.get_by_role("tab", name="50 on a page").click()
    reviewer.get_by_role("button", name="Approve the 50 shown on this page").click()
    expect(reviewer.get_by_text(re.compile(r"^\d+ approved\."))).to_be_visible()
    reviewer.get_by_role("tab", name="Whole imports").click()
    approve = reviewer.get_by_role("button", name=re.compile(r"Approve all \d+ of this import"))
    left = int(re.findall(r"\d+", approve.inner_text())[0])
    assert left == 120 - (50 - waiting), "what waited before was the first on the page of 50"
    field(reviewer, "number").fill("7")
    field(reviewer, "checked").fill("Read 20 of them.")
    approve.click()
    expect(reviewer.locator("#field-number .field-error")).to_contain_text(f"{left} rows")
    field(reviewer, "number").fill(str(left))
    approve.click()
    expect(reviewer.get_by_text("No import waits.")).to_be_visible()


@pytest.mark.parametrize("path", ["/curate", "/review"])
def test_the_pages_fit_a_phone(page_of, path):
    page = page_of("ravi", path, width=390, dark=True)
    assert page.evaluate("document.documentElement.scrollWidth") <= 390


@pytest.mark.parametrize("width", [390, 1440])
def test_every_button_and_the_saved_filters_open_inside_the_window(page_of, width):
    page = page_of("ravi", "/curate", width=width)
    expect(page.locator("#new-btn")).to_be_enabled()
    page.locator(".filter-saved summary").click()
    shown = [*page.locator(".page-actions button").all(), page.locator(".filter-saved .menu-sheet")]
    boxes = [one.bounding_box() for one in shown]
    assert len(boxes) > 3
    assert all(box["x"] >= 0 and box["x"] + box["width"] <= width for box in boxes)
