"""Bring a database to the newest schema. Run at every start; does nothing when there is nothing to do."""

from pathlib import Path

from alembic import command
from alembic.config import Config
from sqlalchemy import Engine

MIGRATIONS = Path(__file__).parent / "migrations"
# SQLite's own: made by migrations, in no class of ours
FULL_TEXT = ("instruction_search", "prediction_search", "task_search")


def upgrade(engine: Engine, revision: str = "head") -> None:
    """Apply every migration up to `revision`, each in a transaction."""
    with engine.connect() as connection:
        command.upgrade(_config(connection), revision)
        connection.commit()


def downgrade(engine: Engine, revision: str) -> None:
    """Take back every migration after `revision`, with what only they can hold."""
    with engine.connect() as connection:
        command.downgrade(_config(connection), revision)
        connection.commit()


def draft(engine: Engine, message: str) -> None:
    """Write a new migration from what the tables say and `engine`'s schema lacks."""
    with engine.connect() as connection:
        command.revision(_config(connection), message, autogenerate=True)


def is_ours(name: str | None, kind: str, _parents: dict) -> bool:
    """Alembic's `include_name`: false for the tables that full text keeps for itself."""
    return not (kind == "table" and name and name.startswith(FULL_TEXT))


def _config(connection) -> Config:
    config = Config()
    config.set_main_option("script_location", str(MIGRATIONS))
    config.set_main_option("path_separator", "os")
    config.attributes["connection"] = connection
    return config
