"""Parts survive the wire, and nothing else than a part does."""

import contextlib
from collections.abc import Callable

import numpy as np
import pytest
from google.protobuf.message import DecodeError
from hypothesis import given, settings
from hypothesis import strategies as st

from fogline.engine.merge import merge, mergeable
from fogline.engine.state import OpaqueState, PartState
from fogline.model.errors import MalformedPart
from fogline.model.part import Contribution, Origin, Part
from fogline.testing.lane import state_of
from fogline.testing.parts import parts
from fogline.v1 import types_pb2, uplink_pb2
from fogline.wire.origins import OriginNumbers
from fogline.wire.part import part_from_wire, part_to_wire

ORIGIN = Origin(tenant="main", node="n", stream="s", epoch=b"e" * 16)


def encoded(part: Part[PartState], numbers: OriginNumbers) -> uplink_pb2.Part:
    numbers.name(c.origin for c in part.contributions)
    return part_to_wire(part, numbers, lane=1, round_=2)


def good() -> tuple[uplink_pb2.Part, OriginNumbers]:
    contribution = Contribution(origin=ORIGIN, start=0, first=3, end=5)
    numbers = OriginNumbers()
    message = encoded(Part(contributions=(contribution,), state=state_of(contribution)), numbers)
    sparse = message.tables[0].states.add(name="p99", kind="map_add")
    sparse.lengths = np.array([2, 1], dtype="<u4").tobytes()
    sparse.indexes = np.array([1, 4, 2], dtype="<i4").tobytes()
    sparse.values = np.array([1, 1, 1], dtype="<i8").tobytes()
    message.counts.add(stream="s", step="each", term=types_pb2.ReadingCount.TERM_COUNTED, readings=2)
    return message, numbers


@given(parts())
def test_a_part_comes_out_as_it_went_in(part: Part[PartState]) -> None:
    numbers = OriginNumbers()
    message = encoded(part, numbers)
    back = part_from_wire(uplink_pb2.Part.FromString(message.SerializeToString()), numbers)
    assert back.contributions == part.contributions
    assert back.state.counts == part.state.counts
    again = part_to_wire(back, numbers, lane=1, round_=2)
    assert again.SerializeToString(deterministic=True) == message.SerializeToString(deterministic=True)


@settings(max_examples=300)
@given(part=parts(), at=st.integers(0), byte=st.integers(0, 255), cut=st.booleans())
def test_a_part_with_a_broken_byte_is_read_or_refused(
    part: Part[PartState], at: int, byte: int, *, cut: bool
) -> None:
    numbers = OriginNumbers()
    raw = bytearray(encoded(part, numbers).SerializeToString())
    raw[at % len(raw)] = byte
    if cut:
        del raw[at % len(raw) :]
    with contextlib.suppress(DecodeError, MalformedPart):
        state = part_from_wire(uplink_pb2.Part.FromString(bytes(raw)), numbers).state
        if mergeable(state, state):
            merge(state, state)


@given(raw=st.binary(max_size=200))
def test_random_bytes_are_read_or_refused(raw: bytes) -> None:
    with contextlib.suppress(DecodeError, MalformedPart):
        part_from_wire(uplink_pb2.Part.FromString(raw), OriginNumbers())


def test_an_unknown_kind_is_kept_as_it_came() -> None:
    message, numbers = good()
    message.tables[0].states.add(name="t", kind="tdigest", values=b"abc", indexes=b"d", parameters={"k": 2.0})
    state = part_from_wire(message, numbers).state.tables[0].states[2]
    assert state == OpaqueState(name="t", kind="tdigest", values=b"abc", indexes=b"d", parameters={"k": 2.0})


def _contribution(**fields: object) -> Callable[[uplink_pb2.Part], None]:
    def change(message: uplink_pb2.Part) -> None:
        for name, value in fields.items():
            setattr(message.contributions[0], name, value)

    return change


def _table(**fields: object) -> Callable[[uplink_pb2.Part], None]:
    def change(message: uplink_pb2.Part) -> None:
        for name, value in fields.items():
            setattr(message.tables[0], name, value)

    return change


def _state(index: int, **fields: object) -> Callable[[uplink_pb2.Part], None]:
    def change(message: uplink_pb2.Part) -> None:
        for name, value in fields.items():
            setattr(message.tables[0].states[index], name, value)

    return change


def _key(**fields: object) -> Callable[[uplink_pb2.Part], None]:
    def change(message: uplink_pb2.Part) -> None:
        for name, value in fields.items():
            setattr(message.tables[0].keys[0], name, value)

    return change


