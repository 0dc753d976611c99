"""Frozen versions in a real browser: plan, decontaminate, freeze, compare, trace, describe, publish."""

import json
import re

import pytest
from playwright.sync_api import Locator, Page, expect

from db.cards import dataset_card
from db.session import connect, read
from tests.db.hub_double import FakeHub
from tests.e2e.conftest import log_in, open_page

COLD = 60_000  # milliseconds


@pytest.fixture(scope="module")
def hub():
    hub = FakeHub()
    yield hub
    hub.close()


@pytest.fixture(scope="module", autouse=True)
def token(hub, tmp_path_factory):
    """The studio is started with a token of a Hub that is one on loopback."""
    home = str(tmp_path_factory.mktemp("hub"))
    # Of the ways to send large files, the one that a Hub can be imitated for.
    ours = {"HF_ENDPOINT": hub.url, "HF_TOKEN": "hf_ours", "HF_HUB_DISABLE_XET": "1", "HF_HOME": home}
    with pytest.MonkeyPatch.context() as environment:
        for name, value in ours.items():
            environment.setenv(name, value)
        yield


@pytest.fixture(scope="module")
def cookies(studio) -> list[dict]:
    return [log_in(studio)["admin"]]


def enter(browser, studio, cookies, path: str, **options) -> Page:
    page = open_page(browser, studio, **options)
    page.context.add_cookies(cookies)
    page.goto(path, timeout=COLD)
    expect(page.locator(".person-name")).to_be_attached()
    return page


def open_form(page: Page, name: str) -> None:
    page.get_by_role("button", name="Freeze a version").click()
    expect(page.locator(".count-line")).to_contain_text("80 approved instructions")
    field(page, "name").fill(name)
    field(page, "name").press("Tab")


def field(page: Page, name: str) -> Locator:
    return page.locator(f"#field-{name} :is(input, textarea)").first


def press(page: Page, name: str) -> None:
    page.get_by_role("button", name=name, exact=True).click()


def choose(page: Page, tab: str) -> None:
    page.locator("#version-tabs").get_by_text(tab, exact=True).click()


def version_of(page: Page) -> int:
    return int(re.search(r"[?&]version=(\d+)", page.url).group(1))


def hold_out(page: Page) -> None:
    """Decontaminate against the first version's test split, by the form's own list."""
    page.get_by_role("button", name="Decontamination").click()
    page.get_by_label("Evaluation sets").click()
    page.get_by_role("option", name="Ward questions, version 1, test").click()
    page.keyboard.press("Escape")


@pytest.fixture(scope="module")
def first(studio, browser, cookies) -> int:
    """A version of everything, frozen by one press."""
    page = enter(browser, studio, cookies, "/datasets")
    open_form(page, "Ward questions")
    press(page, "Freeze")
    expect(page.locator("#version-pane h2")).to_have_text("Ward questions, version 1", timeout=COLD)
    return version_of(page)


@pytest.fixture(scope="module")
def second(studio, browser, cookies, first) -> int:
    """The next version, without the rows of the first one's test split: looked at, then frozen as it was."""
    page = enter(browser, studio, cookies, "/datasets")
    open_form(page, "Ward questions")
    hold_out(page)
    press(page, "Look first")
    expect(page.locator("#plan h3")).to_have_text("It cannot be frozen like this", timeout=COLD)
    expect(page.locator("#plan")).to_contain_text("8 of 80 chosen records hold texts of Ward questions")
    expect(page.locator("#form-pane .hits tbody tr")).to_have_count(8)
    expect(page.locator("#form-pane .hits")).to_contain_text("The same words")
    press(page, "Freeze")
    expect(page.locator("#form-pane .field-error")).to_contain_text("drop them, or let them stay")
    expect(page.locator("#form-pane .hits tbody tr")).to_have_count(8)

    page.get_by_label("Drop these rows").check()
    press(page, "Look first")
    expect(page.locator("#plan h3")).to_have_text("72 rows would be frozen", timeout=COLD)
    expect(page.locator("#form-pane .hits tbody tr").first).to_contain_text("dropped")
    press(page, "Freeze")
    expect(page.locator("#version-pane h2")).to_have_text("Ward questions, version 2", timeout=COLD)
    return version_of(page)


def test_a_look_grows_old_when_a_setting_changes(studio, browser, cookies, first):
    page = enter(browser, studio, cookies, "/datasets")
    open_form(page, "Ward questions")
    press(page, "Look first")
    expect(page.locator("#plan h3")).to_have_text("Nothing new", timeout=COLD)
    expect(page.locator("#plan")).to_contain_text("Nothing has changed since version 1 of Ward questions")
    expect(page.locator("#plan .report-stale")).to_be_hidden()
    field(page, "seed").fill("7")
    expect(page.locator("#plan .report-stale")).to_be_visible()


def test_freezing_the_same_again_says_so_and_opens_what_there_is(studio, browser, cookies, first):
    page = enter(browser, studio, cookies, "/datasets")
    open_form(page, "Ward questions")
    press(page, "Freeze")
    expect(page.get_by_text("The same as Ward questions, version 1")).to_be_visible(timeout=COLD)
    assert version_of(page) == first


