"""Who is signed in: sessions of browsers and one-time codes, in memory. Ending the dashboard signs everybody out."""

import hashlib
import secrets
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any, Final

from fogline.model.clock import DAY, HOUR, MINUTE, Clock

SESSION_US: Final = 12 * HOUR
"""A session that was not used for so long is over."""
LONGEST_US: Final = 7 * DAY
"""So long after the sign-in every session is over."""
CODE_US: Final = 5 * MINUTE
"""A one-time code opens nothing any more after so long."""
MOST_SESSIONS: Final = 500
MOST_CODES: Final = 100
"""Of each the oldest gives way to one too many."""
_BYTES: Final = 32


@dataclass(eq=False, slots=True)
class Session:
    """One browser that is signed in."""

    token: str = field(repr=False)
    """The API token that its questions are asked with; empty: none is."""
    who: str
    began_us: int
    used_us: int
    ends: dict[Any, Callable[[], None]] = field(default_factory=dict, repr=False)
    """What is told when it is over, by whom it concerns: pages that are open."""


@dataclass(frozen=True, slots=True)
class _Code:
    token: str = field(repr=False)
    who: str
    made_us: int


class Sessions:
    """All of them. What a browser is given is kept as a hash: whoever reads the memory's dump finds no cookie."""

    def __init__(self, clock: Clock) -> None:
        self._clock: Final = clock
        self._sessions: Final[dict[bytes, Session]] = {}
        self._codes: Final[dict[bytes, _Code]] = {}

    def __len__(self) -> int:
        return len(self._sessions)

    def begin(self, token: str, who: str) -> str:
        """Sign somebody in; what his browser shows from now on."""
        self.sweep()
        while len(self._sessions) >= MOST_SESSIONS:
            self._end(next(iter(self._sessions)))
        shown, now_us = secrets.token_urlsafe(_BYTES), self._clock.now_us()
        self._sessions[_hash(shown)] = Session(token=token, who=who, began_us=now_us, used_us=now_us)
        return shown

    def find(self, shown: str) -> Session | None:
        """The session of a browser, if it has one that holds."""
        self.sweep()
        session = self._sessions.get(_hash(shown)) if shown else None
        if session is not None:
            session.used_us = self._clock.now_us()
        return session

    def end(self, shown: str) -> None:
        """Sign a browser out, with all its pages."""
        self._end(_hash(shown))

    def end_token(self, token: str) -> None:
        """Sign out whoever asks with a token: it holds no longer."""
        for key in [key for key, session in self._sessions.items() if session.token == token]:
            self._end(key)

    def code(self, token: str, who: str) -> str:
        """A code that signs one browser in, once."""
        self.sweep()
        while len(self._codes) >= MOST_CODES:
            del self._codes[next(iter(self._codes))]
        code = secrets.token_urlsafe(_BYTES)
        self._codes[_hash(code)] = _Code(token, who, self._clock.now_us())
        return code

    def redeem(self, code: str) -> str | None:
        """Use a code up: what the browser shows from now on, or None if it opens nothing."""
        self.sweep()
        found = self._codes.pop(_hash(code), None)
        return None if found is None else self.begin(found.token, found.who)

    def sweep(self) -> None:
        """End what is over. A page that is open uses its session."""
        now_us = self._clock.now_us()
        for key, session in tuple(self._sessions.items()):
            if session.ends:
                session.used_us = now_us
            if now_us - session.used_us >= SESSION_US or now_us - session.began_us >= LONGEST_US:
                self._end(key)
        for key, code in tuple(self._codes.items()):
            if now_us - code.made_us >= CODE_US:
                del self._codes[key]

    def _end(self, key: bytes) -> None:
        session = self._sessions.pop(key, None)
        for end in tuple(session.ends.values()) if session is not None else ():
            end()


def _hash(shown: str) -> bytes:
    return hashlib.sha256(shown.encode()).digest()
