"""An operator's message is looked through before it is taken apart."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from fogline.v1 import operator_pb2
from fogline.wire import response
from fogline.wire.batch import MalformedBatch
from fogline.wire.response import FIELDS, SMALL, response_from_wire

TOO_MANY = "more than 262144 fields and texts"


def rows(texts: int, *, columns: int = 1, size: int = 4) -> bytes:
    column = operator_pb2.BatchColumn(name="zone", type="text", dictionary=["x" * size] * texts)
    message = operator_pb2.BatchRows(id=1, rows=1, columns=[column] * columns)
    return operator_pb2.ProcessResponse(rows=message).SerializeToString()


def test_what_there_is_room_for_is_taken() -> None:
    assert len(response_from_wire(rows(100_000, columns=2)).rows.columns) == 2
    reason = "x" * (2 * SMALL)
    error = operator_pb2.ProcessResponse(error=operator_pb2.BatchError(id=7, reason=reason))
    assert response_from_wire(error.SerializeToString()).error.id == 7


@pytest.mark.parametrize(
    "raw",
    [
        rows(FIELDS),
        rows(FIELDS // 2, columns=2),
        rows(0, columns=FIELDS),
        operator_pb2.ProcessResponse(
            greeting=operator_pb2.OperatorGreeting(protocol=1, columns=["column"] * FIELDS)
        ).SerializeToString(),
    ],
    ids=["texts", "texts of columns", "columns", "wanted"],
)
def test_what_would_take_far_more_memory_than_bytes_is_refused(raw: bytes) -> None:
    with pytest.raises(MalformedBatch, match=TOO_MANY):
        response_from_wire(raw)


def test_fields_that_nobody_knows_are_counted_too() -> None:
    with pytest.raises(MalformedBatch, match=TOO_MANY):
        response_from_wire(b"\x78\x01" * SMALL)


@pytest.mark.parametrize("raw", [b"\xff" * 9, b"\x0b" * 4, b"\x12\x05a", b"\x1a\x03\x12\x01\xff"])
def test_other_bytes_are_named(raw: bytes) -> None:
    for many in (raw, raw + bytes(2 * SMALL), raw + b"\xff" * (2 * SMALL)):
        with pytest.raises(
            MalformedBatch, match=r"bytes that are no message of this protocol|fields and texts"
        ):
            response_from_wire(many)


@given(st.binary(max_size=200))
def test_the_look_lets_nothing_through_that_the_parser_refuses_and_stops_nothing_else(raw: bytes) -> None:
    def outcome(small: int) -> object:
        with pytest.MonkeyPatch.context() as patch:
            patch.setattr(response, "SMALL", small)
            try:
                return response_from_wire(raw)
            except MalformedBatch:
                return None

    looked, parsed = outcome(0), outcome(1000)
    # A group is the one thing that the parser takes and the look does not: nobody writes them any more.
    assert looked in (parsed, None)
    assert looked is None or looked == parsed
