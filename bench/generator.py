"""Load for a listener: QoS 1 messages of ~70 bytes JSON over many connections, each counted when its PUBACK
comes.

    python -m bench.generator --port 1883 --connections 20 --in-flight 4000 --seconds 60

Half of the connections speak MQTT 5, half 3.1.1. Messages are encoded a chunk at a time from prepared
frames, so that one process can say more than a listener can hear. 64 sensors in 8 zones publish under
``greenhouse/z{0-7}/s{00-63}/air``; every sensor counts its messages in ``seq``, so a checker can tell a lost
one and a double one. A connection that breaks comes back and repeats what was not acknowledged, with the DUP
flag. The output is a line ``connected`` and then a JSON object in one line.
"""

import argparse
import json
import random
import selectors
import socket
import sys
import time
from collections import deque
from dataclasses import asdict, dataclass
from typing import Final

import numpy as np
import numpy.typing as npt

from bench.frames import CHUNK, FIRST_SEQ, IDS, Frames, connect_packet

SENSORS: Final = 64
DUP: Final = 0x08
SLICE: Final = 256 * 1024
RETRY_S: Final = 0.05


@dataclass(frozen=True, slots=True, kw_only=True)
class Settings:
    """What to send, and where to."""

    host: str
    port: int
    connections: int
    in_flight: int
    """Unacknowledged messages of one connection."""
    seconds: float
    """0: until ``messages`` are acknowledged."""
    messages: int
    """Messages of all connections together, in whole chunks; 0: as many as ``seconds`` allow."""
    rate: float
    """Messages a second of all connections together; 0: as fast as they are acknowledged."""
    reconnect: bool
    drain_s: float
    seed: int
    prefix: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Report:
    """What was measured."""

    connections: int
    in_flight: int
    began_s: float
    """By the machine's monotonic clock."""
    seconds: float
    sent: int
    acknowledged: int
    repeated: int
    """Frames that were sent again with the DUP flag."""
    reconnects: int
    per_second: float
    bytes_per_message: float
    cpu_s: float
    latency_p50_ms: float
    """From writing the last frame of a chunk to its PUBACK."""
    latency_p99_ms: float
    last_seq: dict[str, int]
    """Sensor to the last ``seq`` that was acknowledged; every one from 10,000,000 up to it was."""


class Pending:
    """A chunk that is being sent, or waits for its acknowledgements."""

    __slots__ = ("data", "first", "sent_at", "starts")

    def __init__(self, first: int, data: bytes, starts: npt.NDArray[np.int64]) -> None:
        self.first, self.data, self.starts, self.sent_at = first, data, starts, 0.0


