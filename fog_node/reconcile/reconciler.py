"""Looks, decides, does: the shell around :func:`fog_node.reconcile.decide.decide`.

Every runtime is looked at by a task of its own, and every action is one: what hangs holds up nothing else. An action's
slot is busy until the runtime was looked at again, so that nothing is decided from what was.
"""

import asyncio
from collections.abc import Iterable, Mapping, Sequence
from contextlib import suppress
from pathlib import Path
from random import Random
from typing import Final

import structlog

from fog_node.reconcile.book import Book
from fog_node.reconcile.decide import ALIVE, Action, Look, Patience, Pull, decide
from fog_node.reconcile.desired import PROCESS, Desired
from fog_node.reconcile.doing import Doer
from fog_node.reconcile.housekeeping import ImageKeeper
from fog_node.reconcile.lives import Gateway, Lives
from fog_node.reconcile.standing import Events, to_report
from fog_node.runtimes.runtime import Container, ContainerFault, Runtime, Slot, Usage
from fog_node.runtimes.settings import RuntimeSettings
from fogline.model.clock import SECOND, Clock
from fogline.v1 import control_pb2

LOOK_EVERY_S: Final = 2.0
KNOCK_EVERY_S: Final = 0.25
"""How often a runtime is looked for that is away: a node and its Engine boot side by side."""
TURN_S: Final = 1.0
"""Waits of the back-off end at most so late."""

_log: structlog.stdlib.BoundLogger = structlog.get_logger(__name__)


