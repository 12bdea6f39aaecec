"""The newest desired state, held in one place and waited for by many."""

from fogline.control.newest import Newest
from fogline.control.word import Word
from fogline.v1 import control_pb2


class Desired:
    """Level-triggered: whoever waits sees the newest state, not each one. Its generation never goes back."""

    def __init__(self, word: Word | None = None) -> None:
        self._newest: Newest[Word] = Newest()
        if word is not None:
            self._newest.set(word)

    @property
    def word(self) -> Word | None:
        """The newest state and who vouches for it; None before any was heard of."""
        return self._newest.value

    @property
    def number(self) -> int:
        """Counts the words; 0 before any was heard of."""
        return self._newest.number

    @property
    def state(self) -> control_pb2.DesiredState | None:
        """The newest state; None before any was heard of."""
        return None if self.word is None else self.word.state

    @property
    def generation(self) -> int:
        """Its generation; 0 before any was heard of."""
        return 0 if self.word is None else self.word.generation

    def offer(self, word: Word) -> bool:
        """Take a word if it is newer; whether it was."""
        if not word.replaces(self.word):
            return False
        self._newest.set(word)
        return True

    async def newer_than(self, generation: int) -> control_pb2.DesiredState:
        """Wait for a state of a higher generation than this; -1 takes any."""
        number = 0
        while True:
            number, word = await self._newest.after(number)
            if word.generation > generation:
                return word.state

    async def to_tell(self, number: int) -> tuple[int, Word]:
        """Wait for a word that can be passed on and is newer than the one of this number; 0 takes any."""
        while True:
            number, word = await self._newest.after(number)
            if word.signed is not None:
                return number, word
