"""What may happen to a PostgreSQL under the store, and that parts count once all the same."""

import asyncio
import os
import sys
import threading
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import event

from cloud.store.migrate import migrate
from cloud.store.opening import open_postgres
from cloud.store.sql import SqlStore
from fogline.model.errors import InvalidInput, StoreBusy
from fogline.testing.relay import Relay
from tests.contract.installation import T0, Installation, Reading, origin
from tests.contract.killed_beside import READINGS
from tests.contract.staged import HANG_S, MORE, SOME, another, before, counted, waits_for_a_lock
from tests.postgres import ESCAPED, PostgresServer


async def committed_upto(made: Installation, offset: int) -> None:
    async with asyncio.timeout(HANG_S):
        while True:
            if [row.offset for row in (await made.store.ledger("main")).offsets] == [offset]:
                return
            await asyncio.sleep(0.01)


async def push_on(made: Installation) -> None:
    """Until it fails: the server reads its settings anew when it comes to it."""
    async with asyncio.timeout(HANG_S):
        while True:
            await made.push()


@pytest.mark.parametrize("moment", ["SELECT o.origin", "INSERT INTO states", "INSERT INTO offsets", "COMMIT"])
async def test_a_server_killed_in_a_commit_has_all_of_it_or_nothing(
    durable_postgres: PostgresServer, moment: str
) -> None:
    url = durable_postgres.database()
    await asyncio.to_thread(migrate, url)
    async with open_postgres(url, T0) as store:
        made = Installation(store)
        await made.deploy()
        await made.push(SOME)
        with before(store, moment, durable_postgres.kill), pytest.raises(StoreBusy):
            await made.push(MORE, first=2)
        with pytest.raises(StoreBusy):
            await store.ledger("main")
        durable_postgres.start()
        assert not (await made.push(MORE, first=2)).refused
        assert await counted(made) == 4


async def test_a_restarted_server_is_connected_to_again_unnoticed(durable_postgres: PostgresServer) -> None:
    url = durable_postgres.database()
    await asyncio.to_thread(migrate, url)
    async with open_postgres(url, T0) as store:
        made = Installation(store)
        await made.deploy()
        await made.push(SOME)
        await made.finish()
        await asyncio.to_thread(durable_postgres.restart)
        assert not (await made.push(MORE, first=2)).refused
        await asyncio.to_thread(durable_postgres.restart)
        assert await counted(made) == 4


async def test_an_administrator_who_ends_every_session_is_not_noticed(made: Installation, url: str) -> None:
    def end_all() -> None:
        with another(url) as admin:
            admin.execute(
                "SELECT pg_terminate_backend(pid) FROM pg_stat_activity "
                "WHERE datname = current_database() AND pid <> pg_backend_pid()"
            )

    assert isinstance(made.store, SqlStore)
    with before(made.store, "INSERT INTO states", end_all) as seen:
        assert not (await made.push(MORE, first=2)).refused
    assert sum(statement.startswith("INSERT INTO states") for statement in seen) == 2
    assert await counted(made) == 4


async def test_a_commit_whose_answer_is_cut_off_counts_once_when_it_is_repeated(
    made: Installation, url: str, postgres: PostgresServer
) -> None:
    loop = asyncio.get_running_loop()
    async with Relay(f"127.0.0.1:{postgres.port}") as relay:
        name = url.rpartition("/")[2]
        through = postgres.url_of(name, port=int(relay.address.rpartition(":")[2]))
        async with open_postgres(through, T0) as store:
            away = Installation(store)
            await away.catalog.refresh(store)

            async def close() -> None:
                relay.down.close()

            def hold() -> None:
                asyncio.run_coroutine_threadsafe(close(), loop).result(HANG_S)

            with before(store, "COMMIT", hold):
                commit = asyncio.create_task(away.push(MORE, first=2))
                await committed_upto(made, 4)
                assert not commit.done()
                relay.cut()
                with pytest.raises(StoreBusy):
                    await commit
            relay.down.open()
            again = await away.push(MORE, first=2)
            assert (again.refused, dict(again.offsets)) == (False, {origin(): 4})
    assert await counted(made) == 4


