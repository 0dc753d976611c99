"""Five hundred real answers of messy text through every task's score: none is too strange to be counted."""

import csv
import json
import random

import pytest

from db.tasks import TASKS, make_task
from tests.corpora import corpora_folder
from tests.db.tasks import samples
from tests.db.tasks.test_tasks import OWN

ANSWERS = 500
HUGE = 1_000_000  # characters
_ODD = (
    "", " ", "\n\n", "\x00", "\ufeff", "\u200b\u200b", "İ ß ﬁ ½ 𝟛 🫀", "\u202eyes", "null", "[]", "{}",
    "```json\n[", "A or B", "A, B, C and D", "not entailment", "B-B-B : B", " : : : ", "yes no maybe",
    "- \n- \n-", "%s ${x} {{y}} \\", '{"text": "cancer", "type": 3}', '[{"text": null}]', "(a; b; c; d)",
    "<disease>cancer", "None, none", "E" * 300,
)  # fmt: skip


def texts() -> list[str]:
    """Passages of the real corpora, and of the samples where these are not at hand."""
    found = [json.dumps(content, ensure_ascii=False) for _, content in samples.FILES.values()]
    folder = corpora_folder()
    if (path := folder / "mts-dialog" / "automatic_summaries_validation.csv").exists():
        with path.open(encoding="utf-8-sig", newline="") as file:
            found += [" ".join(map(str, row.values())) for row in csv.DictReader(file)][:150]
    for name in ("ncbi-disease/test.tsv", "chemprot/test.jsonl", "gad/test.jsonl"):
        if (path := folder / name).exists():
            found += path.read_text(encoding="utf-8")[:60_000].split("\n\n" if name.endswith("tsv") else "\n")
    return [text for text in found if text.strip()]


def messy_answers() -> list[str]:
    """The same for every run: texts cut off, doubled, in markdown, with labels and tags where none belong."""
    draw, known = random.Random(7), texts()
    ways = (
        lambda text: text[: draw.randrange(1, len(text) + 1)],
        lambda text: f"**Answer:** {text}\n\n> {text[:80]}",
        lambda text: "\n".join(f"- {line}" for line in text.split(". ")),
        lambda text: "\n".join(f"{word} : {draw.choice('BIOX')}" for word in text.split()[:300]),
        lambda text: f"```json\n{json.dumps([{'text': word, 'type': 'Disease'} for word in text.split()])}",
        lambda text: f"({text[:20]}; inhibits; {text[20:40]})\n(B) {draw.choice(['yes', 'no', 'INH'])}",
        lambda text: f"| a | b |\n|---|---|\n| {text[:60]} | {text[60:90]} |",
        lambda text: text.replace("a", "á").replace(" ", "\u00a0").upper(),
        lambda text: f"<think>{text}</think>The answer is {draw.choice('ABCDEZ')}.",
        lambda text: text[::-1],
    )  # fmt: skip
    made = [draw.choice(ways)(draw.choice(known)) for _ in range(ANSWERS - len(_ODD) - 2)]
    return [*_ODD, (known[0] * HUGE)[:HUGE], ("word : B\n" * HUGE)[:HUGE], *made]


def kinds() -> list[tuple[str, dict, int]]:
    """Every task with every output form, and how many answers: those that share a parser get a tenth."""
    found, known = [], set()
    for name, task in TASKS.items():
        forms = next((option.choices for option in task.options_of() if option.name == "form"), ("",))
        for form in forms:
            settings = {"form": form} if form else {}
            parser = (task.score, getattr(getattr(make_task(name, settings), "form", None), "name", name))
            found.append((name, settings, ANSWERS // 10 if parser in known else ANSWERS))
            known.add(parser)
    return found


@pytest.fixture(scope="module")
def answers() -> list[str]:
    return messy_answers()


@pytest.mark.parametrize(("name", "settings", "times"), kinds())
def test_no_answer_is_too_strange_to_be_counted(name, settings, times, answers, tmp_path):
    task = make_task(name, settings)
    rows = [OWN[name]] if name in OWN else list(task.read(samples.write(tmp_path, name), {}))
    assert len(answers) == ANSWERS
    scores = [task.score(rows[number % len(rows)], answer) for number, answer in enumerate(answers[:times])]
    assert all(0.0 <= score.score <= 1.0 for score in scores)
    assert all(count >= 0 for score in scores for count in score.counts.values())
    json.dumps([task.tables(scores), [score.said for score in scores]], ensure_ascii=False).encode("utf-8")
