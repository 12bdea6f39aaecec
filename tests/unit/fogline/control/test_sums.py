"""Figures of many nodes: the same in any order and grouping, and each node in them once."""

from collections.abc import Iterable
from functools import reduce

from hypothesis import given
from hypothesis import strategies as st

from fogline.control.census import LOOK_EVERY_US, Census
from fogline.control.sums import (
    MOST,
    Figure,
    Key,
    Roster,
    Sums,
    added,
    roster_of,
    sums_from_wire,
    sums_of,
    sums_to_wire,
)
from fogline.v1 import control_pb2, types_pb2

COUNTS = st.integers(0, 2**63) | st.integers(0, 20)
FIGURES = st.builds(
    lambda total, most, nodes: Figure(max(total, most), most, nodes), COUNTS, COUNTS, st.integers(1, 9)
)
SUMS = st.dictionaries(st.builds(Key, st.sampled_from("abc"), st.sampled_from("pq")), FIGURES, max_size=5)


@given(st.lists(SUMS, min_size=1, max_size=6), st.data())
def test_sums_are_the_same_in_any_order_and_grouping(many: list[Sums], data: st.DataObject) -> None:
    shuffled = data.draw(st.permutations(many))
    at = data.draw(st.integers(0, len(many)))
    one_by_one: Sums = reduce(lambda a, b: added([a, b]), shuffled, {})
    assert added(many) == one_by_one == added([added(shuffled[:at]), added(shuffled[at:])])


@given(SUMS)
def test_sums_come_back_from_the_wire_as_they_were(sums: Sums) -> None:
    assert sums_from_wire(sums_to_wire(sums)) == sums


@given(st.sets(st.text(max_size=5)), st.sets(st.text(max_size=5)))
def test_a_roster_says_who_was_summed_up(some: set[str], others: set[str]) -> None:
    roster = roster_of(some)
    for name in others - some:
        roster.add(name)
    for name in some - others:
        roster.remove(name)
    assert roster == roster_of(others)
    assert (roster_of(some) == roster_of(others)) == (some == others)


def test_what_a_report_counts_is_added_up_over_its_origins() -> None:
    def journal(epoch: int, received: int) -> control_pb2.JournalReport:
        origin = types_pb2.Origin(tenant="main", node="n", stream="air", epoch=bytes([epoch] * 16))
        return control_pb2.JournalReport(origin=origin, received=received, refused={"full": 2})

    report = control_pb2.NodeReport(
        node="n",
        clients=3,
        journals=[journal(1, 10), journal(2, 5)],
        lanes=[control_pb2.LaneReport(plan="p", pending=4, gaps={"expired": 1})],
        steps=[control_pb2.StepReport(plan="p", step="s", busy_us=7)],
        containers=[control_pb2.ContainerReport(plan="p", name="s", replica=r, cpu_us=2**63) for r in (0, 1)],
        brokers=[control_pb2.BrokerReport(messages=6)],
    )
    found = sums_of(report)
    expected = {
        Key("clients"): 3,
        Key("journal.received", name="air"): 15,
        Key("journal.refused", name="air", reason="full"): 4,
        Key("lane.pending", "p"): 4,
        Key("lane.gap", "p", "", "expired"): 1,
        Key("step.busy_us", "p", "s"): 7,
        Key("container.cpu_us", "p", "s"): MOST,
        Key("broker.messages"): 6,
    }
    assert {key: found[key].total for key in expected} == expected
    assert {figure.nodes for figure in found.values()} == {1}


def said(
    nodes: Iterable[str], total: int, *, whole: bool = False, left: Iterable[str] = ()
) -> control_pb2.AttachRequest:
    nodes = list(nodes)
    roster = roster_of(nodes)
    figure = control_pb2.Figure(of="x", total=total, most=total, nodes=len(nodes))
    sums = control_pb2.GroupSums(whole=whole, nodes=roster.nodes, names=roster.names, figures=[figure])
    reports = [control_pb2.NodeReport(node=node) for node in nodes] if whole else []
    return control_pb2.AttachRequest(nodes=reports, sums=sums, left=left)


def one(_: str) -> Sums:
    return {Key("x"): Figure(1, 1, 1)}


def total(census: Census, since_us: int = 0) -> int:
    found = census.figures(one, since_us=since_us)
    return found[Key("x")].total if found else 0


def test_a_node_that_moved_is_not_counted_by_both_aggregators() -> None:
    census = Census()
    census.hear("a", said(["n", "m"], 20, whole=True), ["n", "m"], 1)
    assert total(census) == 20
    census.hear("b", said(["n"], 10, whole=True), ["n"], 2)
    assert total(census) == 10 + 1, "of what the former one sums up nobody knows how much is the node's"
    census.hear("a", said(["m"], 9, left=["n"]), [], 3)
    assert total(census) == 10 + 9
    assert census.below("a") == {"m"}


def test_an_aggregator_that_sums_up_others_than_are_known_is_asked_for_its_reports() -> None:
    census = Census()
    census.hear("a", said(["n"], 20, whole=True), ["n"], 1)
    assert not census.must_look(1)
    census.hear("b", said(["n"], 10, whole=True), ["n"], 2)
    assert census.must_look(2)
    assert not census.must_look(3), "not with every word"
    assert census.must_look(2 + LOOK_EVERY_US)
    census.left("a")
    assert not census.must_look(2 + 2 * LOOK_EVERY_US), "it is not there to be asked"


def test_an_aggregator_that_is_silent_is_not_gone_by() -> None:
    census = Census()
    census.hear("a", said(["n"], 20, whole=True), ["n"], 5)
    assert total(census, since_us=5) == 20
    assert total(census, since_us=6) == 1


def test_a_stream_that_begins_anew_takes_back_who_is_not_named_again() -> None:
    census = Census()
    census.hear("a", said(["n", "m"], 20, whole=True), ["n", "m"], 1)
    census.hear("a", said(["m"], 9, whole=True), ["m"], 2)
    assert total(census) == 9
    assert census.owner("n") == ""
    assert census.heard_us("n") == 0
    assert census.heard_us("m") == 2


def test_an_aggregator_that_floods_with_figures_is_not_gone_by() -> None:
    census = Census()
    flood = said(["n"], 20, whole=True)
    flood.sums.figures.extend(control_pb2.Figure(of=str(i), total=1) for i in range(10_001))
    census.hear("a", flood, ["n"], 1)
    assert total(census) == 1


def test_a_roster_is_not_one_of_as_many_others() -> None:
    assert Roster(1, 5) != Roster(1, 6)
    assert len({roster_of("ab"), roster_of("ba")}) == 1
