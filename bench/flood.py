"""QoS 0 messages for a broker, as fast as it reads them or at a rate: what ``bench.generator`` sends at QoS 1.

    python -m bench.flood --port 1883 --messages 1000000 --prefix greenhouse

The end of the last connection is the broker's: it has then read every message. Prints a JSON object in one line.
"""

import argparse
import json
import random
import socket
import sys
import time
from dataclasses import dataclass

from bench.frames import CHUNK, Frames, connect_packet
from bench.generator import SENSORS

DISCONNECT = b"\xe0\x00"


@dataclass(frozen=True, slots=True)
class Publisher:
    """One MQTT 5 connection and its frames."""

    socket: socket.socket
    frames: Frames


def publisher(host: str, port: int, *, index: int, of: int, prefix: str) -> Publisher:
    """Connect. Raises OSError."""
    opened = socket.create_connection((host, port), timeout=30)
    opened.sendall(connect_packet(f"{prefix}-flood-{index}", 5))
    while len(answer := opened.recv(256, socket.MSG_PEEK)) < 2 or len(answer) < 2 + answer[1]:
        if not answer:
            raise ConnectionResetError(f"{host}:{port} let nobody in")
    opened.recv(2 + answer[1])
    sensors = [sensor for sensor in range(SENSORS) if sensor % of == index]
    frames = Frames(version=5, sensors=sensors, prefix=prefix, rng=random.Random(index), qos=0)
    return Publisher(opened, frames)


def flood(publishers: list[Publisher], *, messages: int, rate: float) -> int:
    """Send at least so many, in whole chunks; how many were sent."""
    began, sent = time.monotonic(), 0
    while sent < messages:
        for one in publishers:
            one.socket.sendall(one.frames.chunk(sent // len(publishers), time.time_ns() // 1_000_000))
            sent += CHUNK
            if rate:
                time.sleep(max(0.0, began + sent / rate - time.monotonic()))
    for one in publishers:
        one.socket.sendall(DISCONNECT)
        while one.socket.recv(4096):
            pass
        one.socket.close()
    return sent


def main() -> None:
    """Parse flags, send, print the report."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--host", default="127.0.0.1")
    parser.add_argument("--port", type=int, required=True)
    parser.add_argument("--connections", type=int, default=4)
    parser.add_argument("--messages", type=int, required=True)
    parser.add_argument("--rate", type=float, default=0.0, help="messages a second in all; 0: no limit")
    parser.add_argument("--prefix", default="greenhouse", help="first level of the topics")
    flags = parser.parse_args()
    count = flags.connections
    publishers = [
        publisher(flags.host, flags.port, index=i, of=count, prefix=flags.prefix) for i in range(count)
    ]
    began, cpu = time.monotonic(), time.process_time()
    sent = flood(publishers, messages=flags.messages, rate=flags.rate)
    report = {
        "sent": sent,
        "began_s": began,
        "seconds": round(time.monotonic() - began, 3),
        "cpu_s": round(time.process_time() - cpu, 3),
    }
    sys.stdout.write(json.dumps(report) + "\n")


if __name__ == "__main__":
    main()
