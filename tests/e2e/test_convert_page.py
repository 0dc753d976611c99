"""A corpus becomes instructions in a real browser: looked at, converted, reckoned, taken back."""

from collections.abc import Callable

import pytest
from playwright.sync_api import Page, expect

from db.enums import Role
from tests.corpora import corpus
from tests.e2e.conftest import log_in, open_page


@pytest.fixture(scope="module")
def cookies(studio) -> dict[str, dict]:
    return log_in(studio, ("rita", "Rita Berg", [Role.REVIEWER]))


@pytest.fixture
def page_at(browser, studio, cookies) -> Callable[..., Page]:
    def open_at(path: str, **options) -> Page:
        page = open_page(browser, studio, **options)
        page.context.add_cookies([cookies["rita"]])
        page.goto(path)
        return page

    return open_at


def sentences(count: int) -> str:
    """Invented, tagged, all different; every third has no mention."""
    return "".join(
        f"Patient\tO\nx{number}\tO\nhas\tO\ngout\t{'O' if number % 3 == 2 else 'B-Disease'}\n\n"
        for number in range(count)
    )


def open_form(page: Page) -> None:
    expect(page.locator(".table-view").first).to_contain_text("conversion", ignore_case=True)
    expect(page.locator(".bar nav a").first).to_be_visible()
    page.locator("#new-conversion-btn").click()
    expect(page.locator("#field-file")).to_be_visible()


def choose(page: Page, path) -> None:
    page.locator("#field-file input[type=file]").set_input_files(path)


def convert(page: Page, path, name: str, rows: str) -> None:
    """From the file to the stored records."""
    choose(page, path)
    expect(page.locator(".convert-rows > li")).to_have_count(5)
    expect(page.locator(".convert-details .facts").first).to_contain_text(rows)
    expect(page.locator(".convert-gold mark").first).to_contain_text("Disease")
    page.locator("#read-back input").check()
    expect(page.locator(".convert-back .chip-approved")).to_have_count(5)
    page.locator("#field-name").locator("textarea, input").fill(name)
    page.locator("#add-btn").click()
    expect(page.locator("#convert-mixture")).to_contain_text(name)
    expect(page.locator("#convert-plan")).to_contain_text(f"{rows} rows would be taken")
    page.locator("#start-btn").click()
    expect(page.locator("#run-pane h2")).to_have_text(name)


def test_an_invented_corpus_is_converted_looked_at_and_taken_back(page_at, tmp_path, screenshots):
    path = tmp_path / "wards.tsv"
    path.write_text(sentences(60), encoding="utf-8")
    page = page_at("/convert?project=1")
    open_form(page)
    convert(page, path, "Wards", "60")
    expect(page.locator("#run-pane .notice-approved")).to_contain_text("60 records stored")
    page.screenshot(path=screenshots / "convert.png")
    run = page.url

    page.get_by_role("link", name="What they are made of").click()
    expect(page.locator("#field-scope input")).to_have_value("Wards (number 1)")
    page.locator("#reckon-btn").click()
    expect(page.locator("#composition")).to_contain_text("60")
    expect(page.locator(".rank-chart").nth(1)).to_contain_text("named entity recognition")
    expect(page.locator(".composition-lengths figure")).to_have_count(3)
    page.screenshot(path=screenshots / "composition.png", full_page=True)

    page.goto(run)
    page.get_by_role("link", name="These records in Curate").click()
    expect(page.locator(".item").first).to_contain_text("disease", ignore_case=True)

    page.goto(run)
    page.locator("#take-back-btn").click()
    expect(page.locator(".confirm")).to_contain_text("60 records will be deleted for good")
    page.locator("#sure-btn").click()
    expect(page.locator("#run-pane")).to_contain_text("its records are gone", ignore_case=True)
    page.goto("/curate?project=1&origin=converted")
    expect(page.locator(".list-side")).to_contain_text("Nothing matches.")


def test_ncbi_disease_is_converted_from_the_papers_set(page_at):
    path = corpus("ncbi-disease", "test.tsv")
    page = page_at("/convert?project=1")
    open_form(page)
    page.locator(".convert-paper [data-fold]").click()
    page.locator('[data-bring="ncbi-disease"]').click()
    expect(page.locator(".toast-body")).to_contain_text("NCBI-disease")
    convert(page, path, "ncbi-disease", "940")
    # One of the 940 sentences stands in the file twice.
    expect(page.locator("#run-pane .notice-approved")).to_contain_text("records stored")
    expect(page.locator("#run-pane .convert-figures")).to_contain_text("940")


def test_a_broken_file_tells_its_line_and_nothing_typed_is_lost(page_at, tmp_path):
    path = tmp_path / "broken.tsv"
    path.write_text(sentences(10) + "Patient\tO\ngout\n", encoding="utf-8")
    page = page_at("/convert?project=1")
    open_form(page)
    page.locator("#field-conversion-name").locator("textarea, input").fill("My wards")
    choose(page, path)
    expect(page.locator("#form-pane .problem")).to_contain_text("Line 52")
    expect(page.locator("#field-conversion-name").locator("textarea, input")).to_have_value("My wards")


def test_a_conversion_is_cancelled_and_resumed_without_a_row_twice(page_at, tmp_path):
    path = tmp_path / "long.tsv"
    path.write_text(sentences(6_000), encoding="utf-8")
    page = page_at("/convert?project=1")
    open_form(page)
    choose(page, path)
    expect(page.locator(".convert-rows > li")).to_have_count(5)
    page.locator("#field-name").locator("textarea, input").fill("Long")
    page.locator("#add-btn").click()
    page.locator("#start-btn").click()
    page.locator("#cancel-btn").click()
    expect(page.locator("#run-pane .notice")).to_contain_text("Cancelled with")
    page.locator("#resume-btn").click()
    expect(page.locator("#run-pane .notice-approved")).to_contain_text("6,000 records stored")


@pytest.mark.parametrize("dark", [False, True])
def test_the_page_fits_a_phone(page_at, tmp_path, dark):
    path = tmp_path / "wards.tsv"
    path.write_text(sentences(9), encoding="utf-8")
    page = page_at("/convert?project=1", width=390, dark=dark)
    open_form(page)
    choose(page, path)
    expect(page.locator(".convert-rows > li")).to_have_count(5)
    assert page.evaluate("document.documentElement.scrollWidth") <= 390
