"""What an ``up`` consists of: a process for each tier, with its settings."""

import json
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

from fogline.access.chain import certificates_in, fingerprint_of
from fogline.access.first import FILE as TOKEN_FILE
from fogline.access.first import ensure_token_file
from fogline.cli.broker import Broker
from fogline.cli.passwords import STORE_VARIABLE
from fogline.cli.up.child import Child
from fogline.cli.up.folder import Folder, Lock
from fogline.cli.up.identities import make_identities
from fogline.cli.up.ports import HOST, metrics_of
from fogline.identity.authority_folder import CERTIFICATE_FILE
from fogline.identity.authority_folder import FOLDER as AUTHORITY
from fogline.identity.names import NODE
from fogline.model.clock import SystemClock

CLOUD: Final = "cloud"
AGGREGATOR: Final = "aggregator"
DASHBOARD: Final = "dashboard"
REST: Final = "rest"
"""The HTTP API, a port of the cloud."""

CHILDREN: Final = "cloud-children"
ENROL: Final = "cloud-enrol"
"""Where machines connect and join, ports of the cloud."""
GROUP_ENROL: Final = "aggregator-enrol"
"""Where nodes join, a port of the aggregator."""

_DIAL_AGAIN: Final = "500ms"
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
    dashboard: Child
    ports: Mapping[str, int]
    token: Path
    """File with the administrator's API token."""
    ca: Path
    """File with the CA's certificate."""
    broker: str | None = None
    """The broker that the nodes read from, without user and password."""

    @property
    def all(self) -> tuple[Child, ...]:
        """Every process; the cloud first, as the others dial it."""
        return (self.cloud, self.aggregator, *self.nodes, self.dashboard)

    @property
    def reporting(self) -> tuple[Child, ...]:
        """Those that the cloud hears of."""
        return (self.aggregator, *self.nodes)

    def address(self, name: str) -> str:
        """Where a tier listens."""
        return _at(self.ports, name)

    @property
    def listeners(self) -> list[str]:
        """Where devices publish, a URL for each node."""
        return [f"mqtt://{self.address(node.name)}" for node in self.nodes]

    def endpoints(self, supervisor: int) -> dict[str, Any]:
        """Shape what runs where (docs/cli.md); what does not exist yet is null."""
        return {
            "mqtt": self.listeners,
            "broker": self.broker,
            "grpc": self.address(CLOUD),
            "token": str(self.token),
            "ca": str(self.ca),
            "enrol": self.address(ENROL),
            "rest": f"http://{self.address(REST)}/v1",
            "dashboard": f"http://{self.address(DASHBOARD)}/",
            "metrics": {
                name: f"http://{self.address(metrics_of(name))}/metrics" for name in measured(self.nodes)
            },
            "pids": {
                "supervisor": supervisor,
                "cloud": _pids(self.cloud),
                "aggregator": _pids(self.aggregator),
                "node": _pids(*self.nodes),
                "dashboard": _pids(self.dashboard),
            },
        }


def measured(nodes: Iterable[Child]) -> tuple[str, ...]:
    """Name the tiers that show metrics."""
    return (CLOUD, AGGREGATOR, DASHBOARD, *(node.name for node in nodes))


