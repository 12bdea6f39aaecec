"""One stream's decoder: a block of messages in, readings out, every reading that is not used counted by
reason.
"""

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from itertools import accumulate
from typing import Final

import numpy as np
import structlog
from numpy.typing import NDArray

from fog_node.decode.columns import number_column, text_column, topic_column
from fog_node.decode.json_format import JsonFormat
from fog_node.decode.number_format import NumberFormat
from fog_node.decode.rows import (
    DECODER_FAILED,
    FROM_THE_FUTURE,
    REASONS,
    TOO_OLD,
    DeadRow,
    PayloadFormat,
    RawRows,
    Verdicts,
    verdict,
)
from fog_node.decode.senml_format import ABSOLUTE_FROM, SenmlFormat
from fog_node.decode.timestamps import read_times
from fog_node.ingest.topics import Template
from fog_node.messages import Block
from fogline.engine.batch import Batch, BatchColumn, concat
from fogline.model.clock import NEVER
from fogline.model.plan import FOR_EVER, StreamSpec

_log: structlog.stdlib.BoundLogger = structlog.get_logger(__name__)

LETTERS_A_BLOCK: Final = 4
"""Dead readings of one block that are kept for inspection; all are counted."""


@dataclass(frozen=True, slots=True, kw_only=True)
class DeadRead:
    """A dead reading with what a person needs to see why."""

    stream: str
    reason: str
    topic: str
    payload: bytes
    detail: str
    arrival_us: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Decoded:
    """A block's readings. ``decoded`` = rows of the batch + dead + too_late."""

    batch: Batch
    messages: NDArray[np.int64]
    """For each reading the index of its message in the block."""
    arrival_us: NDArray[np.int64]
    """For each reading its message's arrival."""
    decoded: int
    dead: Mapping[str, int]
    too_late: Mapping[str, int]
    latest_us: int
    """The greatest event time among the readings, or NEVER."""
    letters: tuple[DeadRead, ...]


def together(decoded: Sequence[Decoded], messages: Sequence[int]) -> Decoded:
    """The readings of blocks that follow each other, as of one block; ``messages``: how many each block has."""
    if len(decoded) == 1:
        return decoded[0]
    before = [0, *accumulate(messages)]
    dead, too_late = Counter[str](), Counter[str]()
    for one in decoded:
        dead.update(one.dead)
        too_late.update(one.too_late)
    return Decoded(
        batch=concat([one.batch for one in decoded]),
        messages=np.concatenate([one.messages + skip for one, skip in zip(decoded, before, strict=False)]),
        arrival_us=np.concatenate([one.arrival_us for one in decoded]),
        decoded=sum(one.decoded for one in decoded),
        dead=dict(dead),
        too_late=dict(too_late),
        latest_us=max(one.latest_us for one in decoded),
        letters=tuple(letter for one in decoded for letter in one.letters)[-LETTERS_A_BLOCK:],
    )


