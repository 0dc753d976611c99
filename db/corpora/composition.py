"""What a set of instructions is made of: rows and tokens by source, task, provenance and category, lengths,
labels, copies, and what evaluation sets it overlaps. One pass over the rows, whatever they come from.

Tokens are estimated at four characters each unless the starter model's tokenizer is asked. That is a rule of
thumb for English: the figure is for shares and for planning, and another tokenizer gives another one.
"""

from bisect import bisect_right
from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from hashlib import blake2b

from db.checks.contamination import Contamination, EvaluationSet, HitKind, Limits, Text
from db.content import MAX_CHARACTERS
from db.exchange.stored import text_hash
from db.text_figures import FIELDS, TOKENIZER, Histogram, percentile

CHARACTERS_A_TOKEN = 4
PIECE = 2_000  # rows looked at between two reports
LABEL_CHARACTERS, LABELS_SHOWN = 60, 50  # a longer output is no label; more kinds of output are none, either
_KINDS = ("source", "task", "provenance", "category", "split")
_EDGES = (0, *(5 * 2**power for power in range(13)))  # words: each bin twice as wide as the last


@dataclass(frozen=True)
class Row:
    """An instruction as composition sees it."""

    instruction: str
    input: str
    output: str
    source: str
    task: str
    provenance: str
    category: str
    split: str = ""
    labels: tuple[str, ...] | None = None  # what its answer says; None: told from a short output


@dataclass(frozen=True)
class Share:
    """One source, task, provenance or category: its rows and tokens, and their share of all."""

    name: str
    rows: int
    tokens: int
    row_share: float
    token_share: float


@dataclass(frozen=True)
class LabelBalance:
    """How often each label is the answer in a source, the commonest first. Rows may have several, or none."""

    source: str
    rows: int
    without: int  # rows whose answer names no label
    labels: tuple[tuple[str, int], ...]

    @property
    def majority(self) -> float:
        """The share of rows with the commonest label: what guessing it every time would get."""
        return max((rows for _, rows in self.labels), default=0) / self.rows if self.rows else 0.0


@dataclass(frozen=True)
class Copies:
    """Rows that repeat an earlier one word for word, letter by letter."""

    within: int  # of the same source: instruction, input and output
    across: int  # of another source
    same_input_within: int  # the same input, or without one the same instruction; another answer or wording
    same_input_across: int
    pairs: tuple[tuple[str, str, int], ...]  # (earlier source, later source, rows with an input of it)


@dataclass(frozen=True)
class Overlap:
    """How many rows of a source hold texts of an evaluation set, by the strongest kind of each row."""

    source: str
    evaluation_set: str
    rows: int
    exact: int
    runs: int
    near: int


@dataclass(frozen=True)
class Composition:
    """What a set of instructions is made of."""

    rows: int
    tokens: int
    are_tokens_counted: bool  # by the starter model's tokenizer; else estimated
    sources: tuple[Share, ...]
    tasks: tuple[Share, ...]
    provenances: tuple[Share, ...]
    categories: tuple[Share, ...]
    splits: tuple[Share, ...]
    lengths: tuple[Histogram, ...]  # of instruction, input and output, in words
    labels: tuple[LabelBalance, ...]
    copies: Copies
    overlaps: tuple[Overlap, ...]
    compared_with: tuple[str, ...]  # the evaluation sets, those without a hit too


def analyse(
    rows: Iterable[Row],
    *,
    against: Sequence[EvaluationSet] = (),
    limits: Limits | None = None,
    exact_tokens: bool = False,
) -> Iterator[int | Composition]:
    """Yields how many rows are done, piece by piece, and last the Composition.

    Holds some 100 bytes a row, never the texts. Raises LookupError when tokens are to be counted and the
    tokenizer is not there.
    """
    found = _Found(tuple(against), limits or Limits(), _counter() if exact_tokens else _estimate)
    piece: list[Row] = []
    for row in rows:
        piece.append(row)
        if len(piece) == PIECE:
            yield found.take(piece)
            piece = []
    if piece:
        yield found.take(piece)
    yield found.composition(exact_tokens)


def composition_of(rows: Iterable[Row], **options) -> Composition:
    """`analyse` at one go; the same options."""
    *_, last = analyse(rows, **options)
    return last


