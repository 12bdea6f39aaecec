"""``fogline tap``: live messages, for a person or a program."""

import json
import sys
from collections import deque
from collections.abc import Iterator
from itertools import islice
from typing import Any, Final

from rich import markup

from fogline.cli import shapes
from fogline.cli.access import Access
from fogline.cli.exits import reported
from fogline.cli.infer.heard import Message
from fogline.cli.listening import Listener
from fogline.cli.markup import escape
from fogline.cli.tables import make_console
from fogline.model.clock import SECOND, to_datetime, to_rfc3339

LONGEST: Final = 4_000
"""Characters of a payload that a person is shown."""
RATE_OVER_US: Final = 5 * SECOND


def tap(url: str, topic: str, access: Access, *, count: int | None, as_json: bool) -> None:
    """Show messages until there were so many, or until Ctrl-C."""
    with reported(), Listener(url, topic, access) as listener:
        messages: Iterator[Message] = islice(listener.messages(within=None), count)
        if as_json:
            for message in messages:
                sys.stdout.write(shapes.line(captured(message)))
                sys.stdout.flush()
        else:
            _show(messages, listener)


def captured(message: Message) -> dict[str, Any]:
    """Shape a message as a line that ``fogline infer --file`` reads; a payload that is no text is hexadecimal."""
    try:
        payload = {"payload": message.payload.decode()}
    except UnicodeDecodeError:
        payload = {"payload": message.payload.hex(), "encoding": "hex"}
    return {
        "at": to_rfc3339(message.arrival_us),
        "topic": message.topic,
        "qos": message.qos,
        "retain": message.retain,
        "bytes": len(message.payload),
        **payload,
    }


def pretty(payload: bytes) -> str:
    """Write a payload for a person: JSON indented if it has several members, text as it is, else hexadecimal."""
    try:
        text = payload.decode()
    except UnicodeDecodeError:
        text = payload.hex(" ")
    else:
        try:
            content = json.loads(text)
        except (ValueError, RecursionError):
            pass
        else:
            if isinstance(content, dict | list):
                flat = json.dumps(content, ensure_ascii=False)
                text = flat if len(flat) <= 100 else json.dumps(content, ensure_ascii=False, indent=2)
    shown = "".join(c if c.isprintable() or c == "\n" else "\N{REPLACEMENT CHARACTER}" for c in text)
    return shown if len(shown) <= LONGEST else f"{shown[:LONGEST]}... ({len(payload):,} bytes)"


class Rate:
    """Messages a second over the last seconds."""

    def __init__(self) -> None:
        self._arrivals: Final[deque[int]] = deque()

    def note(self, arrival_us: int) -> float:
        """Take in a message, and return the rate."""
        self._arrivals.append(arrival_us)
        while arrival_us - self._arrivals[0] > RATE_OVER_US:
            self._arrivals.popleft()
        span_us = max(arrival_us - self._arrivals[0], SECOND)
        return (len(self._arrivals) - 1) * SECOND / span_us


def _show(messages: Iterator[Message], listener: Listener) -> None:
    console, rate = make_console(), Rate()
    for message in messages:
        marks = " retained" if message.retain else ""
        dropped = f", {listener.dropped:,} not shown" if listener.dropped else ""
        console.print(
            f"[dim]{to_datetime(message.arrival_us):%H:%M:%S.%f}[/] [bold]{escape(message.topic)}[/]"
            f" [dim]{len(message.payload):,} B{marks}, {rate.note(message.arrival_us):,.1f}/s{dropped}[/]",
            soft_wrap=True,
            highlight=False,
        )
        console.print(markup.escape(pretty(message.payload)), soft_wrap=True, highlight=True)
