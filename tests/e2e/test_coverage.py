"""Coverage in a real browser: from a gap to the form that closes it, a target and its undo, every section."""

import re

import pytest
from playwright.sync_api import Page, expect

from db.enums import Role
from tests.e2e.conftest import log_in, open_page


@pytest.fixture(scope="module")
def cookies(studio) -> dict[str, dict]:
    """Of the first admin and an author, by user name."""
    return log_in(studio, ("anna", "Anna Author", [Role.AUTHOR]))


def enter(browser, studio, cookie: dict, path: str = "/coverage", **options) -> Page:
    page = open_page(browser, studio, **options)
    page.context.add_cookies([cookie])
    page.goto(path, timeout=60_000)
    expect(page.locator(".person-name")).to_be_attached()
    return page


def square(page: Page, task: str, specialty: str):
    """The button of a square of the matrix."""
    expect(page.locator(".matrix thead th").first).to_be_visible()
    headings = page.locator(".matrix thead th").all_inner_texts()
    place = [heading.strip() for heading in headings].index(specialty)
    return page.locator(f'tr[data-task="{task}"] > *').nth(place).locator(".cell")


def test_a_target_is_set_in_a_square_undone_and_leads_to_writing(studio, browser, cookies, screenshots):
    page = enter(browser, studio, cookies["admin"])
    square(page, "yes_no_qa", "paediatrics").click()
    expect(page.locator(".cell-panel h2")).to_have_text("yes no qa")
    expect(page).to_have_url(re.compile(r"task=yes_no_qa&specialty=paediatrics"))
    page.locator("#field-count input").fill("5")
    page.get_by_role("button", name="Save target").click()
    expect(page.locator(".cell-panel")).to_contain_text("1 approved of 5 wanted")
    expect(square(page, "yes_no_qa", "paediatrics")).to_have_text("1/5")
    expect(page.locator(".gap")).to_contain_text("yes no qa")
    page.screenshot(path=screenshots / "coverage.png")

    page.reload()  # the address brings the square back
    expect(page.locator(".cell-panel h2")).to_have_text("yes no qa")
    page.get_by_role("button", name="Remove target").click()
    expect(page.locator(".gap")).to_have_count(0)
    page.get_by_role("button", name="Undo").click()
    expect(page.locator(".gap")).to_have_count(1)

    page.locator(".by-difficulty button").nth(4).click()
    expect(page.get_by_label("4", exact=True)).to_be_checked()
    write_link = page.get_by_role("link", name="Write one for this cell")
    expect(write_link).to_have_attribute("href", re.compile("new=1&difficulty=4"))
    write_link.click()
    expect(page).to_have_url(re.compile(r"/curate\?project=1&task=yes_no_qa&specialty=paediatrics"))


def test_an_author_opens_a_gap_by_keyboard_but_sets_no_target(studio, browser, cookies):
    page = enter(browser, studio, cookies["anna"])
    page.locator(".cell[tabindex='0']").focus()
    page.keyboard.press("ArrowRight")
    page.keyboard.press("ArrowDown")
    page.keyboard.press("Enter")
    expect(page.locator(".cell-panel")).to_be_visible()
    expect(page.locator("#field-count")).to_have_count(0)
    expect(page.get_by_role("button", name="Set a target")).to_have_count(0)
    expect(page.get_by_role("tab", name="Agreement")).to_have_count(0)


def test_every_section_opens_by_its_link_and_by_its_tab(studio, browser, cookies):
    page = enter(browser, studio, cookies["admin"], "/coverage?tab=texts")
    expect(page.locator(".sunburst .arc").first).to_be_visible()
    expect(page.locator(".section-lead")).to_contain_text(re.compile(r"\d+ of 80 instructions"))
    page.get_by_label("Tokens").check()
    expect(page.locator(".bar-chart").first).to_contain_text("Length in tokens")
    page.get_by_role("tab", name="Work").click()
    expect(page.get_by_role("img", name=re.compile("^Written: 80 in 12 weeks"))).to_be_visible()
    expect(page).to_have_url(re.compile("tab=work"))
    page.get_by_role("tab", name="Agreement").click()
    expect(page.get_by_text("Nobody has double-reviewed yet.")).to_be_visible()


def test_a_phone_scrolls_the_matrix_within_its_box(studio, browser, cookies):
    page = enter(browser, studio, cookies["admin"], width=390, height=844)
    expect(page.locator(".matrix")).to_be_visible()
    assert page.evaluate("document.documentElement.scrollWidth") <= 390
    assert page.locator(".matrix-scroll").evaluate("box => box.scrollWidth > box.clientWidth")
