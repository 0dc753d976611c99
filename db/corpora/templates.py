"""Templates: how a row of a corpus becomes an instruction, its input and its answer.

A template has several wordings of its instruction. Which one a row gets is told by a hash of the seed and the
row's id: the same in every order, on every machine, in the preview and in the conversion. The sentence that
says how to answer is the output form's own: no instruction asks for another form than its answer has.
"""

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, replace
from functools import cached_property, lru_cache

import yaml

from db.corpora.drawing import drawn_number
from db.corpora.forms import FORMS, CannotWrite, Label, Obstacle, OutputForm, make_form
from db.corpora.forms.form import ANY, SHAPES, listed
from db.corpora.presets import PRESETS, Preset
from db.corpora.schema import Row
from db.corpora.values import WORDINGS, Values, values_for
from db.enums import Category
from db.sandbox import Compiled, TemplateFault, compile_text

MIN_WORDINGS, MAX_WORDINGS = 5, 100
PREVIEWED = 5
ANSWER_FORM = "answer_form"  # where a wording wants the form's sentence; after the wording otherwise
_FILES = ("extraction", "relations", "classification", "questions", "writing")


@dataclass(frozen=True)
class Rendered:
    """An instruction made of a row, and the number of its wording, counted from 0."""

    instruction: str
    input: str
    output: str
    wording: int


@dataclass(frozen=True)
class RowFault:
    """A row that did not become an instruction, and why, in one sentence."""

    row_id: str
    sentence: str
    obstacle: Obstacle | None = None


@dataclass(frozen=True)
class Template:
    """A way to turn rows into instructions. Raises ValueError naming the field; texts are compiled later.

    Wordings and input are Jinja2 text (see db.sandbox) over the values of the form's rows.
    """

    name: str
    title: str
    category: Category
    task: str
    form: str  # a key of FORMS
    wordings: tuple[str, ...]
    input: str
    labels: tuple[Label, ...] = ()
    version: int = 1
    few_wordings: str = ""  # why there are fewer than MIN_WORDINGS

    def __post_init__(self) -> None:
        for field in ("name", "title", "task"):
            if not isinstance(getattr(self, field), str) or not getattr(self, field).strip():
                raise ValueError(f"{field}: a template needs one; write it.")
        object.__setattr__(self, "category", Category(self.category))
        for field in ("wordings", "labels"):
            object.__setattr__(self, field, tuple(getattr(self, field)))
        texts = (*self.wordings, self.input)
        if not all(isinstance(text, str) for text in texts) or not all(map(str.strip, self.wordings)):
            raise ValueError("wordings: one of them is empty; write it or take it out.")
        if len(set(self.wordings)) < len(self.wordings):
            raise ValueError("wordings: two are the same; word one of them in another way.")
        least = 1 if self.few_wordings else MIN_WORDINGS
        if not least <= len(self.wordings) <= MAX_WORDINGS:
            raise ValueError(
                f"wordings: {len(self.wordings)} are given; write {least} to {MAX_WORDINGS} of them."
            )
        make_form(self.form, self.labels)

    @property
    def shape(self) -> str:
        """The shape of row it takes: a key of SHAPES."""
        return FORMS[self.form].shape

    @cached_property
    def prepared(self) -> "Prepared":
        """Everything compiled, once. Raises TemplateFault naming the field and the line."""
        form = make_form(self.form, self.labels)
        values = values_for(form)
        names = frozenset(values)
        words = {ANSWER_FORM: form.constraint(), "labels": listed([label.shown for label in self.labels])}
        wordings = tuple(
            compile_text(_with_form(wording, words), names | set(words), field=f"wording {number}")
            for number, wording in enumerate(self.wordings, start=1)
        )
        return Prepared(form, wordings, compile_text(self.input, names, field="input"), values, words)

    def in_form(self, form: str, labels: tuple[Label, ...] | None = None) -> "Template":
        """The same template with another output form, named after it."""
        base = self.name.partition(":")[0]
        labels = self.labels if labels is None else labels
        return replace(
            self,
            name=f"{base}:{form}",
            form=form,
            labels=labels if form in FORMS and FORMS[form].labelled else (),
        )


class Prepared:
    """A template's compiled parts."""

    def __init__(
        self,
        form: OutputForm,
        wordings: tuple[Compiled, ...],
        input: Compiled,
        values: Values,
        words: dict[str, str],
    ) -> None:
        self.form, self.row_type = form, SHAPES[form.shape]
        self._wordings = tuple(w if w.used & set(values) else w.settled(words) for w in wordings)
        self._input, self._words = input, words
        used = input.used.union(*(wording.used for wording in wordings))
        self._values = {name: value for name, value in values.items() if name in used}

    def render(self, row: Row, wording: int) -> Rendered:
        """The row in one wording. Raises CannotWrite or TemplateFault."""
        if not isinstance(row, self.row_type):
            raise CannotWrite(Obstacle.WRONG_SHAPE)
        output = self.form.write(row)
        values = {name: value(row) for name, value in self._values.items()}
        instruction = self._wordings[wording].render({**values, **self._words})
        return Rendered(instruction, self._input.render(values), output, wording)

    def draw(self, seed: int, row_id: str) -> int:
        """The number of the wording that a row gets with this seed."""
        return drawn_number(seed, row_id) % len(self._wordings)


