"""The node's own MQTT listener: publish only, MQTT 5 and 3.1.1, acknowledged when the message is on disk.

The cores decide (``conversation``, ``deliveries``, ``session``); this shell accepts, waits, appends and
writes.
"""

import asyncio
import ipaddress
import socket
import ssl
from collections.abc import Callable
from contextlib import AsyncExitStack
from pathlib import Path
from types import TracebackType
from typing import Final, Self

import structlog

from fog_node.ingest.appending import append_shares
from fog_node.ingest.connection import Connection, Hand, Pace
from fog_node.ingest.deliveries import Deliveries
from fog_node.ingest.listener.admission import Admission, Device
from fog_node.ingest.listener.auth import Users
from fog_node.ingest.listener.conversation import Action, Close, Conversation, Greet, Send, Take
from fog_node.ingest.listener.counts import ListenerCounts, Tally
from fog_node.ingest.listener.settings import ListenerSettings
from fog_node.ingest.listener.wills import Wills
from fog_node.ingest.packets import Reason
from fog_node.ingest.ports import Appender
from fog_node.ingest.session import Sessions
from fog_node.ingest.topics import Router
from fog_node.journal import JournalClosed
from fogline.model.clock import Clock
from fogline.model.errors import InvalidInput

TICK_S: Final = 1.0
"""How often silent, stalled and expired things are looked for."""
STALLED_S: Final = 60.0
"""A device that reads no acknowledgements for so long is given up."""
FLUSH_S: Final = 2.0
BACKLOG: Final = 1024
ACCEPT_PAUSE_S: Final = 0.2
"""After the system refused a new socket (too many open files) the next try waits for so long."""

LOG: Final = structlog.get_logger("fogline.listener")


