"""The webhook against a real HTTP server: what is sent, when it is tried again, what never leaves."""

import json
import threading
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import pytest

from db import audit, jobs, notices, processes
from db.enums import JobKind, JobStatus, ProcessRole, Role
from db.notices import Webhook
from db.policy import Actor, PolicyError
from db.session import read, write
from trainer.courier import Courier

ADDRESS = "https://studio.example"


class Receiver(BaseHTTPRequestHandler):
    """Answers with the statuses it was given, the last one for ever; keeps what came."""

    def do_POST(self):
        body = self.rfile.read(int(self.headers["Content-Length"]))
        self.server.received.append((self.path, dict(self.headers), json.loads(body)))
        status = self.server.statuses[min(len(self.server.received), len(self.server.statuses)) - 1]
        self.send_response(status)
        if status == 302:
            self.send_header("Location", "/elsewhere")
        self.send_header("Content-Length", "0")
        self.end_headers()

    def log_message(self, *_args):
        pass


@pytest.fixture
def receive():
    """receive(*statuses) -> a server, with `url` and `received`."""
    made = []

    def start(*statuses):
        server = ThreadingHTTPServer(("127.0.0.1", 0), Receiver)
        server.statuses, server.received = statuses or (204,), []
        server.url = f"http://127.0.0.1:{server.server_port}/hook?room=7"
        threading.Thread(target=server.serve_forever, daemon=True).start()
        made.append(server)
        return server

    yield start
    for server in made:
        server.shutdown()
        server.server_close()


@pytest.fixture
def admin(studio):
    return Actor(studio[0].id, "admin", "Admin", frozenset(Role))


@pytest.fixture
def hook(studio, admin):
    def put(url, **given):
        with write() as s:
            notices.set_webhook(s, admin, studio[1], Webhook(url, **{"private": True, **given}))

    return put


@pytest.fixture
def end(queue):
    """end(status, kind=) -> number of a job that just ended so."""

    def act(status=JobStatus.FINISHED, kind=JobKind.TRAIN, error="", **settings) -> int:
        job_id = queue(kind, **settings)
        with write() as s:
            job = jobs.claim_next(s, processes.register(s, ProcessRole.WORKER).id, job_id=job_id)
            jobs.close(s, job_id, job.attempt, status, error=error)
        return job_id

    return act


def told():
    with read() as s:
        return notices.list_notices(s, 1)


def test_the_end_of_a_run_is_told_once_without_a_word_of_its_data(receive, hook, end, studio):
    server = receive()
    hook(server.url)
    job_id = end(JobStatus.FAILED, error="rank: too large.")
    end(kind=JobKind.DATA_REPORT)
    courier = Courier(f"{ADDRESS}")
    courier.send_due(0)
    courier.send_due(3600)
    ((path, headers, body),) = server.received
    assert path == "/hook?room=7"
    assert "Authorization" not in headers
    assert body.pop("seconds") >= 0
    assert body == {
        "job": job_id,
        "attempt": 1,
        "kind": "train",
        "name": "trial",
        "project": "Trial",
        "status": "failed",
        "sentence": "rank: too large.",
        "link": f"{ADDRESS}/train?project={studio[1]}&job={job_id}",
    }
    (notice,) = told()
    assert (notice.tries, notice.error, notice.given_up) == (1, "", False)
    assert notice.sent_at


def test_a_busy_server_is_tried_again_later_and_later_and_then_given_up(receive, hook, end):
    server = receive(500, 503, 429)
    hook(server.url)
    end()
    courier = Courier(ADDRESS, pauses=(5, 30))
    for passed, tries in ((0, 1), (4, 1), (2, 2), (20, 2), (20, 3), (60, 4), (60, 5), (60, 6), (60, 6)):
        courier.send_due(passed)
        assert len(server.received) == tries, passed
    (notice,) = told()
    assert notice.given_up
    assert notice.error == "webhook: its server answered with status 429."


