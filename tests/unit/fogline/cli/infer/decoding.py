"""What a node makes of messages by a spec: the judge of every proposal."""

from collections.abc import Sequence

import numpy as np

from fog_node.decode.stream import Decoded, StreamDecoder
from fog_node.ingest.topics import Template
from fog_node.messages import Block
from fogline.cli.infer.heard import Message
from fogline.cli.infer.proposal import propose
from fogline.cli.infer.writing import write
from fogline.model.faults import SpecErrors
from fogline.model.part import Origin
from fogline.model.plan import StreamSpec
from fogline.spec.read import Spec, read_spec

NOW = 1_769_860_800_000_000


def heard(topic: str, payload: bytes | str, arrival_us: int = NOW) -> Message:
    return Message(
        topic=topic, payload=payload.encode() if isinstance(payload, str) else payload, arrival_us=arrival_us
    )


def deployable(text: str) -> bool:
    try:
        read_spec(text)
    except SpecErrors:
        return False
    return True


def written(messages: Sequence[Message]) -> str:
    return write(propose(messages), heading="a test", deployable=deployable)


def spec_of(messages: Sequence[Message]) -> Spec:
    return read_spec(written(messages))


def routed(stream: StreamSpec, messages: Sequence[Message]) -> list[Message]:
    template = Template(stream.topic)
    return [m for m in messages if template.match(m.topic) is not None]


def decode(spec: Spec, stream: StreamSpec, messages: Sequence[Message]) -> Decoded:
    n = len(messages)
    block = Block(
        origin=Origin(tenant="main", node="n1", stream=stream.name, epoch=bytes(16)),
        first=0,
        end=n,
        arrival_us=np.array([m.arrival_us for m in messages], np.int64),
        topics=tuple(m.topic for m in messages),
        topic_codes=np.arange(n, dtype=np.uint32),
        clients=("c",),
        client_codes=np.zeros(n, np.uint32),
        packet_ids=np.zeros(n, np.uint16),
        flags=np.zeros(n, np.uint8),
        payloads=[m.payload for m in messages],
    )
    decoder = StreamDecoder(stream, keep_us=spec.late.keep_us, disorder_us=spec.late.disorder_us)
    return decoder.decode(block)
