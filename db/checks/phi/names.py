"""Names by a local spaCy pipeline, where STUDIO_NER_DIR names its folder; without one, names are not found.

Only spaCy folders: a transformers model needs torch, which has no place in the process that serves pages.
"""

from functools import lru_cache
from pathlib import Path
from threading import Lock

from db import settings
from db.checks.phi.light_import import without_torch
from db.checks.phi.span import Kind, Span

_KINDS = {
    **dict.fromkeys(("PERSON", "PER"), Kind.PERSON),
    **dict.fromkeys(("GPE", "LOC", "LOCATION", "FAC"), Kind.PLACE),
    **dict.fromkeys(("ORG", "ORGANIZATION"), Kind.ORGANISATION),
}
_PUBLIC_BODIES = frozenset({"WHO", "FDA", "NICE", "NIH", "CDC", "EMA", "MHRA", "NHS", "HIPAA", "FHIR"})
_PIECE = 50_000  # characters given to the pipeline at once: its memory grows with the length
_one_at_a_time = Lock()


def is_on() -> bool:
    """True when a folder is configured, good or bad: a bad one must not pass for "no names found"."""
    return settings.ner_dir() is not None


def title() -> str:
    """The configured pipeline's name, such as en_core_web_sm 3.8.0."""
    meta = _pipeline(settings.ner_dir()).meta
    return f"{meta['lang']}_{meta['name']} {meta['version']}"


def find(text: str) -> list[Span]:
    """People, places and organisations; nothing where no folder is configured."""
    folder = settings.ner_dir()
    if folder is None:
        return []
    found = []
    with _one_at_a_time:
        pipeline = _pipeline(folder)
        for offset, piece in _pieces(text):
            found += [
                Span(offset + entity.start_char, offset + entity.end_char, _KINDS[entity.label_], 0.85)
                for entity in pipeline(piece).ents
                if entity.label_ in _KINDS and entity.text not in _PUBLIC_BODIES
            ]
    return found


def _pieces(text: str) -> list[tuple[int, str]]:
    """(offset, piece) of a long text, cut at white space."""
    pieces, start = [], 0
    while start < len(text):
        end = start + _PIECE
        if end < len(text):
            end = max(text.rfind(" ", start, end), text.rfind("\n", start, end)) + 1 or end
        pieces.append((start, text[start:end]))
        start = end
    return pieces


@lru_cache(maxsize=1)
def _pipeline(folder: Path):
    if not (folder / "meta.json").is_file():
        raise ValueError(
            f"STUDIO_NER_DIR: {folder} holds no spaCy pipeline (no meta.json). Give the folder that "
            "nlp.to_disk() wrote or that a spaCy model package contains; transformers models are not read."
        )
    with without_torch():
        import spacy
    try:
        pipeline = spacy.load(folder)
    except (OSError, ValueError, ImportError) as error:
        raise ValueError(f"STUDIO_NER_DIR: spaCy cannot load {folder}: {error}") from error
    labels = {label for labels in pipeline.pipe_labels.values() for label in labels}
    if not labels & set(_KINDS):
        raise ValueError(
            f"STUDIO_NER_DIR: the pipeline in {folder} names no people, places or organisations; "
            "give one with a component such as ner."
        )
    return pipeline
