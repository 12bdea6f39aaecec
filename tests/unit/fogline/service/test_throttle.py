import pytest

from fogline.service.throttle import Throttle, host_of, network_of


def test_so_many_failures_are_answered_and_then_one_each_while() -> None:
    throttle = Throttle(failures=3, again_us=10)
    assert [throttle.failed("1.2.3.4", 0) for _ in range(5)] == [False, False, False, True, True]
    assert not throttle.failed("1.2.3.5", 0)
    assert not throttle.failed("1.2.3.4", 10)
    assert throttle.failed("1.2.3.4", 10)
    assert [throttle.failed("1.2.3.4", 1_000) for _ in range(4)] == [False, False, False, True]


def test_memory_is_bounded_and_who_failed_longest_ago_goes_first() -> None:
    throttle = Throttle(failures=1, again_us=10, addresses=2)
    for address in ("a", "b", "a", "c"):
        throttle.failed(address, 0)
    assert len(throttle) == 2
    assert throttle.failed("a", 0)
    assert not throttle.failed("b", 0)


def test_one_machine_has_as_many_addresses_of_ipv6_as_it_likes() -> None:
    assert network_of("2001:db8::1") == network_of("2001:db8::ffff:1") != network_of("2001:db8:0:1::1")
    assert network_of("::ffff:1.2.3.4") == "1.2.3.4"
    assert network_of("fe80::1%eth0") == network_of("fe80::2")


@pytest.mark.parametrize(
    ("peer", "host"),
    [
        ("ipv4:127.0.0.1:5", "127.0.0.1"),
        ("ipv6:%5B::1%5D:5", "::1"),
        ("ipv6:[::1]:5", "::1"),
        ("unix:", "unix:"),
    ],
)
def test_the_address_in_a_peer(peer: str, host: str) -> None:
    assert host_of(peer) == host
