import ssl

import pytest
from sqlalchemy.exc import IntegrityError

from db import addresses, endpoints, processes
from db.asking.client import check
from db.endpoints import OWN, Offer, Reach
from db.enums import ProcessRole
from db.policy import PolicyError
from db.session import read, write
from db.tables import AuditLine, Endpoint
from tests.scripted_endpoint import Act, ScriptedEndpoint, always

GOOD = {"name": "Ours", "base_url": "https://api.example.org/v1/", "model": "big"}


def add(actor, *, private=False, **given) -> int:
    with write() as s:
        return endpoints.add(s, actor, Offer(**{**GOOD, **given}), private=private).id


def test_an_endpoint_is_stored_listed_and_softly_deleted(people):
    id = add(people.trainer, price_in=2.5, price_out=10, requests_per_minute=500, concurrency=8)
    with read() as s:
        row = endpoints.find_endpoint(s, "Ours")
        assert (row.id, row.base_url, row.concurrency) == (id, "https://api.example.org/v1", 8)
        assert endpoints.price(row, 1_000_000, 100_000) == pytest.approx(3.5)
    with write() as s:
        endpoints.delete(s, people.trainer, id)
        assert endpoints.list_endpoints(s) == []
        with pytest.raises(LookupError):
            endpoints.get_endpoint(s, id)
        endpoints.delete(s, people.trainer, id, deleted=False)
        assert [one.id for one in endpoints.list_endpoints(s)] == [id]


@pytest.mark.parametrize(
    ("given", "field"),
    [
        ({"name": " "}, "name"),
        ({"model": ""}, "model"),
        ({"base_url": "ftp://host/v1"}, "base url"),
        ({"base_url": "https:///v1"}, "base url"),
        ({"base_url": "https://me:secret@host/v1"}, "base url"),
        ({"base_url": "https://host/v1?key=secret"}, "base url"),
        ({"base_url": "https://host:port/v1"}, "base url"),
        ({"key_variable": "sk-proj-aB3dE5fG7hI9jK1lM3nO5pQ7"}, "key variable"),
        ({"key_variable": "AKIAIOSFODNN7EXAMPLE"}, "key variable"),
        ({"key_variable": "DATABASE_URL"}, "key variable"),
        ({"key_variable": "HF_TOKEN"}, "key variable"),
        ({"price_in": -1}, "price in"),
        ({"requests_per_minute": 0}, "requests per minute"),
        ({"concurrency": True}, "concurrency"),
        ({"concurrency": 0}, "concurrency"),
    ],
)
def test_what_cannot_be_is_refused_by_field_and_never_repeated(given, field):
    with pytest.raises(ValueError, match=f"^{field}: ") as refused:
        Offer(**{**GOOD, **given})
    assert "secret" not in str(refused.value)
    assert "aB3dE5fG7" not in str(refused.value)


def test_who_may_not_run_the_factory_may_not_add(people):
    with pytest.raises(PolicyError):
        add(people.author)


@pytest.mark.parametrize(
    "url", ["http://127.0.0.1:8000/v1", "http://localhost:8000", "http://192.168.1.9/v1", "http://[::1]/v1",
            "http://169.254.169.254/latest", "http://[::ffff:10.0.0.1]/v1"]
)  # fmt: skip
def test_a_private_address_needs_an_admins_consent(people, url):
    with pytest.raises(ValueError, match="^base url: .* is a private address; an admin must agree"):
        add(people.trainer, base_url=url)
    with pytest.raises(PolicyError):
        add(people.trainer, base_url=url, private=True)
    id = add(people.admin, base_url=url, private=True)
    with read() as s:
        assert s.get(Endpoint, id).private_consent_by_id == people.admin.id
        assert endpoints.reach(s, id).private


def test_a_change_of_address_takes_the_consent_back(people):
    id = add(people.admin, base_url="http://127.0.0.1:8000/v1", private=True)
    with pytest.raises(ValueError, match="private address"), write() as s:
        endpoints.change(s, people.admin, id, Offer(**{**GOOD, "base_url": "http://10.0.0.1/v1"}))
    with write() as s:
        row = endpoints.change(s, people.trainer, id, Offer(**GOOD))
        assert row.private_consent_at is None


