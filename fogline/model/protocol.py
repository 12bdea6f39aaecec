"""Versions of the protocol between tiers, and which of them two ends speak with each other.

Every release speaks its own version and the one before, on either side of a stream. The cloud is upgraded first and
nodes last, and of two neighbours the older one decides.
"""

from dataclasses import dataclass
from typing import Final

from fogline.model.errors import InvalidInput


@dataclass(frozen=True, slots=True, kw_only=True)
class Spoken:
    """The versions that one end speaks, from ``oldest`` to ``newest``."""

    oldest: int
    newest: int

    def greeted(self, version: int) -> int:
        """The version of a stream whose child speaks ``version`` and the one before: what its parent answers.

        Raises :class:`InvalidInput` if the two have none in common.
        """
        if not self.oldest <= version <= self.newest + 1:
            raise InvalidInput(
                f"protocol {version} is not spoken here",
                hint=f"this server speaks {self}; upgrade the older end",
            )
        return min(version, self.newest)

    def answered(self, version: int) -> int:
        """The version that the parent chose. Raises :class:`InvalidInput` if it is none of this child's."""
        if not self.oldest <= version <= self.newest:
            raise InvalidInput(
                f"the parent speaks protocol {version}, this child {self}", hint="upgrade the older end"
            )
        return version

    def __str__(self) -> str:
        return f"{self.newest}" if self.oldest == self.newest else f"{self.oldest} to {self.newest}"


PROTOCOL: Final = 1
"""The newest version of the protocol between tiers."""
SPOKEN: Final = Spoken(oldest=max(1, PROTOCOL - 1), newest=PROTOCOL)
"""What this release speaks between tiers."""
