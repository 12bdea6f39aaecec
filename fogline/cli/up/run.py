"""``fogline up`` from the first check to the last process."""

import asyncio
import os
import signal
import sys
import webbrowser
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from importlib import resources
from importlib.util import find_spec
from pathlib import Path
from typing import Final

from fogline.cli import shapes
from fogline.cli.broker import Broker, read_broker
from fogline.cli.dashboard_link import one_time_link
from fogline.cli.exits import reported
from fogline.cli.server import read_token
from fogline.cli.up.folder import Folder, Lock
from fogline.cli.up.ports import Reservations, choose_ports, metrics_of
from fogline.cli.up.publish import publish_sensors
from fogline.cli.up.screen import show
from fogline.cli.up.serving import serving
from fogline.cli.up.supervisor import Supervisor
from fogline.cli.up.tiers import (
    AGGREGATOR,
    CHILDREN,
    CLOUD,
    DASHBOARD,
    ENROL,
    GROUP_ENROL,
    REST,
    Tiers,
    make_tiers,
    node_names,
)
from fogline.client import logins
from fogline.client.client import Client
from fogline.client.errors import TooSlow
from fogline.model.errors import FogError, InvalidInput, Unavailable

DEMO: Final = "machine.yaml"
_READY_WITHIN: Final = 60.0
_DEFAULT_NODES: Final = 2
_NEEDED: Final = ("numpy", "mqtt5", "sqlalchemy", "sqlglot", "nicegui", "cryptography", "paho", "psutil")


@dataclass(frozen=True, slots=True, kw_only=True)
class Wishes:
    """What was asked for on the command line."""

    directory: Path
    nodes: int | None
    """None: as many as the folder has, else two."""
    sensors: bool
    browser: bool
    pipeline: Path | None
    as_json: bool
    broker: str = field(default="", repr=False)
    """URL of a broker that the nodes read from beside their listeners; empty: none."""
    store: str = field(default="", repr=False)
    """URL of the cloud's store; empty: SQLite in the folder."""


def up(wishes: Wishes) -> None:
    """Run every tier until SIGTERM or SIGINT."""
    with reported():
        _check_installed()
        broker = read_broker(wishes.broker) if wishes.broker else None
        specs = _read_specs(wishes)
        folder = Folder(wishes.directory)
        folder.make()
        lock = Lock(folder)
        lock.take()
        folder.check_store(wishes.store)
        with Reservations() as reservations:
            tiers = _lay_out(wishes, folder, lock, reservations, broker)
            with _noted(tiers):
                asyncio.run(_Run(wishes, folder, tiers, specs, broker).until_stopped())


def _check_installed() -> None:
    if missing := [name for name in _NEEDED if find_spec(name) is None]:
        raise FogError(
            f"not installed: {', '.join(missing)}", hint="`pip install 'fogline[all]'` installs every tier"
        )


def _read_specs(wishes: Wishes) -> tuple[tuple[str, str], ...]:
    specs = []
    if wishes.sensors:
        specs.append((DEMO, resources.files("fogline.demo").joinpath(DEMO).read_text(encoding="utf-8")))
    if wishes.pipeline is not None:
        try:
            specs.append((str(wishes.pipeline), wishes.pipeline.read_text(encoding="utf-8")))
        except (OSError, UnicodeDecodeError) as error:
            raise InvalidInput(f"{wishes.pipeline} cannot be read: {error}") from None
    return tuple(specs)


def _lay_out(
    wishes: Wishes, folder: Folder, lock: Lock, reservations: Reservations, broker: Broker | None
) -> Tiers:
    before = folder.nodes_before()
    nodes = node_names(wishes.nodes or before or _DEFAULT_NODES)
    if before > len(nodes):
        say(f"{before - len(nodes)} of the folder's nodes do not run; windows that need them stay partial")
    tiers = (CLOUD, AGGREGATOR, DASHBOARD, *nodes)
    names = (*tiers, REST, CHILDREN, ENROL, GROUP_ENROL, *(metrics_of(tier) for tier in tiers))
    choice = choose_ports(names, before=folder.ports_before(), take=reservations.take)
    for note in choice.notes:
        say(note)
    folder.write_ports(choice.ports)
    say(f"starting cloud, aggregator and {len(nodes)} node{'s' * (len(nodes) > 1)} in {folder.path} ...")
    return make_tiers(folder, lock, choice.ports, nodes, broker=broker, store=wishes.store)


@contextmanager
def _noted(tiers: Tiers) -> Iterator[None]:
    """Let commands and programs of this user that name the cloud's address find token and CA while it runs."""
    address, known = tiers.address(CLOUD), {"token_file": str(tiers.token), "ca_file": str(tiers.ca)}
    try:
        logins.remember(address, known, as_last=False)
    except FogError as error:
        say(f"{error.message}: commands find this `up` by its folder alone")
    try:
        yield
    finally:
        with suppress(FogError):
            logins.forget(address, known)


