"""Templates: rows into instructions, reproducibly, and no template that can do harm."""

from dataclasses import replace

import pytest

from db.content import Content
from db.corpora import templates
from db.corpora.forms import FORMS, CannotWrite, Label, Obstacle
from db.corpora.schema import KbRow, QaRow, T2tRow
from db.corpora.templates import Rendered, RowFault, Template
from db.sandbox import TemplateFault
from tests.db.corpora.rows import CANCER, DISEASE, choice, masked, tagged

WORDINGS = ("Find the diseases.", "Mark the diseases.", "Which diseases?", "List diseases.", "Read and mark.")
PLAIN = Template(
    "mine", "Mine", "IE", "named_entity_recognition", "token_tags", WORDINGS, "{{ text }}", labels=DISEASE
)
MCQ = Template("mcq", "Choices", "QA", "multiple_choice", "choice_letter", WORDINGS, "{{ question }}")
QUESTION = choice(0, "Aspirin", "Heparin")


def asking(input: str) -> Template:
    return replace(MCQ, input=input)


def test_a_row_becomes_an_instruction_that_says_how_to_answer():
    made = templates.render(PLAIN, CANCER, seed=1)
    assert made.instruction.startswith(WORDINGS[made.wording])
    assert "`token : TAG`" in made.instruction
    assert made.input == CANCER.text
    assert made.output.startswith("Cancer : B\nof : I")


def test_the_wording_is_drawn_by_seed_and_row_alone():
    rows = [replace(CANCER, id=str(number)) for number in range(400)]
    drawn = [templates.render(PLAIN, row, seed=3).wording for row in rows]
    backwards = [templates.render(replace(PLAIN), row, seed=3).wording for row in reversed(rows)]
    assert drawn == backwards[::-1]
    assert drawn != [templates.render(PLAIN, row, seed=4).wording for row in rows]
    assert all(50 < drawn.count(number) < 110 for number in range(5))


def test_a_wording_may_place_the_forms_sentence_itself():
    template = replace(PLAIN, wordings=tuple(f"{{{{ answer_form }}}} {words}" for words in WORDINGS))
    made = templates.render(template, CANCER, seed=1)
    assert made.instruction.endswith(WORDINGS[made.wording])
    assert made.instruction.count("token : TAG") == 1


def test_values_loops_and_conditions_reach_the_input():
    source = (
        "{% for choice in choices %}\n({{ choice.letter|lower }}) {{ choice.text }}"
        "{{ ';' if not loop.last }}\n{% endfor %}\n{% if question %}{{ question }}{% endif %}"
    )
    assert templates.render(asking(source), QUESTION, 0).input == "(a) Aspirin;\n(b) Heparin\nWhich drug?"


def test_facets_and_sections_are_values():
    row = T2tRow("1", "1", "Doctor: Hello.", "No allergies.", facets=(("section", "FAM/SOCHX"),))
    made = templates.render(templates.get("dialogue-note-section"), row, 0)
    assert "family and social history" in made.instruction
    asked = QaRow("1", "1", "Why?", "free", ("So.",), facets=(("instruction", "Be brief."),))
    assert templates.render(templates.get("biomedical-question"), asked, 0).input == "Be brief.\n\nWhy?"
    assert (
        templates.render(templates.get("biomedical-question"), replace(asked, facets=()), 0).input == "Why?"
    )


def test_a_template_that_reads_files_or_digs_is_refused_with_its_field_and_line():
    for source, message in (
        ('a\n{% include "/etc/passwd" %}', "input: line 2: include is not available"),
        ("\n{% for a in choices %}{{ a.word }}{% endfor %}", "input: line 2: 'word' is not a field"),
        ("{{ qestion }}", "input: line 1: 'qestion' is not a value here; there are choices, context,"),
        ("x" * 10_001, "input: 10,001 characters; shorten it to 10,000"),
        (
            "{{ question" + "|replace('i','iiiiiiiiii')" * 9 + " }}",
            "input: line 1: it makes more than 200,000",
        ),
    ):
        with pytest.raises(TemplateFault) as refusal:
            templates.render(asking(source), QUESTION, 0)
        assert str(refusal.value).startswith(message)


