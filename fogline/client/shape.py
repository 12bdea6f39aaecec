"""What the SDK's values are in JSON: the same on the command line and over HTTP."""

import dataclasses
import math
from collections.abc import Mapping, Sequence
from datetime import datetime
from enum import Enum
from functools import cache
from typing import Any, Final

from fogline.model.clock import from_datetime, to_rfc3339

TEXT_FIELDS: Final = frozenset({"payload"})
"""Fields of bytes that are mostly text and shown as such; others are written in hexadecimal."""


def shape_of(value: Any) -> Any:  # noqa: PLR0911 - one for each kind
    """A value as objects, lists, texts, numbers, truths and nulls; fields keep their names.

    Instants are RFC 3339 in UTC. A number that is not finite is null: JSON has none, and null says the same as SQL
    does where a number has no value. A field is left out where its value is None by default.
    """
    match value:
        case str() | bool() | int() | None:
            return value
        case float():
            return value if math.isfinite(value) else None
        case datetime():
            return to_rfc3339(from_datetime(value))
        case Enum():
            return value.value
        case bytes():
            return value.hex()
        case Mapping():
            return {name: shape_of(each) for name, each in value.items()}
        case _ if dataclasses.is_dataclass(value):
            return _object(value)
        case Sequence():
            return [shape_of(each) for each in value]
    raise TypeError(f"{type(value).__name__} has no shape in JSON")


def _object(value: Any) -> dict[str, Any]:
    shaped: dict[str, Any] = {}
    for name, omitted in _fields(value.__class__):
        each = getattr(value, name)
        if name in TEXT_FIELDS and isinstance(each, bytes):
            shaped[name] = each.decode("utf-8", "backslashreplace")
        elif each is not None or not omitted:
            shaped[name] = shape_of(each)
    return shaped


@cache
def _fields(kind: Any) -> tuple[tuple[str, bool], ...]:
    """Each field's name, and whether it is left out when it is None."""
    return tuple((field.name, field.default is None) for field in dataclasses.fields(kind))
