"""Datasets of the Hub: copied into the studio when someone asks, by name, and read from the copy as rows.

Columns are named as the file formats name their fields; `columns` says which column is which field, a dot
leading into a nested one: `{"CONTEXTS": "context.contexts", "PMID": "pubid"}`. Numbers that stand for class
names become the names. Loaders that are code are not run: a dataset must be data.
"""

import re
import shutil
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any
from uuid import uuid4

from db.corpora.offsets import check_relation, mention
from db.corpora.readers import get_format
from db.corpora.readers.formats import Options
from db.corpora.readers.records import Record, RowsOfRecords
from db.corpora.schema import CorpusError, Entity, KbRow, Relation, Row
from db.enums import Split

_NAME = re.compile(r"[A-Za-z0-9][\w.-]{0,95}(?:/[A-Za-z0-9][\w.-]{0,95})?")
_PLAIN = re.compile(r"[\w.\-/:\[\]%+]{0,200}")
_PATIENCE = 10.0  # seconds for the Hub's first answer
_SPLITS = {"train": Split.TRAIN, "validation": Split.VALIDATION, "dev": Split.VALIDATION, "test": Split.TEST}
_GAP = 1_000  # characters between passages that are still padding
KB = "bigbio_kb"
"""A shape that only the Hub has: BigBIO's own `passages`, `entities` and `relations`."""


@dataclass(frozen=True)
class Wanted:
    """A dataset of the Hub, as someone asks for it. Raises ValueError naming the field."""

    name: str
    config: str = ""
    split: str = ""  # "": all of them
    revision: str = ""  # a branch, tag or commit; "": the newest
    columns: Mapping[str, str] = field(default_factory=dict)  # a format's field -> the column it comes from

    def __post_init__(self) -> None:
        if not _NAME.fullmatch(self.name):
            raise ValueError("dataset: write its name on the Hub, such as owner/name.")
        for name in ("config", "split", "revision"):
            if not _PLAIN.fullmatch(getattr(self, name)):
                raise ValueError(f"{name}: use letters, digits and . _ - / : [ ] % only, as on the Hub.")


def place_for(name: str) -> str:
    """Where in the folder of corpora a copy will lie: a place of its own, since a dataset may change."""
    return f"hub-{uuid4().hex[:16]}/{name.replace('/', '--')}"


def fetch(wanted: Wanted, folder: Path) -> str:
    """Copy a dataset of the Hub to `folder`, as `read_saved` reads it; the commit that it is of.

    Needs the network and sends the name, configuration and revision; no token. A copy that is there is
    taken as it is (""), so a conversion that goes on reads what it began with. Raises ValueError where the
    offline switch is on, the Hub cannot be reached, or has no such dataset.
    """
    if folder.exists():
        return ""
    if Path(wanted.name).exists():  # the library would read that, and not the Hub
        raise ValueError("dataset: write its name on the Hub, such as owner/name.")
    from huggingface_hub import HfApi  # slow to load, and not needed unless asked for
    from huggingface_hub.errors import HTTPError

    folder.parent.mkdir(parents=True, exist_ok=True)
    partial, cache = folder.with_name(f".{folder.name}.partial"), folder.with_name(f".{folder.name}.cache")
    try:
        api = HfApi(token=False)
        commit = api.dataset_info(wanted.name, revision=wanted.revision or None, timeout=_PATIENCE).sha
        import datasets as hf_datasets

        loaded = hf_datasets.load_dataset(
            wanted.name,
            wanted.config or None,
            split=wanted.split or None,
            revision=commit,
            cache_dir=str(cache),
            token=False,
        )
        loaded.save_to_disk(str(partial))
    except (OSError, ValueError, RuntimeError, HTTPError) as error:
        raise ValueError(f"dataset: {wanted.name} {_why(error)}") from error
    finally:
        shutil.rmtree(cache, ignore_errors=True)
    partial.rename(folder)
    return commit or ""


def _why(error: Exception) -> str:
    """Why a dataset could not be copied, and what to do; not the error's own words: they name addresses."""
    from huggingface_hub.errors import HfHubHTTPError, HTTPError, OfflineModeIsEnabled

    if isinstance(error, OfflineModeIsEnabled):
        return (
            "was not fetched: the offline switch HF_HUB_OFFLINE is on where the worker runs. Unset it there "
            "and resume, or convert a file."
        )
    if isinstance(error, HfHubHTTPError):
        status = error.response.status_code if error.response is not None else 0
        if status in (401, 403, 404):
            return (
                "is not on the Hub under that name and revision, or is not open to all; look it up there, or "
                "download it yourself and convert the file."
            )
        return f"was not fetched: the Hub answered with status {status}; resume later, or convert a file."
    if isinstance(error, HTTPError | ConnectionError):
        return (
            "was not fetched: the Hub cannot be reached from the worker's machine. Resume when it has a "
            "network, or convert a file."
        )
    return (
        f"cannot be read ({type(error).__name__}): look at its configuration and split, and whether it needs "
        "code of its own, which is never run here."
    )


