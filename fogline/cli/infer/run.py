"""``fogline infer``: listens, or reads what was captured, and prints a spec."""

import sys
from collections.abc import Sequence
from itertools import islice
from pathlib import Path
from typing import Final

from fogline.cli.access import Access
from fogline.cli.exits import reported
from fogline.cli.infer.heard import Message, read_lines
from fogline.cli.infer.names import many
from fogline.cli.infer.proposal import propose
from fogline.cli.infer.writing import write
from fogline.model.clock import SystemClock
from fogline.model.errors import InvalidInput, NotFound

MOST: Final = 20_000
"""Messages that are looked at."""


def infer_live(url: str, topic: str, access: Access, *, seconds: float, most: int) -> None:
    """Listen for so long or so many messages, and print a spec that reads them."""
    from fogline.cli.listening import Listener  # noqa: PLC0415 -- a file needs no MQTT client

    with reported():
        with Listener(url, topic, access) as listener:
            where = url.rpartition("@")[2]
            sys.stderr.write(f"listening to {where} for {seconds:g} s ...\n")
            messages = list(islice(listener.messages(within=seconds), most))
        if not messages:
            raise NotFound(
                f"no message on {topic!r} within {seconds:g} s",
                hint="give it more time with --for, or try '#'",
            )
        _print(messages, f"{topic} of {where}")


def infer_captured(file: Path, *, most: int) -> None:
    """Read captured messages, and print a spec that reads them."""
    with reported():
        try:
            with file.open(encoding="utf-8") as lines:
                captured = read_lines(lines, file=str(file), now_us=SystemClock().now_us())
                messages = list(islice(captured, most))
        except (OSError, UnicodeDecodeError) as error:
            raise InvalidInput(
                f"{file} cannot be read: {error}", hint="name a file that `fogline tap --json` wrote"
            ) from None
        if not messages:
            raise NotFound(f"{file} has no message", hint="fill it with `fogline tap URL TOPIC --json`")
        _print(messages, file.name)


def _print(messages: Sequence[Message], source: str) -> None:
    proposal = propose(messages)
    topics = len({message.topic for message in messages})
    heading = f"{source}: {many(len(messages), 'message')} on {many(topics, 'topic')}"
    sys.stdout.write(write(proposal, heading=heading, deployable=_deployable))
    if not proposal.streams:
        raise InvalidInput("nothing that was heard can be read", hint="streams read JSON, SenML and numbers")


def _deployable(text: str) -> bool:
    try:
        from fogline.spec import read_spec  # noqa: PLC0415 -- comes with an extra
    except ImportError:
        return False  # then names are quoted, which is always right
    from fogline.model.faults import SpecErrors  # noqa: PLC0415 -- as above

    try:
        read_spec(text)
    except SpecErrors:
        return False
    return True
