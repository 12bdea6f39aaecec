"""What each payload format reads, and what it says of payloads that it cannot read."""

import json
import math

import pytest
from hypothesis import given
from hypothesis import strategies as st

from fog_node.decode.json_format import JsonFormat
from fog_node.decode.number_format import NumberFormat
from fog_node.decode.rows import MALFORMED, WRONG_TYPE, PayloadFormat
from fog_node.decode.senml_format import SenmlFormat
from fogline.model.plan import FieldSpec, LabelSpec, StreamSpec, TimeField
from fogline.model.plan import PayloadFormat as FormatName


def stream(format_: FormatName = "json", **changed: object) -> StreamSpec:
    spec: dict[str, object] = {
        "name": "air",
        "topic": "air/{device}",
        "format": format_,
        "time": TimeField(path=("ts",)),
        "labels": (LabelSpec(name="device"), LabelSpec(name="lot", path=("batch", "lot"))),
        "fields": (FieldSpec(name="temp", path=("temp",)), FieldSpec(name="hum", path=("air", "humidity"))),
    }
    return StreamSpec(**(spec | changed))  # type: ignore[arg-type]  # a test's shorthand


def test_json_reads_the_values_at_the_paths_and_null_where_there_is_none() -> None:
    rows = JsonFormat(stream()).read(
        [
            b'{"ts": 5, "temp": 21.5, "air": {"humidity": 40}, "batch": {"lot": "a"}, "more": [1, {"x": 2}]}',
            b'{"ts": "2026-01-31T12:00:00Z", "air": null}',
            b"{}",
        ]
    )
    assert rows.times == [5, "2026-01-31T12:00:00Z", None]
    assert rows.fields == [[21.5, None, None], [40, None, None]]
    assert rows.labels == [["a", None, None]]
    assert list(rows.messages) == [0, 1, 2]
    assert not rows.dead


def test_an_array_of_objects_is_a_reading_each() -> None:
    rows = JsonFormat(stream()).read([b'{"temp": 1}', b'[{"temp": 2}, {"temp": 3}]', b"[]", b'{"temp": 4}'])
    assert rows.fields[0] == [1, 2, 3, 4]
    assert list(rows.messages) == [0, 1, 1, 3]


def test_one_bad_reading_of_an_array_leaves_the_others() -> None:
    rows = JsonFormat(stream()).read([b'[{"temp": 2}, {"temp": "hot"}, {"temp": 3}]'])
    assert rows.fields[0] == [2, 3]
    assert [(d.message, d.reason) for d in rows.dead] == [(0, WRONG_TYPE)]


@pytest.mark.parametrize(
    ("payload", "reason"),
    [
        (b"", MALFORMED),
        (b"{", MALFORMED),
        (b'{"temp": NaN}', MALFORMED),
        (b'{"temp": 1}, {"temp": 2}', MALFORMED),
        (b"\xff\xfe", MALFORMED),
        (b'{"batch": {"lot": "\xff"}}', MALFORMED),
        (b"[" * 20_000, WRONG_TYPE),
        (b'{"a":' * 20_000, MALFORMED),
        (b"21.5", WRONG_TYPE),
        (b'"on"', WRONG_TYPE),
        (b'{"temp": "21.5"}', WRONG_TYPE),
        (b'{"temp": true}', WRONG_TYPE),
        (b'{"temp": 1e999}', WRONG_TYPE),
        (b'{"batch": {"lot": [1]}}', WRONG_TYPE),
        (b'{"batch": 7}', WRONG_TYPE),
    ],
)
def test_a_payload_that_is_not_readable_is_dead_and_its_neighbours_live(payload: bytes, reason: str) -> None:
    rows = JsonFormat(stream()).read([b'{"temp": 1}', payload, b'{"temp": 2}'])
    assert rows.fields[0] == [1, 2]
    assert list(rows.messages) == [0, 2]
    assert [(d.message, d.reason) for d in rows.dead] == [(1, reason)]
    assert rows.dead[0].detail


def test_two_payloads_cannot_be_read_as_one() -> None:
    rows = JsonFormat(stream()).read([b'{"temp": 1', b'"lot": 2}', b'{"temp": 3}, {"temp": 4}'])
    assert rows.fields[0] == []
    assert [d.message for d in rows.dead] == [0, 1, 2]


def test_a_field_and_a_label_may_read_the_same_value() -> None:
    spec = stream(
        labels=(LabelSpec(name="mote", path=("node",)),), fields=(FieldSpec(name="node", path=("node",)),)
    )
    rows = JsonFormat(spec).read([b'{"node": 7}', b'{"node": "x"}'])
    assert rows.fields == [[7, "x"]]
    assert rows.labels == [[7, "x"]]


def test_a_path_through_a_value_is_refused_when_the_plan_is_read() -> None:
    spec = stream(fields=(FieldSpec(name="a", path=("a",)), FieldSpec(name="b", path=("a", "b"))))
    with pytest.raises(ValueError, match="leads through a value"):
        JsonFormat(spec)


