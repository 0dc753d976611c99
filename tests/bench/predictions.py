"""How long a filtered page of predictions takes among a million of them, in a database file as the studio's.

Three evaluations of one task of 333,334 rows; the third differs from the second in a handful of them, so that
what is fixed is rare and much is walked to find it. Every filter is asked for from random places on,
with and without words; what is timed is `predictions.page`: the rows, both answers, and the total.
"""

import json
import random
import tempfile
import time
from argparse import ArgumentParser
from collections.abc import Iterator
from pathlib import Path

from sqlalchemy import insert

from db import migrate, predictions
from db.enums import Category, Way
from db.predictions import Show
from db.session import connect, make_engine, read
from db.tables import BaseModel, Evaluation, Prediction, Project, TaskRow, TaskVersion, User

ROWS = 333_334  # of the task; three evaluations of them are the million
TIMES = 12  # pages of each filter
A_READ = 5_000
RARELY = 100_000  # one row of so many differs in the third evaluation
STEMS = [f"{a}{b}{c}" for a in ("met", "car", "lis", "war", "hep") for b in ("for", "ni", "pr") for c in (
    "min", "tis", "ril", "rin", "oma", "pathy")]  # fmt: skip
RARE = ", rare"
SEARCHES = ("", STEMS[0], f"{STEMS[0]} {STEMS[40]}", "zebra", "question77777")


def main(argv: list[str]) -> None:
    parser = ArgumentParser(prog="python -m tests.bench predictions")
    parser.add_argument("--rows", type=int, default=ROWS, help="of the task, a third of the predictions")
    options = parser.parse_args(argv)
    print(json.dumps(measure(options.rows)))


def measure(rows: int = ROWS) -> dict[str, float]:
    """{"page_ms": p95 of all pages, ...}: milliseconds of the clock, and of the processor alone."""
    with tempfile.TemporaryDirectory(prefix="studio-predictions-") as folder:
        url = f"sqlite:///{Path(folder) / 'studio.db'}"
        engine = make_engine(url)
        migrate.upgrade(engine)
        begun = time.perf_counter()
        with engine.begin() as connection:
            _write(connection, rows)
        engine.dispose()
        print(f"{3 * rows:,} predictions written in {time.perf_counter() - begun:.0f} s")
        engine = connect(url)
        took = {name: list(_time(rows, *asked)) for name, asked in _filters().items()}
        engine.dispose()
    for name, each in sorted(took.items(), key=lambda one: -_p95(one[1], 0)):
        clock, processor = _p95(each, 0), _p95(each, 1)
        print(f"{name:<36} p95 {clock:7.1f} ms, {processor:7.1f} ms of the processor")
    usual = {name: each for name, each in took.items() if not name.endswith(RARE)}
    pages = [page for each in usual.values() for page in each]
    rare = [page for name, each in took.items() if name.endswith(RARE) for page in each]
    return {
        "page_ms": round(_p95(pages, 0), 1),
        "page_cpu_ms": round(_p95(pages, 1), 1),
        "page_slowest_filter_ms": round(max(_p95(each, 0) for each in usual.values()), 1),
        "page_slowest_filter_cpu_ms": round(max(_p95(each, 1) for each in usual.values()), 1),
        "page_rare_ms": round(_p95(rare, 0), 1),
        "page_rare_cpu_ms": round(_p95(rare, 1), 1),
        "predictions": 3 * rows,
    }


def _filters() -> dict[str, tuple]:
    """Name -> (evaluation, against, show, text)."""
    found = {f"{show.value} {text}".strip(): (1, 2, show, text) for show in Show for text in SEARCHES}
    rare = {f"{show.value}{RARE}": (3, 2, show, "") for show in Show if show.is_of_pairs}
    return found | rare


