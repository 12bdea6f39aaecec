"""PUBLISH packets as a broker sends them: with the identifiers of the subscriptions that they are delivered under."""

from typing import Final

import numpy as np
import numpy.typing as npt

from fog_node.ingest.broker.subscriptions import SubscribedRouter
from fog_node.ingest.fields import Property, Reader, delivered_under
from fog_node.ingest.packets import MalformedPacket
from fog_node.ingest.publish import IN_PUBLISH, PublishParser

UNSEEN: Final = -(1 << 62)
"""No message of the topic came yet."""
ONE_IDENTIFIER_BYTES: Final = 5
"""Length of properties that are one identifier of four bytes: what nearly every message has."""

Numbers = npt.NDArray[np.intp]


class DeliveredParser(PublishParser):
    """Parses what a broker delivers.

    A topic's code stands for the topic and what it was delivered under. Nearly always a topic comes under the same
    subscription as before, so that the codes are looked up by the column.
    """

    def __init__(self, *, max_packet_bytes: int, router: SubscribedRouter) -> None:
        super().__init__(version=5, max_packet_bytes=max_packet_bytes, router=router, retained=True)
        self._subscribed: Final = router
        self._several: dict[tuple[int, ...], int] = {}
        self._codes: dict[tuple[int, int], int] = {}
        # For each code: what a message of its topic came under first, and the code of that.
        self._expected: Numbers = np.empty(0, np.intp)
        self._renamed: Numbers = np.empty(0, np.intp)

    def codes(self, topic: str) -> list[int]:
        """Every code of a topic."""
        first = self._topic_numbers.get(topic)
        return [] if first is None else [c for (known, _), c in self._codes.items() if known == first]

    def _forget(self) -> None:
        super()._forget()
        self._several, self._codes = {}, {}
        self._expected, self._renamed = np.empty(0, np.intp), np.empty(0, np.intp)

    def _number(self, topic: str, streams: tuple[str, ...]) -> int:
        code = super()._number(topic, streams)
        self._expected = np.append(self._expected, UNSEEN)
        self._renamed = np.append(self._renamed, code)
        return code

    def _read_properties(  # noqa: PLR0917  (columns of one table)
        self,
        data: bytes,
        octets: npt.NDArray[np.uint8],
        starts: Numbers,
        ends: Numbers,
        codes: Numbers,
        fault: MalformedPacket | None,
    ) -> tuple[int, MalformedPacket | None]:
        good = len(ends)
        lengths = octets[starts[:good]]
        under = np.zeros(good, np.intp)
        plain = self._plain(octets, starts[:good], ends, lengths, under)
        skipped = np.where(plain, lengths + 1, 0)
        for index in np.flatnonzero(~plain).tolist():
            piece = Reader(data[starts[index] : ends[index]])
            try:
                under[index] = self._under(delivered_under(piece.take(piece.variable()), IN_PUBLISH))
            except MalformedPacket as found:
                good, fault = index, found
                break
            skipped[index] = ends[index] - starts[index] - piece.left
        starts[: len(ends)] += skipped
        self._rename(codes[:good], under[:good])
        return good, fault

    @staticmethod
    def _plain(
        octets: npt.NDArray[np.uint8],
        starts: Numbers,
        ends: Numbers,
        lengths: npt.NDArray[np.uint8],
        under: Numbers,
    ) -> npt.NDArray[np.bool_]:
        """Read those that have no properties, or one identifier of four bytes; which these are."""
        plain: npt.NDArray[np.bool_] = lengths == 0
        rows = np.flatnonzero((lengths == ONE_IDENTIFIER_BYTES) & (ends - starts > ONE_IDENTIFIER_BYTES))
        at = starts[rows]
        low, second, third, high = (octets[at + place].astype(np.intp) for place in (2, 3, 4, 5))
        continued = (low & second & third & 0x80 != 0) & (high > 0) & (high < 0x80)
        right = (octets[at + 1] == Property.SUBSCRIPTION_ID) & continued
        numbers = (low & 0x7F) | (second & 0x7F) << 7 | (third & 0x7F) << 14 | high << 21
        under[rows[right]] = numbers[right]
        plain[rows[right]] = True
        return plain

    def _under(self, identifiers: tuple[int, ...]) -> int:
        """What stands for these identifiers: the one itself, 0 for none, else a number below zero."""
        if len(identifiers) > 1:
            return self._several.setdefault(identifiers, -1 - len(self._several))
        return identifiers[0] if identifiers else 0

    def _rename(self, codes: Numbers, under: Numbers) -> None:
        """Turn the codes of topics into those of topics and what they were delivered under."""
        firsts = codes.copy()
        codes[:] = self._renamed[firsts]
        for index in np.flatnonzero(self._expected[firsts] != under).tolist():
            codes[index] = self._code(int(firsts[index]), int(under[index]))

    def _code(self, first: int, under: int) -> int:
        code = self._codes.get((first, under))
        if code is None:
            topic = self._topics[first].text
            code = self._codes[first, under] = self._number(topic, self._streams(topic, under))
            if self._expected[first] == UNSEEN:
                self._expected[first], self._renamed[first] = under, code
        return code

    def _streams(self, topic: str, under: int) -> tuple[str, ...]:
        if not under:
            # A broker without identifiers. Then a topic is all that says where a message goes.
            return self._subscribed.route(topic)
        if under > 0:
            return self._subscribed.route_under(topic, (under,))
        identifiers = next(known for known, number in self._several.items() if number == under)
        return self._subscribed.route_under(topic, identifiers)
