"""What only a browser can tell: stored text is never run, a wrong field is marked, nothing calls out."""

from collections.abc import Iterator

import pytest
from playwright.sync_api import Page, expect

from bioui import gate
from db import users
from db.enums import Role
from db.session import write

NASTY = "<img src=x onerror=\"window.ran='html'\"> ${window.ran='template'} \\alpha \\u `x` {{value}} $& é"
OURS = ("data:", "blob:")


@pytest.fixture
def page(studio, people, browser) -> Iterator[Page]:
    """A Chromium tab of the admin's."""
    with write() as session:
        token = users.open_session(session, users.get_user(session, people.admin.id))
    context = browser.new_context(base_url=studio.url, viewport={"width": 1440, "height": 900})
    context.add_cookies([{"name": gate.COOKIE, "value": token, "url": studio.url}])
    yield context.new_page()
    context.close()


def test_stored_text_is_shown_as_it_was_written_and_never_run(page, people):
    with write() as session:
        users.invite(session, people.admin, username="eva", full_name=NASTY, roles=[Role.AUTHOR])
    page.goto("/admin")
    expect(page.locator("tr[data-id]", has_text="eva")).to_contain_text(NASTY)
    expect(page.locator(".person-name")).to_have_text("Ada Admin")
    assert page.evaluate("window.ran") is None


def test_a_wrong_field_is_marked_and_what_was_typed_stays(page):
    page.goto("/admin")
    page.get_by_label("Full name").fill("Eva Holm")
    page.get_by_label("User name").fill("not a name")
    page.get_by_role("button", name="Make the link").click()
    expect(page.locator("#field-user-name textarea")).to_have_attribute("aria-invalid", "true")
    expect(page.locator("#field-user-name .field-error")).to_contain_text("Use 2 to 32 letters")
    expect(page.get_by_label("Full name")).to_have_value("Eva Holm")
    page.get_by_label("User name").fill("eva")
    page.get_by_label("Author: writes instructions").first.check()
    page.get_by_role("button", name="Make the link").click()
    expect(page.locator("[data-url]")).to_contain_text("/invite?token=")
    expect(page.locator(".field-error")).to_have_count(0)


def test_every_page_opens_without_an_error_or_a_request_to_elsewhere(page, studio):
    foreign, errors = [], []
    page.on(
        "request",
        lambda sent: foreign.append(sent.url) if not sent.url.startswith((*OURS, studio.url)) else None,
    )
    page.on("console", lambda told: errors.append(told.text) if told.type == "error" else None)
    page.on("pageerror", lambda error: errors.append(str(error)))
    page.goto("/")
    expect(page.locator(".bar nav a").first).to_be_visible()
    addresses = [link.get_attribute("href") for link in page.locator(".bar nav a").all()]
    page.goto("about:blank")
    errors.clear()
    for address in addresses:
        page.goto(address)
        expect(page.locator(".bar nav a[aria-current=page]")).to_be_visible()
        expect(page.locator("h1")).to_be_visible()
        expect(page.locator(".problem")).to_have_count(0)
        assert errors == []
        page.goto("about:blank")  # leaving cuts off Gradio's open streams, of which it complains
        errors.clear()
    assert foreign == []


def test_the_choice_of_light_or_dark_stays(page):
    page.goto("/")
    expect(page.locator(".person-name")).to_be_visible()
    page.locator("[data-theme-toggle]").click()
    dark = page.evaluate("document.body.classList.contains('dark')")
    page.goto("/admin")
    expect(page.locator(".person-name")).to_be_visible()
    assert page.evaluate("document.body.classList.contains('dark')") is dark is True
