"""Gives out assignments for the group, also while the cloud is away."""

import asyncio
from collections.abc import Callable, Sequence
from contextlib import suppress
from pathlib import Path
from typing import Final

import structlog

from aggregator.assigning import Decision, Member, decide
from fogline.control.assignments import Given, read_given, write_given
from fogline.control.desired import Desired
from fogline.control.keys import Disbelieved
from fogline.control.newest import Newest
from fogline.model.errors import DataLoss
from fogline.v1 import control_pb2

LOOK_EVERY_S: Final = 1.0

Sign = Callable[[bytes], control_pb2.SignedAssignments]
"""Vouches for serialised assignments."""

_log: structlog.stdlib.BoundLogger = structlog.get_logger(__name__)


def unsigned(content: bytes) -> control_pb2.SignedAssignments:
    """For an aggregator without an identity: nobody vouches."""
    return control_pb2.SignedAssignments(content=content)


class Assigner:
    """Decides anew when desired state or the group has changed. What was given out is on disk before it is told."""

    def __init__(
        self,
        path: Path,
        *,
        aggregator: str,
        desired: Desired,
        members: Callable[[], Sequence[Member]],
        sign: Sign = unsigned,
    ) -> None:
        """``members``: the nodes that are attached now."""
        self._path: Final = path
        self._aggregator: Final = aggregator
        self._desired: Final = desired
        self._members: Final = members
        self._sign: Final = sign
        self._changed: Final = asyncio.Event()
        self.newest: Final[Newest[control_pb2.SignedAssignments]] = Newest()
        """What the group is told."""
        self.fault = ""
        """Why the newest decision could not be given out; empty if it was."""
        self._before = self._reread()

    def _reread(self) -> Decision | None:
        try:
            given = read_given(self._path)
        except (DataLoss, Disbelieved) as error:
            # Members say which sequence they have seen: what comes next is higher.
            _log.error("kept assignments are lost", error=error)
            return None
        if given is None:
            return None
        self.newest.set(given.signed)
        return Decision(
            generation=given.place.generation,
            term=given.place.term,
            sequence=given.place.sequence,
            entries=tuple(given.content.assignments),
        )

    def changed(self) -> None:
        """Desired state or the group may have changed: look now."""
        self._changed.set()

    async def run(self) -> None:
        """Assign until cancelled."""
        while True:
            self._changed.clear()
            await self.look()
            with suppress(TimeoutError):
                async with asyncio.timeout(LOOK_EVERY_S):
                    await self._changed.wait()

    async def look(self) -> None:
        """Decide once."""
        state = self._desired.state
        if state is None:
            return
        decision = decide(self._before, state, self._aggregator, self._members())
        if decision is None:
            return
        content = control_pb2.Assignments(
            aggregator=self._aggregator,
            generation=decision.generation,
            term=decision.term,
            sequence=decision.sequence,
            assignments=decision.entries,
        )
        signed = self._sign(content.SerializeToString(deterministic=True))
        try:
            await asyncio.to_thread(write_given, self._path, Given(content=content, signed=signed))
        except OSError as error:
            # What is told and then forgotten would be told again with other content; nodes keep what they run.
            self.fault = f"assignments cannot be kept, so none are given out: {error}"
            _log.error("assignments not kept", error=error)
            return
        self.fault = ""
        self._before = decision
        self.newest.set(signed)
        _log.info(
            "assigned",
            sequence=decision.sequence,
            generation=decision.generation,
            entries=len(decision.entries),
        )
