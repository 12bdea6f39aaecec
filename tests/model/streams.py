"""Worlds with one thing changed, and what a trace calls things."""

from dataclasses import replace

from fogline.model.part import Part
from tests.model.values import Aggregator, Down, Node, Pipe, State, Stream, World


def from_round_zero(stream: Stream) -> Stream:
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


def order(stream: Stream) -> tuple[str, str, int]:
    return stream.child, stream.parent, stream.number


def live(world: World, child: str) -> Stream | None:
    return next((s for s in world.streams if s.child == child and not s.zombie), None)


def same(world: World, stream: Stream) -> Stream:
    """The stream as it is now in this world."""
    return next(s for s in world.streams if order(s) == order(stream))


def replaced(world: World, old: Stream, new: Stream) -> World:
    streams = tuple(new if order(s) == order(old) else s for s in world.streams)
    return world._replace(streams=streams)


def without(world: World, stream: Stream) -> World:
    return world._replace(streams=tuple(s for s in world.streams if order(s) != order(stream)))


def with_pipe(world: World, stream: Stream, plan: int, pipe: Pipe) -> World:
    stream = same(world, stream)
    pipes = (*stream.pipes[:plan], pipe, *stream.pipes[plan + 1 :])
    return replaced(world, stream, replace(stream, pipes=pipes))


def with_new_node(world: World, i: int, node: Node) -> World:
    return world._replace(nodes=(*world.nodes[:i], node, *world.nodes[i + 1 :]))


def aggregator_of(world: World, name: str) -> Aggregator:
    return next(a for a in world.aggregators if a.name == name)


def with_aggregator(world: World, aggregator: Aggregator) -> World:
    return world._replace(
        aggregators=tuple(aggregator if a.name == aggregator.name else a for a in world.aggregators)
    )


def ranges(parts: tuple[Part[State], ...]) -> str:
    return " ".join(
        "{"
        + ", ".join(f"{c.origin.node}.{c.origin.epoch[0]}[{c.first},{c.end}){c.gap}" for c in p.contributions)
        + "}"
        for p in parts
    )


def offsets(down: Down) -> str:
    return "{" + ", ".join(f"{o.node}.{o.epoch[0]}: {n}" for o, n in down.offsets.items()) + "}"
