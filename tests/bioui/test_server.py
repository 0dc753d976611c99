"""What the server answers around the pages: health, headers, hosts, other sites, and what it loads."""

import subprocess
import sys

import pytest
from starlette.testclient import TestClient

from bioui.server import host_names
from db import processes
from db.enums import ProcessRole
from db.session import write
from db.settings import REPOSITORY, Settings
from tests.conftest import PASSWORD

HTML = {"accept": "text/html"}


def log_in(client: TestClient, username: str) -> TestClient:
    client.post("/login", data={"username": username, "password": PASSWORD, "next": "/"})
    return client


def test_making_the_server_loads_no_torch(settings, database):
    code = (
        "import sys; from pathlib import Path; from bioui.server import create_server;"
        "from db.settings import Settings; from db.session import connect;"
        f"s = Settings(data_dir=Path({str(settings.data_dir)!r})); connect(s.url); create_server(s);"
        "heavy = {'torch', 'transformers', 'peft', 'trainer'} & set(sys.modules);"
        "sys.exit(str(heavy) if heavy else 0)"
    )
    ran = subprocess.run([sys.executable, "-c", code], cwd=REPOSITORY, capture_output=True, text=True)
    assert ran.returncode == 0, ran.stderr


def test_health_is_told_without_a_login(door):
    answer = door.get("/healthz")
    assert answer.status_code == 200
    assert answer.json() == {"status": "ok", "database": "ok", "worker": "none", "model_server": "none"}
    with write() as session:
        processes.register(session, ProcessRole.WORKER)
    assert door.get("/healthz").json()["worker"] == "ok"


def test_a_page_asked_for_by_nobody_leads_to_the_login_and_back(door):
    answer = door.get("/review?project=1&id=7", headers=HTML)
    assert answer.status_code == 303
    assert answer.headers["location"] == "/login?next=/review%3Fproject%3D1%26id%3D7"
    assert 'value="/review?project=1&amp;id=7"' in door.get(answer.headers["location"]).text


def test_an_endpoint_asked_for_by_nobody_is_401(door):
    assert door.get("/gradio_api/info").status_code == 401
    assert door.post("/gradio_api/upload").status_code == 401


def test_a_page_is_refused_with_a_sentence_to_someone_without_its_right(door):
    answer = log_in(door, "author").get("/admin", headers=HTML)
    assert answer.status_code == 403
    assert "You may not manage people" in answer.text
    assert door.get("/", headers=HTML).status_code == 200


def test_every_answer_carries_the_safe_headers(door):
    for path in ("/login", "/healthz", "/", "/gradio_api/info", "/studio/studio.css"):
        headers = door.get(path).headers
        assert headers["x-frame-options"] == "DENY", path
        assert headers["x-content-type-options"] == "nosniff"
        assert "default-src 'self'" in headers["content-security-policy"]
    assert "unsafe-eval" not in door.get("/login").headers["content-security-policy"]


@pytest.mark.parametrize(
    "headers",
    [
        {"sec-fetch-site": "cross-site"},
        {"sec-fetch-site": "same-site"},
        {"origin": "https://evil.example"},
        {"origin": "null"},
    ],
)
def test_a_form_sent_by_another_site_is_refused(door, headers):
    assert (
        door.post("/login", data={"username": "author", "password": PASSWORD}, headers=headers).status_code
        == 403
    )
    assert log_in(door, "author").post("/gradio_api/queue/join", json={}, headers=headers).status_code == 403


def test_a_form_of_our_own_is_taken(door):
    headers = {"sec-fetch-site": "same-origin", "origin": "http://localhost"}
    form = {"username": "author", "password": PASSWORD, "next": "/"}
    assert door.post("/login", data=form, headers=headers).status_code == 303


def test_a_foreign_host_name_is_refused(door):
    assert door.get("/healthz", headers={"host": "evil.example"}).status_code == 400
    assert door.get("/healthz", headers={"host": "127.0.0.1:7860"}).status_code == 200
    assert "studio.example" in host_names(Settings(host="studio.example"))


def test_no_other_origin_may_read_an_answer(door):
    answer = log_in(door, "author").get("/config", headers={"origin": "https://evil.example"})
    assert "access-control-allow-origin" not in answer.headers


def test_state_and_source_are_never_served(door, app_settings):
    client = log_in(door, "admin")
    for path in (
        app_settings.data_dir / "studio.db",
        REPOSITORY / "bioui" / "server.py",
        REPOSITORY / "README.md",
    ):
        assert client.get(f"/gradio_api/file={path}").status_code in (403, 404), path


def test_what_gradio_keeps_in_the_browser_and_sends_home_is_off(door):
    config = log_in(door, "admin").get("/config").json()
    assert config["run_history"] is False
    assert config["analytics_enabled"] is False
    assert config["footer_links"] == []
