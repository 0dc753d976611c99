"""A conversion that is being put together: the files that were looked at, and how much of each is wanted.

Plain values, kept in the page's state on the server: a path in it is always one that was uploaded here.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field, replace

from db.convert_spec import ConvertSpec, Source
from db.corpora import paper
from db.corpora.mixture import Count, Home, Mixture, Part, Plan, plan
from db.enums import Split


@dataclass(frozen=True)
class Entry:
    """One file of the mixture, and its rows as they were counted."""

    source: Source
    file: str  # its name, as the curator knows it
    template: str  # its title
    rows: int
    homes: tuple[tuple[Home, Count], ...]
    lost: int = 0  # rows that the form cannot carry

    @property
    def rights(self) -> str:
        limits = "restricted" if self.source.is_restricted else ""
        return ", ".join(filter(None, (self.source.licence, limits)))

    @property
    def is_unread(self) -> bool:
        """Of the Hub: fetched and counted when the conversion runs."""
        return bool(self.source.hub)


@dataclass(frozen=True)
class Draft:
    """Files and shares of a conversion, in the order in which they were added."""

    entries: tuple[Entry, ...] = ()
    mixture: Mixture = field(default_factory=lambda: Mixture(()))
    is_paper: bool = False  # begun from the paper's composition: its sets are wanted, brought or not

    @property
    def names(self) -> tuple[str, ...]:
        """The sources, each once: those of the mixture first, so that the missing are seen."""
        brought = (entry.source.name for entry in self.entries)
        return tuple(dict.fromkeys([*(part.source for part in self.mixture.parts), *brought]))

    def of(self, name: str) -> tuple[Entry, ...]:
        return tuple(entry for entry in self.entries if entry.source.name == name)

    def with_entry(self, entry: Entry) -> "Draft":
        """With one more file. Raises ValueError for one that is in it already under that name."""
        for other in self.of(entry.source.name):
            is_same = other.source.hub == entry.source.hub if entry.is_unread else False
            if is_same or other.source.path == entry.source.path:
                raise ValueError(f"name: {entry.source.name} has this very file already; choose another.")
        return replace(self, entries=(*self.entries, entry))

    @property
    def unread(self) -> frozenset[str]:
        """The sources of which something is yet to be fetched."""
        return frozenset(entry.source.name for entry in self.entries if entry.is_unread)

    def without(self, name: str) -> "Draft":
        """Without a source: its files, and its share unless the paper wants it."""
        kept = tuple(entry for entry in self.entries if entry.source.name != name)
        parts = self.mixture.parts if self.is_paper else _others(self.mixture, name)
        return replace(self, entries=kept, mixture=replace(self.mixture, parts=parts))

    def like_the_paper(self, *, first_release: bool = False) -> "Draft":
        wanted = paper.mixture(first_release=first_release, seed=self.mixture.seed)
        return replace(self, mixture=wanted, is_paper=True)

    def not_like_the_paper(self) -> "Draft":
        """The files as they are, each with all it has."""
        return replace(self, mixture=replace(self.mixture, parts=()), is_paper=False)

    def changed(self, name: str, field: str, value: str) -> "Draft":
        """With another share of a source, as it was typed. Raises ValueError naming the field."""
        part = _typed(self.mixture.part(name), field, value.strip())
        parts = [part if each.source == name else each for each in self.mixture.parts]
        if part not in parts:
            parts.append(part)
        return replace(self, mixture=replace(self.mixture, parts=tuple(parts)))

    def drawn(self, total: float | None, temperature: float | None, seed: float | None) -> "Draft":
        """With another total, temperature and seed. Raises ValueError naming the field."""
        whole = _whole("total", total) if total else None
        heat = float(temperature) if temperature else 1.0
        mixture = Mixture(self.mixture.parts, whole, heat, _whole("seed", seed or 0))
        return replace(self, mixture=mixture)

    def counts(self) -> dict[str, dict[Home, Count]]:
        """Rows by source and split, those that a form cannot carry among them: they are read as well."""
        found: dict[str, dict[Home, Count]] = {}
        for entry in self.entries:
            homes = found.setdefault(entry.source.name, {})
            for home, count in entry.homes:
                before = homes.get(home, Count(0))
                homes[home] = Count(before.positive + count.positive, before.negative + count.negative)
        return found

    def plan(self) -> Plan:
        return plan(self.mixture, self.counts())

    def spec(self, name: str, *, check_privacy: bool) -> ConvertSpec:
        """What the job is asked to do. Raises ValueError without a file."""
        if not self.entries:
            raise ValueError("file: bring a file first, and add it to the mixture.")
        sources = tuple(entry.source for entry in self.entries)
        return ConvertSpec(sources, self.mixture, name=name.strip(), check_privacy=check_privacy)


def entry_of(
    source: Source, file: str, template: str, homes: Mapping[Home, Count], *, rows: int, lost: int
) -> Entry:
    return Entry(source, file, template, rows, tuple(homes.items()), lost)


def _others(mixture: Mixture, name: str) -> tuple[Part, ...]:
    return tuple(part for part in mixture.parts if part.source != name)


def _typed(part: Part, field: str, value: str) -> Part:
    if field == "rows":
        return replace(part, rows=_whole("rows", _number("rows", value)) if value else None)
    if field == "weight":
        return replace(part, weight=_number("weight", value) if value else 1.0)
    if field == "negatives":
        return replace(part, negatives=_number("negatives", value) if value else None)
    if field.startswith("split-"):
        split = Split(field.removeprefix("split-"))
        others = tuple(each for each in part.splits if each is not split)
        return replace(part, splits=(*others, split) if value == "true" else others)
    raise ValueError("mixture: choose one of the fields shown.")


def _number(field: str, value: str) -> float:
    try:
        return float(value.replace(",", ""))
    except ValueError:
        raise ValueError(f"{field}: {value[:20]} is no number; write one, or nothing.") from None


def _whole(field: str, value: float) -> int:
    if value != int(value):
        raise ValueError(f"{field}: {value:g} is no whole number; write one.")
    return int(value)
