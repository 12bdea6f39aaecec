"""The newest desired state, held in one place and waited for by many."""

import asyncio

from fogline.v1 import control_pb2


class Desired:
    """Level-triggered: whoever waits sees the newest state, not each one. Its generation never goes back."""

    def __init__(self, state: control_pb2.DesiredState | None = None) -> None:
        self._state = state
        self._changed = asyncio.Event()

    @property
    def state(self) -> control_pb2.DesiredState | None:
        """The newest state; None before any was heard of."""
        return self._state

    @property
    def generation(self) -> int:
        """Its generation; 0 before any was heard of."""
        return 0 if self._state is None else int(self._state.generation)

    def offer(self, state: control_pb2.DesiredState) -> bool:
        """Take a state if it is newer; whether it was."""
        if self._state is not None and state.generation <= self._state.generation:
            return False
        self._state = state
        changed, self._changed = self._changed, asyncio.Event()
        changed.set()
        return True

    async def newer_than(self, generation: int) -> control_pb2.DesiredState:
        """Wait for a state of a higher generation than this; -1 takes any."""
        while self._state is None or self._state.generation <= generation:
            await self._changed.wait()
        return self._state
