"""The instruction sets of Llama2-MedTuned as presets: its rows, its formats, and what is missing."""

import pytest

from db.corpora import presets, readers, templates
from db.corpora.templates import MIN_WORDINGS
from tests.corpora import corpus
from tests.db.corpora.rows import masked


def test_the_composition_closes_on_the_papers_sum():
    sets = presets.composition()
    assert sum(preset.rows for preset in sets) == presets.ROWS == 200_252
    assert presets.VALIDATION_ROWS == 70_066
    shares = {task: sum(p.rows for p in sets if p.task == task) for task in ("NER", "RE", "NLI", "CLS", "QA")}
    percent = {task: round(100 * rows / presets.ROWS, 1) for task, rows in shares.items()}
    assert percent == {"NER": 24.3, "RE": 11.1, "NLI": 5.6, "CLS": 6.1, "QA": 53.0}


def test_gad_is_of_the_first_release_only():
    names = {preset.name for preset in presets.composition()}
    first = {preset.name: preset.rows for preset in presets.composition(first_release=True)}
    assert set(first) - names == {presets.GAD}
    assert first[presets.GAD] == 4_796
    template = templates.get(presets.get(presets.GAD).template)
    assert templates.render(template, masked("1"), 0).output == "1"
    assert "1 = association" in templates.render(template, masked("1"), 0).instruction


@pytest.mark.parametrize("preset", presets.PRESETS, ids=lambda preset: preset.name)
def test_a_preset_names_a_reader_and_a_template_in_the_papers_form(preset):
    template = templates.get(preset.template)
    readers.get_format(preset.format).settle(dict(preset.options))
    assert template.form == preset.form
    assert readers.get_format(preset.format).row is template.prepared.row_type
    assert len(template.wordings) == preset.wordings
    assert bool(template.few_wordings) == (preset.wordings < MIN_WORDINGS)
    assert preset.is_credentialed == ("Bring your own file" in preset.licence)


def test_the_numbers_of_wordings_are_the_papers():
    wordings = {preset.name: preset.wordings for preset in presets.PRESETS}
    assert (wordings.pop("i2b2-2010"), wordings.pop("chatdoctor")) == (3, 10)
    assert set(wordings.values()) == {5}


def test_what_is_missing_is_told_set_by_set():
    have = {preset.name: preset.rows for preset in presets.composition()}
    assert presets.missing(have) == []
    assert [each.preset.name for each in presets.missing(have, first_release=True)] == ["gad"]
    (lacking,) = presets.missing({**have, "hoc": 12_000})
    assert (lacking.preset.name, lacking.rows) == ("hoc", 119)


@pytest.mark.parametrize(
    ("name", "file"), [("ncbi-disease", "ncbi-disease/train.tsv"), ("gad", "gad/train.jsonl")]
)
def test_the_real_files_have_the_papers_rows(name, file):
    preset = presets.get(name)
    rows = list(readers.read(corpus(*file.split("/")), preset.format, **dict(preset.options)))
    template = templates.get(preset.template)
    assert len(rows) == preset.rows
    made = {templates.render(template, row, 1).wording for row in rows}
    assert made == set(range(preset.wordings))


def test_an_unknown_preset_is_not_found():
    with pytest.raises(LookupError, match="preset: 'x' is not one of ncbi-disease"):
        presets.get("x")
