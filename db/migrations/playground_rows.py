"""The rows of the playground on their way through migration 0012, to many sides and back to two.

Before it, a comparison was of one adapter with its base: two answers by side, votes for base or tuned, and a
prompt that held its own text.
"""

from collections.abc import Iterable, Sequence
from typing import Any

import sqlalchemy as sa

Row = dict[str, Any]
Rows = dict[str, list[Row]]  # by table

NEWER = (
    "assignments", "round_pairs", "votes", "rounds", "answers", "comparisons", "prompt_versions", "prompts",
)  # fmt: skip
_TEXTS = ("category", "task", "specialty", "instruction", "input", "watch_for")
_FIGURES = ("tokens", "tokens_per_second", "first_token_seconds")
_NEW_OF_COMPARISONS = (
    "prompt_version_id", "follows_id", "job_id", "key", "slice", "system", "expected", "emptied_at",
    "prompt_hash",
)  # fmt: skip
_NEW_OF_ANSWERS = ("position", "base_model_id", "adapter_id", "step", "endpoint_id", "model", *_FIGURES)
_NEW_OF_VOTES = (
    "one_id", "other_id", "round_id", "is_blind", "settles", "first_id", "seconds", "instruction_id",
    "updated_at",
)  # fmt: skip
_CHOICES = {"base": "one", "tuned": "other"}


def lift(connection: sa.Connection, tables: Sequence[str]) -> Rows:
    """Take every row out of the tables, in this order; and from instructions, where they point here."""
    lifted: Rows = {name: _read(connection, name) for name in tables}
    lifted["adapters"] = _read(connection, "adapters")
    instructions = _table(connection, "instructions")
    made = instructions.c.comparison_id.is_not(None)
    columns = (instructions.c.id, instructions.c.comparison_id)
    lifted["instructions"] = [
        dict(row) for row in connection.execute(sa.select(*columns).where(made)).mappings()
    ]
    connection.execute(sa.update(instructions).where(made).values(comparison_id=None))
    for name in tables:
        connection.execute(sa.delete(_table(connection, name)))
    return lifted


def lay_down(connection: sa.Connection, rows: Rows) -> None:
    """Put rows into the tables as they are now, those that are pointed at first."""
    for name in reversed(NEWER):
        if rows.get(name):
            connection.execute(sa.insert(_table(connection, name)), rows[name])
            _count_on(connection, name)
    instructions = _table(connection, "instructions")
    kept = {row["id"] for row in rows["comparisons"]}
    for row in rows["instructions"]:
        if row["comparison_id"] in kept:
            same = instructions.c.id == row["id"]
            connection.execute(sa.update(instructions).where(same).values(comparison_id=row["comparison_id"]))


def to_many_sides(old: Rows) -> Rows:
    """Prompts get a first version, answers their side's model and their figures, votes the answers meant."""
    adapter_of = {row["id"]: row["adapter_id"] for row in old["comparisons"]}
    base_of = {row["id"]: row["base_model_id"] for row in old["adapters"]}
    sides = {(row["comparison_id"], row["side"]): row["id"] for row in old["answers"]}
    answers = []
    for row in old["answers"]:
        adapter_id, is_base = adapter_of[row["comparison_id"]], row["side"] == "base"
        provenance = dict(row["provenance"] or {})
        figures = provenance.pop("figures", {})
        answers.append(
            _without(row, "side")
            | {name: figures.get(name) or 0 for name in _FIGURES}
            | {"first_token_seconds": figures.get("first_token_seconds"), "provenance": provenance}
            | {"position": 0 if is_base else 1, "step": None, "endpoint_id": None, "model": ""}
            | {"base_model_id": base_of[adapter_id] if is_base else None}
            | {"adapter_id": None if is_base else adapter_id}
        )
    return {
        "prompts": [_without(row, *_TEXTS) | {"removed_at": None} for row in old["prompts"]],
        "prompt_versions": [_first_version(row) for row in old["prompts"]],
        "comparisons": [
            _without(row, "adapter_id", "prompt_id")
            | {"prompt_version_id": row["prompt_id"], "slice": "", "system": "", "expected": []}
            for row in old["comparisons"]
        ],
        "answers": answers,
        "votes": [
            row
            | {
                "one_id": sides[row["comparison_id"], "base"],
                "other_id": sides[row["comparison_id"], "tuned"],
            }
            | {"choice": _CHOICES.get(row["choice"], row["choice"]), "updated_at": row["created_at"]}
            | {"is_blind": False, "settles": False}
            for row in old["votes"]
            if {(row["comparison_id"], "base"), (row["comparison_id"], "tuned")} <= set(sides)
        ],
        "instructions": old["instructions"],
    }


