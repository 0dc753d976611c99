"""Columns of a file and fields of a record: guess which is which, then read a row by it."""

import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field

from db.content import FIELDS, Content
from db.enums import Category, Provenance
from db.exchange import conversations
from db.exchange.cells import tags_of

MAX_KEY = 200
_SHOWN = 30  # characters of a wrong label that its fault repeats

ALIASES: dict[str, tuple[str, ...]] = {
    "instruction": ("instruction", "instructions", "prompt", "question", "query"),
    "input": ("input", "context", "passage", "document"),
    "output": ("output", "response", "answer", "completion", "target"),
    "category": ("category",),
    "task": ("task", "task_type"),
    "specialty": ("specialty", "speciality"),
    "difficulty": ("difficulty",),
    "tags": ("tags", "keywords"),
    "source": ("source", "url"),
    "licence": ("licence", "license"),
    "provenance": ("provenance",),
    "key": ("key", "id", "uid", "record_id"),
    "conversation": ("messages", "conversations", "conversation"),
}
"""Every field that a column can be mapped to, and the names it is known by, the first one preferred."""

_CATEGORIES = {
    "question answering": Category.QA, "information extraction": Category.IE,
    "generation": Category.GEN, "text generation": Category.GEN,
}  # fmt: skip
_KNOWN = frozenset(name for names in ALIASES.values() for name in names)
_TEXTS = ("instruction", "input", "output", "task", "specialty", "source")


@dataclass(frozen=True)
class Given:
    """What a row says: only the fields that it gives, and what surrounds them."""

    fields: dict[str, object] = field(default_factory=dict)
    key: str | None = None
    licence: str = ""
    provenance: Provenance | None = None
    has_system: bool = False

    def content(self, stored: Content | None = None) -> Content:
        """The row as a record; on top of a stored one, what it does not give stays. Raises ValueError."""
        if stored is None:
            if "instruction" not in self.fields:
                raise ValueError("instruction: missing.")
            return Content(**self.fields)
        return Content(**{**{name: getattr(stored, name) for name in FIELDS}, **self.fields})


def is_known(column: str) -> bool:
    """True for a name that `guess_mapping` would recognise."""
    return _plain(column) in _KNOWN


def guess_mapping(columns: Sequence[str], sample: Iterable[dict[str, object]] = ()) -> dict[str, str]:
    """{field: column}. A conversation is known by its values; a counter named id is not taken for a key,
    because the rows of another file would have the same numbers.
    """
    sample = list(sample)
    by_name: dict[str, str] = {}
    for column in columns:
        by_name.setdefault(_plain(column), column)
    guessed = {
        target: by_name[found]
        for target, names in ALIASES.items()
        if (found := next((name for name in names if name in by_name), None))
    }
    talk = next(
        (c for c in columns if any(conversations.is_conversation(row.get(c)) for row in sample)), None
    )
    if talk is None:
        guessed.pop("conversation", None)
    else:
        guessed["conversation"] = talk
    key = guessed.get("key")
    if key and _plain(key) != "key" and all(_is_count(row.get(key)) for row in sample):
        del guessed["key"]
    return guessed


def check_mapping(mapping: dict[str, str], columns: Sequence[str]) -> None:
    """Raise ValueError for a field or column that is not there, or when nothing gives the instruction."""
    for target, column in mapping.items():
        if target not in ALIASES:
            raise ValueError(f"mapping: {target} is not a field; the fields are {', '.join(ALIASES)}.")
        if column not in columns:
            raise ValueError(f"mapping: the file has no column {_short(column)}.")
    if "instruction" not in mapping and "conversation" not in mapping:
        found = ", ".join(map(_short, columns[:20]))
        raise ValueError(f"instruction: no column of the file is known to hold it; choose one of {found}.")


def read_given(
    values: dict[str, object], mapping: dict[str, str], *, flatten: bool = False, keep_system: bool = False
) -> Given:
    """A row of a file by its mapping; null says nothing. Raises ValueError naming the field."""
    found = {target: value for target, column in mapping.items() if (value := values.get(column)) is not None}
    fields = {name: _text(name, found[name]) for name in _TEXTS if name in found}
    has_system = False
    if "conversation" in found:
        given_input = fields.get("input", "").strip()
        turns = found["conversation"]
        taken = conversations.take(turns, given_input, flatten=flatten, keep_system=keep_system)
        spoken = {name: _text(name, text) for name, text in taken.fields.items()}
        fields, has_system = {**fields, **spoken}, taken.has_system
    for name, read in (("category", _category), ("difficulty", _difficulty), ("tags", _tags)):
        if name in found and found[name] != "":
            fields[name] = read(found[name])
    return Given(
        fields,
        key=_key(found.get("key")),
        licence=_text("licence", found.get("licence", "")).strip()[:200],
        provenance=_provenance(found.get("provenance")),
        has_system=has_system,
    )


def _plain(column: str) -> str:
    return re.sub(r"[\W_]+", "_", column.strip().lower()).strip("_")


def _is_count(value: object) -> bool:
    return value is None or isinstance(value, int) or str(value).strip().isdecimal()


def _short(value: object) -> str:
    text = re.sub(r"\s+", " ", str(value))
    return text if len(text) <= _SHOWN else text[:_SHOWN] + "…"


def _text(name: str, value: object) -> str:
    if not isinstance(value, str):
        raise ValueError(f"{name}: must be text, not {type(value).__name__}.")
    if "\0" in value:
        raise ValueError(f"{name}: a null character at {value.index(chr(0)) + 1:,}; remove it.")
    try:
        value.encode()
    except UnicodeEncodeError as error:
        raise ValueError(f"{name}: half a character at {error.start + 1:,}; write it again.") from error
    return value


def _category(value: object) -> Category:
    text = _text("category", value).strip()
    if text.lower() in _CATEGORIES:
        return _CATEGORIES[text.lower()]
    if text.upper() in list(Category):
        return Category(text.upper())
    raise ValueError(f"category: {_short(text)} is not one of {', '.join(Category)}.")


def _difficulty(value: object) -> int:
    text = str(value).strip().removesuffix(".0")
    if isinstance(value, bool) or text not in ("1", "2", "3", "4", "5"):
        raise ValueError(f"difficulty: {_short(text)} is not a whole number from 1 to 5.")
    return int(text)


def _tags(value: object) -> tuple[str, ...]:
    tags = tags_of(_text("tags", value)) if isinstance(value, str) else value
    if not isinstance(tags, list):
        raise ValueError("tags: must be a list of words.")
    return tuple(_text("tags", tag) for tag in tags)


def _key(value: object) -> str | None:
    if value is None or value == "":
        return None
    if isinstance(value, int) and not isinstance(value, bool):
        value = str(value)
    key = _text("key", value).strip()
    if len(key) > MAX_KEY or any(ord(mark) < 32 for mark in key):
        raise ValueError(f"key: it must be one line of at most {MAX_KEY} characters.")
    return key or None


def _provenance(value: object) -> Provenance | None:
    if value is None or value == "":
        return None
    text = _text("provenance", value).strip().lower()
    if text not in list(Provenance):
        raise ValueError(f"provenance: {_short(text)} is not one of {', '.join(Provenance)}.")
    return Provenance(text)
