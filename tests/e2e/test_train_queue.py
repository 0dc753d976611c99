"""Three runs in the queue, put in another order, one stopped and resumed, two laid over each other."""

import pytest
from playwright.sync_api import Locator, Page, expect
from sqlalchemy import select

from db import datasets, users
from db.content import Content
from db.datasets import FrozenRow
from db.enums import Split
from db.session import connect, read, write
from db.tables import Attempt, Job, Project
from tests.e2e.conftest import log_in, open_page

COLD = 180_000  # milliseconds; importing torch on two busy cores


@pytest.fixture
def page(studio, browser) -> Page:
    """The Train page as the first admin, with a version of four rows to train on."""
    cookie = log_in(studio)["admin"]
    engine = connect(f"sqlite:///{studio.data_dir}/studio.db")
    with write() as session:
        actor, project_id = users.studio_account(session), session.scalar(select(Project.id))
        dataset = datasets.create_dataset(session, actor, project_id, name="Four rows")
        rows = [FrozenRow(Split.TRAIN, Content(f"Name colour {n}.", output=f"Colour {n}.")) for n in range(4)]
        datasets.freeze_rows(session, actor, dataset, rows, recipe={})
    engine.dispose()
    page = open_page(browser, studio)
    page.context.add_cookies([cookie])
    page.goto("/train", timeout=60_000)
    return page


def start(page: Page, name: str, epochs: str, batch_size: str = "8") -> None:
    page.get_by_role("button", name="New run").click()
    expect(page.locator("#form-pane h2")).to_have_text("New run")
    expect(page.locator("#field-dataset-version input")).to_have_value(
        "Four rows, version 1 (4 rows to train on)"
    )
    page.locator("#field-adapter-name input, #field-adapter-name textarea").first.fill(name)
    page.locator("#field-epochs input").fill(epochs)
    page.locator("#field-batch-size input").fill(batch_size)
    page.get_by_role("button", name="Start training").click()
    expect(page.locator("#run-pane h2")).to_have_text(name)


def row(page: Page, name: str) -> Locator:
    return page.locator(".run-list tr[data-id]").filter(has_text=name)


def chip(page: Page) -> Locator:
    return page.locator("#run-pane .pane-head .chip")


def test_runs_wait_in_the_order_people_give_them_and_are_compared(studio, page):
    start(page, "Long", "1000", batch_size="1")
    for name in ("Second", "Third"):
        start(page, name, "2")
    expect(row(page, "Long").locator(".chip")).to_have_text("Running", timeout=COLD)
    expect(page.locator(".run-list tr[data-id]")).to_contain_text(["Long", "Second", "Third"])
    row(page, "Third").get_by_role("button", name="Let it go earlier").click()
    expect(page.locator(".run-list tr[data-id]").nth(1)).to_contain_text("Third")

    row(page, "Long").click()
    expect(page.locator("#run-pane .chart").first).to_be_visible(timeout=COLD)
    page.get_by_role("button", name="Cancel run").click()
    page.get_by_role("button", name="Stop and save").click()
    expect(chip(page)).to_have_text("Cancelled", timeout=COLD)
    page.get_by_role("button", name="Resume").click()
    expect(chip(page)).to_have_text("Queued")  # behind those that wait
    expect(row(page, "Second").locator(".chip")).to_have_text("Finished", timeout=COLD)
    assert began(studio, "Third") < began(studio, "Second")
    expect(chip(page)).to_have_text("Running", timeout=COLD)
    expect(page.locator("#run-pane .log")).to_contain_text("resuming from checkpoint-", timeout=COLD)
    page.get_by_role("button", name="Cancel run").click()
    page.get_by_role("button", name="Stop and discard").click()
    expect(chip(page)).to_have_text("Cancelled", timeout=COLD)
    assert not (studio.data_dir / "jobs" / "1" / "checkpoints").exists()

    page.locator("#run-pane").get_by_role("button", name="Close").click()
    for name in ("Second", "Third"):
        row(page, name).get_by_role("checkbox").check()
    page.get_by_role("button", name="Compare 2 runs").click()
    chart = page.locator("#compare-pane .chart")
    expect(chart.locator(".chart-labels > span")).to_have_count(2)
    expect(page.locator("#compare-pane .compare-table")).to_contain_text("Finished")
    page.locator("#field-metric input").click()
    page.get_by_role("option", name="Learning rate").click()
    expect(chart.locator("figcaption")).to_have_text("Learning rate")
    address = page.url
    page.goto(address)
    expect(page.locator("#compare-pane h2")).to_have_text("2 runs side by side")


def began(studio, name: str):
    """When a worker first took the run of that name."""
    engine = connect(f"sqlite:///{studio.data_dir}/studio.db")
    with read() as session:
        query = select(Attempt.started_at).join(Job, Job.id == Attempt.job_id).where(Job.name == name)
        found = session.scalars(query.order_by(Attempt.id)).first()
    engine.dispose()
    return found
