"""Which pairs of answers a blind round can be made of, and how they are drawn: by slice, by a seed.

A pair is the answers of two sides to one prompt. Later turns of a conversation are left out (each side has
answered from its own earlier words, which a rater would have to read too), and so are pairs in which nobody
can prefer anything: one answer is empty, or both are the same.
"""

import json
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import asdict, dataclass
from random import Random

from sqlalchemy import select
from sqlalchemy.orm import Session, joinedload, selectinload

from db import sides
from db.compare_spec import SideSpec
from db.tables import Comparison

RECENT = 500  # comparisons of the playground that are looked through, the newest first
WORDS_A_MINUTE = 220  # silent reading of English text: 238 (Brysbaert 2019), a little slower with doses in it
DECIDING_SECONDS = 45  # of a pair, for the vote and a rubric of a few items


@dataclass(frozen=True)
class Pair:
    """Two answers to one prompt that raters could be asked about."""

    comparison_id: int
    one_id: int
    other_id: int
    slice: str  # of the batch, or the prompt's specialty; "" for none
    words: int  # to read: the prompt, its passage and both answers


@dataclass(frozen=True)
class Candidates:
    """The pairs there are between two sides, and those that were left out: {why: how many}."""

    pairs: tuple[Pair, ...]
    left_out: Mapping[str, int]

    @property
    def slices(self) -> dict[str, int]:
        """How many pairs each slice holds, by name."""
        return dict(sorted(Counter(pair.slice for pair in self.pairs).items()))


def key_of(side: SideSpec) -> str:
    """A side as a form carries it; `side_of` reads it back."""
    return json.dumps({name: value for name, value in asdict(side).items() if value not in (None, "")})


def side_of(key: str | None) -> SideSpec:
    """Raises ValueError for what names no side."""
    try:
        return SideSpec(**json.loads(key or ""))
    except (TypeError, ValueError) as error:
        raise ValueError("side: choose one of those that answered.") from error


def list_comparisons(session: Session, project_id: int, *, job_id: int | None = None) -> list[Comparison]:
    """Those with answers, oldest first: of one batch, or the playground's recent ones."""
    query = (
        select(Comparison)
        .where(
            Comparison.project_id == project_id,
            Comparison.emptied_at.is_(None),
            Comparison.answers.any(),
        )
        .options(selectinload(Comparison.answers), joinedload(Comparison.prompt_version))
        .order_by(Comparison.id.desc())
    )
    if job_id is None:
        query = query.where(Comparison.job_id.is_(None)).limit(RECENT)
    else:
        query = query.where(Comparison.job_id == job_id)
    return list(session.scalars(query))[::-1]


def list_sides(comparisons: Iterable[Comparison]) -> list[SideSpec]:
    """Every side that answered in them, the most frequent first."""
    found = Counter(sides.of_answer(answer) for comparison in comparisons for answer in comparison.answers)
    return [side for side, _ in found.most_common()]


def candidates(comparisons: Iterable[Comparison], one: SideSpec, other: SideSpec) -> Candidates:
    """The pairs of these two sides. Raises ValueError where they are the same."""
    if one == other:
        raise ValueError("second side: it is the first one; choose another.")
    pairs, left_out = [], Counter()
    for comparison in comparisons:
        by_side = {sides.of_answer(answer): answer for answer in comparison.answers}
        if one not in by_side or other not in by_side:
            continue
        texts = [by_side[side].text.strip() for side in (one, other)]
        if comparison.follows_id is not None:
            left_out["it is a later turn of a conversation"] += 1
        elif not all(texts):
            left_out["an answer is empty"] += 1
        elif texts[0] == texts[1]:
            left_out["both answers are the same"] += 1
        else:
            lower, higher = sorted((by_side[one], by_side[other]), key=lambda answer: answer.position)
            words = sum(len(text.split()) for text in (comparison.instruction, comparison.input, *texts))
            pairs.append(Pair(comparison.id, lower.id, higher.id, _slice(comparison), words))
    return Candidates(tuple(pairs), left_out)


def draw(
    pairs: Sequence[Pair], *, slices: Sequence[str] = (), per_slice: int = 0, seed: int = 0
) -> list[Pair]:
    """Of each slice as many as `per_slice` says (0: all) by that seed, in their old order.

    `slices` names those that count; none named: all. A slice draws its own lots, so that leaving one out
    changes nothing in the others. Raises ValueError for a number that cannot be.
    """
    if per_slice < 0:
        raise ValueError("pairs a slice: give a whole number, 0 for all of them.")
    if not 0 <= seed < 2**31:
        raise ValueError(f"seed: {seed} cannot be; give a whole number from 0 to 2,147,483,647.")
    drawn: set[Pair] = set()
    for name in sorted({pair.slice for pair in pairs}):
        of_slice = [pair for pair in pairs if pair.slice == name]
        if slices and name not in slices:
            continue
        count = min(per_slice, len(of_slice)) if per_slice else len(of_slice)
        drawn.update(Random(f"{seed}:{name}").sample(of_slice, count))
    return [pair for pair in pairs if pair in drawn]


def seconds_of(words: int) -> float:
    """How long a rater takes for a pair of so many words, at a guess; their own pace is known later."""
    return DECIDING_SECONDS + words / WORDS_A_MINUTE * 60


def _slice(comparison: Comparison) -> str:
    if comparison.job_id is not None or comparison.prompt_version is None:
        return comparison.slice
    return comparison.prompt_version.specialty
