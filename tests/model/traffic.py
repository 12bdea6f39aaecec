"""What happens on streams: parts go up, answers come down, either end may be gone."""

from collections.abc import Callable
from dataclasses import replace

from aggregator.merge.lane import ChildRound
from aggregator.merge.values import TellChild
from fogline.intake import rounds
from fogline.intake.judgement import Settlement
from fogline.model.part import Part
from tests.model.aggregator import AggregatorSteps
from tests.model.cloud import CloudSteps
from tests.model.memory import Memory
from tests.model.node import NodeSteps
from tests.model.rules import Rules
from tests.model.setup import Setup
from tests.model.streams import (
    aggregator_of,
    live,
    order,
    replaced,
    same,
    with_aggregator,
    with_new_node,
    with_pipe,
    without,
)
from tests.model.values import CLOUD, Aggregator, Down, Node, Pipe, State, Stream, Up, World


class Traffic:
    """The steps of nodes, aggregators and the cloud, joined by streams."""

    def __init__(self, setup: Setup, rules: Rules) -> None:
        self.setup = setup
        self.rules = rules
        self.memory = Memory()
        self.nodes = NodeSteps(setup, rules)
        self.aggregators = AggregatorSteps(setup, rules)
        self.cloud = CloudSteps(rules)

    def aggregator_crashed(self, world: World, aggregator: Aggregator) -> World:
        stream = live(world, aggregator.name)
        if stream is not None:
            world = self.cut(world, stream)
        world = self.all_cut(world, aggregator.name)
        return with_aggregator(world, self.memory.one(self.aggregators.first(aggregator.name)))

    def all_cut(self, world: World, parent: str) -> World:
        """The parent's end of all its streams is gone, with everything under way."""
        for stream in world.streams:
            if stream.parent == parent:
                world = self.disconnected(without(world, stream), stream)
        return world

    def cut(self, world: World, stream: Stream) -> World:
        """The child's end is gone; what is on its way up may still arrive."""
        pipes = tuple(replace(pipe, down=()) for pipe in stream.pipes)
        zombie = self.memory.one(replace(stream, zombie=True, pipes=pipes))
        return self.disconnected(replaced(world, stream, zombie), stream)

    def disconnected(self, world: World, stream: Stream) -> World:
        if stream.zombie:
            return world
        if stream.child in self.setup.node_names:
            return self.with_node(world, self.setup.node_names.index(stream.child), self.nodes.disconnected)
        aggregator = aggregator_of(world, stream.child)
        return with_aggregator(world, self.memory.step(self.aggregators.disconnected, aggregator))

    def connected(self, world: World, child: str, parent: str) -> World:
        taken = {s.number for s in world.streams if (s.child, s.parent) == (child, parent)}
        number = next(n for n in range(len(taken) + 1) if n not in taken)
        stream = Stream(child=child, parent=parent, number=number, pipes=(Pipe(),) * self.setup.plans)
        world = world._replace(streams=tuple(sorted((*world.streams, self.memory.one(stream)), key=order)))
        for plan in range(self.setup.plans):
            if child in self.setup.node_names:
                i = self.setup.node_names.index(child)
                node, parts = self.memory.step(self.nodes.opened, world.nodes[i], plan)
                world = self.sent(with_new_node(world, i, node), child, plan, parts)
            else:
                happened = self.memory.step(self.aggregators.connected, aggregator_of(world, child), plan)
                world = self.happened(world, plan, *happened)
        return world

    def sent(self, world: World, child: str, plan: int, parts: tuple[Part[State], ...]) -> World:
        stream = live(world, child)
        if stream is None or not parts:
            return world
        pipe = stream.pipes[plan]
        one = self.memory.one
        ups = tuple(one(Up(round=pipe.sending, part=one(part))) for part in parts)
        return with_pipe(world, stream, plan, replace(pipe, up=pipe.up + ups))

    def child_hears(self, world: World, child: str, plan: int, down: Down) -> World:
        stream = live(world, child)
        if stream is None:
            raise AssertionError(f"{child} hears without a stream")
        pipe = stream.pipes[plan]
        sending = pipe.sending
        if down.refused and self.rules.rounds.obeys(sending, down.round):
            world = with_pipe(
                world, stream, plan, replace(pipe, sending=self.rules.rounds.next_number(sending))
            )
        if child in self.setup.node_names:
            i = self.setup.node_names.index(child)
            node, parts = self.memory.step(self.nodes.heard, world.nodes[i], plan, down, sending)
            return self.sent(with_new_node(world, i, node), child, plan, parts)
        happened = self.memory.step(self.aggregators.heard, aggregator_of(world, child), plan, down, sending)
        return self.happened(world, plan, *happened)

    def received(
        self, world: World, stream: Stream, plan: int, head: Up, pending: Settlement | None
    ) -> World:
        """The parent handles the head of a pipe; ``world`` says what is left in the pipe."""
        stream = same(world, stream)
        pipe = stream.pipes[plan]
        if pipe.rounds is None or head.round > pipe.rounds.number:
            pipe = replace(pipe, rounds=rounds.opened(pipe.rounds, head.round))
            world = self.opened(with_pipe(world, stream, plan, pipe), stream, plan)
        elif not self.rules.rounds.accepts(pipe.rounds, head.round):
            return world
        if stream.parent == CLOUD:
            return self.judged(world, stream, plan, head, pending)
        aggregator, key = aggregator_of(world, stream.parent), self.key(stream)
        happened = self.memory.step(self.aggregators.delivered, aggregator, plan, key, head.part)
        return self.happened(world, plan, *happened)

    def opened(self, world: World, stream: Stream, plan: int) -> World:
        """A7: the first part of a new stream ends the child's older ones at this parent."""
        if stream.parent == CLOUD and self.setup.cloud_processes:
            return world
        for older in world.streams:
            if (older.child, older.parent) == (stream.child, stream.parent) and older.number != stream.number:
                world = self.hung_up(world, older)
        if stream.parent == CLOUD:
            return world
        aggregator = aggregator_of(world, stream.parent)
        return with_aggregator(
            world, self.memory.step(self.aggregators.child_opened, aggregator, plan, self.key(stream))
        )

    def judged(self, world: World, stream: Stream, plan: int, head: Up, pending: Settlement | None) -> World:
        if pending is None:
            pending = self.memory.step(self.cloud.read, world.cloud, plan, head.part)
        cloud = self.memory.step(self.cloud.written, world.cloud, plan, head.part, self.memory.one(pending))[
            -1
        ]
        world = world._replace(cloud=cloud)
        refuses = self.cloud.refuses(pending)
        told = TellChild(
            child=self.key(stream), refused=refuses, offsets=pending.told, incarnation=cloud.incarnation
        )
        return self.told(world, stream.parent, plan, told)

    def happened(
        self,
        world: World,
        plan: int,
        aggregator: Aggregator,
        told: tuple[TellChild, ...],
        parts: tuple[Part[State], ...],
    ) -> World:
        world = with_aggregator(world, self.memory.one(aggregator))
        for each in told:
            world = self.told(world, aggregator.name, plan, each)
        return self.sent(world, aggregator.name, plan, parts)

    def told(self, world: World, parent: str, plan: int, told: TellChild) -> World:
        for stream in world.streams:
            if stream.parent == parent and self.key(stream) == told.child:
                pipe = stream.pipes[plan]
                if pipe.rounds is None:
                    raise AssertionError("an answer before any part")
                number = pipe.rounds.number
                if told.refused:
                    pipe = replace(pipe, rounds=rounds.refused(pipe.rounds))
                if not stream.zombie:
                    down = Down(
                        round=number, refused=told.refused, offsets=told.offsets, incarnation=told.incarnation
                    )
                    pipe = replace(pipe, down=(*pipe.down, self.memory.one(down)))
                return with_pipe(world, stream, plan, pipe)
        return world

    def hung_up(self, world: World, stream: Stream) -> World:
        world = without(world, stream)
        if stream.parent == CLOUD:
            return world
        aggregator = aggregator_of(world, stream.parent)
        return with_aggregator(
            world, self.memory.step(self.aggregators.child_closed, aggregator, self.key(stream))
        )

    def with_node(self, world: World, i: int, step: Callable[[Node], Node]) -> World:
        return with_new_node(world, i, self.memory.step(step, world.nodes[i]))

    def key(self, stream: Stream) -> ChildRound:
        """Rounds of a stream follow each other, so one name serves them all."""
        return self.memory.one(ChildRound(child=stream.child, stream=stream.number, round=0))
