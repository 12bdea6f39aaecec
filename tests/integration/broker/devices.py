"""Devices of a real mosquitto, which a node reads from."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

import aiomqtt

from fogline.testing.mosquitto import Mosquitto
from tests.integration.broker.conftest import PATIENCE_S

AIR = "site/z1/air"


@asynccontextmanager
async def device(broker: Mosquitto, **given: object) -> AsyncIterator[aiomqtt.Client]:
    arguments = {"hostname": "127.0.0.1", "port": broker.port, "timeout": PATIENCE_S, **given}
    async with aiomqtt.Client(**arguments) as client:  # type: ignore[arg-type]  # the tests' own keywords
        yield client


def quick(folder: Path, *extra: str, **given: tuple[str, ...]) -> Mosquitto:
    """A broker that does not write after every change, for tests in which nothing happens to it."""
    return Mosquitto(folder / "m", "autosave_on_changes false", "autosave_interval 1800", *extra, **given)


def texts(first: int, end: int) -> list[bytes]:
    return [str(number).encode() for number in range(first, end)]


async def publish(client: aiomqtt.Client, payloads: list[bytes], *, topic: str = AIR, qos: int = 1) -> None:
    for payload in payloads:
        await client.publish(topic, payload, qos=qos)
