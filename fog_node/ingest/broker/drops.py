"""What a broker says it dropped, as a count that only grows."""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True, kw_only=True)
class Drops:
    """Messages dropped since the node first heard the broker, over restarts of both."""

    total: int = 0
    last: int | None = None
    """What the broker said last; None: nothing yet."""


def heard(drops: Drops, said: int) -> Drops:
    """The count after the broker said how many it dropped since it began.

    A number below the last one means that the broker began again: all of it is new.
    """
    if drops.last is None:
        return Drops(total=0, last=said)
    new = said - drops.last if said >= drops.last else said
    return Drops(total=drops.total + new, last=said)


def parse_count(payload: bytes) -> int | None:
    """The number in a message of ``$SYS``; None when there is none."""
    text = payload.strip()
    return int(text) if text.isdigit() and len(text) < 20 else None
