"""An operator's socket, taken hold of so that it can be dialled safely and by a short path.

The folder is the container's to write. A link in it could lead to another tenant's socket, or the Docker Engine's; so
the socket itself is opened, without following anything, and dialled as what was opened. It also has a path of
few letters then, where the kernel takes 107.
"""

import os
import stat
from pathlib import Path
from typing import Final, Self

from fog_node.runtimes.runtime import ContainerFault


class Door:
    """A socket that was there when it was opened. Close it when nobody dials it any more."""

    def __init__(self, descriptor: int) -> None:
        self._descriptor: Final = descriptor
        self._open = True

    @property
    def path(self) -> Path:
        """Where this process dials it."""
        return Path(f"/proc/self/fd/{self._descriptor}")

    def close(self) -> None:
        """Let go of it. Again: nothing."""
        if self._open:
            self._open = False
            os.close(self._descriptor)

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()


def open_door(socket: Path) -> Door | None:
    """Take hold of a socket; None while there is none. Blocks on the file system.

    Raises :class:`ContainerFault` if something else has its name: bad_socket.
    """
    try:
        descriptor = os.open(socket, os.O_PATH | os.O_NOFOLLOW | os.O_CLOEXEC)
    except FileNotFoundError:
        return None
    except OSError as error:
        raise ContainerFault(f"its socket cannot be reached: {error}", reason="bad_socket") from error
    if not stat.S_ISSOCK(os.fstat(descriptor).st_mode):
        os.close(descriptor)
        raise ContainerFault("what it offers as its socket is none", reason="bad_socket")
    return Door(descriptor)
