"""Which messages of a batch the journal holds already, and which repeat one another."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Final

import numpy as np
import numpy.typing as npt

from fog_node.ingest.publish import Published, Topic
from fog_node.ingest.session import Session
from fog_node.messages import DUP_FLAG, QOS_BITS

_NOBODY: Final = frozenset[int]()


@dataclass(frozen=True, slots=True)
class Recognition:
    """What is known about a batch's messages before anything is journaled."""

    holders: list[set[int]] = field(default_factory=list)
    """For each message the numbers of the streams that hold it; empty when nothing hints at a repetition."""
    in_use: set[int] = field(default_factory=set)
    """Indexes of new QoS 2 messages under a packet id that is not released: a fault of the device."""
    echoes: set[int] = field(default_factory=set)
    """Indexes of messages that repeat one of the same batch."""


@dataclass(slots=True)
class _Batch:
    """The batch so far: what came before a message in the same read is not in the session yet."""

    session: Session
    before: dict[int, tuple[int, set[int]]] = field(default_factory=dict)
    unreleased: set[int] = field(default_factory=set)

    def holders(self, packet_id: int, content: int) -> set[int]:
        earlier = self.before.get(packet_id)
        if earlier is None:
            return self.session.holders(packet_id, content)
        return earlier[1] if earlier[0] == content else set()

    def is_unreleased(self, packet_id: int) -> bool:
        return packet_id in self.unreleased or packet_id in self.session.unreleased


def recognise(
    published: Published,
    *,
    contents: npt.NDArray[np.int64],
    topics: Sequence[Topic],
    codes: npt.NDArray[np.intp],
    session: Session,
    number: Callable[[str], int],
    can_refuse: bool,
) -> Recognition:
    """Look each message up, if any is a repetition or of QoS 2.

    ``number`` gives a stream's number; ``can_refuse`` says whether the device's version can be told that a
    packet id is in use (3.1.1 cannot: there such a message counts as a repetition, as the standard says).
    """
    levels, repeated = published.flags & QOS_BITS, published.flags & DUP_FLAG
    if not (repeated.any() or (levels == 2).any()):
        session.rest()
        return Recognition()
    takers = [{number(stream) for stream in topic.streams} for topic in topics]
    batch, found = _Batch(session), Recognition()
    rows_of = {
        stream: np.flatnonzero((repeated > 0) & np.array([stream in taker for taker in takers])[codes])
        for stream in set[int]().union(*takers)
    }
    far = _far(rows_of, published, contents, session)
    columns = (published.packet_ids, levels, repeated, contents, codes)
    rows = zip(*(column.tolist() for column in columns), strict=True)
    for index, (packet_id, qos, dup, content, code) in enumerate(rows):
        if not qos:
            found.holders.append(set())
            continue
        holders = batch.holders(packet_id, content)
        held = holders if dup else set[int]()
        if qos == 2:
            if batch.is_unreleased(packet_id):
                held = takers[code]
                if can_refuse and not dup and not holders and held:
                    found.in_use.add(index)
            batch.unreleased.add(packet_id)
        if held and packet_id in batch.before:
            found.echoes.add(index)
        found.holders.append(held | far.get(index, _NOBODY))
        batch.before[packet_id] = (content, holders | takers[code])
    return found


def _far(
    rows_of: Mapping[int, npt.NDArray[np.intp]],
    published: Published,
    contents: npt.NDArray[np.int64],
    session: Session,
) -> dict[int, set[int]]:
    """Who holds repetitions that reach back beyond what packet ids tell apart, by the index of the message.

    ``rows_of`` has for each stream the indexes of what is repeated to it.
    """
    far: dict[int, set[int]] = {}
    for stream, rows in rows_of.items():
        held = session.held(stream, published.packet_ids[rows], contents[rows]) if rows.size else None
        for index in rows[held].tolist() if held is not None else ():
            far.setdefault(index, set()).add(stream)
    return far
