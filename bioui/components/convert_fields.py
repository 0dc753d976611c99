"""The fields about one corpus file: what it is called, how it is written, under what terms, by what template.

The options are those that the readers list; of all there are, those of the chosen format are shown.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import gradio as gr

from bioui.components.convert_templates import LABELS_HELP, WORDINGS_HELP, Typed
from bioui.components.fold import fold
from db.convert_spec import Source
from db.corpora import files, readers
from db.corpora.readers import FORMATS, Option
from db.enums import Provenance
from db.settings import from_environment

ABOUT = ("name", "licence", "restricted", "provenance", "format")
TEMPLATED = ("template", "form", "wordings", "input", "labels")
OPTIONS: dict[str, Option] = {}
for _format in FORMATS.values():
    for _option in _format.options:
        OPTIONS.setdefault(_option.name, _option)
OPTION_FIELDS = tuple(f"option_{name}" for name in OPTIONS)
NAMES = (*ABOUT, *OPTION_FIELDS, *TEMPLATED)
WRITERS = [("People", "native"), ("A model", "synthetic"), ("A translator", "translated")]
_UNSET = {"": "as the file says"}


@dataclass(frozen=True)
class Fields:
    """The form's components, in the order of NAMES, and the columns that come and go."""

    inputs: tuple[gr.components.Component, ...]
    options: tuple[gr.components.Component, ...]

    def input(self, name: str) -> gr.components.Component:
        return self.inputs[NAMES.index(name)]


def formats() -> list[tuple[str, str]]:
    return [(f"{each.title}: {each.holds}", each.name) for each in FORMATS.values()]


def about_fields() -> tuple[list, list]:
    """Lay out what is asked of the file itself; (the fields of ABOUT, those of the options)."""
    with gr.Row(elem_classes="field-grid"):
        name_tb = gr.Textbox(
            label="Corpus", max_lines=1, max_length=80, elem_id="field-name",
            info="Files of one corpus (train, dev, test) share its name.",
        )  # fmt: skip
        licence_tb = gr.Textbox(
            label="Licence or terms", max_lines=1, elem_id="field-licence",
            info="As its owner states it. It stays with every record made of the file.",
        )  # fmt: skip
        provenance_dd = gr.Dropdown(
            WRITERS, value=Provenance.NATIVE.value, label="Written by", elem_id="field-provenance",
            info="Who wrote the texts of the corpus.",
        )  # fmt: skip
    restricted_check = gr.Checkbox(
        label="Under a data-use agreement", elem_id="field-restricted",
        info="Bring your own copy. Records made of it are marked restricted and never leave the studio.",
    )  # fmt: skip
    format_dd = gr.Dropdown(
        formats(), value=None, label="Format", elem_id="field-format",
        info="Told from what is in the file; change it where that is wrong.",
    )  # fmt: skip
    return [name_tb, licence_tb, restricted_check, provenance_dd, format_dd], option_fields()


def option_fields() -> list:
    """Lay out the options of every format, folded away; `option_updates` shows those of one."""
    with fold("Options of this format"), gr.Row(elem_classes="field-grid convert-options"):
        return [_option_field(option) for option in OPTIONS.values()]


def template_fields() -> list:
    """Lay out the template and its editor; the fields of TEMPLATED."""
    with gr.Row(elem_classes="field-grid convert-choice"):
        template_dd = gr.Dropdown(
            [], value=None, label="Template", elem_id="field-template", info="Those for rows of this shape."
        )
        form_dd = gr.Dropdown(
            [], value=None, label="Output form", elem_id="field-form", info="How the answer is written."
        )
    with fold("Edit the template"), gr.Row(elem_classes="convert-editor"):
        wordings_tb = gr.Textbox(
            label="Wordings of the instruction", lines=13, max_lines=24, elem_id="field-wordings",
            info=WORDINGS_HELP, elem_classes="convert-code",
        )  # fmt: skip
        with gr.Column(min_width=280):
            input_tb = gr.Textbox(
                label="Input", lines=3, max_lines=12, elem_id="field-input", elem_classes="convert-code",
                info="Jinja2 over the row's own values, such as {{ text }}. It runs in a sandbox.",
            )  # fmt: skip
            labels_tb = gr.Textbox(
                label="Labels", lines=4, max_lines=16, elem_id="field-labels", info=LABELS_HELP,
                elem_classes="convert-code",
            )  # fmt: skip
    return [template_dd, form_dd, wordings_tb, input_tb, labels_tb]


def fields_of(about: Sequence, options: Sequence, templated: Sequence) -> Fields:
    return Fields((*about, *options, *templated), tuple(options))


def option_updates(format: str | None, told: Mapping[str, str] | None = None) -> list[dict]:
    """Of all options those of the format, in their usual way or as `told`."""
    known = {option.name: option for option in FORMATS[format].options} if format in FORMATS else {}
    return [_option_update(known.get(name), (told or {}).get(name)) for name in OPTIONS]


def told_options(format: str, values: Mapping[str, object]) -> dict[str, str]:
    """The options that differ from their usual way; files are brought into the studio."""
    told = {}
    for option in readers.get_format(format).options:
        value = values.get(f"option_{option.name}")
        if option.kind == "file":
            if value:
                told[option.name] = files.keep(from_environment().data_dir, Path(str(value)))
        elif value is not None and str(value).strip() != option.default:
            told[option.name] = str(value).strip()
    return told


def source_of(values: tuple, path: str, *, name: str = "", template: str = "", **own) -> Source:
    """What the form says of a kept file. Raises ValueError naming the field."""
    said = dict(zip(NAMES, values, strict=True))
    if not path:
        raise ValueError("file: choose a file first.")
    if not said["format"]:
        raise ValueError("format: it was not recognised; choose the one that the file is written in.")
    return Source(
        name=name or said["name"] or "",
        path=path,
        format=said["format"],
        template=template or said["template"] or "?",
        options=told_options(said["format"], said),
        licence=(said["licence"] or "").strip(),
        is_restricted=bool(said["restricted"]),
        provenance=said["provenance"] or Provenance.NATIVE,
        **own,
    )


def typed_of(values: tuple) -> Typed:
    said = dict(zip(NAMES, values, strict=True))
    return Typed(*(said[name] or "" for name in TEMPLATED))


def _option_field(option: Option) -> gr.components.Component:
    label, slug = _label(option.name), f"field-{option.name.replace('_', '-')}"
    if option.kind == "file":
        return gr.File(label=label, type="filepath", visible=False, elem_id=slug, height=110)
    if option.choices:
        return gr.Dropdown(
            _choices(option), value=option.default, label=label, info=option.help, visible=False, elem_id=slug
        )
    return gr.Textbox(
        value=option.default, label=label, info=option.help, max_lines=1, visible=False, elem_id=slug
    )


def _option_update(option: Option | None, told: str | None) -> dict:
    if option is None:
        return gr.update(visible=False)
    value = option.default if told is None else told
    if option.kind == "file":
        return gr.update(visible=True, label=f"{_label(option.name)}: {option.help}")
    if option.choices:
        return gr.update(visible=True, value=value, info=option.help, choices=_choices(option))
    return gr.update(visible=True, value=value, info=option.help)


def _choices(option: Option) -> list[tuple[str, str]]:
    return [(_UNSET.get(str(choice), str(choice)), str(choice)) for choice in option.choices]


def _label(name: str) -> str:
    return name.replace("_", " ").capitalize()