class StreamDecoder:
    """Decodes the blocks of one stream as a plan sees it. Pure: the same block always gives the same
    readings.
    """

    def __init__(self, spec: StreamSpec, *, keep_us: int, disorder_us: int) -> None:
        self.spec: Final = spec
        self._keep_us: Final = keep_us
        self._disorder_us: Final = disorder_us
        self._format: Final[PayloadFormat] = _format(spec)
        self._template: Final = Template(spec.topic)

    def decode(self, block: Block) -> Decoded:
        """All readings of a block, in the order of its messages."""
        try:
            return self._decode(block)
        except Exception as error:  # noqa: BLE001  # one poison message must not end the node, again and again
            _log.error("the decoder broke on a block", stream=self.spec.name, exc_info=error)
            return self._decode_apart(block)

    def _decode_apart(self, block: Block) -> Decoded:
        """The same without the messages that break the decoder; those are dead."""
        poison = [index for index in range(len(block)) if self._breaks(_only(block, np.array([index])))]
        good = np.setdiff1d(np.arange(len(block)), poison)
        decoded = self._decode(_only(block, good))
        rows = [
            DeadRow(message=index, reason=DECODER_FAILED, detail="see the node's log") for index in poison
        ]
        return replace(
            decoded,
            messages=good[decoded.messages],
            decoded=decoded.decoded + len(poison),
            dead={**decoded.dead, DECODER_FAILED: len(poison)},
            letters=tuple(self._letter(block, row) for row in rows[:LETTERS_A_BLOCK]),
        )

    def _breaks(self, message: Block) -> bool:
        try:
            self._decode(message)
        except Exception:  # noqa: BLE001  # logged with the block; here only which message it was
            return True
        return False

    def _decode(self, block: Block) -> Decoded:
        raw = self._format.read(block.payloads)
        messages = _indexes(raw.messages)
        arrival = block.arrival_us[messages]
        times, verdicts = self._times(raw, arrival)
        columns: dict[str, BatchColumn] = {}
        for field, values in zip(self.spec.fields, raw.fields, strict=True):
            columns[field.name] = number_column(values, field, verdicts)
        columns |= self._labels(raw, block, messages)
        self._judge_times(times, arrival, verdicts)
        rows = Batch(rows=len(times), time_us=times, columns=columns)
        dead = list(raw.dead)
        judged = verdicts.any()
        if judged:
            dead += [
                DeadRow(message=int(messages[row]), reason=REASONS[verdicts[row]], detail="")
                for row in np.flatnonzero(verdicts)
            ]
            alive = np.flatnonzero(verdicts == 0)
            rows, messages, arrival = rows.take(alive), messages[alive], arrival[alive]
        reasons = Counter(row.reason for row in dead)
        late = {TOO_OLD: reasons.pop(TOO_OLD)} if TOO_OLD in reasons else {}
        return Decoded(
            batch=rows,
            messages=messages,
            arrival_us=arrival,
            decoded=len(times) + len(raw.dead),
            dead=dict(reasons),
            too_late=late,
            latest_us=int(rows.time_us.max()) if rows.rows else NEVER,
            letters=tuple(self._letter(block, row) for row in dead[:LETTERS_A_BLOCK]),
        )

    def _times(self, raw: RawRows, arrival: NDArray[np.int64]) -> tuple[NDArray[np.int64], Verdicts]:
        if self.spec.format == "senml":
            return _senml_times(raw, arrival)
        if self.spec.time is None:
            return arrival, np.zeros(len(arrival), dtype=np.uint8)
        return read_times(raw.times, self.spec.time.unit)

    def _labels(self, raw: RawRows, block: Block, messages: NDArray[np.int64]) -> dict[str, BatchColumn]:
        columns: dict[str, BatchColumn] = {}
        from_payload = iter(raw.labels)
        topics = [self._template.match(topic) or () for topic in block.topics]
        for label in self.spec.labels:
            if label.path:
                columns[label.name] = text_column(next(from_payload))
            else:
                level = self._template.labels.index(label.name)
                # The template of an earlier plan may have let in a topic that this one does not match.
                values = [labels[level] if labels else None for labels in topics]
                columns[label.name] = topic_column(values, block.topic_codes, messages)
        return columns

    def _judge_times(self, times: NDArray[np.int64], arrival: NDArray[np.int64], verdicts: Verdicts) -> None:
        """Mark what lies in the future and what is too old.

        By the journaled arrival, never by the clock: a replay must judge as the first reading did.
        """
        ahead = times > arrival + self._disorder_us
        verdicts[ahead & (verdicts == 0)] = verdict(FROM_THE_FUTURE)
        if self._keep_us != FOR_EVER:
            behind = times < arrival - self._keep_us
            verdicts[behind & (verdicts == 0)] = verdict(TOO_OLD)

    def _letter(self, block: Block, row: DeadRow) -> DeadRead:
        return DeadRead(
            stream=self.spec.name,
            reason=row.reason,
            topic=block.topics[block.topic_codes[row.message]],
            payload=block.payloads[row.message][:256],
            detail=row.detail,
            arrival_us=int(block.arrival_us[row.message]),
        )


def _only(block: Block, indexes: NDArray[np.int64]) -> Block:
    """Some messages of a block, as far as decoding looks at them."""
    return replace(
        block,
        payloads=[block.payloads[index] for index in indexes],
        arrival_us=block.arrival_us[indexes],
        topic_codes=block.topic_codes[indexes],
    )


def _indexes(messages: Sequence[int]) -> NDArray[np.int64]:
    if isinstance(messages, range):  # every message is one reading: numpy would walk the range in Python
        return np.arange(messages.start, messages.stop, dtype=np.int64)
    return np.asarray(messages, dtype=np.int64)


def _format(spec: StreamSpec) -> PayloadFormat:
    match spec.format:
        case "json":
            return JsonFormat(spec)
        case "senml":
            return SenmlFormat(spec)
        case "number":
            return NumberFormat()


def _senml_times(raw: RawRows, arrival: NDArray[np.int64]) -> tuple[NDArray[np.int64], Verdicts]:
    """A pack's times in seconds; small ones are relative to the arrival, as RFC 8428 says of "now"."""
    seconds = [0.0 if time is None else time for time in raw.times]
    relative = np.array([abs(time) < ABSOLUTE_FROM for time in seconds], dtype=np.bool_)
    times, verdicts = read_times(seconds, "s")
    return times + np.where(relative, arrival, 0), verdicts
