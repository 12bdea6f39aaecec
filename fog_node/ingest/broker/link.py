"""One broker: dialled, read from, and dialled again, until the node stops.

The cores decide (``conversation``, ``asking``, ``deliveries``); this shell connects, waits, appends and writes.
"""

import asyncio
import ssl
from dataclasses import dataclass, replace
from pathlib import Path
from random import Random
from typing import Final

import structlog

from fog_node.ingest.appending import append_shares
from fog_node.ingest.broker import codec
from fog_node.ingest.broker.address import FOR_EVER, Address, sender
from fog_node.ingest.broker.asking import Asking
from fog_node.ingest.broker.conversation import Action, Close, Conversation, Dropped, Take
from fog_node.ingest.broker.drops import heard
from fog_node.ingest.broker.gathering import Gathering
from fog_node.ingest.broker.kept import KeptBroker
from fog_node.ingest.broker.packets import Pong, Subscribed, Unsubscribed, Welcome
from fog_node.ingest.broker.pings import Pings
from fog_node.ingest.broker.settings import BrokerSettings
from fog_node.ingest.broker.standing import BrokerStanding, Tally
from fog_node.ingest.broker.subscriptions import SubscribedRouter, difference
from fog_node.ingest.broker.warnings import warnings_of
from fog_node.ingest.connection import READ_BYTES, Connection, Hand
from fog_node.ingest.deliveries import Deliveries
from fog_node.ingest.packet_v5 import AnswersV5
from fog_node.ingest.ports import Appender
from fog_node.ingest.rebuild import LARGEST_REACH
from fog_node.ingest.session import Session, Sessions
from fog_node.journal import JournalClosed
from fogline.model.clock import Clock
from fogline.uplink.backoff import Backoff

GRACE: Final = 1.5
"""A broker is given up when it was silent for this many keep-alive times; the standard's factor."""
REMEMBERED: Final = 52_000
"""Newest messages that a redelivery can reach back to by its packet id, whatever ``receive_max`` is; less than the
65,535 after which packet ids come round. Beyond it the order of the journal tells what is repeated: mosquitto 2.0.11
sends as many messages again from its queue for every PUBACK.
"""
FLUSH_S: Final = 2.0
TICK_S: Final = 1.0
STOPPING: Final = "stopping"
SILENT: Final = "silent"

LOG: Final = structlog.get_logger("fogline.broker")


@dataclass(frozen=True, slots=True, kw_only=True)
class Surroundings:
    """What every link of a node shares."""

    journal: Appender
    clock: Clock
    rng: Random
    sessions: Sessions


