"""Whatever a stranger sends, the listener's core refuses it or takes what the obvious parser takes.

The first byte chooses the version and how the rest is cut into reads; the rest follows a CONNECT.
"""

from tests.unit.fog_node.ingest import obvious
from tests.unit.fog_node.ingest.listener.core import LIMIT, Device
from tests.unit.fog_node.ingest.packets_in import connect, publish, pubrel

EVERYTHING = {"l1": "{a}", "l2": "{a}/{b}", "l3": "{a}/{b}/{c}", "l4": "{a}/{b}/{c}/{d}"}


def one_stranger(raw: bytes) -> None:
    """Feed a conversation; raises AssertionError when it takes something else than it should."""
    if not raw:
        return
    version, step, stream = 4 + raw[0] % 2, 1 + raw[0] // 2, raw[1:]
    greeted = bool(raw[0] & 0x40)
    device = Device()
    device.router.replace(EVERYTHING)
    device.says(*([connect(version)] if greeted else []))
    device.says(*(stream[at : at + step] for at in range(0, len(stream), step)))
    assert device.conversation.waiting_bytes <= LIMIT or device.closed is not None
    if greeted:
        _compare(device, version, stream)


def _compare(device: Device, version: int, stream: bytes) -> None:
    """Every journaled message is one that the obvious parser finds in the bytes, in that order."""
    found = []
    at = 0
    while at < len(stream):
        messages, end, wrong = obvious.every(stream[at:], version=version, limit=LIMIT)
        found += [message.payload for message in messages]
        at += end
        if wrong or at >= len(stream) or stream[at] >> 4 == 3:
            break
        length = obvious.length(stream[at:])
        if length is None:
            break
        at += length
    for stream_name in EVERYTHING:
        for payload in device.payloads(stream_name):
            assert payload in found
    total = sum(len(device.payloads(name)) for name in EVERYTHING)
    assert total <= len(found), "more was journaled than was said"


def seeds() -> list[bytes]:
    """Valid streams to start from."""
    out = []
    for version in (4, 5):
        frames = [
            publish(version, "site/z1/air", b'{"temp":21.5}', qos, 7, dup=bool(qos)) for qos in (0, 1, 2)
        ]
        if version == 5:
            frames.append(publish(5, "a/b", b"x", 1, 9, b"\x01\x01\x26\x00\x01k\x00\x01v"))
        stream = b"".join(frames) + pubrel(7) + b"\xc0\x00"
        out += [bytes([0x40 | version % 4 % 2 | cut << 1]) + stream for cut in (0, 15, 31)]
        out.append(bytes([version % 4 % 2 | 0x3E]) + connect(version, will=("a/b", b"gone", 1)) + stream)
    return out
