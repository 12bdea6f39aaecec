from pathlib import Path
from typing import Any

import pytest

from fog_node.ingest.broker.address import Address, address_of, check
from fog_node.ingest.broker.settings import BrokerSettings
from fogline.model.errors import InvalidInput


def address(url: str, **given: Any) -> Address:
    settings = BrokerSettings(url=url, **given)
    found = address_of(settings)
    check(settings, found)
    return found


def test_a_port_has_its_default_by_scheme() -> None:
    assert address("mqtt://broker.example").url == "mqtt://broker.example:1883"
    assert address("mqtts://broker.example/").url == "mqtts://broker.example:8883"
    assert address("mqtt://[2001:db8::1]:99").url == "mqtt://[2001:db8::1]:99"


def test_user_and_password_are_never_told() -> None:
    found = address("mqtt://me:s%3Acret@broker.example")
    assert (found.user, found.password) == ("me", b"s:cret")
    assert "cret" not in f"{found!r} {found.url} {found.identity}"
    assert "hush" not in repr(BrokerSettings(url="mqtt://me:hush@h", password="hush"))


def test_a_password_comes_from_a_file_without_its_line_end(tmp_path: Path) -> None:
    (tmp_path / "secret").write_text("a b \n")
    found = address("mqtt://me@broker.example", password_file=tmp_path / "secret")
    assert found.password == b"a b "


@pytest.mark.parametrize(
    "url",
    [
        "",
        "broker:1883",
        "http://broker",
        "mqtt://",
        "mqtt://b:port",
        "mqtt://b/topic",
        "mqtt://b?x=1",
        "mqtt://[b",
    ],
)
def test_what_is_no_broker_s_url_is_refused_without_repeating_it(url: str) -> None:
    with pytest.raises(InvalidInput, match="is no broker's") as raised:
        address(url)
    assert "mqtt://host:1883" in raised.value.hint


@pytest.mark.parametrize(
    ("given", "words"),
    [
        ({"receive_max": 0}, "receive_max"),
        ({"receive_max": 50_001}, "receive_max"),
        ({"keep_alive": 0.0}, "keep_alive"),
        ({"share": "a/b"}, "share"),
        ({"share": "a+"}, "share"),
        ({"key": Path("k")}, "broker.key"),
        ({"ca": Path("ca")}, "does not speak TLS"),
        ({"password": "p"}, "without a user"),
        ({"user": "u", "password": "p", "password_file": Path("no")}, "cannot be read"),
        ({"client_id": "\0"}, "client_id"),
    ],
)
def test_settings_that_can_never_work_are_refused(given: dict[str, Any], words: str) -> None:
    with pytest.raises(InvalidInput, match=words):
        address("mqtt://broker.example", **given)


def test_two_passwords_are_one_too_many() -> None:
    with pytest.raises(InvalidInput, match="more than once"):
        address("mqtt://u:p@broker.example", password="q")


def test_brokers_are_told_apart_by_host_and_port_whatever_the_spelling() -> None:
    one = address("mqtt://Broker.Example.")
    assert one.identity == address("mqtt://broker.example:1883").identity
    assert one.identity != address("mqtt://broker.example:1884").identity


def test_a_loopback_is_that_of_this_machine() -> None:
    found = {address(f"mqtt://{host}").identity for host in ("localhost", "127.0.0.1", "[::1]")}
    assert len(found) == 1
    assert found.pop().startswith("loopback:1883 of ")
