"""Rows by hand, for the tests of forms and templates. Every sentence is invented."""

from db.corpora.forms import Label
from db.corpora.schema import Entity, KbRow, QaRow, Relation

DISEASE = (Label("Disease", "disease"),)
BOTH = (Label("Disease", "disease"), Label("Gene", "gene"))
GAD = (Label("1", meaning="association"), Label("0", meaning="no association"))


def tagged(text: str, *mentions: tuple[str, str]) -> KbRow:
    """A row whose tokens stand between single spaces, with mentions (words, type) from left to right."""
    entities, tokens, position, start = [], [], 0, 0
    for number, (words, type) in enumerate(mentions):
        at = text.index(words, position)
        entities.append(Entity(f"T{number}", type, (words,), ((at, at + len(words)),)))
        position = at + 1
    for token in text.split(" "):
        tokens.append((start, start + len(token)))
        start += len(token) + 1
    return KbRow("row", "row", text, tuple(entities), (), tuple(tokens))


def spanned(text: str, *mentions: tuple[str, tuple[tuple[int, int], ...]], relations=()) -> KbRow:
    """A row without tokens, with mentions (type, offsets) and relations (type, head, tail) between them."""
    entities = tuple(
        Entity(f"T{number}", type, tuple(text[start:end] for start, end in offsets), offsets)
        for number, (type, offsets) in enumerate(mentions)
    )
    pairs = tuple(
        Relation(f"R{number}", type, f"T{head}", f"T{tail}")
        for number, (type, head, tail) in enumerate(relations)
    )
    return KbRow("row", "row", text, entities, pairs)


def masked(label: str) -> KbRow:
    """A sentence about @GENE$ and @DISEASE$."""
    text = "Carriers of @GENE$ developed @DISEASE$ early."
    return spanned(text, ("GENE", ((12, 18),)), ("DISEASE", ((29, 38),)), relations=((label, 0, 1),))


def choice(right: int, *choices: str, index: bool = False) -> QaRow:
    return QaRow(
        "row",
        "row",
        "Which drug?",
        "multiple_choice",
        (choices[right],),
        choices,
        answer_index=right if index else None,
    )


CANCER = tagged(
    "Cancer of the breast : a cancer of BRCA1 carriers .",
    ("Cancer of the breast", "Disease"),
    ("cancer", "Disease"),
)