def test_the_report_tells_what_was_dropped_and_why(studio, browser, cookies, second):
    page = enter(browser, studio, cookies, f"/datasets?version={second}&tab=report")
    report = page.locator("#tab-report")
    found = "8 rows hold texts of Ward questions, version 1, test (8 texts). 8 rows dropped."
    expect(report).to_contain_text(found)
    expect(report.locator(".share-table").first).to_contain_text("Seed")
    expect(report.locator(".hits tbody tr")).to_have_count(8)
    record = report.locator(".hits tbody tr a").first
    expect(record).to_have_attribute("href", re.compile(r"/curate\?project=\d+&id=\d+"))
    expect(page.locator("#version-pane .pane-lead").first).to_contain_text("rows with them were dropped")


def test_two_versions_are_compared_row_by_row_and_the_address_says_which(
    studio, browser, cookies, first, second
):
    page = enter(browser, studio, cookies, f"/datasets?version={second}")
    choose(page, "Compare")
    expect(page.locator(".diff-removed")).to_contain_text("8 removed")
    expect(page.locator(".diff-added")).to_contain_text("0 added")
    page.wait_for_url(re.compile(rf"tab=compare&against={first}|against={first}.*tab=compare"))
    again = enter(browser, studio, cookies, page.url.removeprefix(studio.address))
    expect(again.locator(".diff-removed")).to_contain_text("8 removed")
    again.locator("#tab-compare").get_by_label("Removed").check()
    expect(again.locator("#tab-compare tr[data-id]")).to_have_count(8)
    again.locator("#tab-compare tr[data-id]").first.press("Enter")
    expect(again.locator("#change-reading h3")).to_contain_text("removed")
    expect(again.locator("#change-reading .reading").first).not_to_be_empty()


def test_the_lineage_and_the_row_lead_to_where_they_come_from(studio, browser, cookies, first, second):
    page = enter(browser, studio, cookies, f"/datasets?version={second}&tab=lineage")
    expect(page.locator("#lineage")).to_contain_text("72 rows frozen from records of this studio")
    expect(page.locator("#lineage")).to_contain_text("Every record says today what was frozen.")
    choose(page, "Rows")
    page.locator("#tab-rows tr[data-id]").first.click()
    homes = page.locator("#row-reading .row-terms a")
    expect(homes).to_have_text(["Ward questions, version 2", "Ward questions, version 1"])
    assert f"version={first}" in homes.nth(1).get_attribute("href")


def test_the_card_is_shown_and_taken_away_as_it_is(studio, browser, cookies, second):
    page = enter(browser, studio, cookies, f"/datasets?version={second}&tab=card")
    expect(page.locator(".card-text")).to_contain_text("## Decontamination")
    with page.expect_download() as download:
        page.get_by_role("button", name="Download README.md").click()
    engine = connect(f"sqlite:///{studio.data_dir}/studio.db")
    with read() as session:
        card = dataset_card(session, second)
    engine.dispose()
    with open(download.value.path(), encoding="utf-8", newline="") as file:
        assert file.read() == card


def test_a_version_is_exported_in_another_format(studio, browser, cookies, second):
    page = enter(browser, studio, cookies, f"/datasets?version={second}&tab=export")
    press(page, "Export as a file")
    expect(page.locator("#export-said")).to_contain_text("72 rows to export")
    press(page, "Make the file")
    with page.expect_download() as download:
        page.locator("#export-said").get_by_role("link").click()
    with open(download.value.path(), encoding="utf-8") as file:
        assert len([json.loads(line) for line in file]) == 72


def test_a_push_asks_twice_and_links_to_what_it_made(studio, browser, cookies, hub, second):
    page = enter(browser, studio, cookies, f"/datasets?version={second}&tab=export")
    press(page, "Push to the Hub")
    expect(page.locator("#hub-part")).to_contain_text("write it as owner/name", ignore_case=True)
    assert hub.files == {}
    field(page, "repository").fill("ward/questions")
    press(page, "Push to the Hub")
    expect(page.locator("#hub-part .confirm")).to_contain_text(
        "Push 72 rows of Ward questions, version 2 to ward/questions, a private dataset?"
    )
    assert hub.files == {}
    press(page, "Push it")
    expect(page.get_by_text("Pushed to ward/questions")).to_be_visible(timeout=COLD)
    expect(page.get_by_role("link", name="Open it on the Hub")).to_have_attribute(
        "href", f"{hub.url}/datasets/ward/questions"
    )
    assert "data/train-00000-of-00001.parquet" in hub.files
    assert b"version 2" in hub.files["README.md"]
    assert hub.created[0]["visibility"] == "private"


@pytest.mark.parametrize("tab", ["report", "compare", "lineage", "card", "export"])
def test_a_narrow_screen_holds_every_tab(studio, browser, cookies, second, tab):
    page = enter(browser, studio, cookies, f"/datasets?version={second}&tab={tab}", width=390)
    expect(page.locator(f"#tab-{tab} > *").first).to_be_visible()
    assert page.evaluate("document.documentElement.scrollWidth") <= 390
