"""The board's markup values, from plain figures: what a cell says, and in which order the rows stand."""

import pytest

from bioui.components.leaderboard import Cell, Column, Look, ModelRow, leaderboard_value
from bioui.components.leaderboard_forest import forest_value
from bioui.components.leaderboard_rows import reckon
from db.metrics import sample_size
from tests.bioui.conftest import request_of

COLUMNS = [
    Column("1-w", "QA", "MedQA", "Accuracy"),
    Column("2-w", "IE", "NCBI", "Strict F1", is_general=True),
]
BETTER = Cell(
    {"value": 0.772, "low": 0.71, "high": 0.824},
    "/results?evaluation=2",
    {"value": 0.122, "low": 0.051, "high": 0.19},
    {"value": 0.1877, "low": 0.07, "high": 0.3},
    "/results?evaluation=2&against=1",
    0.0042,
    "exact McNemar test",
    1,
    unread=0.125,
)
ROWS = [
    ModelRow(
        "tiny", "base", {"1-w": Cell({"value": 0.65, "low": 0.58, "high": 0.71}, "/results?evaluation=1")}
    ),
    ModelRow("Ward", "tuned", {"1-w": BETTER}, "on tiny", adapter_id=4),
    ModelRow("BioBERT", "encoder", {"2-w": Cell({"value": 0.886, "low": None, "high": None})}),
]


def shown(**look):
    value = leaderboard_value(COLUMNS, ROWS, Look(**look), filters=[], csv="", empty={})
    return {row["name"]: row["cells"] for row in value["rows"]}


def test_a_cell_of_an_adapter_says_the_score_the_gain_and_whether_it_is_shown():
    cell = shown()["Ward"][0]
    assert (cell["figure"], cell["range"], cell["href"]) == (
        "77.2 %",
        "71.0 to 82.4",
        "/results?evaluation=2",
    )
    assert (cell["second"], cell["second_href"]) == (
        "+12.2 (+5.1 to +19.0)",
        "/results?evaluation=2&against=1",
    )
    assert (cell["icon"], cell["sure"]) == ("▲", "better")  # a word and an icon, not colour alone
    assert cell["test"] == "p 0.004 after Holm, exact McNemar test"
    assert cell["unread"] == "12.5 % unread"
    assert (cell["left"], cell["width"], cell["at"]) == (71.0, 11.4, 77.2)  # of the interval mark


def test_gains_stand_in_points_or_relative_as_the_papers_report():
    points, relative = shown(gains=True)["Ward"][0], shown(gains=True, relative=True)["Ward"][0]
    assert (points["figure"], points["range"], points["second"]) == (
        "+12.2",
        "+5.1 to +19.0",
        "scores 77.2 %",
    )
    assert (relative["figure"], relative["range"]) == ("+18.8 %", "+7.0 to +30.0")
    assert points["zero"]
    assert points["at"] > 50
    assert shown(gains=True)["tiny"][0]["missing"] == "65.0 %, the base"


def test_what_is_not_scored_says_so_and_what_has_no_interval_shows_none():
    assert shown()["Ward"][1]["missing"] == "–"
    encoder = shown()["BioBERT"][1]
    assert (encoder["figure"], encoder["range"], encoder["has_range"]) == ("88.6 %", "", False)


@pytest.mark.parametrize(
    ("sort", "names"),
    [
        ("", ["tiny", "Ward", "BioBERT"]),
        ("1-w", ["Ward", "tiny", "BioBERT"]),  # the best first, what has no figure last
        ("-1-w", ["tiny", "Ward", "BioBERT"]),
        ("2-w", ["BioBERT", "tiny", "Ward"]),
        ("name", ["BioBERT", "tiny", "Ward"]),
        ("-name", ["Ward", "tiny", "BioBERT"]),
    ],
)
def test_any_column_sorts_both_ways(sort, names):
    assert list(shown(sort=sort)) == names


def test_a_column_tells_its_order_and_what_the_next_press_does():
    value = leaderboard_value(COLUMNS, ROWS, Look(sort="1-w"), filters=[], csv="", empty={})
    first, second = value["columns"]
    assert (first["order"], first["sort"]) == ("descending", "-1-w")
    assert (second["order"], second["sort"], second["is_general"]) == ("none", "2-w", True)
    assert [group["title"] for group in value["groups"]] == ["Question answering", "Information extraction"]


def test_the_forest_draws_each_gain_about_zero_with_its_numbers():
    worse = Cell({"value": 0.5}, gain={"value": -0.05, "low": -0.1, "high": -0.01}, p=0.2, test="x")
    rows = [("MedQA", "", BETTER, 0.65), ("NCBI", "", worse, 0.55), ("HoC", "", Cell({"value": 0.3}), None)]
    value = forest_value("Ward", "tiny", rows)
    assert [(row["name"], row["gain"], row["p"], row["icon"]) for row in value["rows"]] == [
        ("MedQA", "+12.2 (+5.1 to +19.0)", "0.004", "▲"),
        ("NCBI", "-5.0 (-10.0 to -1.0)", "0.20", "≈"),
    ]
    assert value["rows"][0]["at"] > 50 > value["rows"][1]["at"]
    assert [tick["label"] for tick in value["ticks"] if tick["is_zero"]] == ["0"]


def test_the_reckoner_says_how_many_rows_show_a_gain(people):
    request = request_of(people.author)
    rows = sample_size.rows_needed(0.05, base_share=0.5, power=0.8)
    assert reckon(50, 5, None, 80, request)["rows"] == f"{rows:,} rows"
    fewer = reckon(50, 5, 10, 80, request)["rows"]
    assert int(fewer.split()[0].replace(",", "")) < rows


@pytest.mark.parametrize(
    ("given", "sentence"),
    [
        ((None, 5, None, 80), "^base score: it is empty"),
        ((98, 5, None, 80), "^gain: 5 points on a base score of 98 % cannot be"),
        ((50, 5, 2, 80), "^discordance: 2 % is less than the gain"),
        ((50, 5, None, 100), "^power: 100 is not between 0 and 100"),
    ],
)
def test_a_reckoning_that_cannot_be_names_its_field(people, given, sentence):
    with pytest.raises(ValueError, match=sentence):
        reckon(*given, request_of(people.author))
