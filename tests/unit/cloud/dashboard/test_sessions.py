"""Who is signed in, and for how long."""

import pytest

from cloud.dashboard.sessions import CODE_US, LONGEST_US, MOST_CODES, MOST_SESSIONS, SESSION_US, Sessions
from fogline.model.clock import HOUR, SystemClock


class HandClock(SystemClock):
    """A clock that stands until it is moved."""

    def __init__(self) -> None:
        self.at_us = 1_000_000

    def now_us(self) -> int:
        return self.at_us


@pytest.fixture
def clock() -> HandClock:
    return HandClock()


@pytest.fixture
def sessions(clock: HandClock) -> Sessions:
    return Sessions(clock)


def test_a_code_signs_in_once_and_not_for_long(sessions: Sessions, clock: HandClock) -> None:
    code = sessions.code("token", "ann")
    shown = sessions.redeem(code)
    assert shown is not None
    session = sessions.find(shown)
    assert session is not None
    assert (session.token, session.who) == ("token", "ann")
    assert sessions.redeem(code) is None
    late = sessions.code("token", "ann")
    clock.at_us += CODE_US
    assert sessions.redeem(late) is None


def test_a_session_that_is_used_goes_on_until_its_longest(sessions: Sessions, clock: HandClock) -> None:
    used, unused = sessions.begin("t", "ann"), sessions.begin("t", "bob")
    watched = sessions.begin("t", "screen")
    ended: list[str] = []
    session = sessions.find(watched)
    assert session is not None
    session.ends["page"] = lambda: ended.append("screen")
    began = clock.at_us
    while clock.at_us - began < LONGEST_US - HOUR:
        clock.at_us += HOUR
        sessions.sweep()
        assert sessions.find(used)
        assert (clock.at_us - began < SESSION_US) is (len(sessions) == 3)
    assert sessions.find(unused) is None
    assert sessions.find(watched)
    clock.at_us += HOUR
    assert sessions.find(used) is None
    assert ended == ["screen"]


def test_signing_out_ends_the_pages_of_that_browser_alone(sessions: Sessions) -> None:
    ended: list[str] = []
    shown = {name: sessions.begin(token, name) for name, token in (("a", "1"), ("b", "1"), ("c", "2"))}
    for name, cookie in shown.items():
        session = sessions.find(cookie)
        assert session is not None
        session.ends[name] = lambda name=name: ended.append(name)  # type: ignore[misc] # bound now, not later
    sessions.end(shown["a"])
    sessions.end("nothing")
    assert ended == ["a"]
    sessions.end_token("1")
    assert ended == ["a", "b"]
    assert sessions.find(shown["c"])


def test_memory_is_bounded(sessions: Sessions) -> None:
    first, code = sessions.begin("t", "first"), sessions.code("t", "first")
    for _ in range(MOST_SESSIONS):
        sessions.begin("t", "more")
    for _ in range(MOST_CODES):
        sessions.code("t", "more")
    assert len(sessions) == MOST_SESSIONS
    assert sessions.find(first) is None
    assert sessions.redeem(code) is None


def test_what_a_browser_shows_is_not_kept(sessions: Sessions) -> None:
    shown = sessions.begin("secret", "ann")
    assert sessions.find("") is None
    assert shown not in repr(vars(sessions))
    assert "secret" not in repr(sessions.find(shown))
