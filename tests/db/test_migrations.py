from alembic.autogenerate import compare_metadata
from alembic.migration import MigrationContext
from sqlalchemy import inspect

from db import migrate
from db.session import make_engine
from db.tables import Base

THEN = "2026-01-01 00:00:00"
OLD_ROWS = {
    "users": {
        "id": 1, "username": "a", "full_name": "A", "password_hash": "", "is_active": 1, "created_at": THEN,
    },
    "projects": {"id": 1, "name": "W", "description": "", "is_solo": 0, "settings": "{}", "created_at": THEN},
    "datasets": {
        "id": 1, "project_id": 1, "name": "D", "description": "", "created_by_id": 1, "created_at": THEN,
    },
    "dataset_versions": {
        "id": 1, "dataset_id": 1, "number": 1, "content_hash": "h", "recipe": "{}", "counts": "{}",
        "frozen_by_id": 1, "frozen_at": THEN,
    },
    "dataset_rows": {
        "version_id": 1, "position": 0, "split": "train", "instruction": "Ask", "input": "", "output": "Say",
        "category": "QA", "task": "qa", "specialty": "", "difficulty": 3, "tags": "[]", "source": "",
    },
}  # fmt: skip


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


def test_a_new_column_of_frozen_rows_comes_and_goes_and_the_rows_stay(tmp_path):
    engine = make_engine(f"sqlite:///{tmp_path / 'old.db'}")
    migrate.upgrade(engine, "0006")
    with engine.begin() as connection:
        for table, values in OLD_ROWS.items():
            names, marks = ", ".join(values), ", ".join("?" * len(values))
            connection.exec_driver_sql(
                f"INSERT INTO {table} ({names}) VALUES ({marks})", tuple(values.values())
            )
    migrate.upgrade(engine, "0007")
    with engine.connect() as connection:
        assert connection.exec_driver_sql("SELECT is_unreviewed FROM dataset_rows").scalar() == 0
    migrate.downgrade(engine, "0006")
    assert "is_unreviewed" not in {column["name"] for column in inspect(engine).get_columns("dataset_rows")}
    with engine.connect() as connection:
        assert connection.exec_driver_sql("SELECT instruction FROM dataset_rows").scalar() == "Ask"