@pytest.mark.parametrize(
    ("payload", "value"),
    [(b"21.5", 21.5), (b" -3\n", -3), (b"1e3", 1000.0), (b"12345678901234567890", 12345678901234567890)],
)
def test_a_bare_number_is_read(payload: bytes, value: float) -> None:
    assert NumberFormat().read([payload]).fields == [[value]]


@pytest.mark.parametrize("payload", [b"", b"on", b"1_000", b"0x10", b"21,5", b"1 2", b"\xd9\xa1", b"1" * 65])
def test_what_is_no_number_is_dead(payload: bytes) -> None:
    rows = NumberFormat().read([b"1", payload])
    assert rows.fields == [[1]]
    assert [(d.message, d.reason) for d in rows.dead] == [(1, MALFORMED)]


SENML = stream(
    "senml",
    time=None,
    labels=(LabelSpec(name="place", path=("place",)), LabelSpec(name="device", path=("bn",))),
    fields=(FieldSpec(name="temp", path=("temp",)), FieldSpec(name="hum", path=("humidity",))),
)


def test_senml_records_of_one_instant_are_one_reading() -> None:
    pack = [
        {"bn": "dev1/", "bt": 1.7e9, "n": "temp", "v": 21.5},
        {"n": "humidity", "v": 40},
        {"n": "place", "vs": "attic"},
        {"n": "temp", "v": 22.0, "t": 10},
    ]
    rows = SenmlFormat(SENML).read([json.dumps(pack).encode()])
    assert rows.times == [1.7e9, 1.7e9 + 10]
    assert rows.fields == [[21.5, 22.0], [40.0, None]]
    assert rows.labels == [["attic", None], ["dev1/", "dev1/"]]
    assert list(rows.messages) == [0, 0]


def test_a_senml_name_that_repeats_at_one_instant_begins_another_reading() -> None:
    rows = SenmlFormat(SENML).read([b'[{"n":"temp","v":1},{"n":"humidity","v":5},{"n":"temp","v":2}]'])
    assert rows.fields == [[1.0, 2.0], [5.0, None]]
    assert rows.times == [None, None]


def test_senml_base_value_is_added_and_truth_is_a_number() -> None:
    rows = SenmlFormat(SENML).read([b'[{"bv":20,"n":"temp","v":1.5},{"n":"humidity","vb":true}]'])
    assert rows.fields == [[21.5], [1]]


def test_the_older_shape_of_senml_is_read_with_numbers_as_text() -> None:
    payload = (
        b'{"e":[{"u":"string","n":"place","sv":"attic"},{"v":"-71.5","u":"lon","n":"temp"},'
        b'{"n":"humidity","bv":true}],"bt":"1422748800000"}'
    )
    rows = SenmlFormat(SENML).read([payload])
    assert rows.times == [1422748800.0]
    assert rows.fields == [[-71.5], [1]]
    assert rows.labels == [["attic"], [None]]


@pytest.mark.parametrize(
    ("payload", "reason"),
    [
        (b"7", MALFORMED),
        (b"{}", MALFORMED),
        (b'{"e":[7]}', MALFORMED),
        (b"[7]", MALFORMED),
        (b"[", MALFORMED),
        (b'[{"n":7}]', WRONG_TYPE),
        (b'[{"n":"temp","v":"1"}]', WRONG_TYPE),
        (b'{"e":[{"n":"temp","v":"hot"}]}', WRONG_TYPE),
        (b'[{"n":"temp","v":1,"t":"now"}]', WRONG_TYPE),
    ],
)
def test_a_broken_pack_is_dead_and_its_neighbours_live(payload: bytes, reason: str) -> None:
    rows = SenmlFormat(SENML).read([b'[{"n":"temp","v":1}]', payload])
    assert rows.fields[0] == [1.0]
    assert [(d.message, d.reason) for d in rows.dead] == [(1, reason)]


any_json = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=5),
    lambda inner: (
        st.lists(inner, max_size=3)
        | st.dictionaries(
            st.sampled_from(["ts", "temp", "e", "n", "v", "t", "bt", "bn", "bv", "air", "x"]),
            inner,
            max_size=4,
        )
    ),
    max_leaves=12,
)


@given(payloads=st.lists(st.binary(max_size=30) | any_json.map(lambda v: json.dumps(v).encode()), max_size=5))
@pytest.mark.parametrize("format_", [JsonFormat(stream()), SenmlFormat(SENML), NumberFormat()])
def test_no_payload_crashes_and_every_message_is_a_row_or_dead_or_an_empty_array(
    format_: PayloadFormat, payloads: list[bytes]
) -> None:
    rows = format_.read(payloads)
    assert all(len(values) == len(rows.messages) for values in (*rows.fields, *rows.labels))
    told = set(rows.messages) | {d.message for d in rows.dead}
    for index in set(range(len(payloads))) - told:
        assert json.loads(payloads[index]) in ([], {"e": []}) or _draft_empty(payloads[index])
    assert not any(isinstance(v, float) and math.isnan(v) for v in rows.times)


def _draft_empty(payload: bytes) -> bool:
    value = json.loads(payload)
    return isinstance(value, dict) and value.get("e") == []
