"""Nodes that count, move, fall silent and come back below aggregators that sum them up: each is counted once.

The real cores on both ends: groups, what they leave out on a stream, and the census of whoever is above.
"""

import asyncio
from pathlib import Path
from typing import Any

from hypothesis import example, given, settings
from hypothesis import strategies as st

from aggregator.group import Group
from fogline.control.census import Census
from fogline.control.condensing import Expander
from fogline.control.desired import Desired
from fogline.control.summing import Summing
from fogline.control.sums import Key, Sums, sums_of
from fogline.model.caller import LOCAL
from fogline.model.clock import SECOND
from fogline.testing.clock import ManualClock
from fogline.v1 import control_pb2

CLIENTS = Key("clients")
NODES, AGGREGATORS = ("n0", "n1", "n2"), ("a0", "a1")


class Site:
    """Three nodes, two aggregators, and what the cloud makes of them."""

    def __init__(self) -> None:
        self.clock = ManualClock()
        self.truth = dict.fromkeys(NODES, 0)
        self.parent = {node: AGGREGATORS[i % 2] for i, node in enumerate(NODES)}
        self.groups = {name: self.group(name) for name in AGGREGATORS}
        self.streams: dict[str, tuple[Summing, Expander]] = {}
        self.census = Census()
        self.words: dict[str, control_pb2.NodeReport] = {}

    def group(self, name: str) -> Group:
        def own() -> control_pb2.AggregatorReport:
            return control_pb2.AggregatorReport(aggregator=name, at_us=self.clock.now_us())

        return Group(
            name,
            desired=Desired(),
            own=own,
            changed=lambda: None,
            assignments_file=Path("/nowhere/assignments"),
            clock=self.clock,
        )

    def count(self, node: str) -> None:
        self.truth[node] += 1
        self.report(node)

    def report(self, node: str) -> None:
        report = control_pb2.NodeReport(node=node, at_us=self.clock.now_us(), clients=self.truth[node])
        request = control_pb2.AttachRequest(child=node, role="node", nodes=[report])
        self.groups[self.parent[node]].reported(request, LOCAL)

    def move(self, node: str, *, noticed: bool) -> None:
        former = self.parent[node]
        self.parent[node] = AGGREGATORS[1 - AGGREGATORS.index(former)]
        if noticed:
            self.groups[former].left(node)
        self.report(node)

    def tell(self, name: str) -> None:
        if name not in self.streams:
            self.streams[name] = Summing(), Expander()
        summing, expander = self.streams[name]
        request = self.groups[name].report()
        summing.condense(request, int(self.clock.monotonic() * SECOND))
        told = control_pb2.AttachRequest.FromString(request.SerializeToString())
        expander.expand(told)
        newest = [r for r in told.nodes if r.node not in self.words or self.words[r.node].at_us < r.at_us]
        self.words.update({report.node: report for report in newest})
        self.census.hear(name, told, [report.node for report in newest], self.clock.now_us())
        if self.census.must_look(self.clock.now_us()):
            for other, _ in self.streams.values():
                other.look(control_pb2.Look(number=1), int(self.clock.monotonic() * SECOND))

    def lose_stream(self, name: str) -> None:
        self.streams.pop(name, None)
        self.census.left(name)

    @property
    def known(self) -> int:
        def of_node(name: str) -> Sums:
            return sums_of(self.words[name])

        found = self.census.figures(of_node)
        return found[CLIENTS].total if found else 0


STEPS = st.one_of(
    st.tuples(st.sampled_from(["count", "move", "slip away"]), st.sampled_from(NODES)),
    st.tuples(st.just("tell"), st.sampled_from(AGGREGATORS)),
    st.tuples(st.sampled_from(["tell", "lose stream", "wait"]), st.sampled_from(AGGREGATORS)),
)
SLIPPED = [("count", "n0"), ("tell", "a0"), ("slip away", "n0"), ("tell", "a1"), ("tell", "a0")]


async def play(steps: list[tuple[str, str]]) -> Site:
    site = Site()
    for what, who in steps:
        await site.clock.advance(0.5)
        does: dict[str, Any] = {
            "count": site.count,
            "move": lambda node: site.move(node, noticed=True),
            "slip away": lambda node: site.move(node, noticed=False),
            "tell": site.tell,
            "lose stream": site.lose_stream,
        }
        if what == "wait":
            await site.clock.advance(4)
        else:
            does[what](who)
        assert site.known <= sum(site.truth.values()), "something is counted twice"
    return site


@settings(max_examples=200)
@example(SLIPPED)
@given(st.lists(STEPS, max_size=40))
def test_no_node_is_counted_twice_however_nodes_and_streams_come_and_go(steps: list[tuple[str, str]]) -> None:
    asyncio.run(play(steps))


@example(SLIPPED)
@given(st.lists(STEPS, max_size=40))
def test_once_things_have_settled_every_node_is_counted_whole(steps: list[tuple[str, str]]) -> None:
    async def settle() -> None:
        site = await play(steps)
        for _ in range(8):
            await site.clock.advance(1)
            for node in NODES:
                site.report(node)
            for name in AGGREGATORS:
                site.tell(name)
        assert site.known == sum(site.truth.values())

    asyncio.run(settle())


async def test_a_node_that_says_nothing_is_not_among_those_that_are_there() -> None:
    site = Site()
    for node in NODES:
        site.report(node)
    site.tell("a0")
    assert site.census.below("a0") == {"n0", "n2"}
    await site.clock.advance(2)
    site.report("n0")
    await site.clock.advance(2)
    site.tell("a0")
    assert site.census.below("a0") == {"n0"}
    site.report("n2")
    site.tell("a0")
    assert site.census.below("a0") == {"n0", "n2"}


async def test_an_aggregator_above_aggregators_adds_up_their_sums() -> None:
    site = Site()
    for node in NODES:
        site.truth[node] = 5
        site.report(node)
    top = site.group("top")
    for name in AGGREGATORS:
        request = site.groups[name].report()
        Summing().condense(request, 0)
        top.reported(request, LOCAL)
    await site.clock.advance(60)
    told = top.report()
    assert {node.node for node in told.nodes} == set(NODES), "its children say that they are there"
    (figure,) = [figure for figure in told.sums.figures if figure.of == "clients"]
    assert (figure.total, figure.most, figure.nodes) == (15, 5, 3)
    assert {report.aggregator for report in told.aggregators} == {"top", *AGGREGATORS}
    now_us = site.clock.now_us()
    assert all(node.at_us == now_us for node in told.nodes), "to a parent that takes no sums they go on"
    top.left("a1")
    assert {node.node for node in top.report().nodes} == {"n0", "n2"}
    top.look(control_pb2.Look(nodes=["n0"]))
    assert top.looks.value is not None
    assert list(top.looks.value.nodes) == ["n0"]
