"""An MQTT client that loses and repeats nothing over reconnects, for replays and the demo's sensors."""

import secrets
import ssl
import sys
from typing import Final
from urllib.parse import unquote, urlsplit

from paho.mqtt.client import Client, MQTTv5
from paho.mqtt.enums import CallbackAPIVersion
from paho.mqtt.packettypes import PacketTypes
from paho.mqtt.properties import Properties

from fogline.cli.access import NOTHING, Access
from fogline.cli.passwords import with_password
from fogline.model.errors import InvalidInput
from fogline.service.logs import hidden

_SESSION: Final = 300
"""Seconds that the server keeps the session while the connection is down, so that it recognises repeats."""
_PORTS: Final = {"mqtt": 1883, "mqtts": 8883}


def make_client(
    url: str, *, purpose: str, access: Access = NOTHING, inflight: int = 20, queued: int = 0
) -> Client:
    """Make a client of an MQTT server; ``loop_start`` connects it, and again whenever the connection breaks.

    What was not acknowledged is then sent again under its packet id. ``inflight`` messages may wait for their
    acknowledgement; behind them ``queued`` wait (0: without a limit), further ones are dropped. Raises
    :class:`InvalidInput` for a URL that names no server, and for files that ``access`` cannot be had with.
    """
    address = urlsplit(with_password(url))
    if address.scheme not in _PORTS or not address.hostname:
        raise InvalidInput(
            f"{hidden(url)!r} is no MQTT server", hint="write mqtt://HOST:PORT, or mqtts:// for TLS"
        )
    client = Client(
        CallbackAPIVersion.VERSION2, client_id=f"fogline-{purpose}-{secrets.token_hex(4)}", protocol=MQTTv5
    )
    client.reconnect_delay_set(1, 2)
    client.max_inflight_messages_set(inflight)
    client.max_queued_messages_set(queued)
    if address.scheme == "mqtts":
        client.tls_set_context(access.tls())
    elif access.speaks_tls:
        raise InvalidInput(f"{hidden(url)} does not speak TLS", hint="write mqtts:// to use the certificates")
    if address.username is not None:
        client.username_pw_set(
            unquote(address.username), unquote(address.password or "") or access.password()
        )
    client.connect_async(
        address.hostname,
        address.port or _PORTS[address.scheme],
        properties=_expiry(PacketTypes.CONNECT, _SESSION),
    )
    return client


def why_not_connected() -> str:
    """Say why a connection was not made, in the callback that is told so."""
    match sys.exception():
        case ssl.SSLError() as error:
            return f"TLS failed: {error.reason or error}"
        case _:
            return "nobody answers there"


def close_client(client: Client) -> None:
    """End the connection and its session."""
    client.disconnect(properties=_expiry(PacketTypes.DISCONNECT, 0))
    client.loop_stop()


def _expiry(packet: int, seconds: int) -> Properties:
    properties = Properties(packet)  # type: ignore[no-untyped-call] # paho leaves its constructor untyped
    properties.SessionExpiryInterval = seconds
    return properties
