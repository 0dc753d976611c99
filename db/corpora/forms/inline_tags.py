"""The text itself with tags around its mentions: `<disease>cystic fibrosis</disease>`.

The text's own &, < and > are written as entities, as in XML. Mentions may lie inside one another, but neither
cross nor be broken up. A reply that changed the text is aligned word by word; a mention counts where its
words are the text's own.
"""

import difflib
import re
from dataclasses import dataclass
from typing import ClassVar

from db.corpora.forms import reply
from db.corpora.forms.form import CannotWrite, Label, Obstacle, check_labels, explained, listed
from db.corpora.forms.locating import Locator, squeezed
from db.corpora.forms.mentions import asked_mentions, is_broken_up
from db.corpora.forms.prediction import Fault, FaultKind, Mention, Mentions, Span
from db.corpora.schema import KbRow

_ESCAPES = {"&": "&amp;", "<": "&lt;", ">": "&gt;"}
_SIGNS = {"&amp;": "&", "&lt;": "<", "&gt;": ">", "&quot;": '"', "&apos;": "'", "&#39;": "'"}
_ENTITY = re.compile("|".join(_SIGNS))
_ANY_TAG = re.compile(r"<(/?)\s*([A-Za-z][\w.-]*)\s*>")
_WORD = re.compile(r"\w+|[^\w\s]")


@dataclass(frozen=True)
class InlineTags:
    name: ClassVar[str] = "inline_tags"
    title: ClassVar[str] = "The text with tags around its mentions"
    shape: ClassVar[str] = "kb"
    labelled: ClassVar[bool] = True
    tasks: ClassVar[tuple[str, ...]] = ("named_entity_recognition",)
    labels: tuple[Label, ...]

    def __post_init__(self) -> None:
        check_labels(self.labels)
        tags = [_tag(label) for label in self.labels]
        if any(not re.match("[a-z]", tag) for tag in tags) or len(set(tags)) < len(tags):
            raise ValueError("labels: each needs a tag of its own that begins with a letter from a to z.")

    def constraint(self) -> str:
        tags = listed([f"<{_tag(label)}>...</{_tag(label)}>" for label in self.labels])
        book = explained(self.labels, "Types")
        return (
            f"Answer with the whole text, unchanged, and put {tags} around each mention; write the text's "
            f"own &, < and > as &amp;, &lt; and &gt;.{book}"
        )

    def write(self, row: KbRow) -> str:
        if not row.text.strip():
            raise CannotWrite(Obstacle.NO_ANSWER)
        tags = {label.name: _tag(label) for label in self.labels}
        mentions = asked_mentions(row, self.labels)
        if any(is_broken_up(mention) for mention in mentions):
            raise CannotWrite(Obstacle.BROKEN_UP)
        mentions.sort(key=lambda mention: (mention.offsets[0][0], -mention.offsets[0][1]))
        written, position, open_until = [], 0, []
        for mention in mentions:
            start, end = mention.offsets[0]
            position = _close(row.text, written, position, open_until, start)
            if open_until and end > open_until[-1][0]:
                raise CannotWrite(Obstacle.CROSSING)
            written += [_escaped(row.text[position:start]), f"<{tags[mention.type]}>"]
            position = start
            open_until.append((end, tags[mention.type]))
        position = _close(row.text, written, position, open_until, len(row.text))
        return "".join([*written, _escaped(row.text[position:])])

    def gold(self, row: KbRow) -> Mentions:
        return Mentions(tuple(asked_mentions(row, self.labels)))

    def parse(self, answer: str, row: KbRow) -> Mentions:
        body = reply.body(answer)
        if not body:
            return Mentions((), (Fault(FaultKind.EMPTY),))
        faults: list[Fault] = []
        plain, tagged = self._untag(body, row.text, faults)
        aligned = _Aligned(plain, row.text)
        if not aligned.is_copy and not tagged:
            return Mentions((), (Fault(FaultKind.UNPARSABLE),))
        found = []
        for span, type in tagged:
            place = aligned.place(span, type)
            if place is None:
                faults.append(Fault(FaultKind.INVENTED, plain[slice(*span)]))
            else:
                found.append(Mention(type, (place,)))
        if aligned.left_out:
            faults.append(Fault(FaultKind.MISSING, f"{aligned.left_out} words of the text"))
        return Mentions(tuple(sorted(set(found), key=lambda m: (m.offsets, m.type))), tuple(faults))

    def _untag(self, body: str, text: str, faults: list[Fault]) -> tuple[str, list[tuple[Span, str]]]:
        """The text without its tags, and the spans in it that the tags were around, with their types."""
        types = {form.casefold(): label.name for label in self.labels for form in (_tag(label), label.name)}
        plain, length, position = [], 0, 0
        opened: list[tuple[int, str]] = []
        closed: list[tuple[Span, str]] = []
        for tag in _ANY_TAG.finditer(body):
            type = types.get(tag[2].casefold())
            if type is None and tag[0] in text:
                continue  # the text's own, left as it was
            piece = _unescaped(body[position : tag.start()])
            plain.append(piece)
            length += len(piece)
            position = tag.end()
            if type is None:
                faults += [] if tag[1] else [Fault(FaultKind.UNKNOWN_LABEL, tag[2])]
            elif not tag[1]:
                opened.append((length, type))
            elif any(open_type == type for _, open_type in opened):
                at = max(i for i, (_, open_type) in enumerate(opened) if open_type == type)
                start, _ = opened.pop(at)
                closed.append(((start, length), type))
            else:
                faults.append(Fault(FaultKind.BROKEN, tag[0]))
        plain.append(_unescaped(body[position:]))
        faults += [Fault(FaultKind.BROKEN, f"<{type}>") for _, type in opened]
        return "".join(plain), closed


