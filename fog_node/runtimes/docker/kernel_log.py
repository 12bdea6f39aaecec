"""What the kernel has written down about a container: that it ended one for its memory.

The Engine learns of it by an event of the container's cgroup, and does not if the cgroup is gone before it looks: then
it says no more than that a signal ended the container. The kernel's log knows better, where it may be read.
"""

import os
from pathlib import Path
from typing import Final

LOG: Final = Path("/dev/kmsg")
RECORD: Final = 8 * 1024
"""Bytes of the longest record; a read gives one."""


def ended_for_memory(container: str, log: Path = LOG) -> bool:
    """Whether the kernel ended something of this container (the Engine's 64 digits) for its memory.

    False also where the log cannot be read: in a container, or without CAP_SYSLOG. Blocks for some milliseconds.
    """
    try:
        descriptor = os.open(log, os.O_RDONLY | os.O_NONBLOCK)
    except OSError:
        return False
    try:
        return _told(descriptor, container.encode())
    finally:
        os.close(descriptor)


def _told(descriptor: int, container: bytes) -> bool:
    while True:
        try:
            record = os.read(descriptor, RECORD)
        except BrokenPipeError:
            continue  # the record was overwritten meanwhile: the next read gives the oldest that is left
        except OSError:
            return False
        if not record:
            return False
        if b"oom-kill:" in record and container in record:
            return True
