"""Templates that people type: what they may do, and that none of them can do harm or hold anything up."""

import json
import time
import tracemalloc

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from db.generating.prompts import RULES as OF_PROMPTS
from db.sandbox import Record, Rules, TemplateFault, compile_text

OF_CORPORA = Rules()
CHOICES = [Record(letter="A", text="Aspirin"), Record(letter="B", text="Heparin")]
ROW = {"question": "Which drug?", "choices": CHOICES, "n": 2}
SEED = Record(instruction="Which drug?", input='Took "aspirin" < 5 mg', output="Aspirin")
REQUEST = {"seeds": [SEED], "tasks": ["ner", "nli"], "passage": "A text.", "parent": SEED, "n": 3}


def rendered(source: str, values: dict = ROW, rules: Rules = OF_CORPORA) -> str:
    return compile_text(source, frozenset(values), rules=rules).render(values)


def refusal(source: str, values: dict = ROW, rules: Rules = OF_CORPORA) -> TemplateFault:
    """The refusal of a template, quick and in one sentence."""
    started = time.thread_time()
    with pytest.raises(TemplateFault) as refused:
        rendered(source, values, rules)
    assert time.thread_time() - started < 2
    fault = refused.value
    place = f"template: line {fault.line}: " if fault.line else "template: "
    assert str(fault) == place + fault.sentence
    assert fault.sentence.endswith(".")
    assert "\n" not in fault.sentence
    return fault


# What a template may do -------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("source", "made"),
    [
        ("{{ question }}", "Which drug?"),
        (" no value at all \n", "no value at all"),
        ("{% for a in choices %}({{ a.letter|lower }}) {{ a.text }}{{ ';' if not loop.last }}\n{% endfor %}",
         "(a) Aspirin;\n(b) Heparin"),
        ("{% for a in choices if a.letter != 'A' %}{{ loop.index }} {{ a['text'] }}{% endfor %}",
         "1 Heparin"),
        ("{{ choices|join(', ', 'text') }}", "Aspirin, Heparin"),
        ("{{ ['a', n, 'b']|join }}", "a2b"),
        ("{{ n ~ ' drugs' }} {{ n + 1 }} {{ 'x' + 'y' }} {{ -n }}", "2 drugs 3 xy -2"),
        ("{{ choices|length }} {{ (choices|first).text }} {{ choices[1].text }}", "2 Aspirin Heparin"),
        ("{{ question|replace('drug', 'dose')|upper }} {{ 'a\n b'|one_line|sentence }}", "WHICH DOSE? A b"),
        ("{{ ''|default('none') }}{{ question[:5] }}", "noneWhich"),
        ("{{ choices|json }}",
         '[{"letter": "A", "text": "Aspirin"}, {"letter": "B", "text": "Heparin"}]'),
        ("{% if n is even and question is string %}even{% else %}odd{% endif %}", "even"),
    ],
)  # fmt: skip
def test_values_filters_conditions_and_loops_make_text(source, made):
    assert rendered(source) == made


def test_json_is_as_a_person_writes_it():
    assert rendered("{{ parent.input | json }}", REQUEST, OF_PROMPTS) == r'"Took \"aspirin\" < 5 mg"'
    assert rendered("{{ seeds | json }}", {"seeds": [Record(é=["ü", 1])]}) == '[{"é": ["ü", 1]}]'


def test_text_without_a_value_is_kept_as_it_is_and_a_value_can_be_put_in_for_good():
    assert compile_text("Plain. ", frozenset({"question"})).render({}) == "Plain."
    asking = compile_text("{{ question }} {{ n }}", frozenset(ROW))
    assert asking.used == {"question", "n"}
    assert asking.settled(ROW).render({}) == "Which drug? 2"


def test_a_value_is_never_read_as_a_template():
    assert rendered("{{ question }}", {"question": "{{ n }}{% raw %}"}) == "{{ n }}{% raw %}"


