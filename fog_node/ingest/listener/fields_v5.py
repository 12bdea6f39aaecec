"""The shape of MQTT 5 packets, checked before ``mqtt5`` reads them.

On text that is not UTF-8 the codec panics in Rust, and a panic writes to standard error before anybody can
catch it. A stranger must not fill the log like that, so such packets are refused here.
"""

from typing import Final

from fog_node.ingest.fields import Property, Reader
from fog_node.ingest.packets import AUTH, CONNECT, DISCONNECT, PUBREL, SUBSCRIBE, UNSUBSCRIBE

IN_CONNECT: Final = frozenset(
    {
        Property.SESSION_EXPIRY,
        Property.AUTHENTICATION_METHOD,
        Property.AUTHENTICATION_DATA,
        Property.REQUEST_PROBLEM_INFORMATION,
        Property.REQUEST_RESPONSE_INFORMATION,
        Property.RECEIVE_MAXIMUM,
        Property.TOPIC_ALIAS_MAXIMUM,
        Property.USER_PROPERTY,
        Property.MAXIMUM_PACKET_SIZE,
    }
)
IN_WILL: Final = frozenset(
    {
        Property.PAYLOAD_FORMAT,
        Property.MESSAGE_EXPIRY,
        Property.CONTENT_TYPE,
        Property.RESPONSE_TOPIC,
        Property.CORRELATION,
        Property.WILL_DELAY,
        Property.USER_PROPERTY,
    }
)
IN_PUBREL: Final = frozenset({Property.REASON_STRING, Property.USER_PROPERTY})
IN_SUBSCRIBE: Final = frozenset({Property.SUBSCRIPTION_ID, Property.USER_PROPERTY})
IN_UNSUBSCRIBE: Final = frozenset({Property.USER_PROPERTY})
IN_DISCONNECT: Final = frozenset({Property.SESSION_EXPIRY, Property.REASON_STRING, Property.USER_PROPERTY})
IN_AUTH: Final = frozenset(
    {
        Property.AUTHENTICATION_METHOD,
        Property.AUTHENTICATION_DATA,
        Property.REASON_STRING,
        Property.USER_PROPERTY,
    }
)


def check_shape(kind: int, frame: bytes) -> None:
    """Raise :class:`MalformedPacket` unless every field is whole and every text is UTF-8."""
    reader = Reader(frame, 1)
    reader.variable()
    if kind == CONNECT:
        _connect(reader)
    elif kind == PUBREL:
        reader.packet_id()
        _reason(reader, IN_PUBREL)
    elif kind == SUBSCRIBE:
        reader.packet_id()
        reader.properties(IN_SUBSCRIBE)
        while reader.left:
            reader.text()
            reader.byte()
    elif kind == UNSUBSCRIBE:
        reader.packet_id()
        reader.properties(IN_UNSUBSCRIBE)
        while reader.left:
            reader.text()
    elif kind == DISCONNECT:
        _reason(reader, IN_DISCONNECT)
    elif kind == AUTH:
        _reason(reader, IN_AUTH)
    reader.finish()


def _connect(reader: Reader) -> None:
    reader.text()
    reader.byte()
    flags = reader.byte()
    reader.two()
    reader.properties(IN_CONNECT)
    reader.text()
    if flags & 0x04:
        reader.properties(IN_WILL)
        reader.text()
        reader.binary()
    if flags & 0x80:
        reader.text()
    if flags & 0x40:
        reader.binary()


def _reason(reader: Reader, allowed: frozenset[Property]) -> None:
    """A reason code and properties, both of which may be left out."""
    if reader.left:
        reader.byte()
    if reader.left:
        reader.properties(allowed)
