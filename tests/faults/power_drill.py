"""Cuts the power of whole Docker hosts: ``python -m tests.faults.power_drill --tries 20 --hosts 3 --seed 7``.

Each host (:mod:`tests.faults.machine`) has a Docker Engine of its own, a node with mTLS, and an operator of one
pipeline in a container; a sensor on its local network publishes numbered messages at QoS 1 and never gives one up.
Aggregator and cloud are reached over uplinks that are plugged in and out.

A try: the uplinks go, and with them all hosts in one instant, at a random moment of their work. Then they boot, each
with another boot id, an empty ``/run``, and no uplink. **Back** is a host once its operator has answered a message
that its sensor published after the boot began: accepted by the node, journaled, given to the new container; the
operator writes the number, the Engine notes when. So it starts from what the node kept, without any parent. Then the
uplinks return: the nodes must be heard of and catch up, in the same containers.

With ``--engine`` the first host's Engine is first hung, and then killed alone: what is to be seen is that messages are
taken and answered meanwhile, that the command line says what is wrong, and that it passes by itself.

At the end every message must count exactly once, by its number, and the ledger must add up.
"""

import argparse
import asyncio
import json
import os
import random
import sys
import time
from collections.abc import AsyncIterator, Mapping, Sequence
from contextlib import AsyncExitStack, asynccontextmanager, suppress
from dataclasses import dataclass, field
from datetime import datetime
from functools import partial
from pathlib import Path
from typing import Final

from fogline.cli.up.identities import make_identities
from fogline.identity.names import AGGREGATOR, NODE
from fogline.model.clock import SystemClock
from tests.faults.engine_faults import EngineFaults, until
from tests.faults.house import free_port
from tests.faults.machine import HANG_S, Machine, own_world, world_folder
from tests.faults.operator_image import operator_image
from tests.faults.sensor import RATE, Sensor
from tests.faults.site import fogline
from tests.images import ImageFile

CAUGHT_UP: Final = 5 * RATE
SETTLE_WITHIN_S: Final = 120.0
AIM_S: Final = 10.0
PIPELINE: Final = """\
name: drill
streams:
  beats:
    mqtt: "drill/{device}/beat"
    format: json
    time: {path: ts, unit: ms}
    fields: {id: int, dice: int}
    labels: {number: number}
steps:
  pass:
    image: "@image@"
    from: beats
    fields: {id: int, dice: int}
    labels: [device, number]
    memory: 128Mi
  by_id:
    sql: |
      SELECT device, number, count(*) AS n, sum(dice) AS dice
      FROM pass GROUP BY device, number, TUMBLE(ts, INTERVAL '5 seconds')
late: {disorder: 2s, wait: 10s, keep: 1d}
emit: {every: 1s, on: change}
"""


@dataclass(slots=True)
class Try:
    """One power cut."""

    back_s: dict[str, float]
    """By host: from power on to its operator's first answer for a new message."""
    cpu_s: float
    """What all of them had used by then: with other work on the machine, this tells more than the time."""
    reconnected_s: float
    """From uplink on until the cloud had heard of all hosts, and they had caught up."""


@dataclass
class Report:
    """What the drill saw."""

    seed: int
    tries: list[Try] = field(default_factory=list)
    messages: int = 0
    repeated: int = 0
    memory: str = ""
    wrong: list[str] = field(default_factory=list)

    def __str__(self) -> str:
        worst = sorted(max(one.back_s.values()) for one in self.tries)
        within = sum(seconds <= AIM_S for seconds in worst)
        lines = [f"seed {self.seed}: {self.messages} messages, {self.repeated} sent again"]
        if worst:
            cpu_s = sorted(one.cpu_s for one in self.tries)
            lines.append(
                f"CPU until then, all hosts together: p50 {cpu_s[len(cpu_s) // 2]:.1f} s, max {cpu_s[-1]:.1f} s"
            )
            lines.append(
                f"all hosts back within {AIM_S:g} s in {within} of {len(worst)} tries;"
                f" p50 {worst[len(worst) // 2]:.1f} s, max {worst[-1]:.1f} s"
            )
        lines += [self.memory] if self.memory else []
        lines += self.wrong[:20] or [
            "every message counted exactly once, in containers that reconnecting left alone"
        ]
        return "\n".join(lines)


