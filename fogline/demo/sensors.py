"""This machine's own sensors: processor, memory, disk, network, and temperatures where there are any."""

import re
import time
from collections.abc import Callable, Iterator
from typing import Final

import psutil

_UNFIT: Final = re.compile(r"[^\w.-]")
"""Not in a level of a topic; chips have names with blanks."""
_MIB: Final = 1024.0 * 1024.0
_TEMPERATURE_EVERY: Final = 1.0
"""Seconds between two looks at the temperatures: the drivers answer slowly."""


class Sensors:
    """Reads every sensor of the machine. The first reading of a rate is 0."""

    def __init__(self, *, monotonic: Callable[[], float] = time.monotonic) -> None:
        self._monotonic: Final = monotonic
        self._rates: Final[dict[str, tuple[float, float]]] = {}
        self._temperatures_at = float("-inf")
        self._has_temperatures: Final = bool(_temperatures())

    def read(self) -> Iterator[tuple[str, float]]:
        """Yield the name and value of each sensor now.

        Percent for ``cpu`` and ``memory``; the kernel's ``load``; MiB/s for ``disk-*`` and ``net-*``; °C.
        """
        yield "cpu", psutil.cpu_percent()
        yield "memory", psutil.virtual_memory().percent
        yield "load", psutil.getloadavg()[0]
        if disk := psutil.disk_io_counters():
            yield "disk-read", self._rate("disk-read", disk.read_bytes)
            yield "disk-write", self._rate("disk-write", disk.write_bytes)
        if net := psutil.net_io_counters():
            yield "net-in", self._rate("net-in", net.bytes_recv)
            yield "net-out", self._rate("net-out", net.bytes_sent)
        now = self._monotonic()
        if self._has_temperatures and now - self._temperatures_at >= _TEMPERATURE_EVERY:
            self._temperatures_at = now
            yield from _temperatures()

    def _rate(self, name: str, total: int) -> float:
        now, mib = self._monotonic(), total / _MIB
        then, before = self._rates.get(name, (now, mib))
        self._rates[name] = (now, mib)
        return round(max(0.0, mib - before) / (now - then), 6) if now > then else 0.0


def _temperatures() -> list[tuple[str, float]]:
    return [
        (f"temperature-{_UNFIT.sub('-', chip)}-{number}", sensor.current)
        for chip, sensors in psutil.sensors_temperatures().items()
        for number, sensor in enumerate(sensors)
    ]
