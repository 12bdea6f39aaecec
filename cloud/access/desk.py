"""Knows callers by their API tokens. All are in memory: whoever shows a wrong one costs the store nothing."""

import asyncio
import hmac
from collections import Counter
from contextlib import suppress
from typing import Final

import structlog

from cloud.store.access import ApiTokenRow, ApiTokens
from fogline.access.token import ApiToken, parse_api_token
from fogline.model.caller import Caller
from fogline.model.clock import SECOND, Clock, to_rfc3339
from fogline.model.errors import (
    FogError,
    InvalidInput,
    StoreBusy,
    TokenExpired,
    TokenMissing,
    TokenRevoked,
    TokenUnknown,
    TooManyAttempts,
    Unauthenticated,
)
from fogline.service.throttle import Throttle

ROLE: Final = "token"
"""What a caller is who shows one."""
LOOK_EVERY_S: Final = 2.0
"""How often the store is asked whether another process has made or closed a token."""
LOOK_AGAIN_US: Final = SECOND // 2
"""For a token that is not known the store is asked at most so often, for all callers together."""
NOTE_EVERY_US: Final = 60 * SECOND
"""How often it is told which tokens were shown."""

_log: structlog.stdlib.BoundLogger = structlog.get_logger(__name__)


class Desk:
    """One process's list of tokens; every door asks it."""

    def __init__(self, tokens: ApiTokens, clock: Clock, *, throttle: Throttle | None = None) -> None:
        self._tokens: Final = tokens
        self._clock: Final = clock
        self._throttle: Final = throttle or Throttle()
        self._rows: dict[str, ApiTokenRow] = {}
        self._version = -1
        self._looked_us = 0
        self._noted_us = clock.now_us()
        self._used: dict[str, int] = {}
        self._turn: Final = asyncio.Lock()
        self._hurry: Final = asyncio.Event()
        self._moved = asyncio.Event()
        self.refused: Final[Counter[tuple[str, str]]] = Counter()
        """Calls that were not let in, by door and code of the error."""

    @property
    def addresses(self) -> int:
        """Addresses that are remembered for their failures."""
        return len(self._throttle)

    async def caller(self, text: str, *, door: str, address: str) -> Caller:
        """Who shows this token. Raises an :class:`Unauthenticated`, or :class:`TooManyAttempts` instead of it.

        ``door`` and ``address``: where it was shown, and from where.
        """
        try:
            return await self._known(text)
        except Unauthenticated as error:
            self.refused[door, error.code] += 1
            if self._throttle.failed(address, self._clock.now_us()):
                raise TooManyAttempts(f"too many calls from {address} without a token that holds") from error
            raise

    async def ended(self, caller: Caller) -> FogError:
        """Return why, once the token of a caller holds no longer."""
        while True:
            moved, now_us = self._moved, self._clock.now_us()
            row = self._rows.get(caller.key)
            try:
                check_holds(row, caller.key, now_us)
            except Unauthenticated as error:
                return error
            assert row is not None
            left = None if row.expires_us is None else (row.expires_us - now_us) / SECOND
            with suppress(TimeoutError):
                async with asyncio.timeout(left):
                    await moved.wait()

    def changed(self) -> None:
        """This process has made or closed a token: look now."""
        self._hurry.set()

    async def run(self) -> None:
        """Follow the store until cancelled; at the end it is told what was used."""
        try:
            while True:
                try:
                    await self.refresh()
                    if self._clock.now_us() - self._noted_us >= NOTE_EVERY_US:
                        await self.note()
                except StoreBusy as error:
                    _log.warning("API tokens wait for the store", error=error)
                with suppress(TimeoutError):
                    async with asyncio.timeout(LOOK_EVERY_S):
                        await self._hurry.wait()
                self._hurry.clear()
        finally:
            with suppress(FogError):
                await self.note()

    async def refresh(self) -> None:
        """Take up what the store says now. Raises :class:`StoreBusy`."""
        async with self._turn:
            self._looked_us = self._clock.now_us()
            if await self._tokens.version() == self._version:
                return
            self._version, rows = await self._tokens.all()
            self._rows = {row.id: row for row in rows}
            moved, self._moved = self._moved, asyncio.Event()
            moved.set()

    async def note(self) -> None:
        """Tell the store which tokens were shown. Raises :class:`StoreBusy`; then they are told later."""
        used, self._used, self._noted_us = self._used, {}, self._clock.now_us()
        try:
            await self._tokens.note_used(used)
        except StoreBusy:
            self._used = {**used, **self._used}
            raise

    async def _known(self, text: str) -> Caller:
        if not text:
            raise TokenMissing("no API token was shown")
        try:
            token = parse_api_token(text)
        except InvalidInput as error:
            raise TokenUnknown(error.message, hint=error.hint) from None
        row = self._row(token)
        if row is None and self._clock.now_us() - self._looked_us >= LOOK_AGAIN_US:
            await self.refresh()
            row = self._row(token)
        now_us = self._clock.now_us()
        row = check_holds(row, token.id, now_us)
        self._used[row.id] = now_us
        return Caller(tenant=row.tenant, rights=row.rights, role=ROLE, name=row.name, key=row.id)

    def _row(self, token: ApiToken) -> ApiTokenRow | None:
        row = self._rows.get(token.id)
        return row if row is not None and hmac.compare_digest(row.hash, token.hash) else None


def check_holds(row: ApiTokenRow | None, name: str, now_us: int) -> ApiTokenRow:
    """Raise an :class:`Unauthenticated` unless the token opens something now."""
    if row is None:
        raise TokenUnknown(f"there is no API token {name}")
    if row.revoked_us is not None:
        raise TokenRevoked(f"API token {row.id} ({row.name}) was taken back {to_rfc3339(row.revoked_us)}")
    if row.expires_us is not None and now_us >= row.expires_us:
        raise TokenExpired(f"API token {row.id} ({row.name}) ended {to_rfc3339(row.expires_us)}")
    return row
