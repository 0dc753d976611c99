"""Guidelines: reading, comparing, writing and the stale save, through the page's own handlers."""

import gradio as gr
import pytest

from bioui.components.guideline_diff import diff_value, folded
from bioui.components.guideline_editor import OUTLINE, Writing, fill_outline, preview
from bioui.components.guideline_fold import NOT_REVIEWED, reviewed_under_value, show_fold
from bioui.components.guideline_text import rendered
from bioui.components.word_diff import word_diff
from bioui.pages import guidelines as page
from db import guidelines, instructions, reviews
from db.checks import phi
from db.content import Content
from db.enums import Decision
from db.guidelines import MAX_CHARACTERS
from db.policy import PolicyError
from db.session import read, write
from tests.bioui.conftest import request_of

HEAD, TEXT, VERSIONS, BUTTON, BEFORE, AFTER, DIFF, SIDE, READING, EDITOR, EDITOR_HEAD, CONFLICT = range(12)


@pytest.fixture
def two_versions(people, project_id) -> int:
    """The project, with two versions of its guidelines."""
    with write() as session:
        guidelines.write_guideline(session, people.reviewer, project_id, "# One\n\nDose in mg.", number=0)
        guidelines.write_guideline(
            session, people.admin, project_id, "# One\n\nDose in grams.", number=1, reason="Units"
        )
    return project_id


def event(**data) -> gr.EventData:
    return gr.EventData(None, data)


def text(parts: list[dict]) -> str:
    return "".join(part["text"] for part in parts)


# reading ------------------------------------------------------------------------------------------------


def test_without_guidelines_only_who_may_guide_is_offered_to_write_them(people, project_id):
    shown = page.show_page(project_id, request_of(people.reviewer))
    assert shown[HEAD]["empty"]["title"] == "No guidelines yet."
    assert (shown[BUTTON]["word"], shown[SIDE]["visible"]) == ("Write the guidelines", False)
    assert page.show_page(project_id, request_of(people.author))[BUTTON]["word"] == ""


def test_the_version_in_force_is_shown_with_who_wrote_it_and_why(people, two_versions):
    shown = page.show_page(two_versions, request_of(people.author))
    head = shown[HEAD]
    assert (head["number"], head["old"], head["author"], head["reason"]) == (2, False, "Ada Admin", "Units")
    assert shown[TEXT] == "<h2>One</h2>&#10;<p>Dose in grams.</p>"
    assert [row["cells"][0]["text"] for row in shown[VERSIONS]["rows"]] == ["2", "1"]
    assert shown[BUTTON]["word"] == ""
    assert text([part for part in shown[DIFF]["parts"] if part.get("added")]) == "grams"


def test_a_link_opens_an_earlier_version_and_says_that_it_holds_no_more(people, two_versions):
    shown = page.show_page(two_versions, request_of(people.reviewer, version="1"))
    assert (shown[HEAD]["number"], shown[HEAD]["old"], shown[HEAD]["current"]) == (1, True, 2)
    assert shown[HEAD]["may_write"]
    assert "first version" in shown[DIFF]["sentence"]


@pytest.mark.parametrize("wanted", ["9", "0", "-1", "nonsense", "٣", "9" * 400])
def test_a_link_to_no_version_shows_the_one_in_force_and_says_so(people, two_versions, wanted):
    shown = page.show_page(two_versions, request_of(people.author, version=wanted))
    assert (shown[HEAD]["number"], shown[HEAD]["missing"]) == (2, wanted)


def test_any_two_versions_are_compared_word_by_word(people, two_versions):
    asked = request_of(people.author)
    back = page.compare(two_versions, 2, 1, asked)
    assert text([part for part in back["parts"] if part.get("removed")]) == "grams"
    assert "one and the same" in page.compare(two_versions, 2, 2, asked)["sentence"]
    with pytest.raises(LookupError, match="no version 7"):
        page.compare(two_versions, 1, 7, asked)


