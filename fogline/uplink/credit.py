"""Credit: how many bytes of parts may be on their way to the parent."""

import asyncio


class Credit:
    """Room at the parent, in bytes of encoded ``Part`` messages, shared by the lanes of one stream."""

    def __init__(self, whole: int) -> None:
        self._whole = whole
        self._left = whole
        self._turn = asyncio.Lock()
        self._given = asyncio.Event()

    @property
    def left(self) -> int:
        """Bytes that may be sent now; below zero after a part larger than the whole credit."""
        return self._left

    def fits(self, size: int) -> bool:
        """Whether a part may go now; one larger than the whole credit goes when all is back."""
        return size <= self._left or self._left >= self._whole

    async def spend(self, size: int) -> None:
        """Wait for room and take it. First come, first served, so that a large part is not starved."""
        async with self._turn:
            while not self.fits(size):
                self._given.clear()
                await self._given.wait()
            self._left -= size

    def give(self, size: int) -> None:
        """The parent has room for more, or a part was dropped before it was sent."""
        self._left += size
        self._given.set()
