import numpy as np

from fog_node.ingest.broker.pings import Pings
from fog_node.ingest.session import Session

WINDOW, REACH = 10, 1000


def session(count: int) -> Session:
    made = Session(window=WINDOW, reach=REACH)
    remember(made, count)
    made.rest()
    return made


def remember(known: Session, count: int) -> None:
    ids = np.arange(1, count + 1, dtype=np.uint16)
    known.remember(np.zeros(count, np.uint16), ids, ids.astype(np.int64))


def test_a_broker_is_asked_after_half_its_keep_alive_time() -> None:
    pings = Pings(100.0)
    assert not pings.due(114.0, keep_alive_s=30.0, session=session(0))
    assert pings.due(115.0, keep_alive_s=30.0, session=session(0))
    assert not pings.due(1000.0, keep_alive_s=0.0, session=session(0))


def test_a_broker_is_asked_at_once_when_much_waits_for_its_word_but_only_once() -> None:
    pings, known = Pings(100.0), session(3 * WINDOW)
    assert pings.due(100.0, keep_alive_s=30.0, session=known)
    pings.sent(100.0, known)
    assert not pings.due(101.0, keep_alive_s=30.0, session=known)


def test_an_answer_lets_go_of_what_was_acknowledged_before_it_was_asked_for() -> None:
    pings, known = Pings(0.0), session(500)
    pings.sent(1.0, known)
    remember(known, 100)
    pings.sent(2.0, known)
    pings.answered(known)
    assert known.remembered == 100
    pings.answered(known)
    assert known.remembered == 100


def test_what_the_window_covers_is_always_remembered() -> None:
    pings, known = Pings(0.0), session(500)
    pings.sent(1.0, known)
    pings.answered(known)
    assert known.remembered == WINDOW


def test_nothing_is_let_go_while_the_broker_may_still_repeat() -> None:
    pings, known = Pings(0.0), session(500)
    known.narrow(WINDOW, REACH)
    pings.sent(1.0, known)
    known.rest()
    pings.answered(known)
    assert known.remembered == 500


def test_an_answer_of_a_connection_that_is_gone_says_nothing() -> None:
    pings, known = Pings(0.0), session(500)
    pings.sent(1.0, known)
    pings.connected()
    pings.answered(known)
    assert known.remembered == 500
