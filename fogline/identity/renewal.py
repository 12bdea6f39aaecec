"""Renewing an identity in time, and after its end: when is a pure decision, asking is handed in."""

import asyncio
from collections.abc import Awaitable, Callable, Sequence
from pathlib import Path
from random import Random
from typing import Final

import structlog

from fogline.identity.folder import write_identity
from fogline.identity.holder import Holder
from fogline.identity.identity import Identity
from fogline.model.clock import DAY, Clock, to_rfc3339
from fogline.model.errors import FogError

LOOK_EVERY_S: Final = 60.0
"""How often the clock is compared with the certificate: it may jump."""
FIRST_PAUSE_S: Final = 30.0
LONGEST_PAUSE_S: Final = 3600.0
LIFE_US: Final = 90 * DAY
"""What holds longer is renewed as often: so that most of its life is left when parents go away for long."""
JITTER: Final = 0.1
"""Share of a certificate's life over which renewals are spread."""

Ask = Callable[[Identity], Awaitable[Identity]]

_log: structlog.stdlib.BoundLogger = structlog.get_logger(__name__)


def is_due(identity: Identity, now_us: int, share: float) -> bool:
    """Whether to renew: half of the life is over. ``share``, 0 to 1, spreads those that were issued together.

    A clock before the issue is one that was never set: nothing is due by it.
    """
    life = min(identity.until_us - identity.issued_us, LIFE_US)
    return now_us >= identity.issued_us + int(life * (0.5 + JITTER * share))


def pause_after(failures: int, share: float) -> float:
    """Seconds until the next try: doubles, with full jitter, up to an hour."""
    return max(1.0, min(LONGEST_PAUSE_S, FIRST_PAUSE_S * 2.0 ** min(failures, 16)) * share)


def asking(holder: Holder, parents: Sequence[str], clock: Clock) -> Ask:
    """Ask the parents, and where the machine joined."""

    async def ask(identity: Identity) -> Identity:
        # Imported here: cryptography costs 10 MiB, which a node pays when it renews and not before.
        from fogline.identity.joining import renew  # noqa: PLC0415

        return await renew(identity, parents=parents, dial=holder.dial, now_us=clock.now_us())

    return ask


class Renewing:
    """Keeps an identity fresh for as long as :meth:`run` runs."""

    def __init__(self, holder: Holder, folder: Path, *, ask: Ask, clock: Clock, rng: Random) -> None:
        """``ask`` gets a fresh identity for the same keys, or raises :class:`FogError`."""
        self._holder: Final = holder
        self._folder: Final = folder
        self._ask: Final = ask
        self._clock: Final = clock
        self._rng: Final = rng
        self.fault = ""
        """Why the identity could not be renewed; empty: it could, or was not due."""

    async def run(self) -> None:
        """Renew, again and again, until cancelled."""
        share, failures = self._rng.random(), 0
        while True:
            identity = self._holder.identity
            if not is_due(identity, self._clock.now_us(), share):
                failures = 0
                await self._clock.sleep(LOOK_EVERY_S)
            elif await self._renewed(identity):
                share = self._rng.random()
            else:
                await self._clock.sleep(pause_after(failures, self._rng.random()))
                failures += 1

    async def _renewed(self, identity: Identity) -> bool:
        try:
            fresh = await self._ask(identity)
            await asyncio.to_thread(write_identity, self._folder, fresh)
        except (FogError, OSError) as error:
            until = to_rfc3339(identity.until_us)
            self.fault = f"the certificate ends at {until} and could not be renewed: {error}"
            _log.warning("certificate not renewed", until=until, error=error)
            return False
        self.fault = ""
        self._holder.replace(fresh)
        _log.info("certificate renewed", serial=fresh.serial, until=to_rfc3339(fresh.until_us))
        return True
