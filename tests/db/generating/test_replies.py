import json

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from db.content import Content
from db.enums import Category
from db.generating import replies
from db.generating.replies import FaultKind

FIRST = {
    "instruction": "Which electrolyte is out of range?",
    "input": "Na 128 mmol/L, K 4.1 mmol/L.\nRange: Na 135-145, K 3.5-5.0.",
    "output": "Sodium: 128 mmol/L, below 135.",
    "category": "IE",
    "task": "lab_value_extraction",
}
SECOND = {
    "instruction": 'Explain "β-blocker" to a patient in one sentence.',
    "input": "",
    "output": "A medicine that slows the heart and lowers its workload {as here}.",
    "category": "GEN",
    "task": "patient_education",
}
THIRD = {
    "instruction": "Is the fever stated as present? Answer yes or no.",
    "input": "Denies fever. Reports cough for 3 days [dry].",
    "output": "No",
    "category": "QA",
    "task": "yes_no_qa",
}
ALL = [FIRST, SECOND, THIRD]
NUMBERED = """1. Instruction: Name the range of potassium.
1. Input:
<noinput>
1. Output:
3.5 to 5.0 mmol/L since 2020.
20.5 mg is another matter.
###
2. Instruction: Which drug is named?
2. Input: Took ibuprofen 400 mg.
2. Output: Ibuprofen
###
"""


def content(row: dict) -> Content:
    return Content(**row)


def contents(text: str, **how) -> list[Content]:
    return [item.content for item in replies.read(text, **how).items]


def kinds(text: str, **how) -> list[FaultKind]:
    return [fault.kind for fault in replies.read(text, **how).faults]


def listed(*rows: dict) -> str:
    return json.dumps({"instructions": rows}, ensure_ascii=False, indent=1)


WHOLE = {
    "asked for": listed(*ALL),
    "ascii": json.dumps({"instructions": ALL}),
    "a list": json.dumps(ALL),
    "lines": "\n".join(map(json.dumps, ALL)),
    "a fence": f"Here they are:\n```json\n{listed(*ALL)}\n```\nTell me if you need more.",
    "prose with braces": f'I keep to {{form}} and {{"list"}} [1]: {json.dumps(ALL)} That is all {{}}.',
    "trailing commas": listed(*ALL).replace('"\n', '",\n').replace("}\n ]", "},\n ]"),
    "other wrapper": json.dumps({"meta": {"model": "m", "n": [1, 2]}, "data": {"rows": ALL}}),
    "thoughts": f"<think>A draft: {json.dumps(THIRD)}</think>{listed(*ALL)}",
    "raw line breaks": listed(*ALL).replace("\\n", "\n"),
    "more fields": json.dumps(
        [{"id": number, **row, "note": {"output": 1}} for number, row in enumerate(ALL)]
    ),
}


@pytest.mark.parametrize("form", WHOLE)
def test_whole_records_are_read_in_whatever_form_they_come(form):
    reply = replies.read(WHOLE[form])
    assert [item.content for item in reply.items] == list(map(content, ALL))
    assert [item.position for item in reply.items] == [0, 1, 2]
    if form != "prose with braces":
        assert reply.faults == ()
    assert not reply.is_cut


def test_a_single_object_is_one_record():
    assert contents(json.dumps(SECOND)) == [content(SECOND)]


@pytest.mark.parametrize("form", WHOLE)
def test_every_truncation_of_a_good_reply_gives_a_prefix_of_its_records_and_nothing_else(form):
    text, whole = WHOLE[form], list(map(content, ALL))
    counts = []
    for length in range(len(text)):
        found = contents(text[:length])
        assert found == whole[: len(found)]
        counts.append(len(found))
    assert counts == sorted(counts)
    assert set(counts) >= {0, 1, 2}


def test_a_cut_list_keeps_its_whole_records_and_says_that_it_was_cut():
    text = listed(*ALL)
    reply = replies.read(text[: text.index("slows")])
    assert [item.content for item in reply.items] == [content(FIRST)]
    assert [fault.kind for fault in reply.faults] == [FaultKind.CUT]
    assert text[reply.faults[0].start] == "{"
    assert reply.is_cut


def test_the_servers_word_that_it_stopped_for_length_counts():
    assert replies.read(listed(FIRST), finish_reason="length").is_cut
    assert not replies.read(listed(FIRST), finish_reason="stop").is_cut


# Merged and half records ----------------------------------------------------------------------------


def lose(text: str, lost: str, at: int = 0) -> str:
    """`text` without the occurrence number `at` of `lost`."""
    begin = -1
    for _ in range(at + 1):
        begin = text.index(lost, begin + 1)
    return text[:begin] + text[begin + len(lost) :]


PLAIN = [FIRST, SECOND | {"output": "A medicine that slows the heart."}, THIRD]
COMPACT = json.dumps(PLAIN, ensure_ascii=False)


