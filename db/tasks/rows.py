"""Rows as JSON and back: what `TaskRow.source` holds, for a task to score against."""

from collections.abc import Mapping
from dataclasses import MISSING, dataclass, fields
from typing import Any

from db.corpora.forms.form import SHAPES
from db.corpora.schema import Entity, KbRow, Relation, Row
from db.enums import Split


@dataclass(frozen=True)
class InstructionRow:
    """A frozen row of a dataset version: asked as it stands, its output the right answer."""

    id: str
    document_id: str
    instruction: str
    input: str
    output: str
    task: str = ""
    split: Split | None = None


TaskRowKind = Row | InstructionRow
_KINDS = {**SHAPES, "instruction": InstructionRow}
_SHAPE_OF = {kind: shape for shape, kind in _KINDS.items()}


def to_json(row: TaskRowKind) -> dict[str, Any]:
    """The row as plain values, its shape beside them; fields that say nothing are left out."""
    return {"shape": _SHAPE_OF[type(row)], **_plain(row)}


def from_json(values: Mapping[str, Any]) -> TaskRowKind:
    """The row that `to_json` wrote. Raises ValueError where the values are of no shape that is known."""
    kind = _KINDS.get(values.get("shape", ""))
    if kind is None:
        raise ValueError("source: it is no row of a task; freeze the task again.")
    own: dict[str, Any] = {name: _tuples(value) for name, value in values.items() if name != "shape"}
    if own.get("split"):
        own["split"] = Split(own["split"])
    if kind is KbRow:
        for name, part in (("entities", Entity), ("relations", Relation)):
            own[name] = tuple(_part(part, each) for each in values.get(name, ()))
    return kind(**own)


def _plain(value: Any) -> dict[str, Any]:
    """The fields of a row, an entity or a relation that are not as they are without being told."""
    told = {}
    for field in fields(value):
        held = getattr(value, field.name)
        if field.default is MISSING or held != field.default:
            told[field.name] = _listed(held)
    return told


def _listed(value: Any) -> Any:
    if isinstance(value, tuple):
        return [_listed(part) for part in value]
    return _plain(value) if isinstance(value, Entity | Relation) else value


def _tuples(value: Any) -> Any:
    return tuple(_tuples(part) for part in value) if isinstance(value, list) else value


def _part(kind: type, values: Mapping[str, Any]) -> Any:
    return kind(**{name: _tuples(value) for name, value in values.items()})
