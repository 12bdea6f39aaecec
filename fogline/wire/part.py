"""Parts on the wire: encoding, and decoding that believes nothing."""

from typing import Final

from fogline.engine.state import PartState
from fogline.model.errors import MalformedPart
from fogline.model.part import Contribution, Part
from fogline.v1 import types_pb2, uplink_pb2
from fogline.wire.origins import OriginNumbers
from fogline.wire.state import counts_from_wire, counts_to_wire, table_from_wire, table_to_wire

MAX_CONTRIBUTIONS: Final = 20_000
MAX_TABLES: Final = 1_000
MAX_OFFSET: Final = 2**63 - 1
MAX_REASON_BYTES: Final = 64


def part_to_wire(part: Part[PartState], origins: OriginNumbers, *, lane: int, round_: int) -> uplink_pb2.Part:
    """Encode a part for one lane. Its origins must have been named (:meth:`OriginNumbers.name`)."""
    return uplink_pb2.Part(
        lane=lane,
        round=round_,
        contributions=[_contribution_to_wire(c, origins) for c in part.contributions],
        tables=[table_to_wire(table) for table in part.state.tables],
        counts=counts_to_wire(part.state.counts),
    )


def part_from_wire(message: uplink_pb2.Part, origins: OriginNumbers) -> Part[PartState]:
    """Decode a part. Raises :class:`MalformedPart`, with the place, for whatever contradicts the protocol."""
    if not message.contributions:
        raise MalformedPart("a part must say which messages it stands for")
    if len(message.contributions) > MAX_CONTRIBUTIONS:
        raise MalformedPart(
            f"{len(message.contributions)} contributions; at most {MAX_CONTRIBUTIONS} fit a part"
        )
    if len(message.tables) > MAX_TABLES:
        raise MalformedPart(f"{len(message.tables)} tables; at most {MAX_TABLES} fit a part")
    contributions = tuple(
        _contribution_from_wire(index, c, origins) for index, c in enumerate(message.contributions)
    )
    if len({c.origin for c in contributions}) != len(contributions):
        raise MalformedPart("two contributions of one origin in one part")
    tables = tuple(table_from_wire(table) for table in message.tables)
    if len({table.step for table in tables}) != len(tables):
        raise MalformedPart("two tables of one step in one part")
    part = Part(
        contributions=contributions, state=PartState(tables=tables, counts=counts_from_wire(message.counts))
    )
    _check_stateless(part)
    return part


def _check_stateless(part: Part[PartState]) -> None:
    """A part without messages, or of dropped ones, has nothing that a state could stand for."""
    if part.is_gap and len(part.contributions) > 1:
        raise MalformedPart("a gap travels in a part of its own, and this part has further contributions")
    if (part.is_gap or part.is_empty) and (part.state.tables or part.state.counts):
        kind = "gap" if part.is_gap else "part without messages"
        raise MalformedPart(f"a {kind} that carries state")


def _contribution_to_wire(contribution: Contribution, origins: OriginNumbers) -> types_pb2.Contribution:
    return types_pb2.Contribution(
        origin=origins.number(contribution.origin),
        start=contribution.start,
        first=contribution.first,
        end=contribution.end,
        gap_reason=contribution.gap,
        watermark_us=contribution.watermark,
        closed=contribution.closed,
    )


def _contribution_from_wire(
    index: int, message: types_pb2.Contribution, origins: OriginNumbers
) -> Contribution:
    origin = origins.origin(message.origin)
    if not message.start <= message.first <= message.end <= MAX_OFFSET:
        raise MalformedPart(
            f"contribution {index} ({origin}):"
            f" start {message.start}, first {message.first}, end {message.end} do not ascend"
        )
    if len(message.gap_reason.encode()) > MAX_REASON_BYTES:
        raise MalformedPart(
            f"contribution {index} ({origin}): a gap's reason has at most {MAX_REASON_BYTES} bytes"
        )
    if message.gap_reason and message.first == message.end:
        raise MalformedPart(f"contribution {index} ({origin}): a gap without messages")
    return Contribution(
        origin=origin,
        start=message.start,
        first=message.first,
        end=message.end,
        gap=message.gap_reason,
        watermark=message.watermark_us,
        closed=message.closed,
    )
