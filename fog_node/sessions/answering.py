"""What a session does with a container: tells what it writes, runs a command in it, or says what all of them use."""

import asyncio
from collections.abc import Awaitable, Callable, Mapping
from contextlib import aclosing, suppress
from datetime import UTC, datetime
from typing import Final, Protocol

import structlog

from fog_node.runtimes.runtime import STDOUT, Container, ContainerFault, Ended, Kind, Output, Runtime, Slot
from fog_node.sessions.audit import Audit
from fog_node.sessions.session import Session
from fogline.control.sessions import MAX_COMMAND_BYTES, MAX_TAIL, ContainerAbsent, ExecNotAllowed
from fogline.model.clock import Clock
from fogline.model.errors import InvalidInput, Unavailable
from fogline.v1 import control_pb2

LOOK_EVERY_S: Final = 0.5
"""How often a follower looks whether a container has come back."""
MEASURE_EVERY_S: Final = 1.0
TAIL: Final = 100
LENGTH_BYTES: Final = 4

_KINDS: Final[Mapping[str, Kind]] = {"operator": "operator", "service": "service"}

_log: structlog.stdlib.BoundLogger = structlog.get_logger(__name__)


class Guests(Protocol):
    """The containers of this node."""

    def running(self, slot: Slot) -> tuple[Runtime, Container] | None:
        """The container that runs in a slot, with its runtime."""
        ...

    def reports(self) -> list[control_pb2.ContainerReport]:
        """How every container stands."""
        ...

    async def capacity(self) -> control_pb2.Capacity:
        """What this machine has."""
        ...


class Answering:
    """Answers one kind of question each; a method returns an exit code, or raises a FogError."""

    def __init__(
        self,
        guests: Guests,
        *,
        node: str,
        may_execute: Callable[[str], bool],
        audit: Audit,
        clock: Clock,
    ) -> None:
        """``may_execute``: whether a tenant's people may run commands in its containers."""
        self._guests: Final = guests
        self._node: Final = node
        self._may_execute: Final = may_execute
        self._audit: Final = audit
        self._clock: Final = clock
        self.kinds: Final[dict[str, Callable[[control_pb2.SessionAsk, Session], Awaitable[int]]]] = {
            "logs": self._logs,
            "exec": self._execute,
            "top": self._top,
        }

    async def _logs(self, ask: control_pb2.SessionAsk, session: Session) -> int:
        slot, seen = slot_of(ask), ""
        while True:
            found = self._guests.running(slot)
            if found is None and not ask.follow:
                raise self._absent(slot)
            if found is not None and found[1].id != seen:
                tail = min(ask.tail or TAIL, MAX_TAIL) if not seen else MAX_TAIL
                seen = found[1].id
                await self._read(*found, session, tail=tail, follow=ask.follow)
            if not ask.follow:
                return 0
            if self._report(slot) is None:
                if not seen:
                    raise self._absent(slot)
                return 0  # nobody wants it any more
            await self._clock.sleep(LOOK_EVERY_S)

    async def _read(
        self, runtime: Runtime, container: Container, session: Session, *, tail: int, follow: bool
    ) -> None:
        try:
            async with aclosing(runtime.logs(container.id, tail=tail, follow=follow)) as outputs:  # type: ignore[type-var]  # every runtime's is a generator
                async for output in outputs:
                    await session.put(output)
        except ContainerFault:
            # It has gone in between: a follower waits for the next one.
            if not follow:
                raise

    async def _execute(self, ask: control_pb2.SessionAsk, session: Session) -> int:
        slot, command = slot_of(ask), tuple(ask.command)
        if not command or not command[0] or sum(map(len, command)) > MAX_COMMAND_BYTES:
            raise InvalidInput(f"a command has a program, and at most {MAX_COMMAND_BYTES} bytes in all")
        found = self._guests.running(slot)
        if found is None:
            raise self._absent(slot)
        runtime, container = found
        who = {"caller": ask.caller, "container": container.id, "slot": str(slot), "command": list(command)}
        if not self._may_execute(container.spec.tenant):
            await self._note(event="refused", **who)
            raise ExecNotAllowed(
                f"node {self._node} does not let commands be run in containers of tenant {container.spec.tenant}"
            )
        await self._note(event="begun", **who)
        outcome = "called off"
        try:
            async with aclosing(runtime.execute(container.id, command, session.given())) as said:  # type: ignore[type-var]  # as above
                async for one in said:
                    if isinstance(one, Ended):
                        outcome = str(one.exit_code)
                        return one.exit_code
                    await session.put(one)
        finally:
            await self._note(event="ended", outcome=outcome, **who)
        raise Unavailable(f"{slot} ended while the command ran")

    async def _note(self, **what: object) -> None:
        """Write into the node's log and its audit file. Raises :class:`Unavailable`: nothing runs unnoted."""
        now = datetime.fromtimestamp(self._clock.now_us() / 1e6, UTC).isoformat()
        _log.info("command in a container", **{"what" if k == "event" else k: v for k, v in what.items()})
        try:
            await asyncio.to_thread(lambda: self._audit.note(at=now, **what))
        except OSError as error:
            raise Unavailable(f"the node cannot write down who ran what: {error}") from error

    async def _top(self, ask: control_pb2.SessionAsk, session: Session) -> int:
        while True:
            sample = (await self._sample()).SerializeToString()
            await session.put(Output(STDOUT, len(sample).to_bytes(LENGTH_BYTES, "little") + sample))
            if not ask.follow:
                return 0
            await self._clock.sleep(MEASURE_EVERY_S)

    async def _sample(self) -> control_pb2.NodeReport:
        reports = self._guests.reports()
        for report in reports:
            found = self._guests.running(
                Slot(kind=_KINDS[report.kind], plan=report.plan, name=report.name, replica=report.replica)
            )
            if found is None:
                continue
            with suppress(ContainerFault):
                usage = await found[0].usage(found[1].id)
                report.cpu_us, report.memory_bytes = usage.cpu_us, usage.memory_bytes
                report.throttled_us = usage.throttled_us
        return control_pb2.NodeReport(
            node=self._node,
            at_us=self._clock.now_us(),
            capacity=await self._guests.capacity(),
            containers=reports,
        )

    def _report(self, slot: Slot) -> control_pb2.ContainerReport | None:
        wanted = (slot.kind, slot.plan, slot.name, slot.replica)
        reports = self._guests.reports()
        return next((r for r in reports if (r.kind, r.plan, r.name, r.replica) == wanted), None)

    def _absent(self, slot: Slot) -> ContainerAbsent:
        report = self._report(slot)
        if report is None:
            return ContainerAbsent(f"{slot} does not run on node {self._node}")
        fault = f": {report.fault}" if report.fault else ""
        return ContainerAbsent(f"{slot} does not run now on node {self._node}: {report.state}{fault}")


def slot_of(ask: control_pb2.SessionAsk) -> Slot:
    """The container that is meant. Raises :class:`InvalidInput`."""
    kind = _KINDS.get(ask.kind)
    if kind is None:
        raise InvalidInput(f"{ask.kind!r} is no kind of container")
    return Slot(kind=kind, plan=ask.plan, name=ask.name, replica=ask.replica)
