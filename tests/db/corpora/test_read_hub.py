"""Datasets as the Hub has them, made on the spot and saved to disk: no test asks the network for one."""

import datasets as hf_datasets
import pytest

from db.corpora.hub import read_hub, read_saved
from db.corpora.offsets import check_row
from db.enums import Split


def saved(folder, splits, **features):
    kept = hf_datasets.Features(features) if features else None
    made = {name: hf_datasets.Dataset.from_list(rows, features=kept) for name, rows in splits.items()}
    hf_datasets.DatasetDict(made).save_to_disk(folder)
    return folder


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
    with pytest.raises(ValueError, match="dataset: write its name on the Hub"):
        list(read_hub("../secret", "pairs"))
    with pytest.raises(ValueError, match="dataset: write its name on the Hub"):
        list(read_hub("owner/local", "pairs"))
    with pytest.raises(ValueError, match="format: brat is read from files only"):
        list(read_hub("owner/name", "brat"))
    with pytest.raises(ValueError, match=r"dataset: .* is no saved dataset"):
        list(read_saved(tmp_path, "pairs"))
    folder = saved(tmp_path / "nli", {"train": [{"a": "x"}]})
    with pytest.raises(ValueError, match="columns: label is to come from gold, which is no column"):
        list(read_saved(folder, "pairs", columns={"label": "gold"}))
    with pytest.raises(ValueError, match="record 1: gold_label or label or judgment or score is missing"):
        list(read_saved(folder, "pairs"))


def test_a_dataset_that_cannot_be_reached_is_one_sentence(monkeypatch):
    monkeypatch.setattr(hf_datasets.config, "HF_HUB_OFFLINE", True)
    monkeypatch.setenv("HF_ENDPOINT", "http://127.0.0.1:9")
    with pytest.raises(ValueError, match="dataset: owner/name cannot be read from the Hub"):
        list(read_hub("owner/name", "pairs"))


def test_options_are_checked_before_anything_is_loaded():
    with pytest.raises(ValueError, match="kind: pairs has no such option"):
        read_hub("owner/name", "pairs", kind="x")
    with pytest.raises(ValueError, match="split: bigbio_kb has no options"):
        read_hub("owner/name", "bigbio_kb", split="train")
