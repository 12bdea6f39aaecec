"""Which ports the tiers of an ``up`` get: those of last time, else the usual ones, else the next free."""

import socket
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from types import TracebackType
from typing import Final, Self

from fogline.model.errors import FogError

HOST: Final = "127.0.0.1"
_METRICS: Final = "-metrics"
_USUAL: Final = {
    "cloud": 7070,
    "aggregator": 7071,
    "cloud-enrol": 7073,
    "cloud-children": 7074,
    "aggregator-enrol": 7075,
    "dashboard": 8080,
    "rest": 8081,
    "cloud-metrics": 9470,
    "aggregator-metrics": 9471,
    "dashboard-metrics": 9472,
}
_FIRST_LISTENER: Final = 1883
_FIRST_METRICS: Final = 9473
# Ports above are handed out by the kernel to whoever dials; a child that starts again might lose its own.
_LAST: Final = 32_000


@dataclass(frozen=True, slots=True, kw_only=True)
class Choice:
    """The port of each name, and what there is to say about it."""

    ports: Mapping[str, int]
    notes: tuple[str, ...]


def usual_port(name: str) -> int:
    """Say which port a tier has where nothing else runs: nodes count up from 1883, their metrics from 9473."""
    if name in _USUAL:
        return _USUAL[name]
    first = _FIRST_METRICS if name.endswith(_METRICS) else _FIRST_LISTENER
    return first + int(name.removeprefix("node-").removesuffix(_METRICS)) - 1


def metrics_of(name: str) -> str:
    """Name the port at which a tier shows its metrics."""
    return f"{name}{_METRICS}"


def choose_ports(names: tuple[str, ...], *, before: Mapping[str, int], take: Callable[[int], bool]) -> Choice:
    """Give each name the port that it had before, or its usual one, or the next that ``take`` can take.

    Raises :class:`FogError` if no port is free.
    """
    wanted = {name: before.get(name) or usual_port(name) for name in names}
    ports: dict[str, int] = {}
    notes: list[str] = []
    for name, port in wanted.items():
        reserved = {*ports.values(), *(w for n, w in wanted.items() if n != name)}
        if port not in ports.values() and take(port):
            ports[name] = port
            continue
        ports[name] = _next_free(usual_port(name), reserved, take)
        notes.append(f"port {port} is taken by something else; {name} is at {ports[name]}")
    return Choice(ports=ports, notes=tuple(notes))


class Reservations:
    """Ports taken for this process's children, before they listen and while they are started again.

    Another ``up`` sees it by a name in the kernel's abstract namespace, which goes with the process.
    """

    def __init__(self) -> None:
        self._held: Final[list[socket.socket]] = []

    def take(self, port: int) -> bool:
        """Take a port that nobody listens on and no other ``up`` has taken."""
        name = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
        try:
            name.bind(f"\0fogline-up-{port}")
        except OSError:
            name.close()
            return False
        if not is_free(port):
            name.close()
            return False
        self._held.append(name)
        return True

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        for name in self._held:
            name.close()
        self._held.clear()


def is_free(port: int) -> bool:
    """Whether a server could listen on the port of this machine now."""
    with socket.socket(socket.AF_INET, socket.SOCK_STREAM) as probe:
        # As servers do: connections that have just ended do not count, a listening socket does.
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind((HOST, port))
        except OSError:
            return False
        return True


def _next_free(start: int, reserved: set[int], take: Callable[[int], bool]) -> int:
    for port in range(start + 1, _LAST):
        if port not in reserved and take(port):
            return port
    raise FogError(f"no port between {start} and {_LAST} is free", hint="stop what holds them")
