import hashlib
import os
from pathlib import Path

import pytest

from fogline.control.keep import KeptDesired, read_word, write_word
from fogline.control.keys import Disbelieved
from fogline.control.word import Word
from fogline.model.errors import DataLoss
from fogline.testing.control import CHAIN, KeyChain, desired_state
from fogline.v1 import control_pb2


def word(generation: int, *plans: str) -> Word:
    return CHAIN.word(desired_state(generation, *plans))


def told(generation: int, *plans: str) -> control_pb2.AttachResponse:
    return word(generation, *plans).told()


def test_a_word_is_read_as_it_was_written(tmp_path: Path) -> None:
    write_word(tmp_path / "desired", word(3, "a", "b"))
    assert read_word(tmp_path / "desired") == (word(3, "a", "b"), CHAIN.keys[-1])


def test_nothing_was_kept_yet(tmp_path: Path) -> None:
    assert read_word(tmp_path / "desired") is None
    kept = KeptDesired(tmp_path / "desired")
    assert (kept.desired.generation, kept.faults) == (0, [])


async def test_the_generation_never_goes_back(tmp_path: Path) -> None:
    kept = KeptDesired(tmp_path / "desired")
    assert await kept.accept(told(5, "a"))
    assert not await kept.accept(told(4, "b"))
    assert not await kept.accept(told(5, "c"))
    assert kept.refused == {"older": 1, "contested": 1}
    assert kept.desired.state == desired_state(5, "a")
    assert KeptDesired(tmp_path / "desired").desired.state == desired_state(5, "a")


async def test_a_refusal_is_said_until_the_parent_says_what_can_be_believed(tmp_path: Path) -> None:
    kept = KeptDesired(tmp_path / "desired")
    await kept.accept(told(5, "a"))
    await kept.accept(told(5, "b"))
    assert "says something else of desired state 5" in kept.faults[0]
    assert kept.contested == 5
    assert not await kept.accept(told(5, "a"))
    assert (kept.faults, kept.contested) == ([], 0)


async def test_what_another_installation_signs_is_refused_also_after_a_restart(tmp_path: Path) -> None:
    kept = KeptDesired(tmp_path / "desired")
    await kept.accept(told(5, "a"))
    other = KeyChain().word(desired_state(6, "b")).told()
    for _ in range(2):
        assert not await kept.accept(other)
        assert kept.refused["unknown_key"] == 1
        assert [key.version for key in kept.known_keys] == [1]
        kept = KeptDesired(tmp_path / "desired")
        assert kept.known_keys == ()
    assert kept.desired.generation == 5


async def test_a_key_that_was_replaced_signs_nothing_any_more_also_after_a_restart(tmp_path: Path) -> None:
    chain = KeyChain()
    before = chain.word(desired_state(9, "stolen key")).told()
    kept = KeptDesired(tmp_path / "desired")
    assert await kept.accept(chain.word(desired_state(1)).told())
    chain.rotate()
    assert await kept.accept(chain.word(desired_state(2)).told())
    kept = KeptDesired(tmp_path / "desired")
    assert not await kept.accept(before)
    assert kept.refused == {"older_key": 1}


async def test_a_node_that_was_away_during_rotations_follows_them(tmp_path: Path) -> None:
    chain = KeyChain()
    kept = KeptDesired(tmp_path / "desired")
    assert await kept.accept(chain.word(desired_state(1)).told())
    for _ in range(3):
        chain.rotate()
    kept = KeptDesired(tmp_path / "desired")
    assert await kept.accept(chain.word(desired_state(2, "a")).told())
    assert KeptDesired(tmp_path / "desired").desired.state == desired_state(2, "a")


async def test_a_file_of_the_release_that_signed_nothing_is_read_and_replaced(tmp_path: Path) -> None:
    path = tmp_path / "desired"
    content = desired_state(7, "a").SerializeToString()
    path.write_bytes(b"fogline desired state 1\n" + hashlib.sha256(content).digest() + content)
    kept = KeptDesired(path)
    assert kept.desired.state == desired_state(7, "a")
    assert not await kept.accept(told(6))
    assert await kept.accept(told(7, "a"))
    assert read_word(path) == (word(7, "a"), CHAIN.keys[-1])


@pytest.mark.parametrize("at", [0, 30, -1])
async def test_a_corrupt_file_is_said_and_replaced_by_the_next_word(
    tmp_path: Path, at: int, capsys: pytest.CaptureFixture[str]
) -> None:
    path = tmp_path / "desired"
    write_word(path, word(5, "a"))
    content = bytearray(path.read_bytes())
    content[at] ^= 0x40
    path.write_bytes(content)
    with pytest.raises(DataLoss):
        read_word(path)
    kept = KeptDesired(path)
    assert "kept desired state is lost" in capsys.readouterr().out
    assert "that was kept is lost" in kept.faults[0]
    assert kept.desired.state is None
    assert await kept.accept(told(5, "a"))
    assert kept.faults == []
    assert read_word(path) == (word(5, "a"), CHAIN.keys[-1])


@pytest.mark.parametrize("length", [0, 10, 40])
def test_a_torn_file_is_no_state(tmp_path: Path, length: int) -> None:
    path = tmp_path / "desired"
    write_word(path, word(5, "a"))
    path.write_bytes(path.read_bytes()[:length])
    with pytest.raises(DataLoss):
        read_word(path)


def test_a_file_that_somebody_changed_is_not_believed_though_its_checksum_is_right(tmp_path: Path) -> None:
    path = tmp_path / "desired"
    forged = word(5, "a").told()
    forged.signed.content = desired_state(5, "mine").SerializeToString()
    content = forged.SerializeToString()
    path.write_bytes(b"fogline desired state 2\n" + hashlib.sha256(content).digest() + content)
    with pytest.raises(Disbelieved):
        read_word(path)
    assert KeptDesired(path).desired.state is None


def test_with_a_ca_a_kept_file_must_lead_to_it(tmp_path: Path) -> None:
    path = tmp_path / "desired"
    write_word(path, word(5, "a"))
    with pytest.raises(Disbelieved):
        read_word(path, lambda content, signature: False)
    first = CHAIN.keys[0]
    assert read_word(path, lambda content, signature: content == first.statement) is not None


def test_a_write_that_was_interrupted_leaves_the_old_state(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = tmp_path / "desired"
    write_word(path, word(1, "a"))

    def cut(descriptor: int) -> None:
        raise OSError(5, "Input/output error")

    monkeypatch.setattr(os, "fsync", cut)
    with pytest.raises(OSError, match="Input/output"):
        write_word(path, word(2, "b"))
    assert read_word(path) == (word(1, "a"), CHAIN.keys[-1])


async def test_a_disk_that_cannot_keep_it_does_not_keep_a_node_from_doing_it(tmp_path: Path) -> None:
    kept = KeptDesired(tmp_path / "gone" / "desired")
    assert await kept.accept(told(2, "b"))
    assert kept.desired.generation == 2
    assert "could not be kept" in kept.faults[0]


def test_file_and_folder_are_synced_before_the_write_returns(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    synced: list[str] = []
    fsync = os.fsync

    def note(descriptor: int) -> None:
        synced.append(Path(f"/proc/self/fd/{descriptor}").readlink().name)
        fsync(descriptor)

    monkeypatch.setattr(os, "fsync", note)
    write_word(tmp_path / "desired", word(1))
    assert synced == ["desired.new", tmp_path.name]
