"""Talks to a broker as a node would, for a few seconds, and notes what it answers."""

import secrets
import socket
import ssl
from queue import Empty, Queue
from typing import Any, Final, NamedTuple
from urllib.parse import urlsplit

from paho.mqtt.client import Client, MQTTv5, MQTTv311
from paho.mqtt.enums import CallbackAPIVersion, MQTTProtocolVersion
from paho.mqtt.packettypes import PacketTypes
from paho.mqtt.properties import Properties
from paho.mqtt.subscribeoptions import SubscribeOptions

from fogline.cli.access import NOTHING, Access
from fogline.cli.broker import Broker, read_broker
from fogline.cli.doctor.broker import RECEIVE_MAX, SESSION_S, Seen
from fogline.model.errors import InvalidInput

ANSWER_WITHIN_S: Final = 10.0
RETAINED_WITHIN_S: Final = 3.0
"""How long a message may take that the broker has already."""
TOPIC: Final = "fogline-doctor"
DROPS: Final = "$SYS/broker/publish/messages/dropped"
VERSION: Final = "$SYS/broker/version"


class Refused(Exception):
    """The broker does not answer, or says no."""


class Welcome(NamedTuple):
    """The broker's CONNACK."""

    session_present: bool
    properties: Properties | None


class Talk:
    """One client, whose answers are waited for one by one."""

    def __init__(
        self, broker: Broker, access: Access, client_id: str, *, version: MQTTProtocolVersion = MQTTv5
    ) -> None:
        self._broker: Final = broker
        self._events: Final[Queue[tuple[str, Any]]] = Queue()
        self._heard: Final[dict[str, bytes]] = {}
        self._is_5: Final = version == MQTTv5
        self._client: Final = Client(
            CallbackAPIVersion.VERSION2, client_id=client_id, protocol=version, reconnect_on_failure=False
        )
        if broker.user:
            self._client.username_pw_set(broker.user, broker.password or access.password())
        if broker.url.startswith("mqtts"):
            self._client.tls_set_context(access.tls())
        elif access.speaks_tls:
            raise InvalidInput(
                f"{broker.url} does not speak TLS", hint="write mqtts:// to use the certificates"
            )
        self._client.on_connect = lambda _c, _d, flags, code, properties: self._events.put(
            ("connack", (code, Welcome(flags.session_present, properties)))
        )
        self._client.on_disconnect = lambda _c, _d, _f, code, _p: self._events.put(("end", code))
        self._client.on_subscribe = lambda _c, _d, _m, codes, _p: self._events.put(("suback", codes))
        self._client.on_publish = lambda _c, _d, _m, code, _p: self._events.put(("puback", code))
        self._client.on_message = lambda _c, _d, message: self._events.put(
            ("message", (message.topic, bytes(message.payload)))
        )

    def connect(self, *, clean: bool) -> Welcome:
        """Connect. Raises :class:`Refused`."""
        parts = urlsplit(self._broker.url)
        given: dict[str, Any] = {}
        if self._is_5:
            properties = Properties(PacketTypes.CONNECT)  # type: ignore[no-untyped-call] # paho leaves it untyped
            properties.SessionExpiryInterval, properties.ReceiveMaximum = SESSION_S, RECEIVE_MAX
            given = {"clean_start": clean, "properties": properties}
        try:
            self._client.connect(parts.hostname or "", parts.port or 0, **given)
        except (OSError, ValueError) as error:
            raise Refused(_words(error)) from None
        self._client.loop_start()
        code, welcome = self._wait("connack")
        if code.is_failure:
            raise Refused(f"it refuses the connection: {code}")
        assert isinstance(welcome, Welcome)
        return welcome

    def subscribe(self, topic: str) -> str:
        """Subscribe at QoS 1; why not, or empty."""
        self._client.subscribe(topic, options=SubscribeOptions(qos=1))
        (code,) = self._wait("suback")
        return str(code) if code.is_failure else ""

    def publish(self, topic: str, payload: bytes) -> str:
        """Publish at QoS 1; why not, or empty."""
        self._client.publish(topic, payload, qos=1)
        code = self._wait("puback")
        return str(code) if code.is_failure else ""

    def messages(self, *topics: str) -> dict[str, bytes]:
        """The first message of each topic, those that came already included; waits a short while."""
        while set(topics) - self._heard.keys():
            try:
                kind, said = self._events.get(timeout=RETAINED_WITHIN_S)
            except Empty:
                break
            if kind == "message":
                self._heard.setdefault(*said)
        return self._heard

    def close(self, *, forget: bool) -> None:
        """Leave; the broker keeps the session unless it shall forget it."""
        properties = None
        if self._is_5 and forget:
            properties = Properties(PacketTypes.DISCONNECT)  # type: ignore[no-untyped-call] # paho leaves it untyped
            properties.SessionExpiryInterval = 0
        self._client.disconnect(properties=properties)
        self._client.loop_stop()

    def _wait(self, wanted: str) -> Any:
        while True:
            try:
                kind, said = self._events.get(timeout=ANSWER_WITHIN_S)
            except Empty:
                raise Refused(f"no answer within {ANSWER_WITHIN_S:g} s") from None
            if kind == wanted:
                return said
            if kind == "message":  # what is retained may come before the word that it will
                self._heard.setdefault(*said)
            if kind == "end":
                raise Refused(f"it ends the connection: {said}")


