import os
from pathlib import Path

import pytest

from fogline.control.keep import KeptDesired, read_desired, write_desired
from fogline.model.errors import DataLoss
from fogline.testing.control import desired_state


def test_a_state_is_read_as_it_was_written(tmp_path: Path) -> None:
    write_desired(tmp_path / "desired", desired_state(3, "a", "b"))
    assert read_desired(tmp_path / "desired") == desired_state(3, "a", "b")


def test_nothing_was_kept_yet(tmp_path: Path) -> None:
    assert read_desired(tmp_path / "desired") is None
    assert KeptDesired(tmp_path / "desired").desired.generation == 0


async def test_the_generation_never_goes_back(tmp_path: Path) -> None:
    kept = KeptDesired(tmp_path / "desired")
    assert await kept.accept(desired_state(5, "a"))
    assert not await kept.accept(desired_state(4, "b"))
    assert not await kept.accept(desired_state(5, "c"))
    assert kept.desired.state == desired_state(5, "a")
    assert KeptDesired(tmp_path / "desired").desired.state == desired_state(5, "a")


@pytest.mark.parametrize("at", [0, 30, -1])
async def test_a_corrupt_file_is_said_and_replaced_by_the_next_word(
    tmp_path: Path, at: int, capsys: pytest.CaptureFixture[str]
) -> None:
    path = tmp_path / "desired"
    write_desired(path, desired_state(5, "a"))
    content = bytearray(path.read_bytes())
    content[at] ^= 0x40
    path.write_bytes(content)
    with pytest.raises(DataLoss):
        read_desired(path)
    kept = KeptDesired(path)
    assert "kept desired state is lost" in capsys.readouterr().out
    assert kept.desired.state is None
    assert await kept.accept(desired_state(5, "a"))
    assert read_desired(path) == desired_state(5, "a")


@pytest.mark.parametrize("length", [0, 10, 40])
def test_a_torn_file_is_no_state(tmp_path: Path, length: int) -> None:
    path = tmp_path / "desired"
    write_desired(path, desired_state(5, "a"))
    path.write_bytes(path.read_bytes()[:length])
    with pytest.raises(DataLoss):
        read_desired(path)


def test_a_write_that_was_interrupted_leaves_the_old_state(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = tmp_path / "desired"
    write_desired(path, desired_state(1, "a"))

    def cut(descriptor: int) -> None:
        raise OSError(5, "Input/output error")

    monkeypatch.setattr(os, "fsync", cut)
    with pytest.raises(OSError, match="Input/output"):
        write_desired(path, desired_state(2, "b"))
    assert read_desired(path) == desired_state(1, "a")


async def test_a_disk_that_cannot_keep_it_does_not_keep_a_node_from_doing_it(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    kept = KeptDesired(tmp_path / "gone" / "desired")
    assert await kept.accept(desired_state(2, "b"))
    assert kept.desired.generation == 2
    assert "could not be kept" in kept.fault


def test_file_and_folder_are_synced_before_the_write_returns(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    synced: list[str] = []
    fsync = os.fsync

    def note(descriptor: int) -> None:
        synced.append(Path(f"/proc/self/fd/{descriptor}").readlink().name)
        fsync(descriptor)

    monkeypatch.setattr(os, "fsync", note)
    write_desired(tmp_path / "desired", desired_state(1))
    assert synced == ["desired.new", tmp_path.name]
