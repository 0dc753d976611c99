"""The list at 25,005 and 200,000 instructions: a page, a filter, a search, each as the server answers it.

Rows are written by code from a seed, about 530 bytes of text each, in words as unevenly common as those of a
language. A timed answer is all the server does for one: a new session, the page, its total, and the value of
the list as JSON. Questions come from a seed and each is asked once; *cold* is the first of its kind on a
fresh connection, p95 is over all the others. The file lies in the page cache, as it does in use.
"""

import json
import random
import tempfile
import time
from argparse import ArgumentParser
from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from itertools import accumulate
from pathlib import Path

from sqlalchemy import bindparam, insert, select, update

from bioui.components.instruction_rows import rows_value
from db import bulk, imports, migrate, search, users
from db.bulk import Action, Change
from db.content import Content
from db.enums import Category, InstructionStatus, Origin, Provenance, Role
from db.exchange import preview
from db.exchange.screening import Screening
from db.policy import Actor
from db.saved_filters import View
from db.search import InstructionQuery, Sort
from db.session import connect, read, write
from db.tables import Comment, Instruction, PrivacyFlag, Project, User, UserRole

SIZES = (25_005, 200_000)
BULK_ROWS = 10_000
TASKS = [f"task_{n}" for n in range(40)]
SPECIALTIES = [f"specialty {n}" for n in range(30)]
TAGS = [f"tag {n}" for n in range(60)]
LICENCES = ("", "CC0", "CC BY 4.0", "MIT")
DAY = datetime(2026, 1, 1, tzinfo=UTC)
SYLLABLES = """
ba co di fe gu hy ka li mo ne pa ri so tu ve xa zo cardi neur hepat nephr derm itis osis emia ase
""".split()


class Writer:
    """Contents from a seed. Word number n is about 1/n as common as the first one, as in a language."""

    def __init__(self, seed: int, words: int = 30_000) -> None:
        self.random = random.Random(seed)
        made = {
            "".join(self.random.choices(SYLLABLES, k=self.random.randint(1, 5))) for _ in range(words * 2)
        }
        self.words = sorted(made)[:words]
        self.random.shuffle(self.words)
        self._weights = list(accumulate(1 / (rank + 3) for rank in range(len(self.words))))

    def text(self, mean: int) -> str:
        length = max(3, round(self.random.gauss(mean, mean / 3)))
        return (
            " ".join(self.random.choices(self.words, cum_weights=self._weights, k=length)).capitalize() + "."
        )

    def content(self) -> Content:
        draw = self.random
        return Content(
            instruction=self.text(14),
            input=self.text(30) if draw.random() < 0.6 else "",
            output=self.text(34),
            category=draw.choices(list(Category), weights=(23, 34, 33, 10))[0],
            task=draw.choices(TASKS, weights=range(40, 0, -1))[0],
            specialty=draw.choice(SPECIALTIES),
            difficulty=draw.randint(1, 5),
            tags=tuple(draw.sample(TAGS, k=draw.randint(0, 3))),
        )


@dataclass(frozen=True)
class Studio:
    folder: Path
    project_id: int
    actor: Actor
    people: list[int]
    size: int


Ask = Callable[[Writer, Studio], tuple[View, str | None]]
"""Draws a question: what to show, and where the page begins."""


def main(argv: list[str]) -> None:
    parser = ArgumentParser(prog="python -m tests.bench table")
    parser.add_argument("--questions", type=int, default=300, help="of each kind and size")
    parser.add_argument("--sizes", type=int, nargs="+", default=SIZES)
    given = parser.parse_args(argv)
    figures = [_figures(size, given.questions) for size in given.sizes]
    sizes = [str(size) for size in given.sizes]
    small, large = figures[0]["p95_ms"], figures[-1]["p95_ms"]
    told = {
        name: dict(zip(sizes, (of[name] for of in figures), strict=True))
        for name in ("p95_ms", "p50_ms", "cold_ms", "orders_p95_ms", "bulk_s")
    }
    told["growth"] = {kind: round(large[kind] / small[kind], 2) for kind in ("page", "filter", "search")}
    told["page_kb"] = max(of["page_kb"] for of in figures)
    told["import_s"] = figures[0]["import_s"]
    print(json.dumps(told))


