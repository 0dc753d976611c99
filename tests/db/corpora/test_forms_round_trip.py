"""Every output form over the real corpora: what it writes, it reads back, with F1 1.0 and no fault."""

from collections import Counter
from functools import cache

import pytest

from db.corpora import readers, templates
from db.corpora.forms import CannotWrite
from db.corpora.forms.prediction import Tally, tally
from tests.corpora import corpus

NCBI = ("ncbi-disease/train.tsv", "ncbi-disease/devel.tsv", "ncbi-disease/test.tsv")
CHEMPROT = ("chemprot/train.jsonl", "chemprot/dev.jsonl", "chemprot/test.jsonl")
GAD = ("gad/train.jsonl", "gad/test.jsonl")
MTS = (
    "mts-dialog/MTS-Dialog-TrainingSet.csv",
    "mts-dialog/MTS-Dialog-ValidationSet.csv",
    "mts-dialog/MTS-Dialog-TestSet-1-MEDIQA-Chat-2023.csv",
)
CASES = [
    ("ner-disease", "iob", NCBI, 7_287, {}),
    ("ner-disease:json_entities", "iob", NCBI, 7_287, {}),
    ("ner-disease:inline_tags", "iob", NCBI, 7_287, {}),
    ("ner-disease:typed_list", "iob", NCBI, 7_287, {"SAME_WORDS": 51}),
    ("re-chemprot", "marked_pair", CHEMPROT, 10_065, {}),
    ("re-chemprot:relation_name", "marked_pair", CHEMPROT, 10_065, {}),
    ("re-chemprot:triples", "marked_pair", CHEMPROT, 10_065, {}),
    ("re-gene-disease", "masked_pair", GAD, 5_330, {}),
    ("re-gene-disease:relation_name", "masked_pair", GAD, 5_330, {}),
    ("abstract-decision", "pubmedqa", ("pubmedqa/ori_pqal.json",), 1_000, {}),
    ("abstract-conclusion", "pubmedqa", ("pubmedqa/ori_pqal.json",), 1_000, {}),
    ("multiple-choice", "medqa", ("medqa/us_4_options_test.jsonl",), 1_273, {}),
    ("multiple-choice:choice_text", "medqa", ("medqa/us_4_options_test.jsonl",), 1_273, {}),
    ("dialogue-note-section", "dialogue_note", MTS, 1_501, {}),
    ("consumer-question", "questions", ("medquad/medquad.jsonl.gz",), 16_407, {}),
]


@cache
def rows_of(format: str, files: tuple[str, ...]) -> list:
    return [row for file in files for row in readers.read(corpus(*file.split("/")), format)]


@pytest.mark.parametrize(("name", "format", "files", "count", "refused"), CASES)
def test_a_corpus_comes_back_whole(name, format, files, count, refused):
    rows = rows_of(format, files)
    template = templates.get(name)
    form = template.prepared.form
    counts, obstacles, faults = Tally(), Counter(), 0
    for row in rows:
        try:
            answer = templates.render(template, row, seed=7).output
        except CannotWrite as refusal:
            obstacles[refusal.obstacle.name] += 1
            continue
        read = form.parse(answer, row)
        counts += tally(read, form.gold(row))
        faults += len(read.faults)
    assert len(rows) == count
    assert (counts.f1, counts.wrong, counts.missed, faults) == (1.0, 0, 0, 0)
    assert counts.right > 0
    assert obstacles == refused
    assert not templates.unasked_types(template, rows)
