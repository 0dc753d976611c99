"""A real studio (`python app.py` on a fresh data folder) and a real browser."""

import os
import re
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path

import httpx
import psutil
import pytest
from playwright.sync_api import Browser, Page

from bioui.gate import COOKIE
from db import users
from db.enums import Role
from db.policy import Actor
from db.session import Session, connect, write
from db.tables import User
from tests.conftest import PASSWORD

REPOSITORY = Path(__file__).parent.parent.parent
STARTED_WITHIN = 180  # seconds; migrating, loading the samples, importing gradio on two very busy cores


@dataclass
class Studio:
    """`python app.py` as its own process, on its own data folder and port."""

    data_dir: Path
    port: int
    console: Path
    process: subprocess.Popen = field(init=False)

    def __post_init__(self) -> None:
        self.start()

    @property
    def address(self) -> str:
        return f"http://127.0.0.1:{self.port}"

    def start(self) -> None:
        """Start, and wait until it answers."""
        with self.console.open("ab") as console:
            self.process = subprocess.Popen(
                [sys.executable, "app.py", "--port", str(self.port), "--data-dir", str(self.data_dir)],
                cwd=REPOSITORY,
                stdout=console,
                stderr=console,
                start_new_session=True,
            )
        deadline = time.monotonic() + STARTED_WITHIN
        while time.monotonic() < deadline and self.process.poll() is None:
            try:
                if httpx.get(f"{self.address}/healthz").status_code == 200:
                    return
            except httpx.TransportError:
                time.sleep(0.2)
        pytest.fail(f"the studio did not start; its console says:\n{self.console.read_text()}")

    def stop(self) -> None:
        """Ctrl-C, as a person would."""
        self.process.send_signal(signal.SIGINT)
        self.process.wait(timeout=30)

    def set_up_link(self) -> str:
        return re.findall(r"http://\S+/setup\?token=\S+", self.console.read_text())[-1]


@pytest.fixture(scope="module")
def studio(tmp_path_factory) -> Iterator[Studio]:
    folder = tmp_path_factory.mktemp("studio")
    running = Studio(folder / "data", _free_port(), folder / "console.txt")
    yield running
    running.stop()
    _end_what_is_left(folder)


@pytest.fixture(autouse=True)
def _pages_end_with_their_test(browser: Browser) -> Iterator[None]:
    """A page left open polls on, and takes the two cores from the tests that follow."""
    before = set(browser.contexts)
    yield
    for context in set(browser.contexts) - before:
        context.close()


@pytest.fixture
def screenshots(request) -> Path:
    """Where screenshots go: test-results/, or with --update-screenshots the README's own folder."""
    folder = (
        "docs/screenshots" if request.config.getoption("--update-screenshots") else "test-results/screenshots"
    )
    path = REPOSITORY / folder
    path.mkdir(parents=True, exist_ok=True)
    return path


def log_in(studio: Studio, *people: tuple[str, str, list[Role]]) -> dict[str, dict]:
    """Make the first admin and these (user name, full name, roles); a log-in cookie by user name.

    Straight in the database: only the spine's test walks through the pages that do it.
    """
    engine = connect(f"sqlite:///{studio.data_dir}/studio.db")
    with write() as session:
        token = users.create_set_up_link(session)
        admin = users.redeem_set_up(
            session, token, username="admin", full_name="Ada Admin", password=PASSWORD
        )
        made = [admin, *(_invited(session, users.as_actor(admin), *person) for person in people)]
        cookies = {user.username: _cookie(studio, users.open_session(session, user)) for user in made}
    engine.dispose()
    return cookies


def _invited(session: Session, admin: Actor, username: str, full_name: str, roles: list[Role]) -> User:
    token = users.invite(session, admin, username=username, full_name=full_name, roles=roles)
    return users.redeem_invite(session, token, password=PASSWORD)


def _cookie(studio: Studio, token: str) -> dict:
    return {"name": COOKIE, "value": token, "url": studio.address}


def open_page(
    browser: Browser, studio: Studio, *, width: int = 1440, height: int = 900, dark: bool = False
) -> Page:
    """A page of a browser of one's own (own cookies)."""
    context = browser.new_context(
        viewport={"width": width, "height": height},
        color_scheme="dark" if dark else "light",
        base_url=studio.address,
    )
    page = context.new_page()
    page.set_default_timeout(20_000)
    return page


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]


def _end_what_is_left(folder: Path) -> None:
    """Workers, their children and model servers outlive the studio on purpose; not a test's, though."""
    for process in psutil.process_iter():
        try:
            ours = process.environ().get("STUDIO_DATA_DIR", "").startswith(str(folder))
        except psutil.Error:
            continue
        if ours and process.pid != os.getpid():
            process.kill()
