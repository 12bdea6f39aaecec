"""Who is let in: password, take-over, session, and the words of welcome."""

import asyncio
from collections.abc import Callable
from typing import Final

from fog_node.ingest.connection import Connection
from fog_node.ingest.listener.auth import Users
from fog_node.ingest.listener.conversation import Close, Conversation
from fog_node.ingest.listener.packets import Connect, Welcome
from fog_node.ingest.listener.settings import ListenerSettings
from fog_node.ingest.listener.wills import Wills
from fog_node.ingest.packets import Reason
from fog_node.ingest.rebuild import LARGEST_WINDOW
from fog_node.ingest.session import Sessions
from fogline.model.clock import Clock

HASHES_AT_ONCE: Final = 2
"""Passwords checked at the same time: a flood of logins must not take the machine's cores from the data."""


Device = Connection[Conversation]


class Admission:
    """Lets devices in, one connection a client id."""

    def __init__(
        self,
        settings: ListenerSettings,
        *,
        sessions: Sessions,
        wills: Wills,
        clock: Clock,
        entropy: Callable[[int], bytes],
    ) -> None:
        self._settings: Final = settings
        self.users: Users | None = None
        """Who may come in; None: everybody."""
        self._sessions: Final = sessions
        self._wills: Final = wills
        self._clock: Final = clock
        self._entropy: Final = entropy
        self._present: Final[dict[str, Device]] = {}
        self._hashing: Final = asyncio.Semaphore(HASHES_AT_ONCE)

    async def admit(self, connection: Device, connect: Connect) -> Close | None:
        """Welcome the device; or what to tell a device that must stay out."""
        conversation = connection.conversation
        if not await self._knows(connect):
            return conversation.refuse(Reason.BAD_USER_OR_PASSWORD)
        client = connect.client or f"auto-{self._entropy(8).hex()}"
        await self._take_over(client, connection)
        await self._wills.returned(client, clean=connect.clean)
        five = conversation.codec.version == 5
        session, present = self._sessions.enter(
            client,
            clean=connect.clean,
            window=self._settings.receive_maximum if five else LARGEST_WINDOW,
            now_us=self._clock.now_us(),
        )
        welcome = Welcome(
            session_present=present,
            receive_maximum=self._settings.receive_maximum,
            max_packet_bytes=self._settings.max_packet_bytes,
            assigned_client=None if connect.client else client,
            keep_alive_s=self._shorter_keep_alive(connect) if five else None,
            session_expiry_s=self._shorter_expiry(connect) if five else None,
        )
        connection.write(conversation.admit(connect, session, welcome, client=client))
        return None

    def depart(self, connection: Device) -> None:
        """The connection is over; its session goes on as long as the device wanted."""
        conversation = connection.conversation
        if self._present.get(conversation.client) is connection:
            del self._present[conversation.client]
        if conversation.session is not None:
            self._sessions.leave(
                conversation.session, expiry_s=conversation.session_expiry_s, now_us=self._clock.now_us()
            )

    async def _knows(self, connect: Connect) -> bool:
        users = self.users
        if users is None:
            return True
        async with self._hashing:
            return await asyncio.to_thread(users.admits, connect.user, connect.password)

    async def _take_over(self, client: str, connection: Device) -> None:
        """End the client's older connection, and wait: what it has in hand must be remembered before the
        new one speaks.
        """
        while (older := self._present.get(client)) is not None:
            older.stop(Reason.SESSION_TAKEN_OVER.name.lower())
            await older.finished.wait()
            # An older one that was never let in leaves no other trace.
            if self._present.get(client) is older:
                del self._present[client]
        self._present[client] = connection

    def _shorter_keep_alive(self, connect: Connect) -> int | None:
        most = self._settings.max_keep_alive_s
        return most if connect.keep_alive_s == 0 or connect.keep_alive_s > most else None

    def _shorter_expiry(self, connect: Connect) -> int | None:
        most = self._settings.session_keep_s
        return most if connect.session_expiry_s > most else None
