"""Logs: one line an event on stderr, coloured for people, JSON for machines."""

import logging
import sys
from typing import TextIO

import structlog


def set_up_logs(*, level: str = "info", stream: TextIO | None = None, **bound: str) -> None:
    """Send all logs to ``stream`` (stderr), as JSON unless it is a terminal.

    ``level`` is a name of :mod:`logging`; ``bound`` stands in every line, for example the tier and its name.
    """
    out = stream if stream is not None else sys.stderr
    number = logging.getLevelNamesMapping()[level.upper()]
    processors: list[structlog.typing.Processor] = [
        structlog.contextvars.merge_contextvars,
        structlog.processors.add_log_level,
        structlog.processors.TimeStamper(fmt="iso", utc=True),
    ]
    if out.isatty():
        processors.append(structlog.dev.ConsoleRenderer())
    else:
        processors += [structlog.processors.format_exc_info, structlog.processors.JSONRenderer()]
    structlog.configure(
        processors=processors,
        wrapper_class=structlog.make_filtering_bound_logger(number),
        logger_factory=structlog.WriteLoggerFactory(file=out),
        cache_logger_on_first_use=True,
    )
    structlog.contextvars.bind_contextvars(**bound)
    logging.basicConfig(stream=out, level=logging.WARNING, format="%(levelname)s %(name)s: %(message)s")
