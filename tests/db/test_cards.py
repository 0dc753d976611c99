"""The card of a version: what the Hub reads of it, what people read, and that nothing in it is made up."""

import pytest
import yaml

from db import cards, datasets
from db.checks.contamination import EvaluationSet
from db.datasets import FrozenRow, Recipe
from db.enums import Category, Split
from db.exchange.records import COLUMNS
from db.freezing import Contaminated, Screening
from db.session import read, write
from tests.db.frozen import add_approved, freeze, question

HOSTILE = 'Ward: "7" <script>alert(1)</script>\n---\nlicense: mit\n# Title [x](javascript:1)'


def make_version(people, project_id, *, name="Ward questions", description="", recipe=None, **how):
    with write() as session:
        dataset = datasets.create_dataset(
            session, people.trainer, project_id, name=name, description=description
        )
        for number in range(20):
            category = Category.QA if number < 10 else Category.GEN
            content = question(number, category=category)
            add_approved(session, people, project_id, content, licence="CC-BY 4.0")
    return freeze(people, dataset.id, recipe or Recipe(), **how)


def card_of(version):
    """(front matter, body, the whole card)."""
    with read() as session:
        card = cards.dataset_card(session, version.id)
    _, front, body = card.split("---\n", 2)
    return yaml.safe_load(front), body, card


def test_the_front_matter_says_what_the_hub_asks(people, project_id):
    version = make_version(people, project_id)
    front, _, _ = card_of(version)
    assert front["license"] == "cc-by-4.0"
    assert front["language"] == ["en"]
    assert front["size_categories"] == ["n<1K"]
    assert front["task_categories"] == ["question-answering", "text-generation"]
    assert front["configs"][0]["data_files"] == [
        {"split": split, "path": f"data/{split}-*.parquet"} for split in ("train", "validation", "test")
    ]
    assert front["dataset_info"]["splits"] == [
        {"name": split, "num_examples": version.counts[split]} for split in ("train", "validation", "test")
    ]
    assert [feature["name"] for feature in front["dataset_info"]["features"]] == ["split", *COLUMNS]


def test_the_hub_s_own_reader_takes_the_card(people, project_id):
    from huggingface_hub import DatasetCard

    card = DatasetCard(card_of(make_version(people, project_id))[2])
    assert card.data.license == "cc-by-4.0"
    assert card.data.pretty_name == "Ward questions, version 1"


def test_the_same_version_gives_the_same_card(people, project_id):
    version = make_version(people, project_id)
    assert card_of(version)[2] == card_of(version)[2]


def test_the_sections_are_all_there_and_tell_the_hash(people, project_id):
    version = make_version(people, project_id)
    _, body, _ = card_of(version)
    headings = [line[3:] for line in body.splitlines() if line.startswith("## ")]
    assert headings == [
        "How it was made", "Splits", "Fields", "Provenance", "Privacy", "Decontamination", "Licence",
        "Not for clinical use",
    ]  # fmt: skip
    assert version.content_hash in body
    assert "| train | 16 | 8 | 8 |" in body
    assert "no evaluation set" in body


def test_the_decontamination_is_told_as_it_was(people, project_id):
    exam = EvaluationSet.of_texts("Board exam", [question(3).instruction])
    waived = Screening((exam,), Contaminated.WAIVE, "It is retired.")
    _, body, _ = card_of(make_version(people, project_id, screening=waived))
    assert "- Board exam: 1 texts" in body
    assert "1 contaminated rows stayed in. Why: It is retired." in body


def test_hostile_names_stay_text(people, project_id):
    front, body, _ = card_of(make_version(people, project_id, name=HOSTILE, description=HOSTILE))
    assert front["pretty_name"] == " ".join(HOSTILE.split()) + ", version 1"
    assert front["license"] == "cc-by-4.0"
    assert "<script" not in body.replace("\\<script", "")
    assert "[x](" not in body


@pytest.mark.parametrize(
    ("licence", "tags"),
    [
        ("MIT", {"license": "mit"}),
        ("Apache-2.0", {"license": "apache-2.0"}),
        ("", {"license": "unknown"}),
        ("Ward's own terms", {"license": "other", "license_name": "Ward's own terms"}),
    ],
)
def test_licences_get_the_hub_s_names(people, project_id, licence, tags):
    with write() as session:
        dataset = datasets.create_dataset(session, people.trainer, project_id, name="One")
        rows = [FrozenRow(Split.TRAIN, question(1), licence=licence)]
        version = datasets.freeze_rows(session, people.trainer, dataset, rows, recipe={})
    front, body, _ = card_of(version)
    assert {key: value for key, value in front.items() if key.startswith("license")} == tags
    assert "outside the studio's own filters" in body


def test_rows_that_stay_are_not_counted_as_examples(people, project_id):
    with write() as session:
        dataset = datasets.create_dataset(session, people.trainer, project_id, name="One")
        rows = [FrozenRow(Split.TRAIN, question(n), is_restricted=n == 1) for n in range(3)]
        version = datasets.freeze_rows(session, people.trainer, dataset, rows, recipe={})
    front, body, _ = card_of(version)
    assert front["dataset_info"]["splits"] == [{"name": "train", "num_examples": 2}]
    assert "1 rows under a data-use agreement stay in the studio" in body
