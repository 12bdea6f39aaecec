"""Backing up, restoring, retiring a node."""

import shutil
from pathlib import Path

import pytest

from cloud.admin import backup, main, restore, retire_node
from cloud.store.opening import STORE_FILE, open_sqlite
from fogline.model.errors import InvalidInput, NotFound
from tests.contract.installation import T0, Installation, Reading


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
        await backup(folder, tmp_path / "kept")
        await made.push([Reading(2, "north", 1.0)], first=1)
        before = store.incarnation
    await restore(tmp_path / "again", tmp_path / "kept")
    async with open_sqlite(tmp_path / "again" / STORE_FILE, T0) as store:
        assert store.incarnation != before
        assert [row.offset for row in (await store.ledger("main")).offsets] == [1]


async def test_nothing_is_overwritten(folder: Path, tmp_path: Path) -> None:
    await backup(folder, tmp_path / "kept")
    with pytest.raises(InvalidInput):
        await backup(folder, tmp_path / "kept")
    with pytest.raises(InvalidInput):
        await restore(folder, tmp_path / "kept")
    with pytest.raises(NotFound):
        await restore(tmp_path / "again", tmp_path / "nothing")


async def test_a_retired_node_is_not_expected(folder: Path) -> None:
    async with open_sqlite(folder / STORE_FILE, T0) as store:
        made = Installation(store)
        await made.deploy()
        await made.attach("n1", "n2")
        await retire_node(folder, "n2")
        assignments = (await store.progresses("main", made.plan_id)).assignments
        assert [a.node for a in assignments if a.to_us is None] == ["n1"]
    with pytest.raises(NotFound):
        await retire_node(folder, "n9")


def test_the_command_says_what_to_do(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["backup", "--folder", str(tmp_path), str(tmp_path / "kept")]) == 2
    assert "name the cloud's folder" in capsys.readouterr().err
