"""The search box's small language: it says what it should, and nothing typed makes it fail."""

from hypothesis import given
from hypothesis import strategies as st
from sqlalchemy.dialects import postgresql

from db import words
from db.tables import Instruction


def marked(text, typed, field=""):
    return [part["text"] for part in words.highlight(text, words.parse(typed), field) if part["mark"]]


def test_every_word_is_quoted_and_the_last_one_may_go_on():
    assert words.parse("beta hepat").expression == '"beta" AND "hepat"*'
    assert words.parse("beta hepatitis ").expression == '"beta" AND "hepatitis"'


def test_phrases_exclusions_starts_and_fields():
    typed = '"acute hepatitis" -viral nephr* task:ner colour:blue '
    assert words.parse(typed).expression == (
        '("acute hepatitis" AND "nephr"* AND task : "ner" AND "colour blue") NOT ("viral")'
    )


def test_operators_of_the_query_language_are_words_like_others():
    assert words.parse("aspirin AND NEAR(liver OR ").expression == ('"aspirin" AND "NEAR liver" AND "OR"')


def test_one_letter_is_not_taken_as_the_start_of_every_word():
    assert words.parse("vitamin k").expression == '"vitamin" AND "k"'


def test_other_databases_are_asked_with_ilike():
    [condition] = words.contains(words.parse('"acute hepatitis" -viral '))
    said = str(condition.compile(dialect=postgresql.dialect(), compile_kwargs={"literal_binds": True}))
    assert "ILIKE '%%' || 'acute hepatitis' || '%%'" in said
    assert "NOT" in said
    assert "MATCH" not in said


def test_marks_are_parts_whatever_case_accent_or_script():
    assert marked("CAFÉ, café and Cafe; decaf", "café ") == ["CAFÉ", "café", "Cafe"]
    assert marked("β-catenin binds α-catenin", "β-caten") == ["β-catenin"]
    assert marked("acute viral hepatitis, acute hepatitis", '"acute hepatitis"') == ["acute hepatitis"]
    assert marked("a task about ner", "task:ner", "instruction") == []
    assert marked("<b>liver</b> & kidney", "liver kidney ") == ["liver", "kidney"]


@given(st.text(), st.text())
def test_the_parts_of_a_highlight_are_the_text(text, typed):
    assert "".join(part["text"] for part in words.highlight(text, words.parse(typed))) == text


def test_an_excerpt_shows_the_place_that_was_found():
    row = Instruction(
        instruction="Summarise the note.", input="Well. " * 200 + "Icterus was seen.", output=""
    )
    field, parts = words.excerpt(row, words.parse("icterus "), characters=80)
    assert field == "input"
    assert [part["text"] for part in parts if part["mark"]] == ["Icterus"]
    assert sum(len(part["text"]) for part in parts) <= 82
    assert words.excerpt(row, words.parse(""))[0] == "instruction"
