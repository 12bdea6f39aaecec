"""Which life of the cloud's store an answer comes from.

Offsets only grow within one life. When a store is restored from a backup they go back, and the store begins a
new life. An answer of an earlier life can still arrive through a slow path: it says nothing about now.
"""

from dataclasses import dataclass
from enum import Enum


class News(Enum):
    """What an answer's incarnation means to whoever hears it."""

    FIRST = "first"
    """No life was known before."""
    SAME = "same"
    CHANGED = "changed"
    """The store was restored: what was told before does not hold any more."""
    PAST = "past"
    """From a life that has ended: its offsets mean nothing."""


@dataclass(frozen=True, slots=True, kw_only=True)
class StoreLife:
    """The life that is known, and those that ended while we listened."""

    current: bytes | None = None
    past: frozenset[bytes] = frozenset()


def heard(life: StoreLife, incarnation: bytes) -> tuple[StoreLife, News]:
    """Take note of an answer's incarnation."""
    if life.current is None:
        return StoreLife(current=incarnation), News.FIRST
    if incarnation == life.current:
        return life, News.SAME
    if incarnation in life.past:
        return life, News.PAST
    return StoreLife(current=incarnation, past=life.past | {life.current}), News.CHANGED
