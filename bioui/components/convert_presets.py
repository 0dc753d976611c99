"""The paper's instruction sets: what each holds and under what terms, and which are still to be brought.

Event of the View: `bring` (`event.name`): fill the form for that set.
"""

from collections.abc import Mapping
from pathlib import Path

from bioui.components.view import View
from bioui.present import counted
from db.corpora import presets
from db.corpora.forms import FORMS
from db.corpora.presets import Preset
from db.corpora.readers import FORMATS

TEMPLATE = Path(__file__).with_suffix(".hbs").read_text(encoding="utf-8")
ON_LOAD = """
element.addEventListener('click', (event) => {
  const button = event.target.closest('[data-bring]');
  if (button) trigger('bring', {name: button.dataset.bring});
});
"""


def presets_view() -> View:
    return View(TEMPLATE, presets_value({}), on_load=ON_LOAD, elem_classes="convert-presets")


def presets_value(present: Mapping[str, int]) -> dict:
    """`present`: the rows brought of each set."""
    rows = [_row(preset, present.get(preset.name, 0)) for preset in presets.PRESETS]
    missing = len(presets.missing(dict(present)))
    wanted = len(presets.composition())
    return {
        "rows": rows,
        "sentence": f"{presets.ROWS:,} rows of {wanted} corpora (Rohanian et al. 2024). The studio ships "
        f"none: each is brought by who may have it. {wanted - missing} of {wanted} are here in full. "
        f"The first release had GAD's {presets.get(presets.GAD).rows:,} rows as well.",
    }


def _row(preset: Preset, present: int) -> dict:
    enough = present >= preset.rows
    word = "here" if enough else f"{counted(present, 'row')} here" if present else "not brought"
    return {
        "name": preset.name,
        "title": preset.title,
        "task": preset.task,
        "rows": f"{preset.rows:,}",
        "format": FORMATS[preset.format].title,
        "form": FORMS[preset.form].title.replace(" (the paper's)", ""),
        "licence": preset.licence,
        "credentialed": preset.is_credentialed,
        "first": preset.in_release == "first",
        "hue": "approved" if enough else "review" if present else "draft",
        "word": word,
    }
