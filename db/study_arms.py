"""The arms of a study: which adapters it takes to answer its question, and which train rows each is tuned on.

Every arm is drawn at the same budget. A part's rows are put into one order by the seed, and each arm takes
them from the front, so arms that share a part share rows, and a smaller arm's rows are among a larger one's.
Numbers and names in, numbers and names out: no session, no rows.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import asdict, dataclass, field, replace
from itertools import combinations
from random import Random
from typing import Any

from db.enums import StudyKind
from db.study_spec import StudySpec

BASE, TUNE, MERGE = "base", "tune", "merge"
MOST_ARMS = 64
UNTUNED = "none (untuned)"
ALL = ""  # the one part of a study that divides nothing


@dataclass(frozen=True)
class ArmPlan:
    """One row of the figure: the base as it is, an adapter to tune, or experts to merge."""

    label: str
    kind: str = TUNE
    draw: dict[str, int] = field(default_factory=dict)  # part -> train rows
    training: dict[str, Any] = field(default_factory=dict)  # settings that this arm alone has
    merges: tuple[int, ...] = ()  # positions of the arms whose adapters are merged
    x: float | None = None  # where the arm stands on the axis of a curve: rows, or rank

    @property
    def rows(self) -> int:
        return sum(self.draw.values())

    def to_json(self) -> dict[str, Any]:
        return {**asdict(self), "merges": list(self.merges)}

    @classmethod
    def from_json(cls, stored: Mapping[str, Any], label: str) -> "ArmPlan":
        return cls(**{**stored, "merges": tuple(stored["merges"]), "label": label})


def plan(spec: StudySpec, have: Mapping[str, int]) -> list[ArmPlan]:
    """The arms, the untuned base first. `have` is the train rows of each part (see `spec.divided_by`).

    Raises ValueError naming the field where the data has too few parts or rows for the study.
    """
    parts = _parts(spec, have)
    arms = [ArmPlan(UNTUNED, BASE), *_PLANNERS[StudyKind(spec.kind)](spec, parts)]
    if len(arms) > MOST_ARMS:
        raise ValueError(
            f"parts: they make {len(arms)} arms, and {MOST_ARMS} are the most; name fewer that take part."
        )
    return arms


def order(positions: Sequence[int], seed: int, part: str) -> list[int]:
    """The rows of a part in the one order that every arm takes them in."""
    shuffled = list(positions)
    Random(f"{seed}:{part}").shuffle(shuffled)
    return shuffled


def apportion(rows: int, weights: Mapping[str, float]) -> dict[str, int]:
    """`rows` divided by weight, whole numbers that add up to it (largest remainders)."""
    total = sum(weights.values())
    exact = {part: rows * weight / total for part, weight in weights.items()}
    found = {part: int(value) for part, value in exact.items()}
    by_rest = sorted(exact, key=lambda part: found[part] - exact[part])
    for part in by_rest[: rows - sum(found.values())]:
        found[part] += 1
    return found


def words(part: str) -> str:
    """A part's name as people read it."""
    return part.replace("_", " ") or "not named"


# One function a kind of study: (spec, parts with their rows) -> the arms behind the base -----------------


def _category_transfer(spec: StudySpec, have: Mapping[str, int]) -> list[ArmPlan]:
    """Each part alone, each pair, all: what tuning on one does to the others."""
    return _at_equal_budget(spec, have, _alone_together(list(have)))


def _composition(spec: StudySpec, have: Mapping[str, int]) -> list[ArmPlan]:
    parts = list(have)
    if spec.varies == "provenance":
        return _at_equal_budget(spec, have, _alone_together(parts))
    if spec.varies == "one only":
        groups = {**{f"{words(part)} only": [part] for part in parts}, "all": parts}
    else:
        groups = {
            "all": parts,
            **{f"without {words(gone)}": [p for p in parts if p != gone] for gone in parts},
        }
    return _at_equal_budget(spec, have, groups)


def _data_scale(spec: StudySpec, have: Mapping[str, int]) -> list[ArmPlan]:
    """The same rows, fewer and fewer of them: a smaller share is a part of a larger one."""
    budget = _budget(spec, have[ALL])
    counts = {share: round(budget * share) for share in sorted(spec.shares)}
    for share, count in counts.items():
        if not count:
            raise ValueError(f"shares: {share:g} of {budget:,} rows is none; give a larger share.")
    return [
        ArmPlan(f"{100 * share:g} % ({count:,} rows)", draw={ALL: count}, x=float(count))
        for share, count in counts.items()
    ]


