"""Alembic's entry: run the migrations on the connection that `db.migrate` hands over."""

from alembic import context

from db.migrate import is_ours
from db.tables import Base
from db.tables.base import UtcDateTime


def render_plainly(kind: str, item, _autogen) -> str | bool:
    """Migrations outlive our classes: they name only types of SQLAlchemy."""
    return "sa.DateTime(timezone=True)" if kind == "type" and isinstance(item, UtcDateTime) else False


context.configure(
    connection=context.config.attributes["connection"],
    target_metadata=Base.metadata,
    include_name=is_ours,
    render_as_batch=True,
    render_item=render_plainly,
)
with context.begin_transaction():
    context.run_migrations()
