import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from fog_node.ingest.session import Session, Sessions

HOUR_US = 3_600_000_000
WINDOW = 100


def remember(session: Session, *entries: tuple[int, int], stream: int = 0) -> None:
    ids, contents = zip(*entries, strict=True)
    streams = np.full(len(ids), stream, np.uint16)
    session.remember(streams, np.array(ids, np.uint16), np.array(contents, np.int64))


def sessions(*, keep_us: int = HOUR_US, most: int = 100, entries: int = 10**6) -> Sessions:
    return Sessions(keep_us=keep_us, most_sessions=most, most_entries=entries)


def enter(
    table: Sessions, client: str = "d", *, clean: bool = False, now_us: int = 0
) -> tuple[Session, bool]:
    return table.enter(client, clean=clean, window=WINDOW, now_us=now_us)


def test_the_newest_message_under_a_packet_id_is_the_one_that_is_known() -> None:
    session = Session(window=WINDOW)
    remember(session, (1, 11), (2, 22), (1, 33))
    assert session.holders(1, 33) == {0}
    assert session.holders(1, 11) == set()
    assert session.holders(3, 11) == set()


def test_a_message_of_two_streams_is_known_for_each_that_holds_it() -> None:
    session = Session(window=WINDOW)
    remember(session, (1, 11))
    remember(session, (1, 11), stream=1)
    assert session.holders(1, 11) == {0, 1}
    remember(session, (1, 12), stream=1)
    assert session.holders(1, 12) == {1}


@given(st.lists(st.tuples(st.integers(1, 9), st.integers(0, 3)), max_size=400), st.integers(0, 1))
def test_a_session_answers_as_a_plain_dictionary_does(entries: list[tuple[int, int]], lookups: int) -> None:
    session = Session(window=1000)
    newest: dict[int, int] = {}
    for _ in range(lookups):
        session.holders(1, 1)
    for entry in entries:
        remember(session, entry)
        newest[entry[0]] = entry[1]
    for packet_id in range(1, 10):
        for content in range(4):
            assert bool(session.holders(packet_id, content)) == (newest.get(packet_id) == content)


def test_a_session_remembers_its_window_and_not_much_more() -> None:
    session = Session(window=WINDOW)
    for number in range(10_000):
        remember(session, (number % 65_535 + 1, number))
        assert session.remembered <= WINDOW + 65
    for number in range(10_000 - WINDOW, 10_000):
        assert session.holders(number % 65_535 + 1, number) == {0}


def test_a_packet_id_that_came_round_is_no_sign_of_a_repetition() -> None:
    session = Session(window=WINDOW)
    remember(session, (1, 11))
    assert session.holders(1, 11) == {0}
    remember(session, *((2, number) for number in range(WINDOW)))
    assert session.holders(1, 11) == set()


def test_a_session_that_reaches_far_finds_repeats_by_their_order_in_each_stream() -> None:
    session = Session(window=2, reach=100)
    for number in range(20):
        remember(session, (number, number), stream=number % 2)
    ids = np.array([4, 6, 8], np.uint16)
    found = session.held(0, ids, ids.astype(np.int64))
    assert found is not None
    assert found.all()
    missing = session.held(1, ids, ids.astype(np.int64))
    assert missing is not None
    assert not missing.any()


def test_a_session_that_reaches_no_farther_than_its_window_has_no_order() -> None:
    session = Session(window=WINDOW)
    remember(session, *((number, number) for number in range(WINDOW + 10)))
    assert session.held(0, np.array([1], np.uint16), np.array([1], np.int64)) is None


def test_too_much_memory_is_first_taken_from_what_reaches_beyond_a_window() -> None:
    table = sessions(entries=10)
    session, _ = table.enter("far", clean=False, window=4, reach=100, now_us=0)
    remember(session, *((number, number) for number in range(20)))
    table.leave(session, expiry_s=1000, now_us=0)
    assert table.expire(10) == 0
    assert session.remembered == 4


def test_a_session_outlives_its_connection_for_as_long_as_the_device_asked() -> None:
    table = sessions()
    session, present = enter(table)
    assert not present
    table.leave(session, expiry_s=10, now_us=0)
    assert enter(table, now_us=10_000_000) == (session, True)


def test_an_expired_session_is_not_present_but_still_knows_redeliveries() -> None:
    table = sessions()
    session, _ = enter(table)
    remember(session, (1, 11))
    session.unreleased.add(9)
    table.leave(session, expiry_s=0, now_us=0)
    again, present = enter(table, now_us=1)
    assert not present
    assert again.holders(1, 11) == {0}
    assert not again.unreleased


def test_a_clean_start_forgets_everything() -> None:
    table = sessions()
    session, _ = enter(table)
    remember(session, (1, 11))
    table.leave(session, expiry_s=100, now_us=0)
    again, present = enter(table, clean=True)
    assert not present
    assert not again.holders(1, 11)


def test_sessions_without_a_connection_are_forgotten_after_a_while() -> None:
    table = sessions(keep_us=100)
    gone, _ = enter(table, "gone")
    enter(table, "here")
    table.leave(gone, expiry_s=1000, now_us=0)
    assert table.expire(99) == 0
    assert table.expire(100) == 1
    assert len(table) == 1


def test_when_there_are_too_many_sessions_the_longest_gone_is_forgotten_first() -> None:
    table = sessions(most=2)
    for index, client in enumerate(["a", "b", "c"]):
        session, _ = enter(table, client)
        table.leave(session, expiry_s=1000, now_us=index)
    assert table.expire(10) == 1
    assert not enter(table, "a", now_us=10)[1]


def test_when_too_much_is_remembered_the_longest_gone_is_forgotten_first() -> None:
    table = sessions(entries=5)
    for index, client in enumerate(["a", "b"]):
        session, _ = enter(table, client)
        remember(session, (1, 1), (2, 2), (3, 3))
        table.leave(session, expiry_s=1000, now_us=index)
    assert table.expire(10) == 1
    assert enter(table, "b", now_us=10)[1]
