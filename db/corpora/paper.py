"""Llama2-MedTuned's composition as a mixture: 200,252 rows of eleven corpora that curators bring themselves.

`mixture.plan(mixture(), counts)` tells what is still missing of it and how many rows each corpus is short.
"""

from db.convert_spec import Source
from db.corpora import presets
from db.corpora.mixture import Mixture, Part
from db.corpora.presets import Preset
from db.enums import Split


def mixture(*, first_release: bool = False, seed: int = 0) -> Mixture:
    """Each corpus with the paper's rows of training data; their other splits come whole."""
    chosen = presets.composition(first_release=first_release)
    return Mixture(tuple(Part(preset.name, rows=preset.rows) for preset in chosen), seed=seed)


def source(preset: Preset, path: str, *, split: Split | None = None, licence: str = "") -> Source:
    """A file of one of the corpora, `path` as `files.keep` gave it, in the paper's format and wordings."""
    return Source(
        preset.name,
        path,
        preset.format,
        preset.template,
        options=dict(preset.options),
        split=split,
        licence=licence,
        is_restricted=preset.is_credentialed,
    )
