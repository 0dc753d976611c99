"""What the columns show of the model server's events, and how hostile text is laid out and marked."""

import json
from collections.abc import Iterator
from itertools import pairwise

import gradio as gr
import pytest
from playwright.sync_api import expect

from bioui.components.answer_provenance import provenance_rows
from bioui.components.answers import (
    AnswersState,
    ColumnState,
    answers,
    answers_value,
    replayed_position,
    stopped_position,
)
from bioui.markdown_tree import tree
from db.enums import Side
from tests.bioui.scripted_model_server import provenance
from tests.bioui.served import served, tab

HOSTILE = """# Plan <img src=x onerror="window.ran='html'">

<script>window.ran = 'script'</script> ${window.ran='literal'} {{value.title}} \\u0041 $& `${1}`

[click me](javascript:window.ran='link') [a paper](https://evil.invalid/paper) <https://evil.invalid/auto>
![a picture](https://evil.invalid/picture.png) &lt;b onclick=1&gt; &amp;

>92 % saturation; HLA-B*57:01 and HLA-B*15:02; CYP2C19 *2/*3 and *17

[1]: https://evil.invalid/reference

| Drug | Dose |
|---|---|
| metformin | **500 mg** <iframe src="https://evil.invalid"></iframe> |
"""
BENIGN = "## Plan\n\n3. Give metformin 850 mg.\n4. Recheck in *two* weeks.\n\n- no fever"


def texts(nodes) -> Iterator[list]:
    for node in nodes:
        if isinstance(node, list):
            yield node
        else:
            yield from texts(node["nodes"])


def tags(nodes) -> set[str]:
    inner = [node for node in nodes if not isinstance(node, list)]
    return {node["tag"] for node in inner}.union(*(tags(node["nodes"]) for node in inner))


def state(*said: str, **column) -> AnswersState:
    colours = (Side.BASE, *[Side.TUNED] * 5)
    return AnswersState(
        [
            ColumnState(f"side {at}", colours[at], text, "stop", 9, 42.0, 0.31, provenance("tuned"), **column)
            for at, text in enumerate(said)
        ]
    )


# Events ---------------------------------------------------------------------------------------------


def test_events_fill_the_columns_and_say_what_is_waited_for():
    shown = AnswersState([ColumnState("tiny", Side.BASE), ColumnState("copier", Side.TUNED)])
    shown.apply({"type": "start", "queue": 2, "loading": False, "passes": "one"})
    assert shown.phase == "Waiting for 2 comparisons before this one"
    shown.apply({"type": "queue", "ahead": 1})
    assert shown.phase == "Waiting for 1 comparison before this one"
    shown.apply({"type": "start", "queue": 0, "loading": True, "passes": "one"})
    shown.waited = 3.4
    assert answers_value(shown, running=True)["phase"] == "Loading the model · 3 s"
    for text in (" ", "\n", "Give", " ", "it."):
        shown.apply({"type": "delta", "position": 1, "text": text})
    assert (shown.columns[1].text, shown.has_text, shown.is_done) == ("Give it.", True, False)
    done = {"finish_reason": "stop", "tokens": 4, "tokens_per_second": 8.0, "first_token_seconds": 0.5}
    for position in (0, 1):
        shown.apply({"type": "done", "position": position, **done, "provenance": provenance("tuned")})
    assert shown.is_done
    figures = answers_value(shown)["columns"][1]["figures"]
    assert figures == ["first token 0.50 s", "8 tokens/s", "4 tokens"]


def test_a_side_that_failed_alone_is_done_and_says_why():
    shown = state("Give it.", "")
    shown.columns[1].finish_reason, shown.columns[1].problem = "", "The endpoint did not answer."
    assert shown.is_done
    assert answers_value(shown)["columns"][1]["problem"] == "The endpoint did not answer."


def test_what_is_no_place_of_an_answer_is_refused():
    assert stopped_position(gr.EventData(None, {"position": None})) is None
    assert replayed_position(gr.EventData(None, {"position": 2})) == 2
    for wrong in (6, -1, "1", True, 1.0, {}):
        with pytest.raises(ValueError, match="^answer: "):
            stopped_position(gr.EventData(None, {"position": wrong}))


def test_provenance_is_listed_in_words():
    rows = dict(provenance_rows(provenance("tuned")))
    assert rows["Adapter hash"] == "a" * 64
    assert rows["Batch"].startswith("2 rows, 9 prompt tokens")
    assert rows["Sampling"] == "greedy, at most 200 tokens"
    assert rows["Seed"] == "0"
    assert "Changed since tuning" not in rows