def render(template: Template, row: Row, seed: int) -> Rendered:
    """The row as an instruction, in the wording the seed draws for it.

    Raises ValueError: CannotWrite where the form cannot carry the row, TemplateFault where a text cannot be
    used, by field and line.
    """
    prepared = template.prepared
    return prepared.render(row, prepared.draw(seed, row.id))


def preview(
    template: Template, rows: Sequence[Row], seed: int = 0, limit: int = PREVIEWED
) -> list[Rendered | RowFault]:
    """The first rows as instructions, and in the place of a row that cannot be one, why.

    Raises TemplateFault when the template itself cannot be used: that is said once, not of each row.
    """
    template.prepared  # noqa: B018  compiles, or raises
    return [_previewed(template, row, seed) for row in rows[:limit]]


def labels_of(rows: Sequence[Row]) -> tuple[Label, ...]:
    """The labels that rows have, sorted: a start for a template of a corpus we do not know."""
    names: set[str] = set()
    for row in rows:
        names |= {entity.type for entity in getattr(row, "entities", ()) if not row.relations}
        names |= {relation.type for relation in getattr(row, "relations", ())}
        names |= set(getattr(row, "labels", ())) | {getattr(row, "label", "")}
    return tuple(Label(name) for name in sorted(names - {""}))


def unasked_types(template: Template, rows: Sequence[Row]) -> Counter[str]:
    """How many mentions the rows have of types the template does not ask for: they count as not there."""
    asked = {label.name.casefold() for label in template.labels}
    if template.shape != "kb" or ANY in asked:
        return Counter()
    pairs = "relation_extraction" in FORMS[template.form].tasks
    types = (each.type for row in rows for each in (row.relations if pairs else row.entities))
    return Counter(type for type in types if type.casefold() not in asked)


def get(name: str) -> Template:
    """The shipped template of this name, `name:form` in another of its forms. Raises LookupError."""
    library = read_library()
    if name not in library:
        raise LookupError(f"template: '{name[:80]}' is not one of the studio's; choose one of its list.")
    return library[name]


@lru_cache(maxsize=1)
def read_library() -> dict[str, Template]:
    """Every shipped template by name: each in its first form, and as `name:form` in its others."""
    library: dict[str, Template] = {}
    for file in _FILES:
        for entry in yaml.safe_load((WORDINGS / f"{file}.yaml").read_text(encoding="utf-8")):
            forms = entry.pop("forms")
            template = read_template({**entry, "form": forms[0]})
            library[template.name] = template
            for form in forms[1:]:
                library[f"{template.name}:{form}"] = template.in_form(form)
    return library | {preset.template: _of_preset(library[preset.base], preset) for preset in PRESETS}


def read_template(values: dict) -> Template:
    """A template from plain values, such as YAML or a form's fields. Raises ValueError naming the field."""
    unknown = sorted(set(values) - set(Template.__dataclass_fields__))
    if unknown:
        raise ValueError(f"{unknown[0]}: a template has no such field; take it out.")
    missing = [f for f in ("name", "title", "category", "task", "form", "wordings") if f not in values]
    if missing:
        raise ValueError(f"{missing[0]}: a template needs one; write it.")
    labels = [_label(label) for label in values.get("labels", ())]
    return Template(**{"input": "", **values, "labels": tuple(labels)})


def _of_preset(base: Template, preset: Preset) -> Template:
    """The base's wordings, as many as the paper has, in the paper's form."""
    few = "the paper has no more for this set" if preset.wordings < MIN_WORDINGS else ""
    return replace(
        base if base.form == preset.form else base.in_form(preset.form),
        name=preset.template,
        title=f"Llama2-MedTuned: {preset.title}",
        wordings=base.wordings[: preset.wordings],
        few_wordings=few,
    )


def _label(written: str | dict | Label) -> Label:
    if isinstance(written, Label):
        return written
    if isinstance(written, str):
        return Label(written)
    if not isinstance(written, dict) or not set(written) <= {"name", "shown", "meaning"}:
        raise ValueError("labels: each is a name, or has name, shown and meaning; write it so.")
    return Label(**{key: str(value) for key, value in written.items()})


def _with_form(wording: str, words: dict[str, str]) -> str:
    """The wording with the form's sentence after it, unless it names a place for it or there is none."""
    stated = not words[ANSWER_FORM] or ANSWER_FORM in wording
    return wording if stated else f"{wording.rstrip()} {{{{ {ANSWER_FORM} }}}}"


def _previewed(template: Template, row: Row, seed: int) -> Rendered | RowFault:
    try:
        return render(template, row, seed)
    except CannotWrite as refusal:
        return RowFault(row.id, str(refusal), refusal.obstacle)
    except TemplateFault as fault:
        return RowFault(row.id, str(fault))