def to_two_sides(new: Rows) -> Rows:
    """Comparisons of a base with an adapter tuned from it, and each person's newest vote on these two."""
    pairs = _pairs(new)
    prompt_of = {row["id"]: row["prompt_id"] for row in new["prompt_versions"]}
    newest = {row["prompt_id"]: row for row in sorted(new["prompt_versions"], key=lambda row: row["number"])}
    told = [row for row in new["comparisons"] if row["id"] in pairs and row["follows_id"] is None]
    kept = {row["id"]: pairs[row["id"]] for row in told}
    return {
        "prompts": [
            _without(row, "removed_at") | {name: newest[row["id"]][name] for name in _TEXTS}
            for row in new["prompts"]
            if row["id"] in newest
        ],
        "comparisons": [
            _without(row, *_NEW_OF_COMPARISONS)
            | {"adapter_id": kept[row["id"]]["tuned"]["adapter_id"]}
            | {"prompt_id": prompt_of.get(row["prompt_version_id"])}
            for row in told
        ],
        "answers": [_of_side(row, side) for pair in kept.values() for side, row in pair.items()],
        "votes": _votes_between(new["votes"], kept),
        "instructions": new["instructions"],
    }


def _pairs(new: Rows) -> dict[int, dict[str, Row]]:
    """By comparison, the answer of the first finished adapter and that of its base, where both are there."""
    answers: dict[int, list[Row]] = {}
    for row in sorted(new["answers"], key=lambda row: row["position"]):
        answers.setdefault(row["comparison_id"], []).append(row)
    base_of = {row["id"]: row["base_model_id"] for row in new["adapters"]}
    pairs = {}
    for id, given in answers.items():
        bases = {row["base_model_id"]: row for row in given if row["base_model_id"]}
        tuned = (row for row in given if row["adapter_id"] and row["step"] is None)
        if found := next((row for row in tuned if base_of[row["adapter_id"]] in bases), None):
            pairs[id] = {"base": bases[base_of[found["adapter_id"]]], "tuned": found}
    return pairs


def _of_side(row: Row, side: str) -> Row:
    provenance = {**row["provenance"], "figures": {name: row[name] for name in _FIGURES}}
    return _without(row, *_NEW_OF_ANSWERS) | {"side": side, "provenance": provenance}


def _votes_between(votes: Iterable[Row], pairs: dict[int, dict[str, Row]]) -> list[Row]:
    kept: dict[tuple[int, int], Row] = {}
    for row in sorted(votes, key=lambda row: row["updated_at"]):
        pair = pairs.get(row["comparison_id"])
        names = {answer["id"]: side for side, answer in pair.items()} if pair else {}
        if row["settles"] or {row["one_id"], row["other_id"]} != set(names):
            continue
        meant = {"one": names[row["one_id"]], "other": names[row["other_id"]]}
        choice = meant.get(row["choice"], row["choice"])
        kept[row["comparison_id"], row["voter_id"]] = _without(row, *_NEW_OF_VOTES) | {"choice": choice}
    return list(kept.values())


def _first_version(prompt: Row) -> Row:
    empty: Row = {"tags": [], "system": "", "expected": [], "created_by_id": None}
    texts = {name: prompt[name] for name in _TEXTS}
    made = {"id": prompt["id"], "prompt_id": prompt["id"], "number": 1, "created_at": prompt["created_at"]}
    return made | texts | empty


def _without(row: Row, *names: str) -> Row:
    return {name: value for name, value in row.items() if name not in names}


def _table(connection: sa.Connection, name: str) -> sa.Table:
    return sa.Table(name, sa.MetaData(), autoload_with=connection, resolve_fks=False)


def _read(connection: sa.Connection, name: str) -> list[Row]:
    table = _table(connection, name)
    return [dict(row) for row in connection.execute(sa.select(table).order_by(table.c.id)).mappings()]


def _count_on(connection: sa.Connection, name: str) -> None:
    """PostgreSQL counts ids apart from the rows: go on after those that came with their own."""
    if connection.dialect.name == "postgresql":
        last = f"SELECT max(id) FROM {name}"
        connection.exec_driver_sql(f"SELECT setval(pg_get_serial_sequence('{name}', 'id'), ({last}))")