def _figures(size: int, questions: int) -> dict:
    """All of one size, in a folder of its own."""
    with tempfile.TemporaryDirectory(prefix="studio-table-") as folder:
        engine = connect(f"sqlite:///{Path(folder) / 'studio.db'}")
        migrate.upgrade(engine)
        studio, writer = _people(Path(folder), size), Writer(seed=size)
        imported = _import(studio, writer)
        _spread(studio, writer)
        found = {"import_s": imported, "p95_ms": {}, "p50_ms": {}, "cold_ms": {}, "page_kb": 0.0}
        for kind, ask in (("page", _page), ("filter", _filter), ("search", _search), ("orders", _orders)):
            engine.dispose()
            answers = [_timed(studio, *ask(writer, studio)) for _ in range(questions + 1)]
            cold, *warm = (milliseconds for milliseconds, _ in answers)
            found["cold_ms"][kind] = round(cold, 1)
            found["p50_ms"][kind], found["p95_ms"][kind] = _at(warm, 0.5), _at(warm, 0.95)
            found["page_kb"] = max(found["page_kb"], *(kilobytes for _, kilobytes in answers))
            figures = (
                f"p50 {_at(warm, 0.5):6.1f} ms   p95 {_at(warm, 0.95):6.1f} ms   most {max(warm):6.1f} ms"
            )
            print(f"{size:>9,}  {kind:<7} {figures}   cold {cold:6.1f} ms", flush=True)
        found["orders_p95_ms"] = found["p95_ms"].pop("orders")
        found["bulk_s"] = _bulk(studio)
        print(f"{size:>9,}  import {imported} s; {BULK_ROWS:,} tagged and put back {found['bulk_s']} s")
        engine.dispose()
        return found


def _at(times: list[float], share: float) -> float:
    return round(sorted(times)[int(len(times) * share)], 1)


# What is asked --------------------------------------------------------------------------------------


def _timed(studio: Studio, view: View, after: str | None) -> tuple[float, float]:
    """(milliseconds, kilobytes) of one answer."""
    begun = time.perf_counter()
    with read() as session:
        page = search.search_instructions(session, studio.project_id, view.query, sort=view.sort, after=after)
        value = rows_value(page.rows, studio.project_id, total=page.total, has_next=bool(page.next_after))
        sent = json.dumps(value)
    return (time.perf_counter() - begun) * 1000, round(len(sent.encode()) / 1000, 1)


def _page(writer: Writer, studio: Studio) -> tuple[View, str | None]:
    """The whole list in some order, half of the time somewhere in its middle."""
    place = writer.random.randint(1, studio.size)
    at = (DAY + timedelta(minutes=place)).isoformat()
    middles = {
        Sort.NEWEST: [0, place],
        Sort.OLDEST: [0, place],
        Sort.CHANGED: [0, at, place],
        Sort.SUBMITTED: [0, at, place],
        Sort.EASIEST: [0, writer.random.randint(1, 5), place],
        Sort.HARDEST: [0, writer.random.randint(1, 5), place],
    }
    sort = writer.random.choice(list(middles))
    return View(sort=sort), json.dumps(middles[sort]) if writer.random.random() < 0.5 else None


def _filter(writer: Writer, studio: Studio) -> tuple[View, str | None]:
    """One to three filters, the newest first."""
    chosen: dict = {}
    for _ in range(writer.random.choice((1, 1, 2, 3))):
        chosen |= writer.random.choice(_filters(writer, studio))
    return View(InstructionQuery(**chosen)), None


def _filters(writer: Writer, studio: Studio) -> list[dict]:
    choice = writer.random.choice
    low = writer.random.randint(1, 5)
    return [
        {"statuses": (choice(list(InstructionStatus)),)},
        {"statuses": (InstructionStatus.DRAFT, InstructionStatus.IN_REVIEW)},
        {"categories": (choice(list(Category)),)},
        {"origins": (choice(list(Origin)),)},
        {"provenances": (choice(list(Provenance)),)},
        {"task": choice(TASKS)},
        {"specialty": choice(SPECIALTIES)},
        {"min_difficulty": low, "max_difficulty": min(5, low + 1)},
        {"tags": (choice(TAGS),)},
        {"author_id": choice(studio.people)},
        {"assignee_id": choice([0, *studio.people])},
        {"has_open_remarks": True},
        {"is_flagged": True},
        {"updated_since": DAY + timedelta(minutes=writer.random.randint(0, studio.size))},
        {"licence": choice(LICENCES)},
        {"is_restricted": writer.random.random() < 0.5},
    ]


def _search(writer: Writer, studio: Studio) -> tuple[View, str | None]:
    """By relevance: one to three words of the texts, as common as they are there; some being typed, some
    phrases, a quarter with a filter.
    """
    sought = writer.text(2).lower().strip(".").split()[: writer.random.randint(1, 3)]
    last = sought[-1]
    typed = writer.random.choice((" ", " ", "cut", "phrase"))
    if typed == "cut":
        sought[-1] = last[: writer.random.randint(2, max(2, len(last) - 1))]
    text = f'"{" ".join(sought)}"' if typed == "phrase" else " ".join(sought) + typed.replace("cut", "")
    chosen = writer.random.choice(_filters(writer, studio)) if writer.random.random() < 0.25 else {}
    return View(InstructionQuery(text=text, **chosen)), None


