"""One payload of any bytes through every decoder."""

from functools import cache

import numpy as np

from fog_node.decode.stream import StreamDecoder
from fog_node.messages import Block
from fogline.model.clock import DAY, SECOND
from fogline.model.part import Origin
from fogline.model.plan import FieldSpec, LabelSpec, PayloadFormat, StreamSpec, TimeField

NOON_US = 1_769_860_800 * SECOND
FORMATS: tuple[PayloadFormat, ...] = ("json", "senml", "number")
SEEDS = (
    b'{"ts": 1769860800, "a": {"temp": 21.5}, "n": 7, "lot": "x"}',
    b'[{"ts": "2026-01-31T12:00:00Z", "n": 1}, {"ts": 1769860800000}]',
    b'[{"bn": "d/", "bt": 1769860800, "n": "n", "v": 3}, {"n": "lot", "vs": "x"}, {"n": "n", "v": 4, "t": -5}]',
    b'{"e": [{"n": "n", "v": "7"}], "bt": "1769860800000"}',
    b"-21.5e1",
)


@cache
def decoder(format_: PayloadFormat) -> StreamDecoder:
    number = format_ == "number"
    fields = (
        FieldSpec(name="n", path=("n",), type="int"),
        FieldSpec(name="temp", path=("a", "temp"), resolution=0.01),
    )
    spec = StreamSpec(
        name="s",
        topic="t/{device}",
        format=format_,
        time=TimeField(path=("ts",)) if format_ == "json" else None,
        labels=(LabelSpec(name="device"),) + (() if number else (LabelSpec(name="lot", path=("lot",)),)),
        fields=fields[:1] if number else fields,
    )
    return StreamDecoder(spec, keep_us=DAY, disorder_us=5 * SECOND)


def one_payload(payload: bytes) -> None:
    """Every reading is kept, dead or too late, and kept ones have numbers."""
    block = Block(
        origin=Origin(tenant="main", node="n", stream="s", epoch=bytes(16)),
        first=0,
        end=1,
        arrival_us=np.array([NOON_US]),
        topics=("t/1",),
        topic_codes=np.zeros(1, np.uint32),
        clients=("c",),
        client_codes=np.zeros(1, np.uint32),
        packet_ids=np.zeros(1, np.uint16),
        flags=np.zeros(1, np.uint8),
        payloads=(payload,),
    )
    for format_ in FORMATS:
        decoded = decoder(format_).decode(block)
        accounted = decoded.batch.rows + sum(decoded.dead.values()) + sum(decoded.too_late.values())
        assert decoded.decoded == accounted, (format_, payload)
