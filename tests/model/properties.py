"""What must hold in every world, and where everything must end."""

from collections import Counter
from collections.abc import Iterator

from tests.model.setup import Setup
from tests.model.values import Books, Cloud, Epoch, Node, World, origin


def wrong_in_cloud(cloud: Cloud) -> str:
    """What contradicts the promises in the store alone; empty if nothing does."""
    return next((fault for books in cloud.books for fault in _wrong_books(books)), "")


def wrong_on_node(node: Node, cloud: Cloud) -> str:
    """What contradicts the promises between a node's journal and the store; empty if nothing does."""
    for plan, books in enumerate(cloud.books):
        for epoch in node.epochs:
            for fault in _wrong_epoch(node, plan, epoch, books, cloud):
                return fault
    return ""


def is_goal(world: World, setup: Setup) -> bool:
    """Everything has arrived, is committed, and every node knows."""
    return all(
        node.arrived == setup.messages + setup.growing and _all_known(node, world.cloud)
        for node in world.nodes
    )


def _wrong_books(books: Books) -> Iterator[str]:
    places = Counter((r.node, r.epoch, r.offset) for r in books.counted)
    places.update((o.node, o.epoch[0], i) for o, first, end in books.gaps for i in range(first, end))
    for place, times in places.items():
        if times > 1:
            yield f"message {place} is counted twice"
    for key, offset in books.offsets.items():
        for i in range(books.starts[key], offset):
            if (key.node, key.epoch[0], i) not in places:
                yield f"message {(key.node, key.epoch[0], i)} is committed, but it is not counted"
    for key, first, _ in books.gaps:
        if first < books.starts[key]:
            yield f"{key.node}: a gap is declared before the plan's start"
    for key, mark in books.marks.items():
        # In the model the watermark at offset n is 2n, and 2n + 1 once the origin has been idle.
        if mark.watermark // 2 > books.offsets.get(key, 0):
            yield f"{key.node}: the watermark passed messages that are not committed"


def _wrong_epoch(node: Node, plan: int, epoch: Epoch, books: Books, cloud: Cloud) -> Iterator[str]:
    key = origin(node.name, epoch.number)
    counted = {(r.offset, r.serial) for r in books.counted if (r.node, r.epoch) == (node.name, epoch.number)}
    given_up = {i for o, first, end in books.gaps if o == key for i in range(first, end)}
    start = node.starts[epoch.number]
    for offset, serial in counted:
        if serial not in epoch.contents[offset : offset + 1]:
            yield f"{node.name} plan {plan}: offset {offset} is counted, but the journal does not hold it"
    place = node.cursors[plan].places[key]
    life = node.cursors[plan].life.current
    for offset in range(start, len(epoch.contents)):
        if (offset, epoch.contents[offset]) in counted or offset in given_up:
            continue
        if epoch.base <= offset < place.committed and life in (None, cloud.incarnation):
            yield f"{node.name} plan {plan}: offset {offset} is told committed, but it is not counted"
        # A restored store may lack what was let go; it comes back as a gap.
        if offset < epoch.base and not cloud.life and not _recorded(node, plan, epoch, offset):
            yield f"{node.name} plan {plan}: offset {offset} is truncated, but it is not counted"
    mark = books.marks.get(key)
    if mark is not None and mark.closed and books.offsets.get(key, start) < epoch.synced:
        yield f"{node.name}: the cloud takes an epoch for closed whose end is not committed"


def _recorded(node: Node, plan: int, epoch: Epoch, offset: int) -> bool:
    return any(g.first <= offset < g.end for g in node.gaps.get((plan, epoch.number), ()))


def _all_known(node: Node, cloud: Cloud) -> bool:
    for plan, cursor in enumerate(node.cursors):
        if cursor.life.current not in (None, cloud.incarnation):
            return False
        for epoch in node.epochs:
            key, end = origin(node.name, epoch.number), len(epoch.contents)
            stored = cloud.books[plan].offsets.get(key, node.starts[epoch.number])
            if epoch.synced < end or cursor.places[key].committed < end or stored < end:
                return False
    return True
