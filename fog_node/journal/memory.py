"""The newest blocks, so that a lane that keeps up never reads the disk."""

from collections import OrderedDict
from typing import Final

from fog_node.messages import Block
from fogline.model.part import Origin

_OBJECT: Final = 41
"""A ``bytes`` object's head, and the pointer to it. Unit: bytes."""


class RecentBlocks:
    """Blocks by origin and first offset; when full the oldest goes."""

    def __init__(self, limit_bytes: int) -> None:
        self._limit, self._held = limit_bytes, 0
        self._blocks: OrderedDict[tuple[Origin, int], tuple[Block, int]] = OrderedDict()

    def keep(self, block: Block, stored_bytes: int) -> None:
        """Take a block that was just written."""
        size = stored_bytes + _OBJECT * len(block)
        self._blocks[block.origin, block.first] = (block, size)
        self._held += size
        while self._held > self._limit and self._blocks:
            _, (_, freed) = self._blocks.popitem(last=False)
            self._held -= freed

    def get(self, origin: Origin, first: int) -> Block | None:
        """Give the block that begins at ``first``, if it is still here."""
        found = self._blocks.get((origin, first))
        return found[0] if found else None
