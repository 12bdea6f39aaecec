"""The receiver's view of a lane's rounds: a refusal ends one, and what is left of it is dropped unread."""

from dataclasses import dataclass, replace

from fogline.model.errors import MalformedPart


@dataclass(frozen=True, slots=True, kw_only=True)
class Rounds:
    """Which round of a lane is being listened to."""

    number: int
    ended: bool = False
    """The round was refused and the sender has not opened the next one yet."""


def opened(rounds: Rounds | None, number: int) -> Rounds:
    """The sender opens a round; None stands for a lane that is new on this stream.

    Raises :class:`MalformedPart` if the number does not grow.
    """
    if rounds is not None and number <= rounds.number:
        raise MalformedPart(
            f"round {number} was opened after round {rounds.number}; rounds of a lane only grow"
        )
    return Rounds(number=number)


def accepts(rounds: Rounds, number: int) -> bool:
    """Whether a part of this round is to be read; else it belongs to a round that has ended and is dropped.

    Raises :class:`MalformedPart` for a round that was never opened.
    """
    if number > rounds.number:
        raise MalformedPart(f"a part of round {number} came before that round was opened")
    return number == rounds.number and not rounds.ended


def refused(rounds: Rounds) -> Rounds:
    """A refusal was sent."""
    return replace(rounds, ended=True)