class _Aligned:
    """A reply's copy of a text laid against the text."""

    def __init__(self, plain: str, text: str) -> None:
        self.plain, self.text = plain, text
        self.left_out = 0
        self._locator = Locator(text)
        self._shift = len(text) - len(text.lstrip()) - (len(plain) - len(plain.lstrip()))
        self._same = plain.strip() == text.strip()
        self._map: dict[int, Span] = {}
        self.is_copy = True
        if not self._same:
            self._align()

    def place(self, span: Span, type: str) -> Span | None:
        """Where in the text a span of the copy stands; None where the text has no such words there."""
        if self._same:
            return (span[0] + self._shift, span[1] + self._shift) if span[0] < span[1] else None
        words = [found.start() for found in _WORD.finditer(self.plain, *span)]
        if words and words[0] in self._map and words[-1] in self._map:
            place = (self._map[words[0]][0], self._map[words[-1]][1])
            if squeezed(self.text[slice(*place)])[0] == squeezed(self.plain[slice(*span)])[0]:
                self._locator.take(place, type)
                return place
        place = self._locator.next(self.plain[slice(*span)].strip(), type)
        if place:
            self._locator.take(place, type)
        return place

    def _align(self) -> None:
        """Map the start of each word of the copy to the word of the text that it is."""
        said = [found.span() for found in _WORD.finditer(self.plain)]
        true = [found.span() for found in _WORD.finditer(self.text)]
        words = [[text[slice(*span)].casefold() for span in spans]
                 for text, spans in ((self.plain, said), (self.text, true))]  # fmt: skip
        matched = 0
        for block in difflib.SequenceMatcher(None, *words, autojunk=False).get_matching_blocks():
            matched += block.size
            for i in range(block.size):
                self._map[said[block.a + i][0]] = true[block.b + i]
        self.left_out = len(true) - matched
        self.is_copy = self.left_out <= matched
        if not self.is_copy:
            self._map.clear()  # too little of the text to be laid against it; its mentions are looked for


def _close(text: str, written: list[str], position: int, opened: list[tuple[int, str]], until: int) -> int:
    """Write the end tags of the mentions that end at or before `until`; the position reached."""
    while opened and opened[-1][0] <= until:
        end, tag = opened.pop()
        written += [_escaped(text[position:end]), f"</{tag}>"]
        position = end
    return position


def _escaped(text: str) -> str:
    for sign, entity in _ESCAPES.items():
        text = text.replace(sign, entity)
    return text


def _unescaped(text: str) -> str:
    return _ENTITY.sub(lambda found: _SIGNS[found[0]], text) if "&" in text else text


def _tag(label: Label) -> str:
    return re.sub(r"[^\w.-]+", "_", label.shown).strip("_.-").lower()
