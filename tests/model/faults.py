"""What may go wrong, and what is decided from outside."""

from collections.abc import Callable, Iterator
from dataclasses import replace

from fogline.intake.judgement import Settlement
from tests.model.streams import live, ranges, with_new_node, with_pipe
from tests.model.traffic import Traffic
from tests.model.values import CLOUD, Fault, Node, Stream, Up, World

Mishap = tuple[Fault, str, World]


class Faults:
    """The faults of a configuration."""

    def __init__(self, traffic: Traffic) -> None:
        self._traffic = traffic

    def of(self, world: World) -> Iterator[Mishap]:
        """Everything that may go wrong next; the caller spends the fault."""
        may_hit = self._traffic.setup.may_hit
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
                self._traffic.aggregator_crashed(world, aggregator),
            )
        if may_hit(CLOUD) and any(stream.parent == CLOUD for stream in world.streams):
            yield Fault.CLOUD_CRASH, "the cloud crashes", self._traffic.all_cut(world, CLOUD)
        books = world.cloud.books
        if world.cloud.backup is None:
            cloud = self._traffic.memory.one(replace(world.cloud, backup=books))
            yield Fault.BACKUP, "the store is backed up", world._replace(cloud=cloud)
        elif world.cloud.backup != books:
            cloud = self._traffic.memory.one(
                replace(world.cloud, books=world.cloud.backup, life=world.cloud.life + 1)
            )
            yield (
                Fault.RESTORE,
                "the store is restored",
                self._traffic.all_cut(world._replace(cloud=cloud), CLOUD),
            )

    def _stream_faults(self, world: World, stream: Stream) -> Iterator[Mishap]:
        if not stream.zombie:
            yield Fault.CUT, f"{stream.child} loses its stream", self._traffic.cut(world, stream)
        for plan, pipe in enumerate(stream.pipes):
            if pipe.down:
                lost = with_pipe(world, stream, plan, replace(pipe, down=pipe.down[1:]))
                yield Fault.LOSS, f"an answer to {stream.child} is lost", lost
            if not pipe.up:
                continue
            head = pipe.up[0]
            taken = with_pipe(world, stream, plan, replace(pipe, up=pipe.up[1:], pending=None))
            yield Fault.LOSS, f"{ranges((head.part,))} of {stream.child} is lost", taken
            repeated = self._traffic.received(world, stream, plan, head, pipe.pending)
            yield Fault.REPEAT, f"{ranges((head.part,))} of {stream.child} is read twice", repeated
            if stream.parent == CLOUD and (self._traffic.rules.locked or pipe.pending is not None):
                yield from self._commit_without_answer(taken, stream, plan, head, pipe.pending)

    def _commit_without_answer(
        self, world: World, stream: Stream, plan: int, head: Up, pending: Settlement | None
    ) -> Iterator[Mishap]:
        if pending is None:
            pending = self._traffic.cloud.read(world.cloud, plan, head.part)
        for cloud in self._traffic.cloud.written(world.cloud, plan, head.part, pending):
            if cloud != world.cloud:
                after = self._traffic.all_cut(world._replace(cloud=self._traffic.memory.one(cloud)), CLOUD)
                yield (
                    Fault.COMMIT_WITHOUT_ANSWER,
                    f"the cloud commits {ranges((head.part,))} and crashes",
                    after,
                )

    def _node_faults(self, world: World, i: int, node: Node) -> Iterator[Mishap]:
        steps = self._traffic.nodes
        crashes: tuple[tuple[Fault, str, Callable[[Node], Node]], ...] = (
            (Fault.NODE_CRASH, "crashes", steps.crashed),
            (Fault.DISK_LOSS, "loses its disk", steps.lost_its_disk),
        )
        for fault, what, step in crashes:
            stream = live(world, node.name)
            away = world if stream is None else self._traffic.cut(world, stream)
            after = self._traffic.with_node(away, i, step)
            if stream is not None or after.nodes[i] is not node:
                yield fault, f"{node.name} {what}", after
        decisions: tuple[tuple[Fault, str, Callable[[Node], Node | None]], ...] = (
            (Fault.ROLL, "opens a new epoch", steps.rolled),
            (Fault.EXPIRE, "expires its oldest message", steps.expired),
            (Fault.DETACH, "detaches its first plan", steps.detached),
        )
        for fault, what, decide in decisions:
            decided = self._traffic.memory.step(decide, node)
            if decided is not None and decided is not node:
                yield fault, f"{node.name} {what}", with_new_node(world, i, decided)
