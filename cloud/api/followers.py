"""How many follow results, over all doors of a process."""

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Final

from fogline.model.errors import TooManyFollowers

MAX_FOLLOWERS: Final = 500
"""Each costs a query of the store at every change of its pipeline, and one message of results at most in memory."""


class Followers:
    """Counts them, and lets no more in than may be."""

    def __init__(self, most: int = MAX_FOLLOWERS) -> None:
        self._most: Final = most
        self.now = 0
        """Who follows at this moment."""

    @contextmanager
    def place(self) -> Iterator[None]:
        """A follower's place while the block runs. Raises :class:`TooManyFollowers`."""
        if self.now >= self._most:
            raise TooManyFollowers(f"{self.now} follow already")
        self.now += 1
        try:
            yield
        finally:
            self.now -= 1
