"""Guidelines and the project's settings in a real browser: written, fought over, brought back; never run."""

import re
from collections.abc import Callable, Iterator

import pytest
from playwright.sync_api import Page, expect

from db.enums import Role
from tests.e2e.conftest import log_in, open_page

HOSTILE = """# Title

<script>window.ran = 1</script> <img src=x onerror="window.ran = 2">

<form action="https://evil.example"><input type="password"></form>

<div id="save-btn" style="position:fixed;inset:0">cover</div>

[link](javascript:window.ran=3) ${window.ran=4} {{value}} ![p](https://evil.example/x.png)
"""


@pytest.fixture(scope="module")
def cookies(studio) -> dict[str, dict]:
    """A log-in cookie for an author and two reviewers; and the admin's."""
    return log_in(
        studio,
        ("nora", "Nora Aasen", [Role.AUTHOR]),
        ("ravi", "Ravi Menon", [Role.REVIEWER]),
        ("eva", "Eva Holm", [Role.REVIEWER]),
    )


@pytest.fixture
def page_of(browser, studio, cookies) -> Iterator[Callable[..., Page]]:
    """`page_of("nora")`: the guidelines, loaded, in a browser of Nora's own; closed after the test."""
    opened = []

    def open_as(
        who: str, path: str = "/guidelines", *, ready=".guideline-head, .empty, .settings-group", **options
    ) -> Page:
        page = open_page(browser, studio, **options)
        opened.append(page)
        page.context.add_cookies([cookies[who]])
        page.goto(path)
        expect(page.locator(ready).first).to_be_visible()
        return page

    yield open_as
    for page in opened:
        page.context.close()


def text_of(page: Page):
    return page.locator("#field-guideline textarea")


def edit(page: Page) -> None:
    page.locator("[data-edit]").click()
    expect(text_of(page)).to_be_visible()


def save_by_key(page: Page, note: str) -> None:
    page.keyboard.press("Control+s")
    expect(page.locator(".record-note")).to_contain_text(note)


# The tests of this file follow one another on one studio: the first makes version 1.


def test_the_outline_is_the_start_and_the_preview_follows_the_keys(page_of):
    ravi = page_of("ravi")
    expect(ravi.locator("#guideline")).to_contain_text("No guidelines yet.")
    edit(ravi)
    ravi.get_by_role("button", name="Start from the studio's outline").click()
    expect(ravi.locator("#guideline-preview h3").first).to_have_text("What we write, and for whom")
    text_of(ravi).press("Control+End")
    ravi.keyboard.type("\n\nAsk **Ravi**.")
    expect(ravi.locator("#guideline-preview strong").last).to_have_text("Ravi")
    ravi.locator("#field-reason input, #field-reason textarea").first.fill("The outline, read as a team")
    save_by_key(ravi, "Version 1 is in force now")
    expect(ravi.locator(".guideline-text h2").first).to_have_text(
        "Guidelines for writing and reviewing instructions"
    )
    expect(ravi.locator(".table tbody tr")).to_contain_text(["The outline, read as a team"])

    nora = page_of("nora")
    expect(nora.locator(".guideline-head")).to_contain_text("Ravi Menon")
    expect(nora.locator("[data-edit]")).to_have_count(0)


def test_two_who_write_at_once_lose_nothing(page_of):
    ravi, eva = page_of("ravi"), page_of("eva")
    edit(ravi)
    edit(eva)
    text_of(eva).fill("# Doses\n\nAlways with a unit.")
    save_by_key(eva, "Version 2 is in force now")
    text_of(ravi).fill("# Doses\n\nAlways with a route.")
    ravi.keyboard.press("Control+s")
    conflict = ravi.locator(".conflict")
    expect(conflict).to_contain_text("Eva Holm saved version 2")
    expect(conflict.locator("ins")).to_have_text(["route", "unit"])
    expect(text_of(ravi)).to_have_value("# Doses\n\nAlways with a route.")
    ravi.get_by_role("button", name="Take theirs").click()
    expect(text_of(ravi)).to_have_value("# Doses\n\nAlways with a unit.")
    ravi.get_by_role("button", name="Put mine back").click()
    expect(text_of(ravi)).to_have_value("# Doses\n\nAlways with a route.")
    text_of(ravi).fill("# Doses\n\nAlways with a unit and a route.")
    save_by_key(ravi, "Version 3 is in force now")
    ravi.get_by_role("tab", name="Changes").click()
    expect(ravi.locator("#guideline .guideline-diff ins")).to_contain_text("and a route")


