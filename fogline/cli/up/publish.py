"""Publishes the machine's sensors over MQTT, each sensor to one of the nodes."""

import json
import platform
import re
import zlib
from collections.abc import Iterator, Sequence
from contextlib import ExitStack, contextmanager
from typing import Final

from paho.mqtt.client import Client

from fogline.cli.mqtt import close_client, make_client
from fogline.demo.sensors import Sensors
from fogline.model.clock import Clock, SystemClock

HERTZ: Final = 10
_WAITING: Final = 1_000
"""Readings that wait for a node that is away; when it is longer away, new ones are dropped."""


async def publish_sensors(listeners: Sequence[str]) -> None:
    """Publish ten readings a second of each sensor until cancelled. A listener may come and go.

    What was not acknowledged when a node died is sent again under its packet id, so the node takes it once.
    """
    with ExitStack() as stack:
        clients = [stack.enter_context(_connected(listener)) for listener in listeners]
        await _sample(clients, SystemClock())


async def _sample(clients: Sequence[Client], clock: Clock) -> None:
    sensors = Sensors()
    host = re.sub(r"[^\w.-]", "-", platform.node()) or "machine"
    due = clock.monotonic()
    while True:
        for name, value in sensors.read():
            client = clients[zlib.crc32(name.encode()) % len(clients)]
            payload = json.dumps({"ts": clock.now_us() // 1000, "value": value})
            client.publish(f"machine/{host}/{name}", payload, qos=1)
        # Behind after a suspended machine: goes on from now instead of catching up.
        due = max(due + 1.0 / HERTZ, clock.monotonic() - 1.0)
        await clock.sleep(max(0.0, due - clock.monotonic()))


@contextmanager
def _connected(listener: str) -> Iterator[Client]:
    client = make_client(listener, purpose="sensors", queued=_WAITING)
    client.loop_start()
    try:
        yield client
    finally:
        close_client(client)
