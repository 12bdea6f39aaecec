"""A listener or broker that rows are published to at QoS 1, each acknowledgement waited for."""

import threading
import time
from collections.abc import Callable
from typing import Final

from paho.mqtt.client import Client, ConnectFlags
from paho.mqtt.properties import Properties
from paho.mqtt.reasoncodes import ReasonCode

from fogline.cli.access import NOTHING, Access
from fogline.cli.mqtt import close_client, make_client, why_not_connected
from fogline.cli.passwords import without_password
from fogline.client.errors import Unreachable

_WINDOW: Final = 500
"""Messages that may wait for their acknowledgement at a time, at most."""
_PATIENCE: Final = 60.0
"""Seconds without any acknowledgement after which the target is given up."""


class Target:
    """One MQTT server. A row that was not acknowledged when the connection broke is sent again."""

    def __init__(self, url: str, access: Access = NOTHING) -> None:
        self.url: Final = without_password(url)
        self.acknowledged = 0
        self.refused: Final[dict[str, int]] = {}
        self._connected: Final = threading.Event()
        self._room: Final = threading.Condition()
        self._waiting = 0
        self._window = _WINDOW
        self._why = "it cannot be reached"
        self._client: Final = make_client(url, purpose="replay", access=access, inflight=_WINDOW)
        self._client.on_connect = self._on_connect
        self._client.on_connect_fail = self._on_connect_fail
        self._client.on_publish = self._on_publish

    def connect(self, *, within: float = 10.0) -> None:
        """Connect. Raises :class:`Unreachable`."""
        self._client.loop_start()
        if not self._connected.wait(within):
            raise self._gone()

    def publish(self, topic: str, payload: bytes) -> None:
        """Hand a message over; waits while too many are not acknowledged. Raises :class:`Unreachable`."""
        self._wait(lambda: self._waiting < self._window)
        with self._room:
            self._waiting += 1
        self._client.publish(topic, payload, qos=1)

    def finish(self) -> None:
        """Wait until everything is acknowledged. Raises :class:`Unreachable`."""
        self._wait(lambda: self._waiting == 0)

    def close(self) -> None:
        """End the connection and the session."""
        close_client(self._client)

    def _wait(self, done: Callable[[], bool]) -> None:
        with self._room:
            seen, since = self.acknowledged, time.monotonic()
            while not done():
                self._room.wait(1.0)
                if self.acknowledged != seen:
                    seen, since = self.acknowledged, time.monotonic()
                elif time.monotonic() - since > _PATIENCE:
                    raise self._gone()

    def _gone(self) -> Unreachable:
        hint = "is a listener or broker there, and does it let you in?"
        return Unreachable(f"{self.url}: {self._why}", hint=hint)

    def _on_connect(
        self,
        _client: Client,
        _data: object,
        _flags: ConnectFlags,
        code: ReasonCode,
        properties: Properties | None,
    ) -> None:
        if code.is_failure:
            self._why = f"it says {code}"
            return
        limit = getattr(properties, "ReceiveMaximum", _WINDOW)
        with self._room:
            self._window = min(_WINDOW, limit)
            self._why = "it does not answer"
        self._connected.set()

    def _on_connect_fail(self, _client: Client, _data: object) -> None:
        with self._room:
            self._why = why_not_connected()

    def _on_publish(
        self, _client: Client, _data: object, _id: int, code: ReasonCode, _properties: Properties
    ) -> None:
        with self._room:
            self._waiting -= 1
            self.acknowledged += 1
            if code.is_failure:
                reason = str(code)
                self.refused[reason] = self.refused.get(reason, 0) + 1
            self._room.notify_all()
