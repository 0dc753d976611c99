"""A blind round in a real browser: made by a lead, voted on by keys, revealed, corrected and read."""

import re

import pytest
from playwright.sync_api import Page, expect
from sqlalchemy import select

from db import comparisons
from db.compare_spec import Sampling, SideSpec
from db.comparisons import AnswerText
from db.enums import Role
from db.session import connect, write
from db.tables import Adapter, BaseModel, Project
from db.users import get_actor
from tests.e2e.conftest import log_in, open_page

SHORT, LONG = "Nitrofurantoin is used.", "**Nitrofurantoin 100 mg** twice a day for 5 days; not at term."
CORRECTED = (
    "Nitrofurantoin 100 mg twice a day for 5 days; avoid it near term, and send a urine culture first."
)
CASES = 3


@pytest.fixture(scope="module")
def cookies(studio) -> dict[str, dict]:
    """Who takes part; the starter base and the demo adapter have answered three prompts."""
    people = [
        ("tora", "Tora Lind", [Role.TRAINER]),
        ("rita", "Rita Berg", [Role.REVIEWER]),
        ("clara", "Clara Weiss", [Role.CLINICIAN]),
        ("cem", "Cem Aydin", [Role.CLINICIAN]),
    ]
    made = log_in(studio, *people)
    engine = connect(f"sqlite:///{studio.data_dir}/studio.db")
    with write() as session:
        sides = [
            SideSpec(base_model_id=session.scalar(select(BaseModel.id).limit(1))),
            SideSpec(adapter_id=session.scalar(select(Adapter.id).limit(1))),
        ]
        for case in range(CASES):
            comparisons.record(
                session, get_actor(session, "tora"), session.scalar(select(Project.id)), sampling=Sampling(),
                instruction=f"Case {case}: which antibiotic suits a simple cystitis in early pregnancy?",
                input="Allergic to penicillin." if case else "",
                answers=[AnswerText(sides[at], text, "stop") for at, text in enumerate((SHORT, LONG))],
            )  # fmt: skip
    engine.dispose()
    return made


def page_of(browser, studio, cookies, who: str, path: str, **options) -> Page:
    page = open_page(browser, studio, **options)
    page.context.add_cookies([cookies[who]])
    page.goto(path, timeout=60_000)
    return page


@pytest.fixture(scope="module")
def link(browser, studio, cookies) -> str:
    """The address for the raters of a round that Tora makes with the form."""
    page = page_of(browser, studio, cookies, "tora", "/rounds")
    expect(page.locator(".round-list-view .empty h3").first).to_have_text("No round yet.")
    page.get_by_role("button", name="New round").click()
    page.get_by_label("Clara Weiss").check()
    page.get_by_label("Cem Aydin").check()
    expect(page.locator(".round-preview")).to_contain_text("3 pairs × 2 raters = 6 votes, about")
    make = page.get_by_role("button", name="Make the round")
    make.click()
    expect(page.locator("#field-title .field-error")).to_contain_text("Give the round a title")
    expect(page.get_by_label("Clara Weiss")).to_be_checked()
    page.locator("#field-title").locator("input, textarea").fill("Cystitis in pregnancy")
    page.get_by_role("button", name="Rubric", exact=True).click()
    page.locator(".rubric-item [data-do=remove]").last.click()
    page.locator(".rubric-item [data-of=title]").first.fill("Right")
    make.click()
    expect(page.locator("#round-pane h2")).to_have_text("Cystitis in pregnancy")
    expect(page.locator(".round-raters")).to_contain_text("2 raters have not begun")
    address = page.locator(".round-link code").inner_text()
    page.context.close()
    return address


def begin(page: Page) -> None:
    page.get_by_role("button", name="I will type no patient data").click()
    expect(page.locator(".ballot-bar")).to_be_visible()


def is_long_left(page: Page) -> bool:
    expect(page.locator(".answers-text")).to_have_count(2)
    return "100 mg" in page.locator(".answers-text").first.inner_text()