async def test_a_commit_that_is_chosen_in_a_deadlock_is_repeated(made: Installation, url: str) -> None:
    """Another session takes the window first and the offsets afterwards, which no code of ours does."""
    store = made.store
    assert isinstance(store, SqlStore)
    with another(url) as admin, another(url) as other:
        other.execute("BEGIN; SET LOCAL deadlock_timeout = '60s'")
        other.execute("SELECT * FROM windows FOR UPDATE")
        with before(store, "nothing", lambda: None) as seen:
            commit = asyncio.create_task(made.push(MORE, first=2))
            await waits_for_a_lock(admin)
            await asyncio.to_thread(other.execute, "SELECT * FROM offsets FOR UPDATE")
            other.execute("COMMIT")
            assert not (await commit).refused
        assert sum(statement.startswith("BEGIN") for statement in seen) > 1
    assert await counted(made) == 4


async def test_a_server_that_turns_read_only_is_said_and_waited_for(made: Installation, url: str) -> None:
    with another(url) as admin:
        admin.execute("ALTER SYSTEM SET default_transaction_read_only = on")
        admin.execute("SELECT pg_reload_conf()")
        try:
            with pytest.raises(StoreBusy, match="read-only"):
                await push_on(made)
            assert await made.store.newest_change("main", "greenhouse") == 0
        finally:
            admin.execute("SET default_transaction_read_only = off")
            admin.execute("ALTER SYSTEM RESET default_transaction_read_only")
            admin.execute("SELECT pg_reload_conf()")
    async with asyncio.timeout(HANG_S):
        while True:
            try:
                assert not (await made.push(MORE, first=2)).refused
                break
            except StoreBusy:
                await asyncio.sleep(0.01)
    assert await counted(made) == 4


async def test_a_full_disk_is_said_and_waited_for(made: Installation, url: str) -> None:
    """Raised by a trigger, with the code that PostgreSQL gives it."""
    with another(url) as admin:
        admin.execute(
            "CREATE FUNCTION full_disk() RETURNS trigger LANGUAGE plpgsql AS "
            "$$ BEGIN RAISE EXCEPTION 'could not extend file' USING ERRCODE = '53100'; END $$"
        )
        admin.execute(
            "CREATE TRIGGER full_disk BEFORE INSERT ON states FOR EACH ROW EXECUTE FUNCTION full_disk()"
        )
        try:
            with pytest.raises(StoreBusy, match="disk is full"):
                await made.push(MORE, first=2)
        finally:
            admin.execute("DROP FUNCTION full_disk CASCADE")
    assert not (await made.push(MORE, first=2)).refused
    assert await counted(made) == 4


async def test_a_commit_nobody_waits_for_any_more_is_not_committed(made: Installation) -> None:
    store, reached, go = made.store, threading.Event(), threading.Event()
    assert isinstance(store, SqlStore)

    def stand() -> None:
        reached.set()
        assert go.wait(HANG_S)

    with before(store, "INSERT INTO states", stand):
        commit = asyncio.create_task(made.push(MORE, first=2))
        assert await asyncio.to_thread(reached.wait, HANG_S)
        commit.cancel()
        with pytest.raises(asyncio.CancelledError):
            await commit
        go.set()
    # Through the same rows, so after it.
    await made.push(SOME)
    assert [row.offset for row in (await store.ledger("main")).offsets] == [2]


async def test_a_refused_part_of_an_unknown_origin_leaves_no_row(made: Installation) -> None:
    before_it = await made.store.ledger("main")
    assert (await made.push(MORE, of=origin("n2"), first=3)).refused
    assert await made.store.ledger("main") == before_it


async def test_a_text_that_postgresql_does_not_take_is_refused_and_stops_nothing(made: Installation) -> None:
    """PostgreSQL has no NUL in texts; names come over the wire."""
    with pytest.raises(InvalidInput, match="cannot hold"):
        await made.push(of=origin("n2"), end=5, gap="no\0thing")
    assert not (await made.push(MORE, first=2)).refused
    assert await counted(made) == 4