def test_an_earlier_version_has_an_address_and_can_be_brought_back(page_of):
    eva = page_of("eva", "/guidelines?version=2")
    expect(eva.locator(".guideline-head")).to_contain_text("Version 2")
    expect(eva.locator(".guideline-old")).to_contain_text("Version 3 is in force")
    eva.locator(".table tbody tr", has_text="The outline").click()
    expect(eva.locator(".guideline-head")).to_contain_text("Version 1")
    assert "version=1" in eva.url
    eva.get_by_role("button", name="Bring back as a new version").click()
    expect(eva.locator(".record-note")).to_contain_text("Version 1 is in force again, as version 4")
    assert "version=" not in eva.url


def test_leaving_an_unsaved_text_asks_first(page_of):
    ravi = page_of("ravi")
    edit(ravi)
    text_of(ravi).fill("Not saved.")
    ravi.once("dialog", lambda dialog: dialog.dismiss())
    ravi.locator("#cancel-btn").click()
    expect(text_of(ravi)).to_have_value("Not saved.")
    ravi.once("dialog", lambda dialog: dialog.accept())
    ravi.locator("#cancel-btn").click()
    expect(ravi.locator(".guideline-head h2").last).to_contain_text("Version 4")


def test_what_is_typed_saves_itself_and_a_reload_brings_it_back(page_of):
    ravi = page_of("ravi")
    edit(ravi)
    assert "edit=1" in ravi.url
    text_of(ravi).fill("# Doses\n\nHalf a rul")
    expect(ravi.locator(".kept")).to_have_text(re.compile(r"Typing saved \d\d:\d\d:\d\d"))
    assert ravi.evaluate("document.body.dataset.unsaved") is None
    ravi.reload()
    expect(text_of(ravi)).to_have_value("# Doses\n\nHalf a rul")
    expect(ravi.locator(".guideline-editor .guideline-head")).to_contain_text("What you typed")
    expect(ravi.locator(".kept")).to_have_text(re.compile(r"Typing saved \d\d:\d\d:\d\d"))
    home = page_of("ravi", "/", ready="main .kept-list")
    home.get_by_role("link", name="Guidelines", exact=True).last.click()
    expect(text_of(home)).to_have_value("# Doses\n\nHalf a rul")

    other = page_of("ravi")
    expect(other.locator(".guideline-typed")).to_contain_text("did not save them as a version")
    other.get_by_role("button", name="Throw them away").click()
    expect(other.locator("[data-edit]")).to_have_text("Edit")
    edit(other)
    expect(text_of(other)).not_to_have_value("# Doses\n\nHalf a rul")


def test_hostile_text_stays_text(page_of):
    ravi = page_of("ravi")
    asked = []
    ravi.on("request", lambda request: asked.append(request.url))
    edit(ravi)
    text_of(ravi).fill(HOSTILE)
    expect(ravi.locator("#guideline-preview h2")).to_have_text("Title")
    ravi.locator("#field-reason input, #field-reason textarea").first.fill("<img src=x onerror=window.ran=5>")
    ravi.locator("button#save-btn").click()
    expect(ravi.locator(".record-note")).to_contain_text("is in force now")
    nora = page_of("nora")
    for page in (ravi, nora):
        expect(page.locator("#guideline .guideline-text").first).to_contain_text(
            "<script>window.ran = 1</script>"
        )
        page.get_by_role("tab", name="Changes").click()
        expect(page.locator("#guideline .guideline-diff")).to_contain_text("onerror")
        assert page.evaluate("window.ran") is None
        assert page.locator("#guideline").locator("script, img, form, iframe, #save-btn").count() == 0
    assert [url for url in asked if "evil.example" in url] == []


def test_the_settings_are_kept_and_a_wrong_one_is_told_at_its_field(page_of):
    admin = page_of("admin", "/admin")
    share, variant = admin.locator("#field-double-share input"), admin.locator("#field-variant input")
    expect(admin.locator("#field-token-variable").locator("input, textarea")).to_have_value("HF_TOKEN")
    share.fill("20")
    variant.fill("0.5")
    admin.locator("#save-btn").click()
    expect(admin.locator("#field-variant .field-error")).to_contain_text("below copy")
    expect(share).to_have_value("20")
    variant.fill("0.9")
    admin.locator("#save-btn").click()
    expect(admin.get_by_text("Settings saved.")).to_be_visible()
    admin.reload()
    expect(share).to_have_value("20")
    expect(variant).to_have_value("0.9")
    expect(admin.locator(".looked-for")).to_contain_text("ages over 89")
    admin.locator("#check-again-btn").click()
    expect(admin.locator(".notice-area .notice")).to_contain_text("records checked")


def test_the_pages_fit_a_phone(page_of):
    page = page_of("ravi", width=390, dark=True)
    edit(page)
    assert page.evaluate("document.documentElement.scrollWidth") <= 390