class Device:
    """One connection. Messages are numbered from 0; message n has packet id n % 65535 + 1."""

    def __init__(self, index: int, settings: Settings) -> None:
        count = settings.connections
        self.version = 5 if index % 2 == 0 else 4
        self.sensors = [s for s in range(SENSORS) if s % count == index] or [index % SENSORS]
        rng = random.Random(settings.seed * 1000 + index)
        self.frames = Frames(version=self.version, sensors=self.sensors, prefix=settings.prefix, rng=rng)
        self.settings = settings
        self.client = f"{settings.prefix}-{settings.seed}-{index}"
        self.waiting: deque[Pending] = deque()
        self.encoded = self.acknowledged = self.sent = self.repeated = self.reconnects = 0
        self.current = 0
        """Index in ``waiting`` of the chunk that is being written."""
        self.offset = 0
        """Bytes of it that are written."""
        self.replies = b""
        self.admitted = False
        self.latencies: list[float] = []
        self.socket: socket.socket | None = None

    def open(self) -> bool:
        """Connect and greet; False when nobody listens."""
        try:
            self.socket = socket.create_connection((self.settings.host, self.settings.port), timeout=5)
            self.socket.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
            self.socket.sendall(connect_packet(self.client, self.version))
        except OSError:
            return False
        self.socket.setblocking(False)
        self.replies, self.admitted = b"", False
        self._rewind()
        return True

    def _rewind(self) -> None:
        """What is not acknowledged goes out again, with the DUP flag as far as it had been written."""
        for pending in self.waiting:
            octets = np.frombuffer(pending.data, np.uint8).copy()
            seen = max(0, min(CHUNK, self.sent - pending.first))
            octets[pending.starts[:seen]] |= DUP
            pending.data = octets.tobytes()
        self.repeated += self.sent - self.acknowledged
        self.current = self.offset = 0
        if self.waiting:
            first = self.waiting[0]
            self.offset = int(first.starts[self.acknowledged - first.first])

    def room(self, allowed: int) -> bool:
        """Whether another chunk may be encoded."""
        return self.encoded + CHUNK - self.acknowledged <= self.settings.in_flight and allowed >= CHUNK

    def encode(self) -> None:
        """Add a chunk of new messages."""
        data = self.frames.chunk(self.encoded, time.time_ns() // 1_000_000)
        self.waiting.append(Pending(self.encoded, data, self.frames.starts))
        self.encoded += CHUNK

    def write(self) -> None:
        """Write as much as the socket takes."""
        assert self.socket is not None
        while self.current < len(self.waiting):
            pending = self.waiting[self.current]
            self.offset += self.socket.send(memoryview(pending.data)[self.offset :])
            # A frame of which a part went out counts as sent: who repeats it must say so.
            begun = int(np.searchsorted(pending.starts, self.offset, "left"))
            self.sent = max(self.sent, pending.first + min(begun, CHUNK))
            if self.offset < len(pending.data):
                return
            pending.sent_at = time.monotonic()
            self.current, self.offset = self.current + 1, 0

    def read(self) -> None:
        """Take PUBACKs. Raises ConnectionResetError when the listener closed."""
        assert self.socket is not None
        data = self.socket.recv(SLICE)
        if not data:
            raise ConnectionResetError
        self.replies += data
        if not self.admitted:
            if len(self.replies) < 2 or len(self.replies) < 2 + self.replies[1]:
                return
            if self.replies[0] != 0x20 or self.replies[3] != 0:
                raise SystemExit(f"{self.client} was not let in: {self.replies[:16].hex()}")
            self.replies = self.replies[2 + self.replies[1] :]
            self.admitted = True
        self._count()

    def _count(self) -> None:
        count = len(self.replies) // 4
        acks = np.frombuffer(self.replies, np.uint8, count * 4).reshape(count, 4)
        ids = acks[:, 2].astype(np.int64) << 8 | acks[:, 3]
        expected = (self.acknowledged + np.arange(count)) % IDS + 1
        if not ((acks[:, 0] == 0x40) & (acks[:, 1] == 2) & (ids == expected)).all():
            raise SystemExit(f"{self.client}: not the PUBACKs that were expected: {self.replies[:32].hex()}")
        self.replies = self.replies[count * 4 :]
        self.acknowledged += count
        now = time.monotonic()
        while self.waiting and self.waiting[0].first + CHUNK <= self.acknowledged:
            pending = self.waiting.popleft()
            self.current -= 1
            self.latencies.append(now - pending.sent_at)

    def last_seqs(self) -> dict[str, int]:
        """Sensor to the last sequence number of which all up to it are acknowledged; 9,999,999 before the
        first.
        """
        rest = self.acknowledged % CHUNK
        before = FIRST_SEQ - 1 + self.frames.turns(self.acknowledged)
        turns = -(-CHUNK // len(self.sensors))
        last = {}
        for place, sensor in enumerate(self.sensors):
            # A sensor at the end of the row has one message less in a chunk; its next chunk skips a number.
            full = len(range(place, CHUNK, len(self.sensors)))
            done = len(range(place, rest, len(self.sensors)))
            short = turns - full if not done and self.acknowledged >= CHUNK else 0
            last[f"s{sensor:02}"] = before + done - short
        return last


class Generator:
    """All connections in one loop over a selector."""

    def __init__(self, settings: Settings) -> None:
        self._settings = settings
        self._devices = [Device(index, settings) for index in range(settings.connections)]
        self._selector = selectors.DefaultSelector()
        self._away: dict[Device, float] = {}
        self._stop = False

    def run(self) -> Report:
        """Send until time or messages are used up, then wait for what is not acknowledged."""
        for device in self._devices:
            if device.open():
                self._register(device)
            elif self._settings.reconnect:
                self._away[device] = time.monotonic() + RETRY_S
            else:
                raise SystemExit(f"nobody listens on {self._settings.host}:{self._settings.port}")
        sys.stdout.write("connected\n")
        sys.stdout.flush()
        began, cpu = time.monotonic(), time.process_time()
        ends = began + self._settings.seconds if self._settings.seconds else float("inf")
        while (now := time.monotonic()) < ends and not self._complete():
            self._turn(now - began)
        seconds = time.monotonic() - began
        acknowledged = sum(device.acknowledged for device in self._devices)
        spent = time.process_time() - cpu
        self._stop = True
        deadline = time.monotonic() + self._settings.drain_s
        while time.monotonic() < deadline and any(d.acknowledged < d.encoded for d in self._devices):
            self._turn(0.0)
        return self._report(began, seconds, acknowledged, spent)

    def _complete(self) -> bool:
        most = self._settings.messages
        return bool(most) and sum(device.acknowledged for device in self._devices) >= most

    def _register(self, device: Device) -> None:
        assert device.socket is not None
        self._selector.register(device.socket, selectors.EVENT_READ, device)

    def _allowed(self, elapsed: float) -> int:
        encoded = sum(device.encoded for device in self._devices)
        limits = [2**62]
        if self._settings.rate:
            limits.append(int(elapsed * self._settings.rate) - encoded)
        if self._settings.messages:
            limits.append(self._settings.messages - encoded + CHUNK - 1)
        return min(limits)

    def _turn(self, elapsed: float) -> None:
        allowed = 0 if self._stop else self._allowed(elapsed)
        # Whoever sent least goes first: with a rate, a chunk is not always the same connection's.
        for device in sorted(self._devices, key=lambda d: d.encoded):
            while device.admitted and device.room(allowed):
                device.encode()
                allowed -= CHUNK
                if self._settings.rate:
                    break
            self._want(device)
        for key, events in self._selector.select(0.002):
            self._serve(key.data, events)
        self._return()

    def _want(self, device: Device) -> None:
        if device.socket is None:
            return
        events = selectors.EVENT_READ
        if device.admitted and device.current < len(device.waiting):
            events |= selectors.EVENT_WRITE
        if self._selector.get_key(device.socket).events != events:
            self._selector.modify(device.socket, events, device)

    def _serve(self, device: Device, events: int) -> None:
        try:
            if events & selectors.EVENT_READ:
                device.read()
            if events & selectors.EVENT_WRITE:
                device.write()
        except BlockingIOError:
            return
        except OSError as fault:
            if not self._settings.reconnect:
                raise SystemExit(f"{device.client}: connection lost: {fault}") from fault
            assert device.socket is not None
            self._selector.unregister(device.socket)
            device.socket.close()
            device.socket, device.admitted = None, False
            self._away[device] = time.monotonic() + RETRY_S

    def _return(self) -> None:
        now = time.monotonic()
        for device in [device for device, due in self._away.items() if due <= now]:
            if device.open():
                device.reconnects += 1
                del self._away[device]
                self._register(device)
            else:
                self._away[device] = now + RETRY_S

    def _report(self, began: float, seconds: float, acknowledged: int, cpu: float) -> Report:
        latencies = np.array([value for device in self._devices for value in device.latencies] or [0.0])
        p50, p99 = np.percentile(latencies, [50, 99]) * 1000
        size = float(np.mean([device.frames.starts[-1] / CHUNK for device in self._devices]))
        return Report(
            connections=len(self._devices),
            in_flight=self._settings.in_flight,
            began_s=began,
            seconds=round(seconds, 3),
            sent=sum(device.sent for device in self._devices),
            acknowledged=sum(device.acknowledged for device in self._devices),
            repeated=sum(device.repeated for device in self._devices),
            reconnects=sum(device.reconnects for device in self._devices),
            per_second=round(acknowledged / seconds, 1),
            bytes_per_message=round(size, 1),
            cpu_s=round(cpu, 3),
            latency_p50_ms=round(float(p50), 2),
            latency_p99_ms=round(float(p99), 2),
            last_seq={name: seq for device in self._devices for name, seq in device.last_seqs().items()},
        )


def main(arguments: list[str] | None = None) -> None:
    """Parse flags, run, print the report."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--host", default="127.0.0.1")
    parser.add_argument("--port", type=int, default=1883)
    parser.add_argument("--connections", type=int, default=20)
    parser.add_argument("--in-flight", type=int, default=4000, help=f"of one connection; at least {CHUNK}")
    parser.add_argument("--seconds", type=float, default=10.0, help="0: until --messages are acknowledged")
    parser.add_argument("--messages", type=int, default=0)
    parser.add_argument("--rate", type=float, default=0.0, help="messages a second in all; 0: no limit")
    parser.add_argument("--reconnect", action="store_true", help="come back and repeat with DUP")
    parser.add_argument("--drain-s", type=float, default=10.0, help="wait so long for the last PUBACKs")
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--prefix", default="greenhouse", help="first level of the topics")
    flags = parser.parse_args(arguments)
    if not CHUNK <= flags.in_flight <= IDS - CHUNK:
        parser.error(f"--in-flight must be between {CHUNK} and {IDS - CHUNK}")
    report = Generator(Settings(**vars(flags))).run()
    json.dump(asdict(report), sys.stdout)
    sys.stdout.write("\n")


if __name__ == "__main__":
    main()
