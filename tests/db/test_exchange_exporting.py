"""An export holds exactly what was chosen, but for what may not leave."""

import csv
import io
import json
import zipfile
from dataclasses import replace

import datasets as hf_datasets
import pyarrow.parquet as pq
import pytest

from db import audit, datasets, instructions
from db.content import Content
from db.datasets import FrozenRow
from db.enums import Category, Split
from db.exchange import writers
from db.exchange.records import CHUNK_ROWS, of_query, of_version
from db.exchange.writers import Format, save_records, write_records
from db.imports import Draft, store_drafts
from db.projects import get_project
from db.search import InstructionQuery
from db.session import read, write
from db.tables.base import utc_now


def fill(actor, project_id, drafts):
    with write() as session:
        return store_drafts(session, actor, get_project(session, project_id), drafts, "Written", utc_now())


def drafts(count, **around):
    return [
        Draft(Content(f"Question {n}?", output=f"Answer {n}.", task="qa"), **around) for n in range(count)
    ]


def freeze(actor, project_id, ids):
    """A version with two rows in train, one in validation, the rest in test."""
    with write() as session:
        dataset = datasets.create_dataset(session, actor, project_id, name="Ward, questions")
        splits = [Split.TRAIN, Split.TRAIN, Split.VALIDATION, *[Split.TEST] * 99]
        rows = [
            FrozenRow(split, instructions.content_of(instructions.get_instruction(session, id)), id, 1)
            for split, id in zip(splits, ids, strict=False)
        ]
        return datasets.freeze_rows(session, actor, dataset, rows, recipe={}).id


def exported(actor, project_id, format, query=None):
    with read() as session:
        chosen = of_query(session, actor, project_id, query or InstructionQuery())
        return chosen, b"".join(write_records(chosen, format))


def test_a_query_is_exported_whole_over_many_chunks_and_nothing_else(people, project_id):
    fill(people.author, project_id, drafts(2 * CHUNK_ROWS + 1))
    fill(people.author, project_id, [Draft(Content("Name it.", category=Category.IE))])
    query = InstructionQuery(categories=(Category.OTHER,))
    chosen, data = exported(people.author, project_id, Format.JSONL, query)
    asked = [json.loads(line)["instruction"] for line in data.splitlines()]
    assert asked == [f"Question {n}?" for n in range(2 * CHUNK_ROWS + 1)]
    assert (chosen.rows, chosen.restricted) == (2 * CHUNK_ROWS + 1, 0)


@pytest.mark.parametrize("format", Format)
def test_rows_under_a_data_use_agreement_never_leave(people, project_id, format, tmp_path):
    fill(people.author, project_id, drafts(2))
    fill(people.author, project_id, [Draft(Content("MIMIC note?"), is_restricted=True)])
    chosen, data = exported(people.author, project_id, format)
    assert (chosen.rows, chosen.restricted) == (2, 1)
    assert chosen.sentence == "2 rows. 1 is under a data-use agreement and stays here."
    if format is Format.DATASETS:
        with zipfile.ZipFile(io.BytesIO(data)) as archive:
            data = b"".join(archive.read(name) for name in archive.namelist())
    if format is Format.PARQUET:
        data = str(pq.read_table(io.BytesIO(data)).to_pylist()).encode()
    assert b"Question 1?" in data
    assert b"MIMIC" not in data


def test_a_version_leaves_out_what_was_restricted_then_or_is_now(people, project_id):
    ids = fill(people.author, project_id, drafts(4))
    version_id = freeze(people.reviewer, project_id, ids)
    with write() as session:
        instructions.get_instruction(session, ids[3]).is_restricted = True
    with read() as session:
        chosen = of_version(session, people.trainer, version_id)
        rows = [json.loads(line) for line in b"".join(write_records(chosen, Format.JSONL)).splitlines()]
    assert [(row["split"], row["instruction"]) for row in rows] == [
        ("train", "Question 0?"), ("train", "Question 1?"), ("validation", "Question 2?"),
    ]  # fmt: skip
    assert (chosen.rows, chosen.restricted, chosen.splits) == (3, 1, (Split.TRAIN, Split.VALIDATION))
    assert writers.file_name(chosen, Format.CSV) == "ward-questions-v1.csv"


