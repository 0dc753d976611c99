"""Twenty people compare on the starter at once, over HTTP: whose answers they get, and how long they wait.

The model server is a process of its own with three sides on one base: the starter, the adapter that ships
with it and one that is tuned here for a few steps by the studio's own job. Every pair has a prompt of its own
and two of the three sides, in any order; each person sends the next as soon as the last has ended. Before,
each side alone answered each prompt by transformers and peft as they come, one prompt at a time, greedy: that
is the reference.

`wrong_sides`: answers that are not their side's reference to the letter. `telling`: the share of pairs whose
two references differ, so that an exchange of sides would show.
`p95_wait_s`: from sending until both sides have begun, on a server that has all sides loaded.
`out_of_order`: a pair that was in the queue, as its person was told, before another was sent is to begin
before that one: how often it did not, by more than EVENTS.
`order_p`: Kruskal and Wallis' test of the waits by person: a low one would mean that somebody is favoured.
"""

import asyncio
import itertools
import json
import random
import statistics
import sys
import tempfile
import time
from argparse import ArgumentParser
from collections.abc import Iterable, Sequence
from concurrent.futures import ProcessPoolExecutor
from dataclasses import dataclass, field
from multiprocessing import get_context
from pathlib import Path

import httpx
import numpy as np
from scipy.stats import kruskal

from tests import model_servers as servers
from tests.plain_answers import answer_all

PEOPLE, PAIRS, TOKENS = 20, 2000, 8
STEPS = 10  # of the tuning of the second adapter
EVENTS = 0.06  # seconds; the server sends a list of events at most every twentieth of a second
CHUNK = 100  # prompts that a process answers in one go
SEED = 7


@dataclass(frozen=True)
class Side:
    """What answers: how /v1/compare is told, and the folder of its adapter."""

    name: str
    spec: dict
    adapter: Path | None


@dataclass
class Pair:
    """One comparison of one person's; times on the clock of this process."""

    person: int
    text: str
    sides: tuple[Side, Side]
    sent: float = 0.0
    queued: float = 0.0
    begun: list[float] = field(default_factory=lambda: [0.0, 0.0])
    answers: list[str] = field(default_factory=lambda: ["", ""])
    ended: int = 0  # sides
    error: str = ""

    @property
    def wait(self) -> float:
        return max(self.begun) - self.sent


def main(argv: list[str]) -> None:
    parser = ArgumentParser(prog="python -m tests.bench people")
    parser.add_argument("--pairs", type=int, default=PAIRS)
    parser.add_argument("--people", type=int, default=PEOPLE)
    given = parser.parse_args(argv)
    print(json.dumps(measure(given.pairs, given.people)))


def measure(pairs: int = PAIRS, people: int = PEOPLE) -> dict:
    """The keys above, with `pairs` and `errors`. Raises RuntimeError when the server does not come up."""
    with tempfile.TemporaryDirectory(prefix="studio-people-") as folder:
        settings = servers.open_studio(Path(folder) / "data")
        asked = plan(_sides(settings), pairs, people)
        expected = _references(asked)
        with servers.model_server(settings) as server:
            _warm_up(server, asked)
            begun = time.perf_counter()
            asyncio.run(_all_compare(server, asked))
            seconds = time.perf_counter() - begun
    print(f"{pairs} pairs by {people} people in {seconds:.0f} s, {1000 * seconds / pairs:.0f} ms a pair")
    for pair in [pair for pair in asked if pair.error][:5]:
        print(f"error: {pair.error}", file=sys.stderr)
    return figures(asked, expected)


def figures(asked: Sequence[Pair], expected: dict[tuple[str, str], str]) -> dict:
    """What came of it; `expected` is the reference by (side's name, prompt)."""
    served = [pair for pair in asked if not pair.error]
    wrong = sum(
        answer != expected[side.name, pair.text]
        for pair in served
        for side, answer in zip(pair.sides, pair.answers, strict=True)
    )
    telling = sum(len({expected[side.name, pair.text] for side in pair.sides}) == 2 for pair in asked)
    waits = [pair.wait for pair in served]
    broken, certain = out_of_order(served)
    print(
        f"waits: median {statistics.median(waits):.2f} s, longest {max(waits):.2f} s; "
        f"{broken} of {certain} certain orders broken"
    )
    return {
        "pairs": len(served),
        "errors": len(asked) - len(served),
        "wrong_sides": wrong,
        "telling": round(telling / len(asked), 3),
        "p95_wait_s": round(float(np.quantile(waits, 0.95)), 3),
        "out_of_order": broken,
        "order_p": round(_favours(served), 4),
    }


