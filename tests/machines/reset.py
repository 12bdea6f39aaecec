"""A whole arm64 machine joins, works, and is reset hard while its uplink is down: ``python -m tests.machines.reset``.

The machine is QEMU's `virt` with Debian, systemd and what deploy/install.sh installs; nothing in it is staged. Needs
root, Debian's qemu-system-arm, mmdebstrap and cpio, and the network. An emulated machine is ten to twenty times slower
than this one: figures are upper bounds, and say how long the kernel and Python alone take.
"""

import argparse
import asyncio
import json
import random
import shutil
import sys
import time
from asyncio import subprocess
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager
from pathlib import Path
from random import Random

from fogline.cli.operator.foreign import Target, foreign
from fogline.cli.operator.scaffold import new
from tests.e2e.test_arm64 import obeyed, until_told
from tests.e2e.test_join import free_ports, running, said
from tests.faults.device import Device
from tests.faults.house import publish
from tests.faults.operator_drill import OPERATOR
from tests.faults.truth import PIPELINE, Truth
from tests.machines.disk import check_root, kernel_of, make_disk, put, unpack
from tests.machines.virt import Virt, figures

ROOT = Path(__file__).parents[2]
INSTALL = ROOT / "deploy" / "install.sh"
WITHIN_S = 1800.0
BURST = 20
EVERY_S = 0.5
SETTINGS = """\
FOGLINE_NODE_LISTENER_HOST=0.0.0.0
FOGLINE_NODE_LISTENER_INSECURE=true
FOGLINE_NODE_ALLOW_PROCESS=true
FOGLINE_NODE_RUNTIMES_DOCKER=
FOGLINE_NODE_RUNTIMES_START_WITHIN=600
"""
FIRST = """\
PIP_NO_INDEX=1 sh /root/install.sh --wheel /root/wheels/fogline-*.whl --no-start
sync
systemctl --no-block poweroff
"""
JOIN = """\
[ -e /etc/joined ] && exit
FOGLINE_JOIN_TOKEN=@token@ sh /root/install.sh --join @parent@ && touch /etc/joined && sync
"""
PASS = """\
from fogline.operator import Batch, operator

@operator
def same(batch: Batch) -> Batch:
    return batch
"""


async def wheels(folder: Path) -> Path:
    """Fogline's wheel, and those that a node on arm64 needs."""
    made = folder / "wheels"
    if not made.exists():
        options = foreign(Target(architecture="arm64"))
        pip = (sys.executable, "-m", "pip")
        await _run(*pip, "wheel", "--quiet", "--no-deps", "--wheel-dir", str(made), str(ROOT))
        (wheel,) = made.glob("fogline-*.whl")
        download = ("download", "--quiet", "--only-binary=:all:", "--dest", str(made), *options)
        await _run(*pip, *download, f"{wheel}[node]")
    return made


async def _run(*words: str) -> None:
    process = await subprocess.create_subprocess_exec(*words)
    assert await process.wait() == 0, words


async def bundle(folder: Path) -> tuple[str, Path]:
    """An operator that gives back what it gets: its reference, its archive."""
    project = folder / "same"
    shutil.rmtree(project, ignore_errors=True)
    new("same", folder)
    (project / "same.py").write_text(PASS)
    built = await obeyed("operator", "build", str(project), "--process", "--arch", "arm64")
    reference = built.splitlines()[-1]
    return reference, project / "dist" / f"{reference.rpartition(':')[2]}.tar.gz"


