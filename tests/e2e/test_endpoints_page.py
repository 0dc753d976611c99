"""Endpoints in a real browser: the studio's own server in one press, another by its form, keys kept out."""

import re
from collections.abc import Callable, Iterator

import pytest
from playwright.sync_api import Page, expect

from db.enums import Role
from tests.e2e.conftest import log_in, open_page
from tests.scripted_endpoint import Act, ScriptedEndpoint, always

STARTS_WITHIN = 120_000  # milliseconds; the model server imports torch
KEY = "sk-proj-4f9aB27cDe81Xy"  # like a key; nobody's


@pytest.fixture(scope="module")
def cookies(studio) -> dict[str, dict]:
    return log_in(
        studio,
        ("tora", "Tora Lind", [Role.TRAINER]),
        ("clara", "Clara Weiss", [Role.CLINICIAN]),
    )


@pytest.fixture
def page_of(browser, studio, cookies) -> Iterator[Callable[..., Page]]:
    """`page_of("tora")`: the endpoints, loaded, in a browser of Tora's own; closed after the test."""
    opened = []

    def open_as(who: str, path: str = "/endpoints", **options) -> Page:
        page = open_page(browser, studio, **options)
        opened.append(page)
        page.context.add_cookies([cookies[who]])
        page.goto(path)
        expect(page.locator(".factory-start, .table tbody tr").first).to_be_visible()
        return page

    yield open_as
    for page in opened:
        page.context.close()


@pytest.fixture(scope="module")
def server():
    with ScriptedEndpoint(write=lambda key, count: '{"ready": true}') as running:
        yield running


def field(page: Page, name: str):
    return page.locator(f"#field-{name}").locator("input, textarea").first


# The tests of this file follow one another on one studio: the first adds its own server.


def test_the_own_server_is_one_press_and_answers_a_test(page_of):
    clara = page_of("clara")
    expect(clara.locator(".factory-start")).to_contain_text("role reviewer, trainer or admin")
    expect(clara.locator(".factory-start button")).to_have_count(0)

    tora = page_of("tora")
    tora.keyboard.press("n")
    expect(field(tora, "name")).to_be_visible()
    tora.locator("#endpoint-form").get_by_role("button", name="Close").click()
    tora.get_by_role("button", name="Use it").click()
    expect(tora.locator("#endpoint-pane h2")).to_have_text("This studio: starter")
    expect(tora).to_have_url(re.compile(r"id=1\b"))
    tora.locator("#test-btn").click()
    expect(tora.locator("#test-btn")).to_be_disabled()
    expect(tora.locator("#endpoint-pane .progress")).to_be_visible()
    expect(tora.locator("#endpoint-pane .notice-approved")).to_contain_text("answers", timeout=STARTS_WITHIN)
    expect(tora.locator(".table tbody tr")).to_contain_text("Answered")


def test_another_server_is_added_by_its_form_with_an_admins_consent(page_of, server):
    near = server.url
    tora = page_of("tora")
    tora.keyboard.press("n")
    field(tora, "name").fill("Ward GPU")
    field(tora, "base-url").fill(near)
    field(tora, "model").fill("tiny")
    expect(tora.locator("#field-private")).to_contain_text("Only an admin can agree")
    expect(tora.locator("#field-private input")).to_be_disabled()
    tora.locator("#save-btn").click()
    expect(tora.locator("#field-base-url .field-error")).to_contain_text("an admin must agree")
    expect(field(tora, "model")).to_have_value("tiny")

    admin = page_of("admin")
    admin.locator("#add-endpoint-btn").click()
    field(admin, "name").fill("Ward GPU")
    field(admin, "base-url").press_sequentially(near)
    field(admin, "model").fill("tiny")
    field(admin, "price-in").fill("0.5")
    expect(admin.locator("#field-private")).to_contain_text("Let the studio talk to 127.0.0.1")
    admin.locator("#field-private input").check()
    admin.keyboard.press("Control+s")
    expect(admin.locator("#endpoint-pane h2")).to_have_text("Ward GPU")
    expect(admin.locator("#endpoint-pane")).to_contain_text("Agreed to by Ada Admin")
    admin.keyboard.press("t")
    expect(admin.locator("#endpoint-pane .notice-approved")).to_contain_text("holds its replies to a JSON")


