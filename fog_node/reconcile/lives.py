"""The lives of containers: from the first look at one that runs, over its open door, to its end."""

import asyncio
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import Final, Protocol

from fog_node.runtimes.door import Door, open_door
from fog_node.runtimes.runtime import Container, ContainerFault, Slot

QUICK_S: Final = 0.02
SLOW_S: Final = 0.25
QUICK_LOOKS: Final = 150
LINGER_S: Final = 10.0
"""A door stays open for a while behind a replica that is gone: its path must not lead whoever still dials it to another
one's.
"""


class Gateway(Protocol):
    """Who sends batches to replicas."""

    def replica_up(self, plan: str, step: str, replica: int, socket_path: Path) -> None:
        """A replica serves at this socket."""
        ...

    def replica_gone(self, plan: str, step: str, replica: int, *, died: str = "") -> None:
        """It does not any more; ``died``: why, if nobody has stopped it."""
        ...


@dataclass(slots=True)
class Life:
    """One container that runs."""

    container: Container
    greeting: "asyncio.Task[None] | None" = None
    door: Door | None = None
    ready_us: int = 0
    """Since when it is ready; 0: not yet."""


class Lives:
    """The containers that run, each with its door. Belongs to the event loop."""

    def __init__(
        self,
        gateway: Gateway,
        *,
        within_s: float,
        now_us: Callable[[], int],
        condemn: Callable[[str, str, str], None],
        changed: Callable[[], None],
    ) -> None:
        """``condemn`` is told of a container that never opens its door: id, event, words."""
        self._gateway: Final = gateway
        self._within_s: Final = within_s
        self._now_us: Final = now_us
        self._condemn: Final = condemn
        self._changed: Final = changed
        self._lives: Final[dict[str, Life]] = {}
        self._ready_us: Final[dict[str, int]] = {}
        self._lingering: Final[set[Door]] = set()

    def of(self, slot: Slot) -> Life | None:
        """The life in a slot."""
        return next((life for life in self._lives.values() if life.container.spec.slot == slot), None)

    def get(self, container: str) -> Life | None:
        """The life of a container."""
        return self._lives.get(container)

    def is_ready(self, container: str) -> bool:
        """Whether a container runs and, of an operator, offers its socket."""
        life = self._lives.get(container)
        return life is not None and life.ready_us > 0

    @property
    def containers(self) -> tuple[Container, ...]:
        """Those that run."""
        return tuple(life.container for life in self._lives.values())

    def begin(self, container: Container, group: asyncio.TaskGroup) -> None:
        """A container runs: watch for its door, or, of a service, take it as ready. Known ones are renewed."""
        life = self._lives.get(container.id)
        if life is not None:
            life.container = container
            return
        life = self._lives[container.id] = Life(container)
        if container.spec.slot.kind == "operator" and container.socket is not None:
            life.greeting = group.create_task(
                self._greet(life, container.socket), name=f"greet {container.id}"
            )
        else:
            life.ready_us = self._now_us()

    def end(self, container: str, *, died: str = "") -> None:
        """A container does not run any more, or shall not; ``died``: why, if nobody has stopped it."""
        life = self._lives.pop(container, None)
        if life is None:
            return
        self._ready_us[container] = life.ready_us
        if life.greeting is not None:
            life.greeting.cancel()
        if life.door is not None:
            slot = life.container.spec.slot
            self._gateway.replica_gone(slot.plan, slot.name, slot.replica, died=died)
            self._linger(life.door)

    def was_ready_us(self, container: str) -> int:
        """Since when one that ended had been ready; 0: it never was. Told once."""
        return self._ready_us.pop(container, 0)

    def end_others(self, alive: Iterable[str], *, died: Callable[[str], str]) -> None:
        """End every life that is not one of these; ``died`` says of a container why it did."""
        for container in self._lives.keys() - set(alive):
            self.end(container, died=died(container))

    def close(self) -> None:
        """The node ends: close all doors; containers may go on."""
        for life in self._lives.values():
            if life.door is not None:
                life.door.close()
        for door in self._lingering:
            door.close()

    async def _greet(self, life: Life, socket: Path) -> None:
        container = life.container
        try:
            async with asyncio.timeout(self._within_s):
                life.door = await _opened(socket)
        except TimeoutError:
            words = f"it offered no socket within {self._within_s:g} s"
            self._condemn(container.id, "not_started", words)
        except ContainerFault as fault:
            self._condemn(container.id, fault.reason, fault.message)
        else:
            life.ready_us = self._now_us()
            slot = container.spec.slot
            self._gateway.replica_up(slot.plan, slot.name, slot.replica, life.door.path)
        self._changed()

    def _linger(self, door: Door) -> None:
        self._lingering.add(door)

        def close() -> None:
            self._lingering.discard(door)
            door.close()

        asyncio.get_running_loop().call_later(LINGER_S, close)


async def _opened(socket: Path) -> Door:
    looks = 0
    while (door := await asyncio.to_thread(open_door, socket)) is None:
        looks += 1
        await asyncio.sleep(QUICK_S if looks < QUICK_LOOKS else SLOW_S)
    return door
