"""One corpus file on its way into the mixture: uploaded, read whole, shown beside what its rows become."""

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import gradio as gr

from bioui.components import convert_fields as fields
from bioui.components.convert_draft import Entry, entry_of
from bioui.components.convert_fields import NAMES, OPTIONS
from bioui.components.convert_preview import NO_PREVIEW, fault_value, preview_value
from bioui.components.convert_templates import (
    base_of,
    body_of,
    editor_values,
    form_choices,
    is_shipped,
    label_lines,
    template_choices,
    template_of,
)
from bioui.components.facts import fact, facts_value
from bioui.components.progress import NO_PROGRESS, progress_value
from bioui.components.spread import spread
from bioui.handling import needs
from bioui.work import Work
from db import conversion_figures
from db.conversion_figures import Looked
from db.convert_spec import Source
from db.corpora import files, presets, readers, templates
from db.corpora.readers.registry import split_of
from db.corpora.templates import Template
from db.policy import Right
from db.session import read
from db.settings import from_environment

RIGHT = Right.RUN_FACTORY
_LABELS_SHOWN = 8
NO_FACTS = {"facts": []}
UNNAMED = "this file"  # while it is looked at


@dataclass(frozen=True)
class Brought:
    """The file that is being looked at. Kept on the server: the browser cannot name another one."""

    path: str = ""  # as db.corpora.files.keep gave it
    name: str = ""
    preset: str = ""
    source: Source | None = None  # as it was read
    looked: Looked | None = None
    template: Template | None = None  # that it was read with


# handlers ---------------------------------------------------------------------------------------------


@needs(RIGHT)
def choose_file(path: str | None, brought: Brought, name: str, format: str | None, request: gr.Request):
    """Bring the file into the studio, and tell its format from what is in it."""
    brought = brought or Brought()
    same = [gr.skip()] * len(OPTIONS)
    waiting = [gr.skip()] * (6 + len(OPTIONS))
    if not path:
        shut = gr.Column(visible=False)
        yield NO_PROGRESS, Brought(preset=brought.preset), NO_FACTS, shut, *[gr.skip()] * 3, *same
        return
    given = Path(path)
    yield progress_value("bringing the file", 0, 0), *waiting
    work = Work(lambda report: _bring(given))
    for _ in work.watch():
        yield progress_value("bringing the file", 0, 0), *waiting
    yield NO_PROGRESS, *waiting
    kept, detected = work.result()
    chosen = detected or (format if format in readers.FORMATS else None)
    is_other = chosen != format
    yield (
        NO_PROGRESS,
        Brought(kept, given.name, brought.preset),
        NO_FACTS,
        gr.Column(visible=True),
        name or _called(given.name),
        gr.update(value=chosen),
        gr.Dropdown(choices=[], value=None) if is_other else gr.skip(),
        *(fields.option_updates(chosen, _preset_options(brought.preset, chosen)) if is_other else same),
    )


@needs(RIGHT)
def choose_format(project_id: int, brought: Brought, format: str | None, request: gr.Request):
    """The options of another format, and its templates: those of before are for other rows."""
    brought = brought or Brought()
    if format not in readers.FORMATS:
        raise ValueError("format: choose one of those offered.")
    with read() as session:
        own = conversion_figures.own_templates(session, project_id)
    choices = template_choices(conversion_figures.shape_of(format), own)
    told = _preset_options(brought.preset, format)
    return gr.Dropdown(choices=choices, value=None), *fields.option_updates(format, told)


@needs(RIGHT)
def pick_preset(event: gr.EventData, brought: Brought, request: gr.Request):
    """Fill the form as one of the paper's sets needs it."""
    try:
        preset = presets.get(str(event.name))
    except (AttributeError, KeyError) as error:
        raise LookupError("There is no such set.") from error
    brought = brought or Brought()
    if not brought.path:
        gr.Info(f"The form is filled for {preset.title}; choose your file of it.", duration=6)
    return (
        Brought(brought.path, brought.name, preset.name),
        preset.name,
        gr.Textbox(placeholder=preset.licence),
        preset.is_credentialed,
        preset.format,
        gr.update(value=None),
        *fields.option_updates(preset.format, dict(preset.options)),
    )


@needs(RIGHT)
@spread(*NAMES)
def look(project_id: int, brought: Brought, read_back: bool, values: tuple, request: gr.Request):
    """Read the whole file: its rows, its labels, and what the template makes of it."""
    if not brought or not brought.path:
        raise ValueError("file: choose a file first.")
    yield from _look(project_id, brought, read_back, values)


@needs(RIGHT)
@spread(*NAMES)
def look_along(project_id: int, brought: Brought, read_back: bool, values: tuple, request: gr.Request):
    """`look` after another step; where that one found no file, its own sentence stays."""
    if brought and brought.path:
        yield from _look(project_id, brought, read_back, values)