def test_long_stretches_that_stayed_fold_and_nothing_of_the_text_is_lost(people, two_versions):
    lines = [f"Line {n}.\n" for n in range(40)]
    changed = [*lines[:20], "New.\n", *lines[20:]]
    parts = folded(word_diff("".join(lines), "".join(changed)))
    assert sum("folded" in part for part in parts) == 2
    assert "Line 0." not in text([part for part in parts if "folded" not in part])
    for number in range(40):
        assert f"Line {number}." in text(parts)


def test_a_version_that_changed_nothing_says_so(people, two_versions):
    with write() as session:
        guidelines.bring_back(session, people.admin, two_versions, 1, number=2)
    with read() as session:
        first, third = (guidelines.get_guideline(session, two_versions, n) for n in (1, 3))
        assert diff_value(first, third)["sentence"] == "Versions 1 and 3 have the same text."


# the text -----------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "hostile",
    [
        "<script>window.pwned = 1</script>",
        "<img src=x onerror=alert(1)>",
        '<form action="https://evil.example"><input type="password"></form>',
        '<div style="position:fixed;inset:0">cover</div>',
        "<style>body { display: none }</style>",
        '<b id="save-btn">',
        "[x](javascript:alert(1))",
        "[x](data:text/html,<script>alert(1)</script>)",
        "![x](https://evil.example/who-reads.png)",
        '<https://e.example/"onmouseover=alert(1)>',
        "`</code><script>`",
        "```<script>\n</pre><script>alert(1)\n```",
    ],
)
def test_nothing_of_the_markdown_becomes_live_html(hostile):
    html = rendered(f"Before {hostile} after\n\n{hostile}")
    for tag in (
        "<script",
        "<img",
        "<form",
        "<input",
        "<div",
        "<style",
        "<b ",
        "</pre><",
        'javascript:alert(1)"',
    ):
        assert tag not in html
    assert 'href="data:' not in html


def test_what_is_rendered_is_one_line_so_that_it_is_not_read_as_markdown_again():
    html = rendered("# A\n\n```\nfirst\n\n# no heading\n```\n\n- x\n- y\n\n| a |\n|---|\n| <5 mg |")
    assert "\n" not in html
    assert "first&#10;&#10;# no heading" in html
    assert "<td>&lt;5 mg</td>" in html


def test_headings_stay_below_the_page_title_and_outside_links_leave_the_page_open():
    html = rendered("# A\n###### B\n\n[out](https://example.org) [own](/curate)")
    assert "<h2>A</h2>" in html
    assert "<h6>B</h6>" in html
    assert '<a href="https://example.org" target="_blank" rel="noopener noreferrer">' in html
    assert '<a href="/curate">' in html


# writing ------------------------------------------------------------------------------------------------


def test_the_outline_is_offered_for_the_first_text_only(people, project_id):
    begun = page.begin(project_id, request_of(people.reviewer))
    assert (begun[0], begun[7]["visible"]) == (Writing(0), True)
    body, shown, head, offer = fill_outline(begun[0], request_of(people.reviewer))
    assert (body, head["title"], head["dirty"]) == (OUTLINE, "Writing version 1", True)
    assert "<h3>No real patients</h3>" in shown
    assert not offer["visible"]
    page.save(project_id, begun[0], body, "", request_of(people.reviewer))
    begun = page.begin(project_id, request_of(people.reviewer))
    assert (begun[0], begun[3], begun[7]["visible"]) == (Writing(1), OUTLINE, False)


def test_the_outline_names_nothing_that_looks_like_a_patient():
    assert phi.find(OUTLINE) == []
    assert len(OUTLINE) < MAX_CHARACTERS / 5


def test_the_preview_is_what_readers_will_see(people):
    body = "# A\n\n<script>x</script> **b**"
    assert preview(body, request_of(people.reviewer)) == rendered(body)


def test_a_save_shows_the_new_version_in_force(people, two_versions):
    writing, *shown = page.save(two_versions, Writing(2), "Third.", "Shorter", request_of(people.reviewer))
    assert writing == Writing()
    assert (shown[HEAD]["number"], shown[HEAD]["reason"]) == (3, "Shorter")
    assert shown[HEAD]["note"] == "Saved. Version 3 is in force now."
    assert (shown[READING]["visible"], shown[EDITOR]["visible"]) == (True, False)
    assert len(shown) == len(page.show_page(two_versions, request_of(people.reviewer)))


