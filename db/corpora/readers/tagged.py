"""IOB, IOB2 (BIO) and IOBES in TSV and CoNLL: a token a line with its tag, a blank line between sentences.

    Familial        O
    breast          B-Disease
    cancer          I-Disease

The text of a row is its tokens joined by one space: what stood between them, the format does not say.
"""

import re
from collections.abc import Iterable, Iterator
from functools import lru_cache
from itertools import chain
from pathlib import Path
from typing import NamedTuple

from db.corpora.readers.formats import ENCODING, SPLIT, Format, Head, Option, Options
from db.corpora.readers.records import Record
from db.corpora.readers.text import lines
from db.corpora.schema import CorpusError, Entity, KbRow

_DELIMITERS = {"tab": "\t", "comma": ",", "semicolon": ";", "bar": "|"}
MAX_TOKENS = 100_000  # of one sentence; a file without blank lines is no tagged text
_BEGIN, _INSIDE, _END, _SINGLE = "B", "I", "E", "S"
_LETTERS = {"B": _BEGIN, "I": _INSIDE, "M": _INSIDE, "E": _END, "L": _END, "S": _SINGLE, "U": _SINGLE}
_TAG = re.compile(r"(?:O|[BIMELSU](?:[-_](?P<type>\S.*))?)\Z")
_NAMED_DOCUMENT = re.compile(r"(?:-DOCSTART-|###MEDLINE:|#\s*newdoc(?: id)?\s*=?)\s*(?P<rest>.*)\Z")
_REMARK = re.compile(r"#\s*(?:sent_id|text|newpar|global\.columns)\b.*=")


class _Token(NamedTuple):
    line: int
    text: str
    letter: str  # O, or one of the four
    type: str


class _Columns(NamedTuple):
    """Where the token and the tag stand in a line."""

    token: int
    tag: int
    delimiter: str | None
    type: str

    @classmethod
    def of(cls, options: Options) -> "_Columns":
        return cls(
            int(options["token_column"]),
            int(options["tag_column"]),
            _DELIMITERS.get(options["delimiter"]),
            options["type"],
        )


class _Sentence(NamedTuple):
    document_id: str
    tokens: list[_Token]


def read_tagged(path: Path, options: Options) -> Iterator[KbRow]:
    """One row a sentence. Raises CorpusError, by line, for a tag that breaks the scheme."""
    scheme = options["scheme"] if options["scheme"] != "auto" else _scheme(_sentences(path, options))
    for number, sentence in enumerate(_sentences(path, options), start=1):
        yield _row(number, sentence, scheme)


def rows_of_tokens(records: Iterable[Record], options: Options) -> Iterator[KbRow]:
    """One row a record that is split into `tokens` with their `tags`, as datasets of the Hub are.

    Tags are IOB2 unless `scheme` says otherwise. Raises CorpusError, by record, as `read_tagged` by line.
    """
    columns = _Columns.of(options)
    scheme = options["scheme"] if options["scheme"] != "auto" else "IOB2"
    for number, record in enumerate(records, start=1):
        words, tags = record.texts("tokens"), record.texts("tags")
        if len(words) != len(tags) or not words:
            raise record.fault(f"{len(words)} tokens and {len(tags)} tags; give each token one tag.")
        try:
            tokens = [_tagged(number, *pair, columns) for pair in zip(words, tags, strict=True)]
            yield _row(number, _Sentence(record.text("document_id", default="row"), tokens), scheme)
        except CorpusError as error:
            raise record.fault(error.sentence) from None


def broken_lines(path: Path, options: Options) -> Iterator[CorpusError]:
    """Every line that is no token with a tag, and of each other sentence the first tag that breaks it."""
    columns, faults = _Columns.of(options), []

    def whole() -> Iterator[_Sentence]:
        """The sentences whose lines are all tokens; what is wrong with the others is noted on the way."""
        faults.clear()
        tokens, is_whole = [], True
        for number, line in chain(lines(path, options["encoding"]), [(0, "")]):
            is_mark = line[:1] in "-#" and (_NAMED_DOCUMENT.match(line) or _REMARK.match(line))
            if is_mark or not line.strip():
                if tokens and is_whole:
                    yield _Sentence("", tokens)
                tokens, is_whole = [], True
                continue
            try:
                tokens.append(_token(number, line, columns))
            except CorpusError as error:
                is_whole = False
                faults.append(error)

    scheme = options["scheme"]
    if scheme == "auto":
        try:
            scheme = _scheme(whole())
        except CorpusError:
            scheme = "IOB2"  # mentions begin both ways: those that begin with I are the rarer mistake
    for sentence in whole():
        yield from faults
        faults.clear()
        try:
            _row(0, sentence, scheme)
        except CorpusError as error:
            yield error
    yield from faults


