"""What an operator sent, taken apart only after a look at how much there is of it.

A parser makes an object of every field, and an empty one has two bytes on the wire: a message of 32 MiB, which is
allowed, could take more than a GiB.
"""

from collections.abc import Mapping
from typing import Final, TypeAlias

from google.protobuf.message import DecodeError

from fogline.v1 import operator_pb2
from fogline.wire.batch import MalformedBatch

FIELDS: Final = 1 << 18
"""Of one message, with those of its columns: as many texts an answer may have."""
SMALL: Final = 1 << 20
"""What fits into so many bytes is taken apart at once."""

_Inside: TypeAlias = Mapping[int, "_Inside"]
_RESPONSE: Final[_Inside] = {1: {}, 2: {4: {}}, 3: {}}
"""By number: the fields that are messages themselves."""
_VARINT, _EIGHT, _BYTES, _FOUR = 0, 1, 2, 5


def response_from_wire(raw: bytes) -> operator_pb2.ProcessResponse:
    """Decode a message, or raise :class:`MalformedBatch`."""
    if len(raw) > SMALL:
        _count(raw, 0, len(raw), _RESPONSE, FIELDS)
    try:
        return operator_pb2.ProcessResponse.FromString(raw)
    except DecodeError:
        raise MalformedBatch(f"{len(raw)} bytes that are no message of this protocol") from None


def _count(raw: bytes, at: int, end: int, inside: _Inside, left: int) -> int:
    """How many of ``left`` fields are left behind those of ``raw[at:end]``."""
    while at < end:
        left -= 1
        if left < 0:
            raise MalformedBatch(f"a message of more than {FIELDS} fields and texts")
        tag, at = _varint(raw, at, end)
        kind = tag & 7
        if kind == _BYTES:
            length, at = _varint(raw, at, end)
            within = inside.get(tag >> 3)
            if within is not None:
                left = _count(raw, at, min(at + length, end), within, left)
            at += length
        elif kind == _VARINT:
            _, at = _varint(raw, at, end)
        elif kind in (_EIGHT, _FOUR):
            at += 8 if kind == _EIGHT else 4
        else:
            raise MalformedBatch(f"{len(raw)} bytes that are no message of this protocol")
    return left


def _varint(raw: bytes, at: int, end: int) -> tuple[int, int]:
    """A number and where it ends; one that is cut off is whatever is there: the parser will say so."""
    number = shift = 0
    while at < end:
        byte = raw[at]
        at += 1
        number |= (byte & 0x7F) << shift
        if byte < 0x80:
            break
        shift += 7
        if shift >= 70:
            raise MalformedBatch(f"{len(raw)} bytes that are no message of this protocol")
    return number, at
