"""What the pair of answers shows of the model server's events."""

from bioui.components.pair import PairState, pair_value, provenance_rows
from db.enums import Side
from tests.bioui.scripted_model_server import provenance


def test_only_what_one_side_says_is_marked():
    state = PairState()
    for side, text in ((Side.BASE, "Give 20 mg daily."), (Side.TUNED, "Give 5 mg daily.")):
        state.apply({"type": "delta", "side": side, "text": text})
        state.sides[side].finish_reason = "stop"
    base, tuned = pair_value(state)["sides"]
    assert "".join(text for text, _ in base["marked"]) == "Give 20 mg daily."
    assert [text for text, differs in base["marked"] if differs] == ["20"]
    assert [text for text, differs in tuned["marked"] if differs] == ["5"]
    assert pair_value(state, running=True)["sides"][0]["marked"] == []


def test_provenance_is_listed_in_words():
    rows = dict(provenance_rows(provenance("tuned")))
    assert rows["Adapter hash"] == "a" * 64
    assert rows["Batch"] == "2 rows, 9 prompt tokens"
    assert rows["Sampling"] == "greedy, at most 200 tokens"
    assert rows["Seed"] == "0"
    assert "Changed since tuning" not in rows


def test_waiting_is_told_by_phase():
    state = PairState()
    state.apply({"type": "start", "queue": 2, "loading": False})
    assert state.phase == "Waiting for 2 comparisons before this one"
    state.apply({"type": "start", "queue": 0, "loading": True})
    state.waited = 3.4
    assert pair_value(state, running=True)["phase"] == "Loading the model · 3 s"


def test_an_answer_begins_with_its_first_word():
    state = PairState()
    for text in (" ", "\n", "Give", " ", "it."):
        state.apply({"type": "delta", "side": "base", "text": text})
    assert state.sides[Side.BASE].text == "Give it."
