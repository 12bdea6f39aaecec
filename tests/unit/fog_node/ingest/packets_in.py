"""What devices say, as bytes."""

import mqtt5
from hypothesis import strategies as st


def size(length: int) -> bytes:
    out = b""
    while True:
        length, low = divmod(length, 128)
        out += bytes([low | 128 if length else low])
        if not length:
            return out


def text(value: str | bytes) -> bytes:
    raw = value.encode() if isinstance(value, str) else value
    return len(raw).to_bytes(2, "big") + raw


def packet(first: int, body: bytes) -> bytes:
    return bytes([first]) + size(len(body)) + body


def publish(  # noqa: PLR0917
    version: int,
    topic: str | bytes,
    payload: bytes,
    qos: int = 1,
    packet_id: int = 1,
    properties: bytes = b"",
    *,
    dup: bool = False,
    retain: bool = False,
) -> bytes:
    body = text(topic)
    if qos:
        body += packet_id.to_bytes(2, "big")
    if version == 5:
        body += size(len(properties)) + properties
    return packet(0x30 | dup << 3 | qos << 1 | retain, body + payload)


def connect(
    version: int,
    client: str = "device",
    *,
    clean: bool = False,
    keep_alive_s: int = 60,
    will: tuple[str, bytes, int] | None = None,
    will_delay_s: int = 0,
    expiry_s: int = 3600,
    user: str | None = None,
    password: bytes | None = None,
) -> bytes:
    if version == 5:
        last = None
        if will is not None:
            last = mqtt5.Will(
                will[0], payload=will[1], qos=mqtt5.QoS(will[2]), will_delay_interval=will_delay_s
            )
        return mqtt5.ConnectPacket(
            client,
            clean_start=clean,
            keep_alive=keep_alive_s,
            will=last,
            session_expiry_interval=expiry_s,
            username=user,
            password=password,
        ).write()
    flags = clean << 1 | (user is not None) << 7 | (password is not None) << 6
    body = b""
    if will is not None:
        flags |= 4 | will[2] << 3
        body = text(will[0]) + text(will[1])
    body += b"" if user is None else text(user)
    body += b"" if password is None else text(password)
    head = text("MQTT") + bytes([4, flags]) + keep_alive_s.to_bytes(2, "big") + text(client)
    return packet(0x10, head + body)


PINGREQ = b"\xc0\x00"
DISCONNECT = b"\xe0\x00"


def pubrel(packet_id: int) -> bytes:
    return b"\x62\x02" + packet_id.to_bytes(2, "big")


TOPICS = st.sampled_from(["a", "a/b", "site/z1/d1/air", "site/z2/d10/air", "grün/ß", "x" * 200, "y" * 300])
PROPERTIES = st.lists(
    st.sampled_from(
        [
            b"\x01\x01",
            b"\x02\x00\x00\x00\x09",
            b"\x03" + text("json"),
            b"\x09" + text(b"\x00\xff"),
            b"\x26" + text("k") + text("v" * 130),
        ]
    ),
    unique=True,
    max_size=3,
).map(b"".join)


@st.composite
def publishes(draw: st.DrawFn, version: int) -> bytes:
    """One well-formed PUBLISH."""
    qos = draw(st.sampled_from([0, 1, 1, 1, 2]))
    return publish(
        version,
        draw(TOPICS),
        draw(st.binary(max_size=20) | st.binary(min_size=100, max_size=300)),
        qos,
        draw(st.integers(1, 65_535)),
        draw(st.just(b"") | PROPERTIES) if version == 5 else b"",
        dup=bool(qos) and draw(st.booleans()),
        retain=version == 4 and draw(st.booleans()),
    )


@st.composite
def cuts(draw: st.DrawFn, data: bytes) -> list[bytes]:
    """The bytes, cut into reads anywhere."""
    places = sorted(draw(st.lists(st.integers(0, len(data)), max_size=8)))
    return [data[a:b] for a, b in zip([0, *places], [*places, len(data)], strict=True)]
