"""Freeze, train, cancel and resume in a real browser, with the real worker, across a restart."""

import json
import re

import pytest
from playwright.sync_api import Locator, Page, expect

from tests.e2e.conftest import log_in, open_page

COLD = 180_000  # milliseconds; importing torch on two busy cores


@pytest.fixture(scope="module")
def cookies(studio) -> list[dict]:
    """The cookies of the first admin."""
    return [log_in(studio)["admin"]]


@pytest.fixture(scope="module")
def version(studio, browser, cookies) -> str:
    """The address of a version frozen through the page: the sample project's smallest category."""
    page = enter(browser, studio, cookies, "/datasets")
    page.get_by_role("button", name="Freeze a version").click()
    expect(page.locator(".count-line")).to_contain_text("80 approved instructions")
    field(page, "name").fill("Ward questions")
    page.get_by_label("other").check()
    expect(page.locator(".count-line")).to_contain_text(re.compile(r"^\d approved instructions: \d other"))
    page.get_by_role("button", name="Freeze", exact=True).click()
    expect(page.locator("#version-pane h2")).to_have_text("Ward questions, version 1")
    expect(page.get_by_text("Frozen: Ward questions, version 1")).to_be_visible()
    return re.search(r"version=(\d+)", page.url).group(1)


def enter(browser, studio, cookies, path: str, **options) -> Page:
    page = open_page(browser, studio, **options)
    page.context.add_cookies(cookies)
    page.goto(path, timeout=60_000)
    expect(page.locator(".person-name")).to_be_attached()
    return page


def open_form(browser, studio, cookies, version: str, **settings: str) -> Page:
    """The training form for `version`, with the fields of these names filled."""
    page = enter(browser, studio, cookies, f"/train?version={version}")
    expect(page.locator("#form-pane h2")).to_have_text("New run")
    for name, text in settings.items():
        field(page, name).fill(text)
    return page


def field(page: Page, name: str) -> Locator:
    return page.locator(f"#field-{name.replace('_', '-')} :is(input, textarea)")


def start(page: Page) -> None:
    page.get_by_role("button", name="Start training").click()
    expect(page.locator("#run-pane h2")).to_be_visible()


def steps_done(page: Page) -> int:
    return int(page.locator("#run-pane .progress-head span").inner_text().split(" of ")[0].replace(",", ""))


def test_a_version_opens_by_its_link_is_verified_read_and_exported(studio, browser, cookies, version):
    page = enter(browser, studio, cookies, f"/datasets?version={version}")
    expect(page.locator("#version-pane h2")).to_have_text("Ward questions, version 1")
    page.get_by_role("button", name="Verify hash").click()
    expect(page.get_by_text("The hash is right")).to_be_visible()
    page.locator("#version-pane tr[data-id]").first.click()
    expect(page.locator(".row-reading h3")).to_have_text("Row 1")
    with page.expect_download() as download:
        page.get_by_role("link", name="Export JSONL").click()
    with open(download.value.path(), encoding="utf-8") as file:
        rows = [json.loads(line) for line in file]
    assert {row["category"] for row in rows} == {"OTHER"}
    assert download.value.suggested_filename == "Ward-questions-v1.jsonl"


def test_an_impossible_setting_is_said_at_its_field_and_nothing_typed_is_lost(
    studio, browser, cookies, version
):
    page = open_form(browser, studio, cookies, version, adapter_name="My own name", rank="0")
    page.get_by_role("button", name="Start training").click()
    expect(page.locator("#field-rank .field-error")).to_contain_text("a whole number from 1 to 512")
    field(page, "rank").fill("8")
    page.get_by_role("button", name="More on the method").click()
    field(page, "dropout").fill("7")
    page.get_by_role("button", name="More on the method").click()
    page.get_by_role("button", name="Start training").click()
    expect(page.locator("#field-dropout .field-error")).to_be_visible()  # its fold has opened
    expect(field(page, "adapter_name")).to_have_value("My own name")


def test_the_data_are_checked_before_a_run_is_started(studio, browser, cookies, version):
    page = open_form(browser, studio, cookies, version, max_length="1024", epochs="1")
    page.get_by_role("button", name="Check data and time").click()
    expect(page.locator(".report h3")).to_contain_text("It will take", timeout=COLD)
    expect(page.locator(".report")).to_contain_text("are learned from")
    expect(page.locator(".report")).to_contain_text("99 % up to")
    expect(page.locator(".report-stale")).to_be_hidden()
    field(page, "epochs").fill("2")
    expect(page.locator(".report-stale")).to_be_visible()


def test_a_double_click_is_one_run_and_the_end_leads_to_the_playground(studio, browser, cookies, version):
    page = open_form(browser, studio, cookies, version, max_length="1024", epochs="1", batch_size="1")
    page.get_by_role("button", name="Start training").dblclick()
    expect(page.locator("#run-pane .chart").first).to_be_visible(timeout=COLD)
    expect(page.get_by_text("The adapter is ready")).to_be_visible(timeout=COLD)
    expect(page.locator("#run-pane .log")).to_contain_text("saved to")
    expect(page.locator(".table-view tr[data-id]")).to_have_count(1)
    page.get_by_role("link", name="Compare in the playground").click()
    expect(page).to_have_url(re.compile(r"/playground\?project=\d+&adapter=\d+"))


def test_a_run_goes_on_while_the_studio_restarts_and_the_page_finds_it_again(
    studio, browser, cookies, version
):
    page = open_form(
        browser,
        studio,
        cookies,
        version,
        adapter_name="Long",
        max_length="1024",
        epochs="300",
        batch_size="1",
    )
    start(page)
    expect(page.locator("#run-pane .chart").first).to_be_visible(timeout=COLD)
    before, address = steps_done(page), page.url
    studio.stop()
    studio.start()
    again = enter(browser, studio, cookies, address.removeprefix(studio.address))
    expect(again.locator("#run-pane h2")).to_have_text("Long")
    expect(again.locator("#run-pane .chip")).to_have_text("Running")
    assert steps_done(again) > before

    # the page that was open all the time goes on by itself
    now = steps_done(again)
    page.wait_for_function(
        "(now) => parseInt(document.querySelector('#run-pane .progress-head span').textContent) > now",
        arg=now,
        timeout=60_000,
    )

    again.get_by_role("button", name="Cancel run").click()
    expect(again.locator(".confirm")).to_contain_text("No adapter will be made")
    again.get_by_role("button", name="Stop and save").click()
    expect(again.locator("#run-pane .chip")).to_have_text("Cancelled", timeout=COLD)
    again.get_by_role("button", name="Resume").click()
    expect(again.locator("#run-pane .chip")).to_have_text("Running", timeout=COLD)
    again.get_by_role("button", name="Cancel run").click()
    again.get_by_role("button", name="Stop and save").click()
    expect(again.locator("#run-pane .chip")).to_have_text("Cancelled", timeout=COLD)


@pytest.mark.parametrize("path", ["/datasets?version=2", "/train?job=2", "/train?version=2"])
def test_a_narrow_screen_holds_everything(studio, browser, cookies, version, path):
    page = enter(browser, studio, cookies, path, width=390)
    expect(page.locator(".pane h2").first).to_be_visible()
    assert page.evaluate("document.documentElement.scrollWidth") <= 390
