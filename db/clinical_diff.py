"""What several answers to one prompt say differently where it matters: drugs, doses, numbers, what is denied.

`differences` sets the statements of all answers beside each other. Two answers *differ* where both speak of
the same thing and cannot both be right: another dose of a drug, another value of a test, a finding affirmed
here and denied there. What only some of them say stands apart, it is no contradiction.

Rules, not understanding. They know the studio's lists (`db.clinical.terms`) and plain English sentences; a
drug that is only paraphrased, a dose in a table's other column or a denial over two sentences is not seen,
and a titration reads as several doses. So no difference found is no proof of agreement, and agreement is no
proof of being right.
"""

from collections.abc import Callable, Hashable, Iterator, Sequence
from dataclasses import dataclass
from enum import StrEnum
from itertools import combinations
from typing import Any

from db.clinical import doses, statements
from db.clinical.denials import Status
from db.clinical.doses import Same
from db.clinical.quantities import Quantity
from db.clinical.statements import DoseSaid, DrugSaid, FindingSaid, NumberSaid, Statements

Said = DrugSaid | DoseSaid | NumberSaid | FindingSaid


class Kind(StrEnum):
    """What a difference is about."""

    DOSE = "dose"
    DENIAL = "denial"
    NUMBER = "number"
    DRUG = "drug"


@dataclass(frozen=True)
class Part:
    """What one answer says about it: its own words, "" where it says nothing, and where they stand."""

    words: str
    spans: tuple[tuple[int, int], ...] = ()


@dataclass(frozen=True)
class Difference:
    """One thing that the answers do not say alike. `parts` has one part an answer.

    `differs`: at least two answers contradict each other; else some of them are only silent.
    """

    kind: Kind
    about: str
    differs: bool
    note: str
    parts: tuple[Part, ...]


@dataclass(frozen=True)
class Stray:
    """Characters `start` to `end` (exclusive) of an answer: a drug or a number that the passage lacks."""

    kind: Kind
    start: int
    end: int


def differences(texts: Sequence[str]) -> list[Difference]:
    """What at least one of two or more answers says differently: contradictions first, then silences."""
    read = [statements.read(text) for text in texts]
    found = [
        *_verdicts(read),
        *_doses(read),
        *_avoided(read),
        *_denials(read),
        *_numbers(read),
        *_drugs(read),
    ]
    return sorted(found, key=lambda one: not one.differs)


def strays(text: str, passage: str) -> list[Stray]:
    """The drugs and numbers of an answer that the passage it should rest on does not hold, in order."""
    ours, theirs = statements.read(text), statements.read(passage)
    named = {one.name for one in theirs.drugs}
    held = [one.dose.quantity for one in theirs.doses] + [one.quantity for one in theirs.numbers]
    found = [Stray(Kind.DRUG, one.start, one.end) for one in ours.drugs if one.name not in named]
    found += [
        Stray(Kind.DOSE, one.start, one.end) for one in ours.doses if not _holds(held, one.dose.quantity)
    ]
    found += [
        Stray(Kind.NUMBER, one.start, one.end) for one in ours.numbers if not _holds(held, one.quantity)
    ]
    return sorted(found, key=lambda one: one.start)


def cue(found: Sequence[Difference], texts: Sequence[str], *, has_passage: bool) -> str:
    """What a reader should know before reading: how many contradictions, or that agreement proves nothing."""
    source = "the source" if has_passage else "a source you trust"
    each = "both" if len(texts) == 2 else "each"
    if any(one.differs for one in found):
        return f"The answers disagree on {_counts(found)}. Check {each} against {source}."
    if all(statements.read(text).is_empty for text in texts):
        return (
            "No drug, dose, number or denied finding that this check knows stands in these answers, so it "
            f"cannot tell whether they agree. Check {each} against {source}."
        )
    silent = f" {_one_sided(len(found))}" if found else ""
    return (
        f"No contradiction was found in drugs, doses, numbers or denied findings.{silent} That is no proof: "
        f"models that share a base make the same mistakes, and this check reads words only. Check {each} "
        f"against {source}."
    )


