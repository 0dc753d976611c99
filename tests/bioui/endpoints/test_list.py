"""The list of endpoints: where there is none, what a row tells, links, and what is removed."""

import pytest

from bioui.components import endpoint_rows
from bioui.components.endpoint_start import WAYS
from bioui.pages import endpoints as page
from bioui.pages.endpoints import Opened
from db import endpoints
from db.endpoints import Offer
from db.policy import PolicyError
from db.session import write
from db.tables import Endpoint
from tests.bioui.conftest import request_of
from tests.bioui.endpoints.conftest import (
    ADD,
    DETAILS,
    KEY,
    OPENED,
    READ,
    ROWS,
    START,
    TOOLS,
    UNDO,
    VARIABLE,
    event,
    facts,
    form,
)


def test_an_empty_page_offers_the_own_server_in_one_press_and_says_what_else_there_is(people, project_id):
    start = page.show_page(project_id, request_of(people.reviewer))[START]
    assert [way["title"] for way in start["ways"]] == [way.title for way in WAYS.values()]
    assert start["ways"][0]["button"] == "Use it"
    assert "transformers serve" in start["ways"][1]["command"]


def test_the_add_button_which_n_presses_is_there_with_and_without_endpoints(people, project_id):
    empty = page.show_page(project_id, request_of(people.reviewer))[ADD]
    assert (empty["visible"], empty["variant"]) == (True, "secondary"), "one primary button: Use it"
    with write() as session:
        endpoints.add(session, people.reviewer, Offer("Open", "https://open.example.org/v1", "m"))
    listed = page.show_page(project_id, request_of(people.reviewer))[ADD]
    assert (listed["visible"], listed["variant"]) == (True, "primary")


def test_who_may_not_add_reads_who_may(people, project_id):
    for actor in (people.author, people.clinician):
        shown = page.show_page(project_id, request_of(actor))
        assert {way["button"] for way in shown[START]["ways"]} == {""}
        assert "role reviewer, trainer or admin" in shown[START]["note"]
        assert shown[ADD]["visible"] is False


def test_the_list_tells_price_limits_and_whether_the_key_is_set(people, project_id, hosted, monkeypatch):
    monkeypatch.delenv(VARIABLE, raising=False)
    (row,) = page.show_page(project_id, request_of(people.author))[ROWS]["rows"]
    cells = [(shown["text"], shown["note"]) for shown in row["cells"]]
    assert cells == [
        ("Hosted", "api.example.org"), ("big", ""), ("Not tested", ""), (VARIABLE, "not set here"),
        ("2.50 in", "10 out"), ("4 at once", "60 requests a minute, 90,000 tokens a minute"),
    ]  # fmt: skip
    monkeypatch.setenv(VARIABLE, KEY)
    shown = page.show_page(project_id, request_of(people.admin, id=str(hosted)))
    assert shown[ROWS]["rows"][0]["cells"][3]["note"] == "set here"
    assert facts(shown)["Key"] == f"In {VARIABLE}, set on this machine"
    assert KEY not in repr(shown)


@pytest.mark.parametrize(
    ("price", "words"),
    [(0, "0"), (10, "10"), (1500, "1,500"), (2.5, "2.50"), (0.15, "0.15"), (0.075, "0.075")],
)
def test_prices_are_told_as_a_bill_tells_them(price, words):
    offered = Endpoint(base_url="https://x.example", price_in=price, price_out=None)
    assert endpoint_rows.price_words(offered) == (f"{words} in", "")


def test_a_link_opens_its_endpoint_for_who_may_read_without_the_tools(people, project_id, hosted):
    shown = page.show_page(project_id, request_of(people.clinician, id=str(hosted)))
    assert (shown[READ]["visible"], shown[TOOLS]["visible"]) == (True, False)
    assert shown[DETAILS]["title"] == "Hosted"
    assert shown[DETAILS]["leaves"].endswith("leave for api.example.org.")
    assert shown[START]["open_id"] == hosted


@pytest.mark.parametrize("wanted", ["999", "0", "-1", "x", "٣", "9" * 400])
def test_a_link_to_no_endpoint_shows_the_list(people, project_id, hosted, wanted):
    shown = page.show_page(project_id, request_of(people.author, id=wanted))
    assert (shown[READ]["visible"], len(shown[ROWS]["rows"])) == (False, 1)


def test_an_endpoint_whose_key_is_not_set_says_what_to_do(people, project_id, hosted, monkeypatch):
    monkeypatch.delenv(VARIABLE, raising=False)
    shown = page.show_page(project_id, request_of(people.trainer, id=str(hosted)))
    assert "start the studio and its worker again" in shown[DETAILS]["broken"]


def test_removed_can_be_put_back(people, project_id, hosted):
    shown = page.remove(Opened(hosted), request_of(people.reviewer))
    assert (shown[ROWS]["rows"], shown[UNDO]["name"], shown[OPENED].removed_id) == ([], "Hosted", hosted)
    assert shown[START]["shown"]
    back = page.put_back(shown[OPENED], request_of(people.reviewer))
    assert (len(back[ROWS]["rows"]), back[UNDO]["name"], back[OPENED].removed_id) == (1, "", 0)


def test_what_was_removed_comes_back_only_while_its_name_is_free(people, project_id, hosted):
    opened = page.remove(Opened(hosted), request_of(people.reviewer))[OPENED]
    with write() as session:
        other = endpoints.add(session, people.admin, Offer("Hosted", "https://other.example.org/v1", "m")).id
    with pytest.raises(ValueError, match="another endpoint is named Hosted by now"):
        page.put_back(opened, request_of(people.reviewer))
    with write() as session:
        endpoints.change(session, people.admin, other, Offer("Other", "https://other.example.org/v1", "m"))
    assert len(page.put_back(opened, request_of(people.reviewer))[ROWS]["rows"]) == 2


def test_two_who_remove_at_once_are_told(people, project_id, hosted):
    page.remove(Opened(hosted), request_of(people.reviewer))
    with pytest.raises(LookupError, match="no endpoint number"):
        page.remove(Opened(hosted), request_of(people.trainer))


@pytest.mark.parametrize("role", ["author", "clinician"])
def test_who_may_not_run_the_factory_changes_nothing(people, project_id, hosted, role):
    asked = request_of(getattr(people, role))
    for call in (
        lambda: page.begin(Opened(), asked),
        lambda: page.choose_way(Opened(), event(way="own"), asked),
        lambda: page.edit(Opened(hosted), asked),
        lambda: list(page.save(Opened(hosted), *form(), asked)),
        lambda: page.remove(Opened(hosted), asked),
        lambda: page.put_back(Opened(removed_id=hosted), asked),
        lambda: list(page.test(Opened(hosted), asked)),
    ):
        with pytest.raises(PolicyError, match="run the instruction factory"):
            call()
