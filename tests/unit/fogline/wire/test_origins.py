import pytest

from fogline.model.errors import MalformedPart
from fogline.model.part import Origin
from fogline.v1 import types_pb2, uplink_pb2
from fogline.wire.origins import OriginNumbers, origin_from_wire, origin_to_wire

A = Origin(tenant="main", node="a", stream="s", epoch=b"a" * 16)
B = Origin(tenant="main", node="b", stream="s", epoch=b"b" * 16)


def test_both_sides_know_the_same_origins_by_the_same_numbers() -> None:
    sender, receiver = OriginNumbers(), OriginNumbers()
    for message in sender.name([A, B]):
        receiver.learn(message)
    offsets = {A: 5, B: 7}
    assert sender.offsets_from_wire(receiver.offsets_to_wire(offsets)) == offsets


def test_an_origin_is_named_once() -> None:
    sender = OriginNumbers()
    assert len(sender.name([A, B, A])) == 2
    assert sender.name([A, B]) == []


def test_offsets_of_origins_that_the_other_side_never_named_are_left_out() -> None:
    numbers = OriginNumbers()
    numbers.name([A])
    assert [o.offset for o in numbers.offsets_to_wire({A: 5, B: 7})] == [5]


def test_a_number_or_an_origin_that_comes_twice_is_refused() -> None:
    numbers = OriginNumbers()
    numbers.learn(uplink_pb2.OriginName(number=1, origin=origin_to_wire(A)))
    for number, origin in ((1, B), (2, A)):
        with pytest.raises(MalformedPart, match="named before"):
            numbers.learn(uplink_pb2.OriginName(number=number, origin=origin_to_wire(origin)))


@pytest.mark.parametrize(
    ("fields", "message"),
    [
        ({"tenant": ""}, "without tenant"),
        ({"node": ""}, "without node"),
        ({"stream": ""}, "without stream"),
        ({"node": "é" * 129}, "longer than 256 bytes"),
        ({"epoch": b"short"}, "16 bytes, not 5"),
    ],
)
def test_an_origin_without_a_proper_name_is_refused(fields: dict[str, str], message: str) -> None:
    wire = types_pb2.Origin(tenant="main", node="n", stream="s", epoch=b"e" * 16)
    for name, value in fields.items():
        setattr(wire, name, value)
    with pytest.raises(MalformedPart, match=message):
        origin_from_wire(wire)