def _sentences(path: Path, options: Options) -> Iterator[_Sentence]:
    document = path.name.partition(".")[0]
    tokens: list[_Token] = []
    columns = _Columns.of(options)
    for number, line in lines(path, options["encoding"]):
        mark = _NAMED_DOCUMENT.match(line) if line[:1] in "-#" else None
        if mark or not line.strip() or (line[:1] == "#" and _REMARK.match(line)):
            if tokens:
                yield _Sentence(document, tokens)
                tokens = []
            document = _document(mark["rest"], document) if mark else document
        else:
            tokens.append(_token(number, line, columns))
            if len(tokens) > MAX_TOKENS:
                raise CorpusError(
                    f"a sentence of more than {MAX_TOKENS:,} tokens; put blank lines between sentences.",
                    line=number,
                )
    if tokens:
        yield _Sentence(document, tokens)


def _document(rest: str, before: str) -> str:
    """The document's name behind its mark, where there is one: `-DOCSTART- (9870) -X- O` has 9870."""
    words = [word.strip("()") for word in rest.split()]
    return next((word for word in words if word not in ("", "O", "-X-", "_")), before)


def _token(number: int, line: str, columns: _Columns) -> _Token:
    cells = line.split(columns.delimiter or ("\t" if "\t" in line else None))
    if len(cells) < 2:
        raise CorpusError("a token without a tag; write the token, a tab and its tag.", line=number)
    try:
        text, tag = cells[columns.token].strip(" "), cells[columns.tag].strip()
    except IndexError:
        raise CorpusError(f"{len(cells)} columns, too few for the token and its tag.", line=number) from None
    return _tagged(number, text, tag, columns)


def _tagged(number: int, text: str, tag: str, columns: _Columns) -> _Token:
    if not text:
        raise CorpusError("a tag without a token; write the token in front of it.", line=number)
    parsed = _parsed_tag(tag)
    if not parsed:
        raise CorpusError(f"{tag[:30]!r} is no tag; write O, B-Type or I-Type.", line=number)
    letter, kind = parsed
    kind = kind or ("" if letter == "O" else columns.type)
    if letter != "O" and not kind:
        raise CorpusError(f"the tag {tag} names no type; say it, such as type=Disease.", line=number)
    return _Token(number, text, letter, kind)


@lru_cache(maxsize=1000)
def _parsed_tag(tag: str) -> tuple[str, str] | None:
    """The letter and the type of a tag; a file has few of them and many tokens."""
    found = _TAG.match(tag)
    return (_LETTERS.get(tag[0], "O"), found["type"] or "") if found else None


# The scheme -------------------------------------------------------------------------------------------


def _scheme(sentences: Iterator[_Sentence]) -> str:
    """IOBES where an E or S stands; IOB1 where mentions begin with I, B only behind their like; else IOB2.

    Raises CorpusError where mentions begin both ways, for then one of the tags is wrong.
    """
    lone_inside, free_begin = None, None
    for sentence in sentences:
        before = _Token(0, "", "O", "")
        for token in sentence.tokens:
            if token.letter in (_END, _SINGLE):
                return "IOBES"
            is_behind_its_like = before.type == token.type
            if token.letter == _INSIDE and not is_behind_its_like:
                lone_inside = lone_inside or token
            elif token.letter == _BEGIN and not is_behind_its_like:
                free_begin = free_begin or token
            before = token
    if lone_inside and free_begin:
        raise _broken(lone_inside)
    return "IOB1" if lone_inside else "IOB2"


