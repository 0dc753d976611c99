"""What a row of a corpus says, to be read: its texts with the mentions marked, its labels and answers.

Plain values only: a row comes in, blocks go out, each {"label", "parts": [{"text", "kind"}]}.
"""

from collections.abc import Iterator, Sequence
from itertools import pairwise

from db.corpora.schema import Entity, KbRow, PairsRow, QaRow, Row, T2tRow, TextRow


def annotation_blocks(row: Row) -> list[dict]:
    """The row's texts and what was annotated in them, in reading order."""
    if isinstance(row, KbRow):
        return _knowledge(row)
    if isinstance(row, QaRow):
        return _question(row)
    if isinstance(row, PairsRow):
        return [
            _block("First text", row.text_1),
            _block("Second text", row.text_2),
            _block("Label", row.label),
        ]
    if isinstance(row, TextRow):
        return [_block("Text", row.text), _block("Labels", ", ".join(row.labels) or "none")]
    return _texts(row)


def marked_parts(text: str, entities: Sequence[Entity]) -> list[dict]:
    """The text in parts; what mentions cover has their types, several where they overlap."""
    spans = [(start, end, entity.type) for entity in entities for start, end in entity.offsets]
    edges = sorted({0, len(text), *(edge for start, end, _ in spans for edge in (start, end))})
    parts = []
    for start, end in pairwise(edges):
        kinds = sorted({kind for first, last, kind in spans if first <= start and end <= last})
        parts.append({"text": text[start:end], "kind": ", ".join(kinds)})
    return parts


def _knowledge(row: KbRow) -> list[dict]:
    blocks = [{"label": "Text", "parts": marked_parts(row.text, row.entities)}]
    by_id = {entity.id: " ".join(entity.text) for entity in row.entities}
    for relation in row.relations:
        first, second = by_id.get(relation.arg1_id, "?"), by_id.get(relation.arg2_id, "?")
        blocks.append(_block("Relation", f"{first} – {relation.type} – {second}"))
    if not row.entities:
        blocks.append(_block("Mentions", "none"))
    return blocks


def _question(row: QaRow) -> list[dict]:
    blocks = [_block("Question", row.question)]
    if row.context:
        blocks.append(_block("Context", row.context))
    if row.choices:
        blocks.append({"label": "Choices", "parts": list(_choices(row))})
    else:
        blocks.append(_block("Answer", "; ".join(row.answer) or "none"))
    if row.long_answer:
        blocks.append(_block("Long answer", row.long_answer))
    return blocks


def _choices(row: QaRow) -> Iterator[dict]:
    for place, choice in enumerate(row.choices):
        right = place == row.answer_index if row.answer_index is not None else choice in row.answer
        end = "\n" if place < len(row.choices) - 1 else ""
        yield {"text": choice, "kind": "right" if right else ""}
        yield {"text": end, "kind": ""}


def _texts(row: T2tRow) -> list[dict]:
    facets = [_block(name.capitalize(), value) for name, value in row.facets]
    return [
        *facets,
        _block(row.text_1_name or "From", row.text_1),
        _block(row.text_2_name or "Made of it", row.text_2),
    ]


def _block(label: str, text: str) -> dict:
    return {"label": label[:1].upper() + label[1:], "parts": [{"text": text, "kind": ""}]}