class Drill:
    """The whole site."""

    def __init__(self, folder: Path, *, hosts: int, seed: int) -> None:
        self.folder: Final = folder
        self.report: Final = Report(seed)
        self.machines: Final = [Machine(number, folder / f"{number}") for number in range(1, hosts + 1)]
        self.sensors: Final = [
            Sensor(machine, random.Random(seed + machine.number)) for machine in self.machines
        ]
        self._rng: Final = random.Random(seed)
        self._ports: Final = {
            name: free_port() for name in ("api", "children", "enrol", "group", "group-enrol")
        }

    @property
    def server(self) -> str:
        """Where commands ask."""
        return f"127.0.0.1:{self._ports['api']}"

    async def run(self, tries: int, *, engine: bool) -> None:
        """The drill; ``engine``: with what befalls the Engine alone, first."""
        async with AsyncExitStack() as stack:
            await self._begin(stack)
            if engine:
                faults = EngineFaults(self.server, self.machines[0], self.sensors[0])
                await faults.hang()
                say("Engine hung: said so, went on")
                await faults.kill()
                say("Engine killed: came back")
            for number in range(1, tries + 1):
                await asyncio.sleep(self._rng.uniform(0.5, 3.0))
                done = await self._cut()
                self.report.tries.append(done)
                hosts = ", ".join(f"{name} {seconds:.1f} s" for name, seconds in done.back_s.items())
                say(
                    f"try {number}: back after {hosts} and {done.cpu_s:.1f} s of CPU;"
                    f" reconnected after {done.reconnected_s:.1f} s; load {os.getloadavg()[0]:.1f}"
                )
            await self._settle()

    async def _begin(self, stack: AsyncExitStack) -> None:
        self._write_settings()
        await stack.enter_async_context(_tier("cloud", self.folder / "cloud.toml"))
        await stack.enter_async_context(_tier("aggregator", self.folder / "aggregator.toml"))
        for machine in self.machines:
            stack.push_async_callback(machine.cut_power)
            await machine.power_on(uplink=True)
        image = await asyncio.to_thread(operator_image, "telling")
        references = await asyncio.gather(*(self._load(machine, image) for machine in self.machines))
        spec = self.folder / "drill.yaml"
        spec.write_text(PIPELINE.replace("@image@", references[0]))
        await until(partial(self._all_heard_of, 0.0))
        await fogline("deploy", str(spec), "--wait", "--server", self.server)
        for sensor in self.sensors:
            for work in (sensor.device.run(), sensor.run()):
                task = asyncio.create_task(work)
                stack.callback(task.cancel)
        await asyncio.gather(*(self._answers(place, 0) for place in range(len(self.machines))))
        say(f"{len(self.machines)} hosts at work, {references[0]}")

    async def _load(self, machine: Machine, image: ImageFile) -> str:
        def load() -> str:
            deadline = time.monotonic() + HANG_S
            while True:
                try:
                    with machine.engine() as engine:
                        return str(engine.load(image))
                except Exception:  # whatever the SDK raises while the Engine begins
                    if time.monotonic() > deadline:
                        raise
                    time.sleep(0.1)

        return await asyncio.to_thread(load)

    async def _cut(self) -> Try:
        """One try; raises TimeoutError if a host does not come back."""
        boots = [machine.boot_id() for machine in self.machines]
        for sensor in self.sensors:
            sensor.device.unplug()
        await asyncio.gather(*(machine.cut_power() for machine in self.machines))
        await asyncio.sleep(self._rng.uniform(0.0, 1.0))
        began, first = time.time(), [sensor.newest + 1 for sensor in self.sensors]
        await asyncio.gather(*(machine.power_on(uplink=False) for machine in self.machines))
        for sensor in self.sensors:
            sensor.device.plug_in()
        backs = await asyncio.gather(*(self._answers(place, number) for place, number in enumerate(first)))
        cpu_s = sum(machine.cpu_s() for machine in self.machines)
        for machine, before in zip(self.machines, boots, strict=True):
            assert machine.boot_id() != before
        containers = [machine.containers() for machine in self.machines]
        plugged = time.time()
        for machine in self.machines:
            machine.set_uplink(up=True)
        await until(partial(self._all_heard_of, plugged))
        took = time.time() - plugged
        for machine, before_ in zip(self.machines, containers, strict=True):
            after = machine.containers()
            if after != before_ or len(after) != 1:
                self.report.wrong.append(
                    f"{machine.name}: containers {before_} became {after} by reconnecting"
                )
        names = (machine.name for machine in self.machines)
        return Try({name: at - began for name, at in zip(names, backs, strict=True)}, cpu_s, took)

    async def _answers(self, place: int, number: int) -> float:
        """Wait until a host's operator has answered a message from this number on; when it did."""
        machine = self.machines[place]
        async with asyncio.timeout(HANG_S):
            while (at := await asyncio.to_thread(_answered, machine, number)) is None:  # noqa: ASYNC110
                await asyncio.sleep(0.1)
        return at

    async def _all_heard_of(self, since: float) -> bool:
        lines = (await fogline("nodes", "--server", self.server, "--json")).splitlines()
        nodes = [json.loads(line) for line in lines]
        fresh = [
            node
            for node in nodes
            if datetime.fromisoformat(node["seen"]).timestamp() > since and node["pending"] <= CAUGHT_UP
        ]
        return len(fresh) == len(self.machines)

    async def _settle(self) -> None:
        """Stop publishing, and compare until everything agrees, or for as long as results may take to settle."""
        parts = (("node", "fog_node"), ("dockerd", "dockerd"), ("containerd", "containerd --config"))
        pss = ", ".join(f"{name} {self.machines[0].pss_mib(words):.0f} MiB" for name, words in parts)
        self.report.memory = f"memory (PSS) of the first host: {pss}"
        for sensor in self.sensors:
            sensor.stopping.set()
            await sensor.device.all_taken()
        self.report.messages = sum(len(sensor.sent) for sensor in self.sensors)
        self.report.repeated = sum(sensor.device.repeated for sensor in self.sensors)
        deadline = time.monotonic() + SETTLE_WITHIN_S
        while (wrong := await self._differences()) and time.monotonic() < deadline:  # noqa: ASYNC110
            await asyncio.sleep(1.0)
        self.report.wrong += wrong

    async def _differences(self) -> list[str]:
        wanted = {
            (machine.name, str(number)): {"n": 1, "dice": dice}
            for machine, sensor in zip(self.machines, self.sensors, strict=True)
            for number, dice in sensor.sent.items()
        }
        results = (await fogline("results", "drill", "--server", self.server, "--json")).splitlines()
        rows = [json.loads(line) for line in results]
        found = {(row["key"]["device"], row["key"]["number"]): row["values"] for row in rows}
        wrong = [f"{len(rows) - len(found)} messages are told twice"] if len(rows) > len(found) else []
        wrong += [
            f"{key} must be {wanted.get(key)}, is {found.get(key)}"
            for key in sorted(wanted.keys() | found.keys())
            if wanted.get(key) != found.get(key)
        ]
        wrong += [
            f"{row['key']} is {row['status']} with {row['have']} of {row['expected']} nodes"
            for row in rows
            if row["status"] == "open" or row["have"] != row["expected"]
        ]
        (line,) = (await fogline("ledger", "drill", "--server", self.server, "--json")).splitlines()
        ledger = json.loads(line)
        if ledger["committed"] != self.report.messages or ledger["gap"]:
            wrong.append(
                f"of {self.report.messages} messages {ledger['committed']} are committed, gaps {ledger['gap']}"
            )
        return [*wrong, *ledger["differences"]]

    def show_logs(self) -> None:
        """The end of every log, for a person."""
        for log in (*self.folder.glob("*.log"), *self.folder.glob("*/*.log")):
            say(f"--- {log}\n{log.read_text(errors='replace')[-3000:]}")

    def _write_settings(self) -> None:
        host, ports = "0.0.0.0", self._ports  # of a network that nobody else is in
        folders = {name: self.folder / name for name in ("cloud", "aggregator-1")}
        _write(
            self.folder / "cloud.toml",
            {
                "folder": str(folders["cloud"]),
                "anonymous": True,
                "listen": self.server,
                "children": f"127.0.0.1:{ports['children']}",
                "enrol": f"127.0.0.1:{ports['enrol']}",
            },
        )
        _write(
            self.folder / "aggregator.toml",
            {
                "name": "aggregator-1",
                "folder": str(folders["aggregator-1"]),
                "listen": f"{host}:{ports['group']}",
                "enrol": f"{host}:{ports['group-enrol']}",
                "parents": [f"127.0.0.1:{ports['children']}"],
                "link.backoff.cap": "500ms",
            },
        )
        places = [(AGGREGATOR, folders["aggregator-1"])]
        for machine in self.machines:
            places.append((NODE, machine.folder / machine.name))
            _write(
                machine.folder / "node.toml",
                {
                    "name": machine.name,
                    "folder": str(machine.folder / machine.name),
                    "parents": [f"{machine.parent_host}:{ports['group']}"],
                    "listener.host": machine.listener[0],
                    "listener.port": machine.listener[1],
                    "listener.insecure": True,
                },
            )
        for folder in (folders["cloud"], *(folder for _, folder in places)):
            folder.mkdir(parents=True, exist_ok=True)
        make_identities(folders["cloud"], places, enrol=f"127.0.0.1:{ports['enrol']}", clock=SystemClock())