class Installation:
    """A cloud that can go away and come back."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.listen, self.children, self.enrol = free_ports(3)
        self._running = AsyncExitStack()

    async def start(self) -> None:
        """Start, and return when it answers."""
        ports = ("--anonymous", "--listen", self.listen, "--children", self.children, "--enrol", self.enrol)
        await self._running.enter_async_context(
            running("cloud", "--anonymous", "--folder", str(self.folder / "cloud"), *ports)
        )
        while (await said("token", "list", "--server", self.listen))[0] != 0:
            pass

    async def stop(self) -> None:
        """It is away."""
        await self._running.aclose()


class Sensors:
    """A device that publishes all the time, and what the results must say."""

    def __init__(self, port: int) -> None:
        self.truth = Truth()
        self.device = Device("device-0", "127.0.0.1", port, in_flight=1000, patience_s=20)
        self._rng = Random(1)
        self._next = 0

    async def run(self) -> None:
        """Publish for ever."""
        while True:
            await publish(self.device, self.truth, self._rng, range(self._next, self._next + BURST))
            self._next += BURST
            await asyncio.sleep(EVERY_S)


@asynccontextmanager
async def at_work(sensors: Sensors) -> AsyncIterator["asyncio.Task[None]"]:
    """The device is connected, whenever it can be; the task publishes."""
    link = asyncio.create_task(sensors.device.run(), name="device")
    publishing = asyncio.create_task(sensors.run(), name="publish")
    try:
        yield publishing
    finally:
        publishing.cancel()
        sensors.device.unplug()
        link.cancel()
        await asyncio.wait((link, publishing))


async def installed(folder: Path) -> Path:
    """A disk on which deploy/install.sh has installed a node; made once a folder, as it takes minutes there."""
    disk, made = folder / "installed.ext4", folder / "installing.ext4"
    if not disk.exists():
        make_disk(folder, made)
        brought = {f"root/wheels/{wheel.name}": wheel for wheel in (await wheels(folder)).iterdir()}
        put(made, {"root/install.sh": INSTALL, "root/owner.sh": FIRST.encode(), **brought})
        machine = Virt(kernel_of(folder), folder / "initial.cpio", made, folder)
        begun = time.monotonic()
        await machine.start()
        try:
            async with asyncio.timeout(WITHIN_S):
                await machine.off()
        finally:
            await machine.stop()
        say(figures(what="deploy/install.sh, with wheels", seconds=time.monotonic() - begun))
        made.rename(disk)
    return disk


async def machine_of(folder: Path, cloud: Installation, image: Path, port: int) -> Virt:
    """The machine, with all that its owner puts on its card before it joins."""
    disk = folder / "disk.ext4"
    await _run("cp", "--sparse=always", str(await installed(folder)), str(disk))
    token = await obeyed("token", "create", "--name", "pi", "--server", cloud.listen)
    parent = f"10.0.2.2:{cloud.enrol.rpartition(':')[2]}"
    join = JOIN.replace("@parent@", parent).replace("@token@", token)
    bundle_file = f"var/lib/fogline/node/bundles/{image.name}"
    put(disk, {"root/owner.sh": join.encode(), "etc/fogline/node.env": SETTINGS.encode(), bundle_file: image})
    return Virt(kernel_of(folder), folder / "initial.cpio", disk, folder, ports=[(port, 1883)])


async def drill(folder: Path, *, resets: int, seed: int) -> list[str]:
    """Join, work, be reset; what is wrong at the end."""
    unpack(folder)
    cloud = Installation(folder)
    shutil.rmtree(folder / "cloud", ignore_errors=True)
    await cloud.start()
    reference, image = await bundle(folder)
    (port,) = (int(address.rpartition(":")[2]) for address in free_ports(1))
    sensors = Sensors(port)
    machine = await machine_of(folder, cloud, image, port)
    spec = folder / "drill.yaml"
    spec.write_text(with_operator(reference))
    begun = time.monotonic()
    await machine.start()
    try:
        async with asyncio.timeout(WITHIN_S):
            owner = "test-owner.service"
            ready = await machine.said(f"{owner}: Deactivated", unless=f"{owner}: Failed")
            await obeyed("deploy", str(spec), "--server", cloud.listen)
            up = await machine.said("operator is up")
            say(figures(what="switched on, joined, runs", joined_s=ready - begun, operator_s=up - ready))
        async with at_work(sensors) as publishing:
            for _ in range(resets):
                await one_reset(machine, cloud, sensors, Random(seed))
            publishing.cancel()
            async with asyncio.timeout(WITHIN_S):
                await sensors.device.all_taken()
                wrong = await settled(cloud, sensors.truth)
        (usage,) = await until_told("top", "pi", "--once", "--server", cloud.listen, holds=bool)
        say(
            figures(
                what="reported",
                arch=usage["arch"],
                messages=sensors.truth.messages,
                repeated=sensors.device.repeated,
            )
        )
        return wrong
    finally:
        await machine.stop()
        await cloud.stop()


async def one_reset(machine: Virt, cloud: Installation, sensors: Sensors, rng: Random) -> None:
    """Uplink down, reset, wait until messages go through the operator again, uplink up."""
    async with asyncio.timeout(WITHIN_S):
        await cloud.stop()
        before = sensors.device.acknowledged
        while sensors.device.acknowledged < before + 10 * BURST:  # noqa: ASYNC110 - it goes on outside
            await asyncio.sleep(0.1)
        await asyncio.sleep(rng.random())
        pressed, used = await machine.reset(), machine.cpu_s()
        kernel = await machine.said("Booting Linux", since=pressed)
        agent = await machine.said("Starting fogline-node.service", since=pressed)
        ready = await machine.said("Started fogline-node.service", since=pressed)
        up = await machine.said("operator is up", since=pressed)
        taken, known = sensors.device.acknowledged, sensors.device.connections
        while sensors.device.acknowledged == taken:  # noqa: ASYNC110 - it goes on outside
            await asyncio.sleep(0.05)
        again = max(up, time.monotonic())
        say(
            figures(
                what="reset",
                from_reset_s=again - pressed,
                from_kernel_s=again - kernel,
                cpu_of_emulator_s=machine.cpu_s() - used,
                kernel_to_agent_s=agent - kernel,
                agent_to_ready_s=ready - agent,
                agent_to_operator_s=up - agent,
                connections=known,
            )
        )
        await cloud.start()


async def settled(cloud: Installation, truth: Truth) -> list[str]:
    """What is wrong with the results, once they have had time to come."""
    until = time.monotonic() + 300
    while True:
        lines = (await obeyed("results", "drill", "--server", cloud.listen, "--json")).splitlines()
        wrong = truth.differences(lines)
        if not wrong or time.monotonic() > until:
            return wrong
        await asyncio.sleep(2)


def with_operator(reference: str) -> str:
    """The drill's pipeline, with the operator in its middle."""
    named = OPERATOR.splitlines()
    named = [f"    image: {reference}" if "image:" in line else line for line in named]
    return PIPELINE.replace("steps:\n", "\n".join(named) + "\n").replace("FROM beats", "FROM pass")


def say(line: str) -> None:
    """A figure, as soon as there is one."""
    sys.stdout.write(f"{line}\n")
    sys.stdout.flush()


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--folder", type=Path, required=True, help="for 1.5 GB; kept, and used again")
    parser.add_argument("--resets", type=int, default=3)
    parser.add_argument("--seed", type=int, default=random.randrange(2**32))
    given = parser.parse_args()
    check_root()
    given.folder.mkdir(parents=True, exist_ok=True)
    found = asyncio.run(drill(given.folder.absolute(), resets=given.resets, seed=given.seed))
    say(json.dumps({"seed": given.seed, "wrong": found or "nothing: exactly once"}))
    sys.exit(bool(found))
