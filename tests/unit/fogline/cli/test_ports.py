import socket

import pytest
from hypothesis import given
from hypothesis import strategies as st

from fogline.cli.up.ports import HOST, Reservations, choose_ports, is_free, usual_port
from fogline.model.errors import FogError

NAMES = ("cloud", "aggregator", "dashboard", "node-1", "node-2")


def test_free_usual_ports_are_taken_without_a_word() -> None:
    choice = choose_ports(NAMES, before={}, take=lambda _: True)

    assert choice.ports == {
        "cloud": 7070,
        "aggregator": 7071,
        "dashboard": 8080,
        "node-1": 1883,
        "node-2": 1884,
    }
    assert choice.notes == ()


def test_a_taken_port_is_said_and_the_next_free_one_used() -> None:
    choice = choose_ports(NAMES, before={}, take=lambda port: port not in {7070, 1883})

    # 7071 and 1884 are free, but they belong to the aggregator and the second node.
    assert choice.ports["cloud"] == 7072
    assert choice.ports["node-1"] == 1885
    assert choice.notes == (
        "port 7070 is taken by something else; cloud is at 7072",
        "port 1883 is taken by something else; node-1 is at 1885",
    )


def test_the_ports_of_last_time_are_used_again() -> None:
    choice = choose_ports(NAMES, before={"cloud": 7072, "node-1": 1885}, take=lambda _: True)

    assert (choice.ports["cloud"], choice.ports["node-1"], choice.ports["node-2"]) == (7072, 1885, 1884)
    assert choice.notes == ()


def test_a_port_of_last_time_that_is_taken_is_named() -> None:
    choice = choose_ports(NAMES, before={"cloud": 7072}, take=lambda port: port != 7072)

    assert choice.notes == ("port 7072 is taken by something else; cloud is at 7073",)


@given(
    taken=st.sets(st.integers(1883, 1900) | st.integers(7070, 7080) | st.integers(8080, 8090)),
    before=st.dictionaries(st.sampled_from(NAMES), st.integers(1, 65535)),
)
def test_ports_are_free_and_nobody_shares_one(taken: set[int], before: dict[str, int]) -> None:
    choice = choose_ports(NAMES, before=before, take=lambda port: port not in taken)

    assert set(choice.ports) == set(NAMES)
    assert len(set(choice.ports.values())) == len(NAMES)
    assert taken.isdisjoint(choice.ports.values())


def test_nothing_free_is_an_error() -> None:
    with pytest.raises(FogError, match="no port between 7070"):
        choose_ports(("cloud",), before={}, take=lambda _: False)


def test_a_listening_socket_makes_its_port_taken() -> None:
    with socket.socket() as server:
        server.bind((HOST, 0))
        server.listen()
        port = server.getsockname()[1]
        assert not is_free(port)
    assert is_free(port)


def test_nodes_count_up_from_the_usual_port_of_mqtt() -> None:
    assert [usual_port(f"node-{n}") for n in (1, 2, 10)] == [1883, 1884, 1892]


def test_a_reserved_port_is_taken_for_others_before_anybody_listens() -> None:
    with socket.socket() as server:
        server.bind((HOST, 0))
        port = server.getsockname()[1]

    with Reservations() as second:
        with Reservations() as first:
            assert first.take(port)
            assert not second.take(port)
        assert second.take(port)


def test_a_port_that_is_listened_on_is_not_reserved() -> None:
    with Reservations() as reservations:
        with socket.socket() as server:
            server.bind((HOST, 0))
            server.listen()
            port = server.getsockname()[1]
            assert not reservations.take(port)
        assert reservations.take(port)
