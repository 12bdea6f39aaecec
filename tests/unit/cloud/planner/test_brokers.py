"""Two nodes that read from one broker without sharing would count each message twice."""

import pytest

from cloud.planner.brokers import BrokerNotShared, check_shared, doublings, faults_by_node
from fogline.v1 import control_pb2

URL = "mqtt://broker.example:1883"


def node(name: str, *groups: str, identity: str = "broker.example:1883") -> control_pb2.NodeReport:
    brokers = [control_pb2.BrokerReport(url=URL, identity=identity, share=group) for group in groups]
    return control_pb2.NodeReport(node=name, brokers=brokers)


def test_one_reader_of_a_broker_needs_no_group() -> None:
    check_shared(["air"], [node("a", ""), node("b"), node("c", "", identity="other.example:1883")])


def test_nodes_of_one_group_share_the_messages() -> None:
    check_shared(["air"], [node("a", "site"), node("b", "site")])


def test_two_nodes_without_a_group_are_refused_with_place_and_hint() -> None:
    with pytest.raises(BrokerNotShared) as raised:
        check_shared(["soil", "air"], [node("b", ""), node("a", "")])
    assert str(raised.value).startswith(
        f"a, b read from {URL} without a group, so that each message counts once"
    )
    assert [place.path for place in raised.value.places] == ["streams.air", "streams.soil"]
    assert "broker.share" in raised.value.hint


@pytest.mark.parametrize("other", ["", "elsewhere"])
def test_another_group_gets_each_message_too(other: str) -> None:
    (found,) = doublings([node("a", "site"), node("b", other)])
    assert found.groups == tuple(sorted(("site", other)))
    assert f"in different groups: {', '.join(g or 'none' for g in found.groups)}" in str(found)


def test_one_node_that_reads_twice_doubles_as_well() -> None:
    (found,) = doublings([node("a", "", "")])
    assert found.readers == ("a", "a")


def test_loopbacks_of_two_machines_are_two_brokers() -> None:
    check_shared(
        ["air"], [node("a", "", identity="loopback:1 of x"), node("b", "", identity="loopback:1 of y")]
    )


def test_a_node_of_an_older_release_is_known_by_its_url() -> None:
    assert doublings([node("a", "", identity=""), node("b", "", identity="")])


def test_a_node_that_came_later_is_told_as_a_fault_of_both() -> None:
    faults = faults_by_node([node("a", ""), node("b", ""), node("c")])
    assert sorted(faults) == ["a", "b"]
    assert all("without a group" in fault for told in faults.values() for fault in told)
