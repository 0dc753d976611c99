"""Fixtures of every test: its own migrated database file, people of each role, a browser.

Migrating and hashing take a second or so: both are done once, and each test gets a copy of the file.
"""

import asyncio
import shutil
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest
from playwright.sync_api import Browser, Error, expect, sync_playwright

from db import migrate, users
from db.enums import Role
from db.policy import Actor
from db.session import connect, read, write
from db.settings import Settings
from db.tables import Project

PASSWORD = "correct horse battery"
expect.set_options(timeout=30_000)  # of every browser test: two busy cores


@dataclass(frozen=True)
class People:
    """One person for each role, and a second author and reviewer."""

    admin: Actor
    author: Actor
    reviewer: Actor
    trainer: Actor
    clinician: Actor
    other_author: Actor
    other_reviewer: Actor


INVITED = {
    "author": Role.AUTHOR,
    "reviewer": Role.REVIEWER,
    "trainer": Role.TRAINER,
    "clinician": Role.CLINICIAN,
    "other_author": Role.AUTHOR,
    "other_reviewer": Role.REVIEWER,
}


def pytest_addoption(parser) -> None:
    parser.addoption(
        "--update-screenshots", action="store_true", help="write the browser tests' screenshots to docs/"
    )


# Processes take whole files in this order: a long one that began last would leave the other cores idle, and a
# browser that waits goes well beside what computes. What is not named comes after, as it was collected.
LONG_FILES = (
    "e2e/test_datasets_and_train.py", "e2e/test_evaluate_page.py", "e2e/test_results_page.py",
    "e2e/test_judge_page.py", "e2e/test_studies_page.py", "bioui/test_endpoints.py", "e2e/test_spine.py",
    "trainer/generating/test_generate.py", "e2e/test_curate_and_review.py", "trainer/test_worker.py",
    "trainer/test_slurm.py", "trainer/test_launch.py", "e2e/test_blind_round.py", "e2e/test_batches_page.py",
    "e2e/test_generate_page.py", "db/test_bulk.py", "e2e/test_endpoints_page.py", "trainer/test_convert.py",
    "e2e/test_playground.py", "db/test_exchange_hub.py", "e2e/test_versions.py", "trainer/test_train.py",
    "e2e/test_guidelines.py", "db/test_leases.py", "e2e/test_convert_page.py", "bioui/test_in_browser.py",
    "e2e/test_import.py", "trainer/generating/test_kills.py", "e2e/test_coverage.py",
    "db/test_ten_clients.py", "e2e/test_event_stream.py", "trainer/serve/test_lifecycle.py",
    "trainer/serve/test_chaos.py", "trainer/test_room.py",
    "bioui/test_server.py",
)  # fmt: skip


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    places = {Path(__file__).parent / name: place for place, name in enumerate(LONG_FILES)}
    items.sort(key=lambda item: places.get(item.path, len(places)))


@pytest.fixture(autouse=True)
def _no_loop_but_ones_own(request) -> Iterator[None]:
    """Between two calls of the browser its event loop counts as running in this thread, for all the tests
    after; asyncio.run would refuse. Tests without a browser are spared it."""
    loop = asyncio._get_running_loop()
    if loop is None or "browser" in request.fixturenames:
        yield
        return
    asyncio._set_running_loop(None)
    yield
    asyncio._set_running_loop(loop)


@pytest.fixture
def settings(tmp_path: Path) -> Settings:
    studio = Settings(data_dir=tmp_path / "data")
    studio.make_folders()
    return studio


@pytest.fixture
def database(settings: Settings, empty_file: Path):
    """The engine of an empty, migrated database that `read()` and `write()` are bound to."""
    shutil.copy(empty_file, settings.data_dir / "studio.db")
    engine = connect(settings.url)
    yield engine
    engine.dispose()


@pytest.fixture
def people(settings: Settings, database, peopled_file: Path) -> People:
    """Everybody, with PASSWORD as their password."""
    database.dispose()
    shutil.copy(peopled_file, settings.data_dir / "studio.db")
    with read() as session:
        return People(*(users.get_actor(session, name) for name in ("admin", *INVITED)))


@pytest.fixture
def project_id(people) -> int:
    with write() as session:
        project = Project(name="Ward 7")
        session.add(project)
        session.flush()
        return project.id


@pytest.fixture(scope="session")
def empty_file(tmp_path_factory) -> Path:
    path = tmp_path_factory.mktemp("empty") / "studio.db"
    engine = connect(f"sqlite:///{path}")
    migrate.upgrade(engine)
    engine.dispose()
    return path


@pytest.fixture(scope="session")
def peopled_file(tmp_path_factory, empty_file: Path) -> Path:
    path = tmp_path_factory.mktemp("people") / "studio.db"
    shutil.copy(empty_file, path)
    engine = connect(f"sqlite:///{path}")
    with write() as session:
        token = users.create_set_up_link(session)
        admin = users.as_actor(
            users.redeem_set_up(session, token, username="admin", full_name="Ada Admin", password=PASSWORD)
        )
        for name, role in INVITED.items():
            full_name = name.replace("_", " ").title()
            invitation = users.invite(session, admin, username=name, full_name=full_name, roles=[role])
            users.redeem_invite(session, invitation, password=PASSWORD)
    engine.dispose()
    return path


@pytest.fixture(scope="session")
def browser() -> Iterator[Browser]:
    """Debian's chromium where it is installed, else Playwright's own."""
    with sync_playwright() as playwright:
        try:
            chromium = playwright.chromium.launch(
                executable_path=shutil.which("chromium"),
                args=["--no-sandbox", "--disable-background-networking"],
            )
        except Error as error:
            pytest.fail(
                "The browser tests found no Chromium: run `apt-get install chromium`, or "
                f"`{sys.executable} -m playwright install chromium`, and try again. "
                f"({error.message.splitlines()[0]})"
            )
        yield chromium
        chromium.close()