def test_a_save_of_the_same_text_says_that_nothing_changed(people, two_versions):
    _, *shown = page.save(two_versions, Writing(2), "# One\n\nDose in grams.\n", "", request_of(people.admin))
    assert (shown[HEAD]["number"], shown[HEAD]["note"]) == (2, "Nothing was changed.")


def test_a_stale_save_shows_both_texts_and_leaves_the_editor_alone(people, two_versions):
    asked = request_of(people.reviewer)
    writing, *shown = page.save(two_versions, Writing(1), "# One\n\nDose in drops.", "Drops", asked)
    assert writing == Writing(1, theirs=2)
    assert all(output == gr.skip() for output in shown[:EDITOR_HEAD])
    assert shown[EDITOR_HEAD]["dirty"]
    told = shown[CONFLICT]
    mine, theirs = told["sides"]
    assert "Ada Admin saved version 2" in told["sentence"]
    assert (text(mine["parts"]), text(theirs["parts"])) == (
        "# One\n\nDose in drops.",
        "# One\n\nDose in grams.",
    )
    with read() as session:
        assert guidelines.current_guideline(session, two_versions).number == 2
    # pressing save again does not slip past what was shown
    again, *_ = page.save(two_versions, writing, "# One\n\nDose in drops.", "Drops", asked)
    assert again == writing


def test_mine_is_kept_on_top_of_theirs_but_not_on_top_of_a_text_nobody_was_shown(people, two_versions):
    asked = request_of(people.reviewer)
    writing, *_ = page.save(two_versions, Writing(1), "Mine.", "", asked)
    page.save(two_versions, Writing(2), "A third one.", "", request_of(people.other_reviewer))
    writing, *shown = page.keep_mine(two_versions, writing, "Mine.", "", asked)
    assert (writing.theirs, text(shown[CONFLICT]["sides"][1]["parts"])) == (3, "A third one.")
    _, *shown = page.keep_mine(two_versions, writing, "Mine.", "", asked)
    assert (shown[HEAD]["number"], shown[TEXT]) == (4, "<p>Mine.</p>")


def test_their_text_is_taken_and_mine_can_be_put_back(people, two_versions):
    asked = request_of(people.reviewer)
    writing, *_ = page.save(two_versions, Writing(1), "Mine.", "", asked)
    writing, head, told, body, _ = page.take_theirs(two_versions, writing, "Mine.", asked)
    assert (body, head["note"], told["sides"]) == ("# One\n\nDose in grams.", "on top of version 2", [])
    writing, _, told, body, shown = page.put_back(writing, asked)
    assert (body, shown, told["sentence"]) == ("Mine.", "<p>Mine.</p>", "")
    _, *shown = page.save(two_versions, writing, body, "", asked)
    assert shown[HEAD]["number"] == 3


def test_an_earlier_version_is_brought_back_as_a_new_one(people, two_versions):
    shown = page.bring_back(two_versions, event(number=1, on=2), request_of(people.reviewer))
    assert (shown[HEAD]["number"], shown[HEAD]["reason"]) == (3, "Brought back version 1")
    assert shown[HEAD]["note"] == "Version 1 is in force again, as version 3."
    with pytest.raises(ValueError, match="in the meantime"):
        page.bring_back(two_versions, event(number=2, on=2), request_of(people.reviewer))


@pytest.mark.parametrize("role", ["author", "trainer", "clinician"])
def test_who_may_not_guide_is_refused_by_every_handler_that_writes(people, two_versions, role):
    asked = request_of(getattr(people, role))
    for call in (
        lambda: page.begin(two_versions, asked),
        lambda: page.keep(two_versions, Writing(2), "Mine.", "", asked),
        lambda: page.save(two_versions, Writing(2), "Mine.", "", asked),
        lambda: page.keep_mine(two_versions, Writing(2), "Mine.", "", asked),
        lambda: page.bring_back(two_versions, event(number=1, on=2), asked),
        lambda: preview("x", asked),
    ):
        with pytest.raises(PolicyError, match="write guidelines"):
            call()