U32 = "<u4"
MISTAKES: list[tuple[Callable[[uplink_pb2.Part], object], str]] = [
    (lambda m: m.contributions.clear(), "which messages"),
    (_contribution(origin=9), "origin number 9 was not named"),
    (_contribution(end=2), "first 3, end 2 do not ascend"),
    (_contribution(start=4), "start 4, first 3, end 5 do not ascend"),
    (_contribution(end=2**63), "do not ascend"),
    (_contribution(gap_reason="x" * 65), "at most 64 bytes"),
    (_contribution(gap_reason="quota"), "a gap that carries state"),
    (_contribution(end=3), "a part without messages that carries state"),
    (_contribution(end=3, gap_reason="quota"), "a gap without messages"),
    (lambda m: m.contributions.append(m.contributions[0]), "two contributions of one origin"),
    (lambda m: m.tables.append(m.tables[0]), "two tables of one step"),
    (_table(step=""), "without the name of its step"),
    (_table(pane_width_us=0), "table 'each': a pane's width is above 0, not 0"),
    (_table(rows=3), "table 'each', key 'origin': 8 bytes, where 3 values need 12"),
    (_table(pane_start_us=b"1234567"), "table 'each': pane_start_us: 7 bytes"),
    (_key(codes=np.array([0, 1], dtype=U32).tobytes()), "key 'origin': a code beyond the dictionary's 1"),
    (lambda m: m.tables[0].keys[0].dictionary.append("n/65656565"), "two dictionary entries"),
    (lambda m: m.tables[0].keys.append(m.tables[0].keys[0]), "two keys"),
    (lambda m: m.tables[0].states.append(m.tables[0].states[1]), "two states"),
    (lambda m: m.tables[0].states.pop(0), "the first state is 'readings'"),
    (_state(0, values=np.array([1, -1], dtype="<i8").tobytes()), "fewer than 0 readings"),
    (_state(0, lengths=b"1234"), "neither lengths nor indexes"),
    (_state(0, kind=""), "needs a name and a kind"),
    (_state(1, lengths=np.array([2, 2], dtype=U32).tobytes()), "state 'p99', indexes: 12 bytes"),
    (_state(1, values=b""), "state 'p99', values: 0 bytes, where 3 values need 24"),
    (_state(1, indexes=np.array([4, 1, 2], dtype="<i4").tobytes()), "indexes of a row do not ascend"),
    (_state(1, indexes=np.array([1, 1, 2], dtype="<i4").tobytes()), "indexes of a row do not ascend"),
    (lambda m: m.counts.append(m.counts[0]), "counted '' stands twice"),
    (lambda m: setattr(m.counts[0], "term", 0), "there is no term 0"),
    (lambda m: setattr(m.counts[0], "term", 77), "there is no term 77"),
    (lambda m: setattr(m.counts[0], "readings", -1), "-1 readings"),
]


@pytest.mark.parametrize(("mistake", "message"), MISTAKES, ids=[message for _, message in MISTAKES])
def test_each_contradiction_is_refused_with_its_place(
    mistake: Callable[[uplink_pb2.Part], object], message: str
) -> None:
    part, numbers = good()
    part_from_wire(part, numbers)
    mistake(part)
    with pytest.raises(MalformedPart) as caught:
        part_from_wire(part, numbers)
    assert message in str(caught.value)


@pytest.mark.parametrize("kind", ["min_f64", "max_f64", "sum_f64"])
def test_only_a_sum_may_be_nan_and_whatever_is_read_merges_without_a_warning(kind: str) -> None:
    message, numbers = good()
    rows = message.tables[0].rows
    column = message.tables[0].states.add(name="low", kind=kind)
    for number, is_read in ((np.inf, True), (-np.inf, True), (np.nan, kind == "sum_f64")):
        column.values = np.full(rows, number).tobytes()
        if is_read:
            state = part_from_wire(message, numbers).state
            assert merge(state, state).tables[0].rows
        else:
            with pytest.raises(MalformedPart, match=f"state 'low': a {kind} is never NaN"):
                part_from_wire(message, numbers)


def test_a_gap_stands_alone() -> None:
    other = Origin(tenant="main", node="n2", stream="s", epoch=b"e" * 16)
    gap = Contribution(origin=ORIGIN, start=0, first=0, end=5, gap="quota")
    data = Contribution(origin=other, start=0, first=0, end=5)
    numbers = OriginNumbers()
    message = encoded(Part(contributions=(gap,), state=PartState()), numbers)
    assert part_from_wire(message, numbers).is_gap
    with pytest.raises(MalformedPart, match="part of its own"):
        part_from_wire(encoded(Part(contributions=(gap, data), state=PartState()), numbers), numbers)
