"""Which ports the tiers of an ``up`` get: those of last time, else the usual ones, else the next free."""

import socket
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Final

from fogline.model.errors import FogError

HOST: Final = "127.0.0.1"
_USUAL: Final = {"cloud": 7070, "aggregator": 7071, "dashboard": 8080}
_FIRST_LISTENER: Final = 1883
# Ports above are handed out by the kernel to whoever dials; a child that starts again might lose its own.
_LAST: Final = 32_000


@dataclass(frozen=True, slots=True, kw_only=True)
class Choice:
    """The port of each name, and what there is to say about it."""

    ports: Mapping[str, int]
    notes: tuple[str, ...]


def usual_port(name: str) -> int:
    """Say which port a tier has where nothing else runs: nodes count up from 1883."""
    return _USUAL[name] if name in _USUAL else _FIRST_LISTENER + int(name.removeprefix("node-")) - 1


def choose_ports(
    names: tuple[str, ...], *, before: Mapping[str, int], is_free: Callable[[int], bool]
) -> Choice:
    """Give each name the port that it had before, or its usual one, or the next free one.

    Raises :class:`FogError` if no port is free.
    """
    wanted = {name: before.get(name) or usual_port(name) for name in names}
    ports: dict[str, int] = {}
    notes: list[str] = []
    for name, port in wanted.items():
        reserved = {*ports.values(), *(w for n, w in wanted.items() if n != name)}
        if is_free(port) and port not in ports.values():
            ports[name] = port
            continue
        ports[name] = _next_free(usual_port(name), reserved, is_free)
        notes.append(f"port {port} is taken by something else; {name} is at {ports[name]}")
    return Choice(ports=ports, notes=tuple(notes))


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


def _next_free(start: int, reserved: set[int], is_free: Callable[[int], bool]) -> int:
    for port in range(start + 1, _LAST):
        if port not in reserved and is_free(port):
            return port
    raise FogError(f"no port between {start} and {_LAST} is free", hint="stop what holds them")
