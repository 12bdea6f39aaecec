"""The world's transitions: who may do what next, and what may go wrong."""

from collections.abc import Iterator
from dataclasses import replace
from typing import NamedTuple

from fogline.uplink.cursor import awaits_answer
from tests.model.faults import Faults
from tests.model.properties import is_goal
from tests.model.rules import SHIPPED, Rules
from tests.model.setup import Setup
from tests.model.streams import (
    aggregator_of,
    from_round_zero,
    live,
    offsets,
    ranges,
    with_new_node,
    with_pipe,
)
from tests.model.traffic import Traffic
from tests.model.values import CLOUD, Books, Cloud, Fault, Node, Stream, World


class Edge(NamedTuple):
    """One thing that may happen. ``fault`` is None if it needs nobody's bad luck."""

    what: str
    fault: Fault | None
    world: World


class Machine:
    """The transitions of one configuration under some rules."""

    def __init__(self, setup: Setup, rules: Rules = SHIPPED) -> None:
        self.setup = setup
        self.rules = rules
        self.traffic = Traffic(setup, rules)
        self.memory = self.traffic.memory
        self._faults = Faults(self.traffic)

    def first(self) -> World:
        one = self.memory.one
        return World(
            nodes=tuple(one(self.traffic.nodes.first(name)) for name in self.setup.node_names),
            aggregators=tuple(
                one(self.traffic.aggregators.first(name)) for name in self.setup.aggregator_names
            ),
            streams=(),
            cloud=one(Cloud(books=(Books(),) * self.setup.plans)),
            faults=self.setup.faults,
        )

    def edges(self, world: World) -> Iterator[Edge]:
        """Everything that may happen next."""
        regular = False
        for edge in self._regular(world):
            regular = True
            yield edge
        if not regular and not is_goal(world, self.setup):
            yield from self._in_time(world)
        if world.faults:
            spent = world._replace(faults=world.faults - 1)
            for fault, what, after in self._faults.of(spent):
                if fault in self.setup.kinds:
                    yield Edge(what, fault, after)

    def _regular(self, world: World) -> Iterator[Edge]:
        for i, node in enumerate(world.nodes):
            yield from self._on_disk(world, i, node)
        for child in (*self.setup.node_names, *self.setup.aggregator_names):
            stream = live(world, child)
            if stream is None:
                for parent in self.setup.parents_of(child):
                    yield Edge(
                        f"{child} connects to {parent}", None, self.traffic.connected(world, child, parent)
                    )
            else:
                yield from self._at_child(world, stream)
        for aggregator in world.aggregators:
            for plan in range(self.setup.plans):
                if self.memory.step(self.traffic.aggregators.can_flush, aggregator, plan):
                    after = self.memory.step(self.traffic.aggregators.flushed, aggregator, plan)
                    yield Edge(f"{aggregator.name} seals", None, self.traffic.happened(world, plan, *after))
        for stream in world.streams:
            yield from self._at_parent(world, stream)

    def _on_disk(self, world: World, i: int, node: Node) -> Iterator[Edge]:
        if node.arrived < self.setup.messages + self.setup.growing:
            yield Edge(
                f"{node.name} appends", None, self.traffic.with_node(world, i, self.traffic.nodes.appended)
            )
        if any(epoch.synced < len(epoch.contents) for epoch in node.epochs):
            yield Edge(
                f"{node.name} syncs", None, self.traffic.with_node(world, i, self.traffic.nodes.synced)
            )
        if self.setup.truncates:
            after = self.traffic.with_node(world, i, self.traffic.nodes.truncated)
            if after.nodes[i] is not node:
                yield Edge(f"{node.name} truncates", None, after)

    def _at_child(self, world: World, stream: Stream) -> Iterator[Edge]:
        for plan, pipe in enumerate(stream.pipes):
            if pipe.down:
                taken = with_pipe(world, stream, plan, replace(pipe, down=pipe.down[1:]))
                told = "refused" if pipe.down[0].refused else "acknowledged"
                after = self.traffic.child_hears(taken, stream.child, plan, pipe.down[0])
                yield Edge(f"{stream.child} is {told} {offsets(pipe.down[0])}", None, after)
            if stream.child in self.setup.node_names and len(pipe.up) < self.setup.window:
                i = self.setup.node_names.index(stream.child)
                for node, parts in self.memory.step(self.traffic.nodes.sendings, world.nodes[i], plan):
                    after = with_new_node(world, i, self.memory.one(node))
                    yield Edge(
                        f"{stream.child} sends {ranges(parts)}",
                        None,
                        self.traffic.sent(after, stream.child, plan, parts),
                    )

    def _at_parent(self, world: World, stream: Stream) -> Iterator[Edge]:
        for plan, pipe in enumerate(stream.pipes):
            if not pipe.up or len(pipe.down) >= self.setup.answers:
                continue
            head = pipe.up[0]
            label = f"{stream.parent} reads {ranges((head.part,))} of {stream.child}"
            if stream.parent == CLOUD and not self.rules.locked and pipe.pending is None:
                settlement = self.traffic.cloud.read(world.cloud, plan, head.part)
                after = with_pipe(world, stream, plan, replace(pipe, pending=settlement))
                yield Edge(label, None, after)
            else:
                taken = with_pipe(world, stream, plan, replace(pipe, up=pipe.up[1:], pending=None))
                yield Edge(label, None, self.traffic.received(taken, stream, plan, head, pipe.pending))
        if stream.zombie:
            yield Edge(
                f"{stream.parent} hangs up on {stream.child}", None, self.traffic.hung_up(world, stream)
            )

    def _in_time(self, world: World) -> Iterator[Edge]:
        """What clocks set going, as late as can be: only when nothing else can happen."""
        late = list(self._time_outs(world)) if Fault.LOSS in self.setup.kinds else []
        if self.setup.heartbeats and not late:
            after = world
            for i, name in enumerate(self.setup.node_names):
                for plan in range(self.setup.plans if live(world, name) else 0):
                    node, parts = self.memory.step(self.traffic.nodes.idle, after.nodes[i], plan)
                    after = self.traffic.sent(with_new_node(after, i, node), name, plan, parts)
            late.append(Edge("idle origins say so", None, after))
        yield from late

    def _time_outs(self, world: World) -> Iterator[Edge]:
        """N8, as late as can be: when nothing else can happen, whoever waits for an answer ends its stream.

        All at once: clocks run everywhere, so nobody's time-out can be put off for ever by another's.
        """
        waiting = [s for s in world.streams if not s.zombie and self._waits(world, s.child)]
        after = world
        for stream in waiting:
            after = self.traffic.cut(after, stream)
        if waiting:
            yield Edge("whoever waits ends its stream", None, after)

    def _waits(self, world: World, child: str) -> bool:
        if child in self.setup.node_names:
            return any(
                awaits_answer(cursor) for cursor in world.nodes[self.setup.node_names.index(child)].cursors
            )
        return any(lane.inflight for lane in aggregator_of(world, child).lanes)

    def canonical(self, world: World) -> World:
        """The same world with round numbers counted from 0 and every component its one object."""
        streams = tuple(
            self.memory.step(from_round_zero, self.memory.one(stream)) for stream in world.streams
        )
        return world._replace(streams=streams)