@pytest.mark.parametrize(
    "lost",
    [
        "}, {",
        "}",
        "{",
        '"}, {"',
        ", {",
        '"output": ',
        '", "input": "',
        '"task": "lab_value_extraction"}, {',
        '}, {"',
    ],
)
@pytest.mark.parametrize("at", [0, 1])
def test_a_lost_boundary_spoils_its_neighbours_at_most_and_merges_nothing(lost, at):
    if COMPACT.count(lost) <= at:
        at = 0
    reply = replies.read(lose(COMPACT, lost, at))
    whole = list(map(content, PLAIN))
    assert all(item.content in whole for item in reply.items)
    assert len(reply.items) < 3
    assert reply.faults


LETTERS = json.dumps(
    [
        {
            "instruction": f"{3 * x}?",
            "input": f"{x}, {x}: {x}",
            "output": f"{5 * x}.",
            "category": "QA",
            "task": x,
        }
        for x in ("mmmm", "vvvv", "wwww", "zzzz")
    ]
)


@settings(max_examples=500, deadline=None)
@given(st.integers(0, len(LETTERS)), st.integers(1, 60))
def test_a_lost_stretch_never_gives_a_record_of_two(begin, length):
    """Each record has a letter of its own; what is lost is shorter than a record."""
    for item in replies.read(LETTERS[:begin] + LETTERS[begin + length :]).items:
        texts = (item.content.instruction, item.content.input, item.content.output, item.content.task)
        assert len(set("".join(texts)) & set("mvwz")) == 1


def test_two_records_in_one_pair_of_braces_are_not_one_record():
    merged = json.dumps(FIRST)[:-1] + ", " + json.dumps(SECOND)[1:]
    reply = replies.read(f"[{merged}, {json.dumps(THIRD)}]")
    assert [item.content for item in reply.items] == [content(THIRD)]
    assert [fault.kind for fault in reply.faults] == [FaultKind.MERGED]


@pytest.mark.parametrize(
    "head", ['"}, {"instruction": "Next', "\n7. Instruction: Next", '"\n "instruction" : "Next']
)
def test_an_answer_that_holds_the_head_of_the_next_record_is_not_kept(head):
    row = FIRST | {"output": f"Sodium. {head}"}
    assert kinds(json.dumps([row, SECOND])) == [FaultKind.MERGED]
    assert contents(json.dumps([row, SECOND])) == [content(SECOND)]


def test_a_record_that_does_not_name_its_input_is_half_of_one():
    row = {name: text for name, text in SECOND.items() if name != "input"}
    assert kinds(listed(row)) == [FaultKind.MISSING]


@pytest.mark.parametrize("missing", ["instruction", "output"])
@pytest.mark.parametrize("value", [None, "", "  ", ...])
def test_a_record_without_question_or_answer_is_a_fault(missing, value):
    row = {name: text for name, text in FIRST.items() if name != missing}
    if value is not ...:
        row[missing] = value
    assert kinds(listed(row, SECOND)) == [FaultKind.MISSING]
    assert contents(listed(row, SECOND)) == [content(SECOND)]


def test_an_answer_with_bare_quotation_marks_is_lost_and_the_next_one_is_not():
    text = json.dumps(ALL, ensure_ascii=False).replace("Sodium: 128", 'The "sodium" of 128')
    reply = replies.read(text)
    assert [item.content for item in reply.items] == [content(SECOND), content(THIRD)]
    assert [fault.kind for fault in reply.faults] == [FaultKind.BROKEN]


# Values -----------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("value", "text"),
    [
        (42, "42"),
        (-1.5, "-1.5"),
        (True, "true"),
        (["a", "b"], '["a", "b"]'),
        ({"drug": ["x", 1]}, '{"drug": ["x", 1]}'),
    ],
)
def test_an_answer_that_is_no_text_stays_as_its_json(value, text):
    [item] = replies.read(listed(FIRST | {"output": value}).replace("\n", "")).items
    assert json.loads(item.content.output) == value
    assert item.mends == ("output: it was no text; kept as its JSON",)
    assert contents(json.dumps(FIRST | {"output": value}))[0].output == text


@pytest.mark.parametrize("value", [1, ["a"], {"a": 1}, False])
def test_an_instruction_that_is_no_text_is_a_fault(value):
    assert kinds(json.dumps(FIRST | {"instruction": value})) == [FaultKind.WRONG_TYPE]


@pytest.mark.parametrize("value", ["<noinput>", "N/A", "None", "none.", None, "", "No input"])
def test_words_for_no_input_are_no_input(value):
    assert contents(json.dumps(THIRD | {"input": value}))[0].input == ""


