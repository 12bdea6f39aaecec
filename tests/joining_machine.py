"""A cloud in a container, and machines in its network that the installer makes nodes of."""

import json
import os
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any, Final

from tests.engine import DockerEngine
from tests.images import layer
from tests.machine import PACKAGES, PYTHON, ROOT, WITHIN_S, Machine, machine
from tests.wheels import make_wheel

UNIT: Final = "fogline-node"
NETWORK: Final = f"fogline-test-{os.getpid()}"
ENVIRONMENT: Final = (f"PYTHONPATH={PACKAGES}", "PIP_NO_DEPS=1", "PIP_NO_INDEX=1", "PIP_NO_COMPILE=1")
"""What wheels need lies on the machine: nothing is asked for."""
# Quicker than a minute.
WATCHDOG: Final = b"[Service]\nWatchdogSec=8\n"


class JoinedCloud:
    """One in a container, which machines of its network join."""

    def __init__(self, engine: DockerEngine, container: str) -> None:
        self._engine = engine
        self._container = container

    def fogline(self, *arguments: str) -> str:
        """The command line beside it."""
        client = self._engine.client
        asked = client.exec_create(self._container, ["fogline", *arguments])
        said, faults = client.exec_start(asked, demux=True)
        assert client.exec_inspect(asked)["ExitCode"] == 0, faults
        return (said or b"").decode()

    def deploy(self, spec: str) -> None:
        """Give the nodes something to do."""
        assert self._engine.client.put_archive(
            self._container, "/var/lib/fogline", layer({"lab.yaml": spec.encode()})
        )
        end = time.monotonic() + WITHIN_S
        while True:
            try:
                self.fogline("deploy", "/var/lib/fogline/lab.yaml", "--wait")
            except AssertionError:  # a busy machine's cloud takes longer than the command line waits
                if time.monotonic() > end:
                    raise
            else:
                return

    def token(self, name: str) -> str:
        """A token for a node to join with."""
        return self.fogline("token", "create", "--name", name).split()[0]

    def rows(self, *arguments: str) -> list[dict[str, Any]]:
        """An answer in JSON."""
        return [json.loads(line) for line in self.fogline(*arguments, "--json").splitlines()]

    def wait_for(self, found: Callable[["JoinedCloud"], bool], machine: Machine) -> None:
        """Wait until something is seen here."""
        end = time.monotonic() + WITHIN_S
        while not found(self):
            assert time.monotonic() < end, machine.journal()
            time.sleep(0.2)

    def wait_for_room(self, room: str, machine: Machine) -> None:
        """Wait until a room's messages have become a result."""
        self.wait_for(
            lambda cloud: (
                room in {row["key"]["room"] for row in cloud.rows("results", "lab", "--since", "1h")}
            ),
            machine,
        )


@contextmanager
def joined_cloud(engine: DockerEngine, image: str, network: str) -> Iterator[JoinedCloud]:
    """One that is known as ``cloud`` in a network."""
    client = engine.client
    ports = {"LISTEN": 7070, "ENROL": 7073, "CHILDREN": 7074}
    environment = {f"FOGLINE_CLOUD_{name}": f"0.0.0.0:{port}" for name, port in ports.items()}
    environment |= {"FOGLINE_SERVER": "127.0.0.1:7070", "FOGLINE_TOKEN_FILE": "/var/lib/fogline/admin.token"}
    joined = client.create_endpoint_config(aliases=["cloud"])
    made = client.create_container(
        image,
        ["cloud"],
        environment=environment,
        host_config=client.create_host_config(network_mode=network),
        networking_config=client.create_networking_config({network: joined}),
        healthcheck={"interval": 2_000_000_000},
    )
    try:
        client.start(made)
        end = time.monotonic() + WITHIN_S
        while engine.inspect(made["Id"])["State"]["Health"]["Status"] != "healthy":
            assert time.monotonic() < end, client.logs(made)
            time.sleep(0.2)
        yield JoinedCloud(engine, made["Id"])
    finally:
        client.remove_container(made, force=True, v=True)


@contextmanager
def ready_machine(engine: DockerEngine, network: str, name: str) -> Iterator[Machine]:
    """One on which the installer lies. Raises :class:`MachineAbsent`."""
    with machine(engine, network, name) as made:
        made.put("/fogline/install.sh", (ROOT / "deploy" / "install.sh").read_bytes())
        # A tier finds there what its wheel needs, and tells that it hangs sooner.
        made.put("/etc/fogline/node.env", f"PYTHONPATH={PACKAGES}\n".encode())
        made.put(f"/etc/systemd/system/{UNIT}.service.d/watchdog.conf", WATCHDOG)
        yield made


def put_wheel(machine: Machine, folder: Path, version: str, changed: dict[str, str] | None = None) -> str:
    """Bring a wheel of this working copy there; its path."""
    wheel = make_wheel(folder, version, changed)
    machine.put(f"/fogline/{wheel.name}", wheel.read_bytes())
    return f"/fogline/{wheel.name}"


def install(machine: Machine, *arguments: str, environment: tuple[str, ...] = ()) -> str:
    """Run the installer, which must succeed; what it said."""
    return machine.run(
        *("sh", "/fogline/install.sh", "--python", str(PYTHON), *arguments),
        environment=(*ENVIRONMENT, *environment),
    )
