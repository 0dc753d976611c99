"""A rater at the blind page, as a client that keeps all it is sent; rounds whose texts tell nothing."""

import random
from collections.abc import Iterator
from dataclasses import dataclass

import gradio as gr
from sqlalchemy import select

from bioui import gate
from bioui.handling import Problem
from bioui.pages import blind
from db import comparisons, rounds, rubric
from db.compare_spec import Sampling
from db.comparisons import AnswerText
from db.policy import Actor, PolicyError
from db.session import read, write
from db.tables import Answer, Assignment, RoundPair
from tests.db.compared import Sides

WORDS = "aspirin heparin warfarin insulin fever cough anaemia sepsis troponin oedema".split()  # noqa: SIM905
ORDER = ("head", "last", "prompt", "answers", "bar", "ballot", "end")
CHOICES = ("left", "right", "tie", "both_bad")


# a round whose texts tell nothing ------------------------------------------------------------------------


def drawn_text(draw: random.Random) -> str:
    """From one and the same distribution whichever side says it: plain, with doses, with Markdown."""
    words = draw.choices(WORDS, k=draw.randint(4, 24))
    lines = [" ".join(words), f"Give {draw.choice(WORDS)} {draw.randint(1, 9) * 50} mg.", ""]
    if draw.random() < 0.3:
        lines += [f"- {word}" for word in words[:3]]
    return "\n".join(lines).strip()


def answer(side, text: str, *, is_base: bool) -> AnswerText:
    """All but the text tells the side at once."""
    name = "base" if is_base else "tuned"
    return AnswerText(
        side, text, "length" if is_base else "stop", tokens=200 if is_base else 31,
        tokens_per_second=12.5 if is_base else 88.0, first_token_seconds=0.9 if is_base else 0.1,
        provenance={"adapter": None if is_base else {"name": name}, "dtype": name},
    )  # fmt: skip


def make_round(actor: Actor, project_id: int, sides: Sides, raters: list[int], count: int) -> int:
    """A round of so many pairs, each seen by one of the raters; in half of them the base answered first."""
    draw, pairs = random.Random(3), []
    with write() as session:
        for number in range(count):
            both = [answer(sides.base, drawn_text(draw), is_base=True)]
            both.insert(number % 2, answer(sides.tuned, drawn_text(draw), is_base=False))
            made = comparisons.record(
                session, actor, project_id, instruction=f"Case {number}: what next?",
                input="Fever for 3 days." if number % 3 else "", system="" if number % 5 else "Be brief.",
                sampling=Sampling(), answers=both,
            )  # fmt: skip
            session.flush()
            pairs.append((made.answers[0].id, made.answers[1].id))
        made = rounds.create(
            session, actor, project_id, title="First look", note="Read both.", overlap=1, seed=11,
            rubric=rubric.DEFAULT, pairs=pairs, rater_ids=raters,
        )  # fmt: skip
        session.flush()
        return made.id


def mirror() -> None:
    """Exchange the texts of each pair and turn it round, in the database that is connected."""
    with write() as session:
        for pair in session.scalars(select(RoundPair)):
            one, other = session.get_one(Answer, pair.one_id), session.get_one(Answer, pair.other_id)
            one.text, other.text = other.text, one.text
        for assignment in session.scalars(select(Assignment)):
            assignment.is_flipped = not assignment.is_flipped


def is_base_left(session, assignment: Assignment) -> bool:
    """The truth that nobody is to know."""
    pair = assignment.pair
    return (pair.other if assignment.is_flipped else pair.one).base_model_id is not None


# a rater's way through it, with all that is sent ---------------------------------------------------------


@dataclass
class Seen:
    """One assignment, and what was pressed -> what was sent, from its being shown to the vote on it."""

    id: int
    base_left: bool
    sent: dict[str, object]


@dataclass
class Rater:
    """A client of the blind page's handlers, which keeps what each of them answers."""

    actor: Actor
    token: str
    round_id: int

    @property
    def request(self) -> gr.Request:
        query = {"project": "1", "round": str(self.round_id)}
        return gr.Request(username=self.actor.username, cookies={gate.COOKIE: self.token}, query_params=query)

    def load(self):
        return self._told(blind.show_page, 1)

    def begin(self):
        return self._told(blind.begin)

    def press(self, handler, **data):
        return self._told(handler, gr.EventData(None, data))

    def _told(self, handler, *given):
        """What the browser gets: the values in order, or the one sentence."""
        try:
            return handler(*given, request=self.request)
        except (PolicyError, LookupError, ValueError) as error:
            return Problem.of(error).value()


def shown(response) -> dict:
    """A screen's values by name."""
    return dict(zip(ORDER, response, strict=True))


REFUSED = (  # before the vote: what is pressed of the pair in view, one of these at each
    (blind.reveal, {}),
    (blind.vote, {"choice": "base"}),
    (blind.vote, {"choice": "tie", "rubric": {"A": {"correct": "perhaps"}}}),
    (blind.undo, {}),
    (blind.skip, {"reason": "because"}),
)


def walk(rater: Rater, draw: random.Random, *, reveals: bool, most: int) -> Iterator[Seen]:
    """Load each pair, press something that is refused, then vote, or skip, or undo and vote again."""
    response = rater.begin()
    for turn in range(most):
        number = shown(response)["ballot"]["id"]
        if not number:
            return
        refused, data = REFUSED[turn % len(REFUSED)]
        seen = Seen(number, _truth(number), {"shown": response, "load": rater.load()})
        seen.sent[f"{refused.__name__} {data}"] = refusal = rater.press(refused, assignment=number, **data)
        assert set(refusal) == {"text", "field", "slug"}, refusal
        way = draw.random()
        if way < 0.15:
            response = rater.press(blind.skip, assignment=number, reason="cannot_tell")
        else:
            response = rater.press(blind.vote, assignment=number, choice=draw.choice(CHOICES), rubric={})
            if way < 0.3:
                seen.sent["undone"] = rater.press(blind.undo, assignment=number)  # the pair again, unvoted
                response = rater.press(blind.vote, assignment=number, choice=draw.choice(CHOICES))
            elif reveals and way < 0.6:
                assert {"Base", "Tuned"} <= set(rater.press(blind.reveal, assignment=number).values())
                response = rater.load()
        assert len(response) == len(ORDER), response
        yield seen


def _truth(number: int) -> bool:
    with read() as session:
        return is_base_left(session, session.get_one(Assignment, number))
