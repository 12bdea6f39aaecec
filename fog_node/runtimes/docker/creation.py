"""What the Docker Engine is told to make: the words of its API for a container as this node wants it.

Everything that an operator does not need is taken away: networks, the root's files, capabilities, privileges, other
users' processes. What it may use is bounded.
"""

from typing import Any, Final

from fog_node.runtimes.runtime import ContainerSpec, Limits

USER: Final = "65532:65532"
"""Nobody's number: no file of an image or of the node is its own."""
NODE: Final = "fogline.node"
"""Label that helps people to find a node's containers; what is its own says the record."""
RECORD: Final = "fogline.record"
"""Label with the record's identity."""
RUN: Final = "/run/fogline"
"""Where an operator finds the folder for its socket."""
PERIOD_US: Final = 100_000
OPEN_FILES: Final = 1024
LOG_BYTES: Final = 1 << 20
"""Of one file of what a container writes; there are two."""
RUN_BYTES: Final = 64 * 1024
RUN_FILES: Final = 16
_FOG: Final = "fogline."


def creation(
    spec: ContainerSpec,
    *,
    node: str,
    record: str,
    image: str,
    folder: str,
    volumes: dict[str, str],
    networks: list[str],
) -> dict[str, Any]:
    """The body of the API's call that creates a container.

    ``record``: identity of the record that the container is in.
    ``folder``: a folder of the host for the operator's socket; empty: a small file system in memory, made for it.
    ``volumes``: folders of the host by the volume's name. ``networks``: the Engine's names.
    """
    slot = spec.slot
    return {
        "Image": image,
        "Cmd": list(spec.command) or None,
        "Env": [f"{name}={value}" for name, value in _environment(spec)],
        "User": USER,
        "Labels": {
            NODE: node,
            RECORD: record,
            f"{_FOG}kind": slot.kind,
            f"{_FOG}plan": slot.plan,
            f"{_FOG}name": slot.name,
            f"{_FOG}replica": str(slot.replica),
            f"{_FOG}tenant": spec.tenant,
        },
        "ExposedPorts": {inner: {} for _, inner in _ports(spec)},
        "HostConfig": {
            **_taken_away(),
            **limits_of(spec.limits),
            "NetworkMode": networks[0] if networks else "none",
            "Tmpfs": {"/tmp": f"size={spec.limits.tmp_bytes},mode=1777,noexec,nosuid,nodev"},  # noqa: S108
            "ShmSize": spec.limits.tmp_bytes,
            "Mounts": [*_socket_mount(spec, folder), *_volume_mounts(spec, volumes)],
            "PortBindings": _bindings(spec),
        },
        "NetworkingConfig": {
            "EndpointsConfig": {name: {"Aliases": [slot.name]} for name in networks[:1]},
        },
    }


def limits_of(limits: Limits) -> dict[str, Any]:
    """Limits that can also be changed while a container runs."""
    return {
        "CpuPeriod": PERIOD_US,
        "CpuQuota": max(1000, limits.cpu_millis * PERIOD_US // 1000),
        "Memory": limits.memory_bytes,
        # Memory and swap together: no swap.
        "MemorySwap": limits.memory_bytes,
        "PidsLimit": limits.pids,
    }


def _taken_away() -> dict[str, Any]:
    return {
        "ReadonlyRootfs": True,
        "CapDrop": ["ALL"],
        "SecurityOpt": ["no-new-privileges"],
        "Privileged": False,
        "IpcMode": "private",
        "Init": True,
        # The node decides when something is started again, and says why.
        "RestartPolicy": {"Name": "no"},
        # If the machine runs out of memory, an operator goes before the node's own processes.
        "OomScoreAdj": 500,
        "Ulimits": [
            {"Name": "nofile", "Soft": OPEN_FILES, "Hard": OPEN_FILES},
            {"Name": "core", "Soft": 0, "Hard": 0},
        ],
        "LogConfig": {"Type": "json-file", "Config": {"max-size": str(LOG_BYTES), "max-file": "2"}},
    }


def _environment(spec: ContainerSpec) -> tuple[tuple[str, str], ...]:
    if spec.slot.kind != "operator":
        return spec.environment
    return (*spec.environment, ("FOGLINE_SOCKET", f"{RUN}/operator.sock"))


def _socket_mount(spec: ContainerSpec, folder: str) -> list[dict[str, Any]]:
    if spec.slot.kind != "operator":
        return []
    if folder:
        return [{"Type": "bind", "Source": folder, "Target": RUN}]
    # Anonymous: it comes and goes with its container. In memory and small: no operator fills the node's disk here.
    options = f"size={RUN_BYTES},nr_inodes={RUN_FILES},mode=0777,nosuid,nodev,noexec"
    driver = {"Name": "local", "Options": {"type": "tmpfs", "device": "tmpfs", "o": options}}
    return [
        {
            "Type": "volume",
            "Target": RUN,
            "VolumeOptions": {"NoCopy": True, "DriverConfig": driver},
        }
    ]


def _volume_mounts(spec: ContainerSpec, volumes: dict[str, str]) -> list[dict[str, Any]]:
    pairs = (volume.partition(":") for volume in spec.volumes)
    return [{"Type": "bind", "Source": volumes[name], "Target": path} for name, _, path in pairs]


def _bindings(spec: ContainerSpec) -> dict[str, list[dict[str, str]]]:
    bindings: dict[str, list[dict[str, str]]] = {}
    for outer, inner in _ports(spec):
        bindings.setdefault(inner, []).append({"HostPort": outer})
    return bindings


def _ports(spec: ContainerSpec) -> list[tuple[str, str]]:
    """The node's ports with the container's, as the Engine names those: with their protocol."""
    pairs = (port.partition(":") for port in spec.ports)
    return [(outer, inner if "/" in inner else f"{inner}/tcp") for outer, _, inner in pairs]