def _one_sided(count: int) -> str:
    return (
        "1 statement stands in some answers only."
        if count == 1
        else f"{count} statements stand in some answers only."
    )


def _counts(found: Sequence[Difference]) -> str:
    """`2 doses and 1 negation`."""
    names = {Kind.DOSE: "dose", Kind.DENIAL: "negation", Kind.NUMBER: "number", Kind.DRUG: "drug"}
    counts = {kind: sum(one.differs and one.kind is kind for one in found) for kind in names}
    told = [f"{count} {names[kind]}{'' if count == 1 else 's'}" for kind, count in counts.items() if count]
    return " and ".join([", ".join(told[:-1]), told[-1]]) if len(told) > 1 else told[0]


# Kinds of differences -----------------------------------------------------------------------------------


def _verdicts(read: Sequence[Statements]) -> Iterator[Difference]:
    """A leading yes against a leading no."""
    said = [one.verdict for one in read]
    if len({one.status for one in said if one}) > 1:
        parts = tuple(_part(text, [one] if one else []) for text, one in zip(read, said, strict=True))
        yield Difference(Kind.DENIAL, "yes or no", True, "yes here, no there", parts)


def _doses(read: Sequence[Statements]) -> Iterator[Difference]:
    for drug, said in _by(read, lambda text: text.doses, lambda one: one.drug):
        told = [own for own in said if own]
        if len(told) < 2:
            continue  # the drug's own row shows the dose
        pairs = [_sets_of_doses(one, other) for one, other in combinations(told, 2)]
        if Same.NO in pairs:
            yield _difference(Kind.DOSE, drug, True, _dose_note(told), read, said)
        elif Same.PARTLY in pairs:
            yield _difference(Kind.DOSE, drug, False, "one says more of the dose", read, said)
        elif Same.UNSURE in pairs:
            yield _difference(Kind.DOSE, drug, False, "not comparable: other units, or a maximum", read, said)


def _sets_of_doses(ours: Sequence[DoseSaid], theirs: Sequence[DoseSaid]) -> Same:
    """NO where none of ours is any of theirs; YES where each has its equal on the other side."""
    table = [[doses.compare(one.dose, other.dose) for other in theirs] for one in ours]
    every = {same for row in table for same in row}
    if every <= {Same.NO, Same.UNSURE} and Same.NO in every:
        return Same.NO
    if every == {Same.UNSURE}:
        return Same.UNSURE
    has_equal = all(Same.YES in row for row in table) and all(
        Same.YES in row for row in zip(*table, strict=True)
    )
    return Same.YES if has_equal else Same.PARTLY


def _dose_note(told: Sequence[Sequence[DoseSaid]]) -> str:
    """Which part of the dose is another, where each answer says one dose."""
    if any(len({one.dose for one in own}) != 1 for own in told):
        return "other doses"
    quantities = {(own[0].dose.quantity.low, own[0].dose.quantity.high) for own in told}
    if len(quantities) > 1:
        return "other dose"
    return "other way of giving" if len({own[0].dose.route for own in told} - {""}) > 1 else "other frequency"


def _avoided(read: Sequence[Statements]) -> Iterator[Difference]:
    """A drug that one answer gives and another advises against."""
    for drug, said in _by(read, lambda text: text.drugs, lambda one: one.name):
        views = [{one.is_avoided for one in own} for own in said]
        if {True} in views and {False} in views:
            yield _difference(Kind.DENIAL, drug, True, "advised against here, not there", read, said)


def _denials(read: Sequence[Statements]) -> Iterator[Difference]:
    for finding, said in _by(read, lambda text: text.findings, lambda one: one.name):
        views = [{one.status for one in own} for own in said]
        if {Status.DENIED} in views and {Status.AFFIRMED} in views:
            yield _difference(Kind.DENIAL, finding, True, "affirmed here, denied there", read, said)
        elif {Status.DENIED} in views and set() in views:
            note = "denied here, not spoken of there"
            yield _difference(Kind.DENIAL, finding, False, note, read, said)


