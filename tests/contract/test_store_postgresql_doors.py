"""Who is let in by a PostgreSQL, with what rights and settings, and what is said of it."""

import os
import subprocess
import sys
from pathlib import Path

import pytest
from sqlalchemy import Connection

from cloud.store.opening import open_postgres, open_store
from fogline.model.errors import InvalidInput, StoreBusy
from fogline.testing.relay import Relay
from tests.contract.installation import T0, Installation, origin
from tests.contract.staged import HANG_S, MORE, another, counted
from tests.postgres import ESCAPED, PASSWORD, PostgresServer


@pytest.mark.parametrize(
    ("change", "said"),
    [
        (("not%2Fa", "wrong%2Fa"), "does not let us in"),
        (("/fogline", "/nowhere"), "does not let us in"),
        (("fogline:", "nobody:"), "does not let us in"),
        (("127.0.0.1:", "127.0.0.1:x"), "cannot be read"),
        (("postgresql://", "mysql://"), "no such kind"),
    ],
)
async def test_what_an_operator_has_to_mend_is_said_without_the_password(
    postgres: PostgresServer, tmp_path: Path, change: tuple[str, str], said: str
) -> None:
    wrong = postgres.url.replace(*change)
    assert wrong != postgres.url
    with pytest.raises(InvalidInput, match=said) as raised:
        async with open_store(wrong, tmp_path, T0):
            pass
    told = f"{raised.value} {raised.value.hint}"
    assert PASSWORD not in told
    assert ESCAPED not in told
    assert "secret" not in told


async def test_a_server_that_is_not_there_may_yet_come(postgres: PostgresServer, tmp_path: Path) -> None:
    async with Relay("127.0.0.1:1") as relay:
        relay.refusing = True
        url = postgres.url_of("fogline", port=int(relay.address.rpartition(":")[2]))
        with pytest.raises(StoreBusy, match="cannot be reached"):
            async with open_store(url, tmp_path, T0):
                pass


async def test_a_commit_is_durable_whatever_the_database_was_set_to(
    made: Installation, url: str, postgres: PostgresServer
) -> None:
    """A relaxed session makes COMMIT return before the disk has it; what was made stronger stays so."""

    def setting(connection: Connection) -> str:
        return str(connection.exec_driver_sql("SHOW synchronous_commit").scalar())

    name = url.rpartition("/")[2]
    for given, used in (("off", "on"), ("remote_apply", "remote_apply")):
        postgres.sql(f'ALTER DATABASE "{name}" SET synchronous_commit = {given}')
        try:
            async with open_postgres(url, T0) as store:
                assert await store._backend.read(setting) == given
                assert await store._backend.write(setting) == used
        finally:
            postgres.sql(f'ALTER DATABASE "{name}" RESET synchronous_commit')


async def test_the_privileges_that_the_documents_name_are_enough(
    made: Installation, url: str, postgres: PostgresServer
) -> None:
    name = url.rpartition("/")[2]
    with another(url) as owner:
        owner.execute("CREATE ROLE worker LOGIN PASSWORD 'words'")
        owner.execute("GRANT SELECT, INSERT, UPDATE, DELETE ON ALL TABLES IN SCHEMA public TO worker")
        owner.execute("GRANT USAGE ON ALL SEQUENCES IN SCHEMA public TO worker")
        try:
            lesser = f"postgresql://worker:words@127.0.0.1:{postgres.port}/{name}"
            async with open_postgres(lesser, T0) as store:
                less = Installation(store)
                await less.catalog.refresh(store)
                await less.attach("n1")
                assert not (await less.push(MORE, first=2)).refused
                assert not (await less.push(MORE, of=origin("n2"))).refused
                assert await counted(less) == 6
                await store.leave(await store.join("worker"))
                layout = less.catalog.layouts("main", less.plan_id)["by_zone"]
                assert await store.retire_states("main", less.plan_id, layout, T0 * 2)
                assert await store.drop_results("main", less.plan_id, layout, T0 * 2)
        finally:
            owner.execute("DROP OWNED BY worker")
            owner.execute("DROP ROLE worker")


def test_the_password_is_in_no_list_of_processes(postgres: PostgresServer) -> None:
    """A migration runs in a process of its own."""
    url = postgres.database()
    process = subprocess.run(
        [sys.executable, "-m", "cloud.store.migrate"],
        input=url.encode(),
        env={**os.environ, "PYTHONPATH": os.pathsep.join(path for path in sys.path if path)},
        capture_output=True,
        check=True,
        timeout=HANG_S,
    )
    assert b"secret" not in process.stdout + process.stderr
