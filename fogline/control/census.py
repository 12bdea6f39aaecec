"""Which nodes are below which child of a parent, and what all of them come to: each is counted once. A pure core."""

from collections.abc import Callable, Iterable, Iterator
from typing import Final

from fogline.control.sums import (
    MAX_FIGURES,
    NOTHING,
    Figure,
    Key,
    Roster,
    Sums,
    added,
    sums_from_wire,
)
from fogline.model.clock import SECOND
from fogline.v1 import control_pb2

SILENT_US: Final = 3 * SECOND
"""A node that says nothing to its aggregator for so long is not among those that are there."""
LOOK_EVERY_US: Final = 5 * SECOND
"""While a child sums up others than are known, its whole reports are asked for so often."""


class _Group:
    """One child, and the nodes that are known to be below it and nowhere else."""

    def __init__(self) -> None:
        self.nodes: Final[set[str]] = set()
        self.roster: Final = Roster()
        self.sums: Sums = NOTHING
        self.summed: Roster | None = None
        """Of whom ``sums`` are; None: the child says no sums."""
        self.heard_us = 0
        self.looked = 0
        self.attached = True

    @property
    def agrees(self) -> bool:
        return self.summed == self.roster

    def add(self, node: str) -> None:
        self.nodes.add(node)
        self.roster.add(node)

    def remove(self, node: str) -> None:
        self.nodes.remove(node)
        self.roster.remove(node)


class Census:
    """A node belongs to the child whose report of it is the newest.

    A child's sums count only while they are of just the nodes that belong to it: after a node has moved, and its
    former aggregator has not noticed yet, that one's sums are left aside, and the reports of its nodes are added up.
    """

    def __init__(self) -> None:
        self._groups: Final[dict[str, _Group]] = {}
        self._owners: Final[dict[str, str]] = {}
        self._look_after_us = 0

    def hear(
        self, child: str, request: control_pb2.AttachRequest, newest: Iterable[str], now_us: int
    ) -> None:
        """A child's word; ``newest`` are the nodes of whom it has the newest report there is."""
        group = self._groups.setdefault(child, _Group())
        group.attached, group.heard_us = True, now_us
        named = {report.node for report in request.nodes}
        for node in newest:
            self._claim(node, child, group)
        if not request.HasField("sums"):
            gone = group.nodes - named
            group.summed, group.sums = None, NOTHING
        else:
            gone = group.nodes - named if request.sums.whole else group.nodes.intersection(request.left)
            self._sum(group, request)
        for node in gone:
            group.remove(node)
            del self._owners[node]

    def _claim(self, node: str, child: str, group: _Group) -> None:
        owner = self._owners.get(node)
        if owner == child:
            return
        if owner is not None:
            self._groups[owner].remove(node)
        self._owners[node] = child
        group.add(node)

    @staticmethod
    def _sum(group: _Group, request: control_pb2.AttachRequest) -> None:
        group.looked = request.looked
        told = request.sums
        believed = len(told.figures) <= MAX_FIGURES
        group.summed = Roster(told.nodes, told.names) if believed else Roster(-1)
        group.sums = sums_from_wire(told.figures) if believed else NOTHING

    def recall(self, child: str, nodes: Iterable[str], heard_us: int) -> None:
        """What another process was told of a child."""
        group = self._groups.setdefault(child, _Group())
        group.attached, group.heard_us, group.summed = False, heard_us, Roster(-1)
        nodes = set(nodes)
        for node in nodes:
            self._claim(node, child, group)
        for node in group.nodes - nodes:
            group.remove(node)
            del self._owners[node]

    def left(self, child: str) -> None:
        """A child's stream has ended; what it said last stands until it is too old."""
        group = self._groups.get(child)
        if group is not None:
            group.attached = False

    def drop(self, child: str) -> None:
        """Forget a child and all below it."""
        group = self._groups.pop(child, None)
        for node in group.nodes if group is not None else ():
            del self._owners[node]

    def forget(self, node: str) -> None:
        """Forget one node."""
        owner = self._owners.pop(node, None)
        if owner is not None:
            self._groups[owner].remove(node)

    def owner(self, node: str) -> str:
        """The child that has the newest report of a node; empty: none."""
        return self._owners.get(node, "")

    def below(self, child: str) -> frozenset[str]:
        """The nodes below a child."""
        group = self._groups.get(child)
        return frozenset(group.nodes) if group is not None else frozenset()

    def speaks_for_all(self, child: str) -> bool:
        """Whether the child says sums, so that a node of which it says nothing is there."""
        group = self._groups.get(child)
        return group is not None and group.summed is not None

    def heard_us(self, node: str) -> int:
        """When the aggregator that says sums of a node was heard; 0: there is none."""
        group = self._groups.get(self._owners.get(node, ""))
        return group.heard_us if group is not None and group.summed is not None else 0

    def must_look(self, now_us: int) -> bool:
        """Whether to ask for whole reports because a child sums up other nodes than are known to be below it: now and
        then, for it may be that just one has moved.
        """
        disagree = any(g.attached and g.summed is not None and not g.agrees for g in self._groups.values())
        if not disagree or now_us < self._look_after_us:
            return False
        self._look_after_us = now_us + LOOK_EVERY_US
        return True

    @property
    def any_sums(self) -> bool:
        """Whether an attached child says sums."""
        return any(group.attached and group.summed is not None for group in self._groups.values())

    def answered(self, number: int) -> bool:
        """Whether every attached child that says sums has answered a look."""
        return all(g.looked >= number for g in self._groups.values() if g.attached and g.summed is not None)

    def figures(self, of_node: Callable[[str], Sums], *, since_us: int = 0) -> dict[Key, Figure]:
        """What all nodes come to; ``of_node``: by a node's newest report. A child that was not heard ``since_us`` is
        not gone by.
        """
        return added(self._all(of_node, since_us))

    def _all(self, of_node: Callable[[str], Sums], since_us: int) -> Iterator[Sums]:
        for group in self._groups.values():
            if group.agrees and group.heard_us >= since_us:
                yield group.sums
            else:
                yield from map(of_node, sorted(group.nodes))
