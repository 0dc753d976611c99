"""Results in a real browser: figures with intervals, a confusion matrix, and the predictions by keyboard."""

import re

import pytest
from playwright.sync_api import expect

from db import users
from db.session import connect, read
from tests.bioui.results.stored import HOSTILE, fill
from tests.e2e.conftest import log_in, open_page


@pytest.fixture(scope="module")
def cookie(studio) -> dict:
    return log_in(studio)["admin"]


@pytest.fixture(scope="module")
def stored(studio, cookie):
    engine = connect(f"sqlite:///{studio.data_dir}/studio.db")
    with read() as session:
        admin = users.get_actor(session, "admin")
    stored = fill(studio.data_dir, admin, 1)
    engine.dispose()
    return stored


def test_from_the_figures_to_the_row_that_tuning_broke(studio, browser, cookie, stored, screenshots):
    page = open_page(browser, studio)
    alerts: list[str] = []
    page.on("dialog", lambda dialog: (alerts.append(dialog.message), dialog.dismiss()))
    page.context.add_cookies([cookie])
    name = "ner-disease"
    page.goto(f"/results?evaluation={stored.tuned[name]}&against={stored.base[name]}", timeout=60_000)
    expect(page.locator(".result-sides li")).to_have_count(2)
    expect(page.locator(".figure-headline .interval-dot")).to_have_count(2)
    expect(page.locator(".result-gains tbody tr")).to_have_count(7, timeout=60_000)
    page.screenshot(path=screenshots / "results.png")

    page.locator("#result-tabs").get_by_text("Tables").click()
    page.get_by_role("button", name="invented, not in the text").first.click()
    expect(page.locator(".predictions .item").first).to_contain_text("faulty")
    expect(page).to_have_url(re.compile("tab=predictions.*show=faulty.*fault=invented"))

    page.get_by_role("button", name="Broken by tuning").click()
    expect(page.locator(".prediction-fault")).to_be_hidden()
    expect(page.locator(".predictions .item").first).to_contain_text("broken by tuning")
    page.keyboard.press("j")
    reading = page.locator("#prediction-reading")
    expect(reading.locator("h3")).to_have_text("Row 5")
    expect(page).to_have_url(re.compile("row=4"))
    expect(reading.locator(".mention .verdict").first).to_contain_text("found: Disease")
    reading.get_by_role("button", name="Between the answers").click()
    expect(reading.locator(".diff-between ins, .diff-between del").first).to_be_visible()
    page.screenshot(path=screenshots / "results-row.png")
    page.keyboard.press("j")
    expect(reading.locator("h3")).to_have_text("Row 9")
    expect(reading.locator(".diff-between ins, .diff-between del").first).to_be_visible()  # the choice stays
    page.keyboard.press("k")
    expect(reading.locator("h3")).to_have_text("Row 5")

    page.reload()  # the address brings the row back
    expect(reading.locator("h3")).to_have_text("Row 5")
    expect(page.get_by_role("button", name="Broken by tuning")).to_have_attribute("aria-pressed", "true")
    page.keyboard.press("Escape")
    expect(reading.locator("h3")).to_have_count(0)
    expect(page).not_to_have_url(re.compile("row="))

    name = "mednli"
    page.goto(f"/results?evaluation={stored.tuned[name]}&against={stored.base[name]}&row=1", timeout=60_000)
    expect(reading.locator(".prompt-input")).to_contain_text(HOSTILE)
    page.locator("#result-tabs").get_by_text("Tables").click()
    expect(page.locator(".confusion")).to_have_count(2)
    page.locator("#result-tabs").get_by_text("Leaks").click()
    expect(page.locator(".leak-table mark").first).to_be_visible()
    page.set_viewport_size({"width": 390, "height": 844})
    assert page.evaluate("document.documentElement.scrollWidth") <= 390
    assert alerts == []
