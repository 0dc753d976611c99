"""Relations asked about one marked pair: JSON lines or a table with a text, its markers and a label.

    {"text": "<< Simvastatin >> inhibits [[ HMG-CoA reductase ]].", "label": "INHIBITOR"}
    {"sentence": "@GENE$ is linked to @DISEASE$.", "label": 1}

Markers wrap the names (ChemProt) or stand for them (GAD, i2b2); `KbRow` says which.
"""

import re
from collections.abc import Iterable, Iterator
from itertools import pairwise

from db.corpora.readers.formats import RECORDS, Format, Head, Option, Options
from db.corpora.readers.records import Record, by_record
from db.corpora.schema import Entity, KbRow, Relation

_WRAPPED = (("<< ", " >>"), ("[[ ", " ]]"))
_MASK = re.compile(r"@([A-Za-z][\w-]*)\$")
_TEXTS = ("text", "sentence", "sentence1")
_LABELS = ("label", "relation", "gold_label")


def read_wrapped(records: Iterable[Record], options: Options) -> Iterator[KbRow]:
    """One row a record, with the first mention of `types` from `<< >>` and the second from `[[ ]]`.

    Raises CorpusError where a marker is missing or opens twice, or the two names overlap.
    """
    kinds = _two_types(options["types"])
    for record in records:
        marked = record.text(*_fields(options, "text_field", _TEXTS))
        text, spans = _unmarked(marked, record)
        entities = tuple(
            Entity(f"T{n}", kind, (text[start:end],), ((start, end),))
            for n, (kind, (start, end)) in enumerate(zip(kinds, spans, strict=True), start=1)
        )
        yield _row(record, options, text, entities, marked)


def read_masked(records: Iterable[Record], options: Options) -> Iterator[KbRow]:
    """One row a record; its two mentions are the first two markers, or the first of each of `types`."""
    kinds = [kind.strip() for kind in options["types"].split(",") if kind.strip()]
    if kinds and len(kinds) != 2:
        raise ValueError("types: write two, with a comma between, or none.")
    for record in records:
        text = record.text(*_fields(options, "text_field", _TEXTS))
        entities = tuple(
            Entity(f"T{n}", found[1], (found[0],), (found.span(),))
            for n, found in enumerate(_masks(text, kinds, record), start=1)
        )
        yield _row(record, options, text, entities, "")


def _row(record: Record, options: Options, text: str, entities: tuple[Entity, ...], marked: str) -> KbRow:
    label = record.text(*_fields(options, "label_field", _LABELS))
    id = record.text("id", "index", "idx", default=str(record.number))
    relation = Relation("R1", label, entities[0].id, entities[1].id)
    document = record.text("document_id", default=id)
    return KbRow(id, document, text, entities, (relation,), marked_text=marked, is_masked=not marked)


def _unmarked(marked: str, record: Record) -> tuple[str, list[tuple[int, int]]]:
    """The text without its markers, and where the two names stand in it, `<< >>` first.

    The markers are those with a space inside: chemical names hold `[[` and arrows `>>` of their own.
    """
    places = [_place(marked, opening, closing, record) for opening, closing in _WRAPPED]
    in_order = sorted(places)
    if any(before[1] > after[0] for before, after in pairwise(in_order)):
        raise record.fault("the two marked names overlap; mark them one after the other.")
    pieces, spans, end = [], {}, 0
    for outer in in_order:
        pieces += [marked[end : outer[0]], marked[outer[0] + 3 : outer[1] - 3]]
        start = sum(map(len, pieces[:-1]))
        spans[outer] = (start, start + len(pieces[-1]))
        end = outer[1]
    return "".join(pieces) + marked[end:], [spans[place] for place in places]


def _place(marked: str, opening: str, closing: str, record: Record) -> tuple[int, int]:
    """Where a marked name begins and ends, its markers included.

    The closing marker is the first behind the opening one: ` >> ` also says "much greater than".
    """
    start = marked.find(opening)
    end = marked.find(closing, start) + len(closing)
    if marked.count(opening) != 1 or end < len(closing):
        raise record.fault(
            f"it needs {opening}once and{closing} behind it, with the spaces; mark one name so."
        )
    if not marked[start + len(opening) : end - len(closing)].strip():
        raise record.fault(f"{opening}and{closing} hold no name between them; mark one.")
    return start, end


def _masks(text: str, kinds: list[str], record: Record) -> list[re.Match[str]]:
    found = list(_MASK.finditer(text))
    chosen = _of_types(found, kinds) if kinds else found[:2]
    if len(chosen) != 2:
        wanted = " and ".join(f"@{kind}$" for kind in kinds) or "two markers such as @GENE$ and @DISEASE$"
        raise record.fault(f"it does not hold {wanted}; the names to ask about are marked so.")
    return chosen


def _of_types(found: list[re.Match[str]], kinds: list[str]) -> list[re.Match[str]]:
    left, chosen = list(found), []
    for kind in kinds:
        match = next((mark for mark in left if mark[1] == kind), None)
        if match:
            left.remove(match)
            chosen.append(match)
    return chosen


def _two_types(written: str) -> tuple[str, str]:
    kinds = [kind.strip() for kind in written.split(",")]
    if len(kinds) != 2 or not all(kinds):
        raise ValueError("types: write two, with a comma between, such as chemical,gene.")
    return kinds[0], kinds[1]


def _fields(options: Options, option: str, usual: tuple[str, ...]) -> tuple[str, ...]:
    return (options[option],) if options[option] else usual


def _fits_wrapped(head: Head) -> bool:
    return any(
        all(mark.strip() in str(head.fields.get(name, "")) for pair in _WRAPPED for mark in pair)
        for name in _TEXTS
    )


def _fits_masked(head: Head) -> bool:
    return any(len(_MASK.findall(str(head.fields.get(name, "")))) >= 2 for name in _TEXTS)


_FIELDS = (
    Option("text_field", f"The field of the text; {', '.join(_TEXTS)} unless given."),
    Option("label_field", f"The field of the label; {', '.join(_LABELS)} unless given."),
)
FORMATS = (
    Format(
        "marked_pair",
        "Marked pair (ChemProt)",
        "A text with << one name >> and [[ another ]] and the relation between them.",
        KbRow,
        (".jsonl", ".tsv", ".csv", ".json"),
        by_record(read_wrapped),
        _fits_wrapped,
        (
            Option("types", "What << >> and [[ ]] mark, such as chemical,gene.", "entity,entity"),
            *_FIELDS,
            *RECORDS,
        ),
        rows=read_wrapped,
    ),
    Format(
        "masked_pair",
        "Masked pair (GAD, i2b2)",
        "A text with @GENE$ and @DISEASE$ in place of two names, and the relation between them.",
        KbRow,
        (".jsonl", ".tsv", ".csv", ".json"),
        by_record(read_masked),
        _fits_masked,
        (
            Option("types", "The two markers' names, first argument first; as they stand unless given."),
            *_FIELDS,
            *RECORDS,
        ),
        rows=read_masked,
    ),
)