def test_the_studio_s_folder_is_what_datasets_loads(people, project_id, tmp_path):
    ids = fill(people.author, project_id, [Draft(Content("Ω?", tags=("a", "b"))), *drafts(3)])
    version_id = freeze(people.reviewer, project_id, ids)
    with read() as session:
        save_records(of_version(session, people.author, version_id), Format.DATASETS, tmp_path / "v.zip")
        save_records(
            of_query(session, people.author, project_id, InstructionQuery()),
            Format.DATASETS,
            tmp_path / "q.zip",
        )
    for name in ("v", "q"):
        zipfile.ZipFile(tmp_path / f"{name}.zip").extractall(tmp_path / name)
    splits = hf_datasets.load_from_disk(tmp_path / "v")
    assert {name: len(rows) for name, rows in splits.items()} == {"train": 2, "validation": 1, "test": 1}
    assert splits["train"][0]["tags"] == ["a", "b"]
    flat = hf_datasets.load_from_disk(tmp_path / "q")
    assert flat["instruction"] == ["Ω?", *(f"Question {n}?" for n in range(3))]


def test_other_tools_read_the_chats_the_tables_and_the_parquet(people, project_id):
    content = Content("=Add.", input="1, 2", output="3", tags=("sum",))
    fill(people.author, project_id, [Draft(content, key="a")])
    [talk] = [
        json.loads(line) for line in exported(people.author, project_id, Format.MESSAGES)[1].splitlines()
    ]
    assert talk["messages"] == [
        {"role": "user", "content": "=Add.\n\n1, 2"},
        {"role": "assistant", "content": "3"},
    ]
    [talk] = [
        json.loads(line) for line in exported(people.author, project_id, Format.SHAREGPT)[1].splitlines()
    ]
    assert [turn["from"] for turn in talk["conversations"]] == ["human", "gpt"]
    sheet = exported(people.author, project_id, Format.TSV)[1].decode("utf-8-sig")
    [row] = csv.DictReader(io.StringIO(sheet), delimiter="\t")
    assert (row["instruction"], row["tags"], row["key"]) == ("'=Add.", "sum", "a")
    [row] = pq.read_table(io.BytesIO(exported(people.author, project_id, Format.PARQUET)[1])).to_pylist()
    assert (row["instruction"], row["difficulty"], row["tags"]) == ("=Add.", 3, ["sum"])


@pytest.mark.parametrize("format", Format)
def test_bytes_come_chunk_by_chunk_and_a_broken_export_leaves_no_file(people, project_id, format, tmp_path):
    fill(people.author, project_id, drafts(3 * CHUNK_ROWS))
    with read() as session:
        chosen = of_query(session, people.author, project_id, InstructionQuery())
        pieces = list(write_records(chosen, format))
    assert len([piece for piece in pieces if piece]) >= 3
    assert max(map(len, pieces)) < 0.6 * sum(map(len, pieces))

    def torn(split):
        yield next(chosen.read(split))
        raise ConnectionError

    with read() as session:
        chosen = of_query(session, people.author, project_id, InstructionQuery())
        broken = replace(chosen, read=torn)
        with pytest.raises(ConnectionError):
            save_records(broken, format, tmp_path / "out")
    assert [path.name for path in tmp_path.iterdir() if path.name != "data"] == []


@pytest.mark.parametrize("format", Format)
def test_nothing_found_is_a_valid_file_without_rows(people, project_id, format):
    chosen, data = exported(people.author, project_id, format)
    assert chosen.rows == 0
    if format is Format.ALPACA:
        assert json.loads(data) == []
    if format is Format.PARQUET:
        assert pq.read_table(io.BytesIO(data)).num_rows == 0


def test_an_export_is_in_the_audit_with_its_counts(people, project_id):
    fill(people.author, project_id, drafts(2))
    with write() as session:
        chosen = of_query(session, people.author, project_id, InstructionQuery())
        writers.record_export(session, people.author, chosen, Format.CSV)
        line = audit.list_lines(session)[0]
        assert (line.action, line.detail) == (
            "exported", {"format": "csv", "rows": 2, "restricted_left_out": 0},
        )  # fmt: skip
