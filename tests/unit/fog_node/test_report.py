"""Messages that no commit holds yet, as a node's report counts them."""

import pytest

from fog_node.report import uncommitted
from fogline.model.gap import Gap
from fogline.model.part import Origin

ORIGIN = Origin(tenant="main", node="node-1", stream="air", epoch=b"\x01" * 16)


class Blocks:
    """A journal that can read these messages."""

    def __init__(self, *held: range) -> None:
        self._held = {offset for block in held for offset in block}

    async def pending(self, origin: Origin, offset: int, end: int) -> int:
        assert origin == ORIGIN
        return len(self._held & set(range(offset, end)))


@pytest.mark.parametrize(
    ("blocks", "gaps"),
    [
        (Blocks(range(100)), ()),
        # A block that cannot be read, or was let go of: it is told as a gap.
        (Blocks(range(40), range(60, 100)), (Gap(first=40, end=60, reason="corrupt"),)),
        (Blocks(range(30, 100)), (Gap(first=0, end=30, reason="expired"),)),
        # What an operator broke on is a gap, and lies there still.
        (Blocks(range(100)), (Gap(first=40, end=60, reason="operator_failed"),)),
        (
            Blocks(range(50), range(70, 100)),
            (Gap(first=10, end=20, reason="operator_failed"), Gap(first=50, end=70, reason="corrupt")),
        ),
    ],
)
@pytest.mark.parametrize("committed", [0, 15, 50, 65, 100])
async def test_every_message_is_committed_or_pending(
    blocks: Blocks, gaps: tuple[Gap, ...], committed: int
) -> None:
    assert committed + await uncommitted(blocks, ORIGIN, committed, 100, gaps) == 100


async def test_a_message_that_is_neither_held_nor_told_as_lost_is_missed() -> None:
    assert await uncommitted(Blocks(range(40), range(60, 100)), ORIGIN, 0, 100, ()) == 80
