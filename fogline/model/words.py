"""Texts that somebody else wrote, made fit to be shown."""

from typing import Final

MOST: Final = 500
"""Characters of somebody else's words that are told on, where nothing else is said."""


CLOCK: Final = "its clock is "
"""How the fault of a machine begins whose clock is wrong: it runs what it is told all the same."""


def plain(text: str, most: int = MOST) -> str:
    """One line without control characters, as they steer terminals and logs; the end of what is longer is left out.

    White space becomes a blank, everything else that cannot be printed a question mark.
    """
    text = text if len(text) <= most else f"{text[: most - 1]}…"
    if text.isprintable():
        return text
    return "".join(one if one.isprintable() else " " if one.isspace() else "?" for one in text)
