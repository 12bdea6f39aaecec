"""What an aggregator tells a parent that takes sums: what happened at once, what counts in figures, and by turns."""

from fogline.control.summing import AGAIN_AFTER_US, LOOK_LASTS_US, REPORTS_A_SECOND, Summing
from fogline.model.clock import SECOND
from fogline.v1 import control_pb2, types_pb2


def report(node: str, at: int, *, journaled: int = 0, fault: str = "") -> control_pb2.NodeReport:
    origin = types_pb2.Origin(tenant="main", node=node, stream="air", epoch=bytes(16))
    return control_pb2.NodeReport(
        node=node,
        at_us=at,
        faults=[fault] if fault else [],
        journals=[control_pb2.JournalReport(origin=origin, journaled=journaled)],
    )


def tell(summing: Summing, at: int, *nodes: control_pb2.NodeReport) -> control_pb2.AttachRequest:
    own = control_pb2.AggregatorReport(aggregator="a", children=[node.node for node in nodes])
    request = control_pb2.AttachRequest(nodes=nodes, aggregators=[own])
    summing.condense(request, at)
    return request


def names(request: control_pb2.AttachRequest) -> list[str]:
    return [node.node for node in request.nodes]


def test_a_stream_begins_with_everything_and_says_so() -> None:
    summing = Summing()
    first = tell(summing, 0, *(report(f"n{i}", 1) for i in range(100)))
    assert len(first.nodes) == 100
    assert first.sums.whole
    assert first.sums.nodes == 100
    second = tell(summing, 1, *(report(f"n{i}", 2) for i in range(100)))
    assert not second.nodes
    assert not second.sums.whole
    assert second.sums.names == first.sums.names


def test_what_happened_goes_up_at_once() -> None:
    summing = Summing()
    tell(summing, 0, report("n", 1), report("m", 1))
    assert names(tell(summing, 1, report("n", 2, fault="disk"), report("m", 2))) == ["n"]
    later = tell(summing, 2, report("n", 3, fault="disk"))
    assert later.left == ["m"]
    assert not later.nodes


def test_numbers_that_count_on_go_up_by_turns_and_no_more_than_so_many_a_second() -> None:
    summing, sent = Summing(), []
    tell(summing, 0, *(report(f"n{i:02}", 0) for i in range(40)))
    for second in range(1, 11):
        told = tell(
            summing, second * SECOND, *(report(f"n{i:02}", second, journaled=second) for i in range(40))
        )
        assert len(told.nodes) <= REPORTS_A_SECOND
        sent += names(told)
    assert len(sent) == 10 * REPORTS_A_SECOND
    assert min(sent.count(f"n{i:02}") for i in range(40)) >= 3, "each in its turn"


def test_a_report_goes_up_now_and_then_even_if_nothing_changes() -> None:
    summing = Summing()
    tell(summing, 0, report("n", 1))
    assert not tell(summing, AGAIN_AFTER_US - 1, report("n", 2)).nodes
    assert names(tell(summing, AGAIN_AFTER_US, report("n", 3))) == ["n"]


def test_whoever_is_looked_at_goes_up_whenever_it_says_something() -> None:
    summing = Summing()
    tell(summing, 0, report("n", 1), report("m", 1))
    summing.look(control_pb2.Look(number=7, nodes=["n"]), 0)
    told = tell(summing, 1, report("n", 2), report("m", 2))
    assert names(told) == ["n"]
    assert told.looked == 7
    assert not tell(summing, 2, report("n", 2), report("m", 3)).nodes
    assert not tell(summing, LOOK_LASTS_US, report("n", 3), report("m", 4)).nodes
    summing.look(control_pb2.Look(number=8), LOOK_LASTS_US)
    assert names(tell(summing, LOOK_LASTS_US + 1, report("n", 4), report("m", 5))) == ["n", "m"]


def test_children_are_named_when_they_are_others() -> None:
    summing = Summing()
    assert tell(summing, 0, report("n", 1)).aggregators[0].children == ["n"]
    same = tell(summing, 1, report("n", 2)).aggregators[0]
    assert same.same_children
    assert not same.children
    assert tell(summing, 2).aggregators[0].children == []
    assert not tell(summing, 3, report("n", 4)).aggregators[0].same_children
