"""Who may join and whose keys were taken back: read from the store, signed for aggregators."""

import asyncio
from collections.abc import Callable
from contextlib import suppress
from typing import Final

import structlog

from cloud.store.admissions import Admissions, Standing
from cloud.store.kept import Machine
from fogline.identity.admission import AdmissionList
from fogline.identity.authority import Authority
from fogline.identity.keys import sign
from fogline.model.clock import Clock
from fogline.model.errors import StoreBusy
from fogline.v1 import enrol_pb2

LOOK_EVERY_S: Final = 2.0
"""How often the store is asked whether another process has changed something."""

_log: structlog.stdlib.BoundLogger = structlog.get_logger(__name__)


class AdmissionBoard:
    """Follows the store; tells open streams when a key was taken back."""

    def __init__(self, admissions: Admissions, authority: Authority, clock: Clock) -> None:
        self._admissions: Final = admissions
        self._authority: Final = authority
        self._clock: Final = clock
        self._version = 0
        self._taken_back: frozenset[Machine] = frozenset()
        self._moved: Final = asyncio.Event()
        self.list: Final = AdmissionList()
        """What aggregators are told."""

    def revoked(self, key: str) -> bool:
        """Whether a key was taken back."""
        return self.list.revoked(key)

    def taken_back(self, machine: Machine) -> bool:
        """Whether whatever ever joined under the machine's name was revoked."""
        return machine in self._taken_back

    def changed(self) -> None:
        """Something was changed by this process: look now."""
        self._moved.set()

    async def run(self, ended: Callable[[], None]) -> None:
        """Follow the store until cancelled; ``ended`` is told when keys were taken back."""
        while True:
            before = self.list.keys
            try:
                await self.refresh()
            except StoreBusy as error:
                _log.warning("revocations wait for the store", error=error)
            if self.list.keys != before:
                ended()
            with suppress(TimeoutError):
                async with asyncio.timeout(LOOK_EVERY_S):
                    await self._moved.wait()
            self._moved.clear()

    async def refresh(self) -> None:
        """Take up what the store says now."""
        if await self._admissions.version() == self._version:
            return
        standing = await self._admissions.standing(self._clock.now_us())
        self._version = standing.version
        self._taken_back = standing.taken_back
        self.list.offer(self._signed(standing))

    def _signed(self, standing: Standing) -> enrol_pb2.SignedAdmission:
        content = enrol_pb2.Admission(
            version=standing.version,
            tokens=[
                enrol_pb2.OpenToken(
                    hash=token.hash,
                    tenant=token.subject.tenant,
                    role=token.subject.role,
                    name=token.subject.name,
                    expires_us=token.expires_us,
                )
                for token in standing.open
            ],
            revoked=sorted(standing.revoked),
        ).SerializeToString(deterministic=True)
        return enrol_pb2.SignedAdmission(content=content, signature=sign(self._authority.key, content))
