"""The Leaderboard in a real browser, the real worker and the starter model: queue, watch, read the board."""

import csv
import re

from playwright.sync_api import expect

from db import datasets, projects, registry, task_versions, users
from db.enums import Category
from db.session import connect, write
from tests.e2e.conftest import log_in, open_page

COLD = 180_000  # milliseconds; importing torch on two busy cores
ROWS = 8


def freeze_demo_rows(studio) -> tuple[int, int]:
    """A few held-out demo rows as a task; (its id, the shipped adapter's)."""
    engine = connect(f"sqlite:///{studio.data_dir}/studio.db")
    with write() as session:
        project = projects.list_projects(session)[0]
        version = datasets.list_versions(session, project.id)[0]
        task = task_versions.freeze_dataset(
            session,
            users.get_actor(session, "admin"),
            project.id,
            dataset_version_id=version.id,
            category=Category.QA,
            limit=ROWS,
            name="Demo questions",
            is_general=True,
        )
        session.flush()
        found = task.id, registry.list_adapters(session, project.id)[0].id
    engine.dispose()
    return found


def test_base_and_adapter_are_evaluated_watched_and_stand_on_the_board_with_the_gain(
    studio, browser, screenshots
):
    cookie = log_in(studio)["admin"]
    page = open_page(browser, studio)
    page.context.add_cookies([cookie])
    _, adapter_id = freeze_demo_rows(studio)
    page.goto(f"/evaluate?adapter={adapter_id}", timeout=60_000)
    expect(page.get_by_text("No model is scored yet.")).to_be_visible()

    page.get_by_role("button", name="Evaluate models").click()
    page.get_by_label(f"Demo questions ({ROWS} rows, general)").check()
    expect(page.locator("#field-with-base")).to_contain_text("Score the base, too: starter (1 task)")
    expect(page.locator("#field-with-base input")).to_be_checked()
    page.get_by_role("button", name="Start evaluating").dblclick()
    expect(page.locator("#run-pane h2")).to_have_text("starter on 1 task")
    expect(page).to_have_url(re.compile(r"job=\d+"))
    expect(page.locator(".lb-work tr[data-id]")).to_have_count(2)  # a double click queues no more
    expect(page.get_by_text("All rows are scored")).to_be_visible(timeout=COLD)

    cell = page.locator("tr.lb-tuned .lb-cell").first
    expect(cell.locator(".lb-range")).to_contain_text(" to ", timeout=COLD)
    expect(cell.locator(".lb-second")).to_have_text(re.compile(r"^\+\d+\.\d \([+-]?\d+\.\d to \+\d+\.\d\)$"))
    expect(page.locator("tr.lb-base .lb-figure").first).to_have_text("0.0 %")
    expect(page.locator("tr.lb-tuned .gate .chip")).to_have_text("Gate passed")
    expect(page.locator(".lb-forest tbody th").first).to_contain_text("Demo questions")

    page.get_by_role("button", name="Gains", exact=True).click()
    expect(page.locator("tr.lb-tuned .lb-figure").first).to_have_text(re.compile(r"^\+\d"))
    expect(page).to_have_url(re.compile(r"show=gains"))
    with page.expect_download() as download:
        page.get_by_role("link", name="Download CSV").click()
    with open(download.value.path(), encoding="utf-8", newline="") as file:
        assert [row[0] for row in csv.reader(file)] == ["model", "starter", "Starter demo"]

    page.goto("/evaluate")
    expect(page.locator("tr.lb-tuned .lb-figure").first).to_be_visible()
    page.screenshot(path=screenshots / "evaluate.png")
    page.set_viewport_size({"width": 390, "height": 900})
    assert page.evaluate("document.documentElement.scrollWidth") <= 390
