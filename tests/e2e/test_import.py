"""Files in and out in a real browser: columns, faults by line, duplicates, an export that comes back."""

import csv
import json
import re
from collections.abc import Callable, Iterator

import pytest
from playwright.sync_api import Page, expect

from db.enums import Role
from tests.e2e.conftest import log_in, open_page

ROWS = [
    {"question": f"Which nerve supplies muscle number {n}?", "reply": f"Nerve {n}.", "ward": "7"}
    for n in range(30)
]


@pytest.fixture(scope="module")
def cookies(studio) -> dict[str, dict]:
    return log_in(studio, ("nora", "Nora Aasen", [Role.AUTHOR]))


@pytest.fixture
def page_at(browser, studio, cookies) -> Iterator[Callable[..., Page]]:
    """`page_at("/import")`: that page in a browser of Nora's own; closed after the test."""
    opened = []

    def open_at(path: str, **options) -> Page:
        page = open_page(browser, studio, **options)
        opened.append(page)
        page.context.add_cookies([cookies["nora"]])
        page.goto(path)
        return page

    yield open_at
    for page in opened:
        page.context.close()


def choose(page: Page, path) -> None:
    """Upload the file, and wait until it was looked at."""
    expect(page.locator(".step").first).to_be_visible()
    page.locator("#field-file input[type=file]").set_input_files(path)
    expect(page.locator(".import-facts h2")).to_have_text(path.name)


def map_column(page: Page, field: str, column: str) -> None:
    page.locator(f"#column-{field} input").click()
    page.get_by_role("option", name=column, exact=True).click()
    expect(page.locator(f"#column-{field} input")).to_have_value(column)


def look(page: Page) -> None:
    page.get_by_role("button", name="Look at the rows").click()
    expect(page.locator(".import-tab").first).to_be_visible()


def count(page: Page, which: str):
    return page.locator(f"[data-which={which}] b")


def pick(page: Page, which: str) -> None:
    page.locator(f"[data-which={which}]").click()
    expect(page.locator(f"[data-which={which}]")).to_have_attribute("aria-pressed", "true")


def write_csv(path, rows: list[dict]):
    with path.open("w", newline="", encoding="utf-8") as file:
        writer = csv.DictWriter(file, list(rows[0]))
        writer.writeheader()
        writer.writerows(rows)
    return path


def test_faults_are_told_by_line_and_come_as_a_file(page_at, tmp_path):
    path = tmp_path / "faulty.jsonl"
    good = [json.dumps({"instruction": f"Question {n}?", "output": "Yes."}) for n in range(5)]
    path.write_text(
        "\n".join([*good, "not json", '{"output": "no question"}', '{"instruction": "q", "tags": 3}'])
    )
    page = page_at("/import?project=1")
    choose(page, path)
    expect(page.locator(".import-facts")).to_contain_text("1 cannot be read")
    look(page)
    expect(count(page, "invalid")).to_have_text("3")
    expect(page.locator(".import-rows li")).to_have_count(3)
    expect(page.locator("#confirm-import-btn")).to_be_hidden()
    with page.expect_download() as download:
        page.locator(".import-lead a").click()
    with open(download.value.path(), encoding="utf-8-sig", newline="") as file:
        faults = list(csv.DictReader(file))
    assert [(fault["line"], fault["field"]) for fault in faults] == [
        ("6", ""),
        ("7", "instruction"),
        ("8", "tags"),
    ]
    page.goto("/curate?project=1&origin=imported")
    expect(page.locator(".list-side")).to_contain_text("Nothing matches.")