def test_a_notice_another_courier_has_under_way_is_not_sent_twice(receive, hook, end):
    server = receive(500, 204)
    hook(server.url)
    end()
    first, second = Courier(ADDRESS), Courier(ADDRESS)
    first.send_due(0)
    second.send_due(0)
    assert len(server.received) == 1
    second.send_due(10)
    first.send_due(10)
    assert len(server.received) == 2
    assert told()[0].sent_at


def test_a_run_that_goes_on_by_itself_has_not_ended(receive, hook, end):
    hook(receive().url)
    end(JobStatus.INTERRUPTED)
    assert told() == []
    end(JobStatus.INTERRUPTED, resumes=0)
    assert len(told()) == 1


def test_the_secret_goes_along_and_is_written_nowhere(receive, hook, end, settings, monkeypatch, caplog):
    monkeypatch.setenv("WARD_SECRET", "s3cr3t-value")
    server = receive()
    hook(server.url, secret_variable="WARD_SECRET")
    end()
    Courier(ADDRESS).send_due(0)
    assert server.received[0][1]["Authorization"] == "Bearer s3cr3t-value"
    assert b"s3cr3t-value" not in (settings.data_dir / "studio.db").read_bytes()
    assert "s3cr3t-value" not in caplog.text


def test_a_secret_that_is_not_set_is_said_and_nothing_is_sent(receive, hook, end):
    server = receive()
    hook(server.url, secret_variable="NOBODY_SET_THIS_SECRET")
    end()
    Courier(ADDRESS).send_due(0)
    assert server.received == []
    assert told()[0].error.startswith("secret variable: NOBODY_SET_THIS_SECRET is not set")


def test_a_redirect_is_not_followed_and_a_deaf_port_is_a_sentence(receive, hook, end):
    server = receive(302)
    hook(server.url)
    end()
    Courier(ADDRESS).send_due(0)
    assert [path for path, *_ in server.received] == ["/hook?room=7"]
    assert told()[0].error == "webhook: its server answered with status 302."
    server.server_close()
    hook("http://127.0.0.1:9/hook")
    end()
    Courier(ADDRESS).send_due(0)
    assert told()[0].error == "webhook: its server gave no answer (ConnectError)."


def test_a_name_that_leads_to_a_private_address_is_not_talked_to_without_consent(receive, hook, end):
    server = receive()
    hook(f"http://localhost.localdomain:{server.server_port}/", private=False)
    end()
    Courier(ADDRESS).send_due(0)
    assert server.received == []
    assert told()[0].error


@pytest.mark.parametrize(
    ("given", "says"),
    [
        ({"url": "ftp://host/x"}, "webhook: it must begin with http"),
        ({"url": "http://10.0.0.7/x"}, "webhook: 10.0.0.7 is a private address"),
        ({"url": "https://user:word@host.example/x"}, "webhook: it holds a user name"),
        ({"url": "https://host.example/x#y"}, "webhook: leave out"),
        ({"url": "https://host.example/x", "secret_variable": "OPENAI_API_KEY"}, "secret variable: give the"),
    ],
)
def test_a_webhook_that_cannot_be_names_its_field(given, says):
    with pytest.raises(ValueError, match=f"^{says}"):
        Webhook(**given)


def test_only_an_admin_sets_the_webhook_and_the_books_hold_its_host(studio, admin, hook):
    plain = Actor(studio[0].id, "trainer", "Trainer", frozenset({Role.TRAINER}))
    with pytest.raises(PolicyError), write() as s:
        notices.set_webhook(s, plain, studio[1], Webhook("https://host.example/token-in-the-path"))
    hook("https://host.example/token-in-the-path", private=False)
    with read() as s:
        line = audit.list_lines(s, limit=1)[0]
        assert (line.action, line.detail) == ("webhook_set", {"host": "host.example", "private": False})