def test_a_name_that_leads_to_a_private_address_is_refused_when_it_is_used():
    allowed = addresses.allowed_addresses
    assert allowed("host", ["93.184.216.34"], private=False) == ["93.184.216.34"]
    for trick in ("127.0.0.1", "10.1.2.3", "169.254.169.254", "::1", "fe80::1%eth0", "::ffff:127.0.0.1"):
        with pytest.raises(ValueError, match="an admin must agree"):
            allowed("host", ["93.184.216.34", trick], private=False)
        assert len(allowed("host", [trick], private=True)) == 1
    for never in ("0.0.0.0", "224.0.0.1", "255.255.255.255", "::"):
        with pytest.raises(ValueError, match="no server's address"):
            allowed("host", [never], private=True)


def test_the_client_connects_nowhere_private_without_consent():
    with ScriptedEndpoint() as endpoint:
        for host in ("127.0.0.1", "localhost"):
            url = endpoint.url.replace("127.0.0.1", host)
            with pytest.raises(ValueError, match="an admin must agree"):
                check(Reach(url, "m", "key", "X_API_KEY", private=False))
        assert endpoint.served == []


def test_a_test_tells_time_model_and_whether_schemas_are_known():
    with ScriptedEndpoint(latency=0.05, write=lambda key, count: '{"ready": true}') as endpoint:
        tested = check(Reach(endpoint.url, "m", "", private=True))
    assert tested.seconds >= 0.05
    assert (tested.model, tested.knows_schema) == ("m", True)
    with ScriptedEndpoint(always(Act.NO_SCHEMA)) as endpoint:
        assert not check(Reach(endpoint.url, "m", "", private=True)).knows_schema


@pytest.mark.parametrize(
    ("act", "begins"),
    [
        (Act.NO_KEY, "key: 127.0.0.1 refused the key in X_API_KEY (HTTP 401)"),
        (Act.NO_MODEL, "model: 127.0.0.1 knows no model m or no such path"),
        (Act.MOVED, "base url: 127.0.0.1 sends us elsewhere"),
        (Act.NONSENSE, "base url: what 127.0.0.1 answers is no chat completion"),
        (Act.ENDLESS, "127.0.0.1 did not answer in time."),
        (Act.DROPPED, "The connection to 127.0.0.1 was lost."),
    ],
)
def test_each_trouble_has_one_clear_sentence_without_the_key(act, begins):
    with ScriptedEndpoint(always(act)) as endpoint, pytest.raises(ValueError) as refused:
        check(Reach(endpoint.url, "m", "sk-secret-of-the-test", "X_API_KEY", private=True), timeout=1.0)
    assert str(refused.value).startswith(begins)
    assert "sk-secret" not in str(refused.value)


def test_nothing_there_no_such_name_and_no_tls_each_say_so():
    with ScriptedEndpoint() as endpoint:
        port = endpoint.port
        with pytest.raises(ValueError, match="^base url: 127.0.0.1 does not speak TLS"):
            check(Reach(f"https://127.0.0.1:{port}/v1", "m", "", private=True))
    with pytest.raises(ValueError, match="^base url: nothing answers at 127.0.0.1"):
        check(Reach(f"http://127.0.0.1:{port}/v1", "m", "", private=True))
    with pytest.raises(ValueError, match="^base url: the name nowhere.invalid cannot be found"):
        check(Reach("http://nowhere.invalid/v1", "m", "", private=True))
    assert ssl.HAS_SNI


@pytest.mark.parametrize("role", ["reviewer", "trainer"])
def test_only_an_admin_says_which_key_goes_where(people, role):
    actor = getattr(people, role)
    with pytest.raises(ValueError, match="^key variable: .* only an admin may set the two"):
        add(actor, key_variable="TRIAL_API_KEY")
    free = add(actor, name="Without a key")
    id = add(people.admin, key_variable="TRIAL_API_KEY")
    moved = {"base_url": "https://other.example.org/v1"}
    for number, given, field in (
        (free, {"name": "Without a key", "key_variable": "TRIAL_API_KEY"}, "key variable"),
        (id, {"key_variable": "OTHER_API_KEY"}, "key variable"),
        (id, {"key_variable": "TRIAL_API_KEY", **moved}, "base url"),
        (id, {"key_variable": "OTHER_API_KEY", **moved}, "key variable"),
    ):
        with pytest.raises(ValueError, match=f"^{field}: .* only an admin"), write() as s:
            endpoints.change(s, actor, number, Offer(**{**GOOD, **given}))
    with read() as s:
        kept = s.get(Endpoint, id)
        assert (kept.base_url, kept.key_variable) == ("https://api.example.org/v1", "TRIAL_API_KEY")
    with write() as s:
        change = {"key_variable": "TRIAL_API_KEY", **moved}
        assert (
            endpoints.change(s, people.admin, id, Offer(**{**GOOD, **change})).base_url == moved["base_url"]
        )


