"""What a person types into a search box: parsed, matched by full text, marked in what was found.

The syntax is small and nothing in it can fail: words must all occur, "words in quotes" as one phrase, -word
not at all, hepat* as the start of a word, task:ner in one field. The last word counts as a start while it is
being typed. Everything else is text: no operator of SQLite's query language gets through.

SQLite answers from the table `instruction_search` (FTS5, see migration 0003; accents and case do not count).
Any other database answers with ILIKE, which finds parts of words too and does not rank.
"""

import re
import unicodedata
from collections.abc import Iterator
from dataclasses import dataclass, replace

from sqlalchemy import (
    Boolean,
    ColumnElement,
    Float,
    Integer,
    String,
    and_,
    cast,
    column,
    literal,
    literal_column,
    not_,
    or_,
    table,
)
from sqlalchemy.ext.compiler import compiles
from sqlalchemy.sql.functions import FunctionElement

from db.tables import Instruction

FIELDS = ("instruction", "input", "output", "task", "specialty", "tags", "source")
WEIGHTS = (4.0, 1.0, 2.0, 3.0, 3.0, 3.0, 1.0)  # of bm25, field by field: a hit in the question counts most
MAX_TERMS = 16

# The table of full text, for statements that walk it themselves (SQLite only); one column is FTS5's own.
SEARCH = table("instruction_search", column("rowid", Integer), column("instruction_search", String))
RANK = literal_column(f"bm25(instruction_search, {', '.join(map(str, WEIGHTS))})", Float)

_ALIASES = {"tag": "tags", "question": "instruction", "answer": "output"}
_PIECE = re.compile(r'(-)?(?:([a-z]+):)?(?:"([^"]*)("?)|([^\s"]+))', re.IGNORECASE)
_TOKEN = re.compile(r"(?:[^\W_]|[\u0300-\u036f])+")


@dataclass(frozen=True)
class Term:
    """One thing looked for: its words, where, and whether the last word may go on."""

    tokens: tuple[str, ...]
    field: str = ""  # "" looks everywhere
    is_prefix: bool = False
    is_excluded: bool = False

    @property
    def expression(self) -> str:
        """The term in FTS5's language: a quoted phrase, in which nothing is an operator."""
        where = f"{self.field} : " if self.field else ""
        return f'{where}"{" ".join(self.tokens)}"{"*" if self.is_prefix else ""}'


@dataclass(frozen=True)
class Words:
    """A parsed search. False when it looks for nothing."""

    terms: tuple[Term, ...] = ()

    def __bool__(self) -> bool:
        return bool(self.terms)

    @property
    def wanted(self) -> tuple[Term, ...]:
        return tuple(term for term in self.terms if not term.is_excluded)

    @property
    def excluded(self) -> tuple[Term, ...]:
        return tuple(term for term in self.terms if term.is_excluded)

    @property
    def expression(self) -> str:
        """All of it in FTS5's language; "" when nothing is wanted, only excluded."""
        wanted = " AND ".join(term.expression for term in self.wanted)
        unwanted = " OR ".join(term.expression for term in self.excluded)
        return f"({wanted}) NOT ({unwanted})" if wanted and unwanted else wanted


def parse(text: str) -> Words:
    """The terms of what was typed; never raises."""
    text = text.replace("\0", " ").encode("utf-8", "ignore").decode("utf-8")
    pieces = [piece for piece in _PIECE.finditer(text) if piece.group() != "AND"]
    terms = [_term(piece) for piece in pieces[: 2 * MAX_TERMS]]
    if terms and pieces[-1].group(5) and pieces[-1].end() == len(text):
        terms[-1] = replace(terms[-1], is_prefix=True)
    return Words(tuple(_sound(terms))[:MAX_TERMS])


def phrase(text: str, field: str) -> Words:
    """The words of `text`, side by side in `field`; nothing when it holds no word."""
    return Words(tuple(_sound([Term(tuple(_tokens(text)), field)])))


def both(left: Words, right: Words) -> Words:
    return Words(left.terms + right.terms)


def contains(words: Words) -> list[ColumnElement[bool]]:
    """The conditions that say `words` of an instruction, in the language of whichever database runs them."""
    if not words.wanted:
        return [not_(_full_text(term.expression, _ilike(term))) for term in words.excluded]
    unwanted = (not_(_ilike(term)) for term in words.excluded)
    return [_full_text(words.expression, and_(*map(_ilike, words.wanted), *unwanted))]


