"""Whatever is left out of reports, the parent has it."""

from hypothesis import given
from hypothesis import strategies as st

from fogline.control.condensing import STATISTICS_EVERY_US, Condenser, Expander, substance_of
from fogline.model.clock import SECOND
from fogline.v1 import control_pb2

NAMES = ("n1", "n2", "n3")


@st.composite
def reports(draw: st.DrawFn, at_us: int) -> list[control_pb2.NodeReport]:
    return [
        control_pb2.NodeReport(
            node=name,
            at_us=at_us,
            generation=draw(st.integers(1, 2)),
            clients=draw(st.integers(0, 1)),
            steps=[control_pb2.StepReport(plan="p", step="s", batches=draw(st.integers(0, 2)))],
            containers=[control_pb2.ContainerReport(name="s", cpu_us=draw(st.integers(0, 2)))],
            lanes=[control_pb2.LaneReport(plan="p", watermark_us=draw(st.integers(0, 2)))],
        )
        for name in draw(st.lists(st.sampled_from(NAMES), unique=True))
    ]


@st.composite
def runs(draw: st.DrawFn) -> list[tuple[int, list[control_pb2.NodeReport]]]:
    at_us, run = 1, []
    for _ in range(draw(st.integers(1, 10))):
        run.append((at_us, draw(reports(at_us))))
        at_us += draw(st.sampled_from([1, SECOND, 3 * SECOND]))
    return run


def request_of(nodes: list[control_pb2.NodeReport]) -> control_pb2.AttachRequest:
    return control_pb2.AttachRequest(protocol=1, child="a1", role="aggregator", nodes=nodes)


@given(run=runs())
def test_the_parent_hears_of_every_node_at_once_and_of_statistics_in_time(
    run: list[tuple[int, list[control_pb2.NodeReport]]],
) -> None:
    condenser, expander = Condenser(), Expander()
    changed_us: dict[str, int] = {}
    for at_us, nodes in run:
        request = request_of(nodes)
        condenser.condense(request, at_us)
        assert len(request.nodes) + len(request.unchanged) == len(nodes)
        sent = control_pb2.AttachRequest.FromString(request.SerializeToString())
        expander.expand(sent)
        heard = {report.node: report for report in sent.nodes}
        assert heard.keys() == {report.node for report in nodes}
        assert not sent.unchanged
        for report in nodes:
            assert heard[report.node].at_us == at_us
            assert substance_of(heard[report.node]) == substance_of(report)
            if heard[report.node] == report:
                changed_us[report.node] = at_us
            assert at_us - changed_us[report.node] < STATISTICS_EVERY_US


def test_a_node_with_nothing_new_costs_its_name() -> None:
    report = control_pb2.NodeReport(
        node="n1", at_us=1, faults=["something long that is wrong"] * 10, generation=3
    )
    condenser = Condenser()
    first = request_of([report])
    condenser.condense(first, 1)
    report.at_us = 100 * SECOND
    second = request_of([report])
    condenser.condense(second, 100 * SECOND)
    assert list(first.nodes)
    assert not second.nodes
    assert second.ByteSize() < 60 < first.ByteSize()


def test_a_name_that_the_parent_does_not_know_says_nothing() -> None:
    expander = Expander()
    request = request_of([])
    request.unchanged.add(node="n1", at_us=5)
    expander.expand(request)
    assert not request.nodes


def test_whoever_has_left_is_forgotten() -> None:
    expander = Expander()
    expander.expand(request_of([control_pb2.NodeReport(node="n1", at_us=1)]))
    expander.expand(request_of([]))
    request = request_of([])
    request.unchanged.add(node="n1", at_us=5)
    expander.expand(request)
    assert not request.nodes