def read_saved(
    folder: Path, format: str, *, columns: Mapping[str, str] | None = None, **options: object
) -> Iterator[Row]:
    """The rows of a folder that `fetch` or `Dataset.save_to_disk` wrote, split after split; needs no network.

    `format` is `bigbio_kb` or one of the formats that can read records. Raises ValueError for a format, an
    option or a column that is no use.
    """
    rows, told = _reader(format, options)
    import datasets as hf_datasets

    try:
        loaded = hf_datasets.load_from_disk(str(folder))
    except (OSError, ValueError) as error:
        raise ValueError(f"dataset: {folder.name} is no saved dataset ({type(error).__name__}).") from error
    return _rows(loaded, rows, told, columns or {})


def _reader(format: str, options: Mapping[str, object]) -> tuple[RowsOfRecords, dict[str, str]]:
    """What reads records of that format, and its options. Raises ValueError where only a file will do."""
    if format == KB:
        if options:
            raise ValueError(f"{next(iter(options))}: {KB} has no options.")
        return kb_rows, {}
    chosen = get_format(format)
    if chosen.rows is None:
        raise ValueError(f"format: {format} is read from files only; choose one that reads records, or {KB}.")
    return chosen.rows, chosen.settle(options)


def _rows(loaded, rows: RowsOfRecords, told: dict[str, str], columns: Mapping[str, str]) -> Iterator[Row]:
    parts = loaded if isinstance(loaded, dict) else {str(loaded.split or ""): loaded}
    for name, part in parts.items():
        split = Split(told["split"]) if told.get("split") else _SPLITS.get(name)
        for row in rows(_records(part, columns), told):
            yield replace(row, split=split) if split and row.split is None else row


# Columns ----------------------------------------------------------------------------------------------


def _records(part, columns: Mapping[str, str]) -> Iterator[Record]:
    """The rows of one split as records; class numbers as names. Raises ValueError for a column not there."""
    features = part.features or {}
    for name, column in columns.items():
        if features and column.partition(".")[0] not in features:
            raise ValueError(f"columns: {name} is to come from {column}, which is no column of the dataset.")
    for number, values in enumerate(part, start=1):
        named = {name: _named(value, features.get(name)) for name, value in values.items()}
        renamed = {field: _inside(named, column) for field, column in columns.items()}
        yield Record(named | renamed, number)


def _named(value: Any, feature: Any) -> object:
    """A class number, or a list of them, as names; any other value as it is."""
    if hasattr(feature, "int2str"):
        return "" if value is None or value == -1 else feature.int2str(value)
    inner: Any = getattr(feature, "feature", None)
    if hasattr(inner, "int2str") and isinstance(value, list):
        return [inner.int2str(part) for part in value]
    return value


def _inside(values: Mapping[str, object], column: str) -> object:
    found: object = values
    for step in column.split("."):
        found = found.get(step) if isinstance(found, Mapping) else None
    return found


# BigBIO's kb ------------------------------------------------------------------------------------------


def kb_rows(records: Iterable[Record], options: Options) -> Iterator[KbRow]:
    """One row a document in BigBIO's kb schema, its passages at their offsets."""
    for record in records:
        values: Mapping[str, Any] = record.values
        id = record.text("document_id", "id", default=str(record.number))
        try:
            text = _text(values.get("passages") or (), id)
            entities = tuple(_entity(item, text, id) for item in values.get("entities") or ())
            relations = tuple(_relation(item) for item in values.get("relations") or ())
        except (KeyError, TypeError, IndexError):
            raise record.fault("it does not follow BigBIO's kb schema; choose another format.") from None
        for relation in relations:
            check_relation(relation, {entity.id for entity in entities}, record=id)
        yield KbRow(id, id, text, entities, relations)


def _text(passages, record: str) -> str:
    text = ""
    for passage in sorted(passages, key=lambda passage: passage["offsets"][0][0]):
        for (start, end), words in zip(passage["offsets"], passage["text"], strict=True):
            if not len(text) <= start <= end <= start + len(words) or start > len(text) + _GAP:
                raise CorpusError(
                    "its passages overlap or leave a wide gap; mend their offsets.", record=record
                )
            text += "\n" * (start - len(text)) + words
    return text


def _entity(item: Mapping, text: str, record: str) -> Entity:
    spans = tuple((start, end) for start, end in item["offsets"])
    known = tuple((link["db_name"] or "", link["db_id"]) for link in item.get("normalized") or ())
    said = " ".join(item["text"])
    return mention(item["id"], item["type"], spans, text, said, normalized=known, record=record)


def _relation(item: Mapping) -> Relation:
    return Relation(item["id"], item["type"], item["arg1_id"], item["arg2_id"])
