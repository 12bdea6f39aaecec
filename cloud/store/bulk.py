"""Many rows in one statement: what the commit and the finishing pass say in SQL by hand, for either database.

SQLAlchemy builds and binds a statement of a thousand rows slower than a database runs it. The commit's few statements
are therefore texts, made once. PostgreSQL gets a column as one array; SQLite gets a tuple for each row.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import cache
from itertools import chain, repeat
from typing import Any, Final, Protocol

from sqlalchemy import Connection, Row

Columns = Sequence[Sequence[Any]]
Found = Row[*tuple[Any, ...]]


@dataclass(frozen=True, slots=True, kw_only=True)
class Put:
    """An INSERT of many rows."""

    table: str
    same: tuple[str, ...] = ()
    """Columns with one value for all rows."""
    columns: tuple[str, ...]
    kinds: str
    """A letter for each of ``columns``: i(nteger), t(ext), b(ytes)."""
    conflict: str
    """What happens to rows that are there: ON CONFLICT …"""


class Bulk(Protocol):
    """Puts and asks for many rows."""

    def say(self, connection: Connection, statement: str, values: Sequence[Any]) -> Sequence[Found]:
        """Run a statement with these values for its ``?``. It returns rows."""
        ...

    def put(self, connection: Connection, put: Put, same: Sequence[Any], columns: Columns) -> None:
        """Insert rows given by columns."""
        ...

    def ask(
        self, connection: Connection, statement: str, kinds: str, columns: Columns, values: Sequence[Any] = ()
    ) -> Sequence[Found]:
        """Run a statement that begins with ``WITH given(…) AS ({given})``: the rows of these columns.

        Or, of one column, with ``column {among}``. Further values stand as ``?``, behind them. The statement
        returns rows.
        """
        ...


class SqliteBulk:
    """A tuple for each row."""

    def say(self, connection: Connection, statement: str, values: Sequence[Any]) -> Sequence[Found]:
        """As :class:`Bulk` says."""
        return connection.exec_driver_sql(statement, tuple(values)).all()

    def put(self, connection: Connection, put: Put, same: Sequence[Any], columns: Columns) -> None:
        """As :class:`Bulk` says."""
        rows = list(zip(*map(repeat, same), *columns, strict=False))
        connection.exec_driver_sql(_sqlite_text(put), rows if len(rows) > 1 else rows[0])

    def ask(
        self, connection: Connection, statement: str, kinds: str, columns: Columns, values: Sequence[Any] = ()
    ) -> Sequence[Found]:
        """As :class:`Bulk` says; in as many statements as SQLite's limit of variables asks for."""
        assert len(kinds) == len(columns)
        size = SQLITE_VALUES // len(columns)
        row = f"({','.join('?' * len(columns))})"
        found: list[Found] = []
        for at in range(0, len(columns[0]), size):
            rows = list(zip(*(column[at : at + size] for column in columns), strict=True))
            marks = ",".join(repeat(row, len(rows)))
            text = statement.replace("{given}", f"VALUES {marks}").replace("{among}", f"IN (VALUES {marks})")
            parameters = (*chain.from_iterable(rows), *values)
            found += connection.exec_driver_sql(text, parameters).all()
        return found


class PostgresBulk:
    """An array for each column."""

    def say(self, connection: Connection, statement: str, values: Sequence[Any]) -> Sequence[Found]:
        """As :class:`Bulk` says."""
        return connection.exec_driver_sql(_postgres_question(statement, ""), tuple(values)).all()

    def put(self, connection: Connection, put: Put, same: Sequence[Any], columns: Columns) -> None:
        """As :class:`Bulk` says."""
        arrays = [_ARRAYS[kind](column) for kind, column in zip(put.kinds, columns, strict=True)]
        connection.exec_driver_sql(_postgres_text(put), (*same, *arrays))

    def ask(
        self, connection: Connection, statement: str, kinds: str, columns: Columns, values: Sequence[Any] = ()
    ) -> Sequence[Found]:
        """As :class:`Bulk` says."""
        arrays = [_ARRAYS[kind](column) for kind, column in zip(kinds, columns, strict=True)]
        return connection.exec_driver_sql(_postgres_question(statement, kinds), (*arrays, *values)).all()


SQLITE_VALUES: Final = 30_000
"""SQLite takes 32,766 variables in a statement."""


def _numbers(values: Sequence[int]) -> str:
    return "{" + ",".join(map(str, values)) + "}"


def _texts(values: Sequence[str]) -> str:
    quoted = ('"' + value.replace("\\", "\\\\").replace('"', '\\"') + '"' for value in values)
    return "{" + ",".join(quoted) + "}"


def _bytes(values: Sequence[bytes]) -> str:
    return "{" + ",".join(['"\\\\x' + value.hex() + '"' for value in values]) + "}"


# Literals made here: psycopg calls Python for each element of a list, which takes ten times as long.
_ARRAYS: Final[dict[str, Callable[[Sequence[Any]], str]]] = {"i": _numbers, "t": _texts, "b": _bytes}
_TYPES: Final = {"i": "%s::bigint[]", "t": "%s::text[]", "b": "%s::bytea[]"}


@cache
def _sqlite_text(put: Put) -> str:
    names = (*put.same, *put.columns)
    marks = ",".join("?" * len(names))
    return f"INSERT INTO {put.table} ({_names(names)}) VALUES ({marks}) {put.conflict}"  # noqa: S608 - constants


@cache
def _postgres_text(put: Put) -> str:
    marks = "".join("%s," for _ in put.same)
    given = ",".join(_TYPES[kind] for kind in put.kinds)
    names = _names((*put.same, *put.columns))
    return f"INSERT INTO {put.table} ({names}) SELECT {marks} given.* FROM unnest({given}) AS given {put.conflict}"  # noqa: S608 - constants


@cache
def _postgres_question(statement: str, kinds: str) -> str:
    given = ",".join(_TYPES[kind] for kind in kinds)
    text = statement.replace("?", "%s").replace("{among}", f"= ANY({given})")
    return text.replace("{given}", f"SELECT * FROM unnest({given})")  # noqa: S608 - constants


def _names(names: Sequence[str]) -> str:
    return ",".join(f'"{name}"' for name in names)
