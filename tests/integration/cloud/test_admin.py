"""Backing up, restoring, renewing, retiring a node."""

import asyncio
import os
import shutil
from pathlib import Path

import pytest

from cloud.admin import Where, backup, main, renew, restore, retire_node
from cloud.store.migrate import migrate
from cloud.store.opening import STORE_FILE, open_postgres, open_sqlite
from fogline.model.errors import InvalidInput, NotFound
from tests.contract.installation import T0, Installation, Reading, origin
from tests.postgres import PostgresServer


def at(folder: Path) -> Where:
    return Where(url="", folder=folder)


@pytest.fixture
def folder(tmp_path: Path, empty_store: Path) -> Path:
    folder = tmp_path / "cloud"
    folder.mkdir()
    shutil.copy(empty_store, folder / STORE_FILE)
    return folder


async def test_a_restored_backup_holds_what_was_committed_and_lives_another_life(
    folder: Path, tmp_path: Path
) -> None:
    async with open_sqlite(folder / STORE_FILE, T0) as store:
        made = Installation(store)
        await made.deploy()
        await made.push([Reading(1, "north", 1.0)])
        await backup(at(folder), tmp_path / "kept")
        await made.push([Reading(2, "north", 1.0)], first=1)
        before = store.incarnation
    await restore(at(tmp_path / "again"), tmp_path / "kept")
    async with open_sqlite(tmp_path / "again" / STORE_FILE, T0) as store:
        assert store.incarnation != before
        assert [row.offset for row in (await store.ledger("main")).offsets] == [1]


async def test_nothing_is_overwritten(folder: Path, tmp_path: Path) -> None:
    await backup(at(folder), tmp_path / "kept")
    with pytest.raises(InvalidInput):
        await backup(at(folder), tmp_path / "kept")
    with pytest.raises(InvalidInput):
        await restore(at(folder), tmp_path / "kept")
    with pytest.raises(NotFound):
        await restore(at(tmp_path / "again"), tmp_path / "nothing")


async def test_a_retired_node_is_not_expected(folder: Path) -> None:
    async with open_sqlite(folder / STORE_FILE, T0) as store:
        made = Installation(store)
        await made.deploy()
        await made.attach("n1", "n2")
        await retire_node(at(folder), "n2")
        assignments = (await store.progresses("main", made.plan_id)).assignments
        assert [a.node for a in assignments if a.to_us is None] == ["n1"]
    with pytest.raises(NotFound):
        await retire_node(at(folder), "n9")


def test_the_command_says_what_to_do(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["backup", "--folder", str(tmp_path), str(tmp_path / "kept")]) == 2
    assert "name the cloud's folder" in capsys.readouterr().err


def test_the_command_takes_a_url_from_the_environment(
    postgres: PostgresServer, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    url = postgres.database()
    monkeypatch.setenv("FOGLINE_CLOUD_STORE", url)
    assert main(["renew"]) == 0
    said = capsys.readouterr().out
    assert url.rpartition("/")[2] in said
    assert "secret" not in said
    assert main(["backup", "anywhere"]) == 2
    assert "pg_dump" in capsys.readouterr().err


async def test_a_dump_that_was_restored_and_renewed_is_another_life_to_a_cloud_that_stayed(
    postgres: PostgresServer,
) -> None:
    """The process has kept numbers of origins, plans and its incarnation; none of them holds any more."""
    url = postgres.database()
    await asyncio.to_thread(migrate, url)
    async with open_postgres(url, T0) as store:
        made = Installation(store)
        await made.deploy()
        await made.push([Reading(1, "north", 1.0)])
        dump = await _postgres(postgres, "pg_dump", "--format=custom", f"--dbname={url}")
        await made.push([Reading(2, "north", 1.0)], of=origin("n2"))
        await made.push([Reading(2, "north", 1.0)], first=1)
        before = store.incarnation
        clean = ("--clean", "--if-exists", "--single-transaction", f"--dbname={url}")
        await _postgres(postgres, "pg_restore", *clean, given=dump)
        await renew(Where(url=url, folder=None))
        # Another origin takes the number that n2 had.
        told = await made.push([Reading(3, "north", 1.0)], of=origin("n3"))
        assert told.incarnation == store.incarnation != before
        again = await made.push([Reading(2, "north", 1.0)], of=origin("n2"))
        assert dict(again.offsets) == {origin("n2"): 1}
        refused = await made.push([Reading(3, "north", 1.0)], first=2)
        assert refused.refused
        assert dict(refused.offsets) == {origin(): 1}
        assert {row.origin.node: row.offset for row in (await store.ledger("main")).offsets} == {
            "n1": 1,
            "n2": 1,
            "n3": 1,
        }


async def _postgres(server: PostgresServer, program: str, *arguments: str, given: bytes = b"") -> bytes:
    process = await asyncio.create_subprocess_exec(
        server.bin / program,
        *arguments,
        stdin=asyncio.subprocess.PIPE,
        stdout=asyncio.subprocess.PIPE,
        env={**os.environ, "LC_ALL": "C"},
    )
    said, _ = await process.communicate(given)
    assert process.returncode == 0
    return said
