"""full text and the indexes of the list"""

import sqlalchemy as sa
from alembic import op

revision = "0003"
down_revision = "0002"
branch_labels = None
depends_on = None


LIST = (
    "id", "status", "category", "origin", "provenance", "task", "specialty", "difficulty", "author_id",
    "assignee_id", "licence", "is_restricted",
)  # fmt: skip
INDEXES = {
    "list": LIST,
    "status": ("status", "id"),
    "origin": ("origin", "id"),
    "task": ("task", "id"),
    "specialty": ("specialty", "id"),
    "author": ("author_id", "id"),
    "assignee": ("assignee_id", "id"),
    "updated": ("updated_at", "id"),
    "submitted": ("submitted_at", "id"),
    "difficulty": ("difficulty", "id"),
}

FIELDS = ("instruction", "input", "output", "task", "specialty", "tags", "source")


def upgrade() -> None:
    live = sa.text("deleted_at IS NULL")
    for name, columns in INDEXES.items():
        op.create_index(
            f"ix_instructions_{name}",
            "instructions",
            ["project_id", *columns],
            sqlite_where=live,
            postgresql_where=live,
        )
    if op.get_bind().dialect.name == "sqlite":
        _add_full_text()


def _add_full_text() -> None:
    """An index of words without a copy of the text, kept in step by triggers, filled with what is there."""
    columns = ", ".join(FIELDS)
    op.execute(
        f"CREATE VIRTUAL TABLE instruction_search USING fts5({columns}, content='', prefix='2 3 4',"
        " tokenize='unicode61 remove_diacritics 2')"
    )
    op.execute(
        f"INSERT INTO instruction_search (rowid, {columns})"
        f" SELECT id, {_values('instructions')} FROM instructions"
    )
    for name, event, actions in (
        ("insert", "INSERT", _added()),
        ("delete", "DELETE", _removed()),
        ("update", f"UPDATE OF {columns}", _removed() + _added()),
    ):
        op.execute(
            f"CREATE TRIGGER instruction_search_{name} AFTER {event} ON instructions BEGIN {actions} END"
        )


def _added() -> str:
    return f"INSERT INTO instruction_search (rowid, {', '.join(FIELDS)}) VALUES (new.id, {_values('new')});"


def _removed() -> str:
    """Without a copy of the text the index has to be told what it said."""
    return (
        f"INSERT INTO instruction_search (instruction_search, rowid, {', '.join(FIELDS)})"
        f" VALUES ('delete', old.id, {_values('old')});"
    )


def _values(row: str) -> str:
    """The fields of a row; the tags, a JSON list, as plain words."""
    tags = f"(SELECT group_concat(value, ' ; ') FROM json_each({row}.tags))"
    return ", ".join(tags if field == "tags" else f"{row}.{field}" for field in FIELDS)


def downgrade() -> None:
    if op.get_bind().dialect.name == "sqlite":
        for name in ("insert", "delete", "update"):
            op.execute(f"DROP TRIGGER instruction_search_{name}")
        op.execute("DROP TABLE instruction_search")
    for name in INDEXES:
        op.drop_index(f"ix_instructions_{name}", "instructions")