def test_loops_over_the_characters_of_a_row_run_out_of_steps():
    endless = asking("{% for a in question %}{% for b in question %}{% endfor %}{% endfor %}")
    with pytest.raises(TemplateFault, match="input: line 1: its loops take more than 20,000 steps"):
        templates.render(endless, replace(QUESTION, question="x" * 3_000), 0)


def test_a_fault_in_a_wording_says_which_one():
    template = replace(PLAIN, wordings=(*WORDINGS[:4], "Find {{ that }}."))
    with pytest.raises(TemplateFault, match="wording 5: line 1: 'that' is not a value"):
        templates.preview(template, [CANCER])


def test_a_template_for_mentions_cannot_give_them_away():
    with pytest.raises(TemplateFault, match="'entities' is not a value here; there are text"):
        templates.render(replace(PLAIN, input="{{ entities }}"), CANCER, 0)


def test_a_preview_shows_five_rows_and_says_why_one_is_left_out():
    inside = KbRow("odd", "odd", CANCER.text, CANCER.entities, (), ((0, 3), (4, 6)))
    shown = templates.preview(PLAIN, [CANCER, inside, *[CANCER] * 8])
    assert len(shown) == 5
    assert isinstance(shown[0], Rendered)
    assert isinstance(shown[1], RowFault)
    assert (shown[1].row_id, shown[1].obstacle) == ("odd", Obstacle.INSIDE_TOKEN)
    assert "choose another form" in shown[1].sentence


def test_a_row_of_another_shape_is_refused():
    with pytest.raises(CannotWrite, match="another shape"):
        templates.render(MCQ, CANCER, 0)


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"wordings": WORDINGS[:4]}, "wordings: 4 are given; write 5 to 100"),
        ({"wordings": (*WORDINGS, WORDINGS[0])}, "wordings: two are the same"),
        ({"wordings": (*WORDINGS, " ")}, "wordings: one of them is empty"),
        ({"form": "sonnet"}, "form: 'sonnet' is not one of"),
        ({"labels": ()}, "labels: this form needs labels"),
        ({"title": ""}, "title: a template needs one"),
    ],
)
def test_a_template_that_lacks_something_is_refused(change, message):
    with pytest.raises(ValueError, match=message):
        replace(PLAIN, **change)


def test_a_template_is_read_from_plain_values():
    values = {
        **{"name": "x", "title": "X", "category": "IE", "task": "ner", "form": "json_entities"},
        **{
            "wordings": list(WORDINGS),
            "input": "{{ text }}",
            "labels": ["Drug", {"name": "D", "shown": "d"}],
        },
    }
    assert templates.read_template(values).labels == (Label("Drug"), Label("D", "d"))
    with pytest.raises(ValueError, match="colour: a template has no such field"):
        templates.read_template({**values, "colour": "red"})
    with pytest.raises(ValueError, match="task: a template needs one"):
        templates.read_template({key: value for key, value in values.items() if key != "task"})


def test_every_shipped_template_compiles_and_makes_valid_content():
    library = templates.read_library()
    assert len(library) > 60
    for name, template in library.items():
        assert name == template.name
        assert template.prepared.form.name == template.form
        assert len(template.wordings) >= 5 or template.few_wordings
        Content(template.wordings[0], category=template.category, task=template.task)
    assert {template.form for template in library.values()} == set(FORMS)
    assert len(templates.get("patient-question").wordings) == 10


def test_labels_and_unasked_types_of_rows_are_told():
    row = tagged("BRCA1 in asthma", ("BRCA1", "Gene"), ("asthma", "Disease"))
    assert [label.name for label in templates.labels_of([row])] == ["Disease", "Gene"]
    assert [label.name for label in templates.labels_of([masked("1")])] == ["1"]
    assert templates.unasked_types(PLAIN, [row, row]) == {"Gene": 2}


def test_an_unknown_template_is_not_found():
    with pytest.raises(LookupError, match="template: 'nothing' is not one of the studio's"):
        templates.get("nothing")