def test_a_blind_value_tells_nothing_of_the_sides():
    measured = [{"text": "On MedQA: 41 % right", "href": "/evaluate", "link": "Leaderboard", "help": ""}]
    named = state("One.", "Other.", measured=measured, note="The same text again.", kind="Tuned")
    shown = answers_value(
        named, title="Q", prompt="Q?", comparison_id=7, caption="Anna · number 7", link="/?comparison=7",
        blind=True,
    )  # fmt: skip
    left, right = shown.pop("columns")
    assert {name for name in left if left[name] != right[name]} == {"letter", "kind", "text", "tree"}
    assert (left["kind"], right["kind"]) == ("Answer A", "Answer B")
    told = json.dumps([shown, left, right])
    for secret in (
        "side 0",
        "side 1",
        "copier",
        "tiny",
        "base",
        "tuned",
        "MedQA",
        "Anna",
        "comparison=7",
        "0.31",
    ):
        assert secret not in told.replace('"base', "").replace("share a base", ""), secret
    swapped = answers_value(state("One.", "Other."), title="Q", prompt="Q?", blind=True)
    named.columns.reverse()
    for column, text in zip(named.columns, ("One.", "Other."), strict=True):
        column.text = text
    assert answers_value(named, title="Q", prompt="Q?", blind=True) == swapped


# Markdown -------------------------------------------------------------------------------------------


def test_hostile_markdown_is_a_tree_of_harmless_elements():
    laid_out = tree(HOSTILE)
    allowed = {"p", "h4", "table", "thead", "tbody", "tr", "th", "td", "strong", "code", "small"}
    assert tags(laid_out.nodes) <= allowed
    assert '"href"' not in json.dumps(laid_out.nodes)
    for words in (
        "<script>window.ran = 'script'</script>",
        "[click me](javascript:window.ran='link')",
        "a paper (https://evil.invalid/paper)",
        "[picture: a picture (https://evil.invalid/picture.png)]",
        "<b onclick=1> &",
        ">92 % saturation; HLA-B*57:01 and HLA-B*15:02; CYP2C19 *2/*3 and *17",
        "[1]: https://evil.invalid/reference",
        "${window.ran='literal'} {{value.title}} \\u0041 $& ${1}",
    ):
        assert words in laid_out.text  # fmt: skip


def test_every_text_stands_where_its_place_says():
    for text in (HOSTILE, BENIGN, "plain\nlines", "a\n\n\n- b\n  1. c\n\n```\ncode\n```"):
        laid_out = tree(text)
        assert all(laid_out.text[at : at + len(words)] == words for words, at in texts(laid_out.nodes))


def test_a_dose_in_stars_is_set_apart_and_an_allele_keeps_its_star():
    assert tree("Give *850 mg* of it.").text == "Give 850 mg of it.\n"
    for written in ("HLA-B*57:01 and HLA-B*15:02", "CYP2D6 *4/*10, then *17", "2 * 3 mg"):
        assert tree(written).text.strip() == written


def test_a_list_keeps_its_first_number():
    (numbered,) = [node for node in tree(BENIGN).nodes if node["tag"] == "ol"]
    assert numbered["start"] == 3


@pytest.mark.parametrize(
    "text",
    [
        "|a|b|\n|-|-|\n" + "|1|2|\n" * 20_000,
        "- " * 60 + "hidden",
        "> " * 500 + "deep",
        "[" * 20_000,
        "*a" * 20_000,
    ],
)
def test_what_is_too_large_or_too_deep_is_shown_whole_as_it_was_written(text):
    shown = tree(text).text
    assert [sign for sign in shown if sign.isalnum()] == [sign for sign in text if sign.isalnum()]


# Marks ----------------------------------------------------------------------------------------------


def test_only_what_one_answer_says_is_marked():
    shown = answers_value(state("Give 20 mg daily.", "Give 5 mg daily."))
    marked = [
        [column["text"][start:end] for start, end in words]
        for column, words in zip(shown["columns"], shown["words"], strict=True)
    ]
    assert marked == [["20"], ["5"]]
    assert answers_value(state("Give 20 mg.", "Give 5 mg."), running=True)["words"] == []
    three = answers_value(state("Give 20 mg.", "Give 5 mg.", "Give 9 mg."))["words"]
    assert [len(words) for words in three] == [0, 1, 1]


