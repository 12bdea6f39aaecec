"""Payloads that are one bare number as text, such as ``21.5``. The stream has one field."""

from collections.abc import Sequence
from typing import Final

from fog_node.decode.rows import MALFORMED, DeadRow, RawRows

LONGEST: Final = 64
"""Bytes; no number that means something is longer, and int() of a long text is slow."""


class NumberFormat:
    """Reads bare numbers."""

    def read(self, payloads: Sequence[bytes]) -> RawRows:
        values: list[int | float] = []
        messages: list[int] = []
        dead: list[DeadRow] = []
        for index, payload in enumerate(payloads):
            try:
                value = _number(payload)
            except ValueError as error:
                dead.append(DeadRow(message=index, reason=MALFORMED, detail=str(error)))
            else:
                values.append(value)
                messages.append(index)
        return RawRows(times=[], fields=[values], labels=[], messages=messages, dead=dead)


def _number(payload: bytes) -> int | float:
    if len(payload) > LONGEST:
        raise ValueError(f"{len(payload)} bytes are no number; at most {LONGEST} are read")
    text = payload.decode("ascii", "strict").strip() if payload.isascii() else ""
    if not text or "_" in text:  # Python reads 1_000; no sensor means it
        raise ValueError(f"{payload!r} is no number")
    try:
        return int(text)
    except ValueError:
        return float(text)
