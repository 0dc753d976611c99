"""The lines of a `token : TAG` answer laid against the tokens of a text, in order."""

import difflib
import re
import unicodedata
from dataclasses import dataclass

from db.corpora.forms import reply
from db.corpora.forms.prediction import Fault, FaultKind

_TAG = r"(?:[BIESLU](?:[-_][\w./-]*\w)?|O)"
_LINE = re.compile(
    rf"^(?P<token>.*\S)\s*(?:[:|\t]|[-=]>)\s*[*`\"']*(?P<tag>{_TAG})[*`\"'.,;]*$", re.IGNORECASE
)
_BARE = re.compile(rf"^(?P<token>\S+)\s+(?P<tag>{_TAG})$")
_RUN = re.compile(r"(?<!\S)(?P<token>\S+)\s*:\s*(?P<tag>[BIESLU](?:[-_][\w./-]*\w)?|O)(?=[\s,;]|$)")
_PREFIX = {"E": "I", "L": "I", "S": "B", "U": "B"}  # IOBES and BILOU say in another way what B and I say


@dataclass(frozen=True)
class Tagged:
    """A token as the reply wrote it, its prefix (B, I or O) and the type it named, if any."""

    token: str
    prefix: str
    type: str = ""


def read_lines(answer: str) -> list[Tagged]:
    """The lines of a reply that give a token and a tag, in order; prose is passed over."""
    found = []
    for line in reply.lines(reply.body(answer)):
        run = list(_RUN.finditer(line))
        matches = run if len(run) > 1 else [_LINE.match(line) or _BARE.match(line)]
        found += [_tagged(match["token"], match["tag"]) for match in matches if match]
    return found


def align(tagged: list[Tagged], tokens: list[str]) -> tuple[list[Tagged | None], list[Fault]]:
    """For each token of the text the line that is about it, or None, and the faults of the reply.

    Lines and tokens are matched in order: what both begin with, what both end with, and between these the
    longest stretches they share. A repeated word therefore gets its own line, and a line too many or too few
    shifts nothing. A token that the reply split or joined gets the tag of the line its first letter is in.
    """
    known = {_plain(token) for token in tokens}
    said = [_spoken(line.token, known) for line in tagged]
    true = [_plain(token) for token in tokens]
    chosen: list[Tagged | None] = [None] * len(tokens)
    faults: list[Fault] = []
    for said_from, said_to, true_from, true_to, same in _blocks(said, true):
        if same:
            chosen[true_from:true_to] = tagged[said_from:said_to]
            continue
        here, there = said[said_from:said_to], true[true_from:true_to]
        if here and "".join(here) == "".join(there):
            chosen[true_from:true_to] = _by_letters(tagged[said_from:said_to], here, there)
            continue
        faults += [Fault(FaultKind.MISSING, token) for token in tokens[true_from:true_to]]
        for line, token in zip(tagged[said_from:said_to], here, strict=True):
            kind = FaultKind.REPEATED if token in known else FaultKind.INVENTED
            faults.append(Fault(kind, line.token))
    return chosen, faults


def _tagged(token: str, tag: str) -> Tagged:
    prefix = tag[0].upper()
    return Tagged(token.strip(), _PREFIX.get(prefix, prefix), tag[2:].strip())


def _plain(token: str) -> str:
    return re.sub(r"\s+", "", unicodedata.normalize("NFKC", token)).casefold()


def _spoken(token: str, known: set[str]) -> str:
    """The token a line is about: as written, else without its bullet, else without quotes and emphasis."""
    bare = reply.without_bullet(token)
    forms = [_plain(form) for form in (token, bare, bare.strip("\"'`*"))]
    return next((form for form in forms if form in known), forms[-1] or forms[0])


def _blocks(said: list[str], true: list[str]) -> list[tuple[int, int, int, int, bool]]:
    """(said from, said to, true from, true to, alike): the whole of both lists in order, gap after match."""
    shorter = min(len(said), len(true))
    head = next((i for i in range(shorter) if said[i] != true[i]), shorter)
    rest = shorter - head
    tail = next((i for i in range(rest) if said[-1 - i] != true[-1 - i]), rest)
    middle = said[head : len(said) - tail], true[head : len(true) - tail]
    blocks = [(0, head, 0, head, True)]
    for same in difflib.SequenceMatcher(None, *middle, autojunk=False).get_matching_blocks():
        said_at, true_at = head + same.a, head + same.b
        blocks.append((blocks[-1][1], said_at, blocks[-1][3], true_at, False))
        blocks.append((said_at, said_at + same.size, true_at, true_at + same.size, True))
    blocks.append((len(said) - tail, len(said), len(true) - tail, len(true), True))
    return blocks


def _by_letters(lines: list[Tagged], said: list[str], true: list[str]) -> list[Tagged]:
    """The line in which the first letter of each token stands, where both lists spell the same."""
    owner = [line for line, word in zip(lines, said, strict=True) for _ in word]
    starts = [sum(map(len, true[:position])) for position in range(len(true))]
    return [owner[start] for start in starts]
