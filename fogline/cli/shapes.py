"""The JSON that commands print: one object a line, kept stable (docs/cli.md)."""

import json
from typing import Any

from fogline.client.shape import shape_of


def line(value: Any) -> str:
    """Make one line of JSON of a value of the SDK, or of a mapping."""
    return json.dumps(shape_of(value), ensure_ascii=False, allow_nan=False) + "\n"


def members(value: Any) -> dict[str, Any]:
    """Shape a value of the SDK as an object that takes further members."""
    shaped: dict[str, Any] = shape_of(value)
    return shaped