@asynccontextmanager
async def _tier(module: str, settings: Path) -> AsyncIterator[None]:
    """The cloud or the aggregator, until the end."""
    with settings.with_suffix(".log").open("wb") as log:
        process = await asyncio.create_subprocess_exec(
            *(sys.executable, "-m", module, "--settings", str(settings)), stdout=log, stderr=log
        )
    try:
        yield
    finally:
        with suppress(ProcessLookupError):
            process.kill()
        await process.wait()


def _write(path: Path, settings: Mapping[str, object]) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text("".join(f"{name} = {json.dumps(value)}\n" for name, value in settings.items()))


def _answered(machine: Machine, number: int) -> float | None:
    """When a host's Engine heard that a message from this number on was answered."""
    for line in machine.said():
        word, _, newest = line["log"].partition(" ")
        if word == "answered" and int(newest) >= number:
            return datetime.fromisoformat(line["time"]).timestamp()
    return None


def say(words: str) -> None:
    """A line for people."""
    sys.stderr.write(f"{words}\n")


def main(arguments: Sequence[str]) -> int:
    """Command line."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--tries", type=int, default=20)
    parser.add_argument("--hosts", type=int, default=3)
    parser.add_argument("--seed", type=int, default=None, help="printed; the same draws the same instants")
    parser.add_argument(
        "--engine", action="store_true", help="first hang and kill the first host's Engine alone"
    )
    given = parser.parse_args(arguments)
    folder = world_folder()
    if folder is None:
        return own_world("tests.faults.power_drill", arguments)
    seed = random.SystemRandom().randrange(2**32) if given.seed is None else given.seed
    drill = Drill(folder, hosts=given.hosts, seed=seed)
    try:
        asyncio.run(drill.run(given.tries, engine=given.engine))
    except BaseException:
        drill.show_logs()
        raise
    sys.stdout.write(f"{drill.report}\n")
    return 1 if drill.report.wrong else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
