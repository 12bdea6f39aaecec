"""Publishes the machine's sensors over MQTT, each sensor to one of the nodes."""

import asyncio
import json
import platform
import re
import zlib
from collections.abc import Sequence
from typing import Final
from urllib.parse import urlsplit

import aiomqtt

from fogline.demo.sensors import Sensors
from fogline.model.clock import Clock, SystemClock

HERTZ: Final = 10
_RECONNECT_AFTER: Final = 0.5
_WAITING: Final = 600
"""Readings that wait for a node that is away; when it is longer away, the oldest are dropped."""

Message = tuple[str, bytes]


async def publish_sensors(listeners: Sequence[str]) -> None:
    """Publish ten readings a second of each sensor until cancelled. A listener may come and go."""
    queues = [asyncio.Queue[Message](_WAITING) for _ in listeners]
    async with asyncio.TaskGroup() as group:
        group.create_task(_sample(queues, SystemClock()), name="read sensors")
        for listener, queue in zip(listeners, queues, strict=True):
            group.create_task(_publish(listener, queue), name=f"publish to {listener}")


async def _sample(queues: Sequence[asyncio.Queue[Message]], clock: Clock) -> None:
    sensors = Sensors()
    host = re.sub(r"[^\w.-]", "-", platform.node()) or "machine"
    loop = asyncio.get_running_loop()
    due = loop.time()
    while True:
        for name, value in sensors.read():
            queue = queues[zlib.crc32(name.encode()) % len(queues)]
            if queue.full():
                queue.get_nowait()
            payload = json.dumps({"ts": clock.now_us() // 1000, "value": value})
            queue.put_nowait((f"machine/{host}/{name}", payload.encode()))
        # Behind after a suspended machine: goes on from now instead of catching up.
        due = max(due + 1.0 / HERTZ, loop.time() - 1.0)
        await asyncio.sleep(max(0.0, due - loop.time()))


async def _publish(listener: str, queue: asyncio.Queue[Message]) -> None:
    address = urlsplit(listener)
    message: Message | None = None
    while True:
        try:
            async with aiomqtt.Client(str(address.hostname), address.port or 1883) as client:
                while True:
                    message = message or await queue.get()
                    await client.publish(*message, qos=1)
                    message = None
        except aiomqtt.MqttError:
            # The node is being started again. The message in hand is sent once more: its reading may then be
            # counted twice, as after any publisher's repeat without an identity.
            await asyncio.sleep(_RECONNECT_AFTER)
