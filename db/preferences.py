"""Votes as preference pairs in TRL's conversational format, for its DPOTrainer and RewardTrainer.

A line holds `prompt` (messages up to the question), `chosen` and `rejected` (one message of the assistant
each), and beside them the numbers of what it came from, which TRL passes over. See "Dataset formats and
types" in TRL's documentation.
"""

import json
from collections import Counter
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from sqlalchemy.orm import Session

from db import audit, comparisons, votes
from db.enums import Choice
from db.policy import Actor, Right, require
from db.projects import get_project
from db.tables import Answer, Comparison, Vote

TIE = "tie"
BOTH_BAD = "both bad"
CONTESTED = "raters disagree, and nobody settled it"
EMPTIED = "texts no longer kept"
CUT_SHORT = "an answer is empty"
SAME = "both answers are the same"
TALKS_DIFFER = "the sides' conversations differ"


@dataclass(frozen=True)
class Preferences:
    """The rows, and by reason how many pairs there were in which neither answer is the chosen one."""

    rows: tuple[dict[str, Any], ...]
    left_out: Mapping[str, int]

    @property
    def sentence(self) -> str:
        """How many rows there are, and what was left out."""
        rows = f"{len(self.rows):,} preference pair{'' if len(self.rows) == 1 else 's'}"
        if not self.left_out:
            return f"{rows}; no pair was left out."
        return f"{rows}; left out: {', '.join(f'{n:,} ({why})' for why, n in self.left_out.items())}."


def rows(
    session: Session,
    project_id: int,
    *,
    round_id: int | None = None,
    blind_only: bool = False,
) -> Preferences:
    """One row a pair of answers, by the majority of its votes or by the vote that settled it.

    A corrected answer is preferred to both answers, whatever the vote: it adds a row for each. Ties, pairs
    both of whose answers are bad, pairs on which raters are split, and those without a common prompt are left
    out and counted. Raises LookupError.
    """
    get_project(session, project_id)
    given = votes.list_votes(session, project_id, round_id=round_id, blind_only=blind_only)
    settling = votes.list_votes(session, project_id, round_id=round_id, settling=True)
    settled = {(vote.one_id, vote.other_id): vote for vote in settling}
    pairs: dict[tuple[int, int], list[Vote]] = {}
    for vote in given:
        pairs.setdefault((vote.one_id, vote.other_id), []).append(vote)
    made: list[dict[str, Any]] = []
    left_out: Counter[str] = Counter()
    for pair, of_pair in pairs.items():
        found = list(_of_pair(session, of_pair, settled.get(pair)))
        made += [row for row in found if isinstance(row, dict)]
        left_out.update(why for why in found if isinstance(why, str))
    return Preferences(tuple(made), dict(sorted(left_out.items())))


def lines(preferences: Preferences) -> bytes:
    """The rows as a JSONL file."""
    text = "".join(f"{json.dumps(row, ensure_ascii=False)}\n" for row in preferences.rows)
    return text.encode()


def record_export(
    session: Session,
    actor: Actor,
    project_id: int,
    preferences: Preferences,
    *,
    round_id: int | None = None,
) -> None:
    """Note that the rows left the studio, and how many. Call it where they are handed out."""
    require(actor, Right.COMPARE)
    project = get_project(session, project_id)
    of_round = {} if round_id is None else {"round": round_id}
    audit.record(session, actor, "exported_preferences", project, rows=len(preferences.rows), **of_round)


def _of_pair(session: Session, given: list[Vote], settled: Vote | None) -> Iterator[dict[str, Any] | str]:
    """The rows of one pair of answers, or the reason why it gives none."""
    one, other, comparison = given[0].one, given[0].other, given[0].comparison
    if comparison.emptied_at is not None:
        yield EMPTIED
        return
    talk = _talk(session, comparison, one, other)
    if isinstance(talk, str):
        yield talk
        return
    deciding = [settled] if settled else given
    choice = _majority(deciding)
    ids = {"comparison_id": comparison.id, "votes": [vote.id for vote in deciding]}
    if choice in (Choice.ONE, Choice.OTHER):
        chosen, rejected = (one, other) if choice is Choice.ONE else (other, one)
        if not one.text.strip() or not other.text.strip():
            yield CUT_SHORT
        elif one.text.strip() == other.text.strip():
            yield SAME
        else:
            yield _row(talk, chosen.text, rejected.text, "vote", ids, chosen.id, rejected.id)
    else:
        yield {Choice.TIE: TIE, Choice.BOTH_BAD: BOTH_BAD, None: CONTESTED}[choice]
    for vote in [*given, *([settled] if settled else [])]:
        yield from _corrections(talk, vote, one, other)


def _majority(given: list[Vote]) -> Choice | None:
    """What more people said than anything else; None where no choice leads."""
    (leading, most), *others = Counter(vote.choice for vote in given).most_common()
    return None if others and others[0][1] == most else leading


def _talk(session: Session, comparison: Comparison, one: Answer, other: Answer) -> list[dict[str, str]] | str:
    """What both answers answer; the reason where there is no such thing."""
    try:
        talks = [comparisons.messages_of(session, comparison, answer.position) for answer in (one, other)]
    except ValueError:  # an earlier turn is empty or emptied
        return EMPTIED
    return talks[0] if talks[0] == talks[1] else TALKS_DIFFER


def _corrections(
    talk: list[dict[str, str]], vote: Vote, one: Answer, other: Answer
) -> Iterator[dict[str, Any]]:
    correction = vote.corrected_answer.strip()
    worse = {answer.text.strip(): answer for answer in (one, other)}
    if not correction:
        return
    ids = {"comparison_id": vote.comparison_id, "votes": [vote.id]}
    for text, answer in worse.items():
        if text and text != correction:
            yield _row(talk, correction, text, "correction", ids, None, answer.id)


def _row(
    talk: list[dict[str, str]],
    chosen: str,
    rejected: str,
    by: str,
    ids: dict[str, Any],
    chosen_id: int | None,
    rejected_id: int,
) -> dict[str, Any]:
    return {
        "prompt": talk,
        "chosen": [{"role": "assistant", "content": chosen}],
        "rejected": [{"role": "assistant", "content": rejected}],
        "by": by,
        **ids,
        "chosen_answer_id": chosen_id,
        "rejected_answer_id": rejected_id,
    }
