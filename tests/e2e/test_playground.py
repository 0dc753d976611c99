"""The playground in a real browser, with the real model server and the adapter that ships with the studio."""

import pytest
from playwright.sync_api import Page, expect

from bioui.components.word_diff import word_diff
from tests.e2e.conftest import log_in, open_page

COLD = 120_000  # milliseconds; importing torch on two busy cores
expect.set_options(timeout=30_000)
INSTRUCTION, INPUT = "#field-instruction textarea", "#field-input textarea"
QUESTION = "Which drug does the note name?"
ANSWERING = "document.querySelector('.pair-base .pair-text').textContent.length > 5"
NOTE = "She takes metformin for type 2 diabetes."


@pytest.fixture(scope="module")
def cookies(studio) -> list[dict]:
    """The cookies of the first admin."""
    return [log_in(studio)["admin"]]


def open_playground(browser, studio, cookies, *, query: str = "", **options) -> Page:
    page = open_page(browser, studio, **options)
    page.context.add_cookies(cookies)
    page.goto(f"/playground{query}", timeout=60_000)
    expect(page.locator(".shelf-item").nth(1)).to_be_attached()
    expect(page.locator(INSTRUCTION)).not_to_have_value("")
    return page


def ask(page: Page, *, instruction: str = QUESTION, input: str = NOTE) -> None:
    page.locator(INSTRUCTION).fill(instruction)
    page.locator(INPUT).fill(input)
    page.get_by_role("button", name="Compare", exact=True).click()


def answers(page: Page) -> list[str]:
    return [text.inner_text() for text in page.locator(".pair-text").all()]


def test_one_press_brings_both_answers_and_a_link_brings_them_back(studio, browser, cookies):
    page = open_playground(browser, studio, cookies)
    ask(page)
    expect(page.locator(".vote-btn").first).to_be_visible(timeout=COLD)
    base, tuned = answers(page)
    assert base
    assert tuned
    assert base != tuned
    expect(page.locator(".pair-figures")).to_contain_text(["tokens", "tokens"])

    page.locator("body").click(position={"x": 2, "y": 400})
    page.keyboard.press("2")
    expect(page.locator(".vote-btn[aria-pressed=true]")).to_have_text("2 Tuned is better")
    page.get_by_role("button", name="Show differences").click()
    parts = word_diff(base, tuned)
    for side, told in (("base", "removed"), ("tuned", "added")):
        said_alone = [part["text"] for part in parts if part.get(told)]
        expect(page.locator(f".pair-{side} mark")).to_have_text(said_alone)
    assert any(len(part) > 1 for part in parts)
    page.locator(".pair-tuned summary", has_text="Provenance").click()
    expect(page.locator(".pair-tuned dt", has_text="Adapter hash")).to_be_visible()
    page.locator(".pair-tuned summary", has_text="Provenance").click()

    assert "comparison=" in page.url
    again = open_playground(browser, studio, cookies, query=page.url.partition("/playground")[2])
    expect(again.locator(".pair-tuned .pair-text")).to_have_text(tuned)
    expect(again.locator(".vote-btn[aria-pressed=true]")).to_have_text("2 Tuned is better")
    expect(again.locator(INPUT)).to_have_value(NOTE)


def test_stop_ends_the_answers_and_the_next_press_works(studio, browser, cookies):
    page = open_playground(browser, studio, cookies)
    _draw_long_answers(page)
    ask(page, instruction="Write a long story about a hospital.", input="")
    page.wait_for_function(ANSWERING, timeout=COLD)
    page.get_by_role("button", name="Stop both").click()
    expect(page.locator(".pair-figures").first).to_contain_text("stopped by hand")
    expect(page.get_by_role("button", name="Compare", exact=True)).to_be_enabled()
    ask(page)
    expect(page.locator(".vote-btn").first).to_be_visible(timeout=COLD)


def test_closing_the_page_in_the_middle_leaves_the_server_free(studio, browser, cookies):
    page = open_playground(browser, studio, cookies)
    _draw_long_answers(page)
    ask(page, instruction="Write a long story about a hospital.", input="")
    page.wait_for_function(ANSWERING, timeout=COLD)
    page.context.close()

    other = open_playground(browser, studio, cookies)
    ask(other)
    expect(other.locator(".vote-btn").first).to_be_visible(timeout=COLD)


def test_a_prompt_longer_than_the_context_is_told_at_the_field_and_kept(studio, browser, cookies):
    page = open_playground(browser, studio, cookies)
    long_note = "The patient feels well. " * 800
    ask(page, input=long_note)
    expect(page.locator("#field-input .field-error")).to_contain_text("tokens long", timeout=COLD)
    expect(page.locator(INPUT)).to_have_value(long_note)
    expect(page.get_by_role("button", name="Compare", exact=True)).to_be_enabled()


def test_text_of_ones_own_is_laid_aside_for_a_prompt_and_put_back(studio, browser, cookies):
    page = open_playground(browser, studio, cookies)
    page.locator(INSTRUCTION).fill("My own question")
    page.get_by_label("Search prompts").fill("zzzz")
    expect(page.get_by_text("No prompt has these words")).to_be_visible()
    page.get_by_label("Search prompts").fill("")
    page.locator(".shelf-item").nth(2).click()
    expect(page.locator(INSTRUCTION)).not_to_have_value("My own question")
    page.get_by_role("button", name="Put it back").click()
    expect(page.locator(INSTRUCTION)).to_have_value("My own question")


def test_markup_in_a_prompt_is_shown_as_text(studio, browser, cookies):
    page = open_playground(browser, studio, cookies)
    page.evaluate("window.harmed = 0")
    harm = "<img src=x onerror='window.harmed=1'> ${window.harmed=2} \\ {{value}} $5"
    ask(page, instruction=harm, input="")
    expect(page.locator(".vote-btn").first).to_be_visible(timeout=COLD)
    expect(page.locator(".pair-prompt .reading")).to_have_text(harm)
    assert page.evaluate("window.harmed") == 0


@pytest.mark.parametrize("dark", [False, True])
def test_on_a_phone_the_answers_stand_one_above_the_other(studio, browser, cookies, dark):
    page = open_playground(browser, studio, cookies, width=390, height=844, dark=dark)
    assert page.evaluate("document.documentElement.scrollWidth") == 390
    base, tuned = (page.locator(f".pair-{side}").bounding_box() for side in ("base", "tuned"))
    assert base["x"] == tuned["x"]
    assert tuned["y"] >= base["y"] + base["height"]


def _draw_long_answers(page: Page) -> None:
    """Settings that keep the models talking: a long answer, drawn freely."""
    page.get_by_role("button", name="Settings", exact=True).click()
    page.get_by_label("Longest answer").fill("200")
    page.locator("#field-temperature input[type=number]").fill("2")
    page.keyboard.press("Tab")
