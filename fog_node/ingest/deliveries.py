"""From what a device published to what is journaled and answered. Pure: the caller appends and writes."""

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from typing import Final

import numpy as np
import numpy.typing as npt

from fog_node.ingest.packets import PUBACK, PUBREC, Answering, Reason
from fog_node.ingest.publish import Published, Topic
from fog_node.ingest.recognition import recognise
from fog_node.ingest.session import Session, Sessions, content_hashes
from fog_node.messages import QOS_BITS, RETAIN_FLAG, Messages

Mask = npt.NDArray[np.bool_]


@dataclass(frozen=True, slots=True, kw_only=True)
class Share:
    """The part of a batch that one stream takes."""

    stream: str
    messages: Messages | None
    """What is to be journaled; None when the journal holds all of it."""
    fresh: Mask
    """Which messages of the batch these are."""
    redelivered: int
    retained: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Answer:
    """What the device hears once the journal has answered."""

    data: bytes
    refused: int
    """Messages that no stream took because the journal was full."""
    unrouted: int
    """Messages that belong to no stream."""


class Deliveries:
    """One batch of one connection: sorted out when made, :meth:`settled` when its shares were appended."""

    def __init__(
        self,
        published: Published,
        *,
        session: Session,
        sessions: Sessions,
        client: str,
        codec: Answering,
        now_us: int,
        retained_is_old: bool = False,
    ) -> None:
        """``retained_is_old``: a message with the RETAIN flag repeats one of former days, as it does when a broker
        answers a new subscription; it is counted, not journaled.
        """
        self._published: Final = published
        self._session: Final = session
        self._sessions: Final = sessions
        self._codec: Final = codec
        self._client: Final = client
        self._now_us: Final = now_us
        self._old: Final = (published.flags & RETAIN_FLAG > 0) & retained_is_old
        self._qos: Final = published.flags & QOS_BITS
        topics, self._codes = _used_topics(published)
        self._texts: Final = [topic.text for topic in topics]
        self._contents: Final = content_hashes(self._texts, self._codes, published.payloads)
        self._known: Final = recognise(
            published,
            contents=self._contents,
            topics=topics,
            codes=self._codes,
            session=session,
            number=sessions.stream_number,
            can_refuse=codec.version == 5,
        )
        self.shares: Final = tuple(
            self._share(stream, _takers(stream, topics, self._codes))
            for stream in dict.fromkeys(stream for topic in topics for stream in topic.streams)
        )
        self._unrouted: Final = _takers(None, topics, self._codes)

    def __len__(self) -> int:
        return len(self._published)

    def _share(self, stream: str, takers: Mask) -> Share:
        published, known = self._published, self._known
        fresh = takers & ~self._old
        new, in_use = int(fresh.sum()), sum(bool(fresh[index]) for index in known.in_use)
        if known.holders:
            number = self._sessions.stream_number(stream)
            held = (number in holders for holders in known.holders)
            fresh = fresh & ~np.fromiter(held, np.bool_, len(takers))
            fresh[list(known.in_use)] = False
        count = int(fresh.sum())
        return Share(
            stream=stream,
            messages=self._messages(fresh, published.flags[fresh], count) if count else None,
            fresh=fresh,
            redelivered=new - count - in_use,
            retained=int(
                np.count_nonzero((fresh | takers & self._old) & (published.flags & RETAIN_FLAG > 0))
            ),
        )

    def _messages(self, fresh: Mask, flags: npt.NDArray[np.uint8], count: int) -> Messages:
        payloads = self._published.payloads
        if count < len(payloads):
            payloads = [payloads[index] for index in np.flatnonzero(fresh).tolist()]
        return Messages(
            arrival_us=self._now_us,
            client=self._client,
            topics=self._texts,
            topic_codes=self._codes[fresh],
            payloads=payloads,
            packet_ids=self._published.packet_ids[fresh],
            flags=flags.tobytes(),
            lengths=self._published.lengths[fresh],
        )

    def settled(self, refused: Collection[str] = ()) -> Answer:
        """Remember what the journal took, and say what the device is to hear.

        ``refused`` names the streams whose append was refused. A message that any of its streams took is
        acknowledged; the other stream counts it as refused.
        """
        taken = np.zeros(len(self), np.bool_)
        with_id = self._qos > 0
        for share in self.shares:
            if share.stream in refused:
                continue
            taken |= share.fresh
            rows = share.fresh & with_id
            if rows.any():
                ids = self._published.packet_ids[rows]
                number = self._sessions.stream_number(share.stream)
                self._session.remember(np.full(len(ids), number, np.uint16), ids, self._contents[rows])
        reasons = self._reasons(taken, refused)
        return Answer(
            data=self._replies(reasons),
            refused=int(np.count_nonzero(reasons == Reason.QUOTA_EXCEEDED)),
            unrouted=int(np.count_nonzero(self._unrouted)),
        )

    def _reasons(self, taken: Mask, refused: Collection[str]) -> npt.NDArray[np.uint8]:
        reasons = np.zeros(len(self), np.uint8)
        reasons[self._unrouted] = Reason.NO_MATCHING_SUBSCRIBERS
        if refused:
            for share in self.shares:
                if share.stream in refused:
                    reasons[share.fresh & ~taken] = Reason.QUOTA_EXCEEDED
            # What repeats a message of this very batch shares its fate.
            reasons[list(self._known.echoes)] = Reason.QUOTA_EXCEEDED
        reasons[list(self._known.in_use)] = Reason.PACKET_ID_IN_USE
        return reasons

    def _replies(self, reasons: npt.NDArray[np.uint8]) -> bytes:
        ids, qos = self._published.packet_ids, self._qos
        if not reasons.any() and not (qos > 1).any():
            ids = ids[qos == 1]
            frames = np.empty((len(ids), 4), np.uint8)
            frames[:, 0], frames[:, 1] = PUBACK << 4, 2
            frames[:, 2], frames[:, 3] = ids >> 8, ids & 0xFF
            return frames.tobytes()
        replies = []
        for packet_id, level, code in zip(ids.tolist(), qos.tolist(), reasons.tolist(), strict=True):
            if not level:
                continue
            reason = Reason(code)
            kind = PUBREC if level == 2 else PUBACK
            replies.append(self._codec.acknowledgement(kind, packet_id, reason))
            if level == 2 and reason < Reason.UNSPECIFIED:
                self._session.unreleased.add(packet_id)
        return b"".join(replies)


def _used_topics(published: Published) -> tuple[list[Topic], npt.NDArray[np.intp]]:
    """The topics that the batch uses, and codes into them: a connection's table may be much longer."""
    codes = published.topic_codes
    used = np.flatnonzero(np.bincount(codes, minlength=len(published.topics)))
    if len(used) == len(published.topics):
        return list(published.topics), codes
    renamed = np.empty(len(published.topics), np.intp)
    renamed[used] = np.arange(len(used))
    return [published.topics[index] for index in used.tolist()], renamed[codes]


def _takers(stream: str | None, topics: Sequence[Topic], codes: npt.NDArray[np.intp]) -> Mask:
    """Which messages go to the stream; with None, which go nowhere."""
    goes = [stream in t.streams if stream is not None else not t.streams for t in topics]
    takers: Mask = np.array(goes, np.bool_)[codes]
    return takers
