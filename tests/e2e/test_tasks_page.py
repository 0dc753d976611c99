"""A task in a real browser: a file brought, its prompts looked at, frozen, removed and put back."""

from playwright.sync_api import Browser, expect

from tests.db.tasks import samples
from tests.e2e.conftest import Studio, log_in, open_page

NER = "Extraction: NER, diseases"


def test_a_file_becomes_a_task(browser: Browser, studio: Studio, tmp_path, screenshots):
    cookies = log_in(studio)
    page = open_page(browser, studio)
    page.context.add_cookies([cookies["admin"]])
    page.goto("/tasks")
    expect(page.get_by_text("No task yet.")).to_be_visible()
    page.locator("#add-task-btn").click()
    page.locator("#field-task input").click()
    page.get_by_role("option", name=NER).click()
    expect(page.locator(".task-kind")).to_contain_text("B-Disease")
    page.locator("#field-file input[type=file]").set_input_files(samples.write(tmp_path, "ner-disease"))
    expect(page.locator("#field-file")).to_contain_text("ncbi")
    page.locator("#look-btn").click()
    expect(page.locator("#task-preview")).to_contain_text("breast : B")
    page.screenshot(path=screenshots / "tasks-form.png", full_page=True)
    page.locator("#freeze-btn").click()
    expect(page.locator("#task-pane h2")).to_have_text("NER, diseases")
    expect(page).to_have_url(f"{studio.address}/tasks?task=1")
    page.get_by_role("row", name="No finding").click()
    expect(page.locator("#task-row")).to_contain_text("finding : O")
    page.screenshot(path=screenshots / "tasks.png")
    page.locator("#remove-btn").click()
    page.get_by_role("button", name="Put it back").click()
    expect(page.locator("#task-pane h2")).to_have_text("NER, diseases")
