"""Datasets as the Hub has them, made on the spot and saved to disk: no test asks the network for one."""

import os
import subprocess
import sys

import datasets as hf_datasets
import pytest

from db.corpora.files import folder_of
from db.corpora.hub import Wanted, fetch, read_saved
from db.corpora.offsets import check_row
from db.enums import Split
from db.settings import REPOSITORY
from db.task_drafts import TaskDraft, prepare


def saved(folder, splits, **features):
    kept = hf_datasets.Features(features) if features else None
    made = {name: hf_datasets.Dataset.from_list(rows, features=kept) for name, rows in splits.items()}
    hf_datasets.DatasetDict(made).save_to_disk(folder)
    return folder


def test_a_dataset_of_the_hub_becomes_a_task(settings):
    """MMLU as the Hub has it: the answer a class number, a few rows of another split for examples."""
    row = {"question": "Which nerve?", "subject": "anatomy", "choices": ["Ulnar", "Radial"], "answer": 1}
    shown = [{**row, "question": f"Example {number}?"} for number in range(3)]
    string = hf_datasets.Value("string")
    saved(
        folder_of(settings.data_dir) / "hub-1" / "mmlu",
        {"dev": shown, "test": [row, {**row, "subject": "law"}]},
        question=string,
        subject=string,
        choices=hf_datasets.List(string),
        answer=hf_datasets.ClassLabel(names=list("ABCD")),
    )
    draft = TaskDraft("mmlu-medical", "hub-1/mmlu", shots=2, hub={"name": "cais/mmlu"})
    prepared = prepare(settings.data_dir, draft)
    assert [row.reference for row in prepared.rows] == ["B"]
    assert (prepared.split, len(prepared.examples)) == (Split.TEST, 2)


def test_class_numbers_become_names_and_splits_stay(tmp_path):
    rows = [{"premise": "Lungs are clear.", "hypothesis": "There are rales.", "label": 1}]
    text = hf_datasets.Value("string")
    folder = saved(
        tmp_path / "nli",
        {"train": rows, "test": rows},
        premise=text,
        hypothesis=text,
        label=hf_datasets.ClassLabel(names=["entailment", "contradiction"]),
    )
    one, two = read_saved(folder, "pairs")
    assert (one.text_2, one.label) == ("There are rales.", "contradiction")
    assert (one.split, two.split) == (Split.TRAIN, Split.TEST)


def test_columns_are_named_anew_and_looked_up_inside(tmp_path):
    row = {"pubid": 11, "question": "Does rest help?", "context": {"contexts": ["We asked.", "Half."]}}
    folder = saved(tmp_path / "qa", {"train": [row | {"final_decision": "yes", "long_answer": "It did."}]})
    columns = {
        "PMID": "pubid",
        "QUESTION": "question",
        "CONTEXTS": "context.contexts",
        "LONG_ANSWER": "long_answer",
    }
    (found,) = read_saved(folder, "pubmedqa", columns=columns)
    assert (found.id, found.context, found.answer, found.split) == (
        "11",
        "We asked.\nHalf.",
        ("yes",),
        Split.TRAIN,
    )


def test_tokens_with_numbered_tags_are_mentions(tmp_path):
    tags = hf_datasets.ClassLabel(names=["O", "B-Disease", "I-Disease"])
    folder = saved(
        tmp_path / "ner",
        {"validation": [{"words": ["Muscle", "pain", "passed"], "ner_tags": [1, 2, 0]}]},
        words=hf_datasets.List(hf_datasets.Value("string")),
        ner_tags=hf_datasets.List(tags),
    )
    (row,) = read_saved(folder, "iob", columns={"tokens": "words", "tags": "ner_tags"})
    assert [entity.text for entity in row.entities] == [("Muscle pain",)]
    assert row.split is Split.VALIDATION


def kb(offset):
    return {
        "document_id": "101",
        "passages": [
            {"id": "p1", "type": "title", "text": ["Muscle pain"], "offsets": [[0, 11]]},
            {"id": "p2", "type": "abstract", "text": ["It followed lovastatin."], "offsets": [[12, 35]]},
        ],
        "entities": [
            {
                "id": "e1",
                "type": "Disease",
                "text": ["Muscle pain"],
                "offsets": [[0, 11]],
                "normalized": [{"db_name": "MESH", "db_id": "D063806"}],
            },
            {
                "id": "e2",
                "type": "Chemical",
                "text": ["lovastatin"],
                "offsets": [[offset, offset + 10]],
                "normalized": [],
            },
        ],
        "relations": [{"id": "r1", "type": "CID", "arg1_id": "e2", "arg2_id": "e1"}],
    }