class Listener:
    """The listener, as a context manager: inside it devices are served; leaving it waits for what is in
    hand.
    """

    def __init__(
        self,
        settings: ListenerSettings,
        *,
        router: Router,
        journal: Appender,
        clock: Clock,
        entropy: Callable[[int], bytes],
        sessions: Sessions,
    ) -> None:
        """``sessions``: what is remembered of devices, from the journal."""
        self._settings: Final = settings
        self._router: Final = router
        self._journal: Final = journal
        self._clock: Final = clock
        self._sessions: Final = sessions
        self._tally: Final = Tally()
        self._hand: Final = Hand(settings.bytes_in_hand, Pace(settings.gather_s))
        self._wills: Final = Wills(router=router, journal=journal, clock=clock, tally=self._tally)
        self._connections: set[Device] = set()
        self._serving: set[asyncio.Task[None]] = set()
        self._stack: Final = AsyncExitStack()
        self._tasks: Final = asyncio.TaskGroup()
        self._background: list[asyncio.Task[None]] = []
        self._stopping = False
        self._port = 0
        self._admission: Final = Admission(
            settings, sessions=self._sessions, wills=self._wills, clock=clock, entropy=entropy
        )
        self._tls: ssl.SSLContext | None = None

    @property
    def port(self) -> int:
        """The TCP port; known inside the context. 0: nothing listens."""
        return self._port

    def counts(self) -> ListenerCounts:
        """How the listener stands."""
        tally = self._tally
        return ListenerCounts(
            connections=len(self._connections),
            handshakes=self._handshakes(),
            sessions=len(self._sessions),
            bytes_in_hand=self._hand.held,
            admitted=tally.admitted,
            refused=dict(tally.refused),
            ended=dict(tally.ended),
            messages=tally.messages,
            unrouted=tally.unrouted,
            undelivered_wills=tally.undelivered_wills,
        )

    async def __aenter__(self) -> Self:
        settings = self._settings
        if not settings.enabled:
            return self
        if settings.users is not None:
            self._admission.users = await asyncio.to_thread(Users.read, settings.users)
        if settings.certificate is not None:
            self._tls = await asyncio.to_thread(_tls, settings.certificate, settings.key)
        server = self._stack.enter_context(_bound(settings))
        self._port = server.getsockname()[1]
        await self._stack.enter_async_context(self._tasks)
        self._background = [
            self._tasks.create_task(self._accept(server), name="accept devices"),
            self._tasks.create_task(self._watch(), name="watch devices"),
        ]
        LOG.info(
            "listening",
            host=settings.host,
            port=self._port,
            tls=self._tls is not None,
            sessions=len(self._sessions),
        )
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._stopping = True
        for task in self._background:
            task.cancel()
        for connection in self._connections:
            connection.stop(Reason.SERVER_SHUTTING_DOWN.name.lower())
        if self._serving:
            # What waits for a full journal is given up: unacknowledged, it stays with its device.
            _, waiting = await asyncio.wait(self._serving, timeout=self._settings.shutdown_s)
            for task in waiting:
                task.cancel()
        await self._stack.__aexit__(kind, error, trace)

    def _handshakes(self) -> int:
        return sum(1 for connection in self._connections if not connection.conversation.client)

    async def _accept(self, server: socket.socket) -> None:
        loop = asyncio.get_running_loop()
        while True:
            try:
                device, _ = await loop.sock_accept(server)
            except OSError as fault:
                self._tally.refused["no_socket"] += 1
                LOG.warning("cannot accept", error=fault)
                await self._clock.sleep(ACCEPT_PAUSE_S)
                continue
            if refusal := self._full():
                self._tally.refused[refusal] += 1
                device.close()
                continue
            conversation = Conversation(
                router=self._router,
                max_packet_bytes=self._settings.max_packet_bytes,
                receive_maximum=self._settings.receive_maximum,
            )
            connection = Connection(conversation, self._hand, self._clock.monotonic)
            self._connections.add(connection)
            task = self._tasks.create_task(self._host(connection, device), name="serve a device")
            self._serving.add(task)
            task.add_done_callback(self._serving.discard)

    def _full(self) -> str:
        if len(self._connections) >= self._settings.most_connections:
            return "too_many_connections"
        # Counting is only needed when there could be so many.
        most = self._settings.most_handshakes
        if len(self._connections) >= most and self._handshakes() >= most:
            return "too_many_handshakes"
        return ""

    async def _host(self, connection: Device, device: socket.socket) -> None:
        try:
            async with asyncio.timeout(self._settings.handshake_s) as limit:
                if await self._shake_hands(connection, device):
                    await self._serve(connection, limit)
        except TimeoutError:
            self._tally.refused["handshake_timeout"] += 1
        # The edge to strangers: a fault that one of them finds in us ends that connection, not the node.
        except Exception:
            self._tally.ended["internal_error"] += 1
            LOG.exception("a connection failed", client=connection.conversation.client)
        finally:
            await self._part(connection)

    async def _shake_hands(self, connection: Device, device: socket.socket) -> bool:
        """Set up the socket, and TLS if there is any; whether the device could do that."""
        try:
            await asyncio.get_running_loop().connect_accepted_socket(
                lambda: connection,
                device,
                ssl=self._tls,
                ssl_handshake_timeout=self._settings.handshake_s if self._tls else None,
            )
        except OSError:
            self._tally.refused["handshake_failed"] += 1
            device.close()
            return False
        return True

    async def _part(self, connection: Device) -> None:
        """The end of a connection, whatever ended it: will, session, memory, socket; in this order."""
        conversation = connection.conversation
        connection.release()
        self._admission.depart(connection)
        connection.finished.set()
        try:
            if conversation.will is not None and not self._stopping:
                await self._wills.vanished(
                    conversation.client, conversation.will, conversation.session_expiry_s
                )
            await connection.close(FLUSH_S)
        finally:
            self._connections.discard(connection)

    async def _serve(self, connection: Device, limit: asyncio.Timeout) -> None:
        conversation = connection.conversation
        while await connection.news():
            while (action := conversation.next()) is not None:
                if not await self._perform(connection, action, limit):
                    return
                await connection.drained()
                if connection.stop_reason is not None:
                    break
            connection.settle()
            if connection.lost:
                return
            if connection.stop_reason is None:
                connection.resume()
        self._close(connection, self._stopped(connection))

    def _stopped(self, connection: Device) -> Close:
        reason = Reason[(connection.stop_reason or "unspecified").upper()]
        if connection.conversation.client:
            return connection.conversation.end(reason)
        return connection.conversation.refuse(Reason.SERVER_UNAVAILABLE)

    async def _perform(self, connection: Device, action: Action, limit: asyncio.Timeout) -> bool:
        match action:
            case Take():
                return await self._take(connection, action)
            case Send():
                connection.write(action.data)
                return True
            case Greet():
                refusal = await self._admission.admit(connection, action.connect)
                if refusal is None:
                    limit.reschedule(None)
                    self._tally.admitted += 1
                    return True
                self._close(connection, refusal)
                return False
            case Close():
                self._close(connection, action)
                return False

    def _close(self, connection: Device, close: Close) -> None:
        conversation = connection.conversation
        connection.write(close.data)
        if not close.reason:
            return
        counter = self._tally.ended if conversation.client else self._tally.refused
        counter[close.reason] += 1
        if counter[close.reason] == 1:
            # The first of its kind is worth a line; the others are counted.
            LOG.warning(
                "connection ended", reason=close.reason, detail=close.detail, client=conversation.client
            )

    async def _take(self, connection: Device, take: Take) -> bool:
        conversation = connection.conversation
        assert conversation.session is not None
        batch = Deliveries(
            take.published,
            session=conversation.session,
            sessions=self._sessions,
            client=conversation.client,
            codec=conversation.codec,
            now_us=self._clock.now_us(),
        )
        self._tally.messages += len(batch)
        try:
            refused = await append_shares(self._journal, batch.shares)
        except JournalClosed:
            self._close(connection, conversation.end(Reason.SERVER_SHUTTING_DOWN))
            return False
        answer = batch.settled(refused)
        self._tally.unrouted += answer.unrouted
        connection.write(answer.data)
        if answer.refused and conversation.codec.version != 5:
            # 3.1.1 cannot refuse a message. Unacknowledged, it stays with the device, which sends it again.
            self._close(connection, conversation.end(Reason.QUOTA_EXCEEDED))
            return False
        return True

    async def _watch(self) -> None:
        while True:
            await self._clock.sleep(TICK_S)
            now = self._clock.monotonic()
            for connection in self._connections:
                silence_s = connection.conversation.silence_s
                if connection.reading and silence_s is not None and now - connection.heard_at > silence_s:
                    connection.stop(Reason.KEEP_ALIVE_TIMEOUT.name.lower())
                elif connection.stalled_at is not None and now - connection.stalled_at > STALLED_S:
                    connection.stop(Reason.UNSPECIFIED.name.lower())
            if self._hand.stuck:
                holder = max(self._connections, key=lambda connection: connection.in_hand)
                holder.stop(Reason.QUOTA_EXCEEDED.name.lower())
            await self._wills.due()
            self._sessions.expire(self._clock.now_us())


