"""The node's gateway to its operators: a queue for each operator step, replicas that come and go."""

import asyncio
from collections.abc import Iterable
from pathlib import Path
from typing import Final

from fog_node.operators.link import Link
from fog_node.operators.quarantine import Kept, Quarantine
from fog_node.operators.settings import OperatorSettings
from fog_node.operators.step import OperatorStep
from fog_node.operators.values import Broken, StepAround, StepKey
from fog_node.steps.graph import RowStep
from fog_node.steps.waiting import first_of
from fogline.model.clock import SECOND, Clock
from fogline.model.plan import OperatorQuery, Plan
from fogline.model.words import plain
from fogline.v1 import control_pb2
from fogline.wire.plan_rules import column_types

EVENTS: Final = 20
"""Batches that were given up, in the node's report."""


class Operators:
    """Everything of this node that goes through operators. Belongs to the event loop."""

    def __init__(self, settings: OperatorSettings, *, folder: Path, clock: Clock) -> None:
        """``folder``: where batches are kept that were given up."""
        self._settings: Final = settings
        self._clock: Final = clock
        self._quarantine: Final = Quarantine(
            folder / "quarantine", files=settings.quarantine_files, bytes_=settings.quarantine_bytes
        )
        self.broken: Broken = _nobody
        """Set by whoever starts replicas; called from the event loop. Nothing more is sent to a replica that was told
        broken, until :meth:`replica_up`.
        """
        self._sockets: Final[dict[tuple[StepKey, int], Path]] = {}
        self._releases: Final[dict[StepKey, control_pb2.OperatorRelease]] = {}
        self._steps: Final[dict[StepKey, OperatorStep]] = {}
        self._changed: Final = asyncio.Event()
        self._starting: Final[asyncio.Queue[Link]] = asyncio.Queue()

    # --- for whoever starts replicas

    def replica_up(self, plan: str, step: str, replica: int, socket_path: Path) -> None:
        """A replica was started and will serve at this socket; it need not be there yet.

        Also after an agent's restart, for a replica that went on running, and before the plan is known here. Once for
        each start: again for the same replica means that it was started anew.
        """
        key = StepKey(plan, step)
        self._sockets[key, replica] = socket_path
        if key in self._steps:
            self._steps[key].replica_up(replica, socket_path)

    def replica_gone(self, plan: str, step: str, replica: int, *, died: str = "") -> None:
        """A replica is about to be stopped, or has died: what it had not answered goes to another one. Idempotent.

        ``died``: why it died (``exited``, ``out_of_memory``, ...); what it worked on is then to blame.
        """
        key = StepKey(plan, step)
        if self._sockets.pop((key, replica), None) is not None and key in self._steps:
            self._steps[key].replica_gone(replica, died)

    def granted(self, grants: Iterable[control_pb2.Grant]) -> None:
        """These grants hold now: their deadlines, and another image is believed anew."""
        for grant in grants:
            for release in grant.operators:
                key = StepKey(grant.plan, release.step)
                former = self._releases.get(key)
                self._releases[key] = release
                if key in self._steps:
                    self._apply(self._steps[key], release)
                    if former is not None and former.image != release.image:
                        self._steps[key].dispatch.renewed()

    # --- for the plans

    def row_steps(self, plan_id: str, plan: Plan) -> dict[str, RowStep]:
        """Those who answer for the operator steps of a plan, by the step's name."""
        found: dict[str, RowStep] = {}
        for spec in plan.steps:
            if isinstance(spec.query, OperatorQuery):
                key = StepKey(plan_id, spec.name)
                source = column_types(plan)[spec.source]
                self._steps[key] = OperatorStep(key, spec, plan.pipeline, source, self._around())
                if key in self._releases:
                    self._apply(self._steps[key], self._releases[key])
                for (of, replica), socket in self._sockets.items():
                    if of == key:
                        self._steps[key].replica_up(replica, socket)
                found[spec.name] = self._steps[key]
        return found

    def withdraw(self, plan_id: str) -> None:
        """Forget the steps of a plan. Its replicas are stopped by whoever started them."""
        for key in [key for key in self._steps if key.plan == plan_id]:
            self._steps.pop(key).close()
        for key in [key for key in self._releases if key.plan == plan_id]:
            del self._releases[key]

    # --- for the report

    def reports(self) -> list[control_pb2.StepReport]:
        """How each operator step goes."""
        return [step.report() for step in self._steps.values()]

    def faults(self) -> list[str]:
        """What holds plans up, in words."""
        return [fault for step in self._steps.values() if (fault := step.fault)]

    def events(self) -> list[control_pb2.ContainerEvent]:
        """What was given up, the newest last."""
        return [
            control_pb2.ContainerEvent(
                at_us=kept.at_us,
                kind="operator",
                plan=kept.plan,
                name=kept.step,
                event="quarantined",
                detail=plain(f"messages [{kept.first}, {kept.end}) of {kept.stream}: {kept.reason}"),
            )
            for kept in self._quarantine.kept[-EVENTS:]
        ]

    @property
    def quarantined(self) -> tuple[Kept, ...]:
        """Batches that were given up, oldest first."""
        return self._quarantine.kept

    async def run(self) -> None:
        """Carry batches until cancelled: belongs into the node's task group."""
        async with asyncio.TaskGroup() as group:
            group.create_task(self._watch(), name="watch operators")
            while True:
                link = await self._starting.get()
                group.create_task(link.run(), name=f"operator replica {link.replica}")

    async def _watch(self) -> None:
        while True:
            self._changed.clear()
            now = self._clock.monotonic()
            due = min((step.dispatch.due_at(now) for step in self._steps.values()), default=float("inf"))
            if due > now:
                wait = [self._clock.sleep(due - now)] if due < float("inf") else []
                await first_of(self._changed.wait(), *wait)
            for step in tuple(self._steps.values()):
                step.tick(self._clock.monotonic())

    def _apply(self, step: OperatorStep, release: control_pb2.OperatorRelease) -> None:
        step.dispatch.timeout_s = (
            release.timeout_us / SECOND if release.timeout_us else self._settings.timeout
        )
        self._changed.set()

    def _tell_broken(self, plan: str, step: str, replica: int, event: str, reason: str) -> None:
        self._sockets.pop((StepKey(plan, step), replica), None)
        self.broken(plan, step, replica, event, reason)

    def _around(self) -> StepAround:
        return StepAround(
            settings=self._settings,
            clock=self._clock,
            quarantine=self._quarantine,
            broken=self._tell_broken,
            changed=self._changed.set,
            started=self._starting.put_nowait,
        )


def _nobody(plan: str, step: str, replica: int, event: str, reason: str) -> None:
    """Nobody starts replicas here."""
