"""Networks of tenants, with this machine's own services closed to them.

A bridge alone does not close them: a container on it reaches whatever the host binds on any of its addresses. One rule
for each bridge drops what comes from it to the host itself and is no answer.
"""

import asyncio
import shutil
import subprocess
from hashlib import sha256

from fog_node.runtimes.docker.creation import NODE
from fog_node.runtimes.docker.engine import Engine
from fog_node.runtimes.runtime import ContainerFault


def network_name(tenant: str, network: str) -> str:
    """The Engine's name for a tenant's network."""
    return f"fogline-{tenant}-{network}"


def bridge_of(name: str) -> str:
    """The bridge's interface: at most 15 characters."""
    return f"fog{sha256(name.encode()).hexdigest()[:11]}"


async def ensure_network(engine: Engine, node: str, name: str) -> None:
    """Make a network if it is not there, and close the host to it. Raises :class:`ContainerFault`."""
    found = await engine.get("/networks", filters=f'{{"name":["^{name}$"]}}')
    bridge = bridge_of(name)
    if not found:
        await engine.post(
            "/networks/create",
            {
                "Name": name,
                "CheckDuplicate": True,
                "Driver": "bridge",
                "Options": {"com.docker.network.bridge.name": bridge},
                "Labels": {NODE: node},
            },
        )
    await close_host(bridge)


def closing_rule(bridge: str) -> tuple[str, ...]:
    """What comes from a bridge to this machine and is no answer goes nowhere."""
    return ("-i", bridge, "-m", "conntrack", "!", "--ctstate", "ESTABLISHED,RELATED", "-j", "DROP")


async def close_host(bridge: str) -> None:
    """Drop what begins at a bridge and ends on this machine. Raises :class:`ContainerFault`: it stays open."""
    await asyncio.to_thread(_close_host, bridge)


def _close_host(bridge: str) -> None:
    rule = closing_rule(bridge)
    _ensure_rule("iptables", rule)
    # A bridge has a link-local address of version 6 even where the network has none.
    if shutil.which("ip6tables"):
        _ensure_rule("ip6tables", rule)


def _ensure_rule(program: str, rule: tuple[str, ...]) -> None:
    if not _fault(program, "-C", "INPUT", *rule):
        return
    if fault := _fault(program, "-I", "INPUT", *rule):
        raise ContainerFault(
            f"this machine's own services cannot be closed to containers: {fault}",
            reason="network_open",
            hint="networks need iptables and the right to use it (root, or CAP_NET_ADMIN)",
        )


def _fault(program: str, *arguments: str) -> str:
    """What a program says against it; empty: it did it."""
    command = (program, "--wait", "10", *arguments)
    try:
        done = subprocess.run(command, stdin=subprocess.DEVNULL, capture_output=True, check=False, timeout=30)
    except (OSError, subprocess.TimeoutExpired) as error:
        return str(error)
    return (
        done.stderr.decode(errors="replace").strip() or f"code {done.returncode}" if done.returncode else ""
    )