def test_bigbios_own_schema_is_one_row_a_document(tmp_path):
    (row,) = read_saved(saved(tmp_path / "kb", {"train": [kb(24)]}), "bigbio_kb")
    check_row(row)
    assert row.text == "Muscle pain\nIt followed lovastatin."
    assert row.entities[0].normalized == (("MESH", "D063806"),)
    assert row.relations[0].arg1_id == "e2"


def test_offsets_of_the_hub_are_checked_as_those_of_a_file(tmp_path):
    folder = saved(tmp_path / "kb", {"train": [kb(23)]})
    with pytest.raises(ValueError, match="record 101: mention e2 is said to be 'lovastatin'"):
        list(read_saved(folder, "bigbio_kb"))


def test_what_cannot_be_is_refused_before_the_network_is_asked(tmp_path, monkeypatch):
    (tmp_path / "owner" / "local").mkdir(parents=True)
    monkeypatch.chdir(tmp_path)
    for asked, field in (
        ({"name": "../secret"}, "dataset: write its name on the Hub"),
        ({"name": "owner/name", "config": "a b"}, "config: use letters"),
        ({"name": "owner/name", "revision": "main; rm"}, "revision: use letters"),
    ):
        with pytest.raises(ValueError, match=field):
            Wanted(**asked)
    with pytest.raises(ValueError, match="dataset: write its name on the Hub"):
        fetch(Wanted("owner/local"), tmp_path / "copy")
    with pytest.raises(ValueError, match=r"dataset: .* is no saved dataset"):
        list(read_saved(tmp_path, "pairs"))
    folder = saved(tmp_path / "nli", {"train": [{"a": "x"}]})
    with pytest.raises(ValueError, match="format: brat is read from files only"):
        list(read_saved(folder, "brat"))
    with pytest.raises(ValueError, match="columns: label is to come from gold, which is no column"):
        list(read_saved(folder, "pairs", columns={"label": "gold"}))
    with pytest.raises(ValueError, match="record 1: gold_label or label or judgment or score is missing"):
        list(read_saved(folder, "pairs"))


@pytest.mark.parametrize(
    ("environment", "sentence"),
    [
        ({"HF_HUB_OFFLINE": "1"}, "the offline switch HF_HUB_OFFLINE is on where the worker runs"),
        ({"HF_HUB_OFFLINE": "0"}, "the Hub cannot be reached from the worker's machine"),
    ],
)
def test_without_a_network_a_dataset_is_refused_in_one_sentence(tmp_path, environment, sentence):
    """In a process of its own: the Hub's client reads its switches once. Nothing listens at that port."""
    code = (
        "import pathlib, sys\n"
        "from db.corpora.hub import Wanted, fetch\n"
        "try: fetch(Wanted('owner/name'), pathlib.Path(sys.argv[1]))\n"
        "except ValueError as error: print(error)\n"
    )
    given = {**os.environ, **environment, "HF_ENDPOINT": "http://127.0.0.1:9"}
    command = [sys.executable, "-c", code, str(tmp_path / "place" / "copy")]
    done = subprocess.run(command, env=given, cwd=REPOSITORY, capture_output=True, text=True)
    assert done.stdout.startswith(f"dataset: owner/name was not fetched: {sentence}"), done.stderr
    assert list((tmp_path / "place").iterdir()) == []


def test_options_are_checked_before_anything_is_loaded(tmp_path):
    with pytest.raises(ValueError, match="kind: pairs has no such option"):
        read_saved(tmp_path, "pairs", kind="x")
    with pytest.raises(ValueError, match="split: bigbio_kb has no options"):
        read_saved(tmp_path, "bigbio_kb", split="train")


def test_a_copy_that_is_there_is_taken_as_it_is(tmp_path):
    """A conversion that goes on reads what it began with, and asks the network for nothing."""
    folder = saved(tmp_path / "nli", {"train": [{"premise": "A.", "hypothesis": "B.", "label": "neutral"}]})
    assert fetch(Wanted("owner/name"), folder) == ""
    assert [row.label for row in read_saved(folder, "pairs")] == ["neutral"]
