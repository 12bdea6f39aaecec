"""Bytes changed at random, for bounded runs without a fuzzer's guidance."""

import random
from collections.abc import Sequence

PIECES = (
    b"\x00",
    b"\xff" * 4,
    b"\x80\x80\x80\x80\x10",
    b"\xff\xff\xff\xff\xff\xff\xff\xff\xff\x01",
    b"\xc3\x28",
)


def changed(rng: random.Random, seeds: Sequence[bytes], pieces: Sequence[bytes] = PIECES) -> bytes:
    """One of these, with one to five changes: a bit turned, bytes left out, put in, or taken from another."""
    raw = bytearray(rng.choice(seeds))
    for _ in range(rng.choice([1, 1, 2, 5])):
        place = rng.randrange(len(raw) + 1)
        match rng.randrange(4):
            case 0 if place < len(raw):
                raw[place] ^= 1 << rng.randrange(8)
            case 1:
                del raw[place : place + rng.randrange(1, 6)]
            case 2:
                raw[place:place] = rng.choice(pieces)
            case _:
                other = rng.choice(seeds)
                begin = rng.randrange(len(other) + 1)
                raw[place:place] = other[begin : begin + rng.randrange(1, 40)]
    return bytes(raw)
