"""MQTT 5 packets, PUBLISH excepted: ``mqtt5`` behind one function."""

import mqtt5

from fog_node.ingest.packets import MalformedPacket


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
