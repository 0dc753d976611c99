"""What the query planner of SQLite is told where it would take the long way; others see plain SQL."""

from sqlalchemy import ColumnElement, Join
from sqlalchemy.ext.compiler import compiles
from sqlalchemy.sql.functions import FunctionElement


class WordsFirst(Join):
    """A join that looks the words up first, and then each record by its number.

    Left to itself SQLite may walk the records and ask the full text about each of them, a hundred times
    slower; a CROSS JOIN is its way to be told the order.
    """

    inherit_cache = True


@compiles(WordsFirst, "sqlite")
def _words_first(element: WordsFirst, compiler, **options) -> str:
    return compiler.visit_join(element, **options).replace(" JOIN ", " CROSS JOIN ", 1)


class _OnTheWay(FunctionElement):
    inherit_cache = True

    def __init__(self, column: ColumnElement) -> None:
        self.type = column.type
        super().__init__(column)


def on_the_way(column: ColumnElement) -> ColumnElement:
    """The column, looked at while another index is walked: never a reason to walk an index of its own.

    SQLite otherwise takes any index that has the column, and reads a record of many kilobytes for each of its
    entries to decide the other filters; an index with every short column in it decides them all.
    """
    return _OnTheWay(column)


@compiles(_OnTheWay, "sqlite")
def _with_a_plus(element: _OnTheWay, compiler, **options) -> str:
    return f"+{compiler.process(element.clauses, **options)}"


@compiles(_OnTheWay)
def _plain(element: _OnTheWay, compiler, **options) -> str:
    return compiler.process(element.clauses, **options)
