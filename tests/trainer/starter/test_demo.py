"""The demo set: enough rows, plausible form, and a test part that is truly held out."""

import json
import re
from collections import Counter

from trainer.starter import demo_passages, demo_wordings, facts
from trainer.starter.demo import SAMPLES, demo
from trainer.starter.demo_passages import Wordings
from trainer.starter.heldout import names, split
from trainer.starter.score import lines
from trainer.starter.sentences import Writer
from trainer.starter.wording import chosen

KEYS = {"instruction", "input", "output", "category", "task", "specialty", "difficulty", "tags", "source"}


def read(name: str) -> list[dict]:
    return [json.loads(line) for line in (SAMPLES / name).read_text(encoding="utf-8").splitlines()]


TRAIN, TEST = read("demo-train.jsonl"), read("demo-test.jsonl")


def every_wordings() -> list[Wordings]:
    found = []
    for value in (*vars(demo_passages).values(), *vars(demo_wordings).values()):
        found += [value] if isinstance(value, Wordings) else []
        found += (
            [each for each in value.values() if isinstance(each, Wordings)] if isinstance(value, dict) else []
        )
    return found


def test_the_shipped_files_are_what_the_code_writes():
    assert demo() == (TRAIN, TEST)


def test_there_are_enough_rows_of_every_category():
    train, test = Counter(row["category"] for row in TRAIN), Counter(row["category"] for row in TEST)
    assert len(TRAIN) >= 2000
    assert min(train[c] for c in ("QA", "IE", "GEN")) >= 500
    assert min(test[c] for c in ("QA", "IE", "GEN")) >= 100


def test_every_row_has_the_agreed_form():
    for row in TRAIN + TEST:
        assert set(row) == KEYS
        assert row["instruction"].strip()
        assert row["input"].strip()
        assert row["output"].strip()
        assert row["category"] in ("QA", "IE", "GEN")
        assert 1 <= row["difficulty"] <= 5
        assert "{" not in row["instruction"] + row["input"] + row["output"]


def test_no_row_stands_twice():
    keys = Counter((row["task"], row["input"]) for row in TRAIN + TEST)
    assert keys.most_common(1)[0][1] == 1


def test_no_name_is_on_both_sides_of_the_split():
    tune, test = split(facts.load())
    assert not names(tune) & names(test)


def test_no_held_out_answer_is_an_answer_of_the_tuning_part():
    fixed = {"yes", "no", "supported", "contradicted", "not mentioned"}
    entities = {pair for row in TRAIN if row["category"] == "IE" for pair in lines(row["output"])}
    assert not entities & {pair for row in TEST if row["category"] == "IE" for pair in lines(row["output"])}
    short = {row["output"] for row in TRAIN if row["category"] == "QA" and not row["output"].isdigit()}
    held = {row["output"] for row in TEST if row["category"] == "QA" and not row["output"].isdigit()}
    assert short & held <= fixed


def test_no_wording_is_on_both_sides():
    wordings = every_wordings()
    assert len(wordings) > 20
    tune = {text for each in wordings for text in each.tune}
    test = {text for each in wordings for text in each.test}
    assert not tune & test
    assert not {row["instruction"] for row in TRAIN} & {row["instruction"] for row in TEST}


def test_the_base_never_reads_a_wording_of_the_demo_set(rng):
    writer = Writer()
    text = "\n".join(writer.document(rng) for _ in range(3000))
    for wordings in every_wordings():
        for wording in (*wordings.tune, *wordings.test):
            for _ in range(5):
                longest = max(re.split(r"\{[^}]*\}", chosen(wording, rng)), key=len).strip()
                if longest.count(" ") >= 4:
                    assert longest not in text
    assert "<|user|>" not in text


def test_closed_answers_are_balanced():
    for rows in (TRAIN, TEST):
        yes = [row["output"] == "yes" for row in rows if row["task"] == "yes_no_qa"]
        assert 0.35 < sum(yes) / len(yes) < 0.65
        verdicts = Counter(row["output"] for row in rows if row["task"] == "natural_language_inference")
        assert min(verdicts.values()) > 0.2 * sum(verdicts.values())


def test_what_is_to_be_extracted_stands_in_the_passage():
    for row in TRAIN + TEST:
        if row["category"] == "IE":
            assert all(name in row["input"].lower() for _, name in lines(row["output"]))
        if row["task"] in ("multiple_choice", "passage_qa"):
            assert row["output"].lower() in row["input"].lower()


def test_a_choice_has_four_options_and_one_is_right():
    for row in TRAIN + TEST:
        if row["task"] == "multiple_choice":
            options = row["input"].rsplit("Options: ", 1)[1].split("; ")
            assert len(set(options)) == 4
            assert row["output"] in options
