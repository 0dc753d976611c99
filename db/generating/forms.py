"""The form a reply has to have: as JSON schema for servers that know it, and in words for those that do not.

Both are made from the same list of fields, which `replies` reads by: what is asked for and what is read
cannot drift apart. The schemas keep to what strict structured outputs allow: every field required, no others.
"""

import json
from collections.abc import Collection

from db.enums import Category

RECORD_FIELDS = ("instruction", "input", "output", "category", "task")
_CATEGORIES = [category.value for category in Category]
_EXAMPLE = {
    "instruction": "what is asked",
    "input": "the text it works on, or an empty string",
    "output": "the answer",
    "category": " or ".join(_CATEGORIES),
    "task": "snake_case_name",
}


def asked_fields(fixed: Collection[str] = ()) -> tuple[str, ...]:
    """The fields that the model writes, where those of `fixed` are given."""
    given = set(fixed)
    if "instruction" in given:  # an answer to a stored record: its labels stand already
        given |= {"category", "task"}
    return tuple(field for field in RECORD_FIELDS if field not in given)


def record_schema(fixed: Collection[str] = ()) -> dict:
    """The schema of `{"instructions": [...]}`."""
    return _list_of("instructions", {field: _typed(field) for field in asked_fields(fixed)})


def label_schema() -> dict:
    """The schema of `{"labels": [...]}`, one for each record by its number from 1."""
    fields = {"number": {"type": "integer"}, "category": _typed("category"), "task": _typed("task")}
    return _list_of("labels", fields)


def describe_records(n: int, fixed: Collection[str] = ()) -> str:
    example = {field: _EXAMPLE[field] for field in asked_fields(fixed)}
    return _described({"instructions": [example]}, "instructions", n)


def describe_labels(n: int) -> str:
    example = {"number": 1, "category": _EXAMPLE["category"], "task": _EXAMPLE["task"]}
    return _described({"labels": [example]}, "labels", n)


def _described(example: dict, name: str, n: int) -> str:
    entries = "1 entry" if n == 1 else f"{n} entries"
    return (
        "Answer with one JSON object and nothing else: no code fence, no word before it or after it. "
        f'Its "{name}" list has exactly {entries} of this form:\n'
        f"{json.dumps(example, ensure_ascii=False)}\n"
        'Inside strings write a line break as \\n and a quotation mark as \\".'
    )


def _typed(field: str) -> dict:
    return {"type": "string", "enum": _CATEGORIES} if field == "category" else {"type": "string"}


def _list_of(name: str, fields: dict) -> dict:
    entry = {
        "type": "object",
        "properties": fields,
        "required": list(fields),
        "additionalProperties": False,
    }
    return {
        "type": "object",
        "properties": {name: {"type": "array", "items": entry}},
        "required": [name],
        "additionalProperties": False,
    }
