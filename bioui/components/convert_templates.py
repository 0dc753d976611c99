"""Templates as a curator chooses and edits them: choices by shape, the editor's texts, and back again.

Wordings stand below one another with a line of three hyphens between; labels stand one a line, as
`name | word in the answer | meaning`.
"""

from collections.abc import Sequence
from dataclasses import dataclass

from db.corpora import templates
from db.corpora.forms import FORMS, Label, forms_for
from db.corpora.templates import Template

PARTING = "---"
OWN = "own-"
WORDINGS_HELP = (
    "Each row draws one. A line of --- parts two of them; at least five, so that none is learnt by heart."
)
LABELS_HELP = "One a line: name in the file | word in the answer | meaning. The last two may be left out."


@dataclass(frozen=True)
class Typed:
    """What the editor's fields say."""

    template: str  # a choice of `template_choices`
    form: str
    wordings: str
    input: str
    labels: str


def template_choices(shape: str, own: Sequence[dict]) -> list[tuple[str, str]]:
    """(title, value) of the templates for rows of a shape: the studio's own, then those edited before."""
    shipped = [
        (template.title, name)
        for name, template in templates.read_library().items()
        if template.shape == shape and ":" not in name
    ]
    edited = [
        (f"{body['title']}, edited, version {body.get('version', 1)}", own_key(body))
        for body in own
        if FORMS[body["form"]].shape == shape
    ]
    return [*shipped, *edited]


def own_key(body: dict) -> str:
    return f"{body['name']}@{body.get('version', 1)}"


def base_of(choice: str, own: Sequence[dict]) -> Template:
    """The template of a choice, as it is kept. Raises LookupError."""
    for body in own:
        if own_key(body) == choice:
            return templates.read_template(body)
    return templates.get(choice)


def form_choices(template: Template) -> list[tuple[str, str]]:
    """(title, name) of the output forms that serve the template's rows and task."""
    fitting = [
        form for form in forms_for(template.shape) if template.form == form.name or _serves(form, template)
    ]
    return [(form.title, form.name) for form in fitting]


def editor_values(template: Template) -> tuple[str, str, str]:
    """Wordings, input and labels as the editor shows them."""
    return f"\n{PARTING}\n".join(template.wordings), template.input, label_lines(template.labels)


def label_lines(labels: Sequence[Label]) -> str:
    return "\n".join(_line(label) for label in labels)


def template_of(typed: Typed, own: Sequence[dict]) -> Template:
    """The template that the fields say: the kept one where they say the same, else one of one's own.

    Raises ValueError naming the field, LookupError for a choice that is not there.
    """
    base = base_of(typed.template, own)
    form = typed.form or base.form
    if form not in FORMS:
        raise ValueError("form: choose one of those offered.")
    labels = read_labels(typed.labels) if FORMS[form].labelled else ()
    wordings = tuple(read_wordings(typed.wordings))
    kept = base if form == base.form else _in_form(base, form, labels)
    if (wordings, typed.input.strip(), labels) == (kept.wordings, kept.input.strip(), kept.labels):
        return kept
    return Template(
        name=_own_name(base.name),
        title=base.title,
        category=base.category,
        task=base.task,
        form=form,
        wordings=wordings,
        input=typed.input.strip(),
        labels=labels,
        few_wordings=base.few_wordings,
    )


def is_shipped(template: Template) -> bool:
    """Whether it is one of the studio's, just as it is."""
    return templates.read_library().get(template.name) == template


def body_of(template: Template) -> dict:
    """A template of one's own as plain values for a conversion's source, its name apart."""
    labels = [{"name": each.name, "shown": each.shown, "meaning": each.meaning} for each in template.labels]
    return {
        "title": template.title,
        "category": template.category.value,
        "task": template.task,
        "form": template.form,
        "wordings": list(template.wordings),
        "input": template.input,
        "labels": labels,
        "version": template.version,
        "few_wordings": template.few_wordings,
    }


def read_wordings(text: str) -> list[str]:
    """The wordings between the lines of hyphens; what is empty is none."""
    found, lines = [], []
    for line in [*(text or "").replace("\r\n", "\n").split("\n"), PARTING]:
        if line.strip() == PARTING:
            found.append("\n".join(lines).strip())
            lines = []
        else:
            lines.append(line)
    return [wording for wording in found if wording]


def read_labels(text: str) -> tuple[Label, ...]:
    """Raises ValueError for a line that names no label."""
    lines = [line for line in (text or "").splitlines() if line.strip()]
    return tuple(Label(*(part.strip() for part in line.split("|", 2))) for line in lines)


def _serves(form: type, template: Template) -> bool:
    kept = f"{template.name.partition(':')[0]}:{form.name}"
    return kept in templates.read_library() or template.task in form.tasks


def _in_form(base: Template, form: str, labels: tuple[Label, ...]) -> Template:
    name = f"{base.name.partition(':')[0]}:{form}"
    return templates.read_library().get(name) or base.in_form(form, labels)


def _own_name(name: str) -> str:
    plain = name.partition(":")[0]
    return plain if plain.startswith(OWN) else f"{OWN}{plain}"


def _line(label: Label) -> str:
    if label.meaning:
        return f"{label.name} | {label.shown} | {label.meaning}"
    return label.name if label.shown == label.name else f"{label.name} | {label.shown}"
