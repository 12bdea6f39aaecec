"""What a container writes is seen however often its log is turned over between two looks."""

import os
from pathlib import Path

import pytest

from fog_node.runtimes.docker.creation import LOG_BYTES
from fog_node.runtimes.docker.log_size import LogSize


class Log:
    """A log as the Engine keeps it: two files."""

    def __init__(self, folder: Path) -> None:
        self.path = folder / "c-json.log"
        self.path.touch()
        self._turns = 0

    def write(self, count: int) -> None:
        while count:
            room = LOG_BYTES - self.path.stat().st_size
            with self.path.open("ab") as file:
                file.write(bytes(min(count, room)))
            count -= min(count, room)
            if self.path.stat().st_size == LOG_BYTES:
                self._turn()

    def _turn(self) -> None:
        self._turns += 1
        os.utime(self.path, ns=(0, self._turns * 1_000_000))  # the test is faster than the clock of files
        self.path.replace(f"{self.path}.1")
        self.path.touch()


@pytest.fixture
def log(tmp_path: Path) -> Log:
    return Log(tmp_path)


def test_what_was_written_before_the_first_look_is_not_counted(log: Log) -> None:
    log.write(3 * LOG_BYTES + 5)
    assert LogSize(log.path).written() == 0


def test_up_to_one_file_between_two_looks_every_byte_is_counted(log: Log) -> None:
    size = LogSize(log.path)
    size.written()
    total = 0
    for count in (7, LOG_BYTES // 2, LOG_BYTES - 1, 0, LOG_BYTES // 2, LOG_BYTES // 4):
        log.write(count)
        total += count
        assert size.written() == total


@pytest.mark.parametrize("files", range(2, 6))
def test_of_more_than_one_file_at_least_one_is_counted(log: Log, files: int) -> None:
    size = LogSize(log.path)
    size.written()
    for looks in range(1, 4):
        log.write(files * LOG_BYTES)
        assert size.written() == looks * LOG_BYTES


def test_who_may_not_look_counts_nothing(tmp_path: Path) -> None:
    size = LogSize(tmp_path / "nowhere" / "c-json.log")
    assert (size.written(), size.written()) == (0, 0)
