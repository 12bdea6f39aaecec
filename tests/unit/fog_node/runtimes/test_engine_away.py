"""An Engine that cannot be asked: what is said of it, over real sockets."""

import asyncio
import shutil
import socket
import tempfile
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager
from pathlib import Path

import pytest

from fog_node.runtimes.docker.engine import Engine
from fog_node.runtimes.docker.words import away
from fog_node.runtimes.runtime import RuntimeAway


@contextmanager
def listening(path: Path) -> Iterator[None]:
    with socket.socket(socket.AF_UNIX) as one:
        one.bind(str(path))
        one.listen()
        yield


@contextmanager
def left_behind(path: Path) -> Iterator[None]:
    with listening(path):
        pass
    yield


@contextmanager
def nothing(path: Path) -> Iterator[None]:
    assert not path.exists()
    yield


@pytest.mark.parametrize(
    ("there", "said", "hint"),
    [
        (nothing, "no Docker Engine is there", "systemctl start docker"),
        (left_behind, "the Docker Engine has ended", "journalctl -u docker"),
        (listening, "does not answer: it hangs, or is too busy", "systemctl restart docker"),
    ],
)
async def test_what_is_wrong_and_what_to_do(
    there: Callable[[Path], AbstractContextManager[None]], said: str, hint: str
) -> None:
    # A test's own folder may be too deep for a socket.
    folder = await asyncio.to_thread(tempfile.mkdtemp, prefix="fl-")
    path = Path(folder, "docker.sock")
    async with Engine(f"unix://{path}") as engine:
        with there(path), pytest.raises(RuntimeAway, match=said) as raised:
            await engine.get("/info", within_s=0.2)
    assert hint in raised.value.hint
    await asyncio.to_thread(shutil.rmtree, folder)


def test_a_user_without_rights_is_told_which_group_has_them() -> None:
    error = OSError("Error while fetching server API version")
    error.__cause__ = PermissionError(13, "Permission denied")
    fault = away("unix:///var/run/docker.sock", error)
    assert "may not talk to the Docker Engine" in fault.message
    assert "usermod -aG docker" in fault.hint
    assert "does not answer: boom" in away("unix:///x", RuntimeError("boom")).message
