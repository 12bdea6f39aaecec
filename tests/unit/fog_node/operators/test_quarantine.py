"""Batches that were given up: kept within limits, known after a restart."""

from pathlib import Path

from fog_node.operators.quarantine import Kept, Quarantine

EPOCH = b"e" * 16


def kept(first: int, **other: str) -> Kept:
    return Kept(
        plan=other.get("plan", "../p/1"),
        step=other.get("step", "../../etc"),
        stream="air",
        epoch=EPOCH.hex(),
        first=first,
        end=first + 10,
        rows=10,
        failures=4,
        reason="exited",
        at_us=1_000 + first,
    )


def opened(folder: Path, *, files: int = 3, bytes_: int = 10_000) -> Quarantine:
    return Quarantine(folder / "quarantine", files=files, bytes_=bytes_)


async def test_what_was_kept_is_known_in_the_next_process(tmp_path: Path) -> None:
    await opened(tmp_path).keep(kept(20), b"rows")
    later = opened(tmp_path)
    assert later.kept == (kept(20),)
    assert later.holds("../p/1", "air", EPOCH, 20) == kept(20)
    assert later.holds("p2", "air", EPOCH, 20) is None
    assert later.holds("../p/1", "sea", EPOCH, 20) is None
    assert later.holds("../p/1", "air", b"x", 20) is None
    assert later.holds("../p/1", "air", EPOCH, 21) is None
    assert [path.read_bytes() for path in (tmp_path / "quarantine").glob("*.batch")] == [b"rows"]


async def test_names_of_plans_and_steps_lead_nowhere(tmp_path: Path) -> None:
    await opened(tmp_path).keep(kept(1), b"rows")
    files = [path for path in tmp_path.rglob("*") if path.suffix]  # noqa: ASYNC240 - a handful
    assert all(path.parent == tmp_path / "quarantine" for path in files)
    assert len(files) == 2


async def test_the_oldest_goes_when_there_are_too_many_or_they_are_too_large(tmp_path: Path) -> None:
    quarantine = opened(tmp_path)
    for first in range(5):
        await quarantine.keep(kept(first), b"rows")
    assert [one.first for one in quarantine.kept] == [2, 3, 4]
    assert [one.first for one in opened(tmp_path).kept] == [2, 3, 4]
    await quarantine.keep(kept(9), b"x" * 9_700)
    assert [one.first for one in opened(tmp_path).kept] == [9]


async def test_a_batch_larger_than_all_room_is_told_without_its_rows(tmp_path: Path) -> None:
    await opened(tmp_path).keep(kept(1), b"x" * 10_001)
    assert opened(tmp_path).kept == (kept(1),)
    assert not list((tmp_path / "quarantine").glob("*.batch"))


async def test_a_disk_that_takes_nothing_or_a_file_of_nonsense_stops_nothing(tmp_path: Path) -> None:
    (tmp_path / "quarantine").write_text("a file where the folder should be")
    quarantine = opened(tmp_path)
    await quarantine.keep(kept(1), b"rows")
    assert quarantine.holds("../p/1", "air", EPOCH, 1) == kept(1)
    (tmp_path / "quarantine").unlink()
    (tmp_path / "quarantine").mkdir()
    (tmp_path / "quarantine" / "0.json").write_text("{")
    assert opened(tmp_path).kept == ()
