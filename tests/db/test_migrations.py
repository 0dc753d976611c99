from alembic.autogenerate import compare_metadata
from alembic.migration import MigrationContext
from sqlalchemy import inspect

from db import migrate
from db.session import make_engine
from db.tables import Base


def test_a_database_of_the_first_schema_is_brought_to_what_the_tables_say(tmp_path):
    engine = make_engine(f"sqlite:///{tmp_path / 'old.db'}")
    migrate.upgrade(engine, "0001")
    with engine.begin() as connection:
        connection.exec_driver_sql(
            "INSERT INTO projects (name, description, is_solo, settings, created_at)"
            " VALUES ('Kept', '', 0, '{}', '2026-01-01')"
        )
    migrate.upgrade(engine)
    with engine.connect() as connection:
        context = MigrationContext.configure(connection, opts={"include_name": migrate.is_ours})
        assert compare_metadata(context, Base.metadata) == []
        assert connection.exec_driver_sql("SELECT name FROM projects").scalar() == "Kept"


def test_upgrading_twice_changes_nothing(tmp_path):
    engine = make_engine(f"sqlite:///{tmp_path / 'studio.db'}")
    migrate.upgrade(engine)
    before = set(inspect(engine).get_table_names())
    migrate.upgrade(engine)
    assert set(inspect(engine).get_table_names()) == before


def test_the_database_runs_in_wal_mode_with_foreign_keys_on(database):
    with database.connect() as connection:
        assert connection.exec_driver_sql("PRAGMA journal_mode").scalar() == "wal"
        assert connection.exec_driver_sql("PRAGMA foreign_keys").scalar() == 1
