"""The other end of systemd's protocol is a datagram socket of the test."""

import os
import socket
from collections.abc import Iterator
from pathlib import Path

import pytest

from fogline.service.notify import ALIVE, READY, alive_every_s, say


@pytest.fixture
def heard(tmp_path: Path) -> Iterator[socket.socket]:
    with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as listening:
        listening.bind(str(tmp_path / "notify"))
        listening.settimeout(30)
        yield listening


def test_what_is_said_is_heard_with_its_sentence(heard: socket.socket) -> None:
    environment = {"NOTIFY_SOCKET": heard.getsockname()}
    say(READY, "listens on 127.0.0.1:7070", environment)
    say(ALIVE, environment=environment)
    assert heard.recv(1000) == b"READY=1\nSTATUS=listens on 127.0.0.1:7070"
    assert heard.recv(1000) == b"WATCHDOG=1"


def test_a_name_without_a_file_is_a_socket_too() -> None:
    name = f"fogline-test-{os.getpid()}"
    with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as listening:
        listening.bind(f"\0{name}")
        listening.settimeout(30)
        say(READY, environment={"NOTIFY_SOCKET": f"@{name}"})
        assert listening.recv(1000) == b"READY=1"


@pytest.mark.parametrize("address", ["", "relative", "/nowhere/at/all"])
def test_nobody_who_listens_is_no_fault(address: str) -> None:
    say(READY, environment={"NOTIFY_SOCKET": address})


@pytest.mark.parametrize(
    ("environment", "every"),
    [
        ({}, None),
        ({"WATCHDOG_USEC": "60000000"}, 30.0),
        ({"WATCHDOG_USEC": "60000000", "WATCHDOG_PID": str(os.getpid())}, 30.0),
        ({"WATCHDOG_USEC": "60000000", "WATCHDOG_PID": "1"}, None),
        ({"WATCHDOG_USEC": "0"}, None),
        ({"WATCHDOG_USEC": "soon"}, None),
    ],
)
def test_twice_as_often_as_wanted_and_only_by_the_process_that_is_meant(
    environment: dict[str, str], every: float | None
) -> None:
    assert alive_every_s(environment) == every
