"""Which processes commit into this store: read and written in the caller's transaction."""

from collections.abc import Iterable, Mapping

from sqlalchemy import Connection, delete, select, update

from cloud.store import schema


class Members:
    """Each process has a row, whose beat it moves as long as it lives. Nobody compares clocks."""

    def __init__(self, connection: Connection) -> None:
        self._connection = connection

    def join(self, name: str) -> int:
        """Add a process; its number is higher than any before."""
        done = self._connection.execute(schema.members.insert().values(name=name, beat=0))
        (number,) = done.inserted_primary_key or (0,)
        return int(number)

    def beat(self, member: int, gone: Iterable[int]) -> Mapping[int, int]:
        """Move a member's beat, strike off those that are gone; the beats of all that are left."""
        table = schema.members
        self._connection.execute(update(table).where(table.c.number == member).values(beat=table.c.beat + 1))
        self.leave(gone)
        rows = self._connection.execute(select(table.c.number, table.c.beat))
        return {row.number: row.beat for row in rows}

    def leave(self, members: Iterable[int]) -> None:
        """Strike members off."""
        table, numbers = schema.members, sorted(members)
        if numbers:
            self._connection.execute(delete(table).where(table.c.number.in_(numbers)))
