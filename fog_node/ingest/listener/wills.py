"""Wills: the last message of a device that vanished, journaled like any other."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

from fog_node.ingest.listener.counts import Tally
from fog_node.ingest.listener.packets import Will
from fog_node.ingest.ports import Appender
from fog_node.ingest.topics import Router
from fog_node.journal import JournalClosed, JournalFull
from fog_node.messages import RETAIN_FLAG, WILL_FLAG, Messages
from fogline.model.clock import Clock


@dataclass(frozen=True, slots=True, kw_only=True)
class _Waiting:
    """A will whose delay has not passed."""

    due: float
    will: Will


class Wills:
    """Journals wills when they are due. Those that wait live in memory: they end with the process."""

    def __init__(self, *, router: Router, journal: Appender, clock: Clock, tally: Tally) -> None:
        self._router: Final = router
        self._journal: Final = journal
        self._clock: Final = clock
        self._tally: Final = tally
        self._waiting: dict[str, _Waiting] = {}

    async def vanished(self, client: str, will: Will, session_expiry_s: int) -> None:
        """The connection ended without a goodbye. A will waits for its delay, but not beyond its session."""
        delay = min(will.delay_s, session_expiry_s)
        if delay:
            self._waiting[client] = _Waiting(due=self._clock.monotonic() + delay, will=will)
        else:
            await self._publish(client, will)

    async def returned(self, client: str, *, clean: bool) -> None:
        """The device is back: its will is void, unless the device also ends the session that held it."""
        waiting = self._waiting.pop(client, None)
        if waiting is not None and clean:
            await self._publish(client, waiting.will)

    async def due(self) -> None:
        """Journal the wills whose delay has passed."""
        now = self._clock.monotonic()
        ripe: Sequence[str] = [client for client, waiting in self._waiting.items() if waiting.due <= now]
        for client in ripe:
            await self._publish(client, self._waiting.pop(client).will)

    async def _publish(self, client: str, will: Will) -> None:
        streams = self._router.route(will.topic)
        if not streams:
            self._tally.undelivered_wills += 1
        for stream in streams:
            messages = Messages(
                arrival_us=self._clock.now_us(),
                client=client,
                topics=[will.topic],
                topic_codes=[0],
                payloads=[will.payload],
                packet_ids=[0],
                flags=bytes([will.qos | WILL_FLAG | (RETAIN_FLAG if will.retain else 0)]),
            )
            try:
                await self._journal.append(stream, messages)
            except (JournalFull, JournalClosed):
                self._tally.undelivered_wills += 1
