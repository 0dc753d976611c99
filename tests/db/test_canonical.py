"""Rows come back from an export as they were, and the hash is the same however they arrive."""

import random
import subprocess
from hashlib import sha256

import pytest
from hypothesis import given
from hypothesis import strategies as some

from db import datasets
from db.canonical import FrozenRow, canonical, canonical_line, content_key, hash_rows, parse_line
from db.content import Content
from db.datasets import Recipe
from db.enums import Category, Split
from db.session import read, write
from db.tables import Instruction
from tests.db.frozen import add_approved, freeze, question

TEXT = some.text(some.characters(exclude_categories=["Cs"]), max_size=40)
ROWS = some.builds(
    FrozenRow,
    some.sampled_from(Split),
    some.builds(
        Content,
        TEXT.filter(str.strip),
        TEXT,
        TEXT,
        some.sampled_from(Category),
        TEXT,
        TEXT,
        some.integers(1, 5),
        some.lists(TEXT, max_size=3).map(tuple),
        TEXT,
    ),
    origin=TEXT,
    provenance=TEXT,
    licence=TEXT,
    is_restricted=some.booleans(),
).map(canonical)


@given(ROWS)
def test_a_row_comes_back_from_its_line_as_it_was(row):
    line = canonical_line(row)
    assert parse_line(line) == row
    assert line.splitlines() == [line]  # whoever reads it by lines reads one


@given(ROWS)
def test_the_canonical_form_is_final(row):
    assert canonical(row) == row
    assert content_key(canonical(row)) == content_key(row)


@given(some.lists(ROWS, max_size=8), some.integers(0, 99))
def test_the_order_of_rows_does_not_enter_the_hash(rows, seed):
    assert hash_rows(random.Random(seed).sample(rows, len(rows))) == hash_rows(rows)


@given(some.lists(ROWS, min_size=1, max_size=4), some.data())
def test_any_change_of_a_row_changes_the_hash(rows, data):
    at = data.draw(some.integers(0, len(rows) - 1))
    other = data.draw(ROWS)
    changed = [*rows[:at], other, *rows[at + 1 :]]
    assert (hash_rows(changed) == hash_rows(rows)) == (other == rows[at])


@pytest.mark.parametrize("line", ["", "[]", "{}", '{"split": "train"}', "null", "nonsense"])
def test_a_line_that_is_no_row_is_refused(line):
    with pytest.raises(ValueError, match="^file: "):
        parse_line(line)


@pytest.fixture
def version(people, project_id):
    with write() as session:
        dataset = datasets.create_dataset(session, people.trainer, project_id, name="Round trip")
        for number in range(12):
            output = "β-Catenin\u2028and\u0085 “quotes”\n\tلا" if number else "plain"
            add_approved(session, people, project_id, question(number, output=output), licence="MIT")
    return freeze(people, dataset.id, Recipe())


def test_an_export_has_the_version_s_hash_and_a_changed_one_has_not(version):
    with read() as session:
        lines = list(datasets.export_lines(session, version.id))
        assert len(lines) == 12
        assert datasets.verify_lines(session, version.id, lines)
        assert datasets.verify_lines(session, version.id, reversed(lines))
        assert not datasets.verify_lines(session, version.id, lines[1:])
        assert not datasets.verify_lines(
            session, version.id, [line.replace("plain", "Plain") for line in lines]
        )
        assert len(list(datasets.export_lines(session, version.id, Split.TEST))) == version.counts["test"]


def test_sort_and_sha256_alone_give_the_hash(version, tmp_path):
    file = tmp_path / "export.jsonl"
    with read() as session:
        file.write_text("".join(line + "\n" for line in datasets.export_lines(session, version.id)), "utf-8")
    ordered = subprocess.run(["sort", file], env={"LC_ALL": "C"}, capture_output=True, check=True).stdout
    assert sha256(ordered).hexdigest() == version.content_hash


def test_rows_under_a_data_use_agreement_never_leave(people, project_id, version):
    with write() as session:
        add_approved(session, people, project_id, question(50), is_restricted=True)
    second = freeze(people, version.dataset_id)
    with write() as session:  # put under one since
        rows = datasets.list_rows(session, second.id)
        session.get(Instruction, rows[0].instruction_id or 0).is_restricted = True
        stays = {row.instruction for row in rows if row.is_restricted} | {rows[0].instruction}
    with read() as session:
        left = [parse_line(line).content.instruction for line in datasets.export_lines(session, second.id)]
    assert len(left) == 13 - len(stays)
    assert not stays & set(left)