def test_clinical_marks_stand_at_their_words_and_are_told_in_a_list():
    passage = "She takes metformin 500 mg twice daily."
    shown = answers_value(
        state("**Metformin** 500 mg bid. No fever.", "Metformin *850 mg* bid. She has fever. Add ramipril."),
        prompt="What now?", passage=passage,
    )  # fmt: skip
    clinical = shown["clinical"]
    assert clinical["cue"].startswith(
        "The answers disagree on 1 dose and 1 negation. Check both against the source."
    )
    assert clinical["cue_kind"] == "differs"
    right = tree(shown["columns"][1]["text"]).text
    marks = {(right[start:end], style) for start, end, style, _ in clinical["marks"][1]}
    assert marks == {("850 mg bid", "dose"), ("850 mg bid", "stray"), ("fever", "denial"),
                     ("ramipril", "drug"), ("ramipril", "stray")}  # fmt: skip
    assert [(row["about"], row["said"]) for row in clinical["rows"]] == [
        ("metformin", ["500 mg bid", "850 mg bid"]),
        ("fever", ["fever: denied", "fever: affirmed"]),
        ("ramipril", ["", "ramipril"]),
    ]


def test_agreement_is_called_no_proof():
    clinical = answers_value(state("Give metformin 500 mg bid.", "Metformin 0.5 g twice daily."))["clinical"]
    assert "That is no proof" in clinical["cue"]
    assert (clinical["cue_kind"], clinical["rows"]) == ("agrees", [])


# In a browser ---------------------------------------------------------------------------------------


def test_hostile_answers_are_read_safely_and_marked_on_request(browser):
    """Streaming as text, then laid out; nothing runs, nothing calls out, every address stays plain text."""
    passage = f"{HOSTILE}\nShe takes metformin 500 mg."
    finished = answers_value(
        state(HOSTILE, BENIGN, BENIGN + " today"),
        title=HOSTILE,
        prompt=HOSTILE,
        passage=passage,
        caption=HOSTILE,
    )
    coming = AnswersState(
        [ColumnState(HOSTILE, Side.BASE, HOSTILE), ColumnState("b", Side.TUNED)], "Answering"
    )
    stopped: list = []

    def build() -> None:
        shown = answers()
        run, show = gr.Button("run"), gr.Button("show")
        run.click(lambda: answers_value(coming, title="T", prompt="P", running=True), None, shown)
        show.click(lambda: finished, None, shown)
        shown.stop(note, None, None)

    def note(event: gr.EventData) -> None:
        stopped.append(stopped_position(event))

    called: list[str] = []
    with served(build) as url, tab(browser, url, "anna") as page:
        page.on("request", lambda sent: called.append(sent.url) if "evil" in sent.url else None)
        page.goto("/")
        page.get_by_role("button", name="run").click()
        columns = page.locator(".answers-column")
        expect(columns.nth(0).locator(".answers-text")).to_have_text(HOSTILE, use_inner_text=False)
        assert columns.nth(0).locator(".answers-text *").count() == 0  # as text, until it is done
        columns.nth(1).get_by_role("button", name="Stop").click()
        page.get_by_role("button", name="Stop both").click()
        page.get_by_role("button", name="show").click()
        expect(columns).to_have_count(3)
        text = columns.nth(0).locator(".answers-text")
        expect(text.locator("table")).to_contain_text('<iframe src="https://evil.invalid"></iframe>')
        expect(text).to_contain_text("<script>window.ran = 'script'</script> ${window.ran='literal'}")
        assert page.locator(".answers :is(a, img, script, iframe)").count() == 0
        page.get_by_role("button", name="Clinical differences").click()
        expect(page.locator(".answers-differences")).to_contain_text("metformin")
        expect(columns.nth(1).locator("mark.mark-dose")).to_have_text("850 mg")
        assert columns.nth(1).locator("mark.mark-dose").get_attribute("data-tag") == "other dose"
        page.get_by_role("button", name="Word differences").click()
        expect(columns.nth(2).locator("mark.mark-word").last).to_contain_text("today")
        page.get_by_role("button", name="As written").click()
        expect(columns.nth(1).locator(".answers-text")).to_have_text(BENIGN, use_inner_text=False)
        page.set_viewport_size({"width": 390, "height": 844})
        boxes = [columns.nth(at).bounding_box() for at in range(3)]
        assert all(lower["y"] >= upper["y"] + upper["height"] for upper, lower in pairwise(boxes))
        assert page.evaluate("document.documentElement.scrollWidth <= window.innerWidth")
        assert page.evaluate("window.ran") is None
    assert called == []
    assert stopped == [1, None]
