"""`token : TAG` lines, one a token (Llama2-MedTuned): B begins a mention, I goes on with it, O is outside.

One type is tagged B and I; several are tagged B-type and I-type. A reply is laid against the tokens in order,
never keyed by the token's word, so repeated words and tokens that hold a colon are read as what they are.
What the reply leaves out is a fault and not an O; an I that continues nothing is a fault and begins nothing.
"""

import re
from dataclasses import dataclass
from typing import ClassVar

from db.corpora.forms import tagging
from db.corpora.forms.form import CannotWrite, Label, Obstacle, check_labels, explained, listed
from db.corpora.forms.mentions import asked_mentions, is_broken_up, overlapping, token_spans
from db.corpora.forms.prediction import Fault, FaultKind, Mention, Mentions, Span
from db.corpora.schema import KbRow


@dataclass(frozen=True)
class TokenTags:
    name: ClassVar[str] = "token_tags"
    title: ClassVar[str] = "A line for each token, token : TAG (the paper's)"
    shape: ClassVar[str] = "kb"
    labelled: ClassVar[bool] = True
    tasks: ClassVar[tuple[str, ...]] = ("named_entity_recognition",)
    labels: tuple[Label, ...]

    def __post_init__(self) -> None:
        check_labels(self.labels)
        tags = [_tag_name(label).casefold() for label in self.labels]
        if "" in tags or len(set(tags)) < len(tags):
            raise ValueError("labels: two labels would have the same tag, or none; write them otherwise.")

    def constraint(self) -> str:
        lead = (
            "Answer with one line for each token, in the order of the text and with none left out, "
            "written as `token : TAG`."
        )
        if len(self.labels) == 1:
            return (
                f"{lead} TAG is B for the first token of each {self.labels[0].shown} mention, I for each "
                "further token of the same mention, and O for every other token."
            )
        names = [_tag_name(label) for label in self.labels]
        book = explained(self.labels, "Types")
        return (
            f"{lead} TAG is B-type for the first token of a mention, I-type for each further token of the "
            f"same mention, and O for every other token; type is {listed(names)}.{book}"
        )

    def input_text(self, row: KbRow) -> str:
        """The tokens joined by spaces, which is what the lines of the answer are about."""
        return " ".join(row.text[start:end] for start, end in token_spans(row))

    def write(self, row: KbRow) -> str:
        spans = token_spans(row)
        tokens = _words(row, spans)
        if not tokens:
            raise CannotWrite(Obstacle.NO_ANSWER)
        if any(not token or token != "".join(token.split()) for token in tokens):
            raise CannotWrite(Obstacle.BLANK_TOKEN)
        tags = self._tags(asked_mentions(row, self.labels), spans)
        return "\n".join(f"{token} : {tag}" for token, tag in zip(tokens, tags, strict=True))

    def gold(self, row: KbRow) -> Mentions:
        mentions = asked_mentions(row, self.labels)
        return Mentions(tuple(mentions), tags=tuple(self._tags(mentions, token_spans(row))))

    def parse(self, answer: str, row: KbRow) -> Mentions:
        spans = token_spans(row)
        tagged = tagging.read_lines(answer)
        if not tagged:
            kind = FaultKind.UNPARSABLE if answer.strip() else FaultKind.EMPTY
            return Mentions((), (Fault(kind),), (None,) * len(spans))
        lines, faults = tagging.align(tagged, _words(row, spans))
        types = [self._type_of(line, faults) for line in lines]
        mentions = _read_mentions(lines, types, spans, faults)
        tags = tuple(self._tag_of(line, type) for line, type in zip(lines, types, strict=True))
        return Mentions(tuple(mentions), tuple(faults), tags)

    def _tags(self, mentions: list[Mention], spans: tuple[Span, ...]) -> list[str]:
        if any(is_broken_up(mention) for mention in mentions):
            raise CannotWrite(Obstacle.BROKEN_UP)
        if overlapping(mentions):
            raise CannotWrite(Obstacle.OVERLAPPING)
        starts = {span[0]: position for position, span in enumerate(spans)}
        ends = {span[1]: position for position, span in enumerate(spans)}
        names = {label.name: label for label in self.labels}
        tags = ["O"] * len(spans)
        for mention in mentions:
            start, end = mention.offsets[0]
            if start not in starts or end not in ends:
                raise CannotWrite(Obstacle.INSIDE_TOKEN)
            suffix = self._suffix(names[mention.type])
            first, last = starts[start], ends[end]
            tags[first : last + 1] = ["B" + suffix] + ["I" + suffix] * (last - first)
        return tags

    def _suffix(self, label: Label) -> str:
        return f"-{_tag_name(label)}" if len(self.labels) > 1 else ""

    def _type_of(self, line: tagging.Tagged | None, faults: list[Fault]) -> str | None:
        """The corpus's type a line names; None for O, for no line, and for a type nobody asked for."""
        if line is None or line.prefix == "O":
            return None
        if not line.type and len(self.labels) == 1:
            return self.labels[0].name
        wanted = line.type.casefold()
        for label in self.labels:
            if wanted in (_tag_name(label).casefold(), label.name.casefold(), label.shown.casefold()):
                return label.name
        faults.append(Fault(FaultKind.UNKNOWN_LABEL, line.type or line.prefix))
        return None

    def _tag_of(self, line: tagging.Tagged | None, type: str | None) -> str | None:
        if line is None or (type is None and line.prefix != "O"):
            return None
        return line.prefix if type is None or len(self.labels) == 1 else f"{line.prefix}-{self._shown(type)}"

    def _shown(self, type: str) -> str:
        return next(_tag_name(label) for label in self.labels if label.name == type)


def _read_mentions(
    lines: list[tagging.Tagged | None], types: list[str | None], spans: tuple[Span, ...], faults: list[Fault]
) -> list[Mention]:
    """Mentions of the tagged tokens by IOB2: only a B begins one, and the next token's I goes on with it."""
    mentions: list[Mention] = []
    open_type: str | None = None
    for line, type, (start, end) in zip(lines, types, spans, strict=True):
        if line is None or type is None:
            open_type = None
        elif line.prefix == "B":
            mentions.append(Mention(type, ((start, end),)))
            open_type = type
        elif open_type == type:
            mentions[-1] = Mention(type, ((mentions[-1].offsets[0][0], end),))
        else:
            faults.append(Fault(FaultKind.BROKEN, f"{line.token} : I"))
            open_type = None
    return mentions


def _words(row: KbRow, spans: tuple[Span, ...]) -> list[str]:
    return [row.text[start:end] for start, end in spans]


def _tag_name(label: Label) -> str:
    return re.sub(r"[^\w./-]+", "_", label.shown).strip("_./-")
