"""Starting a replica's process, and commands beside it."""

import asyncio
import json
import os
import shutil
import subprocess
import sys
import tempfile
from collections.abc import AsyncIterator
from contextlib import suppress
from hashlib import sha256
from pathlib import Path
from typing import Final

import fogline
from fog_node.runtimes.process import launch
from fog_node.runtimes.process.kernel import MARK
from fog_node.runtimes.process.output import CHUNK
from fog_node.runtimes.runtime import SOCKET, STDERR, STDOUT, ContainerSpec, Ended, Limits, Output

NICE: Final = 5
OPEN_FILES: Final = 1024
SPARE_BYTES: Final = 1024**3
"""Addresses that a Python with gRPC and numpy asks for and never touches."""
_LONGEST_SOCKET: Final = 100
"""The kernel takes 107 bytes."""


def socket_of(folder: Path) -> Path:
    """Where a replica's socket appears: in its folder, or under /tmp where that has too long a path."""
    path = folder / "run" / SOCKET
    if len(os.fsencode(path)) <= _LONGEST_SOCKET:
        return path
    name = sha256(os.fsencode(folder)).hexdigest()[:16]
    return Path(tempfile.gettempdir()) / f"fogline-{os.getuid()}-{name}" / SOCKET


def remove(folder: Path) -> None:
    """Remove a replica's files."""
    shutil.rmtree(socket_of(folder).parent, ignore_errors=True)
    shutil.rmtree(folder, ignore_errors=True)


def spawn(container: str, spec: ContainerSpec, folder: Path) -> subprocess.Popen[bytes]:
    """Start the unpacked bundle of a replica in a session of its own. Raises :class:`OSError`.

    The kernel ends it with the thread that calls this.
    """
    for made in (folder / "tmp", socket_of(folder).parent):
        made.mkdir(mode=0o700)
    program = (sys.executable, str(folder / "code"), *spec.command)
    return subprocess.Popen(
        (sys.executable, "-I", "-S", launch.__file__, _limits(spec.limits), *program),
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        cwd=folder / "tmp",
        env=_environment(container, spec, folder),
        start_new_session=True,
    )


async def spawn_beside(
    container: str, spec: ContainerSpec, folder: Path, command: tuple[str, ...], given: AsyncIterator[bytes]
) -> AsyncIterator[Output | Ended]:
    """Run a command with a replica's environment and in its folder; it ends when nobody listens any more."""
    process = await asyncio.create_subprocess_exec(
        *command,
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        cwd=folder / "tmp",
        env=_environment(container, spec, folder),
        start_new_session=True,
    )
    assert process.stdout is not None
    assert process.stderr is not None
    said: asyncio.Queue[Output | None] = asyncio.Queue(16)
    try:
        async with asyncio.TaskGroup() as group:
            feeding = group.create_task(_feed(process, given))
            for channel, reader in ((STDOUT, process.stdout), (STDERR, process.stderr)):
                group.create_task(_hear(reader, channel, said))
            for _ in range(2):
                while (output := await said.get()) is not None:
                    yield output
            code = await process.wait()
            feeding.cancel()
        yield Ended(code if code >= 0 else 128 - code)
    finally:
        if process.returncode is None:
            process.kill()
            await process.wait()


async def _hear(reader: asyncio.StreamReader, channel: int, said: "asyncio.Queue[Output | None]") -> None:
    while data := await reader.read(CHUNK):
        await said.put(Output(channel, data))
    await said.put(None)


async def _feed(process: asyncio.subprocess.Process, given: AsyncIterator[bytes]) -> None:
    assert process.stdin is not None
    with suppress(BrokenPipeError, ConnectionResetError):  # it does not read, or has ended
        async for data in given:
            process.stdin.write(data)
            await process.stdin.drain()
        process.stdin.close()


def _limits(limits: Limits) -> str:
    rlimits = {
        "DATA": limits.memory_bytes + SPARE_BYTES,
        "FSIZE": limits.tmp_bytes,
        "NOFILE": OPEN_FILES,
        "CORE": 0,
    }
    return json.dumps({"parent": os.getpid(), "nice": NICE, "rlimits": rlimits})


def _environment(container: str, spec: ContainerSpec, folder: Path) -> dict[str, str]:
    """What the spec says and what Python needs; nothing of the node's own environment."""
    return {
        "PATH": os.defpath,
        "LANG": "C.UTF-8",
        "HOME": str(folder / "tmp"),
        "TMPDIR": str(folder / "tmp"),
        "PYTHONUNBUFFERED": "1",
        "PYTHONDONTWRITEBYTECODE": "1",
        # The node's own fogline, also where it is not installed but run from its sources.
        "PYTHONPATH": str(Path(fogline.__file__).parent.parent),
        **dict(spec.environment),
        "FOGLINE_SOCKET": str(socket_of(folder)),
        MARK: container,
    }
