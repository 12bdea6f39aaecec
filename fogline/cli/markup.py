"""Texts of others on a terminal: neither markup of ours nor control characters of theirs."""

from rich import markup

from fogline.model.words import plain

MOST = 4_000
"""Characters of one text."""


def escape(text: str) -> str:
    """The text as it shall stand on the screen, for a place where markup is understood."""
    return markup.escape(plain(text, MOST))
