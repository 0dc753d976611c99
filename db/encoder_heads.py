"""Which head an encoder needs for a task: worked out from the form in which the task's answers are written.

An encoder chooses among labels that are known before. It writes no text, so questions with free answers,
summaries and lists of related mentions are not for it.
"""

from dataclasses import dataclass

from db.corpora.forms import OutputForm
from db.corpora.forms.inline_tags import InlineTags
from db.corpora.forms.json_entities import JsonEntities
from db.corpora.forms.label_json import LabelJson
from db.corpora.forms.label_list import LabelList
from db.corpora.forms.nli_word import NliWord
from db.corpora.forms.relation_code import RelationCode
from db.corpora.forms.relation_name import RelationName
from db.corpora.forms.token_tags import TokenTags
from db.corpora.forms.typed_list import TypedList
from db.corpora.forms.yes_no import YesNo

TOKENS, SEQUENCE, PAIR = "tokens", "sequence", "pair"
TITLES = {TOKENS: "a tag a word", SEQUENCE: "a label a text", PAIR: "a label a pair of texts"}

_TAGGED = (TokenTags, JsonEntities, InlineTags, TypedList)
_TEXTS = (RelationCode, RelationName, LabelList, LabelJson)
_PAIRS = (NliWord, YesNo)


@dataclass(frozen=True)
class Head:
    """What is put on the encoder: its kind, the labels by the corpus's names, in the task's order."""

    kind: str  # TOKENS, SEQUENCE or PAIR
    labels: tuple[str, ...]
    takes_several: bool = False  # none, one or many labels a text


def head_of(form: OutputForm | None) -> Head | None:
    """The head for answers in this form; None where an encoder cannot give them, or there is one alone."""
    if isinstance(form, _TAGGED):
        return Head(TOKENS, _names(form))
    takes_several = isinstance(form, LabelList | LabelJson)
    if isinstance(form, (*_TEXTS, *_PAIRS)) and (takes_several or len(form.labels) > 1):
        return Head(SEQUENCE if isinstance(form, _TEXTS) else PAIR, _names(form), takes_several)
    return None


def _names(form: OutputForm) -> tuple[str, ...]:
    return tuple(label.name for label in form.labels)