class Link:
    """One broker's link."""

    def __init__(
        self,
        settings: BrokerSettings,
        address: Address,
        *,
        client_id: str,
        router: SubscribedRouter,
        kept: KeptBroker,
        around: Surroundings,
    ) -> None:
        self._settings: Final = settings
        self._address: Final = address
        self._client_id: Final = client_id
        self._router: Final = router
        self._kept: Final = kept
        self._around: Final = around
        self._name: Final = sender(client_id, address)
        self._backoff: Final = Backoff(base=settings.retry_base, cap=settings.retry_cap)
        self._answers: Final = AnswersV5()
        self._tally: Final = Tally()
        self._connection: Connection[Conversation] | None = None
        self._session: Session | None = None
        self._asking: Asking | None = None
        self._welcome: Welcome | None = None
        self._fault = "not connected yet"
        self._met = False
        self._pings: Final = Pings(around.clock.monotonic())
        self._stopping = False
        self._wake: Final = asyncio.Event()
        self._changed: Final = asyncio.Event()

    def standing(self) -> BrokerStanding:
        """How the node stands with this broker."""
        tally, asking, drops = self._tally, self._asking, self._kept.state.drops
        return BrokerStanding(
            url=self._address.url,
            identity=self._address.identity,
            client_id=self._client_id,
            share=self._settings.share,
            connected=self._welcome is not None,
            fault=self._fault or (asking.fault() if asking else ""),
            warnings=self._warnings(),
            subscriptions=tuple(sorted(asking.granted)) if asking and self._welcome else (),
            messages=tally.messages,
            unrouted=tally.unrouted,
            reconnects=tally.reconnects,
            sessions_lost=tally.sessions_lost,
            ended=dict(tally.ended),
            dropped=drops.total,
            dropped_known=drops.last is not None,
        )

    def _warnings(self) -> tuple[str, ...]:
        if self._welcome is None or self._asking is None:
            return ()
        return warnings_of(
            self._welcome,
            session_expiry_s=self._expiry_s,
            filters=self._router.filters(),
            at_most_once=self._asking.at_most_once(),
        )

    @property
    def _expiry_s(self) -> int:
        return min(FOR_EVER, round(self._settings.session_expiry))

    def changed(self) -> None:
        """The streams may have changed: what is subscribed to follows."""
        self._changed.set()

    def stop(self) -> None:
        """Finish what is in hand, say goodbye, and be done. The broker queues from there on."""
        self._stopping = True
        self._wake.set()
        if self._connection is not None:
            self._connection.stop(STOPPING)

    async def run(self) -> None:
        """Read from the broker until :meth:`stop`."""
        async with asyncio.TaskGroup() as group:
            tasks = [
                group.create_task(self._keep_alive(), name="keep a broker's connection alive"),
                group.create_task(self._follow(), name="follow the streams"),
            ]
            try:
                await self._again_and_again()
            finally:
                for task in tasks:
                    task.cancel()

    async def _again_and_again(self) -> None:
        attempt = 0
        self._session, _ = self._enter(clean=False)
        while True:
            began = self._around.clock.monotonic()
            fault = await self._once()
            welcomed, self._welcome = self._welcome is not None, None
            if self._stopping:
                return
            self._note(fault)
            lasted = self._around.clock.monotonic() - began
            attempt = 0 if welcomed and lasted >= self._settings.settled_after else attempt
            await self._pause(self._backoff.delay(attempt, self._around.rng))
            if self._wake.is_set():
                return
            attempt += 1

    async def _pause(self, delay_s: float) -> None:
        try:
            async with asyncio.timeout(delay_s):
                await self._wake.wait()
        except TimeoutError:
            pass

    def _note(self, fault: str) -> None:
        if fault != self._fault:
            # A change is worth a line; each try is not.
            LOG.warning("broker", url=self._address.url, fault=fault)
        self._fault = fault

    def _enter(self, *, clean: bool) -> tuple[Session, bool]:
        return self._around.sessions.enter(
            self._name,
            clean=clean,
            window=REMEMBERED,
            reach=LARGEST_REACH,
            now_us=self._around.clock.now_us(),
        )

    async def _once(self) -> str:
        """One connection from dialling to its end; why it ended, in words."""
        conversation = Conversation(router=self._router, max_packet_bytes=self._settings.max_packet)
        hand = Hand(READ_BYTES + self._settings.max_packet, Gathering(self._settings.gather))
        connection = Connection(conversation, hand, self._around.clock.monotonic)
        try:
            async with asyncio.timeout(self._settings.connect_within) as limit:
                await self._dial(connection)
                return await self._serve(connection, limit)
        except TimeoutError:
            return self._ended("timeout", f"no answer within {self._settings.connect_within:g} s")
        except ssl.SSLError as fault:
            return self._ended("tls", f"TLS failed: {fault.reason or fault}")
        except OSError as fault:
            return self._ended("unreachable", f"cannot be reached: {fault.strerror or fault}")
        except JournalClosed:
            return self._ended("journal_closed", "the journal is closed")
        # The edge to a stranger: a fault that it finds in us ends the connection, not the node.
        except Exception as fault:
            LOG.exception("a broker's connection failed", url=self._address.url)
            return self._ended("internal_error", f"internal error: {type(fault).__name__}")
        finally:
            connection.release()
            self._connection = None
            await connection.close(FLUSH_S)

    def _ended(self, reason: str, words: str) -> str:
        self._tally.ended[reason] += 1
        return words

    async def _dial(self, connection: Connection[Conversation]) -> None:
        settings, address = self._settings, self._address
        context = await asyncio.to_thread(tls_of, settings) if address.tls else None
        await asyncio.get_running_loop().create_connection(
            lambda: connection,
            address.host,
            address.port,
            ssl=context,
            server_hostname=address.host if context else None,
        )
        connection.write(
            codec.connect(
                client=self._client_id,
                user=address.user,
                password=address.password,
                keep_alive_s=round(settings.keep_alive),
                session_expiry_s=self._expiry_s,
                receive_max=settings.receive_max,
                max_packet_bytes=settings.max_packet,
            )
        )
        self._connection = connection
        if self._stopping:
            connection.stop(STOPPING)

    async def _serve(self, connection: Connection[Conversation], limit: asyncio.Timeout) -> str:
        conversation = connection.conversation
        while await connection.news():
            while (action := conversation.next()) is not None:
                if isinstance(action, Close):
                    connection.write(action.data)
                    return self._ended(action.reason, action.detail)
                if isinstance(action, Welcome):
                    if self._settings.share and not action.shared:
                        connection.write(codec.goodbye())
                        return self._ended(
                            "no_sharing", "the broker has no shared subscriptions, and share is set"
                        )
                    limit.reschedule(None)
                await self._perform(connection, action)
                if connection.stop_reason is not None:
                    break
            connection.settle()
            if connection.lost:
                return self._ended("lost", "the connection broke")
            if connection.stop_reason is None:
                connection.resume()
        if connection.stop_reason == SILENT:
            return self._ended(SILENT, "the broker was silent for too long")
        connection.write(codec.goodbye())
        return ""

    async def _perform(self, connection: Connection[Conversation], action: Action) -> None:
        match action:
            case Take():
                await self._take(connection, action)
            case Welcome():
                await self._welcomed(connection, action)
            case Dropped():
                state = self._kept.state
                self._kept.state = replace(state, drops=heard(state.drops, action.count))
                await self._save()
            case Subscribed():
                if self._asking is not None:
                    self._asking.subscribed(action)
            case Unsubscribed():
                await self._unsubscribed(action)
            case Pong():
                assert self._session is not None
                self._pings.answered(self._session)
            case Close():
                pass

    async def _take(self, connection: Connection[Conversation], take: Take) -> None:
        assert self._session is not None
        batch = Deliveries(
            take.published,
            session=self._session,
            sessions=self._around.sessions,
            client=self._name,
            codec=self._answers,
            now_us=self._around.clock.now_us(),
            retained_is_old=True,
        )
        self._tally.messages += len(batch)
        answer = batch.settled(await append_shares(self._around.journal, batch.shares))
        self._tally.unrouted += answer.unrouted
        connection.write(answer.data)
        await connection.drained()

    async def _welcomed(self, connection: Connection[Conversation], welcome: Welcome) -> None:
        self._welcome, self._fault = welcome, ""
        self._tally.reconnects += self._met
        self._met = True
        self._asking = Asking(identifiers=welcome.identifiers)
        held = self._kept.state.subscriptions
        if not welcome.session_present:
            if self._kept.state.session:
                self._tally.sessions_lost += 1
                LOG.warning("the broker has lost the session", url=self._address.url)
            held = ()
        # What the broker had under a lost session's packet ids says nothing about those of the new one.
        self._session, _ = self._enter(clean=not welcome.session_present)
        self._pings.connected()
        LOG.info("broker connected", url=self._address.url, session=welcome.session_present)
        await self._ask(connection, self._asking, held, again=True)

    async def _follow(self) -> None:
        while True:
            await self._changed.wait()
            self._changed.clear()
            if self._asking is not None and self._welcome is not None and self._connection is not None:
                held = self._kept.state.subscriptions
                await self._ask(self._connection, self._asking, held, again=False)

    async def _ask(
        self, connection: Connection[Conversation], asking: Asking, held: tuple[str, ...], *, again: bool
    ) -> None:
        """Ask for what is wanted, give up what is not. ``again``: also ask for what the session should hold."""
        filters = self._router.filters()
        change = difference(filters, held)
        # Written down first: a subscription that nobody remembers could never be ended.
        self._kept.state = replace(
            self._kept.state, session=True, subscriptions=tuple(sorted(filters.union(held)))
        )
        await self._save()
        wanted = tuple(sorted(filters)) if again else change.wanted
        asked = asking.subscribe(wanted) + asking.unsubscribe(change.unwanted)
        connection.write((asking.subscribe_drops() if again else b"") + asked)

    async def _unsubscribed(self, answer: Unsubscribed) -> None:
        ended = self._asking.unsubscribed(answer) if self._asking else None
        if ended is not None and ended not in self._router.filters():
            left = tuple(text for text in self._kept.state.subscriptions if text != ended)
            self._kept.state = replace(self._kept.state, subscriptions=left)
            await self._save()

    async def _save(self) -> None:
        try:
            await self._kept.save()
        except OSError as fault:
            LOG.warning("what is known of the broker cannot be kept", error=str(fault))

    async def _keep_alive(self) -> None:
        clock = self._around.clock
        while True:
            await clock.sleep(min(TICK_S, self._settings.keep_alive / 4))
            connection, welcome, session = self._connection, self._welcome, self._session
            if connection is None or welcome is None or session is None:
                continue
            keep_alive_s = self._settings.keep_alive if welcome.keep_alive_s is None else welcome.keep_alive_s
            now = clock.monotonic()
            if self._pings.due(now, keep_alive_s=keep_alive_s, session=session):
                connection.write(codec.PINGREQ_PACKET)
                self._pings.sent(now, session)
            if keep_alive_s and connection.reading and now - connection.heard_at > keep_alive_s * GRACE:
                connection.stop(SILENT)


def tls_of(settings: BrokerSettings) -> ssl.SSLContext:
    """How the broker is recognised, and who the node is to it. Raises OSError or ssl.SSLError; blocks."""
    context = ssl.create_default_context(ssl.Purpose.SERVER_AUTH, cafile=_text(settings.ca))
    context.minimum_version = ssl.TLSVersion.TLSv1_2
    if settings.certificate is not None:
        context.load_cert_chain(settings.certificate, settings.key)
    return context


def _text(path: Path | None) -> str | None:
    return None if path is None else str(path)
