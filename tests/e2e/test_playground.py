"""The playground in a real browser, with the real model server and the adapter that ships with the studio."""

import re

import psutil
import pytest
from playwright.sync_api import Page, expect

from db import processes
from db.enums import ProcessRole
from db.session import connect, read
from tests.e2e.conftest import log_in, open_page

COLD = 120_000  # milliseconds; importing torch on two busy cores
INSTRUCTION, INPUT = "#field-instruction textarea", "#field-input textarea"
QUESTION = "Which drug does the note name?"
ANSWERING = "[...document.querySelectorAll('.answers-text')].some((text) => text.textContent.length > 5)"
# Presses at the first words: a small model says its few hundred tokens in a second or two.
STOP_EARLY = """setInterval(() => {
  const stop = document.querySelector('.answers-head [data-do=stop]');
  if (stop && stop.offsetParent && !stop.disabled && (ANSWERING)) stop.click();
}, 5)""".replace("ANSWERING", ANSWERING)
NOTE = "She takes metformin for type 2 diabetes."
STORY = "Write a long story about a hospital."


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
    acknowledge = page.locator(".acknowledge, .acknowledged")
    expect(acknowledge).to_be_visible()
    if "acknowledged" not in acknowledge.get_attribute("class").split():
        page.get_by_role("button", name="I will type no patient data").click()
        expect(page.locator(".acknowledged")).to_be_visible()
    return page


def compare(page: Page):
    return page.get_by_role("button", name="Compare", exact=True)


def ask(page: Page, *, instruction: str = QUESTION, input: str = NOTE) -> None:
    page.locator(INSTRUCTION).fill(instruction)
    page.locator(INPUT).fill(input)
    compare(page).click()


def answers(page: Page) -> list[str]:
    return [text.inner_text() for text in page.locator(".answers-text").all()]


def press_key(page: Page, key: str) -> None:
    page.locator("body").click(position={"x": 2, "y": 400})
    page.keyboard.press(key)


def settle(page: Page, *, longest: str, temperature: str = "0") -> None:
    page.get_by_role("button", name="Settings", exact=True).click()
    page.get_by_label("Longest answer").fill(longest)
    page.locator("#field-temperature input[type=number]").fill(temperature)
    page.keyboard.press("Tab")


def test_a_conversation_a_vote_with_a_correction_a_replay_and_the_way_back(studio, browser, cookies):
    page = open_playground(browser, studio, cookies)
    settle(page, longest="40")
    ask(page)
    expect(page.locator(".vote-btn").first).to_be_visible(timeout=COLD)
    base, tuned = answers(page)
    assert base
    assert tuned
    assert base != tuned

    press_key(page, "2")
    expect(page.locator(".vote-btn[aria-pressed=true]")).to_contain_text("B is better")
    page.get_by_role("button", name="Say more").click()
    page.locator("[data-axis=correct][data-side=right][data-value=yes]").click()
    page.get_by_label("Corrected answer").fill("The note names metformin.")
    page.get_by_role("button", name="Save with the vote").click()
    expect(page.locator(".vote-said a").first).to_contain_text("in review")

    page.get_by_role("button", name="Ask a follow-up").click()
    expect(page.locator(".talk-turn")).to_have_count(1)
    ask(page, instruction="What is it for?", input="")
    expect(page.get_by_role("button", name="Ask a follow-up")).to_be_visible(timeout=COLD)
    page.locator(".answers summary", has_text="Provenance").first.click()
    page.get_by_role("button", name="Replay").first.click()
    expect(page.get_by_text("Replayed: the same text.").first).to_be_visible()

    page.locator(".talk-turn summary").click()
    page.get_by_role("button", name="Edit and send again").click()
    expect(page.locator(".talk-turn")).to_have_count(0)
    expect(page.locator(INPUT)).to_have_value(NOTE)
    expect(page).to_have_url(re.compile("comparison=1(&|$)"))
    again = open_playground(browser, studio, cookies, query=page.url.partition("/playground")[2])
    expect(again.locator(".answers-text").nth(1)).to_have_text(tuned)
    expect(again.locator(".vote-btn[aria-pressed=true]")).to_contain_text("B is better")
    expect(again.locator("[data-axis=correct][aria-pressed=true]")).to_be_attached()


