"""A device's session: which of its messages the journal holds, so that a redelivery is known as one.

The rule. A PUBLISH with the DUP flag is a redelivery when the newest message that the journal holds from the
same client under the same packet id has the same topic and payload. It is acknowledged and counted, not
journaled. What a session remembers is rebuilt from the journal, because client id and packet id lie in its
blocks.
"""

from array import array
from collections.abc import Iterable, Sequence
from typing import Final

import numpy as np
import numpy.typing as npt


def content_hashes(
    topics: Sequence[str], codes: npt.NDArray[np.intp], payloads: Sequence[bytes]
) -> npt.NDArray[np.int64]:
    """64 bits for each message's topic and payload; equal only within one process, as Python's hashes are."""
    of_payloads = np.fromiter(map(hash, payloads), np.int64, len(payloads))
    of_topics = np.fromiter(map(hash, topics), np.int64, len(topics))
    mixed: npt.NDArray[np.int64] = of_payloads ^ of_topics[codes]
    return mixed


class Session:
    """One client's memory: its newest messages by packet id, and its unreleased QoS 2 ids."""

    __slots__ = (
        "_contents",
        "_ids",
        "_newest",
        "_streams",
        "alive_until_us",
        "left_at_us",
        "unreleased",
        "window",
    )

    def __init__(self, *, window: int) -> None:
        self.window = window
        """How many messages a redelivery can reach back: what the client may have unacknowledged."""
        self.unreleased: set[int] = set()
        """Packet ids of QoS 2 for which PUBREC went out and PUBREL has not come in."""
        self.left_at_us: int | None = None
        """When the connection ended; None while there is one."""
        self.alive_until_us = 0
        """Until when the session outlives its connection, for the session present flag."""
        self._ids = array("H")
        self._contents = array("q")
        self._streams = array("H")
        self._newest: dict[int, tuple[int, set[int]]] | None = None

    @property
    def remembered(self) -> int:
        """Entries held; 12 bytes each."""
        return len(self._ids)

    def clear(self) -> None:
        """Forget everything: the device asked for a clean session."""
        self.unreleased.clear()
        self._newest = None
        del self._ids[:], self._contents[:], self._streams[:]

    def remember(
        self,
        streams: npt.NDArray[np.uint16],
        ids: npt.NDArray[np.uint16],
        contents: npt.NDArray[np.int64],
    ) -> None:
        """Note messages that the journal holds, in the order in which they came."""
        self._ids.frombytes(ids.tobytes())
        self._contents.frombytes(contents.tobytes())
        self._streams.frombytes(streams.tobytes())
        if self._newest is not None:
            self._index(self._newest, zip(ids.tolist(), contents.tolist(), streams.tolist(), strict=True))
        # Cut in steps: each cut moves all that stays.
        if len(self._ids) - self.window > max(64, self.window // 4):
            self._trim()

    def narrow(self, window: int) -> None:
        """From now on a redelivery reaches back only so far."""
        self.window = window
        self._trim()
        self._newest = None

    def _trim(self) -> None:
        surplus = len(self._ids) - self.window
        if surplus > 0:
            del self._ids[:surplus], self._contents[:surplus], self._streams[:surplus]

    def holders(self, packet_id: int, content: int) -> set[int]:
        """Streams whose journal holds exactly this message as the newest under its packet id."""
        if self._newest is None:
            self._newest = {}
            self._index(self._newest, zip(self._ids, self._contents, self._streams, strict=True))
        known = self._newest.get(packet_id)
        return known[1] if known is not None and known[0] == content else set()

    def rest(self) -> None:
        """Drop the index by packet id; it is made again when the next DUP flag comes."""
        self._newest = None

    @staticmethod
    def _index(newest: dict[int, tuple[int, set[int]]], entries: Iterable[tuple[int, int, int]]) -> None:
        for packet_id, content, stream in entries:
            known = newest.get(packet_id)
            if known is not None and known[0] == content:
                known[1].add(stream)
            else:
                newest[packet_id] = (content, {stream})


class Sessions:
    """All sessions of the listener, bounded in number and in entries; the longest gone is forgotten first."""

    def __init__(self, *, keep_us: int, most_sessions: int, most_entries: int) -> None:
        self._keep_us: Final = keep_us
        self._most_sessions: Final = most_sessions
        self._most_entries: Final = most_entries
        self._by_client: dict[str, Session] = {}
        self._stream_numbers: dict[str, int] = {}

    def __len__(self) -> int:
        return len(self._by_client)

    def stream_number(self, stream: str) -> int:
        """A small number for a stream's name, the same for the life of the process."""
        return self._stream_numbers.setdefault(stream, len(self._stream_numbers))

    def recall(self, client: str, *, window: int, alive_until_us: int, left_at_us: int) -> Session:
        """The session of a client that the journal knows; made when it is not there."""
        session = self._by_client.get(client)
        if session is None:
            session = self._by_client[client] = Session(window=window)
        session.alive_until_us = alive_until_us
        session.left_at_us = left_at_us
        return session

    def enter(self, client: str, *, clean: bool, window: int, now_us: int) -> tuple[Session, bool]:
        """The session of a client that connects, and whether one was present.

        A clean start forgets everything. A session that only expired forgets its QoS 2 ids and is not
        present, but keeps the memory for redeliveries: what the journal holds, it still holds.
        """
        session = self._by_client.get(client)
        present = session is not None and not clean and now_us <= session.alive_until_us
        if session is None or clean:
            session = self._by_client[client] = Session(window=window)
        elif not present:
            session.unreleased.clear()
        session.narrow(window)
        session.left_at_us = None
        return session, present

    def leave(self, session: Session, *, expiry_s: int, now_us: int) -> None:
        """The client's connection ended; its session lives for ``expiry_s`` more, but not longer than is
        kept.
        """
        session.left_at_us = now_us
        session.alive_until_us = now_us + min(expiry_s * 1_000_000, self._keep_us) if expiry_s else 0
        session.rest()

    def expire(self, now_us: int) -> int:
        """Forget sessions that ended long ago or that there is no room for; how many were forgotten."""
        gone = sorted(
            (session.left_at_us, client)
            for client, session in self._by_client.items()
            if session.left_at_us is not None
        )
        entries = sum(session.remembered for session in self._by_client.values())
        forgotten = 0
        for left_at_us, client in gone:
            crowded = len(self._by_client) > self._most_sessions or entries > self._most_entries
            if not crowded and now_us - left_at_us < self._keep_us:
                break
            entries -= self._by_client.pop(client).remembered
            forgotten += 1
        return forgotten