async def test_changes_become_visible_in_the_order_of_their_numbers(made: Installation, url: str) -> None:
    """Who takes numbers holds the pipeline's row until its transaction ends; the next ones wait for it."""
    with another(url) as admin, another(url) as other:
        other.execute("BEGIN")
        other.execute("UPDATE pipelines SET changes = changes + 5")
        finishing = asyncio.create_task(made.finish())
        await waits_for_a_lock(admin)
        assert await made.store.newest_change("main", "greenhouse") == 0
        assert await made.results() == []
        other.execute("COMMIT")
        await finishing
    assert sorted(result.change for result in await made.results()) == [6, 7]


async def test_a_commit_is_not_lost_to_a_pass_that_looks_at_its_window(made: Installation, url: str) -> None:
    """The pass has chosen the window; a commit into it comes before the pass has locked it."""
    store = made.store
    assert isinstance(store, SqlStore)

    def commit_meanwhile() -> None:
        asyncio.run(_push(url))

    with before(store, "SELECT windows.tenant", lambda: None) as seen:
        await made.finish()
    locking = next(s for s in seen if "windows" in s and s.endswith("FOR UPDATE"))
    await made.push(MORE, first=2)
    looks: list[str] = []

    def look(_connection: Any, _cursor: Any, statement: str, *_: Any) -> None:
        if statement[:60] == locking[:60] and statement.endswith("FOR UPDATE"):
            looks.append(statement)
            if len(looks) == 1:
                commit_meanwhile()

    event.listen(store._backend.engine, "before_cursor_execute", look)
    try:
        assert await counted(made) == 6
    finally:
        event.remove(store._backend.engine, "before_cursor_execute", look)
    assert looks


async def _push(url: str) -> None:
    async with open_postgres(url, T0) as store:
        made = Installation(store)
        await made.catalog.refresh(store)
        assert not (await made.push(MORE, of=origin("n2"))).refused


@pytest.mark.timeout(300)
async def test_processes_killed_at_every_statement_beside_another_writer_count_once(
    made: Installation, url: str
) -> None:
    killer = await asyncio.create_subprocess_exec(
        sys.executable,
        Path(__file__).with_name("killed_beside.py"),
        url,
        env={**os.environ, "PYTHONPATH": os.pathsep.join(path for path in sys.path if path)},
        stdout=asyncio.subprocess.PIPE,
    )
    ended = asyncio.create_task(killer.communicate())
    pushed = 0
    while not ended.done() or not pushed:
        assert not (await made.push([Reading(1, "north", 20.0)], of=origin("beside"), first=pushed)).refused
        pushed += 1
    killed = [line.split() for line in (await ended)[0].decode().splitlines()]
    assert len(killed) > 8
    assert killed[-1][1] == "committed"
    for number, _ in killed:
        answer = await made.push(READINGS, of=origin(f"k{number}"))
        assert (answer.refused, list(answer.offsets.values())) == (False, [2])
    assert await counted(made) == len(SOME) + pushed + len(killed) * len(READINGS)


async def test_a_promoted_standby_goes_on_where_the_server_was(durable_postgres: PostgresServer) -> None:
    """Synchronous replication, and a URL that names both: what was acknowledged is there."""
    primary = durable_postgres
    standby = await asyncio.to_thread(primary.standby)
    try:
        primary.sql("ALTER SYSTEM SET synchronous_standby_names = '*'")
        primary.sql("SELECT pg_reload_conf()")
        url = (
            f"postgresql://fogline:{ESCAPED}@127.0.0.1:{primary.port},127.0.0.1:{standby.port}/fogline"
            "?target_session_attrs=read-write"
        )
        async with open_postgres(url, T0) as store:
            made = Installation(store)
            await made.deploy()
            await made.push(SOME)
            primary.kill()
            with pytest.raises(StoreBusy):
                await made.push(MORE, first=2)
            await asyncio.to_thread(standby.sql, "SELECT pg_promote()")
            assert not (await made.push(MORE, first=2)).refused
            assert await counted(made) == 4
    finally:
        standby.stop()
