"""A crash between any two statements of a commit leaves all of it or nothing."""

import asyncio
import os
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import event
from sqlalchemy.engine import Engine

from cloud.store.sql import SqlStore
from fogline.model.errors import StoreBusy
from tests.contract.conftest import OpenStore
from tests.contract.installation import Installation, Reading, origin

SOME = [Reading(1, "north", 20.0), Reading(12, "south", 19.0)]
MORE = [Reading(4, "north", 25.0), Reading(13, None, 18.0)]


class Crash(BaseException):
    """Stands for the end of the process: nothing in the store's way may catch it."""


class Statements:
    """Counts the statements of a store, and crashes before the one that was chosen."""

    def __init__(self, store: SqlStore, crash_at: int) -> None:
        self._engine: Engine = store._backend.engine
        self._crash_at = crash_at
        self.seen: list[str] = []

    def _before(self, _connection: Any, _cursor: Any, statement: str, *_: Any) -> None:
        self._count(statement)

    def _commit(self, _connection: Any) -> None:
        self._count("COMMIT")

    def _count(self, statement: str) -> None:
        self.seen.append(statement)
        if len(self.seen) - 1 == self._crash_at:
            raise Crash(statement)

    @contextmanager
    def staged(self) -> Iterator[None]:
        event.listen(self._engine, "before_cursor_execute", self._before)
        event.listen(self._engine, "commit", self._commit)
        try:
            yield
        finally:
            event.remove(self._engine, "before_cursor_execute", self._before)
            event.remove(self._engine, "commit", self._commit)


async def _pushed_through_a_crash(store: SqlStore, crash_at: int) -> tuple[int, dict[Any, Any]]:
    """Commit one part, crash while the second is committed, send it again. How many statements, and what is
    said.
    """
    made = Installation(store)
    await made.deploy()
    await made.push(SOME)
    before = await store.ledger("main")
    statements = Statements(store, crash_at)
    try:
        with statements.staged():
            await made.push(MORE, first=2, end=4)
    except Crash:
        assert await store.ledger("main") == before
    answer = await made.push(MORE, first=2, end=4)
    assert not answer.refused
    assert dict(answer.offsets) == {origin(): 4}
    await made.finish()
    return len(statements.seen), await made.said()


async def test_a_crash_before_any_statement_leaves_nothing_and_repeating_counts_once(
    open_store: OpenStore,
) -> None:
    async with open_store("whole") as store:
        total, expected = await _pushed_through_a_crash(store, -1)
    assert total > 8
    for crash_at in range(total):
        async with open_store(f"crash-{crash_at}") as store:
            _, said = await _pushed_through_a_crash(store, crash_at)
            assert said == expected


async def test_a_commit_whose_outcome_is_unknown_counts_once_when_it_is_repeated(
    open_store: OpenStore, monkeypatch: pytest.MonkeyPatch
) -> None:
    """COMMIT went through, its answer did not come back."""
    async with open_store() as store:
        made = Installation(store)
        await made.deploy()
        with monkeypatch.context() as patched:
            taken = type(store).commit

            async def lost(self: SqlStore, submissions: Any, now_us: int) -> Any:
                await taken(self, submissions, now_us)
                raise StoreBusy("the answer was lost")

            patched.setattr(type(store), "commit", lost)
            with pytest.raises(StoreBusy):
                await made.push(SOME)
        answer = await made.push(SOME)
        await made.finish()
        assert dict(answer.offsets) == {origin(): 2}
        assert [values[0] for values in (await made.said()).values()] == [1, 1]


async def test_a_process_killed_before_any_statement_leaves_all_or_nothing(
    open_sqlite_store: OpenStore, tmp_path: Path
) -> None:
    """The same with a process that really dies: what SQLite finds afterwards is what counts."""
    open_store = open_sqlite_store
    async with open_store("base") as store:
        made = Installation(store)
        await made.deploy()
        await made.push(SOME)
    killer = Path(__file__).with_name("killed_in_commit.py")
    process = await asyncio.create_subprocess_exec(
        sys.executable,
        killer,
        tmp_path / "base.sqlite",
        env={**os.environ, "PYTHONPATH": os.pathsep.join(path for path in sys.path if path)},
        stdout=asyncio.subprocess.PIPE,
    )
    said, _ = await process.communicate()
    killed = [line.split() for line in said.decode().splitlines()]
    assert len(killed) > 8
    for crash_at, copy, came_through in killed:
        async with open_store(f"base-{crash_at}") as store:
            assert copy == f"base-{crash_at}"
            (row,) = (await store.ledger("main")).offsets
            assert row.offset == (4 if came_through == "committed" else 2)
            made = Installation(store)
            await made.catalog.refresh(store)
            assert not (await made.push(MORE, first=2, end=4)).refused
            await made.finish()
            assert sum(values[0] for values in (await made.said()).values()) == 4  # type: ignore[misc] # counts