# What is refused --------------------------------------------------------------------------------------

HELD = Rules(text=400_000, lists=frozenset({"choices"}), fields=frozenset({"letter", "text"}))
THRICE = "{% for a in choices %}{% for b in choices %}\n{% for c in choices %}" + "{% endfor %}" * 3


@pytest.mark.parametrize("rules", [OF_CORPORA, HELD], ids=["corpora", "prompts"])
@pytest.mark.parametrize(
    ("source", "line", "sentence"),
    [
        ("\n\n{{ 'a' * 10**9 }}", 3, "multiplication is not available"),
        ("{{ 'a' * 1000000000 }}", 1, "multiplication is not available"),
        ("\n\n{{ 9 ** 9 ** 9 }}", 3, "a power is not available"),
        ("{{ '%1000000000d' % 1 }}", 1, "the sign % is not available"),
        ("{{ question.__class__ }}", 1, "'__class__' is not available"),
        ("{{ question['__class__'] }}", 1, "'__class__' is not available"),
        ("{{ n.__class__ }}", 1, "'__class__' is not available"),
        ("{{ choices.append(1) }}", 1, "a call is not available"),
        ("{{ question.upper() }}", 1, "a call is not available"),
        ("{{ cycler.__init__.__globals__ }}", 1, "'__globals__' is not available"),
        ("{{ self }}", 1, "'self' is not a value here; there are choices, n, question."),
        ("\n\n\n{{ qestion }}", 4, "'qestion' is not a value here; there are choices, n, question."),
        ("{{ loop.index }}", 1, "'loop' is not a value here"),
        ("{{ _budget }}", 1, "'_budget' is not a value here"),
        ('a\n{% include "/etc/passwd" %}', 2, "include is not available"),
        ('{% import "os" as os %}', 1, "import is not available"),
        ('{% from "os" import path %}', 1, "import is not available"),
        ('{% extends "x" %}', 1, "extends is not available"),
        ("{% set x = 1 %}", 1, "set is not available"),
        ("{% set x %}1{% endset %}", 1, "set is not available"),
        ("{% macro m() %}{{ m() }}{% endmacro %}", 1, "macro is not available"),
        ("{% block b %}{% endblock %}", 1, "block is not available"),
        ("{% filter upper %}a{% endfilter %}", 1, "a filter block is not available"),
        ("{% with a = 1 %}{% endwith %}", 1, "with is not available"),
        ("{{ {'a': 1} }}", 1, "a dictionary is not available"),
        ('{{ "%1000000000d"|format(1) }}', 1, "the filter 'format' is not available; there are default,"),
        ("{{ n | attr('__class__') }}", 1, "the filter 'attr' is not available"),
        ("{{ n | center(1000000000) }}", 1, "the filter 'center' is not available"),
        ("{{ n is callable }}", 1, "the test 'callable' is not available"),
        ("{% for s in choices recursive %}{{ loop(choices) }}{% endfor %}", 1, "loops stand at most 2 deep"),
        (THRICE, 2, "loops stand at most 2 deep"),
        ("{% for choices in choices %}{% endfor %}", 1, "a loop's name is a value's already"),
        ("{% for loop in choices %}{% endfor %}", 1, "a loop's name is a value's already"),
        ("{% for _budget in choices %}{% endfor %}", 1, "a name in a loop cannot begin with '_'"),
        ("{% for a.b in choices %}{% endfor %}", 1, ""),
        ("x\n{{ ", 2, "unexpected 'end of template'; mend it."),
        ("a\n{% if question %}", 2, "unexpected end of template; mend it."),
        ("{{ " + "(" * 3000 + "1" + ")" * 3000 + " }}", None, "it is nested too deeply"),
        ("{{" + "9" * 9_000 + "}}", None, "a number or a name in it is too long"),
        ("{% for a in choices %}\n{{ a.word }}{% endfor %}", 2, "'word'"),
        ("\n{{ choices[99].text }}", 2, "there is no item 99; correct it."),
        ("{{ choices }}", 1, "a value is used as what it is not"),
        ("{{ choices[0] }}", 1, "a value is used as what it is not"),
        ("{{ choices[0] ~ '' }}", 1, "a value is used as what it is not"),
        ("{{ choices|join }}", 1, "a value is used as what it is not"),
        ("{{ question == '' }}", 1, "a value is used as what it is not"),
        ("\n{{ n + 'a' }}", 2, "a value is used as what it is not"),
        ("{{ question" + "|replace('i','iiiiiiiiii')" * 9 + " }}", 1, "it makes more than"),
    ],
)  # fmt: skip
def test_a_template_that_digs_grows_or_reads_files_is_refused_with_its_line(source, line, sentence, rules):
    fault = refusal(source, ROW, rules)
    assert fault.line == line
    assert sentence in fault.sentence


