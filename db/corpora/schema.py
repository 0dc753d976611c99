"""One row of a corpus, whatever file it stood in: five shapes, with the names of the BigBIO schemas.

Readers make these, templates turn them into instructions, scorers compare a model's answer with them. Offsets
are characters of `text`, end exclusive; a reader checks that each one gives the mention's own words.
"""

from dataclasses import dataclass

from db.enums import Split


class CorpusError(ValueError):
    """A file that cannot be read as what it was said to be: one sentence, with the line or the record."""

    def __init__(self, sentence: str, *, line: int | None = None, record: str = "") -> None:
        place = f"line {line}: " if line else f"record {record}: " if record else ""
        super().__init__(f"file: {place}{sentence}")
        self.sentence, self.line, self.record = sentence, line, record


@dataclass(frozen=True)
class Entity:
    """A mention: one stretch of text, or several where it is broken up."""

    id: str
    type: str
    text: tuple[str, ...]
    offsets: tuple[tuple[int, int], ...]  # one (start, end) for each of `text`
    normalized: tuple[tuple[str, str], ...] = ()  # (database, identifier), such as ("MESH", "D003920")


@dataclass(frozen=True)
class Relation:
    """A typed pair of mentions, by the ids of the entities of the same row."""

    id: str
    type: str
    arg1_id: str
    arg2_id: str


@dataclass(frozen=True)
class KbRow:
    """A text with its mentions and relations (BigBIO "kb"): NER, RE, coreference.

    `tokens` are (start, end) offsets where the file came split into tokens, as CoNLL files do. A row that
    asks about one marked pair (ChemProt, GAD, i2b2) has those two entities, in order, and one relation.
    `marked_text` is its text with the markers round the two names, as the file asks; `text` and the offsets
    are without them. Where the markers stand *for* the names (`@GENE$`), the names are lost: `is_masked` is
    true, `text` holds the markers as words, and they are the entities.
    """

    id: str
    document_id: str
    text: str
    entities: tuple[Entity, ...] = ()
    relations: tuple[Relation, ...] = ()
    tokens: tuple[tuple[int, int], ...] = ()
    split: Split | None = None
    marked_text: str = ""
    is_masked: bool = False


@dataclass(frozen=True)
class QaRow:
    """A question (BigBIO "qa"): with choices, with a passage, or free.

    `answer` is empty where the file holds none and the reader was told to keep such rows. Of a `list`
    question it is one wording of each item, and `synonyms` the other wordings of each, in the same order.
    """

    id: str
    document_id: str
    question: str
    type: str  # multiple_choice, yesno, factoid, list, free
    answer: tuple[str, ...]  # the texts that count as right; for multiple_choice the choice's own text
    choices: tuple[str, ...] = ()
    context: str = ""
    long_answer: str = ""
    split: Split | None = None
    answer_index: int | None = None  # of a multiple_choice: choices can read the same
    synonyms: tuple[tuple[str, ...], ...] = ()
    facets: tuple[tuple[str, str], ...] = ()  # such as ("subject", "Anatomy")


@dataclass(frozen=True)
class PairsRow:
    """Two texts and what holds between them (BigBIO "te" and "pairs"): NLI by premise and hypothesis."""

    id: str
    document_id: str
    text_1: str
    text_2: str
    label: str
    split: Split | None = None


@dataclass(frozen=True)
class TextRow:
    """A text and its labels (BigBIO "text"): classification, none, one or many."""

    id: str
    document_id: str
    text: str
    labels: tuple[str, ...] = ()
    split: Split | None = None


@dataclass(frozen=True)
class T2tRow:
    """A text and the text that was made of it (BigBIO "t2t"): summaries, notes, simplified wordings."""

    id: str
    document_id: str
    text_1: str
    text_2: str
    text_1_name: str = ""
    text_2_name: str = ""
    facets: tuple[tuple[str, str], ...] = ()  # such as ("section", "MEDICATIONS")
    split: Split | None = None


Row = KbRow | QaRow | PairsRow | TextRow | T2tRow