def _estimate(texts: Sequence[str]) -> list[int]:
    return [-(-len(text) // CHARACTERS_A_TOKEN) for text in texts]


def _counter() -> Callable[[Sequence[str]], list[int]]:
    """Counts by the starter model's tokenizer."""
    from tokenizers import Tokenizer

    if not TOKENIZER.is_file():
        raise LookupError("The starter model's tokenizer is not there, so tokens cannot be counted.")
    tokenizer = Tokenizer.from_file(str(TOKENIZER))
    tokenizer.no_truncation()
    tokenizer.no_padding()

    def count(texts: Sequence[str]) -> list[int]:
        return [len(found) for found in tokenizer.encode_batch_fast(texts, add_special_tokens=False)]

    return count


@dataclass
class _Labels:
    rows: int = 0
    without: int = 0
    counts: Counter[str] = field(default_factory=Counter)
    is_told: bool = False  # by the rows themselves, not from their outputs


class _Found:
    """What has been seen so far."""

    def __init__(
        self,
        against: tuple[EvaluationSet, ...],
        limits: Limits,
        count: Callable[[Sequence[str]], list[int]],
    ) -> None:
        self._against, self._count = against, count
        self._contamination = Contamination(against, limits)
        self._rows = self._tokens = 0
        self._shares = {kind: Counter() for kind in _KINDS}  # of (name, "rows") and (name, "tokens")
        self._lengths = {name: Counter() for name in FIELDS}
        self._labels: dict[str, _Labels] = {}
        self._texts: dict[bytes, str] = {}
        self._inputs: dict[bytes, str] = {}
        self._copies: Counter[str] = Counter()
        self._pairs: Counter[tuple[str, str]] = Counter()
        self._overlaps: Counter[tuple[str, str, HitKind]] = Counter()

    def take(self, piece: list[Row]) -> int:
        """Add rows; how many there are now."""
        sizes = self._count([text for row in piece for text in (row.instruction, row.input, row.output)])
        for place, row in enumerate(piece):
            self._add(row, sum(sizes[3 * place : 3 * place + 3]))
        if self._against:
            self._compare(piece)
        return self._rows

    def composition(self, are_tokens_counted: bool) -> Composition:
        kinds = {name: self._ranked(counted) for name, counted in self._shares.items()}
        return Composition(
            self._rows,
            self._tokens,
            are_tokens_counted,
            kinds["source"],
            kinds["task"],
            kinds["provenance"],
            kinds["category"],
            kinds["split"],
            tuple(_histogram(name, sizes) for name, sizes in self._lengths.items()),
            tuple(self._balances()),
            self._copies_found(),
            self._overlaps_found(),
            tuple(group.name for group in self._against),
        )

    def _add(self, row: Row, tokens: int) -> None:
        self._rows += 1
        self._tokens += tokens
        for kind, counted in self._shares.items():
            name = getattr(row, kind)
            counted[name, "rows"] += 1
            counted[name, "tokens"] += tokens
        for name, sizes in self._lengths.items():
            if size := len(getattr(row, name).split()):
                sizes[size] += 1
        self._add_labels(row)
        self._add_copies(row)

    def _add_labels(self, row: Row) -> None:
        mine = self._labels.setdefault(row.source, _Labels())
        mine.rows += 1
        if row.labels is not None:
            mine.is_told = True
            mine.counts.update(set(row.labels))
            mine.without += not row.labels
        elif len(row.output) > LABEL_CHARACTERS or "\n" in row.output:
            mine.without += 1
        elif len(mine.counts) <= LABELS_SHOWN:  # past that it is free text, and need not be remembered
            mine.counts[row.output] += 1

    def _add_copies(self, row: Row) -> None:
        whole = text_hash(row.instruction, row.input, row.output)
        asked = blake2b((row.input or row.instruction).strip().casefold().encode(), digest_size=16).digest()
        first = self._texts.get(whole)
        if first is None:
            self._texts[whole] = row.source
        if first is not None:
            self._copies["within" if first == row.source else "across"] += 1
        elif asked in self._inputs:
            first = self._inputs[asked]
            self._copies["input_within" if first == row.source else "input_across"] += 1
            self._pairs[first, row.source] += 1
        self._inputs.setdefault(asked, row.source)

    def _compare(self, piece: list[Row]) -> None:
        texts = [Text(row.instruction, row.input, row.output) for row in piece]
        strongest: dict[tuple[int, str], HitKind] = {}
        order = list(HitKind)  # the strongest first
        for hit in self._contamination.find(texts):
            key = hit.row, hit.set_name
            strongest[key] = min(strongest.get(key, hit.kind), hit.kind, key=order.index)
        for (row, name), kind in strongest.items():
            self._overlaps[piece[row].source, name, kind] += 1

    def _ranked(self, counted: Counter) -> tuple[Share, ...]:
        names = sorted({name for name, _ in counted}, key=lambda name: (-counted[name, "rows"], name))
        return tuple(
            Share(
                name,
                counted[name, "rows"],
                counted[name, "tokens"],
                counted[name, "rows"] / self._rows,
                counted[name, "tokens"] / self._tokens if self._tokens else 0.0,
            )
            for name in names
        )

    def _balances(self) -> Iterator[LabelBalance]:
        """Of the sources whose answers are labels: told so, or short and of few kinds."""
        for source, mine in self._labels.items():
            is_free = not mine.is_told and (mine.without or not 0 < len(mine.counts) <= LABELS_SHOWN)
            if not is_free:
                ranked = sorted(mine.counts.items(), key=lambda pair: (-pair[1], pair[0]))
                yield LabelBalance(source, mine.rows, mine.without, tuple(ranked[:LABELS_SHOWN]))

    def _copies_found(self) -> Copies:
        names = ("within", "across", "input_within", "input_across")
        pairs = tuple((first, later, rows) for (first, later), rows in self._pairs.most_common())
        return Copies(*(self._copies[name] for name in names), pairs)

    def _overlaps_found(self) -> tuple[Overlap, ...]:
        kinds = (HitKind.EXACT, HitKind.NGRAM, HitKind.ROUGE_L)
        found = []
        for source, name in sorted({key[:2] for key in self._overlaps}):
            rows = [self._overlaps[source, name, kind] for kind in kinds]
            found.append(Overlap(source, name, sum(rows), *rows))
        return tuple(found)


def _histogram(name: str, sizes: Counter[int]) -> Histogram:
    """From how often each length occurs: exact, and small however many rows there are."""
    rows = sizes.total()
    if not rows:
        return Histogram(name, "words", [], 0, 0.0, 0.0, 0)
    longest = max(sizes)
    counts = Counter()
    for size, times in sizes.items():
        counts[bisect_right(_EDGES, size) - 1] += times
    last = bisect_right(_EDGES, min(longest, MAX_CHARACTERS)) - 1
    bins = [(_EDGES[place], _EDGES[place + 1], counts[place]) for place in range(last + 1)]
    ordered = sorted(sizes.elements())
    return Histogram(name, "words", bins, rows, percentile(ordered, 0.5), percentile(ordered, 0.95), longest)