def _bound(settings: ListenerSettings) -> socket.socket:
    """The listening socket. Raises :class:`InvalidInput` when the address is taken or wrong, or would be
    open to all.
    """
    if settings.certificate is None and not settings.insecure and not _is_loopback(settings.host):
        raise InvalidInput(
            f"{settings.host} can be reached by other machines, and there is no TLS",
            hint="set certificate and key, or insecure if the network is trusted",
        )
    family = socket.AF_INET6 if ":" in settings.host else socket.AF_INET
    try:
        server = socket.create_server((settings.host, settings.port), family=family, backlog=BACKLOG)
    except OSError as fault:
        raise InvalidInput(
            f"cannot listen on {settings.host}:{settings.port}: {fault.strerror}",
            hint="another program may hold the port; 0 takes a free one",
        ) from fault
    server.setblocking(False)
    return server


def _is_loopback(host: str) -> bool:
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return host == "localhost"


def _tls(certificate: Path, key: Path | None) -> ssl.SSLContext:
    context = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
    context.minimum_version = ssl.TLSVersion.TLSv1_2
    try:
        context.load_cert_chain(certificate, key)
    except (OSError, ssl.SSLError) as fault:
        raise InvalidInput(f"cannot use {certificate} for TLS: {fault}") from fault
    return context