def test_mapped_columns_are_imported_and_the_same_file_again_is_all_duplicates(page_at, tmp_path):
    path = write_csv(tmp_path / "ward.csv", ROWS)
    page = page_at("/import?project=1")
    choose(page, path)
    expect(page.locator(".import-facts")).to_contain_text("CSV with commas")
    expect(page.locator("#column-instruction input")).to_have_value("question")
    map_column(page, "output", "reply")
    expect(page.locator(".map-row", has=page.locator("#column-output"))).to_contain_text("Nerve 0.")
    page.locator("#import-task").locator("textarea, input").fill("qa")
    look(page)
    expect(count(page, "new")).to_have_text("30")
    page.locator("#import-submit input").check()
    page.get_by_role("button", name=re.compile("Import 30 rows|Import 1 row")).click()
    expect(page.locator(".notice-approved")).to_contain_text("imported")
    expect(page.locator(".notice-approved")).to_contain_text("went to the reviewers")
    page.get_by_role("link", name="See the imported rows").click()
    expect(page.locator(".item").first).to_contain_text("Which nerve supplies muscle number")

    again = page_at("/import?project=1")
    choose(again, path)
    map_column(again, "output", "reply")
    again.locator("#import-task").locator("textarea, input").fill("qa")
    look(again)
    expect(count(again, "duplicate")).to_have_text("30")
    pick(again, "duplicate")
    expect(again.locator("#import-rows")).to_contain_text("There is nothing to import.")
    link = again.locator(".import-rows li").first.get_by_role("link")
    again.goto(link.get_attribute("href"))
    expect(again.locator("#field-instruction textarea")).to_have_value(
        "Which nerve supplies muscle number 0?"
    )


def test_patient_data_and_near_copies_are_shown_and_left_out(page_at, tmp_path):
    texts = [
        "Describe how a clinician measures the ankle brachial index at the bedside.",
        "Describe how a clinician measures an ankle brachial index at the bedside.",
        "Summarise the visit of the patient with MRN 00482913, born 12/03/1931.",
    ]
    rows = [{"instruction": text, "output": "Shown."} for text in texts]
    path = tmp_path / "rows.jsonl"
    path.write_text("\n".join(map(json.dumps, rows)))
    page = page_at("/import?project=1")
    choose(page, path)
    look(page)
    expect(page.get_by_role("button", name="Import 1 row")).to_be_visible()
    pick(page, "near")
    expect(page.locator(".import-rows li")).to_contain_text("A near copy of line 1")
    pick(page, "private")
    expect(page.locator(".import-rows mark").last).to_contain_text("12/03/1931")
    page.locator("#leave-near input").uncheck()
    expect(page.get_by_role("button", name="Import 2 rows")).to_be_visible()
    # What was shown does not hold any more.
    page.locator("#import-task").locator("textarea, input").fill("qa")
    expect(page.locator("#confirm-import-btn")).to_be_hidden()


def test_an_export_holds_exactly_the_filtered_rows_and_comes_back_as_known(page_at, tmp_path):
    page = page_at("/curate?project=1&category=IE")
    expect(page.locator(".item").first).to_be_visible()
    page.locator("#export-btn").click()
    said = page.locator("#export-said")
    expect(said).to_contain_text(re.compile(r"\d+ rows to export"))
    rows = int(re.search(r"(\d+) rows to export", said.inner_text())[1])
    page.locator("#field-format input").click()
    page.get_by_role("option", name="CSV", exact=True).click()
    expect(said).to_contain_text("For a spreadsheet")
    page.locator("#make-export-btn").click()
    with page.expect_download() as download:
        said.get_by_role("link", name="Download instructions.csv").click()
    path = tmp_path / download.value.suggested_filename
    download.value.save_as(path)
    with path.open(encoding="utf-8-sig", newline="") as file:
        exported = list(csv.DictReader(file))
    assert len(exported) == rows
    assert {row["category"] for row in exported} == {"IE"}

    back = page_at("/import?project=1")
    choose(back, path)
    look(back)
    expect(count(back, "duplicate")).to_have_text(str(rows))
    expect(count(back, "new")).to_have_text("0")


@pytest.mark.parametrize("dark", [False, True])
def test_the_page_fits_a_phone(page_at, tmp_path, dark):
    page = page_at("/import?project=1", width=390, dark=dark)
    choose(page, write_csv(tmp_path / "ward.csv", ROWS))
    look(page)
    assert page.evaluate("document.documentElement.scrollWidth") <= 390
