"""The JSON of the SDK's values."""

import math
from dataclasses import dataclass
from datetime import UTC, datetime
from enum import Enum

import pytest

from fogline.client.shape import shape_of


class Colour(Enum):
    RED = "red"


@dataclass(frozen=True, kw_only=True)
class Value:
    at: datetime = datetime(2026, 1, 31, 12, 0, 0, 500_000, tzinfo=UTC)
    colour: Colour = Colour.RED
    payload: bytes = b'{"t": \xff'
    incarnation: bytes = b"\x01\xff"
    required: int | None
    optional: str | None = None
    numbers: tuple[float, ...] = (1.5, math.nan, math.inf)


def test_a_value_is_shaped_by_its_fields() -> None:
    assert shape_of([Value(required=None)]) == [
        {
            "at": "2026-01-31T12:00:00.500000Z",
            "colour": "red",
            "payload": '{"t": \\xff',
            "incarnation": "01ff",
            "required": None,
            "numbers": [1.5, None, None],
        }
    ]
    assert shape_of({"key": {"zone": None}, "truth": False}) == {"key": {"zone": None}, "truth": False}


def test_what_has_no_shape_is_refused() -> None:
    with pytest.raises(TypeError, match="complex"):
        shape_of(1j)