def look(url: str, access: Access = NOTHING) -> Seen:
    """Probe a broker. Raises :class:`fogline.model.errors.InvalidInput` for a URL that names none."""
    broker = read_broker(url)
    seen, name = Seen(url=broker.url), f"{TOPIC}-{secrets.token_hex(4)}"
    talk = Talk(broker, access, name)
    try:
        _note(seen, talk.connect(clean=True).properties)
        _ask(seen, talk, name)
    except Refused as refused:
        seen.fault = str(refused)
        seen.speaks_311 = _speaks_311(broker, access, name)
    finally:
        talk.close(forget=bool(seen.fault))
    if not seen.fault:
        _come_back(seen, broker, access, name)
    return seen


def _note(seen: Seen, properties: Properties | None) -> None:
    def said(name: str, default: int) -> int:
        return int(getattr(properties, name, default))

    seen.receive_max = said("ReceiveMaximum", 65_535)
    seen.max_qos = said("MaximumQoS", 2)
    seen.retain = bool(said("RetainAvailable", 1))
    seen.shared = bool(said("SharedSubscriptionAvailable", 1))
    seen.identifiers = bool(said("SubscriptionIdentifierAvailable", 1))
    seen.wildcards = bool(said("WildcardSubscriptionAvailable", 1))
    seen.max_packet = said("MaximumPacketSize", 0) or None
    expiry = said("SessionExpiryInterval", SESSION_S)
    seen.session_expiry_s = expiry if expiry != SESSION_S else None


def _ask(seen: Seen, talk: Talk, name: str) -> None:
    seen.subscribe_refused = talk.subscribe(f"{TOPIC}/{name}")
    if seen.shared:
        seen.shared_granted = not talk.subscribe(f"$share/{TOPIC}/{TOPIC}/{name}/shared")
    for topic in (DROPS, VERSION):
        talk.subscribe(topic)
    said = talk.messages(DROPS, VERSION)
    seen.drops_readable = DROPS in said
    seen.version = said.get(VERSION, b"").decode(errors="replace")


def _come_back(seen: Seen, broker: Broker, access: Access, name: str) -> None:
    """Publish while the session's client is away, and see what of it is there afterwards."""
    topic = f"{TOPIC}/{name}"
    other, again = Talk(broker, access, f"{name}-2"), Talk(broker, access, name)
    try:
        other.connect(clean=True)
        seen.publish_refused = other.publish(topic, b"doctor")
        seen.session_survives = again.connect(clean=False).session_present
        seen.queued_came = topic in again.messages(topic)
    except Refused as refused:
        seen.fault = str(refused)
    finally:
        other.close(forget=True)
        again.close(forget=True)


def _speaks_311(broker: Broker, access: Access, name: str) -> bool:
    talk = Talk(broker, access, f"{name}-3", version=MQTTv311)
    try:
        talk.connect(clean=True)
    except Refused:
        return False
    finally:
        talk.close(forget=True)
    return True


def _words(error: Exception) -> str:
    if isinstance(error, socket.gaierror):
        return "nobody knows this name"
    if isinstance(error, ssl.SSLCertVerificationError):
        return f"its certificate is not believed: {error.verify_message}"
    if isinstance(error, ssl.SSLError):
        return f"TLS does not come about: {error.reason or error}"
    return str(getattr(error, "strerror", "") or error)
