"""What an encoder's head is to say of a row, taken from the form in which the task's answers are written.

An encoder says only what a closed set of labels can say: a tag a word, a label a text, a label a pair. What
it said becomes the row's own annotation, which the task's form writes as an answer: it is read and scored as
a language model's answer is.
"""

from dataclasses import dataclass, replace

from db.corpora.forms import CannotWrite, OutputForm
from db.corpora.forms.mentions import asked_mentions, is_broken_up, token_spans
from db.corpora.forms.prediction import Mention, Mentions, Span
from db.corpora.schema import Entity, KbRow, PairsRow, QaRow, Row, TextRow
from db.encoder_heads import Head

OUTSIDE = "O"


@dataclass(frozen=True)
class Tagging:
    """One tag a word, and how many mentions no tags can say: broken up, or under a longer one."""

    tags: tuple[str, ...]
    unsaid: int


def tags_of(head: Head) -> tuple[str, ...]:
    """O, then B and I of each label: what a token head chooses from."""
    return (OUTSIDE, *(f"{prefix}-{label}" for label in head.labels for prefix in "BI"))


def words_of(row: KbRow) -> tuple[Span, ...]:
    """Where the words stand that get a tag each: the file's own tokens, else words and single signs."""
    return token_spans(row)


def tag(row: KbRow, form: OutputForm) -> Tagging:
    """The right tags of a row's words. Of mentions that share a word the longest is tagged.

    A mention that begins or ends inside a word takes the whole word: tags can say no less.
    """
    words = words_of(row)
    tags, unsaid = [OUTSIDE] * len(words), 0
    for mention in sorted(asked_mentions(row, form.labels), key=_longest_first):
        start, end = mention.offsets[0]
        inside = [at for at, word in enumerate(words) if word[0] < end and start < word[1]]
        if is_broken_up(mention) or not inside or any(tags[at] != OUTSIDE for at in inside):
            unsaid += 1
            continue
        tags[inside[0]] = f"B-{mention.type}"
        for at in inside[1:]:
            tags[at] = f"I-{mention.type}"
    return Tagging(tuple(tags), unsaid)


def read_tags(row: KbRow, tags: tuple[str, ...]) -> Mentions:
    """The mentions that tags say, read strictly (IOB2): only a B begins one, and only its own I goes on."""
    found: list[Mention] = []
    is_open = False
    for (start, end), said in zip(words_of(row), tags, strict=True):
        prefix, _, type = said.partition("-")
        if prefix == "B":
            found.append(Mention(type, ((start, end),)))
            is_open = True
        elif prefix == "I" and is_open and found[-1].type == type:
            found[-1] = Mention(type, ((found[-1].offsets[0][0], end),))
        else:
            is_open = False
    return Mentions(tuple(found))


def texts_of(row: Row) -> tuple[str, str]:
    """What a head for texts reads: the text with its marked pair, or two texts; the second may be empty."""
    match row:
        case KbRow():
            return row.marked_text or row.text, ""
        case PairsRow():
            return row.text_1, row.text_2
        case QaRow():
            return row.question, row.context
        case TextRow():
            return row.text, ""
    raise ValueError(f"task: an encoder cannot read a {type(row).__name__}; choose another task.")


def labels_of(row: Row, form: OutputForm) -> tuple[str, ...]:
    """The right labels of a row that is no tagging. Raises CannotWrite for one outside the form's labels."""
    return form.gold(row).labels


def say_mentions(row: KbRow, said: Mentions, form: OutputForm) -> str:
    """The mentions as the form writes them.

    A form that names words without their place cannot say all of them at times: it then says the most it
    can, from the first mention on.
    """
    entities = tuple(_entity(number, mention, row) for number, mention in enumerate(said.mentions, start=1))
    try:
        return form.write(replace(row, entities=entities))
    except CannotWrite:
        return _most(row, entities, form)


def say_labels(row: Row, labels: tuple[str, ...], form: OutputForm) -> str:
    """The labels as the form writes them."""
    match row:
        case KbRow():
            return form.write(replace(row, relations=(replace(row.relations[0], type=labels[0]),)))
        case PairsRow():
            return form.write(replace(row, label=labels[0]))
        case QaRow():
            return form.write(replace(row, answer=labels))
        case TextRow():
            return form.write(replace(row, labels=labels))
    raise ValueError(f"task: an encoder cannot answer a {type(row).__name__}; choose another task.")


def _most(row: KbRow, entities: tuple[Entity, ...], form: OutputForm) -> str:
    kept: tuple[Entity, ...] = ()
    for entity in entities:
        try:
            form.write(replace(row, entities=(*kept, entity)))
        except CannotWrite:
            continue
        kept = (*kept, entity)
    return form.write(replace(row, entities=kept))


def _entity(number: int, mention: Mention, row: KbRow) -> Entity:
    words = tuple(row.text[start:end] for start, end in mention.offsets)
    return Entity(f"T{number}", mention.type, words, mention.offsets)


def _longest_first(mention: Mention) -> tuple[int, Mention]:
    start, end = mention.offsets[0]
    return start - end, mention
