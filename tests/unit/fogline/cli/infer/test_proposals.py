"""What is proposed for what devices usually send."""

import json
import math
from collections.abc import Sequence
from typing import Any

import pytest

from fogline.cli.infer.heard import Message, read_lines
from fogline.cli.tap import captured
from fogline.model.errors import InvalidInput
from fogline.model.plan import FOR_EVER, FieldSpec, LabelSpec, StreamSpec, TimeField
from tests.unit.fogline.cli.infer.decoding import NOW, heard, spec_of, written

SECOND = 1_000_000


def readings(topic: str, *, count: int = 30, lag_us: int = 200_000, **wishes: Any) -> list[Message]:
    """Readings of a device, one a second; a wish of None leaves a member out."""
    said = []
    for number in range(count):
        at = NOW + number * SECOND
        content = {"ts": round(at / 1e6, 3), "temp": round(20 + math.sin(number), 2), "seq": number, **wishes}
        content = {name: value for name, value in content.items() if value is not None}
        said.append(heard(topic, json.dumps(content), at + lag_us))
    return said


def stream_of(messages: Sequence[Message]) -> StreamSpec:
    (stream,) = spec_of(messages).streams
    return stream


def test_devices_that_say_the_same_are_one_stream_with_their_levels_as_labels() -> None:
    fleet = [
        message
        for zone in ("north", "south")
        for device in ("t1", "t2")
        for message in readings(f"greenhouse/{zone}/{device}/air", lot="a7")
    ]
    stream = stream_of(fleet)

    assert stream == StreamSpec(
        name="greenhouse_air",
        topic="greenhouse/{level2}/{level3}/air",
        format="json",
        time=TimeField(path=("ts",), unit="s"),
        labels=(LabelSpec(name="level2"), LabelSpec(name="level3"), LabelSpec(name="lot", path=("lot",))),
        fields=(
            FieldSpec(name="temp", path=("temp",), type="float", resolution=0.01),
            FieldSpec(name="seq", path=("seq",), type="int"),
        ),
    )
    assert '# {level2}: "north", "south"' in written(fleet)


@pytest.mark.parametrize(
    ("topics", "template"),
    [
        (["sensors/a/temp", "sensors/b/temp"], "sensors/{sensor}/temp"),
        (["rooms/hall/air", "rooms/attic/air"], "rooms/{room}/air"),
        (["house/hall/air", "house/attic/air"], "house/{device}/air"),
        (["house/node-12/air"], "house/{device}/air"),
        (["meter/0/air", "meter/1/air"], "meter/{meter}/air"),
        (["air"], "air"),
        (["t1"], "t1"),
        (["house/air"], "house/air"),
    ],
)
def test_a_level_that_varies_or_names_one_of_many_is_a_label(topics: list[str], template: str) -> None:
    assert stream_of([m for topic in topics for m in readings(topic)]).topic == template


def test_what_is_measured_stays_in_the_topic() -> None:
    said = [
        heard(f"house/{room}/{what}", value)
        for room in ("hall", "attic")
        for what, value in (("temperature", "21.5"), ("humidity", "40"), ("uv", "3"))
    ]
    streams = {stream.name: stream for stream in spec_of(said).streams}

    assert {name: s.topic for name, s in streams.items()} == {
        "house_temperature": "house/{device}/temperature",
        "house_humidity": "house/{device}/humidity",
        "house_uv": "house/{device}/uv",
    }
    assert streams["house_temperature"].format == "number"
    assert [f.name for f in streams["house_temperature"].fields] == ["temperature"]


def test_devices_that_say_other_things_are_other_streams() -> None:
    said = [*readings("house/t1/air"), heard("house/t2/door", '{"open": 1, "battery": 90, "lock": "x"}')]

    assert {s.topic for s in spec_of(said).streams} == {"house/{device}/air", "house/{device}/door"}


def test_a_template_takes_in_nothing_that_cannot_be_read() -> None:
    said = readings("house/t1/state") + readings("house/t3/state") + [heard("house/t2/state", "online")]

    assert {s.topic for s in spec_of(said).streams} == {"house/t1/state", "house/t3/state"}
    assert "house/t2/state: 1 message of no JSON object, SenML or number, such as 'online'" in written(said)


