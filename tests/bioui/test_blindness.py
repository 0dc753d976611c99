"""Nothing that a rater is sent before the vote tells which side wrote which answer.

Two ways. A world and its mirror: the same round with every text on the other side and every pair the other
way round, so that a rater sees the very same answers in the very same places; all that is sent, and all that
is done for it, must be the same to the byte. And a client that learns from hundreds of responses, with their
sides told for some of the pairs, and is no better than a coin on the others, whose sides it is not told.
"""

import json
import re
import shutil
import sys
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, field
from random import Random

import numpy as np
import pytest
from scipy.stats import binomtest
from sqlalchemy import event as engine_event

from bioui import gate
from bioui.components.answers import AnswersState, ColumnState, answers_value
from bioui.pages import blind
from db import users
from db.enums import Side
from db.session import connect, read, write
from db.tables import Assignment
from tests.bioui.blind_rater import WORDS, Rater, make_round, mirror, shown, walk
from tests.db.compared import sides as sides

PAIRS = 56  # half of them for each rater


@pytest.fixture
def raters(people, project_id, sides) -> list[Rater]:
    """Both of them, logged in."""
    both = (people.clinician, people.reviewer)
    round_id = make_round(people.trainer, project_id, sides, [rater.id for rater in both], PAIRS)
    with write() as session:
        return [
            Rater(actor, users.open_session(session, users.get_user(session, actor.id)), round_id)
            for actor in both
        ]


# the mirror ----------------------------------------------------------------------------------------------


@dataclass
class Work:
    """What was done: statements sent to the database, calls of functions of ours."""

    statements: list[str] = field(default_factory=list)
    calls: Counter = field(default_factory=Counter)


@pytest.fixture
def worlds(settings, database, raters, tmp_path):
    """Two copies of the round in files of their own, the second one mirrored; `enter(0)` connects to one."""
    database.dispose()
    files = [tmp_path / "world.db", tmp_path / "mirror.db"]
    for path in files:
        shutil.copy(settings.data_dir / "studio.db", path)
    entered = []

    def enter(number: int):
        entered.append(connect(f"sqlite:///{files[number]}"))
        return entered[-1]

    enter(1)
    mirror()
    yield enter
    for engine in entered:
        engine.dispose()
    connect(settings.url)


def watched(engine, work: Work, action):
    """What `action()` gives, its statements and its calls counted into `work`."""

    def note(_connection, _cursor, statement, *_):
        work.statements.append(statement)

    def count(frame, kind, _argument):
        if kind == "call" and re.search(r"/(bioui|db)/", frame.f_code.co_filename):
            work.calls[frame.f_code.co_qualname] += 1

    engine_event.listen(engine, "before_cursor_execute", note)
    sys.setprofile(count)
    try:
        return action()
    finally:
        sys.setprofile(None)
        engine_event.remove(engine, "before_cursor_execute", note)


def test_the_same_answers_in_the_same_places_are_sent_alike_whichever_side_wrote_them(worlds, raters):
    told, truths = [], []
    for world in (0, 1):
        worlds(world)
        seen = [one for rater in raters for one in walk(rater, Random(5), reveals=False, most=8)]
        told.append([json.dumps(one.sent) for one in seen])
        truths.append([one.base_left for one in seen])
    assert len(told[0]) == 16
    assert truths[0] == [not base_left for base_left in truths[1]]
    assert len(set(truths[0])) == 2
    assert told[0] == told[1]


def test_the_same_work_is_done_whichever_side_stands_on_the_left(worlds, raters):
    """So that no time of an answer can tell: as many statements, the same ones, and calls of the same
    functions as often."""
    done = []
    for world in (0, 1, 0, 1):  # the first round warms caches up
        engine, work = worlds(world), Work()
        rater = raters[0]
        response = watched(engine, work, lambda rater=rater: rater.begin())
        watched(engine, work, rater.load)
        number = shown(response)["ballot"]["id"]
        watched(engine, work, lambda rater=rater, n=number: rater.press(blind.reveal, assignment=n))
        done.append(work)
    first, second = done[2:]
    assert first.statements == second.statements
    assert first.calls == second.calls
    assert first.calls["laid_out"] >= 2
    assert len(first.statements) > 10


# the client that learns ----------------------------------------------------------------------------------


def features(sent: dict[str, object]) -> set[str]:
    """Every leaf with its path, what kind of number it is, the order of keys, and how long each part is;
    words of the answers themselves are left out."""
    found: set[str] = set()

    def look(path: str, value) -> None:
        if isinstance(value, dict):
            found.add(f"{path} keys {','.join(value)}")
            for name, inner in value.items():
                look(f"{path}.{name}", inner)
        elif isinstance(value, (list, tuple)):
            found.add(f"{path} has {min(len(value), 9)}")
            for at, inner in enumerate(value):
                look(f"{path}[{min(at, 9)}]", inner)
        elif isinstance(value, int) and not isinstance(value, bool):
            found.update((f"{path} = {value}", f"{path} % 2 = {value % 2}", f"{path} % 3 = {value % 3}"))
        else:
            words = re.sub("|".join(WORDS), "_", str(value))
            found.add(f"{path} = {re.sub(r'(_[ ,.]*)+', '_', words)}")

    for pressed, response in sent.items():
        look(pressed, response)
        found.add(f"{pressed} bytes {len(json.dumps(response)) // 64}")
    return found


