"""A configuration of the model: how many of what, and what may happen to them."""

from dataclasses import dataclass, field

from aggregator.merge.lane import Limits
from fogline.model.frozen import FrozenMap
from tests.model.values import CLOUD, Fault

LINKS = frozenset({Fault.CUT, Fault.COMMIT_WITHOUT_ANSWER})
CRASHES = frozenset({Fault.NODE_CRASH, Fault.AGGREGATOR_CRASH, Fault.CLOUD_CRASH})
ORDINARY = LINKS | CRASHES


@dataclass(frozen=True, slots=True, kw_only=True)
class Setup:
    """What is explored."""

    nodes: int = 1
    aggregators: int = 0
    plans: int = 1
    messages: int = 1
    """In each node's journal at the beginning."""
    growing: int = 0
    """Messages that arrive later at each node."""
    unsynced: bool = False
    """A message is written first and synced later; else both at once."""
    start: int = 0
    """Offset at which the plans begin, in the first epoch."""
    base: int = 0
    """What was truncated before the beginning."""
    truncates: bool = False
    watermarks: bool = False
    """Parts carry one, and idle origins send theirs."""
    heartbeats: bool = False
    """Where nothing else happens any more, short of the goal, idle origins send their empty parts."""
    faults: int = 1
    kinds: frozenset[Fault] = ORDINARY
    victims: tuple[str, ...] = ()
    """Whose streams, processes and disks the faults hit; all, if none is named."""
    parents: FrozenMap[str, tuple[str, ...]] = field(default_factory=FrozenMap)
    """By child, where not every aggregator, or the cloud where there is none."""
    in_flight: int = 2
    window: int = 2
    """How many parts a node's lane may have under way in a stream: its credit."""
    answers: int = 99
    """How many answers may be under way in a lane before its parent reads no more: the transport's credit."""
    cloud_processes: bool = False
    """Each stream ends at a cloud process of its own, which knows nothing of a child's older streams."""
    cuts: bool = False
    """A part may end before the last message; else it holds all there is."""

    @property
    def node_names(self) -> tuple[str, ...]:
        return tuple(f"node{i}" for i in range(self.nodes))

    @property
    def aggregator_names(self) -> tuple[str, ...]:
        return tuple(f"agg{i}" for i in range(self.aggregators))

    @property
    def limits(self) -> Limits:
        return Limits(in_flight=self.in_flight, part_bytes=99, part_contributions=99, seal_after_us=1)

    def may_hit(self, name: str) -> bool:
        return not self.victims or name in self.victims

    def parents_of(self, child: str) -> tuple[str, ...]:
        if child in self.parents:
            return self.parents[child]
        return self.aggregator_names or (CLOUD,) if child in self.node_names else (CLOUD,)
