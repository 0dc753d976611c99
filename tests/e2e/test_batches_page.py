"""A clinician puts a file of prompts to base and tuned, reads the answers by slice and opens one."""

import re
from pathlib import Path

from playwright.sync_api import Browser, expect

from db.enums import Role
from tests.e2e.conftest import Studio, log_in, open_page

FILE = (
    "instruction,input,slice,expected,key\n"
    "Is sore throat among the complaints? Give yes or no.,There is no sore throat at present.,throat,no,one\n"
    "Put this drug information into lay terms.,The leaflet says that bortezomib is for multiple myeloma.,"
    "drugs,bortezomib,two\n"
)
ANSWERED_WITHIN = 180_000  # milliseconds, on two very busy cores


def test_a_file_is_answered_by_both_sides_and_a_row_opens(browser: Browser, studio: Studio, tmp_path: Path):
    file = tmp_path / "wards.csv"
    file.write_text(FILE)
    cookies = log_in(studio, ("clin", "Clara Clinician", [Role.CLINICIAN]))
    page = open_page(browser, studio)
    page.context.add_cookies([cookies["clin"]])
    page.goto("/batches")
    page.get_by_role("button", name="New batch").click()
    page.get_by_role("button", name="I will type no patient data").click()
    page.locator("#form-pane input[type=file]").set_input_files(file)
    expect(page.locator(".batch-preview")).to_contain_text("2 prompts")
    page.locator("#form-pane [data-fold]", has_text="Settings").click()
    page.locator("#field-max-tokens input").fill("12")
    page.get_by_role("button", name="Start batch").click()

    head = page.locator("#run-pane .pane-head")
    expect(head).to_contain_text("wards")
    expect(head).to_contain_text("Finished", timeout=ANSWERED_WITHIN)
    rows = page.locator(".batch-row")
    expect(rows).to_have_count(2)
    expect(rows.first.locator(".batch-answer")).to_have_count(2)
    expect(rows.first.locator(".batch-facts li").first).to_contain_text(re.compile("no (found|missing)"))
    page.get_by_role("button", name="drugs").click()
    expect(rows).to_have_count(1)
    expect(rows).to_contain_text("bortezomib")
    tuned = rows.locator(".side-tuned .batch-text").inner_text()

    rows.get_by_role("link", name="Open in the playground").click()
    expect(page).to_have_url(re.compile(r"/playground\?project=1&comparison=\d+"))
    expect(page.locator("#main")).to_contain_text(tuned.split("\n")[0], timeout=60_000)