@pytest.mark.parametrize(
    ("category", "task", "found"),
    [
        ("question answering", "x", Category.QA),
        ("Information Extraction", "x", Category.IE),
        ("gen", "x", Category.GEN),
        ("cardiology", "NER", Category.IE),
        ("cardiology", "x", Category.OTHER),
        (7, "x", Category.OTHER),
        (None, "nli", Category.OTHER),
    ],
)
def test_a_category_is_mended_from_its_name_or_from_the_task(category, task, found):
    [item] = replies.read(json.dumps(FIRST | {"category": category, "task": task})).items
    assert item.content.category is found
    assert any(mend.startswith("category") for mend in item.mends)


def test_backslashes_of_formulas_stay():
    text = json.dumps(FIRST).replace("Sodium:", r"\pm \d \alpha \u12 sodium:")
    assert contents(text)[0].output.startswith(r"\pm \d \alpha \u12 sodium:")


@pytest.mark.parametrize("odd", [r"\u0000", r"\b", r"\ud800", r"\uffff", r"\u001b[31m"])
def test_what_no_text_holds_is_a_fault_and_never_reaches_the_database(odd):
    assert kinds(json.dumps(FIRST).replace("Sodium", odd)) == [FaultKind.UNREADABLE]


def test_both_halves_of_a_character_beyond_the_first_plane_are_one():
    assert contents(json.dumps(FIRST | {"output": "🫀 beats"}))[0].output == "🫀 beats"


def test_a_text_too_long_to_store_is_a_fault():
    assert kinds(json.dumps(FIRST | {"output": "word " * 5_000})) == [FaultKind.TOO_LONG]


@pytest.mark.parametrize(
    "text", ["", " \n", "I am sorry, I cannot do that.", "[]", "{}", '{"instructions": []}', "null"]
)
def test_a_reply_without_records_says_so(text):
    assert kinds(text) == [FaultKind.EMPTY]


def test_faults_never_quote_the_reply():
    text = json.dumps([FIRST | {"output": ""}, SECOND | {"instruction": 3}]) + json.dumps(THIRD)[:-30]
    for fault in replies.read(text).faults:
        for word in ("Sodium", "electrolyte", "medicine", "fever"):
            assert word not in fault.sentence


# Numbered text ----------------------------------------------------------------------------------------


def test_numbered_text_is_read_by_its_heads_and_not_by_numbers_in_it():
    found = contents(NUMBERED)
    assert [one.output for one in found] == [
        "3.5 to 5.0 mmol/L since 2020.\n20.5 mg is another matter.",
        "Ibuprofen",
    ]
    assert [one.input for one in found] == ["", "Took ibuprofen 400 mg."]


def test_every_truncation_of_numbered_text_gives_a_prefix():
    whole = contents(NUMBERED)
    for length in range(len(NUMBERED)):
        for reason in ("", "length"):
            found = contents(NUMBERED[:length], finish_reason=reason)
            assert found == whole[: len(found)]


def test_the_last_numbered_record_is_whole_only_when_it_ends_or_the_server_says_so():
    text = NUMBERED.rstrip("#\n")
    assert len(contents(text)) == 1
    assert len(contents(text, finish_reason="length")) == 1
    assert len(contents(text, finish_reason="stop")) == 2
    assert replies.read(text).is_cut


def test_numbered_fields_of_two_records_are_not_one():
    assert contents("1. Instruction: A?\n2. Output: B\n###\n") == []
    assert kinds("1. Instruction: A?\n1. Input:\n1. Output: B\n1. Output: C\n###\n") == [FaultKind.MERGED]


# What the request gave --------------------------------------------------------------------------------


def test_a_new_answer_belongs_to_the_record_that_was_asked_about():
    fixed = {"instruction": "Which drug?", "input": "Took ibuprofen.", "category": "IE", "task": "ner"}
    text = json.dumps({"instructions": [{"output": "Ibuprofen", "instruction": "Another?"}]})
    assert contents(text, fixed=fixed) == [
        Content("Which drug?", "Took ibuprofen.", "Ibuprofen", Category.IE, "ner")
    ]
    assert contents('{"answer": "Ibuprofen"}', fixed=fixed)[0].output == "Ibuprofen"


def test_a_passage_stays_word_for_word():
    text = json.dumps([FIRST | {"input": "something else"}])
    assert contents(text, fixed={"input": "The passage."})[0].input == "The passage."


def test_labels_are_read_by_number():
    second_first = [
        {"number": 2, "category": "IE", "task": "NER"},
        {"number": "1", "category": "QA", "task": "x"},
    ]
    text = json.dumps({"labels": second_first})
    first, second, third = replies.read_labels(text, 3).labels
    assert (first.category, second.task, third) == (Category.QA, "named_entity_recognition", None)


def test_a_record_labelled_twice_or_out_of_range_has_no_label():
    text = json.dumps([{"number": number, "category": "IE", "task": "a"} for number in (1, 1, 9)])
    reply = replies.read_labels(text, 2)
    assert reply.labels == (None, None)
    assert [fault.kind for fault in reply.faults] == [FaultKind.WRONG_TYPE, FaultKind.MERGED]
