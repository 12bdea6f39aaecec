"""Repeats that reach far back: found by their order, because a broker repeats messages in the order in which it sent
them, and the journal holds each stream's messages in that order too.

Where the first repeat lies in the journal, the next ones follow. So it does not matter how far back that is, nor that
packet ids came round since.
"""

from typing import Final

import numpy as np
import numpy.typing as npt

AHEAD: Final = 4096
"""So far ahead of the last repeat the next one is looked for, if it is not the very next: far less than the 65,535
messages after which packet ids come round.
"""

Ids = npt.NDArray[np.uint16]
Contents = npt.NDArray[np.int64]
Mask = npt.NDArray[np.bool_]


class Repeats:
    """One sender's messages in one stream, oldest first, and how far the sender's repeats of them have come.

    A first repeat is believed only where its content is unlike all others: a message that was never journaled may
    equal an old one in packet id and content, and must not be lost. From there on order tells equal ones apart.
    """

    def __init__(self, ids: Ids, contents: Contents) -> None:
        self._ids: Final = ids
        self._contents: Final = contents
        order = np.argsort(contents, kind="stable")
        self._places: Final = order.astype(np.uint32)
        self._sorted: Final = contents[order]
        self._at: int | None = None
        """Where the next repeat is expected; None before the first was found."""

    def held(self, ids: Ids, contents: Contents) -> Mask:
        """Which of these repeats, in the order in which they came, are in the journal."""
        held = np.zeros(len(ids), np.bool_)
        index = 0
        while index < len(ids):
            place = self._find(int(ids[index]), int(contents[index]))
            if place is None:
                index += 1
                continue
            if self._at is None:
                self._before(index, place, ids, contents, held)
            end = index + self._run(place, ids[index:], contents[index:])
            held[index:end] = True
            self._at = place + end - index
            index = end
        return held

    def _find(self, packet_id: int, content: int) -> int | None:
        at = self._at
        if at == len(self._ids):
            return None
        if at is not None and self._is(at, packet_id, content):
            return at
        first, end = (int(np.searchsorted(self._sorted, content, side)) for side in ("left", "right"))
        places = self._places[first:end]
        if len(places) == 1:
            place = int(places[0])
            return place if place >= (at or 0) and self._ids[place] == packet_id else None
        if at is None:
            return None
        near = places[np.searchsorted(places, at) : np.searchsorted(places, at + AHEAD)]
        fitting = near[self._ids[near] == packet_id]
        return int(fitting[0]) if len(fitting) else None

    def _is(self, place: int, packet_id: int, content: int) -> bool:
        return bool(self._ids[place] == packet_id and self._contents[place] == content)

    def _before(self, index: int, place: int, ids: Ids, contents: Contents, held: Mask) -> None:
        """What came right before the first that was found, and also lies right before it."""
        while index and place and self._is(place - 1, int(ids[index - 1]), int(contents[index - 1])):
            index, place = index - 1, place - 1
            held[index] = True

    def _run(self, place: int, ids: Ids, contents: Contents) -> int:
        """How many of these lie one after the other from ``place`` on."""
        length = min(len(ids), len(self._ids) - place)
        same = self._ids[place : place + length] == ids[:length]
        same &= self._contents[place : place + length] == contents[:length]
        return length if same.all() else int(np.argmin(same))