def learned(documents: Sequence[set[str]], truths: Sequence[bool], *, folds: int = 5, best: int = 8) -> int:
    """How many sides a naive Bayes gets right, each told by what the other folds show.

    It uses the `best` features there: those that stand most unlike often with the two sides. Both sides are
    as likely before; counts by Laplace's rule.
    """
    names = sorted(set().union(*documents))
    has = np.array([[name in document for name in names] for document in documents])
    truth, fold, right = np.array(truths), np.arange(len(truths)) % folds, 0
    for held_out in range(folds):
        known = fold != held_out
        shares = [
            (has[known & (truth == side)].sum(0) + 1) / ((known & (truth == side)).sum() + 2)
            for side in (False, True)
        ]
        chosen = np.argsort(-abs(shares[1] - shares[0]), kind="stable")[:best]
        there, absent = np.log(shares[1] / shares[0]), np.log((1 - shares[1]) / (1 - shares[0]))
        odds = np.where(has, there, absent)[:, chosen].sum(1)
        right += int(((odds > 0) == truth)[~known].sum())
    return right


def open_columns(session, number: int) -> dict:
    """The pair as the playground shows it, where nobody is blind: what the client must be able to tell."""
    assignment = session.get_one(Assignment, number)
    pair = assignment.pair
    both = (pair.other, pair.one) if assignment.is_flipped else (pair.one, pair.other)
    columns = [
        ColumnState(
            "", Side.BASE if each.base_model_id else Side.TUNED, each.text, each.finish_reason, each.tokens
        )
        for each in both
    ]
    return answers_value(AnswersState(columns))


def test_a_client_that_learns_from_everything_it_is_sent_does_no_better_than_a_coin(raters):
    seen = [one for rater in raters for one in walk(rater, Random(7), reveals=True, most=PAIRS)]
    truths = [one.base_left for one in seen]
    assert len(seen) == PAIRS
    assert 0.3 * PAIRS < sum(truths) < 0.7 * PAIRS
    sent = [features(one.sent) for one in seen]
    right = learned(sent, truths)
    assert binomtest(right, PAIRS, 0.5).pvalue > 0.01, f"{right} of {PAIRS}"

    with read() as session:  # the same client, where the sides are in view
        opened = [features({"open": open_columns(session, one.id)}) for one in seen]
    assert learned([one | more for one, more in zip(sent, opened, strict=True)], truths) > 0.95 * PAIRS
    numbers = [features({"id": {"id": 2 * at + one.base_left}}) for at, one in enumerate(seen)]
    small = [
        one | more for one, more in zip(sent, numbers, strict=True)
    ]  # the last bit of a number is enough
    assert learned(small, truths) > 0.9 * PAIRS


# over the wire -------------------------------------------------------------------------------------------


def test_page_and_events_are_the_same_bytes_whichever_side_stands_on_the_left(studio, worlds, raters):
    rater, found = raters[0], []
    events = {
        fn.name: index
        for index, fn in studio.blocks.fns.items()
        if fn.fn is not None and fn.fn.__module__ == blind.__name__
    }
    for world in (0, 1):
        worlds(world)
        with studio.browser() as client:
            client.cookies.set(gate.COOKIE, rater.token)
            query = f"project=1&round={rater.round_id}"
            page = client.get(f"/blind/?{query}", follow_redirects=True)
            assert page.status_code == 200
            said = [
                page.text,
                *(over_the_wire(client, events[name], query) for name in ("begin", "show_page")),
            ]
            found.append([masked(each) for each in said])
    assert "Case" in found[0][1]
    assert found[0] == found[1]


def over_the_wire(client, index: int, query: str) -> str:
    """All that Gradio's queue answers to one event, headers with it."""
    body = {"fn_index": index, "data": [], "session_hash": "mirror", "event_data": None}
    joined = client.post(f"/gradio_api/queue/join?{query}", json=body)
    assert joined.status_code == 200, joined.text
    lines = [str(sorted(set(joined.headers) - {"date"}))]
    with client.stream("GET", "/gradio_api/queue/data", params={"session_hash": "mirror"}) as stream:
        lines.append(str(sorted(set(stream.headers) - {"date"})))
        for line in stream.iter_lines():
            lines.append(line)
            if "process_completed" in line:
                break
    return "\n".join(lines)


def masked(text: str) -> str:
    """Without the numbers that Gradio draws, and those that it reads off a clock."""
    text = re.sub(r'"event_id": ?"[0-9a-f]+"', '"event_id"', text)
    return re.sub(
        r'"(rank_eta|eta|avg_time|(average_|cache_)?duration)": ?([0-9.e+-]+|null)', '"clock"', text
    )
