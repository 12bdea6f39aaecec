"""Where the blocks of a segment file stand."""

from array import array
from bisect import bisect_right
from dataclasses import dataclass, field
from typing import NamedTuple

from fog_node.journal.header import Header


class Place(NamedTuple):
    """One block: its messages and its bytes in the file."""

    first: int
    end: int
    position: int
    size: int
    latest_us: int


def _numbers() -> "array[int]":
    return array("q")


@dataclass(slots=True)
class BlockIndex:
    """The blocks of one segment, ascending; five numbers each."""

    firsts: "array[int]" = field(default_factory=_numbers)
    ends: "array[int]" = field(default_factory=_numbers)
    positions: "array[int]" = field(default_factory=_numbers)
    sizes: "array[int]" = field(default_factory=_numbers)
    latest_us: "array[int]" = field(default_factory=_numbers)

    def __len__(self) -> int:
        return len(self.firsts)

    def add(self, header: Header, position: int) -> None:
        """Note a block behind all others."""
        self.firsts.append(header.first)
        self.ends.append(header.end)
        self.positions.append(position)
        self.sizes.append(header.size)
        self.latest_us.append(header.latest_us)

    def place(self, number: int) -> Place:
        """Give one block by its number."""
        return Place(
            self.firsts[number],
            self.ends[number],
            self.positions[number],
            self.sizes[number],
            self.latest_us[number],
        )

    def at(self, offset: int) -> Place | None:
        """Give the block that holds ``offset``; None if none does."""
        number = bisect_right(self.firsts, offset) - 1
        return self.place(number) if number >= 0 and offset < self.ends[number] else None

    def run_at(self, offset: int, size: int) -> list[Place]:
        """Give the block that holds ``offset``, and those that follow it without a hole, up to so many bytes."""
        number = bisect_right(self.firsts, offset) - 1
        if number < 0 or offset >= self.ends[number]:
            return []
        run = [self.place(number)]
        while (number := number + 1) < len(self):
            place = self.place(number)
            size -= run[-1].size
            if (
                place.size > size
                or place.first != run[-1].end
                or place.position != run[-1].position + run[-1].size
            ):
                break
            run.append(place)
        return run

    def messages_between(self, offset: int, end: int) -> int:
        """Count the messages [offset, end) of all blocks."""
        number = max(bisect_right(self.firsts, offset) - 1, 0)
        return sum(
            max(min(last, end) - max(first, offset), 0)
            for first, last in zip(self.firsts[number:], self.ends[number:], strict=True)
        )
