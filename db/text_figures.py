"""How long a project's texts are, in words, characters and tokens, and which verbs and nouns they ask with.

Every text has to be read for that, so what was found is kept in memory by record and version: after the first
time only what has changed since is read. Tokens are counted with the starter model's tokenizer: another model
cuts texts in other places, by some ten to thirty per cent.
"""

from bisect import bisect_right
from collections import Counter, OrderedDict
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, field
from functools import cache
from itertools import islice
from pathlib import Path

from sqlalchemy import select
from sqlalchemy.orm import Session

from db.checks.verbs import VerbNoun, read_verb
from db.content import MAX_CHARACTERS
from db.settings import STARTER_DIR
from db.tables import Instruction

FIELDS = ("instruction", "input", "output")
UNITS = ("words", "characters", "tokens")
TOKENIZER = STARTER_DIR / "weights" / "tokenizer.json"
VERBS_SHOWN, NOUNS_SHOWN = 20, 4  # of Self-Instruct's figure
_CHUNK = 1000
_PROJECTS_KEPT = 4


@dataclass(frozen=True)
class Histogram:
    """How long a field is where it is not empty. `bins` are (from, below, records), each twice the last."""

    field: str
    unit: str
    bins: list[tuple[int, int, int]]
    records: int
    median: float
    p95: float
    longest: int


@dataclass(frozen=True)
class VerbCount:
    """A verb, how many records ask with it, and its commonest nouns."""

    verb: str
    records: int
    nouns: tuple[tuple[str, int], ...]


@dataclass(frozen=True)
class VerbNouns:
    """The commonest verbs of a project's instructions. `parsed` of `records` could be read at all."""

    records: int
    parsed: int
    distinct: int  # pairs of a verb and a noun
    verbs: tuple[VerbCount, ...]

    @property
    def coverage(self) -> float:
        return self.parsed / self.records if self.records else 0.0


Sizes = tuple[int, int, int]  # of instruction, input, output


@dataclass
class _Kept:
    """What is known of a project's texts: record -> (version, ...)."""

    plain: dict[int, tuple[int, Sizes, Sizes, VerbNoun | None]] = field(default_factory=dict)
    tokens: dict[int, tuple[int, Sizes]] = field(default_factory=dict)


_kept: OrderedDict[tuple[str, int], _Kept] = OrderedDict()


def measure(session: Session, project_id: int, *, tokens: bool = False) -> Iterator[tuple[int, int]]:
    """Read what has not been read yet; tells (done, of how many) after each part, nothing when all is known.

    Raises LookupError when tokens are wanted and the tokenizer is not there.
    """
    kept = _of(session, project_id)
    known, read = (kept.tokens, _count_tokens) if tokens else (kept.plain, _read_plainly)
    live = Instruction.project_id == project_id, Instruction.deleted_at.is_(None)
    versions = dict(session.execute(select(Instruction.id, Instruction.version).where(*live)).all())
    for gone in known.keys() - versions.keys():
        known.pop(gone, None)
    wanted = [id for id, version in versions.items() if id not in known or known[id][0] != version]
    columns = (Instruction.id, Instruction.version, *(getattr(Instruction, name) for name in FIELDS))
    for start in range(0, len(wanted), _CHUNK):
        ids = wanted[start : start + _CHUNK]
        rows = session.execute(select(*columns).where(Instruction.id.in_(ids))).all()
        known.update(read([tuple(row) for row in rows]))
        yield min(start + _CHUNK, len(wanted)), len(wanted)


