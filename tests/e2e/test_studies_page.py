"""The Studies page in a browser: a study read as a heat map, exported; the miniature made and cancelled."""

from collections.abc import Iterator

import pytest
from playwright.sync_api import Page, expect
from sqlalchemy import select

from db import studies, users
from db.session import connect, read, write
from db.study_miniature import demo_version
from db.tables import BaseModel, Project
from tests.db import studied
from tests.e2e.conftest import Studio, _end_what_is_left, _free_port, log_in, open_page


@pytest.fixture(scope="module")
def studio(tmp_path_factory) -> Iterator[Studio]:
    """Without a worker: what a study waits for is carried out by hand."""
    folder = tmp_path_factory.mktemp("studio")
    with pytest.MonkeyPatch.context() as environment:
        environment.setenv("STUDIO_NO_WORKER", "1")
        running = Studio(folder / "data", _free_port(), folder / "console.txt")
    yield running
    running.stop()
    _end_what_is_left(folder)


@pytest.fixture
def page(studio, browser) -> Page:
    """The page as the first admin, with one study whose runs are done."""
    cookie = log_in(studio)["admin"]
    engine = connect(f"sqlite:///{studio.data_dir}/studio.db")
    with read() as s:
        actor, project_id = users.get_actor(s, "admin"), s.scalar(select(Project.id))
        base = s.scalar(select(BaseModel.id))
        assert demo_version(s, project_id)
    version = studied.freeze_version(actor, project_id)
    tasks = studied.freeze_tasks(actor, project_id, version)
    with write() as s:
        study_id = studies.create(s, actor, project_id, studied.spec(base, version, tasks, name="By hand")).id
    studied.carry_out(actor, study_id, studied.knows, but=("IE + GEN",))
    engine.dispose()
    page = open_page(browser, studio)
    page.context.add_cookies([cookie])
    page.goto("/studies", timeout=60_000)
    return page


def test_a_study_is_started_in_miniature_stopped_and_another_read_and_taken_away(page, screenshots):
    page.locator("tr[data-id]").filter(has_text="By hand").click()
    expect(page.locator("#study-pane h2")).to_have_text("By hand")
    cells = page.locator(".heat-table tbody tr").filter(has_text="QA + IE").locator("td")
    expect(cells).to_contain_text(["+66.7", "+66.7", "+16.7"])
    expect(page.locator(".heat-missing").first).to_have_text("failed")
    expect(page.locator(".study-trouble")).to_contain_text("disk: it is full")
    page.screenshot(path=screenshots / "studies.png")
    page.get_by_role("button", name="Export").click()
    with page.expect_download() as taken:
        page.get_by_role("link", name="by-hand.svg").click()
    assert taken.value.path().read_text(encoding="utf-8").startswith("<svg")

    page.get_by_role("button", name="Close").click()
    page.get_by_role("button", name="Run the miniature").click()
    expect(page.locator("#study-pane h2")).to_have_text("BioInstruct, miniature")
    expect(page.locator(".study-arms tbody tr")).to_have_count(8)
    page.get_by_role("button", name="Cancel study").click()
    page.get_by_role("button", name="Stop it").click()
    expect(page.locator("#study-pane .pane-head .chip")).to_have_text("Cancelled")
    expect(page.locator("#study-pane")).to_contain_text("Resume goes on with what is missing.")

    page.get_by_role("button", name="Close").click()
    page.get_by_role("button", name="Llama2-MedTuned's").click()
    expect(page.locator("#study-pane h2")).to_have_text("Llama2-MedTuned, miniature")
    expect(page.locator(".study-arms tbody th").last).to_have_text("without multiple choice")
