"""one index decides every filter of the list"""

import sqlalchemy as sa
from alembic import op

revision = "0004"
down_revision = "0003"
branch_labels = None
depends_on = None

SHORT = (
    "project_id", "id", "status", "category", "origin", "provenance", "task", "specialty", "difficulty",
    "author_id", "assignee_id", "licence", "is_restricted",
)  # fmt: skip
DROPPED = {
    "origin": "origin",
    "task": "task",
    "specialty": "specialty",
    "author": "author_id",
    "assignee": "assignee_id",
}


def upgrade() -> None:
    for name in ("list", *DROPPED):
        op.drop_index(f"ix_instructions_{name}", "instructions")
    _index("list", *SHORT, "updated_at", "deleted_at")


def downgrade() -> None:
    op.drop_index("ix_instructions_list", "instructions")
    _index("list", *SHORT)
    for name, column in DROPPED.items():
        _index(name, "project_id", column, "id")


def _index(name: str, *columns: str) -> None:
    live = sa.text("deleted_at IS NULL")
    op.create_index(
        f"ix_instructions_{name}", "instructions", list(columns), sqlite_where=live, postgresql_where=live
    )