def _time(rows: int, evaluation: int, against: int, show: Show, text: str) -> Iterator[tuple[float, float]]:
    """(milliseconds of the clock, of the processor) of each page. As on the Results page the first one
    counts, and the others take its total over."""
    draw, counted = random.Random(7), None
    for number in range(TIMES):
        asked = {"against_id": against, "show": show, "text": text, "counted": counted}
        after = draw.randrange(rows) if number else None
        begun = time.perf_counter(), time.process_time()
        with read() as session:
            page = predictions.page(session, evaluation, after=after, **asked)
        yield 1000 * (time.perf_counter() - begun[0]), 1000 * (time.process_time() - begun[1])
        counted = page.total, page.has_more
        assert all(_is_so(show, row) for row in page.rows), show


def _is_so(show: Show, row: predictions.Row) -> bool:
    ours, theirs = row.prediction, row.against
    return {
        Show.ALL: True,
        Show.RIGHT: ours.is_right,
        Show.WRONG: not ours.is_right,
        Show.FAULTY: ours.has_faults,
        Show.FIXED: ours.is_right and not theirs.is_right,
        Show.BROKEN: theirs.is_right and not ours.is_right,
        Show.BETTER: ours.score > theirs.score,
        Show.WORSE: ours.score < theirs.score,
    }[show]


def _p95(pages: list[tuple[float, float]], of: int) -> float:
    values = sorted(page[of] for page in pages)
    return values[min(len(values) - 1, len(values) * 95 // 100)]


def _write(connection, rows: int) -> None:
    connection.execute(insert(User), {"username": "bench", "full_name": "Bench", "password_hash": ""})
    connection.execute(insert(Project), {"name": "Ward 7"})
    connection.execute(insert(BaseModel), {"name": "tiny", "location": "/models/tiny"})
    task = {
        "project_id": 1, "name": "Questions", "task": "instructions-qa", "category": Category.QA,
        "rows": rows, "settings": {}, "content_hash": "h", "created_by_id": 1,
    }  # fmt: skip
    connection.execute(insert(TaskVersion), task)
    for start in range(0, rows, A_READ):
        places = range(start, min(start + A_READ, rows))
        connection.execute(insert(TaskRow), [_task_row(at) for at in places])
    evaluation = {
        "project_id": 1, "task_version_id": 1, "base_model_id": 1, "way": Way.GENERATION, "rows": rows,
        "rows_done": rows,
    }  # fmt: skip
    connection.execute(insert(Evaluation), [evaluation] * 3)
    for number in (1, 2, 3):
        draw = random.Random(min(number, 2))
        for start in range(0, rows, A_READ):
            places = range(start, min(start + A_READ, rows))
            connection.execute(insert(Prediction), [_prediction(draw, number, at) for at in places])


def _task_row(at: int) -> dict:
    return {
        "task_version_id": 1, "position": at, "key": str(at), "document": str(at // 3),
        "instruction": f"question{at} on what {STEMS[at % len(STEMS)]} is for", "input": "",
        "reference": f"answer{at}", "source": {},
    }  # fmt: skip


def _prediction(draw: random.Random, number: int, at: int) -> dict:
    """A draw that is the same for evaluations 2 and 3, but for a row in RARELY."""
    right = draw.random() < (0.55 if number == 1 else 0.5)
    score = 1.0 if right else draw.choice((0.0, 0.25, 0.5))
    words = [STEMS[int(len(STEMS) * draw.random() ** 2)] for _ in range(12)]
    faulty = draw.random() < 0.05
    if number == 3 and at % RARELY == 77:
        right, score = not right, 0.9 - 0.8 * score
    if at % 10_007 == 7:
        words.append("zebra")
    return {
        "evaluation_id": number, "position": at, "answer": " ".join(words), "score": score,
        "is_right": right, "has_faults": faulty, "counts": {"right": int(right)},
        "said": {"choice": words[0], "faults": [["unparsed", words[1]]] if faulty else []}, "tokens": 14,
    }  # fmt: skip