def _look(project_id: int, brought: Brought, read_back: bool, values: tuple) -> Iterator[tuple]:
    source = fields.source_of(values, brought.path, name=UNNAMED)
    with read() as session:
        own = conversion_figures.own_templates(session, project_id)
    template = _template(values, brought, source, own)
    same = [gr.skip()] * 8
    data_dir = from_environment().data_dir
    yield progress_value("reading the file", 0, 0), *same
    work = Work(lambda report: conversion_figures.look(source, template, data_dir, report), stops=True)
    for done in work.watch():
        told = progress_value("reading the file", done, 0, unit="rows", seconds=work.seconds)
        yield told, *same
    yield NO_PROGRESS, *same
    looked, used = work.result()
    choices = template_choices(used.shape, own)
    chosen = fields.typed_of(values).template
    is_new = not chosen
    texts = editor_values(used) if is_new else (gr.skip(),) * 3
    yield (
        NO_PROGRESS,
        Brought(brought.path, brought.name, brought.preset, source, looked, used),
        facts_of(brought.name, looked),
        gr.Dropdown(choices=choices, value=chosen or used.name),
        gr.Dropdown(choices=form_choices(used), value=used.form),
        *texts,
        preview_value(used, looked, read_back=bool(read_back)),
    )


@needs(RIGHT)
def choose_template(project_id: int, choice: str | None, request: gr.Request):
    """The chosen template in the editor."""
    with read() as session:
        own = conversion_figures.own_templates(session, project_id)
    template = base_of(choice or "", own)
    return gr.Dropdown(choices=form_choices(template), value=template.form), *editor_values(template)


@needs(RIGHT)
@spread(*NAMES)
def follow_typing(project_id: int, brought: Brought, read_back: bool, values: tuple, request: gr.Request):
    """The first rows by the template as it is typed; a fault tells its line."""
    if not brought or brought.looked is None:
        return NO_PREVIEW
    with read() as session:
        own = conversion_figures.own_templates(session, project_id)
    try:
        template = template_of(fields.typed_of(values), own)
        return preview_value(template, brought.looked, read_back=bool(read_back))
    except ValueError as error:
        return fault_value(error)


@needs(RIGHT)
def use_labels(brought: Brought, request: gr.Request):
    """The labels of the file in place of the template's."""
    if not brought or brought.looked is None:
        raise ValueError("file: read a file first.")
    names = [templates.Label(name) for name, _ in brought.looked.labels.most_common()]
    if not names:
        raise ValueError("labels: the file has none.")
    return label_lines(names)


def entry_from(values: tuple, brought: Brought, own: list[dict]) -> Entry:
    """What is added to the mixture. Raises ValueError when it is not what was looked at."""
    if not brought or brought.looked is None or brought.source is None:
        raise ValueError("file: read a file first.")
    template = template_of(fields.typed_of(values), own)
    template.prepared  # noqa: B018  compiles, or raises
    if (template.form, template.labels) != (brought.template.form, brought.template.labels):
        raise ValueError("labels: they are others than the file was read with; read it again.")
    if not is_shipped(template):
        template = conversion_figures.versioned(template, own)
    more = {} if is_shipped(template) else {"own_template": body_of(template)}
    source = fields.source_of(
        values, brought.path, template=template.name, template_version=str(template.version), **more
    )
    read_as = (source.format, source.options)
    if read_as != (brought.source.format, brought.source.options):
        raise ValueError("format: it or its options were changed since the file was read; read it again.")
    looked = brought.looked
    return entry_of(
        source, brought.name, template.title, looked.homes,
        rows=looked.rows, lost=looked.obstacles.total(),
    )  # fmt: skip


def facts_of(name: str, looked: Looked) -> dict:
    """The file in figures."""
    homes = {str(home) if home else "no split of its own": count for home, count in looked.homes.items()}
    splits = "; ".join(f"{home} {count.total:,}" for home, count in homes.items())
    negatives = sum(count.negative for count in looked.homes.values())
    shown = [f"{label} {times:,}" for label, times in looked.labels.most_common(_LABELS_SHOWN)]
    more = len(looked.labels) - len(shown)
    facts = [
        fact("File", name),
        fact("Rows", f"{looked.rows:,}"),
        fact("Splits", splits),
    ]
    if negatives:
        facts.append(fact("With nothing to find", f"{negatives:,}"))
    if shown:
        facts.append(fact("Labels", ", ".join(shown) + (f" and {more} more" if more else "")))
    return facts_value(*facts)


def _bring(path: Path) -> tuple[str, str | None]:
    kept = files.keep(from_environment().data_dir, path)
    return kept, readers.detect(path)


def _called(name: str) -> str:
    """A corpus's name from its file's; none where that only tells the split."""
    stem = name.partition(".")[0]
    return "" if split_of(name) and len(stem) < 9 else stem[:80]


def _preset_options(name: str, format: str | None) -> dict[str, str]:
    if not name:
        return {}
    preset = presets.get(name)
    return dict(preset.options) if preset.format == format else {}


def _template(values: tuple, brought: Brought, source: Source, own: list[dict]) -> Template | None:
    """The template of the form, else that of the chosen set; None where one is to be suggested."""
    typed = fields.typed_of(values)
    if typed.template:
        return template_of(typed, own)
    if brought.preset:
        wanted = templates.get(presets.get(brought.preset).template)
        if wanted.shape == conversion_figures.shape_of(source.format):
            return wanted
    return None
