"""Replies that no model should send: huge, deep, endless, or no JSON at all."""

import json
import sys

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from db.generating import replies
from db.generating.replies import FaultKind
from tests.db.generating.test_replies import FIRST, SECOND, content, contents

HOSTILE = {
    "braces": '{"a":' * 40_000,
    "openings": '{"' * 70_000,
    "brackets": "[" * 200_000,
    "deep list": '{"instruction":' + "[" * 150_000,
    "quotes": '"' * 200_000,
    "backslashes": '{"instruction": "' + "\\" * 190_000,
    "escaped quotes": '{"instruction": "' + '\\"' * 90_000,
    "spaces": '{"instruction":' + " " * 190_000,
    "number": '{"instruction": "a", "output": ' + "9" * 190_000 + "}",
    "keys": "{" + '"output": "a", ' * 12_000 + '"b": 1}',
    "heads": "Instruction: a\n" * 13_000,
    "numbered": "1. Instruction: a\n1. Output: b\n" * 6_000,
    "hashes": "Instruction: a\n" + "#" * 190_000,
    "records": "[" + '{"instruction": "a", "output": "b"},' * 5_000,
    "lost": '{"x"}' + '"output" : ' * 15_000,
    "words": "a" * 200_000 + '{"instruction": ' + "b" * 10,
    "thoughts": "<think>" * 28_000,
}


@pytest.mark.parametrize("name", HOSTILE)
def test_a_hostile_reply_is_read_in_work_that_grows_with_its_length(name):
    """Counted, not timed: calls into our own functions for a reply and for one a quarter as long."""
    text = HOSTILE[name]
    short, whole = count_calls(text[: len(text) // 4]), count_calls(text)
    assert whole < 5 * short + 1_000


def count_calls(text: str) -> int:
    calls = 0

    def count(frame, event, _):
        nonlocal calls
        calls += event in ("call", "c_call")

    sys.setprofile(count)
    try:
        replies.read(text)
    finally:
        sys.setprofile(None)
    return calls


def test_a_reply_beyond_the_bound_is_cut_there():
    text = json.dumps(FIRST) + " " * replies.MAX_REPLY + json.dumps(SECOND)
    reply = replies.read(text)
    assert [item.content for item in reply.items] == [content(FIRST)]
    assert reply.is_cut


@pytest.mark.parametrize("row", ['{"x', '{"instruction": "a", "input": "", "output": "b"}'])
def test_a_reply_without_end_gives_no_more_than_a_call_could_use(row):
    reply = replies.read(row * 20_000)
    assert len(reply.items) + len(reply.faults) == replies.MAX_FOUND + 1
    assert reply.faults[-1].kind is FaultKind.TOO_LONG
    assert len(replies.read_labels(row * 20_000, 9).faults) <= replies.MAX_FOUND + 1


@settings(max_examples=200, deadline=None)
@given(st.text(alphabet='{}[]":,\\ \nainstructoupe.1#', max_size=200))
def test_any_text_is_read_without_an_error(text):
    reply = replies.read(text)
    assert reply.items or reply.faults


VALUES = st.recursive(
    st.none()
    | st.booleans()
    | st.integers()
    | st.text(max_size=8)
    | st.floats(allow_nan=False, allow_infinity=False),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=4), inner, max_size=3),
    max_leaves=8,
)
PRINTED = st.text(
    st.characters(min_codepoint=32, exclude_categories=["Cs", "Cn"], exclude_characters="\x7f"), min_size=1
)


@settings(max_examples=200, deadline=None)
@given(st.lists(st.tuples(PRINTED, PRINTED, VALUES), max_size=4), st.booleans())
def test_valid_json_is_read_as_json_reads_it(rows, is_ascii):
    rows = [(question.strip(), answer.strip(), other) for question, answer, other in rows]
    rows = [row for row in rows if row[0] and row[1]]
    text = json.dumps(
        {"instructions": [{"instruction": q, "input": "", "output": a, "x": other} for q, a, other in rows]},
        ensure_ascii=is_ascii,
    )
    assert [(one.instruction, one.output) for one in contents(text)] == [(q, a) for q, a, _ in rows]
