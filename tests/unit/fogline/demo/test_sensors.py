from itertools import count
from math import isfinite
from typing import NamedTuple

import psutil
import pytest

from fogline.demo.sensors import Sensors


class Disk(NamedTuple):
    read_bytes: int
    write_bytes: int


class Chip(NamedTuple):
    current: float


def test_every_sensor_of_this_machine_has_a_name_for_a_topic_and_a_number() -> None:
    readings = dict(Sensors().read())

    assert {"cpu", "memory", "load"} <= readings.keys()
    assert all(name and not set(name) & set("/+# ") for name in readings)
    assert all(isfinite(value) for value in readings.values())


def test_a_rate_is_mebibytes_a_second_and_0_at_first(monkeypatch: pytest.MonkeyPatch) -> None:
    totals = iter([Disk(0, 0), Disk(4 * 2**20, 0), Disk(4 * 2**20, 2**20)])
    monkeypatch.setattr(psutil, "disk_io_counters", lambda: next(totals))
    now = iter(n / 4 for n in count())  # each look at the clock is a quarter of a second after the former
    sensors = Sensors(monotonic=lambda: next(now))

    first, second, third = (dict(sensors.read()) for _ in range(3))
    assert (first["disk-read"], first["disk-write"]) == (0.0, 0.0)
    assert second["disk-read"] > 0.0
    assert (second["disk-write"], third["disk-read"]) == (0.0, 0.0)
    assert third["disk-write"] > 0.0


def test_a_machine_without_disk_or_network_counters_has_no_such_sensors(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(psutil, "disk_io_counters", lambda: None)
    monkeypatch.setattr(psutil, "net_io_counters", lambda: None)

    assert not any(name.startswith(("disk", "net")) for name, _ in Sensors().read())


def test_temperatures_are_read_once_a_second(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(psutil, "sensors_temperatures", lambda: {"cpu chip": [Chip(50.0), Chip(51.0)]})
    now = iter(n / 20 for n in count())
    sensors = Sensors(monotonic=lambda: next(now))

    found = [dict(sensors.read()) for _ in range(20)]
    warm = [readings for readings in found if "temperature-cpu-chip-1" in readings]
    assert warm[0]["temperature-cpu-chip-0"] == 50.0
    assert 1 < len(warm) < 10