class Reconciler:
    """Keeps the containers of this node as they shall be. Belongs to the event loop."""

    def __init__(
        self,
        runtimes: Sequence[Runtime],
        gateway: Gateway,
        *,
        settings: RuntimeSettings,
        folder: Path,
        clock: Clock,
        rng: Random,
    ) -> None:
        """``folder``: where it remembers which images it pulled."""
        self._runtimes: Final = {runtime.name: runtime for runtime in runtimes}
        self._clock: Final = clock
        self._wake: Final = asyncio.Event()
        self._looking: Final = {name: asyncio.Lock() for name in self._runtimes}
        self._book: Final = Book(tuple(self._runtimes))
        self._events: Final = Events()
        self._lives: Final = Lives(
            gateway,
            within_s=settings.start_within,
            now_us=clock.now_us,
            condemn=self._condemn,
            changed=self._wake.set,
        )
        self._keeper: Final = ImageKeeper(folder / "pulled", settings, clock)
        self._tidy_every_s: Final = settings.tidy_every
        self._told: Final = asyncio.Event()
        self._doer: Final = Doer(
            self._book,
            self._lives,
            self._events,
            self._keeper,
            patience=Patience(
                base_us=round(settings.backoff * SECOND),
                cap_us=round(settings.backoff_cap * SECOND),
                healthy_us=round(settings.healthy_after * SECOND),
            ),
            grace_s=settings.grace,
            look=self._look_at,
            clock=clock,
            rng=rng,
        )
        self._group: asyncio.TaskGroup | None = None

    def replace(self, desired: Desired) -> None:
        """This shall run from now on."""
        self._book.replace(desired)
        self._told.set()
        self._wake.set()

    def broken(self, plan: str, step: str, replica: int, event: str, words: str) -> None:
        """A replica does not work: end it and start it anew."""
        life = self._lives.of(Slot(kind="operator", plan=plan, name=step, replica=replica))
        if life is not None:
            self._condemn(life.container.id, event, words)

    def running(self, slot: Slot) -> tuple[Runtime, Container] | None:
        """The container that runs in a slot, with its runtime: for logs and commands."""
        found = self._book.alive(slot)
        return (self._runtimes[found[0]], found[1]) if found else None

    @property
    def away(self) -> Mapping[str, str]:
        """Runtimes that do not answer, and why."""
        return self._book.away.copy()

    def reports(self) -> list[control_pb2.ContainerReport]:
        """How every container stands."""
        return [to_report(one) for one in self._book.standings(self._lives, self._clock.now_us())]

    def events(self) -> Iterable[control_pb2.ContainerEvent]:
        """What happened to containers, the newest last."""
        return self._events.newest()

    async def run(self) -> None:
        """Until it is cancelled. Containers go on, as far as their runtime lets them."""
        try:
            async with asyncio.TaskGroup() as group:
                self._group = group
                for name in self._runtimes:
                    group.create_task(self._observe(name), name=f"look at {name}")
                    group.create_task(self._hear(name), name=f"hear {name}")
                    group.create_task(self._measure(name), name=f"measure {name}")
                    if name != PROCESS:
                        group.create_task(self._tidy(name), name=f"tidy images of {name}")
                while True:
                    self._wake.clear()
                    for action in decide(
                        self._book.desired, self._book.actual(self._lives), self._clock.now_us()
                    ):
                        self._doer.begin(action)
                        group.create_task(self._do(action), name=type(action).__name__)
                    with suppress(TimeoutError):
                        async with asyncio.timeout(TURN_S):
                            await self._wake.wait()
        finally:
            self._lives.close()

    async def _do(self, action: Action) -> None:
        name = action.key[0] if isinstance(action, Look | Pull) else action.runtime
        await self._doer.do(action, self._runtimes[name])
        self._wake.set()

    def _condemn(self, container: str, event: str, words: str) -> None:
        _log.warning("container is started anew", container=container, reason=event, words=words)
        self._book.condemned[container] = (event, words)
        self._lives.end(container)
        self._wake.set()

    async def _observe(self, name: str) -> None:
        while True:
            await self._look_at(name)
            await self._rest(name)

    async def _rest(self, name: str) -> None:
        await self._clock.sleep(KNOCK_EVERY_S if name in self._book.away else LOOK_EVERY_S)

    async def _look_at(self, name: str) -> None:
        """Renew what is known about a runtime's containers."""
        runtime = self._runtimes[name]
        async with self._looking[name]:
            containers: tuple[Container, ...] = ()
            try:
                fault = await runtime.available()
                if not fault:
                    containers = await runtime.list()
            except ContainerFault as error:
                fault = error.words
            if fault:
                if self._book.away.get(name) != fault:
                    _log.warning("runtime is away", runtime=name, fault=fault)
                self._book.away[name] = fault
                return
            if self._book.away.pop(name, None) is not None:
                _log.info("runtime answers", runtime=name, containers=len(containers))
            self._book.seen[name] = containers
            self._notice()

    def _notice(self) -> None:
        """Let lives begin and end with what was seen."""
        there = {one.id for ones in self._book.seen.values() for one in ones}
        for gone in self._book.condemned.keys() - there:
            del self._book.condemned[gone]
        alive = [
            one
            for ones in self._book.seen.values()
            for one in ones
            if one.condition in ALIVE and one.id not in {*self._book.condemned, *self._book.ending}
        ]
        assert self._group is not None
        for container in alive:
            self._lives.begin(container, self._group)
        self._lives.end_others((one.id for one in alive), died=self._died)
        self._wake.set()

    def _died(self, container: str) -> str:
        """Why one died that nobody has stopped; empty: somebody has."""
        if container in self._book.ending or container in self._book.condemned:
            return ""
        seen = (one for ones in self._book.seen.values() for one in ones if one.id == container)
        return "out_of_memory" if any(one.out_of_memory for one in seen) else "exited"

    async def _hear(self, name: str) -> None:
        """Events let be seen now what would be seen at the next look."""
        while True:
            with suppress(ContainerFault):
                async for _ in self._runtimes[name].events():
                    await self._look_at(name)
            await self._rest(name)

    async def _tidy(self, name: str) -> None:
        """Before anything was told nothing is known to be unwanted."""
        await self._told.wait()
        while True:
            if name not in self._book.away:
                with suppress(ContainerFault):
                    await self._keeper.tidy(self._runtimes[name], lambda: self._book.desired.images)
            await self._clock.sleep(self._tidy_every_s)

    async def _measure(self, name: str) -> None:
        while True:
            alive = self._lives.containers
            mine = {one.id for one in self._book.seen.get(name, ())}
            for container in alive:
                if container.id in mine and name not in self._book.away:
                    with suppress(ContainerFault):
                        usage = await self._runtimes[name].usage(container.id)
                        self._book.usage[container.id] = usage
                        self._note_excess(container, usage)
            for gone in self._book.usage.keys() - {one.id for one in self._lives.containers}:
                del self._book.usage[gone]
            self._book.excesses.forget_others({one.id for one in self._lives.containers})
            await self._clock.sleep(LOOK_EVERY_S)

    def _note_excess(self, container: Container, usage: Usage) -> None:
        now_us = self._clock.now_us()
        for event, words in self._book.excesses.measured(container, usage, now_us):
            _log.warning("container does too much", container=container.id, event_=event, words=words)
            self._events.note(container.spec.slot, event, words, now_us)
