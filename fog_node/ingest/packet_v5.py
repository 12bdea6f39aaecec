"""MQTT 5 packets, PUBLISH excepted: ``mqtt5`` behind one function."""

from typing import Final

import mqtt5

from fog_node.ingest.packets import MalformedPacket, Reason


def read_packet(frame: bytes) -> mqtt5.Packet:
    """One whole packet. Raises :class:`MalformedPacket`, and nothing else, whatever the bytes."""
    try:
        packet, length = mqtt5.read(memoryview(frame))
    except (KeyboardInterrupt, SystemExit):
        raise
    # A panic of the codec in Rust comes as a BaseException, on purpose outside Exception. Here it says
    # nothing about this process: the bytes were bad.
    except BaseException as fault:
        raise MalformedPacket(f"not MQTT 5: {fault}") from fault
    if length != len(frame):
        raise MalformedPacket(f"{len(frame) - length} bytes after the end of a packet's fields")
    return packet


class AnswersV5:
    """How messages are answered in MQTT 5."""

    version: Final[int] = 5

    def acknowledgement(self, kind: int, packet_id: int, reason: Reason) -> bytes:
        """PUBACK, PUBREC or PUBCOMP."""
        if reason is Reason.SUCCESS:
            return bytes((kind << 4, 2)) + packet_id.to_bytes(2, "big")
        return bytes((kind << 4, 3)) + packet_id.to_bytes(2, "big") + bytes([reason])