def lengths(session: Session, project_id: int, *, field: str, unit: str = "words") -> Histogram:
    """The lengths of `instruction`, `input` or `output`. Raises ValueError naming a wrong argument."""
    if field not in FIELDS:
        raise ValueError(f"field: {field} has no length; choose instruction, input or output.")
    if unit not in UNITS:
        raise ValueError(f"unit: {unit} is not counted; choose words, characters or tokens.")
    kept, place = _measured(session, project_id, tokens=unit == "tokens"), FIELDS.index(field)
    column = {"words": 1, "characters": 2, "tokens": 1}[unit]
    entries = kept.tokens if unit == "tokens" else kept.plain
    sizes = sorted(size for entry in list(entries.values()) if (size := entry[column][place]))
    if not sizes:
        return Histogram(field, unit, [], 0, 0.0, 0.0, 0)
    edges = [0, 5]
    while edges[-1] <= min(sizes[-1], MAX_CHARACTERS):
        edges.append(edges[-1] * 2)
    counts = Counter(bisect_right(edges, size) - 1 for size in sizes)
    bins = [(edges[n], edges[n + 1], counts[n]) for n in range(len(edges) - 1)]
    middle, high = percentile(sizes, 0.5), percentile(sizes, 0.95)
    return Histogram(field, unit, bins, len(sizes), middle, high, sizes[-1])


def verb_nouns(session: Session, project_id: int) -> VerbNouns:
    """The 20 commonest verbs with their 4 commonest nouns, as Self-Instruct shows its instructions."""
    entries = list(_measured(session, project_id).plain.values())
    pairs = Counter(found for *_, found in entries if found is not None)
    verbs: Counter[str] = Counter()
    nouns: dict[str, list[tuple[str, int]]] = {}
    for pair, count in sorted(pairs.items(), key=lambda item: (-item[1], item[0].noun)):
        verbs[pair.verb] += count
        nouns.setdefault(pair.verb, []).append((pair.noun, count))
    commonest = sorted(verbs.items(), key=lambda item: (-item[1], item[0]))
    shown = (
        VerbCount(verb, count, tuple(nouns[verb][:NOUNS_SHOWN]))
        for verb, count in islice(commonest, VERBS_SHOWN)
    )
    return VerbNouns(len(entries), sum(pairs.values()), len(pairs), tuple(shown))


def percentile(ordered: list, share: float) -> float:
    """The value below which `share` of an ordered list lies, by linear interpolation."""
    place = share * (len(ordered) - 1)
    low = int(place)
    high = min(low + 1, len(ordered) - 1)
    return ordered[low] + (ordered[high] - ordered[low]) * (place - low)


def _measured(session: Session, project_id: int, *, tokens: bool = False) -> _Kept:
    for _ in measure(session, project_id, tokens=tokens):
        pass
    return _of(session, project_id)


def _of(session: Session, project_id: int) -> _Kept:
    """The project's own place; those asked for longest ago make room."""
    key = str(session.get_bind().engine.url), project_id
    kept = _kept.setdefault(key, _Kept())
    _kept.move_to_end(key)
    while len(_kept) > _PROJECTS_KEPT:
        _kept.popitem(last=False)
    return kept


def _read_plainly(rows: Iterable[tuple]) -> dict[int, tuple]:
    return {
        id: (
            version,
            tuple(len(text.split()) for text in texts),
            tuple(map(len, texts)),
            read_verb(texts[0]),
        )
        for id, version, *texts in rows
    }


def _count_tokens(rows: list[tuple]) -> dict[int, tuple]:
    count = _counter()
    sizes = count([text for _, _, *texts in rows for text in texts])
    return {row[0]: (row[1], tuple(sizes[3 * place : 3 * place + 3])) for place, row in enumerate(rows)}


def _counter() -> Callable[[list[str]], list[int]]:
    tokenizer = _tokenizer(TOKENIZER)
    return lambda texts: [
        len(found) for found in tokenizer.encode_batch_fast(texts, add_special_tokens=False)
    ]


@cache
def _tokenizer(path: Path):
    """Loaded when first asked for: most who open the studio never count tokens."""
    from tokenizers import Tokenizer

    if not path.is_file():
        raise LookupError("The starter model's tokenizer is not there, so tokens cannot be counted.")
    tokenizer = Tokenizer.from_file(str(path))
    tokenizer.no_truncation()
    tokenizer.no_padding()
    return tokenizer
