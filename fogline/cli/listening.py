"""Live messages of an MQTT server, one after the other."""

import time
from collections.abc import Iterator
from queue import Empty, Full, Queue
from types import TracebackType
from typing import Final, Self

from paho.mqtt.client import Client, ConnectFlags, MQTTMessage
from paho.mqtt.properties import Properties
from paho.mqtt.reasoncodes import ReasonCode
from paho.mqtt.subscribeoptions import SubscribeOptions

from fogline.cli.access import NOTHING, Access
from fogline.cli.infer.heard import Message
from fogline.cli.mqtt import close_client, make_client, why_not_connected
from fogline.client.errors import Unreachable
from fogline.model.clock import SystemClock
from fogline.model.errors import FogError, NotAllowed

CONNECT_WITHIN: Final = 10.0
ROOM: Final = 10_000
"""Messages that wait to be looked at; further ones are dropped and counted."""
_GLANCE: Final = 0.25


class Listener:
    """A subscription at QoS 0, as a context manager. What is retained comes first, as the server sends it."""

    def __init__(self, url: str, topic: str, access: Access = NOTHING) -> None:
        """Raise :class:`fogline.model.errors.InvalidInput` for a URL that names no server."""
        self._url: Final = url.rpartition("@")[2]
        self._topic: Final = topic
        self._clock: Final = SystemClock()
        self._heard: Final[Queue[Message]] = Queue(ROOM)
        self._failed: FogError | None = None
        self._listens = False
        self.dropped = 0
        self._client: Final = make_client(url, purpose="tap", access=access)
        self._client.on_connect = self._on_connect
        self._client.on_connect_fail = self._on_connect_fail
        self._client.on_subscribe = self._on_subscribe
        self._client.on_message = self._on_message

    def __enter__(self) -> Self:
        self._client.loop_start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        close_client(self._client)

    def messages(self, *, within: float | None) -> Iterator[Message]:
        """Yield messages for so many seconds from the subscription on; ``None``: for ever.

        Raises :class:`Unreachable` if nobody answers at the address, :class:`NotAllowed` if the server refuses.
        A connection that breaks later is made again.
        """
        began = time.monotonic()
        while not self._listens:
            self._raise_failure()
            if time.monotonic() - began > CONNECT_WITHIN:
                raise self._unreachable("it does not answer")
            time.sleep(0.01)
        began = time.monotonic()
        while within is None or time.monotonic() - began < within:
            self._raise_failure()
            try:
                yield self._heard.get(timeout=_GLANCE if within is None else min(_GLANCE, within))
            except Empty:
                continue

    def _raise_failure(self) -> None:
        if self._failed is not None:
            raise self._failed

    def _unreachable(self, why: str) -> Unreachable:
        return Unreachable(f"{self._url}: {why}", hint="is a broker there, and does it let you in?")

    def _on_connect(
        self,
        client: Client,
        _data: object,
        _flags: ConnectFlags,
        code: ReasonCode,
        _properties: Properties | None,
    ) -> None:
        if code.is_failure:
            self._failed = NotAllowed(f"{self._url} says {code}", hint="write mqtt://USER:PASSWORD@HOST:PORT")
            return
        client.subscribe(self._topic, options=SubscribeOptions(qos=0))

    def _on_connect_fail(self, _client: Client, _data: object) -> None:
        if not self._listens:
            self._failed = self._unreachable(why_not_connected())

    def _on_subscribe(
        self,
        _client: Client,
        _data: object,
        _id: int,
        codes: list[ReasonCode],
        _properties: Properties | None,
    ) -> None:
        if refused := [code for code in codes if code.is_failure]:
            hint = "Fogline's own listener only takes messages in; listen to a broker"
            self._failed = NotAllowed(f"{self._url} refuses {self._topic!r}: {refused[0]}", hint=hint)
        self._listens = True

    def _on_message(self, _client: Client, _data: object, message: MQTTMessage) -> None:
        heard = Message(
            topic=message.topic,
            payload=bytes(message.payload),
            arrival_us=self._clock.now_us(),
            qos=message.qos,
            retain=message.retain,
        )
        try:
            self._heard.put_nowait(heard)
        except Full:
            self.dropped += 1
