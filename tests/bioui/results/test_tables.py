"""Tables by task as they are stored, and the words that a leaked row shares with a train row."""

from bioui.components.result_tables import side_value, tables_value
from bioui.components.shared_words import shared_words
from db.corpora.forms.prediction import Fault, FaultKind, Labels, Mention, Mentions
from db.tasks import scoring


def test_labels_show_their_matrix_and_the_line_of_the_commonest_answer():
    yes, no, unread = Labels(("yes",)), Labels(("no",)), Labels((), (Fault(FaultKind.UNPARSABLE, "hm"),))
    pairs = [(yes, yes), (yes, yes), (no, yes), (no, no), (unread, no)]
    rows = [scoring.labels(said, gold) for said, gold in pairs]
    value = side_value("", "tuned", scoring.label_tables(rows))
    matrix = value["confusion"]
    assert matrix["columns"] == ["no", "yes", "not read"]
    cells = {row["name"]: [cell["count"] for cell in row["cells"]] for row in matrix["rows"]}
    assert cells == {"no": ["1", "0", "1"], "yes": ["1", "2", "0"]}
    right = matrix["rows"][1]["cells"][1]
    assert (right["right"], right["tint"], right["title"]) == (True, 37, "yes, answered yes: 2 of 3 (67%)")
    assert "always answering “yes” gives accuracy 60.0 %" in value["majority"]
    assert [(line["label"], line["f1"], line["gold"]) for line in value["types"]] == [
        ("no", "50.0 %", "2"), ("yes", "80.0 %", "3"),
    ]  # fmt: skip
    assert [(fault["kind"], fault["word"], fault["count"]) for fault in value["faults"]] == [
        ("unparsable", "not in the asked form", "1")
    ]


def test_spans_show_types_and_kinds_of_error():
    gold = Mentions((Mention("Disease", ((0, 6),)), Mention("Drug", ((10, 16),))))
    said = Mentions((Mention("Disease", ((2, 6),)), Mention("Disease", ((20, 24),))))
    value = side_value("", "base", scoring.span_tables([scoring.spans(said, gold)]))
    assert [(line["word"], line["count"]) for line in value["errors"]] == [
        ("Wrong boundary", "1"), ("Wrong type", "0"), ("Spurious", "1"), ("Missed", "1"),
    ]  # fmt: skip
    assert (value["f1_word"], [line["label"] for line in value["types"]]) == (
        "Strict F1",
        ["Disease", "Drug"],
    )


def test_a_pair_has_a_table_a_side_and_an_unfinished_one_none():
    tables = {"faults": {"invented": 3}}
    value = tables_value([("starter", "base", {}), ("mine", "tuned", tables)])
    assert [(side["name"], side["hue"]) for side in value["sides"]] == [("mine", "tuned")]
    assert tables_value([("starter", "base", {})])["sides"] == []


def test_runs_of_shared_words_are_marked_in_both_texts():
    asked = "Which drug lowers blood pressure in the elderly?"
    train = "A trial: drug LOWERS blood pressure, in men; which the elderly take."
    ours, theirs = shared_words(asked, train)
    assert [part["text"] for part in ours if part["shared"]] == ["drug lowers blood pressure in"]
    assert [part["text"] for part in theirs if part["shared"]] == ["drug LOWERS blood pressure, in"]
    assert "".join(part["text"] for part in theirs) == train
    assert shared_words("Is it?", "")[0] == [{"text": "Is it?", "shared": False}]
