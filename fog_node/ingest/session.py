"""A device's session: which of its messages the journal holds, so that a redelivery is known as one.

The rule. A PUBLISH with the DUP flag is a redelivery when the newest message that the journal holds from the
same client under the same packet id has the same topic and payload. It is acknowledged and counted, not
journaled. Of brokers, which may have far more under way than packet ids tell apart, also when it stands where
the order of the journal expects the next repetition. What a session remembers is rebuilt from the journal,
because client id and packet id lie in its blocks.
"""

from array import array
from collections.abc import Sequence
from typing import Final

import numpy as np
import numpy.typing as npt
from xxhash import xxh3_64_intdigest

from fog_node.ingest.repeats import Repeats

Mask = npt.NDArray[np.bool_]


def content_hashes(
    topics: Sequence[str], codes: npt.NDArray[np.intp], payloads: Sequence[bytes]
) -> npt.NDArray[np.int64]:
    """XXH3's 64 bits of each message's topic and payload: the same in every process, since notes hold them."""
    of_payloads = np.fromiter(map(xxh3_64_intdigest, payloads), np.uint64, len(payloads))
    # Another seed, or a message that says its own topic would be as any other that does.
    of_topics = np.fromiter(
        (xxh3_64_intdigest(topic.encode(), 1) for topic in topics), np.uint64, len(topics)
    )
    return (of_payloads ^ of_topics[codes]).view(np.int64)


class Session:
    """One client's memory: its newest messages by packet id and in their order, and its unreleased QoS 2 ids."""

    __slots__ = (
        "_contents",
        "_count",
        "_ids",
        "_newest",
        "_repeats",
        "_rested",
        "_streams",
        "alive_until_us",
        "left_at_us",
        "reach",
        "unreleased",
        "window",
    )

    def __init__(self, *, window: int, reach: int = 0) -> None:
        self.window = window
        """How many messages a redelivery can reach back by its packet id: what the client may have
        unacknowledged.
        """
        self.reach = max(window, reach)
        """How many messages a redelivery can reach back by its place in the journal's order."""
        self.unreleased: set[int] = set()
        """Packet ids of QoS 2 for which PUBREC went out and PUBREL has not come in."""
        self.left_at_us: int | None = None
        """When the connection ended; None while there is one."""
        self.alive_until_us = 0
        """Until when the session outlives its connection, for the session present flag."""
        self._ids = array("H")
        self._contents = array("q")
        self._streams = array("H")
        self._count = 0
        """Entries ever noted; those that are held are the last of them."""
        self._newest: dict[int, tuple[int, int, set[int]]] | None = None
        """By packet id: which entry was the newest, its content, and the streams that hold it."""
        self._repeats: dict[int, Repeats] = {}
        self._rested = False

    @property
    def remembered(self) -> int:
        """Entries held; 12 bytes each."""
        return len(self._ids)

    def clear(self) -> None:
        """Forget everything: the device asked for a clean session."""
        self.unreleased.clear()
        self.rest()
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
        self._count += len(ids)
        if self._newest is not None:
            self._index(self._newest, len(ids))
        # Cut in steps: each cut moves all that stays.
        if len(self._ids) - self.reach > max(64, self.reach // 4):
            self._trim(self.reach)

    def narrow(self, window: int, reach: int = 0) -> None:
        """The client connects; from now on a redelivery reaches back only so far."""
        self.window, self.reach = window, max(window, reach)
        self._trim(self.reach)
        self.rest()
        self._rested = False

    def _trim(self, kept: int) -> None:
        surplus = len(self._ids) - kept
        if surplus > 0:
            del self._ids[:surplus], self._contents[:surplus], self._streams[:surplus]

    def shorten(self) -> int:
        """Forget what reaches back beyond the window; how much that was."""
        before = self.remembered
        self._trim(self.window)
        return before - self.remembered

    def mark(self) -> int:
        """For :meth:`acknowledged`: how much was journaled by now, or 0 while the client may not have repeated all
        that it wants to.
        """
        return self._count if self._rested else 0

    def acknowledged(self, mark: int) -> None:
        """The client has read every acknowledgement of what came before the mark, and repeats none of that."""
        self._trim(max(self.window, self._count - mark))

    def holders(self, packet_id: int, content: int) -> set[int]:
        """Streams whose journal holds exactly this message as the newest under its packet id."""
        if self._newest is None:
            self._newest = {}
            self._index(self._newest, min(len(self._ids), self.window))
        known = self._newest.get(packet_id)
        # Beyond the window the id may have come round.
        if known is None or known[1] != content or self._count - known[0] > self.window:
            return set()
        return known[2]

    def held(self, stream: int, ids: npt.NDArray[np.uint16], contents: npt.NDArray[np.int64]) -> Mask | None:
        """Which of these repetitions stand where the order of the stream's journal expects them, as far back as the
        client may go beyond its window; None when it may not.
        """
        if len(self._ids) <= self.window or self.reach == self.window:
            return None
        repeats = self._repeats.get(stream)
        if repeats is None:
            rows = np.array(self._streams) == stream
            repeats = Repeats(np.array(self._ids)[rows], np.array(self._contents)[rows])
            self._repeats[stream] = repeats
        return repeats.held(ids, contents)

    def rest(self) -> None:
        """Nothing is repeated now. Drop the indexes; they are made again when the next DUP flag comes."""
        self._newest = None
        self._repeats = {}
        self._rested = True

    def _index(self, newest: dict[int, tuple[int, int, set[int]]], count: int) -> None:
        """Look up the last so many entries."""
        first = len(self._ids) - count
        entries = zip(self._ids[first:], self._contents[first:], self._streams[first:], strict=True)
        for number, (packet_id, content, stream) in enumerate(entries, self._count - count):
            known = newest.get(packet_id)
            holders = known[2] if known is not None and known[1] == content else set[int]()
            holders.add(stream)
            newest[packet_id] = (number, content, holders)


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

    def recall(
        self, client: str, *, window: int, reach: int, alive_until_us: int, left_at_us: int
    ) -> Session:
        """The session of a client that the journal knows; made when it is not there."""
        session = self._by_client.get(client)
        if session is None:
            session = self._by_client[client] = Session(window=window, reach=reach)
        session.alive_until_us = alive_until_us
        session.left_at_us = left_at_us
        return session

    def enter(
        self, client: str, *, clean: bool, window: int, now_us: int, reach: int = 0
    ) -> tuple[Session, bool]:
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
        session.narrow(window, reach)
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
            if entries > self._most_entries:
                entries -= self._by_client[client].shorten()
            crowded = len(self._by_client) > self._most_sessions or entries > self._most_entries
            if not crowded and now_us - left_at_us < self._keep_us:
                break
            entries -= self._by_client.pop(client).remembered
            forgotten += 1
        return forgotten