@pytest.mark.parametrize(
    ("source", "line", "sentence"),
    [
        ("\n{% for i in range(10**9) %}x{% endfor %}", 2, "a loop walks seeds, targets, tasks and"),
        ("{% for s in seeds %}\n{% for c in s.input %}{% endfor %}{% endfor %}", 2, "a loop walks seeds"),
        ("{% if n > 9 %}{{ parent.instrution }}{% endif %}", 1, "there is no field 'instrution'; there are"),
        ("{% if n > 9 %}{{ parent['instrution'] }}{% endif %}", 1, "there is no field 'instrution'"),
        ("{% for s in seeds %}{{ loop.depth }}{% endfor %}", 1, "there is no field 'depth'; there are first"),
        ("x" * 30_001, None, "30,001 characters; shorten it to 30,000 at most."),
    ],
)  # fmt: skip
def test_a_prompt_is_held_to_its_lists_and_fields_before_it_runs(source, line, sentence):
    names = frozenset(REQUEST)
    with pytest.raises(TemplateFault) as refused:
        compile_text(source, names, field="text", rules=OF_PROMPTS)
    assert refused.value.line == line
    assert refused.value.sentence.startswith(sentence)
    assert str(refused.value).startswith("text: ")


def test_a_loop_over_numbers_is_refused():
    assert refusal("{% for i in range(10**9) %}x{% endfor %}").sentence.startswith("a call is not available")
    assert refusal("\n{% for i in n %}x{% endfor %}").line == 2


def test_a_fault_is_said_of_the_field_that_the_text_stands_in():
    with pytest.raises(TemplateFault, match="^wording 3: line 1: 'that' is not a value"):
        compile_text("{{ that }}", frozenset(ROW), field="wording 3")
    with pytest.raises(TemplateFault, match="^input: line 2: there is no item 7"):
        compile_text("\n{{ choices[7] }}", frozenset(ROW), field="input").render(ROW)


# Budgets ----------------------------------------------------------------------------------------------


def test_nested_loops_run_out_of_steps_and_not_of_time():
    crowded = {"choices": list(map(str, range(26))), "question": "x" * 3_000}
    assert rendered("{% for a in choices %}.{% endfor %}", crowded) == "." * 26
    fault = refusal("{% for a in question %}{% for b in question %}{% endfor %}{% endfor %}", crowded)
    assert (fault.line, fault.sentence) == (1, "its loops take more than 20,000 steps; loop over less.")


def test_the_steps_of_all_loops_count_together():
    values = {"choices": ["a"] * 60}
    loop = "{% for a in choices %}{% endfor %}"
    assert rendered(loop, values, Rules(steps=60)) == ""
    assert "more than 100 steps" in refusal(f"{loop}\n{loop}", values, Rules(steps=100)).sentence


def test_slow_steps_run_out_of_time():
    values = {"choices": ["a"] * 10_000, "text": "b" * 100_000}
    source = "{% for a in choices %}{% if text|upper|lower == a %}{% endif %}{% endfor %}"
    fault = refusal(source, values, Rules(seconds=0.05))
    assert fault.sentence == "it takes longer than 0.05 s; make it simpler."


