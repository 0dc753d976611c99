"""Do offsets give the words that a file says they give? And whole mentions made of them."""

import re

from db.corpora.schema import CorpusError, Entity, KbRow, Relation

_SPACE = re.compile(r"\s")
_SHOWN = 40


def mention(
    id: str,
    type: str,
    spans: tuple[tuple[int, int], ...],
    text: str,
    said: str | None,
    *,
    normalized: tuple[tuple[str, str], ...] = (),
    line: int | None = None,
    record: str = "",
) -> Entity:
    """The entity at `spans` of `text`, in the order given.

    `said` is the mention's text as the file has it, the stretches of a broken one joined by a space; None
    where it says none. Any white space may stand for any other: the formats keep a mention on one line.
    Raises CorpusError where a span leads out of the text or gives other words than `said`.
    """
    if not type:
        raise CorpusError(f"mention {id} has no type; name one.", line=line, record=record)
    if not spans:
        raise CorpusError(f"mention {id} has no offsets; give its start and end.", line=line, record=record)
    for start, end in spans:
        if not 0 <= start < end <= len(text):
            raise CorpusError(
                f"mention {id} is said to stand at {start} to {end}, and the text has "
                f"{len(text):,} characters; offsets count characters from 0, the end not included.",
                line=line,
                record=record,
            )
    pieces = tuple(text[start:end] for start, end in spans)
    if said is not None and _SPACE.sub(" ", " ".join(pieces)) != _SPACE.sub(" ", said):
        raise CorpusError(
            f"mention {id} is said to be {shown(said)}, and its offsets give {shown(' '.join(pieces))}; "
            + _mend(text, said, spans),
            line=line,
            record=record,
        )
    return Entity(id, type, pieces, spans, normalized)


def check_row(row: KbRow) -> None:
    """Raises CorpusError unless every mention, token and relation of the row fits its text."""
    ids = set()
    for entity in row.entities:
        if entity.id in ids:
            raise CorpusError(f"two mentions are called {entity.id}; give each its own id.", record=row.id)
        ids.add(entity.id)
        mention(entity.id, entity.type, entity.offsets, row.text, " ".join(entity.text), record=row.id)
    for relation in row.relations:
        check_relation(relation, ids, record=row.id)
    place = 0
    for start, end in row.tokens:
        if not place <= start < end <= len(row.text):
            raise CorpusError(f"the token at {start} to {end} is out of order.", record=row.id)
        place = end


def check_relation(relation: Relation, ids, *, line: int | None = None, record: str = "") -> None:
    """Raises CorpusError where an argument of the relation is no mention among `ids`."""
    for argument in (relation.arg1_id, relation.arg2_id):
        if argument not in ids:
            raise CorpusError(
                f"relation {relation.id} names {argument}, which is no mention of this document; "
                "annotate it or take the relation out.",
                line=line,
                record=record,
            )


def shown(text: str) -> str:
    """The first characters of a mention, quoted, for a sentence about it."""
    return repr(text if len(text) <= _SHOWN else f"{text[:_SHOWN]}…")


def _mend(text: str, said: str, spans: tuple[tuple[int, int], ...]) -> str:
    start = spans[0][0]
    near = text.find(said, max(0, start - 200), start + 200 + len(said))
    if len(spans) == 1 and near >= 0 and near != start:
        return f"those words stand at {near}: offsets count characters (not bytes) from 0."
    return "offsets count characters (not bytes) from 0, the end not included."
