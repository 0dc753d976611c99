"""The studio's whole job, once, by two people in a real browser: from the set-up link to two answers.

Its screenshots are the ones the README shows.
"""

import re
from pathlib import Path

from playwright.sync_api import Browser, Page, expect

from tests.conftest import PASSWORD
from tests.e2e.conftest import Studio, open_page

COLD = 240_000  # milliseconds; a training run and importing torch twice, on two busy cores

INSTRUCTION = "Name the electrolyte that must be checked before this treatment is started, and say why."
INPUT = (
    "A 71-year-old woman with heart failure takes ramipril 5 mg daily. Spironolactone 25 mg is to be added."
)
OUTPUT = (
    "Potassium. An ACE inhibitor and spironolactone both raise it, and together they can cause dangerous "
    "hyperkalaemia. Check potassium and renal function before the first dose, at one week and at four weeks."
)


def test_from_a_seed_instruction_to_a_tuned_model(browser: Browser, studio: Studio, screenshots: Path):
    admin = open_page(browser, studio)
    make_first_admin(admin, studio.set_up_link())
    nora = accept(open_page(browser, studio), invite(admin, "Nora Aasen", ["author", "trainer", "clinician"]))
    ravi = accept(open_page(browser, studio), invite(admin, "Ravi Menon", ["reviewer"]))

    number = write_and_submit(nora)
    shoot(nora, screenshots / "curate.png")
    approve(ravi, number, screenshots)
    freeze(nora)
    shoot(nora, screenshots / "datasets.png")
    train(nora)
    shoot(nora, screenshots / "train.png")

    nora.get_by_role("link", name="Compare in the playground").click()
    base, tuned = compare(nora)
    assert base != tuned
    show_the_shipped_adapter(nora)
    shoot(nora, screenshots / "playground.png", full_page=True)
    admin.goto("/")
    expect(admin.locator("body")).to_contain_text("comparisons")
    shoot(admin, screenshots / "home.png")


def shoot(page: Page, path: Path, **options) -> None:
    """The page from its top, with nothing open or in focus."""
    page.evaluate("document.activeElement.blur(); scrollTo(0, 0)")
    page.wait_for_function("scrollY === 0")
    page.screenshot(path=path, **options)


def make_first_admin(page: Page, link: str) -> None:
    page.goto(link)
    for name, text in (("full_name", "Ada Admin"), ("username", "ada")):
        page.fill(f"#{name}", text)
    choose_password(page)


def choose_password(page: Page) -> None:
    page.fill("#password", PASSWORD)
    page.fill("#again", PASSWORD)
    page.click("button[type=submit]")
    expect(page.locator(".person-name")).to_be_attached(timeout=COLD)


def invite(admin: Page, full_name: str, roles: list[str]) -> str:
    """Invite someone through the Admin page; the link to hand over."""
    admin.goto("/admin")
    admin.get_by_role("button", name="Invite someone").click()
    field(admin, "full-name").fill(full_name)
    field(admin, "user-name").fill(full_name.split()[0].lower())
    for role in roles:
        admin.locator("#field-roles").get_by_label(role).check()
    admin.get_by_role("button", name="Make the link").click()
    expect(admin.locator("[data-url]")).to_be_visible()
    return admin.locator("[data-url]").inner_text()


def accept(page: Page, link: str) -> Page:
    page.goto(link)
    choose_password(page)
    return page


def write_and_submit(author: Page) -> str:
    """Write an instruction on the Curate page and hand it in; its number as the page shows it."""
    author.goto("/curate")
    author.locator("#new-btn").click()
    for name, text in (("instruction", INSTRUCTION), ("input", INPUT), ("output", OUTPUT)):
        field(author, name).fill(text)
    field(author, "task").fill("drug_information")
    field(author, "task").press("Tab")
    author.locator("#save-btn").click()
    expect(author.locator(".record-note")).to_contain_text("Saved")
    author.locator("#submit-btn").click()
    expect(author.locator(".record-head")).to_contain_text("In review")
    expect(author.locator(".item").first).to_contain_text("In review")
    return author.locator(".record-head h2").inner_text()


def approve(reviewer: Page, number: str, screenshots: Path) -> None:
    reviewer.goto("/review")
    expect(reviewer.locator(".reading-head")).to_contain_text(number)
    expect(reviewer.locator("#reading")).to_contain_text("Spironolactone 25 mg")
    shoot(reviewer, screenshots / "review.png")
    reviewer.locator("#approve-btn").click()
    expect(reviewer.locator("#reading")).to_contain_text("Nothing to review.")


def freeze(trainer: Page) -> None:
    trainer.goto("/datasets")
    trainer.get_by_role("button", name="Freeze a version").click()
    expect(trainer.locator(".count-line")).to_contain_text("81 approved instructions")
    field(trainer, "name").fill("Seeds and mine")
    trainer.get_by_role("button", name="Freeze", exact=True).click()
    expect(trainer.locator("#version-pane h2")).to_have_text("Seeds and mine, version 1")


def train(trainer: Page) -> None:
    """Tune the starter on the version just frozen, and wait for the adapter."""
    version = re.search(r"version=(\d+)", trainer.url).group(1)
    trainer.goto(f"/train?version={version}")
    field(trainer, "adapter-name").fill("Seeds and mine")
    field(trainer, "max-length").fill("1024")
    field(trainer, "learning-rate").fill("0.003")
    field(trainer, "epochs").fill("2")
    trainer.get_by_role("button", name="Start training").click()
    expect(trainer.get_by_text("The adapter is ready")).to_be_visible(timeout=COLD)
    expect(trainer.locator("#run-pane .chart").first).to_be_visible()


def compare(clinician: Page) -> tuple[str, str]:
    """Put a prompt of one's own to the newest adapter; base's and tuned's answers."""
    expect(clinician.locator("#field-instruction textarea")).not_to_have_value("")
    clinician.get_by_role("button", name="I will type no patient data").click()
    expect(clinician.locator(".acknowledged")).to_be_visible()
    field(clinician, "instruction").fill(INSTRUCTION)
    field(clinician, "input").fill(INPUT)
    return answers(clinician)


def show_the_shipped_adapter(clinician: Page) -> None:
    """The adapter that comes with the studio, on a prompt of its shelf, with a vote."""
    clinician.goto("/playground?adapter=1")  # the first that the studio registers
    expect(clinician.locator("#field-instruction textarea")).not_to_have_value("")
    clinician.locator(".shelf-item", has_text="Present or absent").first.click()
    expect(clinician.locator("#field-instruction textarea")).not_to_have_value(INSTRUCTION)
    answers(clinician)
    clinician.get_by_role("button", name="B is better").click()
    expect(clinician.locator(".vote-btn[aria-pressed=true]")).to_contain_text("B is better")


def answers(page: Page) -> tuple[str, str]:
    before = page.url
    page.get_by_role("button", name="Compare", exact=True).click()
    page.wait_for_function("before => location.href !== before", arg=before, timeout=COLD)
    expect(page.locator(".vote-btn").first).to_be_visible(timeout=COLD)
    base, tuned = (text.inner_text() for text in page.locator(".answers-text").all())
    return base, tuned


def field(page: Page, name: str):
    return page.locator(f"#field-{name} :is(textarea, input)").first
