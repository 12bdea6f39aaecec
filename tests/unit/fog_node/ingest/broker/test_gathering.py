from fog_node.ingest.broker.gathering import FULL_READ_BYTES, Gathering

READ = 10_000


def after(*, every_s: float, count: int, reads: int = 500) -> Gathering:
    gathering, now = Gathering(0.02), 100.0
    for _ in range(reads):
        now += every_s
        gathering.read(now, count)
    return gathering


def test_a_few_messages_are_read_at_once() -> None:
    assert after(every_s=0.1, count=200).rest_s(200) == 0


def test_many_small_reads_are_gathered() -> None:
    assert after(every_s=0.001, count=5_000).rest_s(5_000) > 0
    assert after(every_s=0.005, count=5_000).rest_s(5_000) == 0.02


def test_a_full_read_is_followed_by_the_next() -> None:
    assert after(every_s=0.001, count=5_000).rest_s(FULL_READ_BYTES) == 0


def test_no_more_gathers_than_one_read_takes() -> None:
    gathering = after(every_s=0.001, count=50_000)
    rest_s = gathering.rest_s(READ)
    assert rest_s * 50_000_000 <= FULL_READ_BYTES * 1.01


def test_after_a_silence_the_first_message_does_not_wait() -> None:
    gathering = after(every_s=0.001, count=5_000)
    gathering.read(200.0, 100)
    assert gathering.rest_s(100) == 0
