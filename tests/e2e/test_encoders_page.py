"""An encoder baseline in a real browser: from the empty page by its form to a run."""

import re

import pytest
from playwright.sync_api import Page, expect
from sqlalchemy import select

from db import users
from db.enums import Role
from db.session import connect, read
from db.settings import Settings
from db.tables import Project
from tests.e2e.conftest import log_in, open_page
from tests.trainer.encoding import freeze_task


@pytest.fixture(scope="module")
def cookies(studio) -> dict[str, dict]:
    """A studio with train and test rows of one task."""
    found = log_in(
        studio,
        ("tora", "Tora Lind", [Role.TRAINER]),
        ("clara", "Clara Weiss", [Role.CLINICIAN]),
    )
    engine = connect(f"sqlite:///{studio.data_dir}/studio.db")
    with read() as s:
        admin, project_id = users.get_actor(s, "admin"), s.scalar(select(Project.id))
    settings = Settings(data_dir=studio.data_dir)
    freeze_task(settings, (admin, project_id), "ner-disease", 30, "train", seed=1)
    freeze_task(settings, (admin, project_id), "ner-disease", 12, "test", seed=2)
    engine.dispose()
    return found


def page_of(browser, studio, cookies, who: str) -> Page:
    page = open_page(browser, studio)
    page.context.add_cookies([cookies[who]])
    page.goto("/encoders")
    expect(page.get_by_role("heading", name="Encoders", exact=True)).to_be_visible()
    return page


def choose(page: Page, slug: str, option: str) -> None:
    page.locator(f"#field-{slug} input").first.click()
    page.get_by_role("option", name=option).first.click()


def test_a_stand_in_is_started_by_the_form_and_named_for_what_it_is(browser, studio, cookies):
    clara = page_of(browser, studio, cookies, "clara")
    expect(clara.locator(".table-view").first).to_contain_text("No encoder yet.")
    expect(clara.locator("#new-run-btn")).to_have_count(0)

    tora = page_of(browser, studio, cookies, "tora")
    tora.locator("#new-run-btn").click()
    choose(tora, "location", "stand-in (not pretrained)")
    expect(tora.locator("#form-pane")).to_contain_text("never pretrained")
    choose(tora, "train-task", "ner-disease train 1")
    expect(tora.locator("#field-tasks")).to_contain_text("ner-disease test 2")
    tora.get_by_role("button", name="Start tuning").click()
    expect(tora.locator("#form-pane .field-problem, #form-pane [role=alert]").first).to_contain_text("name")
    tora.locator("#field-name input, #field-name textarea").first.fill("Ward BERT")
    tora.get_by_role("button", name="Start tuning").click()
    expect(tora.locator("#run-pane h2")).to_have_text("Ward BERT")
    expect(tora).to_have_url(re.compile(r"job=\d+"))
    expect(tora.locator("#run-pane")).to_contain_text("Stand-in, not pretrained.")
    clara.reload()
    expect(clara.locator(".table tbody tr")).to_contain_text("Ward BERT")
    expect(clara.locator("#run-pane")).not_to_be_visible()
