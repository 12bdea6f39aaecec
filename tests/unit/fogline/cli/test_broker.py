import pytest

from fogline.cli.broker import read_broker
from fogline.model.errors import InvalidInput


def test_a_broker_is_taken_apart_and_put_together_again() -> None:
    broker = read_broker("mqtts://fog:p%40ss%2Fw@broker.example")
    assert (broker.url, broker.user, broker.password) == ("mqtts://broker.example:8883", "fog", "p@ss/w")
    assert broker.with_password == "mqtts://fog:p%40ss%2Fw@broker.example:8883"
    assert "p@ss" not in repr(broker)
    assert read_broker("mqtt://[::1]:7").url == "mqtt://[::1]:7"
    assert read_broker("mqtt://b").with_password == "mqtt://b:1883"


@pytest.mark.parametrize(
    "url",
    ["broker:1883", "http://u:secret@b", "mqtt://", "mqtt://u:secret@b:port", "mqtt://u:secret@b/topic"],
)
def test_what_is_no_broker_is_said_without_its_password(url: str) -> None:
    with pytest.raises(InvalidInput, match="mqtt://HOST:1883") as caught:
        read_broker(url)
    assert "secret" not in str(caught.value)