def _rank(spec: StudySpec, have: Mapping[str, int]) -> list[ArmPlan]:
    """The same rows at each rank; alpha follows, so that the update is scaled alike."""
    draw = {ALL: _budget(spec, have[ALL])}
    scale = spec.training.get("alpha", 16) / spec.training.get("rank", 8)
    return [
        ArmPlan(
            f"rank {rank}",
            draw=draw,
            training={"rank": rank, "alpha": max(1, round(rank * scale))},
            x=float(rank),
        )
        for rank in sorted(spec.ranks)
    ]


def _experts(spec: StudySpec, have: Mapping[str, int]) -> list[ArmPlan]:
    """An adapter a part; one for all, on the very rows that the experts saw together; the experts merged."""
    experts = _at_equal_budget(spec, have, {f"expert in {words(part)}": [part] for part in have})
    together = ArmPlan("one for all", draw={part: n for expert in experts for part, n in expert.draw.items()})
    if steps := spec.training.get("max_steps", 0):  # as often over its rows as an expert over its own
        together = replace(together, training={"max_steps": steps * len(experts)})
    merged = ArmPlan("experts merged", MERGE, merges=tuple(range(1, len(experts) + 1)))
    return [*experts, together, merged]


_PLANNERS: dict[StudyKind, Callable[[StudySpec, Mapping[str, int]], list[ArmPlan]]] = {
    StudyKind.CATEGORY_TRANSFER: _category_transfer,
    StudyKind.COMPOSITION: _composition,
    StudyKind.DATA_SCALE: _data_scale,
    StudyKind.RANK: _rank,
    StudyKind.EXPERTS: _experts,
}


def _parts(spec: StudySpec, have: Mapping[str, int]) -> dict[str, int]:
    """The parts that take part, in the order they were named; else the largest first."""
    if not spec.divided_by:
        return {ALL: sum(have.values())}
    for part in spec.wanted:
        if not have.get(part):
            known = ", ".join(words(part) for part in sorted(have)) or "nothing"
            raise ValueError(
                f"dataset: its train rows have no {spec.divided_by} {words(part)}; they have {known}."
            )
    parts = spec.wanted or tuple(sorted(have, key=lambda part: (-have[part], part)))
    if len(parts) < 2:
        raise ValueError(
            f"dataset: its train rows are all of one {spec.divided_by}; this study wants two at least."
        )
    return {part: have[part] for part in parts}


def _alone_together(parts: Sequence[str]) -> dict[str, list[str]]:
    """Label -> parts: each alone, each pair, and all."""
    groups = {words(part): [part] for part in parts}
    groups |= {" + ".join(map(words, pair)): list(pair) for pair in combinations(parts, 2)}
    return groups if len(parts) == 2 else {**groups, "all": list(parts)}


def _at_equal_budget(
    spec: StudySpec, have: Mapping[str, int], groups: Mapping[str, Sequence[str]]
) -> list[ArmPlan]:
    """An arm a group, all with the same number of rows. Raises ValueError where one cannot have so many."""
    weights = {label: _weights(spec, have, parts) for label, parts in groups.items()}
    most = {label: _capacity(have, weights[label]) for label in groups}
    short = min(most, key=lambda label: most[label])
    budget = spec.rows or most[short]
    if budget > most[short]:
        raise ValueError(
            f"rows: {budget:,} cannot be, for the arm {short!r} finds {most[short]:,} at its mixture; "
            f"give {most[short]:,} at most, or 0."
        )
    return [ArmPlan(label, draw=apportion(budget, weights[label])) for label in groups]


def _weights(spec: StudySpec, have: Mapping[str, int], parts: Sequence[str]) -> dict[str, float]:
    if spec.weights:
        missing = [part for part in parts if part not in spec.weights]
        if missing:
            raise ValueError(f"weights: there is none for {words(missing[0])}; give one for each part.")
        return {part: float(spec.weights[part]) for part in parts}
    return {part: float(have[part]) if spec.mixture == "natural" else 1.0 for part in parts}


def _capacity(have: Mapping[str, int], weights: Mapping[str, float]) -> int:
    """The most rows an arm of these weights can have."""
    rows = int(min(have[part] * sum(weights.values()) / weight for part, weight in weights.items()) + 1e-9)
    while rows and any(count > have[part] for part, count in apportion(rows, weights).items()):
        rows -= 1  # rounding gave a part one too many
    return rows


def _budget(spec: StudySpec, have: int) -> int:
    if spec.rows > have:
        raise ValueError(f"rows: {spec.rows:,} cannot be; the version has {have:,} train rows.")
    return spec.rows or have
