"""What an ``up`` consists of: a process for each tier, with its settings."""

import json
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Final

from fogline.cli.up.child import Child
from fogline.cli.up.folder import Folder, Lock
from fogline.cli.up.ports import HOST

CLOUD: Final = "cloud"
AGGREGATOR: Final = "aggregator"
DASHBOARD: Final = "dashboard"

_DIAL_AGAIN_S: Final = 0.5
"""Longest wait before a parent is dialled again: on one machine there is no network to spare."""


def node_names(nodes: int) -> tuple[str, ...]:
    """Name this many nodes."""
    return tuple(f"node-{n}" for n in range(1, nodes + 1))


@dataclass(frozen=True, slots=True, kw_only=True)
class Tiers:
    """The processes of an ``up`` in the order in which they stop."""

    nodes: tuple[Child, ...]
    aggregator: Child
    cloud: Child
    ports: Mapping[str, int]

    @property
    def all(self) -> tuple[Child, ...]:
        """Every process; the cloud first, as the others dial it."""
        return (self.cloud, self.aggregator, *self.nodes)

    def address(self, name: str) -> str:
        """Where a tier listens."""
        return f"{HOST}:{self.ports[name]}"

    @property
    def listeners(self) -> list[str]:
        """Where devices publish, a URL for each node."""
        return [f"mqtt://{self.address(node.name)}" for node in self.nodes]

    def endpoints(self, supervisor: int) -> dict[str, Any]:
        """Shape what runs where (docs/cli.md); what does not exist yet is null."""
        return {
            "mqtt": self.listeners,
            "grpc": self.address(CLOUD),
            "http": None,
            "dashboard": f"http://{self.address(DASHBOARD)}/",
            "metrics": None,
            "pids": {
                "supervisor": supervisor,
                "cloud": _pids(self.cloud),
                "aggregator": _pids(self.aggregator),
                "node": _pids(*self.nodes),
            },
        }


def make_tiers(folder: Folder, lock: Lock, ports: Mapping[str, int], nodes: tuple[str, ...]) -> Tiers:
    """Write every tier's settings and make its process, not started yet."""

    def child(name: str, module: str, settings: Mapping[str, object]) -> Child:
        folder.data(name).mkdir(exist_ok=True)
        path = folder.write_settings(name, _toml(settings))
        return Child(name=name, module=module, settings=path, folder=folder, lock=lock)

    def at(name: str) -> str:
        return f"{HOST}:{ports[name]}"

    def folder_of(name: str) -> str:
        return str(folder.data(name))

    return Tiers(
        cloud=child(
            CLOUD,
            "cloud",
            {"listen": at(CLOUD), "dashboard": at(DASHBOARD), "folder": folder_of(CLOUD)},
        ),
        aggregator=child(
            AGGREGATOR,
            "aggregator",
            {
                "name": AGGREGATOR,
                "listen": at(AGGREGATOR),
                "parents": [at(CLOUD)],
                "folder": folder_of(AGGREGATOR),
                "uplink.backoff_cap": f"{_DIAL_AGAIN_S}s",
            },
        ),
        nodes=tuple(
            child(
                name,
                "fog_node",
                {
                    "name": name,
                    "folder": folder_of(name),
                    "parents": [at(AGGREGATOR)],
                    "listener.host": HOST,
                    "listener.port": ports[name],
                    "link.backoff.cap": _DIAL_AGAIN_S,
                },
            )
            for name in nodes
        ),
        ports=ports,
    )


def _pids(*children: Child) -> list[int]:
    return [child.pid for child in children if child.pid is not None]


def _toml(settings: Mapping[str, object]) -> str:
    # JSON's strings, numbers and arrays of them are TOML's, too, and dotted names need no tables.
    lines = (f"{name} = {json.dumps(value)}\n" for name, value in settings.items())
    return "# Written by `fogline up` at every start; your changes are lost.\n" + "".join(lines)
