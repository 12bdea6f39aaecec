"""Logs: one line an event on stderr, for people on a terminal, JSON for machines.

Whatever a line says, no password in it is written, and one that repeats is written now and then.
"""

import logging
import re
import sys
import time
from collections.abc import Callable, MutableMapping
from dataclasses import dataclass
from typing import Any, Final, Literal, TextIO

import structlog

from fogline.model.errors import FogError

LogFormat = Literal["auto", "json", "text"]

REPEAT_EVERY_S: Final = 60.0
"""A warning that says the same again is written this often at most."""
MOST_REMEMBERED: Final = 500
"""Different warnings that are remembered; beyond it the oldest one counts as new again."""
HIDDEN: Final = "***"

_PASSWORD: Final = re.compile(r"(?P<before>[a-z][a-z0-9+.-]*://[^\s/:@]*:)[^\s/]+(?=@)", re.IGNORECASE)
_SECRET: Final = re.compile(r"password|passwd|secret|token|authorization", re.IGNORECASE)
_REPEATING: Final = frozenset({"warning", "error", "critical"})

Event = MutableMapping[str, Any]


def set_up_logs(
    *, level: str = "info", log_format: LogFormat = "auto", stream: TextIO | None = None, **bound: str
) -> None:
    """Send all logs to ``stream`` (stderr); ``auto`` is text on a terminal and JSON elsewhere.

    ``level`` is a name of :mod:`logging`; ``bound`` stands in every line, for example the tier and its name.
    """
    out = stream if stream is not None else sys.stderr
    number = logging.getLevelNamesMapping()[level.upper()]
    as_text = out.isatty() if log_format == "auto" else log_format == "text"
    structlog.configure(
        processors=[
            structlog.contextvars.merge_contextvars,
            structlog.processors.add_log_level,
            # A traceback as plain text: one with local variables would show what must not be shown.
            structlog.processors.format_exc_info,
            in_words,
            without_secrets,
            Repeats(time.monotonic),
            structlog.processors.TimeStamper(fmt="iso", utc=True),
            structlog.dev.ConsoleRenderer(colors=out.isatty())
            if as_text
            else structlog.processors.JSONRenderer(default=str),
        ],
        wrapper_class=structlog.make_filtering_bound_logger(number),
        logger_factory=structlog.WriteLoggerFactory(file=out),
        cache_logger_on_first_use=True,
    )
    structlog.contextvars.bind_contextvars(**bound)
    logging.basicConfig(handlers=[_Forwarding()], level=logging.WARNING, force=True)


def in_words(_logger: object, _method: str, event: Event) -> Event:
    """Write an error as its sentence, and one of ours with its code."""
    error = event.get("error")
    if isinstance(error, FogError):
        event["code"] = error.code
    if isinstance(error, BaseException):
        event["error"] = str(error) or type(error).__name__
    return event


def without_secrets(_logger: object, _method: str, event: Event) -> Event:
    """Take passwords out of URLs, and hide fields that are secrets by their name."""
    for name, value in event.items():
        if _SECRET.search(name):
            event[name] = HIDDEN
        elif isinstance(value, str):
            event[name] = hidden(value)
        elif isinstance(value, (list, tuple)):
            event[name] = [hidden(v) if isinstance(v, str) else v for v in value]
    return event


def hidden(text: str) -> str:
    """The text without the passwords of its URLs."""
    return _PASSWORD.sub(rf"\g<before>{HIDDEN}", text) if "@" in text else text


@dataclass(slots=True)
class _Said:
    at: float
    left_out: int = 0


class Repeats:
    """Leaves out warnings that say what was said a short while ago, and tells later how often it did."""

    def __init__(self, now: Callable[[], float]) -> None:
        """``now`` is a monotonic clock, in seconds."""
        self._now: Final = now
        self._said: Final[dict[str, _Said]] = {}

    def __call__(self, _logger: object, _method: str, event: Event) -> Event:
        """Let an event through, or drop it."""
        if event.get("level") not in _REPEATING:
            return event
        key, now = repr(sorted(event.items())), self._now()
        said = self._said.pop(key, None)
        if said is not None and now - said.at < REPEAT_EVERY_S:
            said.left_out += 1
            self._said[key] = said
            raise structlog.DropEvent
        if said is not None and said.left_out:
            event["repeated"] = said.left_out
        self._said[key] = _Said(at=now)
        if len(self._said) > MOST_REMEMBERED:
            del self._said[next(iter(self._said))]
        return event


class _Forwarding(logging.Handler):
    """What libraries log by the standard library, as lines like all others."""

    def emit(self, record: logging.LogRecord) -> None:
        structlog.get_logger().log(
            record.levelno, record.getMessage(), logger=record.name, exc_info=record.exc_info or None
        )