def _orders(writer: Writer, studio: Studio) -> tuple[View, str | None]:
    """A search or a filter in an order other than its own: not among the promised figures, but said."""
    view, _ = writer.random.choice((_search, _filter))(writer, studio)
    sorts = [sort for sort in Sort if sort is not Sort.RELEVANCE]
    return View(view.query, writer.random.choice(sorts)), None


# What is there --------------------------------------------------------------------------------------


def _people(folder: Path, size: int) -> Studio:
    """A project, and forty people who may review."""
    with write() as session:
        project = Project(name="Ward 7")
        names = [f"Curator {n}" for n in range(40)]
        people = [
            User(username=name.lower(), full_name=name, roles=[UserRole(role=Role.REVIEWER)])
            for name in names
        ]
        session.add_all([project, *people])
        session.flush()
        return Studio(folder, project.id, users.as_actor(people[0]), [person.id for person in people], size)


def _import(studio: Studio, writer: Writer) -> float:
    """Seconds for SIZES[0] rows from a file, with all checks. The rest is just stored."""
    path = studio.folder / "rows.jsonl"
    contents = [writer.content() for _ in range(min(studio.size, SIZES[0]))]
    path.write_text("\n".join(json.dumps(content.columns()) for content in contents), encoding="utf-8")
    begun = time.perf_counter()
    with read() as session:
        seen = preview.preview_import(
            session, studio.actor, studio.project_id, path, screening=Screening(session, studio.project_id)
        )
    with write() as session:
        done = preview.apply_import(
            session,
            studio.actor,
            studio.project_id,
            path,
            fingerprint=seen.fingerprint,
            flags=seen.screened.flags,
        )
    seconds = time.perf_counter() - begun
    missing = studio.size - len(done.ids)
    while missing > 0:
        part = min(missing, 10_000)
        with write() as session:
            imports.import_contents(
                session, studio.actor, studio.project_id, [writer.content() for _ in range(part)]
            )
        missing -= part
    return round(seconds, 1)


def _spread(studio: Studio, writer: Writer) -> None:
    """What an import does not set: statuses, authors, times, as uneven as in use; remarks and flags."""
    draw = writer.random
    rows, remarks, flags = [], [], []
    with write() as session:
        for id in session.scalars(select(Instruction.id).order_by(Instruction.id)):
            status = draw.choices(list(InstructionStatus), weights=(25, 8, 3, 55, 5, 4))[0]
            at = DAY + timedelta(minutes=draw.randint(1, studio.size))
            author = draw.choices(studio.people, weights=range(len(studio.people), 0, -1))[0]
            rows.append(
                {
                    "of": id,
                    "status": status,
                    "origin": draw.choices(list(Origin), weights=(5, 40, 30, 24, 1))[0],
                    "provenance": draw.choices(list(Provenance), weights=(40, 55, 5))[0],
                    "author_id": author,
                    "assignee_id": draw.choice(studio.people) if draw.random() < 0.1 else None,
                    "licence": draw.choice(LICENCES),
                    "is_restricted": draw.random() < 0.02,
                    "submitted_at": at if status is not InstructionStatus.DRAFT else None,
                    "approved_version": 1 if status is InstructionStatus.APPROVED else None,
                    "updated_at": at,
                }
            )
            on = {"instruction_id": id, "version": 1}
            if draw.random() < 0.01:
                remarks.append({**on, "author_id": author, "body": "Sure?"})
            if draw.random() < 0.005:
                flags.append(
                    {**on, "field": "output", "span_start": 0, "span_end": 4, "kind": "DATE", "score": 0.8}
                )
        table = Instruction.__table__
        values = {name: bindparam(f"new_{name}") for name in rows[0] if name != "of"}
        session.connection().execute(
            update(table).where(table.c.id == bindparam("of")).values(values),
            [{name if name == "of" else f"new_{name}": value for name, value in row.items()} for row in rows],
        )
        session.execute(insert(Comment), remarks)
        session.execute(insert(PrivacyFlag), flags)


def _bulk(studio: Studio) -> list[float]:
    """[seconds to tag BULK_ROWS drafts and others, seconds to put them back]."""
    change, seconds = Change(Action.TAG, ("batch",)), []
    with read() as session:
        rows = select(Instruction.id).where(Instruction.status == InstructionStatus.APPROVED)
        picked = list(session.scalars(rows.order_by(Instruction.id).limit(BULK_ROWS)))
    begun = time.perf_counter()
    with write() as session:
        done = bulk.apply(session, studio.actor, studio.project_id, change, picked, count=len(picked)).id
    seconds.append(round(time.perf_counter() - begun, 1))
    begun = time.perf_counter()
    with write() as session:
        bulk.undo(session, studio.actor, done)
    return [*seconds, round(time.perf_counter() - begun, 1)]
