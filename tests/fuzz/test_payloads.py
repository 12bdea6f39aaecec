"""A bounded run of what ``fuzz_decode`` does without an end."""

import random

from tests.fuzz.payloads import SEEDS, one_payload

ROUNDS = 1500
PIECES = [b"1e400", b"null", b"NaN", b"true", b'"', b"[[", b"99999999999999999999"]


def test_changed_payloads_never_crash_a_decoder() -> None:
    rng = random.Random(73)
    for seed in SEEDS:
        one_payload(seed)
    for _ in range(ROUNDS):
        raw = bytearray(rng.choice(SEEDS))
        for _ in range(rng.choice([1, 1, 2, 5])):
            place = rng.randrange(len(raw))
            match rng.randrange(3):
                case 0:
                    raw[place] = rng.choice(b'0123456789"[]{},:.-eEtfn\\ \xff\x00')
                case 1:
                    del raw[place : place + rng.randrange(1, 6)]
                    raw = raw or bytearray(b"0")
                case _:
                    raw[place:place] = rng.choice(
                        [b"1e400", b"null", b"NaN", b"true", b'"', b"[[", b"99999999999999999999"]
                    )
        one_payload(bytes(raw))
