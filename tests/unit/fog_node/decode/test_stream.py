"""A block's readings: columns, verdicts by time, and that every reading is somewhere."""

import json
from collections.abc import Sequence

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from fog_node.decode.rows import RawRows
from fog_node.decode.stream import StreamDecoder, together
from fog_node.messages import Block, joined
from fogline.engine.batch import NumberColumn, TextColumn
from fogline.model.clock import DAY, MINUTE, SECOND
from fogline.model.part import Origin
from fogline.model.plan import FOR_EVER, FieldSpec, LabelSpec, StreamSpec, TimeField

NOON = 1_769_860_800_000_000
AIR = StreamSpec(
    name="air",
    topic="house/{zone}/{device}",
    format="json",
    time=TimeField(path=("ts",)),
    labels=(LabelSpec(name="zone"), LabelSpec(name="device"), LabelSpec(name="lot", path=("lot",))),
    fields=(
        FieldSpec(name="temp", path=("temp",), resolution=0.01),
        FieldSpec(name="n", path=("n",), type="int"),
    ),
)


def block(*payloads: bytes, topics: tuple[str, ...] = ("house/a/1",), arrival_us: int = NOON) -> Block:
    n = len(payloads)
    return Block(
        origin=Origin(tenant="main", node="n1", stream="air", epoch=bytes(16)),
        first=0,
        end=n,
        arrival_us=np.full(n, arrival_us, np.int64),
        topics=topics,
        topic_codes=np.arange(n, dtype=np.uint32) % len(topics),
        clients=("c",),
        client_codes=np.zeros(n, np.uint32),
        packet_ids=np.zeros(n, np.uint16),
        flags=np.zeros(n, np.uint8),
        payloads=payloads,
    )


def decoder(spec: StreamSpec = AIR, *, keep_us: int = DAY, disorder_us: int = 5 * SECOND) -> StreamDecoder:
    return StreamDecoder(spec, keep_us=keep_us, disorder_us=disorder_us)


def at(instant_us: int, **more: object) -> bytes:
    return json.dumps({"ts": instant_us / SECOND, **more}).encode()


def texts(column: object) -> list[str | None]:
    assert isinstance(column, TextColumn)
    return [None if code < 0 else column.dictionary[code] for code in column.codes]


def test_labels_come_from_the_topic_and_the_payload() -> None:
    decoded = decoder().decode(
        block(
            at(NOON, temp=21.5, n=3, lot="x"),
            at(NOON, temp=20, lot=7),
            at(NOON, lot=True),
            topics=("house/a/1", "house/b/2"),
        )
    )
    columns = decoded.batch.columns
    assert texts(columns["zone"]) == ["a", "b", "a"]
    assert texts(columns["device"]) == ["1", "2", "1"]
    assert texts(columns["lot"]) == ["x", "7", "true"]
    temp, n = columns["temp"], columns["n"]
    assert isinstance(temp, NumberColumn)
    assert isinstance(n, NumberColumn)
    assert temp.values[:2].tolist() == [21.5, 20.0]
    assert temp.valid is not None
    assert temp.valid.tolist() == [True, True, False]
    assert temp.resolution == 0.01
    assert n.values[0] == 3
    assert n.valid is not None
    assert n.valid.tolist() == [True, False, False]


@pytest.mark.parametrize(
    ("offset_us", "where"),
    [
        (0, "kept"),
        (5 * SECOND, "kept"),
        (5 * SECOND + 1, "dead"),
        (365 * DAY, "dead"),
        (-DAY, "kept"),
        (-DAY - 1, "late"),
    ],
)
def test_a_time_may_lie_from_keep_before_to_disorder_behind_the_arrival(offset_us: int, where: str) -> None:
    spec = StreamSpec(
        name="air",
        topic="a",
        format="json",
        time=TimeField(path=("ts",), unit="us"),
        labels=(),
        fields=(),
    )
    decoded = decoder(spec).decode(block(json.dumps({"ts": NOON + offset_us}).encode()))
    assert decoded.batch.rows == (1 if where == "kept" else 0)
    assert dict(decoded.dead) == ({"from_the_future": 1} if where == "dead" else {})
    assert dict(decoded.too_late) == ({"too_old": 1} if where == "late" else {})


def test_nothing_is_too_old_for_ever() -> None:
    assert decoder(keep_us=FOR_EVER).decode(block(at(MINUTE, temp=1))).batch.rows == 1


@pytest.mark.parametrize(
    ("payload", "reason"),
    [
        (b"nonsense", "malformed"),
        (b'{"temp": 1}', "no_time"),
        (b'{"ts": "soon", "temp": 1}', "bad_time"),
        (at(NOON, temp="hot"), "wrong_type"),
        (at(NOON, n=1.5), "wrong_type"),
        (at(NOON, n=10**30), "out_of_range"),
        (at(NOON, temp=1e300), "out_of_range"),
        (at(NOON + DAY), "from_the_future"),
    ],
)
def test_what_is_dead_has_a_reason_and_a_sample(payload: bytes, reason: str) -> None:
    decoded = decoder().decode(block(at(NOON, temp=1), payload, at(NOON, temp=2)))
    assert decoded.batch.rows == 2
    assert decoded.decoded == 3
    assert dict(decoded.dead) == {reason: 1}
    assert [(letter.reason, letter.payload, letter.topic) for letter in decoded.letters] == [
        (reason, payload, "house/a/1")
    ]


