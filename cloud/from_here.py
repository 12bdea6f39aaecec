"""What is wrong with a machine that only its cloud can see: its clock, and that it is let in no more."""

from datetime import timedelta
from typing import Final

from fogline.model.clock import MINUTE
from fogline.model.words import CLOCK

CLOCK_OFF_US: Final = MINUTE
"""By how much a machine's clock may differ from the cloud's; a report is under way for a second or two."""


def clock_words(ahead_us: int) -> str:
    """What is said of a clock that is so far ahead of the cloud's, or behind if negative; empty: nothing."""
    if abs(ahead_us) <= CLOCK_OFF_US:
        return ""
    far = timedelta(seconds=abs(ahead_us) // 1_000_000)
    where = "ahead of" if ahead_us > 0 else "behind"
    return (
        f"{CLOCK}{far} {where} the cloud's: its readings are judged by it, and fall into wrong windows or none; "
        "set it, and let a time service keep it"
    )


def revoked_words(role: str, name: str) -> str:
    """What is said of a machine whose every key was taken back."""
    return (
        f"the identity of {role} {name} was revoked, and it is let in no more: if it shall come back, "
        f"`fogline token create --name {name}` and join again"
    )