@pytest.mark.parametrize(
    "source",
    [
        "{{ text }}{{ text }}",
        "{{ text ~ text }}",
        "{{ text + text }}",
        "{{ [text, text]|join }}",
        "{{ [text, text]|json }}",
        "{{ text|replace('b', 'bb') }}",
        "{% for a in rows %}{{ text }}{% endfor %}",
        "{% if text ~ text == '' %}{% endif %}",
    ],
)
def test_text_stops_at_its_bound(source):
    values = {"text": "b" * 600, "rows": ["a", "b"]}
    bounds = Rules(text=1_000)
    assert len(rendered(source, {**values, "text": "b" * 300}, bounds)) < 700
    assert refusal(source, values, bounds).sentence == "it makes more than 1,000 characters; take less."


@pytest.mark.parametrize("joint", ["~", "+", ","])
def test_joining_a_long_text_to_itself_is_refused_before_it_is_made(joint):
    values = {"text": "b" * 150_000}
    compiled = compile_text("{{ [" + joint.join(["text"] * 150) + "]|join }}", frozenset(values))
    tracemalloc.start()
    try:
        with pytest.raises(TemplateFault, match="more than 200,000"):
            compiled.render(values)
        assert tracemalloc.get_traced_memory()[1] < 1_000_000
    finally:
        tracemalloc.stop()


PIECES = [
    "{{ question }}", "{{ choices[0].text }}", "{{ choices|json }}", "{{ question ~ n }}",
    "{{ question.__class__ }}", "{{ loop.index }}", "{{ a.text|replace('i', 'ii') }}", "{{ n + 1 }}",
    "{{ -question }}", "{{ choices|join('', 'letter') }}", "{{ [n, [choices]]|length }}", "{{ ''[n] }}",
    "{{ question|default(n)|first }}", "{% set n = 1 %}", "{% for a in choices %}", "{% for b in question %}",
    "{% endfor %}", "{% if n %}", "{% elif b %}", "{% else %}", "{% endif %}", "{% raw %}", "{% endraw %}",
    "{#", "#}", "{{", "}}", "{%", "%}", "'", "\n", "a", "(", ")", "|",
]  # fmt: skip


def outcome(source: str, rules: Rules = OF_CORPORA) -> str | TemplateFault:
    try:
        return rendered(source, ROW, rules)
    except TemplateFault as fault:
        return fault


def is_in_order(made: str | TemplateFault, lines: int, most: int) -> bool:
    """Whether a text is no longer than may be, and a fault one sentence with a line that there is."""
    if isinstance(made, str):
        return len(made) <= most
    said = made.sentence.endswith(".") and len(str(made).splitlines()) == 1
    return said and (made.line is None or 1 <= made.line <= lines)


@settings(max_examples=400, deadline=None)
@given(st.lists(st.sampled_from(PIECES), max_size=12).map("".join))
def test_whatever_is_put_together_makes_bounded_text_or_one_sentence(source):
    made = outcome(source, Rules(text=500, steps=100))
    assert is_in_order(made, source.count("\n") + 1, most=500)


@settings(max_examples=200, deadline=None)
@given(st.text(max_size=80), st.sampled_from(["{}", "{{ {} }}", "{% {} %}", "{{ question|{} }}"]))
def test_whatever_is_typed_makes_text_or_one_sentence(text, around):
    source = around.replace("{}", text)
    lines = max(source.count("\n"), len(source.splitlines())) + 1
    assert is_in_order(outcome(source), lines, most=OF_CORPORA.text)


@settings(max_examples=200, deadline=None)
@given(st.text(max_size=200))
def test_a_value_comes_out_as_it_went_in(value):
    assert rendered("{{ question }}", {"question": value}) == value.strip()
    assert json.loads(rendered("{{ question|json }}", {"question": value})) == value
