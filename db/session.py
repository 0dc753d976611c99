"""The road to the database: `connect` once a process, then `read()` and `write()` scopes.

SQLite runs in WAL mode. A deferred transaction that reads and then writes fails with "database is
locked" when another writer came between, so `write()` takes the write lock at once (BEGIN IMMEDIATE)
and waits its turn; `read()` never does.
"""

from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from typing import TypeVar

from sqlalchemy import Connection, Engine, create_engine, event
from sqlalchemy.exc import DBAPIError
from sqlalchemy.orm import Session, sessionmaker

Value = TypeVar("Value")
Report = Callable[[int], None]  # told how many are done
_PART = 2_000  # values in one statement: databases bound the number of parameters
DatabaseError = DBAPIError  # the database failed us; named here so that others need not import SQLAlchemy
_PRAGMAS = (
    "journal_mode=WAL",
    "busy_timeout=30000",  # milliseconds
    "foreign_keys=ON",
    "synchronous=NORMAL",
    "mmap_size=1073741824",  # bytes read in place: a fifth less time where a long list is counted
)
_Sessions = sessionmaker(expire_on_commit=False)


def connect(url: str) -> Engine:
    """Bind this process's scopes to the database at `url` and return the engine."""
    engine = make_engine(url)
    _Sessions.configure(bind=engine)
    return engine


def make_engine(url: str) -> Engine:
    engine = create_engine(url)
    if engine.dialect.name == "sqlite":
        event.listen(engine, "connect", _set_pragmas)
        event.listen(engine, "begin", _begin)
    return engine


@contextmanager
def read() -> Iterator[Session]:
    """A session for looking only: what was changed in it is rolled back, what was loaded stays readable."""
    with _Sessions() as session:
        yield session
        session.expunge_all()
        session.rollback()


@contextmanager
def write() -> Iterator[Session]:
    """A session that holds the write lock from its first statement and commits at the end."""
    with _Sessions() as session:
        session.connection(execution_options={"begin": "IMMEDIATE"})
        yield session
        session.commit()


def parts(values: Sequence[Value], report: Report | None = None) -> Iterator[Sequence[Value]]:
    """The values in lists short enough for one statement; each is reported when the next is asked for."""
    for start in range(0, len(values), _PART):
        yield values[start : start + _PART]
        if report:
            report(min(start + _PART, len(values)))


def _set_pragmas(dbapi_connection, _record) -> None:
    dbapi_connection.isolation_level = None  # the driver's own BEGIN is deferred; ours is in _begin
    for pragma in _PRAGMAS:
        dbapi_connection.execute(f"PRAGMA {pragma}")


def _begin(connection: Connection) -> None:
    connection.exec_driver_sql(f"BEGIN {connection.get_execution_options().get('begin', 'DEFERRED')}")