def found_by(words: Words) -> ColumnElement[bool]:
    """`contains` as a condition on SEARCH. `words` must want something."""
    return SEARCH.c.instruction_search.op("MATCH")(literal(words.expression, String))


def highlight(text: str, words: Words, field: str = "") -> list[dict[str, str | bool]]:
    """`text` in parts {"text", "mark"}: what was found is marked. Joined, the parts are the text again."""
    parts, at = [], 0
    for start, end in _spans(text, words, field):
        parts += [{"text": text[at:start], "mark": False}, {"text": text[start:end], "mark": True}]
        at = end
    return [part for part in [*parts, {"text": text[at:], "mark": False}] if part["text"]]


def excerpt(row, words: Words, *, characters: int = 240) -> tuple[str, list[dict[str, str | bool]]]:
    """(field, parts): a stretch of the first field in which something was found, else of the instruction."""
    for field in ("instruction", "input", "output"):
        first = next(_spans(getattr(row, field), words, field), None)
        if first:
            return field, highlight(_around(getattr(row, field), first[0], characters), words, field)
    return "instruction", highlight(_around(row.instruction, 0, characters), words, "instruction")


class _FullText(FunctionElement[bool]):
    """A condition in two languages: (id, expression) for SQLite, a plain condition for the others."""

    type = Boolean()
    inherit_cache = True


@compiles(_FullText, "sqlite")
def _match(element: _FullText, compiler, **options) -> str:
    id, expression, _ = (compiler.process(part, **options) for part in element.clauses)
    return f"{id} IN (SELECT rowid FROM instruction_search WHERE instruction_search MATCH {expression})"


@compiles(_FullText)
def _plainly(element: _FullText, compiler, **options) -> str:
    return f"({compiler.process(list(element.clauses)[2], **options)})"


def _full_text(expression: str, plain: ColumnElement[bool]) -> _FullText:
    return _FullText(Instruction.id, literal(expression, String), plain)


def _ilike(term: Term) -> ColumnElement[bool]:
    fields = [term.field] if term.field else FIELDS
    text = " ".join(term.tokens)
    return or_(
        *(cast(getattr(Instruction, field), String).icontains(text, autoescape=True) for field in fields)
    )


def _term(piece: re.Match) -> Term:
    minus, named, quoted, _, word = piece.groups()
    text = word if quoted is None else quoted
    field = _ALIASES.get((named or "").lower(), (named or "").lower())
    if named and field not in FIELDS:
        field, text = "", f"{named} {text}"
    return Term(tuple(_tokens(text)), field, bool(word and word.endswith("*")), bool(minus))


def _sound(terms: list[Term]) -> Iterator[Term]:
    """Those with a word in them. One letter is no start of a word: it would match every record."""
    for term in terms:
        if term.tokens:
            yield replace(term, is_prefix=term.is_prefix and len(term.tokens[-1]) > 1)


def _tokens(text: str) -> list[str]:
    return _TOKEN.findall(text)


def _fold(token: str) -> str:
    plain = unicodedata.normalize("NFD", token)
    return "".join(letter for letter in plain if not unicodedata.combining(letter)).casefold()


def _spans(text: str, words: Words, field: str) -> Iterator[tuple[int, int]]:
    """(start, end) of every hit in `text`, in order, none overlapping another."""
    looked_for = [
        ([_fold(token) for token in term.tokens], term.is_prefix)
        for term in words.wanted
        if not (term.field and field and term.field != field)
    ]
    if not looked_for:
        return
    found = [(_fold(match.group()), match.start(), match.end()) for match in _TOKEN.finditer(text)]
    place = 0
    while place < len(found):
        lengths = [len(sought) for sought, open_end in looked_for if _is_at(found, place, sought, open_end)]
        if lengths:
            yield found[place][1], found[place + max(lengths) - 1][2]
        place += max(lengths, default=1)


def _is_at(found: list[tuple[str, int, int]], place: int, sought: list[str], open_end: bool) -> bool:
    here = [token for token, _, _ in found[place : place + len(sought)]]
    if len(here) < len(sought) or here[:-1] != sought[:-1]:
        return False
    return here[-1].startswith(sought[-1]) if open_end else here[-1] == sought[-1]


def _around(text: str, start: int, characters: int) -> str:
    """`characters` of the text, so that what begins at `start` is among them."""
    begin = 0 if start < characters * 2 // 3 else text.rfind(" ", 0, start - characters // 4) + 1
    cut = text[begin : begin + characters]
    return ("…" if begin else "") + cut + ("…" if begin + characters < len(text) else "")