# what is typed keeps itself -----------------------------------------------------------------------------


def test_what_was_typed_is_back_in_the_editor_and_cancel_throws_it_away(people, two_versions):
    asked = request_of(people.reviewer)
    kept = page.keep(two_versions, Writing(2), "# One\n\nDose in gr", "Units", asked)
    shown = page.show_page(two_versions, asked)
    assert (shown[BUTTON]["word"], shown[HEAD]["typed"]) == ("Go on writing", "just now")
    assert page.show_page(two_versions, request_of(people.admin))[HEAD]["typed"] == ""
    writing, head, both, body, reason, html, again, *_ = page.begin(two_versions, asked)
    assert (writing, body, reason) == (Writing(2), "# One\n\nDose in gr", "Units")
    assert (again, html, both["sentence"]) == (kept, rendered(body), "")
    assert head["dirty"]
    assert head["note"] == "on top of version 2. What you typed just now is back"
    shown = page.cancel(two_versions, asked)
    assert (shown[BUTTON]["word"], shown[HEAD]["typed"]) == ("Edit", "")
    assert page.begin(two_versions, asked)[3] == "# One\n\nDose in grams."


def test_typing_that_someone_overtook_comes_back_with_both_texts(people, two_versions):
    asked = request_of(people.reviewer)
    page.keep(two_versions, Writing(2), "Mine.", "", asked)
    page.save(two_versions, Writing(2), "Theirs.", "", request_of(people.admin))
    writing, _, both, body, *_ = page.begin(two_versions, asked)
    assert (writing, body) == (Writing(2, theirs=3), "Mine.")
    assert [text(side["parts"]) for side in both["sides"]] == ["Mine.", "Theirs."]
    _, *shown = page.keep_mine(two_versions, writing, body, "", asked)
    assert (shown[HEAD]["number"], shown[HEAD]["typed"], shown[BUTTON]["word"]) == (4, "", "Edit")


def test_typing_that_says_no_more_than_the_version_is_not_kept(people, two_versions):
    asked = request_of(people.reviewer)
    assert page.keep(two_versions, Writing(2), "# One\n\nDose in grams.", "", asked) == {"at": ""}
    assert page.show_page(two_versions, asked)[HEAD]["typed"] == ""


# beside the work ----------------------------------------------------------------------------------------


def test_the_fold_holds_the_version_in_force_with_a_link(people, two_versions):
    label, body, foot = show_fold(two_versions, request_of(people.author))
    assert (label, body) == ("Guidelines, version 2", "<h2>One</h2>&#10;<p>Dose in grams.</p>")
    assert (foot["who"], foot["href"]) == ("Ada Admin", f"/guidelines?project={two_versions}")


def test_the_fold_of_a_project_without_guidelines_says_so(people, project_id):
    label, body, foot = show_fold(project_id, request_of(people.author))
    assert (label, body, foot["who"]) == ("Guidelines", "", "")


def test_a_record_says_under_which_version_it_was_reviewed(people, two_versions):
    content = Content("Which organ does hepatitis inflame?", output="The liver.", task="qa")
    with write() as session:
        row = instructions.create_instruction(session, people.author, two_versions, content)
        assert reviewed_under_value(session, row) == NOT_REVIEWED
        instructions.submit_for_review(session, people.author, row.id, version=1)
        reviews.review_instruction(session, people.reviewer, row.id, Decision.APPROVE, version=1)
        session.flush()
        told = reviewed_under_value(session, row)
        assert told["text"] == "Reviewed under guidelines version 2"
        assert told["href"] == f"/guidelines?project={two_versions}&version=2"
        assert told["title"] == "The version in force"
        guidelines.write_guideline(session, people.admin, two_versions, "Three.", number=2)
        assert reviewed_under_value(session, row)["title"] == "Version 3 is in force now"
