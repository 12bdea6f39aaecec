import random

from tests.fuzz.broker import one_broker, seeds

ROUNDS = 1500


def test_changed_bytes_never_break_the_conversation() -> None:
    rng = random.Random(81)
    starts = seeds()
    for seed in starts:
        one_broker(seed)
    for _ in range(ROUNDS):
        raw = bytearray(rng.choice(starts))
        for _ in range(rng.choice([1, 1, 1, 4])):
            match rng.randrange(3):
                case 0:
                    raw[rng.randrange(1, len(raw))] = rng.randrange(256)
                case 1:
                    del raw[rng.randrange(1, len(raw))]
                case _:
                    raw.insert(rng.randrange(1, len(raw)), rng.choice([0, 1, 0x7F, 0x80, 0xFF]))
        one_broker(bytes(raw))


def test_random_bytes_never_break_the_conversation() -> None:
    rng = random.Random(82)
    for _ in range(ROUNDS):
        one_broker(rng.randbytes(rng.randrange(1, 60)))