def say(line: str) -> None:
    """Tell the person at the terminal; stdout may belong to a program."""
    sys.stderr.write(f"{line}\n")


class _Run:
    """The part of an ``up`` in which processes run."""

    def __init__(
        self,
        wishes: Wishes,
        folder: Folder,
        tiers: Tiers,
        specs: tuple[tuple[str, str], ...],
        broker: Broker | None,
    ) -> None:
        self._broker: Final = broker
        self._wishes: Final = wishes
        self._folder: Final = folder
        self._tiers: Final = tiers
        self._specs: Final = specs
        self._supervisor: Final = Supervisor(tiers, folder, say=say)

    async def until_stopped(self) -> None:
        """Start everything, say so, and run until a signal comes or nothing works."""
        tiers = self._tiers
        with Client(tiers.address(CLOUD), token=read_token(tiers.token), ca=tiers.ca) as client:
            try:
                async with asyncio.TaskGroup() as group:
                    group.create_task(self._supervisor.run(), name="supervise")
                    group.create_task(self._work(client), name="work")
                    group.create_task(_signalled(), name="wait for a signal")
            except* _Stopped:
                say("stopped; the next `fogline up` on this folder goes on")
            except* FogError as failures:
                raise _first(failures) from None

    async def _work(self, client: Client) -> None:
        pipelines = await self._start(client)
        self._supervisor.ready()
        await asyncio.to_thread(self._announce)
        async with asyncio.TaskGroup() as group:
            if self._wishes.sensors:
                servers = self._tiers.listeners if self._broker is None else [self._broker.with_password]
                group.create_task(publish_sensors(servers), name="publish sensors")
            if not self._wishes.as_json:
                link = await asyncio.to_thread(self._link)
                group.create_task(show(client, pipelines, self._tiers, link=link), name="show results")

    async def _start(self, client: Client) -> tuple[str, ...]:
        """Wait for the tiers, deploy the pipelines, wait until the nodes run them."""
        await _attached(client, self._tiers)
        await serving(self._tiers.address(DASHBOARD), within=_READY_WITHIN)
        generation, names = 0, []
        for file, spec in self._specs:
            deployed = await asyncio.to_thread(client.deploy, spec, file=file)
            generation = max(generation, deployed.generation)
            names.append(deployed.pipeline)
        await asyncio.to_thread(
            client.wait_until_applied, generation, nodes=len(self._tiers.nodes), within=_READY_WITHIN
        )
        return tuple(names)

    def _link(self) -> str:
        """A link that signs a browser in, once; empty if the dashboard makes none just now."""
        try:
            return one_time_link(f"http://{self._tiers.address(DASHBOARD)}/", read_token(self._tiers.token))
        except FogError as error:
            say(f"no link to the dashboard: {error}")
            return ""

    def _announce(self) -> None:
        endpoints = self._tiers.endpoints(os.getpid())
        if self._wishes.as_json:
            sys.stdout.write(shapes.line(endpoints))
            sys.stdout.flush()
        elif self._wishes.browser and _has_display():
            webbrowser.open(self._link() or endpoints["dashboard"])


class _Stopped(Exception):
    """A signal asked for the end."""


async def _signalled() -> None:
    """Raise :class:`_Stopped` at the first SIGTERM, SIGINT or SIGHUP; a second one ends all at once."""
    loop = asyncio.get_running_loop()
    came = asyncio.Event()
    signals = (signal.SIGTERM, signal.SIGINT, signal.SIGHUP)
    for number in signals:
        loop.add_signal_handler(number, came.set)
    await came.wait()
    for number in signals:
        loop.remove_signal_handler(number)
        # The children go with this process, and their data is safe at any instant.
        signal.signal(number, signal.SIG_DFL)
    raise _Stopped


async def _attached(client: Client, tiers: Tiers) -> None:
    """Wait until the cloud answers and has heard of every other tier."""
    expected = {child.name for child in tiers.reporting}
    missing = {CLOUD}
    try:
        async with asyncio.timeout(_READY_WITHIN):
            while missing:
                missing = await asyncio.to_thread(_missing, client, expected)
                await asyncio.sleep(0.1 if missing else 0.0)
    except TimeoutError:
        raise TooSlow(
            f"not ready within {_READY_WITHIN:g} s: {', '.join(sorted(missing))}", hint="look at the logs"
        ) from None


def _missing(client: Client, expected: set[str]) -> set[str]:
    try:
        status = client.status()
    except Unavailable:
        return {CLOUD}
    nodes = {n.name for n in status.nodes if n.alive}
    return expected - nodes - {a.name for a in status.aggregators if a.alive}


def _has_display() -> bool:
    return any(os.environ.get(name) for name in ("DISPLAY", "WAYLAND_DISPLAY", "BROWSER"))


def _first(failures: ExceptionGroup[FogError]) -> FogError:
    first = failures.exceptions[0]
    return _first(first) if isinstance(first, ExceptionGroup) else first
