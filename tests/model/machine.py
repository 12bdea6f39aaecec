"""The world's transitions: who may do what next, and what may go wrong."""

from collections.abc import Callable, Iterator
from dataclasses import replace
from typing import NamedTuple

from aggregator.merge.lane import ChildRound
from aggregator.merge.values import TellChild
from fogline.intake import rounds
from fogline.intake.judgement import Settlement
from fogline.model.part import Part
from fogline.uplink.cursor import awaits_answer
from tests.model.aggregator import AggregatorSteps
from tests.model.cloud import CloudSteps
from tests.model.memory import Memory
from tests.model.node import NodeSteps
from tests.model.properties import is_goal
from tests.model.rules import SHIPPED, Rules
from tests.model.setup import Setup
from tests.model.values import (
    CLOUD,
    Aggregator,
    Books,
    Cloud,
    Down,
    Fault,
    Node,
    Pipe,
    State,
    Stream,
    Up,
    World,
)


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
        self.memory = Memory()
        self._node = NodeSteps(setup, rules)
        self._aggregator = AggregatorSteps(setup, rules)
        self._cloud = CloudSteps(rules)

    def first(self) -> World:
        one = self.memory.one
        return World(
            nodes=tuple(one(self._node.first(name)) for name in self.setup.node_names),
            aggregators=tuple(one(self._aggregator.first(name)) for name in self.setup.aggregator_names),
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
            for fault, what, after in self._faults(spent):
                if fault in self.setup.kinds:
                    yield Edge(what, fault, after)

    # What happens by itself.

    def _regular(self, world: World) -> Iterator[Edge]:
        for i, node in enumerate(world.nodes):
            yield from self._on_disk(world, i, node)
        for child in (*self.setup.node_names, *self.setup.aggregator_names):
            stream = _live(world, child)
            if stream is None:
                for parent in self.setup.parents_of(child):
                    yield Edge(f"{child} connects to {parent}", None, self._connected(world, child, parent))
            else:
                yield from self._at_child(world, stream)
        for aggregator in world.aggregators:
            for plan in range(self.setup.plans):
                if self.memory.step(self._aggregator.can_flush, aggregator, plan):
                    after = self.memory.step(self._aggregator.flushed, aggregator, plan)
                    yield Edge(f"{aggregator.name} seals", None, self._happened(world, plan, *after))
        for stream in world.streams:
            yield from self._at_parent(world, stream)

    def _on_disk(self, world: World, i: int, node: Node) -> Iterator[Edge]:
        if node.arrived < self.setup.messages + self.setup.growing:
            yield Edge(f"{node.name} appends", None, self._with_node(world, i, self._node.appended))
        if any(epoch.synced < len(epoch.contents) for epoch in node.epochs):
            yield Edge(f"{node.name} syncs", None, self._with_node(world, i, self._node.synced))
        if self.setup.truncates:
            after = self._with_node(world, i, self._node.truncated)
            if after.nodes[i] is not node:
                yield Edge(f"{node.name} truncates", None, after)

    def _at_child(self, world: World, stream: Stream) -> Iterator[Edge]:
        for plan, pipe in enumerate(stream.pipes):
            if pipe.down:
                taken = _with_pipe(world, stream, plan, replace(pipe, down=pipe.down[1:]))
                told = "refused" if pipe.down[0].refused else "acknowledged"
                after = self._child_hears(taken, stream.child, plan, pipe.down[0])
                yield Edge(f"{stream.child} is {told} {_offsets(pipe.down[0])}", None, after)
            if stream.child in self.setup.node_names and len(pipe.up) < self.setup.window:
                i = self.setup.node_names.index(stream.child)
                for node, parts in self.memory.step(self._node.sendings, world.nodes[i], plan):
                    after = _with_new_node(world, i, self.memory.one(node))
                    yield Edge(
                        f"{stream.child} sends {_ranges(parts)}",
                        None,
                        self._sent(after, stream.child, plan, parts),
                    )

    def _at_parent(self, world: World, stream: Stream) -> Iterator[Edge]:
        for plan, pipe in enumerate(stream.pipes):
            if not pipe.up or len(pipe.down) >= self.setup.answers:
                continue
            head = pipe.up[0]
            label = f"{stream.parent} reads {_ranges((head.part,))} of {stream.child}"
            if stream.parent == CLOUD and not self.rules.locked and pipe.pending is None:
                settlement = self._cloud.read(world.cloud, plan, head.part)
                after = _with_pipe(world, stream, plan, replace(pipe, pending=settlement))
                yield Edge(label, None, after)
            else:
                taken = _with_pipe(world, stream, plan, replace(pipe, up=pipe.up[1:], pending=None))
                yield Edge(label, None, self._received(taken, stream, plan, head, pipe.pending))
        if stream.zombie:
            yield Edge(f"{stream.parent} hangs up on {stream.child}", None, self._hung_up(world, stream))

    def _in_time(self, world: World) -> Iterator[Edge]:
        """What clocks set going, as late as can be: only when nothing else can happen."""
        late = list(self._time_outs(world)) if Fault.LOSS in self.setup.kinds else []
        if self.setup.heartbeats and not late:
            after = world
            for i, name in enumerate(self.setup.node_names):
                for plan in range(self.setup.plans if _live(world, name) else 0):
                    node, parts = self.memory.step(self._node.idle, after.nodes[i], plan)
                    after = self._sent(_with_new_node(after, i, node), name, plan, parts)
            late.append(Edge("idle origins say so", None, after))
        yield from late

    def _time_outs(self, world: World) -> Iterator[Edge]:
        """N8, as late as can be: when nothing else can happen, whoever waits for an answer ends its stream.

        All at once: clocks run everywhere, so nobody's time-out can be put off for ever by another's.
        """
        waiting = [s for s in world.streams if not s.zombie and self._waits(world, s.child)]
        after = world
        for stream in waiting:
            after = self._cut(after, stream)
        if waiting:
            yield Edge("whoever waits ends its stream", None, after)

    def _waits(self, world: World, child: str) -> bool:
        if child in self.setup.node_names:
            return any(
                awaits_answer(cursor) for cursor in world.nodes[self.setup.node_names.index(child)].cursors
            )
        return any(lane.inflight for lane in _aggregator(world, child).lanes)

    # What goes wrong.

    def _faults(self, world: World) -> Iterator[tuple[Fault, str, World]]:
        may_hit = self.setup.may_hit
        for stream in world.streams:
            if may_hit(stream.child):
                yield from self._stream_faults(world, stream)
        for i, node in enumerate(world.nodes):
            if may_hit(node.name):
                yield from self._node_faults(world, i, node)
        for aggregator in filter(lambda a: may_hit(a.name), world.aggregators):
            yield (
                Fault.AGGREGATOR_CRASH,
                f"{aggregator.name} crashes",
                self._aggregator_crashed(world, aggregator),
            )
        if may_hit(CLOUD) and any(stream.parent == CLOUD for stream in world.streams):
            yield Fault.CLOUD_CRASH, "the cloud crashes", self._all_cut(world, CLOUD)
        books = world.cloud.books
        if world.cloud.backup is None:
            cloud = self.memory.one(replace(world.cloud, backup=books))
            yield Fault.BACKUP, "the store is backed up", world._replace(cloud=cloud)
        elif world.cloud.backup != books:
            cloud = self.memory.one(replace(world.cloud, books=world.cloud.backup, life=world.cloud.life + 1))
            yield Fault.RESTORE, "the store is restored", self._all_cut(world._replace(cloud=cloud), CLOUD)

    def _stream_faults(self, world: World, stream: Stream) -> Iterator[tuple[Fault, str, World]]:
        if not stream.zombie:
            yield Fault.CUT, f"{stream.child} loses its stream", self._cut(world, stream)
        for plan, pipe in enumerate(stream.pipes):
            if pipe.down:
                lost = _with_pipe(world, stream, plan, replace(pipe, down=pipe.down[1:]))
                yield Fault.LOSS, f"an answer to {stream.child} is lost", lost
            if not pipe.up:
                continue
            head = pipe.up[0]
            taken = _with_pipe(world, stream, plan, replace(pipe, up=pipe.up[1:], pending=None))
            yield Fault.LOSS, f"{_ranges((head.part,))} of {stream.child} is lost", taken
            repeated = self._received(world, stream, plan, head, pipe.pending)
            yield Fault.REPEAT, f"{_ranges((head.part,))} of {stream.child} is read twice", repeated
            if stream.parent == CLOUD and (self.rules.locked or pipe.pending is not None):
                yield from self._commit_without_answer(taken, stream, plan, head, pipe.pending)

    def _commit_without_answer(
        self, world: World, stream: Stream, plan: int, head: Up, pending: Settlement | None
    ) -> Iterator[tuple[Fault, str, World]]:
        if pending is None:
            pending = self._cloud.read(world.cloud, plan, head.part)
        for cloud in self._cloud.written(world.cloud, plan, head.part, pending):
            if cloud != world.cloud:
                after = self._all_cut(world._replace(cloud=self.memory.one(cloud)), CLOUD)
                yield (
                    Fault.COMMIT_WITHOUT_ANSWER,
                    f"the cloud commits {_ranges((head.part,))} and crashes",
                    after,
                )

    def _node_faults(self, world: World, i: int, node: Node) -> Iterator[tuple[Fault, str, World]]:
        steps = self._node
        crashes: tuple[tuple[Fault, str, Callable[[Node], Node]], ...] = (
            (Fault.NODE_CRASH, "crashes", steps.crashed),
            (Fault.DISK_LOSS, "loses its disk", steps.lost_its_disk),
        )
        for fault, what, step in crashes:
            stream = _live(world, node.name)
            away = world if stream is None else self._cut(world, stream)
            after = self._with_node(away, i, step)
            if stream is not None or after.nodes[i] is not node:
                yield fault, f"{node.name} {what}", after
        decisions: tuple[tuple[Fault, str, Callable[[Node], Node | None]], ...] = (
            (Fault.ROLL, "opens a new epoch", steps.rolled),
            (Fault.EXPIRE, "expires its oldest message", steps.expired),
            (Fault.DETACH, "detaches its first plan", steps.detached),
        )
        for fault, what, decide in decisions:
            decided = self.memory.step(decide, node)
            if decided is not None and decided is not node:
                yield fault, f"{node.name} {what}", _with_new_node(world, i, decided)

    def _aggregator_crashed(self, world: World, aggregator: Aggregator) -> World:
        stream = _live(world, aggregator.name)
        if stream is not None:
            world = self._cut(world, stream)
        world = self._all_cut(world, aggregator.name)
        return _with_aggregator(world, self.memory.one(self._aggregator.first(aggregator.name)))

    def _all_cut(self, world: World, parent: str) -> World:
        """The parent's end of all its streams is gone, with everything under way."""
        for stream in world.streams:
            if stream.parent == parent:
                world = self._disconnected(_without(world, stream), stream)
        return world

    def _cut(self, world: World, stream: Stream) -> World:
        """The child's end is gone; what is on its way up may still arrive."""
        pipes = tuple(replace(pipe, down=()) for pipe in stream.pipes)
        zombie = self.memory.one(replace(stream, zombie=True, pipes=pipes))
        return self._disconnected(_replaced(world, stream, zombie), stream)

    def _disconnected(self, world: World, stream: Stream) -> World:
        if stream.zombie:
            return world
        if stream.child in self.setup.node_names:
            return self._with_node(world, self.setup.node_names.index(stream.child), self._node.disconnected)
        aggregator = _aggregator(world, stream.child)
        return _with_aggregator(world, self.memory.step(self._aggregator.disconnected, aggregator))

    # Streams.

    def _connected(self, world: World, child: str, parent: str) -> World:
        taken = {s.number for s in world.streams if (s.child, s.parent) == (child, parent)}
        number = next(n for n in range(len(taken) + 1) if n not in taken)
        stream = Stream(child=child, parent=parent, number=number, pipes=(Pipe(),) * self.setup.plans)
        world = world._replace(streams=tuple(sorted((*world.streams, self.memory.one(stream)), key=_order)))
        for plan in range(self.setup.plans):
            if child in self.setup.node_names:
                i = self.setup.node_names.index(child)
                node, parts = self.memory.step(self._node.opened, world.nodes[i], plan)
                world = self._sent(_with_new_node(world, i, node), child, plan, parts)
            else:
                happened = self.memory.step(self._aggregator.connected, _aggregator(world, child), plan)
                world = self._happened(world, plan, *happened)
        return world

    def _sent(self, world: World, child: str, plan: int, parts: tuple[Part[State], ...]) -> World:
        stream = _live(world, child)
        if stream is None or not parts:
            return world
        pipe = stream.pipes[plan]
        one = self.memory.one
        ups = tuple(one(Up(round=pipe.sending, part=one(part))) for part in parts)
        return _with_pipe(world, stream, plan, replace(pipe, up=pipe.up + ups))

    def _child_hears(self, world: World, child: str, plan: int, down: Down) -> World:
        stream = _live(world, child)
        if stream is None:
            raise AssertionError(f"{child} hears without a stream")
        pipe = stream.pipes[plan]
        sending = pipe.sending
        if down.refused and self.rules.rounds.obeys(sending, down.round):
            world = _with_pipe(
                world, stream, plan, replace(pipe, sending=self.rules.rounds.next_number(sending))
            )
        if child in self.setup.node_names:
            i = self.setup.node_names.index(child)
            node, parts = self.memory.step(self._node.heard, world.nodes[i], plan, down, sending)
            return self._sent(_with_new_node(world, i, node), child, plan, parts)
        happened = self.memory.step(self._aggregator.heard, _aggregator(world, child), plan, down, sending)
        return self._happened(world, plan, *happened)

    def _received(
        self, world: World, stream: Stream, plan: int, head: Up, pending: Settlement | None
    ) -> World:
        """The parent handles the head of a pipe; ``world`` says what is left in the pipe."""
        stream = _same(world, stream)
        pipe = stream.pipes[plan]
        if pipe.rounds is None or head.round > pipe.rounds.number:
            pipe = replace(pipe, rounds=rounds.opened(pipe.rounds, head.round))
            world = self._opened(_with_pipe(world, stream, plan, pipe), stream, plan)
        elif not self.rules.rounds.accepts(pipe.rounds, head.round):
            return world
        if stream.parent == CLOUD:
            return self._judged(world, stream, plan, head, pending)
        aggregator, key = _aggregator(world, stream.parent), self._key(stream)
        happened = self.memory.step(self._aggregator.delivered, aggregator, plan, key, head.part)
        return self._happened(world, plan, *happened)

    def _opened(self, world: World, stream: Stream, plan: int) -> World:
        """A7: the first part of a new stream ends the child's older ones at this parent."""
        if stream.parent == CLOUD and self.setup.cloud_processes:
            return world
        for older in world.streams:
            if (older.child, older.parent) == (stream.child, stream.parent) and older.number != stream.number:
                world = _without(world, older)
        if stream.parent == CLOUD:
            return world
        aggregator = _aggregator(world, stream.parent)
        return _with_aggregator(
            world, self.memory.step(self._aggregator.child_opened, aggregator, plan, self._key(stream))
        )

    def _judged(self, world: World, stream: Stream, plan: int, head: Up, pending: Settlement | None) -> World:
        if pending is None:
            pending = self.memory.step(self._cloud.read, world.cloud, plan, head.part)
        cloud = self.memory.step(self._cloud.written, world.cloud, plan, head.part, self.memory.one(pending))[
            -1
        ]
        world = world._replace(cloud=cloud)
        refuses = self._cloud.refuses(pending)
        told = TellChild(
            child=self._key(stream), refused=refuses, offsets=pending.told, incarnation=cloud.incarnation
        )
        return self._told(world, stream.parent, plan, told)

    def _happened(
        self,
        world: World,
        plan: int,
        aggregator: Aggregator,
        told: tuple[TellChild, ...],
        parts: tuple[Part[State], ...],
    ) -> World:
        world = _with_aggregator(world, self.memory.one(aggregator))
        for each in told:
            world = self._told(world, aggregator.name, plan, each)
        return self._sent(world, aggregator.name, plan, parts)

    def _told(self, world: World, parent: str, plan: int, told: TellChild) -> World:
        for stream in world.streams:
            if stream.parent == parent and self._key(stream) == told.child:
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
                return _with_pipe(world, stream, plan, pipe)
        return world

    def _hung_up(self, world: World, stream: Stream) -> World:
        world = _without(world, stream)
        if stream.parent == CLOUD:
            return world
        aggregator = _aggregator(world, stream.parent)
        return _with_aggregator(
            world, self.memory.step(self._aggregator.child_closed, aggregator, self._key(stream))
        )

    def _with_node(self, world: World, i: int, step: Callable[[Node], Node]) -> World:
        return _with_new_node(world, i, self.memory.step(step, world.nodes[i]))

    def _key(self, stream: Stream) -> ChildRound:
        """Rounds of a stream follow each other, so one name serves them all."""
        return self.memory.one(ChildRound(child=stream.child, stream=stream.number, round=0))

    def canonical(self, world: World) -> World:
        """The same world with round numbers counted from 0 and every component its one object."""
        streams = tuple(
            self.memory.step(_from_round_zero, self.memory.one(stream)) for stream in world.streams
        )
        return world._replace(streams=streams)


def _from_round_zero(stream: Stream) -> Stream:
    """Rounds are only ever compared within a pipe, so their common beginning does not matter."""
    return replace(stream, pipes=tuple(_shifted(pipe) for pipe in stream.pipes))


def _shifted(pipe: Pipe) -> Pipe:
    if pipe.rounds is None:
        return pipe
    low = min([pipe.rounds.number, pipe.sending, *(u.round for u in pipe.up), *(d.round for d in pipe.down)])
    if not low:
        return pipe
    return replace(
        pipe,
        sending=pipe.sending - low,
        rounds=replace(pipe.rounds, number=pipe.rounds.number - low),
        up=tuple(replace(u, round=u.round - low) for u in pipe.up),
        down=tuple(replace(d, round=d.round - low) for d in pipe.down),
    )


def _order(stream: Stream) -> tuple[str, str, int]:
    return stream.child, stream.parent, stream.number


def _live(world: World, child: str) -> Stream | None:
    return next((s for s in world.streams if s.child == child and not s.zombie), None)


def _same(world: World, stream: Stream) -> Stream:
    """The stream as it is now in this world."""
    return next(s for s in world.streams if _order(s) == _order(stream))


def _replaced(world: World, old: Stream, new: Stream) -> World:
    streams = tuple(new if _order(s) == _order(old) else s for s in world.streams)
    return world._replace(streams=streams)


def _without(world: World, stream: Stream) -> World:
    return world._replace(streams=tuple(s for s in world.streams if _order(s) != _order(stream)))


def _with_pipe(world: World, stream: Stream, plan: int, pipe: Pipe) -> World:
    stream = _same(world, stream)
    pipes = (*stream.pipes[:plan], pipe, *stream.pipes[plan + 1 :])
    return _replaced(world, stream, replace(stream, pipes=pipes))


def _with_new_node(world: World, i: int, node: Node) -> World:
    return world._replace(nodes=(*world.nodes[:i], node, *world.nodes[i + 1 :]))


def _aggregator(world: World, name: str) -> Aggregator:
    return next(a for a in world.aggregators if a.name == name)


def _with_aggregator(world: World, aggregator: Aggregator) -> World:
    return world._replace(
        aggregators=tuple(aggregator if a.name == aggregator.name else a for a in world.aggregators)
    )


def _ranges(parts: tuple[Part[State], ...]) -> str:
    return " ".join(
        "{"
        + ", ".join(f"{c.origin.node}.{c.origin.epoch[0]}[{c.first},{c.end}){c.gap}" for c in p.contributions)
        + "}"
        for p in parts
    )


def _offsets(down: Down) -> str:
    return "{" + ", ".join(f"{o.node}.{o.epoch[0]}: {n}" for o, n in down.offsets.items()) + "}"