def plan(sides: Sequence[Side], pairs: int, people: int) -> list[Pair]:
    """Prompts all different; every ordered choice of two sides as often, dealt at random."""
    draw = random.Random(SEED)
    texts = sorted({servers.text_of(row) for row in servers.demo_rows()}, key=lambda text: (len(text), text))
    texts = texts[:pairs]
    if len(texts) < pairs:
        raise RuntimeError(f"the demo set has {len(texts)} different prompts; ask for no more pairs.")
    draw.shuffle(texts)
    choices = itertools.cycle(itertools.permutations(sides, 2))
    return [Pair(number % people, text, next(choices)) for number, text in enumerate(texts)]


def out_of_order(served: Sequence[Pair]) -> tuple[int, int]:
    """(orders broken, orders certain): see above."""
    sent, queued = (np.array([getattr(pair, name) for pair in served]) for name in ("sent", "queued"))
    begun = np.array([min(pair.begun) for pair in served])
    certain = queued[:, None] <= sent[None, :]  # [one, other]
    broken = certain & (begun[:, None] > begun[None, :] + EVENTS)
    return int(broken.sum()), int(certain.sum())


def _favours(served: Sequence[Pair]) -> float:
    by_person: dict[int, list[float]] = {}
    for pair in served:
        by_person.setdefault(pair.person, []).append(pair.wait)
    return float(kruskal(*by_person.values()).pvalue)


def _sides(settings) -> list[Side]:
    base = servers.add_base("starter", servers.STARTER)
    shipped = servers.add_adapter("shipped", servers.SHIPPED, base)
    rows = [row for row in servers.demo_rows() if row["category"] == "GEN"][: 16 * STEPS]
    number, folder = servers.train_adapter(settings, "second", base, rows, steps=STEPS)
    return [
        Side("base", {"base_model_id": base}, None),
        Side("shipped", {"adapter_id": shipped}, servers.SHIPPED),
        Side("second", {"adapter_id": number}, folder),
    ]


def _references(asked: Iterable[Pair]) -> dict[tuple[str, str], str]:
    """(side's name, prompt) -> what that side says alone. Two processes, a model in each."""
    wanted: dict[str, tuple[Side, list[str]]] = {}
    for pair in asked:
        for side in pair.sides:
            wanted.setdefault(side.name, (side, []))[1].append(pair.text)
    begun, found = time.perf_counter(), {}
    with ProcessPoolExecutor(2, mp_context=get_context("spawn")) as pool:
        tasks = [
            (name, texts[at : at + CHUNK], side)
            for name, (side, texts) in wanted.items()
            for at in range(0, len(texts), CHUNK)
        ]
        answers = [
            pool.submit(answer_all, str(servers.STARTER), side.adapter and str(side.adapter), texts, TOKENS)
            for _, texts, side in tasks
        ]
        for (name, texts, _), chunk in zip(tasks, answers, strict=True):
            found.update({(name, text): said for text, said in zip(texts, chunk.result(), strict=True)})
    print(f"{len(found)} references in {time.perf_counter() - begun:.0f} s", flush=True)
    return found


def _warm_up(server: servers.Served, asked: Sequence[Pair]) -> None:
    """Have every side loaded."""
    with server.client() as client:
        for side in {side.name: side for pair in asked for side in pair.sides}.values():
            list(servers.ask(client, [side.spec], "Hello.", max_tokens=1))


async def _all_compare(server: servers.Served, asked: Sequence[Pair]) -> None:
    limits = httpx.Limits(max_connections=None)
    client = httpx.AsyncClient(
        base_url=server.address, headers=server.headers, timeout=300, limits=limits, trust_env=False
    )
    async with client:
        people = {pair.person for pair in asked}
        await asyncio.gather(*(_one_compares(client, asked, person) for person in people))


async def _one_compares(client: httpx.AsyncClient, asked: Sequence[Pair], person: int) -> None:
    for pair in asked:
        if pair.person == person:
            try:
                await _compare(client, pair)
            except httpx.HTTPError as error:
                pair.error = f"{type(error).__name__}: {error}"
            if not pair.error and pair.ended < 2:
                pair.error = "the stream ended before its answers"


async def _compare(client: httpx.AsyncClient, pair: Pair) -> None:
    body = servers.body([side.spec for side in pair.sides], pair.text, TOKENS)
    pair.sent = time.perf_counter()
    async with client.stream("POST", "/v1/compare", json=body) as answer:
        if answer.status_code != httpx.codes.OK:
            pair.error = (await answer.aread()).decode()
            return
        async for line in answer.aiter_lines():
            if line:
                _take(pair, servers.read_event(line), time.perf_counter())


def _take(pair: Pair, event: dict, now: float) -> None:
    match event["type"]:
        case "start":
            pair.queued = now
        case "error":
            pair.error = event["message"]
        case "delta" | "done":
            at = event["position"]
            pair.begun[at] = pair.begun[at] or now
            pair.answers[at] += event.get("text", "")
            pair.ended += event["type"] == "done"


if __name__ == "__main__":
    main(sys.argv[1:])
