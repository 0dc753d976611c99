"""Mentions of the reference beside those of an answer, marked in the text they stand in."""

from bioui.components.prediction_marks import Verdict, judge, marked
from db.corpora.forms.prediction import Mention

TEXT = "Severe acute kidney injury followed cisplatin and gentamicin."


def mention(words: str, type: str, text: str = TEXT) -> Mention:
    start = text.index(words)
    return Mention(type, ((start, start + len(words)),))


GOLD = [
    mention("acute kidney injury", "Disease"),
    mention("cisplatin", "Chemical"),
    mention("gentamicin", "Chemical"),
]


def verdicts(said) -> list[str]:
    return [one.words for one in judge(GOLD, said)]


def test_each_mention_is_judged_once():
    said = [
        mention("kidney injury", "Disease"),
        mention("cisplatin", "Disease"),
        mention("Severe", "Disease"),
    ]
    assert verdicts(said) == [
        "spurious: Disease", "wrong boundary: Disease", "wrong type: Chemical, said Disease",
        "missed: Chemical",
    ]  # fmt: skip


def test_an_equal_mention_goes_before_one_that_overlaps():
    said = [mention("Severe acute kidney injury", "Disease"), GOLD[0]]
    assert verdicts(said)[:2] == ["spurious: Disease", "found: Disease"]


def test_overlap_in_another_type_is_wrong_in_both():
    assert judge([GOLD[0]], [mention("kidney", "Chemical")])[0].verdict is Verdict.BOTH


def test_the_pieces_give_the_text_back_and_say_whose_each_run_is():
    said = [mention("Severe acute kidney", "Disease"), mention("cisplatin", "Chemical")]
    pieces = marked(TEXT, GOLD, said)
    told = "".join(run["text"] for piece in pieces for run in piece.get("runs", [piece]))
    assert told == TEXT
    first = pieces[0]
    assert [(run["text"], run["who"]) for run in first["runs"]] == [
        ("Severe ", "said"), ("acute kidney", "both"), (" injury", "gold"),
    ]  # fmt: skip
    assert (first["verdicts"], first["hue"]) == (["wrong boundary: Disease"], "wrong")
    assert [piece["hue"] for piece in pieces if "runs" in piece] == ["wrong", "found", "missed"]


def test_neighbours_stay_apart_and_a_broken_mention_goes_on():
    text = "left and right lung nodules"
    broken = Mention("Finding", ((0, 4), (15, 27)))
    pieces = marked(text, [broken, Mention("Side", ((4, 8),))], [])
    assert [piece.get("verdicts") for piece in pieces] == [
        ["missed: Finding"], ["missed: Side"], None, ["goes on"],
    ]  # fmt: skip


def test_offsets_beyond_the_text_are_cut():
    assert marked("ab", [], [Mention("X", ((1, 99),))])[-1]["runs"] == [{"text": "b", "who": "said"}]
    assert marked("", [], []) == []
