"""Two machines with one identity: a card that was copied. A pure decision over what is heard of a name.

Each process of a tier names itself at its start (``instance``). One that is started again never speaks as the one
before; only two that live at once take turns.
"""

from collections.abc import Hashable
from dataclasses import dataclass, field
from typing import Final

from fogline.model.clock import MINUTE

SAID_FOR_US: Final = 10 * MINUTE
"""How long it is said after the last turn."""
RETURNS: Final = 2
"""So often one instance must come back after another: a last word that was late on its way comes back once."""
MAX_INSTANCES: Final = 4
"""Newest instances that are remembered of a name."""


@dataclass(slots=True)
class _Instance:
    at_us: int
    returns: int = 0


@dataclass(slots=True)
class _Name:
    speaking: str = ""
    instances: dict[str, _Instance] = field(default_factory=dict)
    until_us: int = 0


class Twins:
    """Remembers which instances spoke under each name."""

    def __init__(self) -> None:
        self._names: Final[dict[Hashable, _Name]] = {}

    def heard(self, name: Hashable, instance: str, at_us: int, now_us: int) -> bool:
        """Take a word of an instance, made at ``at_us`` by its clock; whether two now share the name.

        The same word again is no sign of life: parents go on passing up the last one of a child that fell silent.
        """
        known = self._names.setdefault(name, _Name())
        if not instance:
            return now_us < known.until_us
        before = known.instances.pop(instance, None)
        known.instances[instance] = current = before or _Instance(at_us=at_us)
        if before is not None and at_us != before.at_us and known.speaking != instance:
            current.returns += 1
            if current.returns >= RETURNS:
                known.until_us = now_us + SAID_FOR_US
        if before is None or at_us != before.at_us:
            known.speaking = instance
        current.at_us = at_us
        while len(known.instances) > MAX_INSTANCES:
            del known.instances[next(iter(known.instances))]
        return now_us < known.until_us

    def forget(self, name: Hashable) -> None:
        """Nobody speaks under this name any more."""
        self._names.pop(name, None)


def words(role: str, name: str) -> str:
    """What is said of it, where faults are."""
    return (
        f"two machines use the identity of {role} {name} at once: `fogline {role} revoke {name}`, "
        "then let each join with a token of its own"
    )