def test_a_clinician_votes_by_keys_corrects_takes_back_and_is_told_which_was_which(
    browser, studio, cookies, link
):
    page = page_of(browser, studio, cookies, "clara", link, width=390, height=844)
    expect(page.locator(".round-head h1").first).to_have_text("Cystitis in pregnancy")
    expect(page.locator(".ballot-bar")).to_be_hidden()  # nothing is opened before the question is answered
    begin(page)
    expect(page.locator(".round-far").first).to_contain_text("1 of 3")
    assert not re.search(r"starter|Starter demo|adapter|tuned", page.locator("#main").inner_text())

    long_left = is_long_left(page)
    page.keyboard.press("1" if long_left else "2")
    page.keyboard.press("y")  # the first item, of A; then of B
    page.keyboard.press("n")
    expect(page.locator(".ballot input:checked")).to_have_count(2)
    page.locator(".ballot-own summary").click()
    expect(page.locator("#ballot-corrected")).to_have_value(LONG)  # begins with the preferred answer
    page.locator("#ballot-corrected").fill(CORRECTED)
    page.get_by_role("button", name="Save and next").click()
    last = page.locator(".ballot-last")
    expect(last).to_contain_text(f"Pair 1 saved: {'A' if long_left else 'B'} is better.")
    expect(page.locator(".round-far").first).to_contain_text("2 of 3")

    page.keyboard.press("u")  # all that was said stands there again
    expect(page.locator(".round-far").first).to_contain_text("1 of 3")
    expect(page.locator("#ballot-corrected")).to_have_value(CORRECTED)
    expect(page.locator(".ballot input:checked")).to_have_count(2)
    page.get_by_role("button", name="Save and next").click()
    expect(last).to_contain_text("Pair 1 saved")
    page.get_by_role("button", name="Show which was which").click()
    tuned, base = ("A", "B") if long_left else ("B", "A")
    for letter, name in ((tuned, "Starter demo"), (base, "starter")):
        expect(last).to_contain_text(f"{letter} was {name}")

    page.keyboard.press("1" if is_long_left(page) else "2")
    page.keyboard.press("Enter")
    expect(page.locator(".round-far").first).to_contain_text("3 of 3")
    page.get_by_role("button", name="Skip: cannot tell").click()
    expect(page.locator(".ballot-end")).to_contain_text("Thank you, Clara. That was the last of 3 pairs.")
    expect(page.locator(".ballot-end")).to_contain_text("2 votes, 1 skipped, 1 corrected answer")


def test_what_is_typed_survives_a_round_that_was_closed_meanwhile(
    browser, studio, cookies, link, screenshots
):
    lead = page_of(browser, studio, cookies, "tora", link.replace("/blind", "/rounds"))
    expect(lead.locator(".round-raters")).to_contain_text("1 rater has not begun")
    page = page_of(browser, studio, cookies, "cem", "/")
    page.get_by_role("link", name="Cystitis in pregnancy").click()
    begin(page)
    page.keyboard.press("3")
    page.screenshot(path=screenshots / "blind.png")
    page.locator(".ballot-own summary").click()
    page.locator("#ballot-comment").fill("Neither names the culture.")
    lead.get_by_role("button", name="Close the round").click()
    expect(lead.locator("#round-pane .chip").first).to_have_text("Closed")
    save = page.get_by_role("button", name="Save and next")
    save.click()
    expect(page.locator(".block.problem-area")).to_contain_text("It is closed; no more votes are taken.")
    expect(page.locator("#ballot-comment")).to_have_value("Neither names the culture.")
    lead.get_by_role("button", name="Reopen").click()
    expect(lead.get_by_role("button", name="Close the round")).to_be_visible()
    save.click()
    expect(page.locator(".ballot-last")).to_contain_text("equally good")


def test_a_lead_reads_the_verdict_and_settles_what_raters_differ_on(
    browser, studio, cookies, link, screenshots
):
    page = page_of(browser, studio, cookies, "tora", link.replace("/blind", "/rounds"))
    expect(page.locator(".verdict-view").first).to_contain_text(re.compile(r"Starter demo preferred 2 to 0"))
    page.screenshot(path=screenshots / "rounds.png")
    with page.expect_download() as export:
        page.get_by_role("link", name="Download JSONL").click()
    assert CORRECTED in export.value.path().read_text("utf-8")
    disputes = page.locator("#disputes")
    disputes.locator(".dispute-open").click()  # by the round's seed both have voted on this pair
    assert "starter" not in disputes.inner_text()
    disputes.locator("[data-choice=tie]").click()
    disputes.get_by_role("button", name="Settle").click()
    expect(page.locator(".block.problem-area").first).to_contain_text("Say why in a sentence")
    disputes.locator("textarea").fill("Both leave the culture out.")
    disputes.get_by_role("button", name="Settle").click()
    expect(disputes.locator(".chip")).to_have_text("Settled")


def test_the_corrected_answer_waits_for_a_reviewer(browser, studio, cookies, link):
    page = page_of(browser, studio, cookies, "rita", "/review")
    page.locator(".item", has_text="which antibiotic suits").first.click()
    expect(page.locator("#main")).to_contain_text(CORRECTED)
    expect(page.locator("#main")).to_contain_text("Clara Weiss")
