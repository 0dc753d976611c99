"""The funnel's speed: 25,000 candidates on one thread, filter by filter, against stored texts and test sets.

Candidates are written by code from a seed (tests.bench.similarity): instructions of 10 to 60 words, an input
for two thirds of them, an answer for all; some have dates or numbers, as clinical texts do. Reading replies
is timed on the same records, as lists of three. Seconds are of the processor, so that a busy machine does not
count. Keys: `funnel_s`, `read_s`, `kept`.
"""

import cProfile
import json
import pstats
import random
import tempfile
import time
from argparse import ArgumentParser
from pathlib import Path

from sqlalchemy import insert

from db import migrate
from db.checks.contamination import EvaluationSet, Probe
from db.content import Content
from db.generating import profiles, replies
from db.generating.funnel import Counts, Funnel, Stage
from db.generating.replies import Item
from db.session import connect, read, write
from db.tables import Instruction, Project, Revision, User
from tests.bench.similarity import Writer

CANDIDATES, STORED, PROBES = 25_000, 1_000, 1_273
A_REPLY = 3
PROFILED = 1_000  # further candidates, whose work is shared out to the filters
FILTERS = {
    "_length": Stage.LENGTH,
    "_blacklist": Stage.BLACKLIST,
    "_duplicate": Stage.DUPLICATE,
    "find_flags": Stage.PHI,
    "_contaminated": Stage.CONTAMINATED,
}


def main(argv: list[str]) -> None:
    parser = ArgumentParser(prog="python -m tests.bench funnel", description=__doc__)
    parser.add_argument("--candidates", type=int, default=CANDIDATES)
    parser.add_argument("--stored", type=int, default=STORED)
    parser.add_argument("--probes", type=int, default=PROBES)
    parser.add_argument("--profile", choices=list(profiles.SHIPPED), default="biomedical")
    given = parser.parse_args(argv)
    writer, rng = Writer(0), random.Random(0)
    contents = [_content(writer, rng) for _ in range(given.candidates + PROFILED)]
    probes = tuple(Probe(writer.text(), writer.text()) for _ in range(given.probes))
    read_s, items = _read(contents)
    with tempfile.TemporaryDirectory() as folder:
        project_id = _stored(Path(folder), [_content(writer, rng) for _ in range(given.stored)])
        with read() as session:
            begin = time.process_time()
            project = session.get_one(Project, project_id)
            sets = [EvaluationSet("held out", probes)] if probes else []
            funnel = Funnel(session, project, profiles.SHIPPED[given.profile], sets)
            ready_s = time.process_time() - begin
        begin, counts = time.process_time(), Counts()
        for start in range(0, given.candidates, A_REPLY):
            for verdict in funnel.judge(items[start : min(start + A_REPLY, given.candidates)]):
                counts.add(verdict)
        funnel_s = time.process_time() - begin
        shares = _shares(funnel, items[given.candidates :])
    for stage in list(Stage)[1:]:
        took = f"{shares[stage]:>9.0%}" if stage in shares else ""
        print(f"{stage:<14}{counts.stages[stage]:>8,}{took}")
    print(f"reading {read_s:.1f} s, getting ready {ready_s:.1f} s, the funnel {funnel_s:.1f} s")
    values = {"funnel_s": funnel_s, "read_s": read_s, "kept": counts.stages[Stage.KEPT]}
    print(json.dumps({name: round(value, 2) for name, value in values.items()}))


def _content(writer: Writer, rng: random.Random) -> Content:
    numbers = [
        f" Sodium {rng.randint(120, 150)} mmol/L, {rng.randint(18, 89)} years.",
        " Seen 3 March 2021.",
        "",
    ]
    input = writer.text() + rng.choices(numbers, [6, 1, 13])[0] if rng.random() < 0.67 else ""
    return Content(writer.text(), input, writer.text(), task="passage_qa")


def _read(contents: list[Content]) -> tuple[float, list[Item]]:
    fields = ("instruction", "input", "output", "category", "task")
    rows = [{field: getattr(content, field) for field in fields} for content in contents]
    texts = [json.dumps({"instructions": rows[at : at + A_REPLY]}) for at in range(0, len(rows), A_REPLY)]
    begin = time.process_time()
    items = [item for text in texts for item in replies.read(text, finish_reason="stop").items]
    return time.process_time() - begin, items


def _stored(folder: Path, contents: list[Content]) -> int:
    migrate.upgrade(connect(f"sqlite:///{folder / 'studio.db'}"))
    with write() as session:
        user = User(username="bench", full_name="Bench", password_hash=None)
        project = Project(name="Bench")
        session.add_all([user, project])
        session.flush()
        for number, content in enumerate(contents, 1):
            columns = content.columns() | {"author_id": user.id}
            own = {"id": number, "project_id": project.id, "origin": "seed"}
            session.execute(insert(Instruction), [columns | own])
            session.execute(insert(Revision), [columns | {"instruction_id": number, "number": 1}])
        return project.id


def _shares(funnel: Funnel, items: list[Item]) -> dict[str, float]:
    """The share of the work that each filter does, by a profile of its own."""
    profile = cProfile.Profile()
    profile.runcall(funnel.judge, items)
    spent = {name: row[3] for (_, _, name), row in pstats.Stats(profile).stats.items() if name in FILTERS}
    return {FILTERS[name]: seconds / sum(spent.values()) for name, seconds in spent.items()}


if __name__ == "__main__":
    import sys

    main(sys.argv[1:])
