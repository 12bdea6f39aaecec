"""Replicas as plain processes of the node's own Python: for a node without Docker that one tenant uses.

**This isolates nothing.** An operator runs as the user of the node, and may read and write what that user may. Limits
keep an operator's mistakes from the node: the kernel's per process, and memory and processes of all of them by looking
twice a second. CPU has no limit, only a lower priority. The kernel ends operators when the node ends, however it ends;
they are started again with it.
"""

import asyncio
import os
import secrets
import shutil
import sys
from collections.abc import AsyncIterator, Callable
from concurrent.futures import ThreadPoolExecutor
from contextlib import AsyncExitStack, aclosing
from pathlib import Path
from typing import Final, Self, TypeVar

from fog_node.runtimes.naming import container_name
from fog_node.runtimes.process import kernel
from fog_node.runtimes.process.bundles import find_bundle, unpack
from fog_node.runtimes.process.replica import Replica, Signals
from fog_node.runtimes.process.spawning import remove, spawn, spawn_beside
from fog_node.runtimes.runtime import (
    Change,
    Container,
    ContainerFault,
    ContainerSpec,
    Ended,
    Image,
    Limits,
    NoSuchContainer,
    Output,
    Usage,
)
from fog_node.runtimes.watching import Changes
from fogline.model.clock import Clock

T = TypeVar("T")


class ProcessRuntime:
    """A :class:`fog_node.runtimes.runtime.Runtime` of processes. Open while the node runs."""

    name: Final = "process"

    def __init__(self, folder: Path, *, bundles: Path, node: str, clock: Clock) -> None:
        """``folder`` is its own: what lies there at its start is removed."""
        self._folder: Final = folder
        self._bundles: Final = bundles
        self._node: Final = node
        self._clock: Final = clock
        self._replicas: Final[dict[str, Replica]] = {}
        self._changes: Final = Changes()
        self._stack: Final = AsyncExitStack()
        # One thread for as long as this lives: the kernel ends a child with the thread that made it.
        self._thread: Final = ThreadPoolExecutor(1, thread_name_prefix="process-runtime")
        self._group: asyncio.TaskGroup | None = None

    async def __aenter__(self) -> Self:
        await self._in_thread(self._tidy)
        self._stack.callback(self._thread.shutdown, wait=False)
        self._group = await self._stack.enter_async_context(asyncio.TaskGroup())
        self._stack.push_async_callback(self._end_all)
        return self

    async def __aexit__(self, *_: object) -> None:
        await self._stack.aclose()

    async def available(self) -> str:
        return "" if sys.platform == "linux" else "the process runtime needs Linux"

    async def present(self, image: str) -> bool:
        try:
            await asyncio.to_thread(find_bundle, self._bundles, image)
        except ContainerFault:
            return False
        return True

    async def pull(self, image: str, progress: Callable[[str], None]) -> None:
        """Bundles are put on the node by hand; says what is wrong if it is not there."""
        progress("looking for the bundle")
        await asyncio.to_thread(find_bundle, self._bundles, image)

    async def start(self, spec: ContainerSpec) -> str:
        container = container_name(self._node, spec.slot, secrets.token_hex(4))
        folder = self._folder / container
        try:
            archive = await asyncio.to_thread(find_bundle, self._bundles, spec.image)
            await asyncio.to_thread(unpack, archive, folder / "code")
            child = await self._in_thread(lambda: spawn(container, spec, folder))
        except ContainerFault:
            await asyncio.to_thread(remove, folder)
            raise
        except OSError as error:
            await asyncio.to_thread(remove, folder)
            raise ContainerFault(f"it cannot be started: {error}", reason="not_started") from error
        assert self._group is not None
        replica = Replica(container, spec, child, folder=folder, clock=self._clock)
        self._replicas[container] = replica
        self._group.create_task(replica.run(self._changes.tell), name=f"watch {container}")
        self._changes.tell(Change(id=container, event="started"))
        return container

    async def stop(self, container: str, grace_s: float) -> None:
        replica = self._replicas.get(container)
        if replica is None:
            return
        replica.signal(Signals.TERMINATE)
        if grace_s > 0:
            await replica.ended_within(grace_s)
        await asyncio.to_thread(kernel.kill_marked, container)
        await replica.gone()
        self._replicas.pop(container, None)
        await asyncio.to_thread(remove, replica.folder)

    async def list(self) -> tuple[Container, ...]:
        return tuple(replica.container() for replica in self._replicas.values())

    async def usage(self, container: str) -> Usage:
        return await self._replica(container).usage()

    async def update(self, container: str, limits: Limits) -> None:
        self._replica(container).update(limits)

    async def pause(self, container: str) -> None:
        self._replica(container).signal(Signals.PAUSE)

    async def unpause(self, container: str) -> None:
        self._replica(container).signal(Signals.UNPAUSE)

    async def logs(self, container: str, *, tail: int, follow: bool) -> AsyncIterator[Output]:
        async for output in self._replica(container).output.follow(tail=tail, follow=follow):
            yield output

    async def execute(
        self, container: str, command: tuple[str, ...], given: AsyncIterator[bytes]
    ) -> AsyncIterator[Output | Ended]:
        replica = self._replica(container)
        executing = spawn_beside(container, replica.spec, replica.folder, command, given)
        async with aclosing(executing):  # type: ignore[type-var]  # it is a generator
            async for said in executing:
                yield said

    async def events(self) -> AsyncIterator[Change]:
        async for change in self._changes.follow():
            yield change

    async def images(self) -> tuple[Image, ...]:
        """Bundles are the owner's files: the node neither counts nor removes them."""
        return ()

    async def remove_image(self, image: str) -> None:
        raise ContainerFault(f"bundle {image} is the owner's file", reason="not_removed")

    async def free_bytes(self) -> int:
        return await asyncio.to_thread(lambda: shutil.disk_usage(self._folder).free)

    def _replica(self, container: str) -> Replica:
        replica = self._replicas.get(container)
        if replica is None:
            raise NoSuchContainer(container)
        return replica

    async def _in_thread(self, work: Callable[[], T]) -> T:
        return await asyncio.get_running_loop().run_in_executor(self._thread, work)

    def _tidy(self) -> None:
        """Remove what a former life left: its processes are ended with it, what they had started may go on."""
        self._folder.mkdir(parents=True, exist_ok=True, mode=0o700)
        left = {entry.name for entry in self._folder.iterdir()}
        for pid, container in kernel.marks().items():
            if container in left and pid != os.getpid():
                kernel.kill_marked(container)
        for name in left:
            remove(self._folder / name)

    async def _end_all(self) -> None:
        for container in tuple(self._replicas):
            await self.stop(container, 0)