def test_who_is_no_admin_changes_price_and_limits_of_an_endpoint_with_a_key_or_takes_the_key_away(people):
    id = add(people.admin, key_variable="TRIAL_API_KEY")
    with write() as s:
        offer = Offer(
            **{**GOOD, "name": "Renamed"}, key_variable="TRIAL_API_KEY", price_in=1.0, concurrency=2
        )
        row = endpoints.change(s, people.reviewer, id, offer)
        assert (row.name, row.price_in, row.concurrency, row.key_variable) == (
            "Renamed", 1.0, 2, "TRIAL_API_KEY",
        )  # fmt: skip
        row = endpoints.change(s, people.reviewer, id, Offer(**GOOD))
        assert row.key_variable == ""
    with pytest.raises(ValueError, match="^key variable: "), write() as s:
        endpoints.change(s, people.reviewer, id, Offer(**GOOD, key_variable="TRIAL_API_KEY"))


def test_a_failed_test_is_remembered_until_one_is_answered_or_it_is_a_test_of_something_else(people):
    id = add(people.admin, key_variable="TRIAL_API_KEY")
    given = {**GOOD, "key_variable": "TRIAL_API_KEY"}

    def fail(s):
        endpoints.note_failure(s, id, "base url: nothing answers at api.example.org.")

    def failed(s) -> bool:
        row = endpoints.get_endpoint(s, id)
        assert (row.test_failed_at is None) == (row.test_trouble == "")
        return row.test_failed_at is not None

    with write() as s:
        fail(s)
        endpoints.change(s, people.admin, id, Offer(**{**given, "name": "Renamed"}, price_in=3.0))
        assert failed(s)
        endpoints.note_test(s, id, knows_schema=True)
        assert not failed(s)
        for change in (
            {"base_url": "https://b.example.org/v1"},
            {"model": "b"},
            {"key_variable": "B_API_KEY"},
        ):
            given |= change
            fail(s)
            endpoints.change(s, people.admin, id, Offer(**given))
            assert not failed(s), change
            assert endpoints.get_endpoint(s, id).knows_schema is None


def test_the_name_of_a_removed_endpoint_is_free_and_it_comes_back_only_while_it_is(people):
    first = add(people.trainer)
    with pytest.raises(ValueError, match="^name: there is an endpoint named Ours already"):
        add(people.trainer)
    with write() as s:
        endpoints.delete(s, people.trainer, first)
    second = add(people.trainer)
    with pytest.raises(ValueError, match="^name: another endpoint is named Ours by now"), write() as s:
        endpoints.delete(s, people.trainer, first, deleted=False)
    with write() as s:
        assert endpoints.find_endpoint(s, "Ours").id == second
        endpoints.delete(s, people.trainer, second)
        endpoints.delete(s, people.trainer, first, deleted=False)
        assert [one.id for one in endpoints.list_endpoints(s)] == [first]


def test_the_database_itself_keeps_the_names_of_those_there_are_apart(people):
    add(people.trainer)
    with pytest.raises(IntegrityError), write() as s:
        s.add(Endpoint(name="Ours", base_url="https://x.example.org/v1", model="m"))


def test_the_key_is_read_from_the_environment_and_never_stored(people, monkeypatch):
    id = add(people.admin, key_variable="TRIAL_API_KEY")
    monkeypatch.delenv("TRIAL_API_KEY", raising=False)
    with read() as s, pytest.raises(ValueError, match="^key variable: TRIAL_API_KEY is not set"):
        endpoints.reach(s, id)
    monkeypatch.setenv("TRIAL_API_KEY", "sk-secret")
    with read() as s:
        reach = endpoints.reach(s, id)
        assert reach.key == "sk-secret"
        assert "sk-secret" not in repr(reach)
        stored = [vars(s.get(Endpoint, id)), *map(vars, s.query(AuditLine))]
    assert "sk-secret" not in str(stored)


def test_the_studios_own_model_server_is_looked_up_when_it_is_asked(people):
    with write() as s:
        id = endpoints.add_own(s, people.trainer, model="starter").id
    with read() as s, pytest.raises(LookupError, match="^endpoint: the studio's model server is not running"):
        endpoints.reach(s, id)
    with write() as s:
        processes.register(s, ProcessRole.MODEL_SERVER, address="http://127.0.0.1:4321", token="tok")
    with read() as s:
        reach = endpoints.reach(s, id)
    assert (reach.base_url, reach.key, reach.private) == ("http://127.0.0.1:4321/v1", "tok", True)
    assert OWN not in reach.base_url
