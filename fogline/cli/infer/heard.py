"""What was heard: messages as values, also out of a file."""

import json
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Final

from fogline.model.clock import from_datetime
from fogline.model.errors import InvalidInput

ARRIVALS: Final = ("at", "receivedTimestamp", "arrival", "tst")
"""Members under which a captured message may say when it came."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Message:
    """One MQTT delivery."""

    topic: str
    payload: bytes
    arrival_us: int
    qos: int = 0
    retain: bool = False


def read_lines(lines: Iterable[str], *, file: str, now_us: int) -> Iterator[Message]:
    """Read captured messages, a JSON object a line with ``topic`` and ``payload``: as ``fogline tap --json`` prints.

    A payload that is no text was captured as the value itself. Where no line says when it came, ``now_us`` holds.
    Raises :class:`InvalidInput` with the line that cannot be read.
    """
    for number, line in enumerate(lines, 1):
        if not line.strip():
            continue
        try:
            captured = json.loads(line)
            topic, payload = captured["topic"], captured["payload"]
            yield Message(
                topic=_text(topic),
                payload=_payload(payload, captured.get("encoding")),
                arrival_us=_arrival(captured, now_us),
                qos=int(captured.get("qos") or 0),
                retain=bool(captured.get("retain")),
            )
        except (ValueError, KeyError, TypeError, AttributeError) as error:
            raise InvalidInput(
                f"{file}:{number}: no captured message: {error}",
                hint='a line is {"topic": "...", "payload": "..."}, as `fogline tap --json` prints it',
            ) from None


def _text(topic: object) -> str:
    if not isinstance(topic, str):
        raise TypeError("the topic is no text")
    return topic


def _payload(value: Any, encoding: object) -> bytes:
    if not isinstance(value, str):
        return json.dumps(value).encode()
    return bytes.fromhex(value) if encoding == "hex" else value.encode()


def _arrival(captured: dict[str, Any], now_us: int) -> int:
    for name in ARRIVALS:
        value = captured.get(name)
        if isinstance(value, str):
            moment = datetime.fromisoformat(value)
            if moment.tzinfo is not None:
                return from_datetime(moment)
    return now_us
