"""Prepared frames: a chunk of messages is encoded by writing over what changes."""

import random
from typing import Final

import numpy as np
import numpy.typing as npt

ZONES: Final = 8
CHUNK: Final = 512
"""Frames that are encoded together."""
TS_DIGITS: Final = 13
SEQ_DIGITS: Final = 8
FIRST_SEQ: Final = 10_000_000
"""JSON numbers have no leading zeros, and a number of fixed width can be written over."""
IDS: Final = 65_535


class Frames:
    """A chunk's frames with places to write packet id, time and sequence number into."""

    def __init__(
        self, *, version: int, sensors: list[int], prefix: str, rng: random.Random, qos: int = 1
    ) -> None:
        frames = []
        places: list[tuple[int, int, int]] = []
        at, skip = 0, (2 if qos else 0) + (version == 5)
        for index in range(CHUNK):
            head, payload = self._frame(qos, skip, sensors[index % len(sensors)], prefix, rng)
            body = at + len(head)
            ts = body + skip + payload.index(b'"ts":') + 5
            seq = body + skip + payload.index(b'"seq":') + 6
            places.append((body, ts, seq))
            frames.append(head + b"\0" * skip + payload)
            at += len(frames[-1])
        self._template: Final = np.frombuffer(b"".join(frames), np.uint8)
        self.starts: Final = np.cumsum([0, *(len(frame) for frame in frames)])
        ids_at, ts_at, seq_at = (np.array(column) for column in zip(*places, strict=True))
        self._ids_at: Final = ids_at
        self._ts_at: Final = ts_at[:, None] + np.arange(TS_DIGITS)
        self._seq_at: Final = seq_at[:, None] + np.arange(SEQ_DIGITS)
        self._sensors: Final = len(sensors)
        self._qos: Final = qos

    @staticmethod
    def _frame(qos: int, skip: int, sensor: int, prefix: str, rng: random.Random) -> tuple[bytes, bytes]:
        topic = f"{prefix}/z{sensor % ZONES}/s{sensor:02}/air".encode()
        payload = (
            f'{{"ts":{"0" * TS_DIGITS},"seq":{"0" * SEQ_DIGITS},'
            f'"temp":{rng.gauss(21, 6):.2f},"humidity":{rng.uniform(5, 99):.1f}}}'
        ).encode()
        length = 2 + len(topic) + skip + len(payload)
        size = bytes([length]) if length < 128 else bytes([length & 0x7F | 0x80, length >> 7])
        return bytes([0x30 | qos << 1]) + size + len(topic).to_bytes(2, "big") + topic, payload

    def chunk(self, first: int, now_ms: int) -> bytes:
        """The frames of the messages ``first`` to ``first + CHUNK`` of this connection."""
        octets = self._template.copy()
        numbers = first + np.arange(CHUNK)
        if self._qos:
            ids = numbers % IDS + 1
            octets[self._ids_at], octets[self._ids_at + 1] = ids >> 8, ids & 0xFF
        octets[self._ts_at] = np.frombuffer(str(now_ms).encode(), np.uint8)
        octets[self._seq_at] = _digits(FIRST_SEQ + self.turns(first) + np.arange(CHUNK) // self._sensors)
        return octets.tobytes()

    def turns(self, first: int) -> int:
        """How many messages the first sensor had sent before this chunk: each chunk begins with it."""
        return first // CHUNK * -(-CHUNK // self._sensors)


def _digits(numbers: npt.NDArray[np.int64]) -> npt.NDArray[np.uint8]:
    powers = 10 ** np.arange(SEQ_DIGITS - 1, -1, -1)
    return (numbers[:, None] // powers % 10 + ord("0")).astype(np.uint8)


def connect_packet(client: str, version: int) -> bytes:
    """CONNECT that asks for a session which outlives the connection."""
    body = b"\x00\x04MQTT" + bytes([version]) + b"\x00\x00\x3c"
    if version == 5:
        body += b"\x05\x11\xff\xff\xff\xff"
    name = client.encode()
    body += len(name).to_bytes(2, "big") + name
    return b"\x10" + bytes([len(body)]) + body