@pytest.mark.parametrize(
    ("member", "value", "unit"),
    [
        ("ts", NOW // SECOND, "s"),
        ("timestamp", NOW // 1_000, "ms"),
        ("t", NOW, "us"),
        ("Time", NOW * 1_000, "ns"),
        ("sent", "2026-01-31T11:59:58+00:00", "iso"),
        ("whatever", NOW / SECOND - 2, "s"),  # known by being near the arrival
    ],
)
def test_the_time_is_found_with_its_unit(member: str, value: Any, unit: str) -> None:
    stream = stream_of([heard("air", json.dumps({"temp": 21.5, "meta": {member: value}}))])

    assert stream.time is not None
    assert (stream.time.path, stream.time.unit) == (("meta", member), unit)


def test_the_time_of_the_reading_wins_over_other_times() -> None:
    said = readings("air", TotalStartTime="2026-01-01T00:00:00Z", up_since=NOW / SECOND - 7_200)

    assert stream_of(said).time == TimeField(path=("ts",), unit="s")


def test_a_local_time_without_its_zone_is_not_taken() -> None:
    said = readings("air", ts=None, Time="2026-01-31T13:00:00")

    assert stream_of(said).time is None
    assert "Time is up to 60.0 min ahead of the arrival: a local time without its zone?" in written(said)


def test_a_clock_that_was_wrong_once_is_not_taken() -> None:
    said = [*readings("air"), heard("air", '{"ts": 1.61, "temp": 20.5, "seq": 1}')]

    assert stream_of(said).time is None
    assert "ts is no time in every reading" in written(said)


def test_old_readings_and_clocks_ahead_are_let_in() -> None:
    old = spec_of(readings("air", lag_us=90_000 * SECOND))
    ahead = spec_of(readings("air", lag_us=-7_400_000))

    assert (old.late.keep_us, ahead.late.disorder_us) == (FOR_EVER, 8 * SECOND)


def test_numbers_have_the_type_and_the_grid_that_they_show() -> None:
    said = [
        heard("air", json.dumps({"whole": n, "half": n / 2, "noise": n / 7, "few": 1.5 if n < 3 else None}))
        for n in range(30)
    ]
    assert {f.name: (f.type, f.resolution) for f in stream_of(said).fields} == {
        "whole": ("int", None),
        "half": ("float", 0.1),
        "noise": ("float", None),
        "few": ("float", None),
    }


def test_a_whole_number_that_was_seldom_seen_may_still_have_a_fraction() -> None:
    said = [heard("air", '{"temp": 21, "seq": 7}')]

    assert [(f.name, f.type) for f in stream_of(said).fields] == [("temp", "float"), ("seq", "int")]
    assert "temp: float  # in all 1: 21; int if it is never a fraction" in written(said)


def test_texts_truths_and_what_is_both_are_labels_and_long_texts_are_left_out() -> None:
    said = [
        heard(
            "air",
            json.dumps({"v": 1.5, "state": "on", "open": True, "code": 7 if n else "x", "log": "x" * 99}),
        )
        for n in range(2)
    ]
    assert [label.name for label in stream_of(said).labels] == ["state", "open", "code"]


def test_members_below_members_have_a_path_and_lists_are_named() -> None:
    said = [heard("air", '{"a": {"temp": 1.5, "b.c": 2}, "b": {"temp": 2}, "list": [1]}')] * 2
    stream = stream_of(said)

    assert {f.name: f.path for f in stream.fields} == {
        "temp": ("a", "temp"),
        "b_c": ("a", "b.c"),
        "b_temp": ("b", "temp"),
    }
    assert "# list is a list, or not always a table" in written(said)


def test_senml_is_read_by_its_names() -> None:
    pack = [
        {"bn": "urn:dev:1:", "bt": NOW / SECOND, "n": "temp", "u": "Cel", "v": 21.5},
        {"n": "hum", "v": 40},
        {"n": "state", "vs": "on"},
    ]
    stream = stream_of([heard("site/gw1/senml", json.dumps(pack))])

    assert (stream.format, stream.topic) == ("senml", "site/{device}/senml")
    assert [f.path for f in stream.fields] == [("temp",), ("hum",)]
    assert [(label.name, label.path) for label in stream.labels[1:]] == [
        ("bn", ("bn",)),
        ("state", ("state",)),
    ]


def test_a_pack_of_the_older_drafts_is_read_too() -> None:
    pack = {"bt": NOW // 1_000, "e": [{"n": "temp", "v": "21.5"}, {"n": "source", "sv": "x1"}]}
    stream = stream_of([heard("iot/x1", json.dumps(pack))])

    assert (stream.format, [f.path for f in stream.fields]) == ("senml", [("temp",)])
    assert [label.path for label in stream.labels] == [(), ("source",)]


def test_many_topics_and_members_stay_within_what_a_spec_may_have() -> None:
    members = {f"m{n:03}": n / 10 for n in range(300)}
    said = [
        heard(f"plant{n}x/area", json.dumps(members | {f"own{n}{m}": m for m in range(400)}))
        for n in range(70)
    ]
    spec = spec_of(said)

    assert len(spec.streams) == 64
    assert len(spec.streams[0].fields) == 24
    assert "a spec has at most 64 streams" in written(said)


def test_what_was_tapped_can_be_read_again() -> None:
    said = [*readings("air", count=2), heard("raw", b"\xff\x00"), heard("räume/1", "21.5")]
    lines = [json.dumps(captured(message)) for message in said]

    assert list(read_lines([*lines, "\n"], file="x", now_us=0)) == said


def test_a_capture_of_another_program_is_read_as_far_as_it_goes() -> None:
    line = '{"topic": "air", "payload": {"temp": 21.5}, "receivedTimestamp": "2026-01-31T12:00:00.000Z"}'

    assert list(read_lines([line], file="x", now_us=0)) == [heard("air", '{"temp": 21.5}')]
    for wrong in (
        "{",
        "[]",
        '{"topic": 7, "payload": ""}',
        '{"topic": "a"}',
        '{"topic": "a", "payload": "zz", "encoding": "hex"}',
    ):
        with pytest.raises(InvalidInput, match="x:2: no captured message"):
            list(read_lines([line, wrong], file="x", now_us=0))
