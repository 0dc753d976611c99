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


def test_a_removed_endpoint_shares_its_name_until_a_step_back_tells_them_apart(tmp_path):
    engine = make_engine(f"sqlite:///{tmp_path / 'studio.db'}")
    migrate.upgrade(engine)
    with engine.begin() as connection:
        for deleted in ("'2026-01-02'", "NULL"):
            connection.exec_driver_sql(
                "INSERT INTO endpoints (name, base_url, model, key_variable, concurrency, test_trouble,"
                " created_at, deleted_at) VALUES ('Ours', 'https://x.example.org/v1', 'm', '', 4, '',"
                f" '2026-01-01', {deleted})"
            )
    migrate.downgrade(engine, "0004")
    with engine.connect() as connection:
        names = connection.exec_driver_sql("SELECT name FROM endpoints ORDER BY id").scalars().all()
    assert names == ["Ours (removed, number 1)", "Ours"]


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
