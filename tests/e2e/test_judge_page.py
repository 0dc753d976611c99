"""A judge in a real browser: answers compared and graded, reasons read, and raters set beside people."""

import csv
from pathlib import Path

import pytest
from playwright.sync_api import Page, expect
from sqlalchemy import select

from db import endpoints, users
from db.endpoints import Offer
from db.enums import Role
from db.session import connect, write
from db.tables import Project
from tests.e2e.conftest import log_in, open_page
from tests.scripted_endpoint import ScriptedEndpoint
from tests.trainer.judging.conftest import GOOD, answer_twice, verdict


@pytest.fixture(scope="module")
def judge():
    with ScriptedEndpoint(write=verdict) as running:
        yield running


@pytest.fixture(scope="module")
def cookies(studio, judge) -> dict[str, dict]:
    """A studio with two evaluations of one task and a model that judges."""
    found = log_in(
        studio,
        ("tora", "Tora Lind", [Role.TRAINER]),
        ("clara", "Clara Weiss", [Role.CLINICIAN]),
    )
    engine = connect(f"sqlite:///{studio.data_dir}/studio.db")
    with write() as s:
        admin = users.get_actor(s, "admin")
        endpoints.add(s, admin, Offer("Judge model", judge.url, "m"), private=True)
        answer_twice(s, admin.id, s.scalar(select(Project.id)))
    engine.dispose()
    return found


def page_of(browser, studio, cookies, who: str, path: str = "/judge") -> Page:
    page = open_page(browser, studio)
    page.context.add_cookies([cookies[who]])
    page.goto(path)
    expect(page.get_by_role("heading", name="Judge", exact=True)).to_be_visible()
    return page


def choose(page: Page, slug: str, option: str) -> None:
    page.locator(f"#field-{slug} input").click()
    page.get_by_role("option", name=option).click()


def test_answers_are_judged_in_both_orders_and_the_reasons_read(browser, studio, cookies):
    page = page_of(browser, studio, cookies, "tora")
    expect(page.locator(".table-view").first).to_contain_text("No judge run yet.")
    page.get_by_role("button", name="Judge answers").click()
    choose(page, "answers", "Careful on Advice")
    choose(page, "compared-with", "Careless on Advice")
    expect(page.locator("#form-pane")).to_contain_text("32 verdicts for 8 rows: at most")
    page.get_by_role("button", name="Start judging").click()
    pane = page.locator("#run-pane")
    expect(pane.locator("h2")).to_have_text("Careful against Careless")
    expect(pane.locator(".chip").first).to_have_text("Finished", timeout=90_000)
    expect(pane).to_contain_text("Careful won 88%")
    expect(pane.locator(".judge-outcomes")).to_contain_text("Won in both orders")
    expect(pane).to_contain_text("32 verdicts asked for")

    pane.locator("tr[data-id]").first.click()
    row = page.locator("#judge-row")
    expect(row).to_contain_text(GOOD)
    expect(row).to_contain_text("Careless first: Preferred Careless.")  # row 1: whatever stands first
    page.reload()
    expect(page.locator("#run-pane h2")).to_have_text("Careful against Careless")


def test_a_clinician_reads_and_starts_nothing(browser, studio, cookies):
    page = page_of(browser, studio, cookies, "clara")
    expect(page.locator("#new-judge-btn")).to_be_hidden()
    page.locator("tr[data-id]").first.click()
    expect(page.locator("#run-pane")).to_contain_text("Careful won 88%")
    expect(page.get_by_role("button", name="Resume")).to_be_hidden()


def test_measures_are_set_beside_people(browser, studio, cookies, tmp_path):
    page = page_of(browser, studio, cookies, "tora")
    expect(page.locator("#raters")).to_contain_text("No answers with people's scores yet.")
    page.get_by_role("button", name="Bring answers with people's scores").click()
    page.set_input_files("#field-answers-file input[type=file]", _scored(tmp_path / "summaries.csv"))
    for slug, text in (("name", "Systems"), ("prompt-column", "talk"), ("reference-column", "reference")):
        page.locator(f"#field-{slug} input, #field-{slug} textarea").first.fill(text)
    bring = page.get_by_role("button", name="Bring the answers")
    bring.click()
    expect(page.locator("#raters .problem")).to_contain_text("None is named; it has talk")
    page.locator("#field-answer-column input, #field-answer-column textarea").first.fill("summary")
    bring.click()
    agreement = page.get_by_role("table", name="Agreement with people")
    expect(agreement).to_contain_text("ROUGE-L", timeout=60_000)
    expect(agreement).to_contain_text("Beside facts")


def _scored(path: Path) -> Path:
    facts = ("Metformin was stopped.", "The eGFR is 25.", "Potassium is high.", "She denies chest pain.")
    with path.open("w", newline="", encoding="utf-8") as file:
        writer = csv.writer(file)
        writer.writerow(["talk", "reference", "summary", "facts"])
        for number in range(12):
            told = " ".join(facts[: 1 + number // 3])
            writer.writerow([f"Visit {number % 3}.", " ".join(facts), told, (1 + number // 3) / 4])
    return path