def _numbers(read: Sequence[Statements]) -> Iterator[Difference]:
    """Other values of the same thing in the same unit, and values that only some give."""
    key = lambda one: (one.about, one.quantity.dimension)  # noqa: E731
    for (about, dimension), said in _by(read, lambda text: text.numbers, key):
        if not dimension:
            continue
        values = [{one.quantity for one in own} for own in said]
        told = [own for own in values if own]
        if all(own == values[0] for own in values):
            continue
        differs = bool(about) and any(_are_apart(one, other) for one, other in combinations(told, 2))
        note = "other value" if differs else "not in every answer"
        shared = set.intersection(*values)
        apart = [[one for one in own if one.quantity not in shared] for own in said]
        yield _difference(Kind.NUMBER, about or _unit_words(dimension), differs, note, read, apart)


def _are_apart(ours: set[Quantity], theirs: set[Quantity]) -> bool:
    """No value of one is any value of the other."""
    return not any(one.sign == other.sign and one.agrees(other) for one in ours for other in theirs)


def _drugs(read: Sequence[Statements]) -> Iterator[Difference]:
    """Drugs that some answers name and others do not, with the dose where one is given."""
    for drug, said in _by(read, lambda text: text.drugs, lambda one: one.name):
        if all(said):
            continue
        with_doses = [
            _first_and_doses(own, [one for one in text.doses if one.drug == drug])
            for text, own in zip(read, said, strict=True)
        ]
        yield _difference(Kind.DRUG, drug, False, "not in every answer", read, with_doses)


def _first_and_doses(own: Sequence[DrugSaid], told: Sequence[DoseSaid]) -> list[Said]:
    return [*own[:1], *told]


# Inside -------------------------------------------------------------------------------------------------


def _by(
    read: Sequence[Statements],
    of: Callable[[Statements], Sequence],
    key: Callable[[Any], Hashable],
) -> Iterator[tuple]:
    """(key, for each text what it says under it), keys in order of their first place."""
    keys = dict.fromkeys(key(one) for text in read for one in of(text))
    for each in keys:
        yield each, [[one for one in of(text) if key(one) == each] for text in read]


def _difference(
    kind: Kind,
    about: str,
    differs: bool,
    note: str,
    read: Sequence[Statements],
    said: Sequence[Sequence[Said]],
) -> Difference:
    parts = tuple(_part(text, own) for text, own in zip(read, said, strict=True))
    return Difference(kind, about, differs, note, parts)


def _part(text: Statements, said: Sequence[Said]) -> Part:
    spans = tuple(sorted({(one.start, one.end) for one in said}))
    return Part("; ".join(dict.fromkeys(_words(text.text, one) for one in said)), spans)


def _words(text: str, one: Said) -> str:
    """The answer's own words; of a finding and an avoided drug what is said of it."""
    words = " ".join(text[one.start : one.end].split())
    if isinstance(one, FindingSaid) and one.name != "yes or no":
        return f"{words}: {one.status.value}"
    if isinstance(one, DrugSaid) and one.is_avoided:
        return f"{words}: advised against"
    if isinstance(one, NumberSaid) and one.quantity.sign:
        return f"{one.quantity.sign} {words}"
    if isinstance(one, DoseSaid) and one.dose.route:
        return f"{words}, {one.dose.route}"
    return words


def _holds(held: Sequence[Quantity], quantity: Quantity) -> bool:
    """Whether the same number is there, in the same unit unless one of the two has none."""
    for one in held:
        if one.dimension == quantity.dimension:
            if {quantity.low, quantity.high} <= {one.low, one.high}:
                return True
        elif not (one.dimension and quantity.dimension) and set(quantity.written) <= set(one.written):
            return True
    return False


def _unit_words(dimension: str) -> str:
    """What a number counts that stands beside no known name."""
    named = {"time": "a time", "months": "a time in months or years", "per cent": "a percentage"}
    ends = {"volume": "a concentration", "time": "a rate"}
    _, stroke, below = dimension.rpartition("/")
    return named.get(dimension) or (stroke and ends.get(below)) or f"a number ({dimension})"
