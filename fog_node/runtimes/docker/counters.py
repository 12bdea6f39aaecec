"""What containers of an Engine have used: the kernel's counters, and the sizes of their logs."""

import asyncio
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Final

from fog_node.runtimes.docker.cgroups import Cgroup, find_cgroup, read_usage
from fog_node.runtimes.docker.engine import Engine
from fog_node.runtimes.docker.log_size import LogSize
from fog_node.runtimes.runtime import ContainerFault, Usage


@dataclass(slots=True)
class _Place:
    cgroup: Cgroup
    log: LogSize


class Counters:
    """Where each container's counters are, asked once in its life."""

    def __init__(self, engine: Engine) -> None:
        self._engine: Final = engine
        self._places: Final[dict[str, _Place]] = {}

    async def usage(self, container: str) -> Usage:
        """What it has used. Raises :class:`ContainerFault`."""
        try:
            place = self._places.get(container)
            if place is None:
                seen = await self._engine.get(f"/containers/{container}/json")
                cgroup = await asyncio.to_thread(find_cgroup, int(seen["State"]["Pid"]))
                place = self._places[container] = _Place(
                    cgroup, LogSize(Path(str(seen.get("LogPath") or "/nowhere")))
                )
            return await asyncio.to_thread(_read, place)
        except (OSError, KeyError, ValueError) as error:
            self.forget(container)
            raise ContainerFault(f"its counters cannot be read: {error}", reason="no_counters") from error

    def forget(self, container: str) -> None:
        """It has ended, or begun anew."""
        self._places.pop(container, None)


def _read(place: _Place) -> Usage:
    return replace(read_usage(place.cgroup), output_bytes=place.log.written())