def test_an_integer_too_large_for_a_double_is_kept_exactly() -> None:
    decoded = decoder().decode(block(at(NOON, n=2**62 + 1), at(NOON)))
    column = decoded.batch.columns["n"]
    assert isinstance(column, NumberColumn)
    assert column.values[0] == 2**62 + 1


def test_a_bare_number_bears_the_time_of_its_arrival_and_may_not_be_nan() -> None:
    spec = StreamSpec(
        name="t",
        topic="t/{d}",
        format="number",
        time=None,
        labels=(LabelSpec(name="d"),),
        fields=(FieldSpec(name="value", path=()),),
    )
    decoded = decoder(spec).decode(block(b"21.5", b"nan", b"inf", topics=("t/1",)))
    assert decoded.batch.time_us.tolist() == [NOON]
    assert dict(decoded.dead) == {"not_finite": 2}


def test_senml_times_are_absolute_or_relative_to_the_arrival() -> None:
    spec = StreamSpec(
        name="s", topic="s", format="senml", time=None, labels=(), fields=(FieldSpec(name="t", path=("t",)),)
    )
    pack = [{"n": "t", "v": 1}, {"n": "t", "v": 2, "t": -10}, {"n": "t", "v": 3, "t": NOON / SECOND - 60}]
    decoded = decoder(spec).decode(block(json.dumps(pack).encode(), topics=("s",)))
    assert decoded.batch.time_us.tolist() == [NOON, NOON - 10 * SECOND, NOON - 60 * SECOND]


def test_a_topic_of_an_earlier_template_has_null_labels() -> None:
    decoded = decoder().decode(block(at(NOON, temp=1), topics=("barn/7",)))
    assert texts(decoded.batch.columns["zone"]) == [None]


values = (
    st.none()
    | st.booleans()
    | st.integers()
    | st.floats(allow_nan=False, allow_infinity=False)
    | st.text(max_size=3)
)
payloads = st.binary(max_size=12) | st.dictionaries(
    st.sampled_from(["ts", "temp", "n", "lot"]), values | st.just(NOON / SECOND), max_size=4
).map(lambda d: json.dumps(d).encode())


@given(st.lists(payloads, min_size=1, max_size=8))
def test_every_reading_is_kept_or_dead_or_too_late(raw: list[bytes]) -> None:
    decoded = decoder().decode(block(*raw))
    assert decoded.decoded == decoded.batch.rows + sum(decoded.dead.values()) + sum(decoded.too_late.values())
    for column in decoded.batch.columns.values():
        assert len(column) == decoded.batch.rows
        if isinstance(column, NumberColumn):
            assert np.isfinite(column.values).all()
    assert len(decoded.messages) == len(decoded.arrival_us) == decoded.batch.rows


blocks_of_payloads = st.lists(st.lists(payloads, min_size=1, max_size=6), min_size=1, max_size=4)


@given(blocks_of_payloads)
def test_blocks_decoded_together_are_as_decoded_one_by_one(raws: list[list[bytes]]) -> None:
    topics = ("house/a/1", "house/b/2", "house/c")
    blocks = [
        block(*raw, topics=topics[number % 2 :], arrival_us=NOON + number) for number, raw in enumerate(raws)
    ]
    at_once = decoder().decode(joined(blocks))
    apart = together([decoder().decode(one) for one in blocks], [len(one) for one in blocks])
    for name, column in at_once.batch.columns.items():
        other = apart.batch.columns[name]
        if isinstance(column, TextColumn):
            assert texts(column) == texts(other)
        else:
            assert isinstance(column, NumberColumn)
            assert isinstance(other, NumberColumn)
            assert column.values.tolist() == other.values.tolist()
    assert at_once.batch.time_us.tolist() == apart.batch.time_us.tolist()
    assert at_once.messages.tolist() == apart.messages.tolist()
    assert at_once.arrival_us.tolist() == apart.arrival_us.tolist()
    assert (at_once.decoded, at_once.dead, at_once.too_late) == (apart.decoded, apart.dead, apart.too_late)
    assert at_once.latest_us == apart.latest_us


def test_a_message_that_breaks_the_decoder_is_dead_and_the_others_live(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    broken = decoder()
    read = broken._format.read

    def breaks(payloads: Sequence[bytes]) -> RawRows:
        if any(b"poison" in payload for payload in payloads):
            raise ZeroDivisionError
        return read(payloads)

    monkeypatch.setattr(broken._format, "read", breaks)
    decoded = broken.decode(block(at(NOON, temp=1), b'{"lot": "poison"}', b"nonsense", at(NOON, temp=2)))
    assert decoded.messages.tolist() == [0, 3]
    assert dict(decoded.dead) == {"decoder_failed": 1, "malformed": 1}
    assert decoded.decoded == 4
    assert [letter.payload for letter in decoded.letters] == [b'{"lot": "poison"}']