def make_tiers(
    folder: Folder,
    lock: Lock,
    ports: Mapping[str, int],
    nodes: tuple[str, ...],
    *,
    broker: Broker | None = None,
    store: str = "",
) -> Tiers:
    """Write every tier's settings and make its process, not started yet; ``store`` is the cloud's, a secret."""
    secrets = {STORE_VARIABLE: store} if store else {}
    reading = {} if broker is None else _reading(folder, broker, shared=len(nodes) > 1)

    def child(name: str, module: str, settings: Mapping[str, object]) -> Child:
        data = folder.data(name)
        data.mkdir(exist_ok=True)
        own = {"name": name, "folder": str(data), "metrics": _at(ports, metrics_of(name))}
        return process(name, module, {**own, **settings})

    def process(name: str, module: str, settings: Mapping[str, object]) -> Child:
        path = folder.write_settings(name, _toml(settings))
        own = secrets if name == CLOUD else {}
        return Child(name=name, module=module, settings=path, folder=folder, lock=lock, secrets=own)

    ca = folder.data(CLOUD) / AUTHORITY / CERTIFICATE_FILE
    tiers = Tiers(
        token=folder.data(CLOUD) / TOKEN_FILE,
        ca=ca,
        cloud=child(CLOUD, "cloud", _cloud(ports)),
        aggregator=child(AGGREGATOR, "aggregator", _aggregator(ports)),
        nodes=tuple(
            child(name, "fog_node", {**_node(folder, ports, name), **_as(name, reading)}) for name in nodes
        ),
        dashboard=process(DASHBOARD, "cloud.dashboard", {**_dashboard(ports), "ca": str(ca)}),
        ports=ports,
        broker=broker.url if broker is not None else None,
    )
    make_identities(
        folder.data(CLOUD),
        ((AGGREGATOR, folder.data(AGGREGATOR)), *((NODE, folder.data(name)) for name in nodes)),
        enrol=_at(ports, ENROL),
        clock=SystemClock(),
    )
    (authority,) = certificates_in(ca.read_bytes())
    ensure_token_file(folder.data(CLOUD), fingerprint_of(authority))
    return tiers


def _reading(folder: Folder, broker: Broker, *, shared: bool) -> dict[str, object]:
    """Settings of a node that reads from a broker; the password stands in a file of its own."""
    installation = f"fogline-{folder.installation()}"
    settings: dict[str, object] = {"broker.url": broker.url, "broker.client_id": installation}
    if broker.user:
        settings |= {
            "broker.user": broker.user,
            "broker.password_file": str(folder.write_secret("broker.password", broker.password)),
        }
    if shared:
        settings["broker.share"] = installation
    return settings


def _as(name: str, reading: Mapping[str, object]) -> dict[str, object]:
    """The same for one node: each has a session of its own."""
    client = {"broker.client_id": f"{reading['broker.client_id']}-{name}"} if reading else {}
    return {**reading, **client}


def _at(ports: Mapping[str, int], name: str) -> str:
    return f"{HOST}:{ports[name]}"


def _cloud(ports: Mapping[str, int]) -> dict[str, object]:
    return {
        "listen": _at(ports, CLOUD),
        "rest": _at(ports, REST),
        "children": _at(ports, CHILDREN),
        "enrol": _at(ports, ENROL),
    }


def _dashboard(ports: Mapping[str, int]) -> dict[str, object]:
    return {
        "listen": _at(ports, DASHBOARD),
        "server": _at(ports, CLOUD),
        "metrics": _at(ports, metrics_of(DASHBOARD)),
    }


def _aggregator(ports: Mapping[str, int]) -> dict[str, object]:
    return {
        "listen": _at(ports, AGGREGATOR),
        "enrol": _at(ports, GROUP_ENROL),
        "parents": [_at(ports, CHILDREN)],
        "link.backoff.cap": _DIAL_AGAIN,
    }


def _node(folder: Folder, ports: Mapping[str, int], name: str) -> dict[str, object]:
    return {
        # One person's machine: an operator may run without Docker, too.
        "allow_process": True,
        "runtimes.outlive": False,
        "runtimes.bundles": str(folder.path / "bundles"),
        "parents": [_at(ports, AGGREGATOR)],
        "listener.host": HOST,
        "listener.port": ports[name],
        "link.backoff.cap": _DIAL_AGAIN,
    }


def _pids(*children: Child) -> list[int]:
    return [child.pid for child in children if child.pid is not None]


def _toml(settings: Mapping[str, object]) -> str:
    # JSON's strings, numbers and arrays of them are TOML's, too, and dotted names need no tables.
    lines = (f"{name} = {json.dumps(value)}\n" for name, value in settings.items())
    return "# Written by `fogline up` at every start; your changes are lost.\n" + "".join(lines)