def _broken(token: _Token) -> CorpusError:
    return CorpusError(
        f"I-{token.type} continues no {token.type}; begin the mention with B-{token.type}, "
        "or read with scheme=IOB1 if I may begin one.",
        line=token.line,
    )


# Rows -------------------------------------------------------------------------------------------------


def _row(number: int, sentence: _Sentence, scheme: str) -> KbRow:
    offsets, place = [], 0
    for token in sentence.tokens:
        offsets.append((place, place + len(token.text)))
        place += len(token.text) + 1
    text = " ".join(token.text for token in sentence.tokens)
    spans = _spans_of_iobes(sentence.tokens) if scheme == "IOBES" else _spans(sentence.tokens, scheme)
    entities = tuple(
        Entity(f"T{n}", sentence.tokens[first].type, (text[start:end],), ((start, end),))
        for n, (first, last) in enumerate(spans, start=1)
        for start, end in [(offsets[first][0], offsets[last][1])]
    )
    return KbRow(
        f"{sentence.document_id}-{number}", sentence.document_id, text, entities, tokens=tuple(offsets)
    )


def _spans(tokens: list[_Token], scheme: str) -> list[tuple[int, int]]:
    """The first and last token of each mention."""
    spans: list[tuple[int, int]] = []
    for n, token in enumerate(tokens):
        continues = token.letter == _INSIDE and n > 0 and tokens[n - 1].type == token.type
        if token.letter in (_END, _SINGLE):
            raise CorpusError(f"E and S are no tags of {scheme}; read with scheme=IOBES.", line=token.line)
        if continues:
            spans[-1] = (spans[-1][0], n)
        elif token.letter == _INSIDE and scheme == "IOB2":
            raise _broken(token)
        elif token.letter != "O":
            spans.append((n, n))
    return spans


def _spans_of_iobes(tokens: list[_Token]) -> list[tuple[int, int]]:
    spans: list[tuple[int, int]] = []
    begun: int | None = None
    for n, token in enumerate(tokens):
        if token.letter in (_INSIDE, _END):
            if begun is None or tokens[begun].type != token.type:
                raise _unbegun(token)
            if token.letter == _END:
                spans.append((begun, n))
                begun = None
            continue
        if begun is not None:
            raise _unended(tokens[begun])
        if token.letter == _BEGIN:
            begun = n
        elif token.letter == _SINGLE:
            spans.append((n, n))
    if begun is not None:
        raise _unended(tokens[begun])
    return spans


def _unbegun(token: _Token) -> CorpusError:
    return CorpusError(
        f"{token.letter}-{token.type} continues no {token.type}; begin the mention with B-{token.type}.",
        line=token.line,
    )


def _unended(token: _Token) -> CorpusError:
    return CorpusError(
        f"the {token.type} that begins here is never ended; close it with E-{token.type}, "
        "or tag a single token S.",
        line=token.line,
    )


def _fits(head: Head) -> bool:
    """Two lines of three, at least, have a token and a tag, and one of them is a mention's."""
    tagged = [line.split()[-1] for line in head.text.splitlines()[:200] if len(line.split()) > 1]
    good = [tag for tag in tagged if _TAG.match(tag)]
    return head.kind in ("lines", "records") and len(good) > 2 and 3 * len(good) >= 2 * len(tagged)


TAGGED = Format(
    "iob",
    "Tagged tokens (IOB, BIO, IOBES)",
    "Mentions: a token a line with its tag, a blank line between sentences (TSV, CoNLL).",
    KbRow,
    (".tsv", ".conll", ".iob", ".bio", ".txt"),
    read_tagged,
    _fits,
    (
        Option("type", "The type of mentions whose tags name none (plain B and I), such as Disease."),
        Option("scheme", "How tags begin and end a mention.", "auto", ("auto", "IOB1", "IOB2", "IOBES")),
        Option("token_column", "The token's column, from 0; -1 is the last.", "0", kind="number"),
        Option("tag_column", "The tag's column, from 0; -1 is the last.", "-1", kind="number"),
        Option(
            "delimiter",
            "What stands between columns; told line by line unless given.",
            choices=("", *_DELIMITERS),
        ),
        ENCODING,
        SPLIT,
    ),
    rows=rows_of_tokens,
    broken=broken_lines,
)
FORMATS = (TAGGED,)
