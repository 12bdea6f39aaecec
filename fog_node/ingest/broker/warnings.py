"""What a broker's answers put at risk, in words: as far as MQTT itself shows it."""

from collections.abc import Collection, Iterable
from typing import Final

from fog_node.ingest.broker.packets import Welcome

HOUR_S: Final = 3600
SHARE_LEVELS: Final = 2
"""Levels of a shared subscription before its filter: ``$share`` and the group."""


def warnings_of(
    welcome: Welcome, *, session_expiry_s: int, filters: Collection[str], at_most_once: Collection[str]
) -> tuple[str, ...]:
    """Everything that may cost messages, or count them twice, although all works now.

    ``at_most_once``: the filters for which the broker grants QoS 0 only.
    """
    found = []
    granted_s = welcome.session_expiry_s
    if granted_s is not None and granted_s < session_expiry_s:
        found.append(
            f"the broker keeps the session for {_span(granted_s)} instead of {_span(session_expiry_s)}: "
            "after a longer absence of the node what it queued is lost"
        )
    if not welcome.max_qos:
        found.append("the broker knows QoS 0 only: what is on its way when a connection breaks is lost")
    elif at_most_once:
        names = ", ".join(sorted(at_most_once))
        found.append(f"the broker grants QoS 0 only for {names}: what is on its way may be lost")
    if not welcome.identifiers and overlap(filters):
        found.append(
            "the broker has no subscription identifiers, and streams overlap: "
            "a message that it sends once for each subscription counts as often"
        )
    return tuple(found)


def overlap(filters: Iterable[str]) -> bool:
    """Whether a topic can match two of these filters."""
    levels = [_levels(text) for text in filters]
    return any(
        len(one) == len(other) and all(a == b or "+" in (a, b) for a, b in zip(one, other, strict=True))
        for index, one in enumerate(levels)
        for other in levels[index + 1 :]
    )


def _levels(text: str) -> list[str]:
    levels = text.split("/")
    return levels[SHARE_LEVELS:] if levels[0] == "$share" else levels


def _span(seconds: int) -> str:
    return f"{seconds / HOUR_S:.3g} h" if seconds >= HOUR_S else f"{seconds} s"
