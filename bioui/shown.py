"""Which comparison is on the page and how: open, or blind with the sides in an order that only we know."""

import random
import threading
import time
from collections import OrderedDict
from dataclasses import dataclass, field, replace

from bioui.comparing import Asked, measured_of
from bioui.components.answers import AnswersState, ColumnState, answers_value
from bioui.present import ago, shortened
from db import assignments, comparisons, sides
from db.policy import Actor, PolicyError
from db.session import Session
from db.tables import Answer, Comparison

_DICE = random.SystemRandom()  # no seed that anybody could guess the order from
_MOST_BLINDS = 10_000


@dataclass(frozen=True)
class Shown:
    """Kept by the server, never sent. `order` are the answers' positions from left to right."""

    comparison_id: int = 0
    order: tuple[int, ...] = ()
    is_blind: bool = False
    pair: tuple[int, int] = (0, 1)  # the columns that are voted on, from the left
    since: float = field(default_factory=time.time)

    @property
    def seconds(self) -> float:
        """How long it has been on the page."""
        return time.time() - self.since

    def answers(self, comparison: Comparison) -> list[Answer]:
        """Its answers as they stand on the page."""
        return [comparison.answers[position] for position in self.order]

    def voted_on(self, comparison: Comparison) -> tuple[Answer, Answer] | None:
        """The answers left and right of the vote; None where there are no two."""
        shown = self.answers(comparison)
        return None if len(shown) < 2 else (shown[self.pair[0]], shown[self.pair[1]])

    def with_pair(self, left: int, right: int) -> "Shown":
        """Vote on these columns instead. Raises ValueError for columns that are not there."""
        columns = range(len(self.order))
        if left not in columns or right not in columns or left == right:
            raise ValueError("vote: choose two different answers.")
        return replace(self, pair=(left, right))


class Blinds:
    """Comparisons that somebody has not voted on yet and asked for blind: however they are opened again,
    that person sees them blind, in the same order. Forgotten with the process."""

    def __init__(self) -> None:
        self._orders: OrderedDict[tuple[int, int], tuple[int, ...]] = OrderedDict()
        self._lock = threading.Lock()

    def begin(self, actor: Actor, comparison_id: int, order: tuple[int, ...]) -> None:
        with self._lock:
            self._orders[actor.id, comparison_id] = order
            while len(self._orders) > _MOST_BLINDS:
                self._orders.popitem(last=False)

    def order_of(self, actor: Actor, comparison_id: int) -> tuple[int, ...] | None:
        return self._orders.get((actor.id, comparison_id))

    def end(self, actor: Actor, comparison_id: int) -> None:
        with self._lock:
            self._orders.pop((actor.id, comparison_id), None)


blinds = Blinds()


def shuffled(count: int) -> tuple[int, ...]:
    return tuple(_DICE.sample(range(count), count))


def show(session: Session, actor: Actor, comparison: Comparison) -> Shown:
    """A stored comparison as this person may see it.

    Raises PolicyError where they are still to judge it, or a turn before it, blind in a round.
    """
    awaited = assignments.still_blind(session, actor, comparison.project_id)
    for turn in comparisons.turns_of(session, comparison) if awaited else ():
        if turn.id in awaited:
            raise PolicyError(
                f"You may not open these answers yet: the round {awaited[turn.id]} asks you to judge them "
                "blind. Vote there first; then they open here."
            )
    order = blinds.order_of(actor, comparison.id)
    return Shown(comparison.id, order or tuple(range(len(comparison.answers))), is_blind=order is not None)


def reveal(session: Session, actor: Actor, comparison: Comparison, shown: Shown) -> Shown:
    """The same columns in the same order, with their names; the turns before are open from now on, too."""
    for turn in comparisons.turns_of(session, comparison):
        blinds.end(actor, turn.id)
    return replace(shown, is_blind=False)


def running_value(
    asked: Asked, state: AnswersState, order: tuple[int, ...], *, running: bool, blind: bool
) -> dict:
    """What the columns show of answers on their way.

    Under a blind nothing is shown before all are whole: who is first, fast or short would tell the sides.
    """
    columns = [state.columns[position] for position in order]
    if blind:
        columns = [ColumnState("", column.colour) for column in columns]
    seen = AnswersState(columns, phase=state.phase, waited=state.waited, failed=state.failed)
    return answers_value(
        seen, title=asked.title, prompt=asked.instruction, passage=asked.input, running=running, blind=blind
    )


def stored_value(
    session: Session, comparison: Comparison, shown: Shown, notes: dict[int, str] | None = None
) -> dict:
    """What the columns show of a stored comparison; `notes` are sentences by the answers' positions."""
    own = shown.answers(comparison)
    chosen = [sides.of_answer(answer) for answer in own]
    measured = measured_of(session, comparison.project_id, chosen, comparison.prompt_version)
    columns = [
        replace(_column(session, answer), note=(notes or {}).get(answer.position, ""), measured=lines)
        for answer, lines in zip(own, measured, strict=True)
    ]
    return answers_value(
        AnswersState(columns),
        title=title_of(comparison),
        prompt=comparison.instruction,
        passage=comparison.input,
        comparison_id=comparison.id,
        caption=f"{comparison.created_by.full_name}, {ago(comparison.created_at)} · number {comparison.id}",
        link=link_to(comparison),
        blind=shown.is_blind,
    )


def _column(session: Session, answer: Answer) -> ColumnState:
    side = sides.of_answer(answer)
    return ColumnState(
        sides.label_of(session, side),
        side.colour,
        text=answer.text,
        finish_reason=answer.finish_reason,
        tokens=answer.tokens,
        tokens_per_second=answer.tokens_per_second,
        first_token_seconds=answer.first_token_seconds,
        provenance=answer.provenance,
    )


def title_of(comparison: Comparison) -> str:
    """The shelf's title of its prompt, or how the prompt begins."""
    if comparison.prompt_version is not None:
        return comparison.prompt_version.prompt.title
    if comparison.emptied_at is not None:
        return "Its texts are no longer kept"
    return shortened(comparison.instruction, 90)


def link_to(comparison: Comparison) -> str:
    return f"/playground?project={comparison.project_id}&comparison={comparison.id}"
