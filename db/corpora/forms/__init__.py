"""Output forms: how a row's annotation is written as an answer, and how a model's answer is read back.

Each form is one module: `write` and `parse` are inverse, `gold` is what a perfect answer says, `constraint`
the sentence a prompt needs. A form that cannot carry a row says why (`obstacle`): it never writes it with
a loss.
"""

from db.corpora.forms.answer_list import AnswerList
from db.corpora.forms.choice_letter import ChoiceLetter
from db.corpora.forms.choice_text import ChoiceText
from db.corpora.forms.factoid import Factoid
from db.corpora.forms.form import CannotWrite, Label, Obstacle, OutputForm, can_write, obstacle
from db.corpora.forms.free_text import FreeAnswer
from db.corpora.forms.inline_tags import InlineTags
from db.corpora.forms.json_entities import JsonEntities
from db.corpora.forms.label_json import LabelJson
from db.corpora.forms.label_list import LabelList
from db.corpora.forms.made_text import MadeText
from db.corpora.forms.nli_word import NliWord
from db.corpora.forms.relation_code import RelationCode
from db.corpora.forms.relation_name import RelationName
from db.corpora.forms.token_tags import TokenTags
from db.corpora.forms.triples import Triples
from db.corpora.forms.typed_list import TypedList
from db.corpora.forms.yes_no import YesNo

FORMS: dict[str, type[OutputForm]] = {
    form.name: form
    for form in (
        TokenTags,
        JsonEntities,
        InlineTags,
        TypedList,
        RelationCode,
        RelationName,
        Triples,
        NliWord,
        LabelList,
        LabelJson,
        ChoiceLetter,
        ChoiceText,
        YesNo,
        Factoid,
        AnswerList,
        FreeAnswer,
        MadeText,
    )
}

__all__ = [
    "FORMS",
    "CannotWrite",
    "Label",
    "Obstacle",
    "OutputForm",
    "can_write",
    "forms_for",
    "make_form",
    "obstacle",
]


def make_form(name: str, labels: tuple[Label, ...] = ()) -> OutputForm:
    """The output form of this name with its labels. Raises ValueError for an unknown name or wrong labels."""
    if name not in FORMS:
        raise ValueError(f"form: '{name}' is not one of {', '.join(FORMS)}.")
    form = FORMS[name]
    if labels and not form.labelled:
        raise ValueError(f"labels: the form {name} takes none; leave them out.")
    return form(tuple(labels)) if form.labelled else form()


def forms_for(shape: str, task: str = "") -> list[type[OutputForm]]:
    """The forms that serve rows of a shape, and of a task where one is named."""
    return [form for form in FORMS.values() if form.shape == shape and (not task or task in form.tasks)]