def test_a_key_in_the_form_is_wiped_and_said_so(page_of):
    admin = page_of("admin")
    admin.locator("#add-endpoint-btn").click()
    field(admin, "name").fill("Hosted")
    field(admin, "base-url").fill("https://api.example.org/v1")
    field(admin, "model").fill("big")
    field(admin, "key-variable").fill(KEY)
    admin.locator("#save-btn").click()
    expect(admin.locator("#field-key-variable .field-error")).to_contain_text("looks like a key")
    expect(field(admin, "key-variable")).to_have_value("")
    assert KEY not in admin.content()
    field(admin, "key-variable").fill("STUDIO_NOT_SET_API_KEY")
    admin.locator("#save-btn").click()
    expect(admin.locator("#endpoint-pane")).to_contain_text("STUDIO_NOT_SET_API_KEY, not set on this machine")


def test_who_is_no_admin_tests_it_and_changes_its_price_but_not_where_its_key_goes(page_of):
    tora = page_of("tora", "/endpoints?id=3")
    expect(tora.locator("#endpoint-pane h2")).to_have_text("Hosted")
    tora.locator("#test-btn").click()
    expect(tora.locator("#endpoint-pane .notice-attention")).to_contain_text("is not set for this process")
    tora.locator("#edit-btn").click()
    expect(field(tora, "key-variable")).to_be_disabled()
    expect(tora.locator("#field-key-variable")).to_contain_text("Only an admin sets it")
    expect(field(tora, "base-url")).to_be_disabled()
    field(tora, "price-in").fill("2.5")
    tora.locator("#save-btn").click()
    expect(tora.locator("#endpoint-pane")).to_contain_text("2.50 in")

    clara = page_of("clara", "/endpoints?id=3")
    row = clara.locator(".table tbody tr", has_text="Hosted")
    expect(row).to_contain_text("Failed")
    expect(row).to_contain_text("STUDIO_NOT_SET_API_KEY is not set for this process")
    expect(clara.locator("#endpoint-pane")).to_contain_text("Failed, ")


def test_a_link_opens_an_endpoint_and_what_is_removed_can_be_put_back(page_of):
    tora = page_of("tora", "/endpoints?id=2")
    expect(tora.locator("#endpoint-pane h2")).to_have_text("Ward GPU")
    tora.locator("#remove-btn").click()
    expect(tora.locator(".block.undo-view")).to_contain_text("Ward GPU was removed")
    expect(tora.locator(".table tbody tr")).to_have_count(2)
    expect(tora).not_to_have_url(re.compile("id="))
    tora.get_by_role("button", name="Put it back").click()
    expect(tora.locator(".table tbody tr")).to_have_count(3)
    expect(tora.locator("#endpoint-pane h2")).to_have_text("Ward GPU")


def test_leaving_a_running_test_frees_the_page(page_of, server):
    server.latency = 3.0
    tora = page_of("tora", "/endpoints?id=2")
    tora.locator("#test-btn").click()
    expect(tora.locator("#endpoint-pane .progress")).to_be_visible()
    tora.locator(".table tbody tr", has_text="Hosted").click()
    expect(tora.locator("#endpoint-pane h2")).to_have_text("Hosted")
    expect(tora.locator("#endpoint-pane .progress")).to_have_count(0)
    tora.wait_for_timeout(4000)
    expect(tora.locator("#endpoint-pane h2")).to_have_text("Hosted")
    expect(tora.locator("#test-btn")).to_be_enabled()
    server.latency = 0.0


def test_a_failure_is_told_beside_its_endpoint_until_it_answers(page_of, server):
    server.script = always(Act.NO_MODEL)
    tora = page_of("tora", "/endpoints?id=2")
    tora.locator("#test-btn").click()
    row = tora.locator(".table tbody tr", has_text="Ward GPU")
    expect(row).to_contain_text("knows no model tiny")
    tora.reload()
    expect(tora.locator("#endpoint-pane")).to_contain_text("knows no model tiny")
    server.script = always(Act.GOOD)
    tora.locator("#test-btn").click()
    expect(row).to_contain_text("Answered")
    expect(row).not_to_contain_text("knows no model")


def test_the_page_fits_a_phone(page_of):
    page = page_of("tora", "/endpoints?id=2", width=390, dark=True)
    expect(page.locator("#endpoint-pane h2")).to_be_visible()
    assert page.evaluate("document.documentElement.scrollWidth") <= 390
    page.locator("#edit-btn").click()
    expect(field(page, "base-url")).to_be_visible()
    assert page.evaluate("document.documentElement.scrollWidth") <= 390
