"""SenML JSON (RFC 8428): a pack of records becomes readings, one for each instant in it.

A record's value goes to the field or label whose path is the record's name, alone or behind the pack's base
name. A name that repeats at one instant begins another reading. The shape of the older drafts, an object with
the records in ``e``, is read as well, with numbers written as text, since devices in the field still send it.
"""

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any, Final

import msgspec

from fog_node.decode.rows import BAD_TIME, MALFORMED, WRONG_TYPE, DeadRow, RawRows
from fogline.model.plan import StreamSpec

ABSOLUTE_FROM: Final = 2**28
"""RFC 8428 4.5.3: smaller times are relative to now."""
MILLISECONDS_FROM: Final = 1e11
"""No time in seconds is meant to lie in the year 5138: older devices send milliseconds."""


@dataclass(slots=True, kw_only=True)
class _Reading:
    time: float | None
    """Seconds since 1970, negative or small ones relative to the arrival; None: the arrival itself."""
    values: dict[str, Any] = field(default_factory=dict)


class SenmlError(ValueError):
    """A pack that cannot be read, with the reason it is counted under."""

    def __init__(self, reason: str, detail: str) -> None:
        super().__init__(detail)
        self.reason: Final = reason


class SenmlFormat:
    """Reads SenML packs."""

    def __init__(self, spec: StreamSpec) -> None:
        self._fields: Final = [".".join(f.path) for f in spec.fields]
        self._labels: Final = [".".join(label.path) for label in spec.labels if label.path]
        self._decode: Final = msgspec.json.Decoder().decode

    def read(self, payloads: Sequence[bytes]) -> RawRows:
        rows = RawRows(
            times=[], fields=[[] for _ in self._fields], labels=[[] for _ in self._labels], messages=[]
        )
        messages: list[int] = []
        for index, payload in enumerate(payloads):
            try:
                readings = self._readings(payload)
            except SenmlError as error:
                rows.dead.append(DeadRow(message=index, reason=error.reason, detail=str(error)))
                continue
            for reading in readings:
                rows.times.append(reading.time)
                for values, name in zip(rows.fields, self._fields, strict=True):
                    values.append(reading.values.get(name))
                for values, name in zip(rows.labels, self._labels, strict=True):
                    values.append(reading.values.get(name))
            messages.extend([index] * len(readings))
        rows.messages = messages
        return rows

    def _readings(self, payload: bytes) -> list[_Reading]:
        try:
            pack = self._decode(payload)
        except (msgspec.MsgspecError, UnicodeDecodeError, RecursionError) as error:
            raise SenmlError(MALFORMED, str(error)) from None
        draft = isinstance(pack, dict)
        records = _draft_records(pack) if draft else pack
        if not isinstance(records, list):
            raise SenmlError(MALFORMED, "a SenML pack is an array of records")
        return _resolve(records, draft=draft)


def _draft_records(pack: dict[str, Any]) -> Any:
    records = pack.get("e")
    if not isinstance(records, list) or not all(isinstance(r, dict) for r in records):
        return None
    base = {name: pack[name] for name in ("bn", "bt", "bv") if name in pack}
    return [{**base, **records[0]}, *records[1:]] if records else []


def _resolve(records: list[Any], *, draft: bool) -> list[_Reading]:
    """Apply base fields to the records behind them, and gather the values by instant."""
    base_name, base_time, base_value = "", 0.0, 0.0
    readings: dict[float | None, _Reading] = {}
    done: list[_Reading] = []
    for record in records:
        if not isinstance(record, dict):
            raise SenmlError(MALFORMED, "a SenML record is an object")
        base_name = _text(record.get("bn", base_name), "bn")
        base_time = _seconds(record["bt"], "bt", draft=draft) if "bt" in record else base_time
        if "bv" in record and not isinstance(record["bv"], bool):  # in the drafts a record's bv is its value
            base_value = _number(record["bv"], "bv", draft=draft)
        name = _text(record.get("n", ""), "n")
        value = _value(record, base_value, draft=draft)
        time = base_time + (_seconds(record["t"], "t", draft=draft) if "t" in record else 0.0)
        key = time or None
        reading = readings.setdefault(key, _Reading(time=key))
        if name in reading.values:
            done.append(reading)
            reading = readings[key] = _Reading(time=key)
        reading.values |= {"bn": base_name or None, name: value, base_name + name: value}
    return [*done, *readings.values()]


def _value(record: dict[str, Any], base: float, *, draft: bool) -> Any:
    if "v" in record:
        return _number(record["v"], "v", draft=draft) + base
    for text in ("vs", "sv"):
        if text in record:
            return _text(record[text], text)
    flag = record.get("vb", record.get("bv") if draft else None)
    return int(flag) if isinstance(flag, bool) else None


def _text(value: Any, name: str) -> str:
    if not isinstance(value, str):
        raise SenmlError(WRONG_TYPE, f"SenML's {name} is a text, not {type(value).__name__}")
    return value


def _number(value: Any, name: str, *, draft: bool) -> float:
    if draft and isinstance(value, str):
        try:
            value = float(value)
        except ValueError:
            raise SenmlError(WRONG_TYPE, f"SenML's {name} is a number, not {value[:40]!r}") from None
    if isinstance(value, bool) or not isinstance(value, int | float):
        raise SenmlError(WRONG_TYPE, f"SenML's {name} is a number, not {type(value).__name__}")
    try:
        return float(value)
    except OverflowError:
        raise SenmlError(BAD_TIME if name in ("t", "bt") else WRONG_TYPE, f"{name} is too large") from None


def _seconds(value: Any, name: str, *, draft: bool) -> float:
    seconds = _number(value, name, draft=draft)
    return seconds / 1000 if abs(seconds) >= MILLISECONDS_FROM else seconds
