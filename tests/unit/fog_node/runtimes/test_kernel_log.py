"""What the kernel wrote about a container's end, read record by record."""

import os
from pathlib import Path

from fog_node.runtimes.docker.kernel_log import ended_for_memory

MINE, OTHER = "ab" * 32, "cd" * 32


def record(container: str) -> str:
    return f"6,8153,40102685641,-;oom-kill:constraint=CONSTRAINT_MEMCG,oom_memcg=/docker/{container},task=python3\n"


def test_only_the_container_that_the_kernel_names_ended_for_its_memory(tmp_path: Path) -> None:
    log = tmp_path / "kmsg"
    log.write_text(f"6,1,1,-;veth{OTHER} entered promiscuous mode\n{record(MINE)}")
    assert ended_for_memory(MINE, log)
    log.write_text(f"6,1,1,-;cgroup {MINE} was made\n")
    assert not ended_for_memory(MINE, log)


def test_a_log_is_read_to_what_is_its_end_now(tmp_path: Path) -> None:
    log = tmp_path / "kmsg"
    os.mkfifo(log)
    held = os.open(log, os.O_RDWR | os.O_NONBLOCK)
    try:
        os.write(held, record(OTHER).encode())
        assert not ended_for_memory(MINE, log)
        os.write(held, record(MINE).encode())
        assert ended_for_memory(MINE, log)
    finally:
        os.close(held)


def test_without_a_log_nobody_knows(tmp_path: Path) -> None:
    assert not ended_for_memory(MINE, tmp_path / "none")