def test_blind_answers_are_named_after_the_vote_and_markup_is_shown_as_text(studio, browser, cookies):
    page = open_playground(browser, studio, cookies)
    settle(page, longest="20")
    page.evaluate("window.harmed = 0")
    harm = "<img src=x onerror='window.harmed=1'> ${window.harmed=2} \\ {{value}} $5"
    page.get_by_label("Blind until I vote").check()
    ask(page, instruction=harm, input="Call her on 020 7946 0958.")
    expect(page.locator(".privacy-warning")).to_contain_text("a phone number")
    page.get_by_role("button", name="Send anyway").click()
    expect(page.locator(".vote-btn").first).to_be_visible(timeout=COLD)
    expect(page.locator(".answers")).not_to_contain_text("starter")
    expect(page.locator(".answers-prompt .reading").first).to_have_text(harm)
    assert "comparison=" not in page.url
    press_key(page, "3")
    expect(page.locator(".answers")).to_contain_text("starter")
    expect(page.locator(".vote-btn[aria-pressed=true]")).to_contain_text("Equally good")
    assert page.evaluate("window.harmed") == 0


def test_stopping_and_closing_the_page_both_leave_the_server_free(studio, browser, cookies):
    page = open_playground(browser, studio, cookies)
    settle(page, longest="400", temperature="2")
    early = page.evaluate(STOP_EARLY)
    ask(page, instruction=STORY, input="")
    expect(page.locator(".answers-figures").first).to_contain_text("stopped by hand", timeout=COLD)
    expect(compare(page)).to_be_enabled()
    page.evaluate("(early) => clearInterval(early)", early)
    ask(page, instruction=STORY, input="")
    page.wait_for_function(ANSWERING, timeout=COLD)
    page.context.close()

    other = open_playground(browser, studio, cookies)
    settle(other, longest="20")
    ask(other)
    expect(other.locator(".vote-btn").first).to_be_visible(timeout=COLD)


def test_a_model_server_that_is_killed_is_told_and_asked_again(studio, browser, cookies):
    page = open_playground(browser, studio, cookies)
    settle(page, longest="400", temperature="2")
    ask(page, instruction=STORY, input="")
    page.wait_for_function(ANSWERING, timeout=COLD)
    kill_model_server(studio)
    expect(page.locator(".retry")).to_contain_text("The model server")
    expect(compare(page)).to_be_enabled()
    page.get_by_label("Longest answer").fill("20")
    page.get_by_role("button", name="Try again").click()
    expect(page.locator(".vote-btn").first).to_be_visible(timeout=COLD)
    expect(page.locator(".retry")).to_have_count(0)


def test_on_a_phone_text_of_ones_own_is_kept_and_nothing_is_wider_than_the_window(studio, browser, cookies):
    page = open_playground(browser, studio, cookies, width=390, height=844, dark=True)
    assert page.evaluate("document.documentElement.scrollWidth") == 390
    page.locator(INSTRUCTION).fill("My own question")
    page.locator(".shelf summary").click()
    page.locator(".shelf-item").nth(2).click()
    expect(page.locator(INSTRUCTION)).not_to_have_value("My own question")
    page.get_by_role("button", name="Put it back").click()
    expect(page.locator(INSTRUCTION)).to_have_value("My own question")


def kill_model_server(studio) -> None:
    engine = connect(f"sqlite:///{studio.data_dir}/studio.db")
    with read() as session:
        server = processes.find_alive(session, ProcessRole.MODEL_SERVER)
        psutil.Process(server.pid).kill()
    engine.dispose()
