"""Whatever was heard: a proposal can be deployed, reads what it says that it reads, and takes no topic twice."""

import json
from typing import Any

from hypothesis import example, given, settings
from hypothesis import strategies as st
from sqlglot.tokens import Tokenizer

from fogline.cli.infer.payloads import Kind, read_payload
from fogline.cli.infer.proposal import propose
from fogline.cli.infer.writing import write
from fogline.spec.read import read_spec
from tests.unit.fogline.cli.infer.decoding import NOW, decode, deployable, heard, routed, spec_of

WORDS = sorted({word.lower() for word in Tokenizer.KEYWORDS if word.isalpha()})
NAMES = st.sampled_from(
    [
        "temp",
        "ts",
        "time",
        "Time",
        "node-id",
        "a.b",
        "n",
        "bn",
        "v",
        "__x",
        'ti"me',
        "switch:0",
        "on",
        "",
        "é",
    ]
) | st.sampled_from(WORDS)
INSTANTS = st.sampled_from(
    [
        NOW / 1e6,
        NOW // 1_000_000,
        NOW // 1_000,
        NOW,
        NOW * 1_000,
        "2026-01-31T11:59:59Z",
        "2026-01-31T11:00:00",
        1.61,
    ]
)
SCALARS = (
    st.none()
    | st.booleans()
    | st.integers(-(2**70), 2**70)
    | st.floats(allow_nan=False, allow_infinity=False)
    | st.decimals(-1000, 1000, places=2).map(float)
    | st.text(max_size=80)
    | INSTANTS
)
VALUES = st.recursive(
    SCALARS,
    lambda inner: st.lists(inner, max_size=2) | st.dictionaries(NAMES, inner, max_size=3),
    max_leaves=6,
)
OBJECTS = st.dictionaries(NAMES, VALUES, max_size=6)
RECORDS = st.fixed_dictionaries(
    {"n": st.sampled_from(["", "temp", "hum"])},
    optional={
        "bn": st.sampled_from(["urn:dev:1:", "urn:dev:2:"]),
        "bt": st.sampled_from([NOW / 1e6, NOW / 1e6 - 90_000.0, NOW // 1_000, 0.0, -5]),
        "bv": st.integers(-5, 5),
        "t": st.integers(-10, 0),
        "v": st.integers(-1000, 1000) | st.floats(-1e6, 1e6) | st.sampled_from(["no", "7.5", "nan"]),
        "sv": st.text(max_size=3),
        "vs": st.text(max_size=3),
        "vb": st.booleans(),
        "u": st.just("Cel"),
    },
)  # fmt: skip
PACKS = st.lists(RECORDS, min_size=1, max_size=4)
DRAFTS = st.fixed_dictionaries(
    {"e": PACKS},
    optional={"bn": st.just("urn:dev:3:"), "bt": st.sampled_from([NOW // 1_000, "0", 5]), "bv": st.just(2)},
)
PAYLOADS = (
    OBJECTS.map(json.dumps)
    | st.lists(OBJECTS, max_size=3).map(json.dumps)
    | PACKS.map(json.dumps)
    | DRAFTS.map(json.dumps)
    | st.sampled_from(
        ["21.5", " -3\n", "1e3", "nan", "1_0", "on", "true", "", "[]", "{", '"x"', "1" * 70, "1e999"]
    )
    | st.integers(-(2**66), 2**66).map(str)
    | st.binary(max_size=6)
)
LEVELS = st.sampled_from(
    [
        "home",
        "kitchen",
        "t1",
        "t2",
        "node-12",
        "temp",
        "air",
        "",
        "{x}",
        "$SYS",
        "0",
        "\x01",
        "räume",
        "rooms",
    ]
)
TOPICS = st.lists(LEVELS, min_size=1, max_size=4).map("/".join)


@st.composite
def fleets(draw: st.DrawFn) -> list[tuple[str, str]]:
    """Devices of a kind: topics that differ in a level, payloads with the same members."""
    members = draw(
        st.dictionaries(
            NAMES, st.sampled_from([INSTANTS, st.integers(0, 50), st.floats(0, 9), VALUES]), max_size=5
        )
    )
    payload = st.fixed_dictionaries(members).map(json.dumps)
    before, after = draw(TOPICS), draw(st.sampled_from(["", "/air", "/temp"]))
    devices = draw(st.lists(st.sampled_from(["t1", "t2", "hall", "attic", "7"]), min_size=1, max_size=3))
    return [
        (f"{before}/{device}{after}", draw(payload))
        for device in devices
        for _ in range(draw(st.integers(1, 3)))
    ]


HEARD = st.tuples(st.lists(fleets(), max_size=3), st.lists(st.tuples(TOPICS, PAYLOADS), max_size=6)).map(
    lambda both: [*(m for fleet in both[0] for m in fleet), *both[1]]
)


@given(HEARD, st.integers(-3, 3).map(lambda s: s * 1_000_000))
@settings(max_examples=150)
@example([("a/b", '{"a": {"b": 1}}'), ("a/b", '{"a": 7, "c": 1}')], 0)
@example([("a/1", "5"), ("a/2", "on"), ("a/3", "6")], 0)
@example([("a/t", '{"x": [1], "y": 1}'), ("a/t", '{"x": 1, "y": 2}')], 0)
@example([("a/\x01/b", "{}"), ("a/t1/b", f'{{"n": 1, "ts": {NOW // 1_000_000}}}')], 0)
@example([("a", '[{"n": "", "bn": "urn:dev:1:"}, {"n": "", "v": 0}]')], 0)
def test_a_proposal_can_be_deployed_and_reads_what_was_heard(
    said: list[tuple[str, Any]], drift_us: int
) -> None:
    messages = [heard(topic, payload, NOW + drift_us) for topic, payload in said]
    proposal = propose(messages)
    text = write(proposal, heading="said\n#", deployable=deployable)
    if not proposal.streams:
        assert all(line.startswith("#") for line in text.splitlines())
        return
    spec = read_spec(text)
    taken: dict[str, str] = {}
    for stream in spec.streams:
        mine = routed(stream, messages)
        assert mine
        for message in mine:
            assert taken.setdefault(message.topic, stream.name) == stream.name
        readable = [m for m in mine if read_payload(m.payload).kind.value == stream.format]
        decoded = decode(spec, stream, readable)
        assert (decoded.dead, decoded.too_late) == ({}, {}), stream
        assert decoded.decoded == sum(len(read_payload(m.payload).readings) for m in readable)
    numbers = [m for m in messages if read_payload(m.payload).kind is Kind.NUMBER]
    unread = "\n".join(proposal.unread)
    assert all(m.topic in taken or m.topic.split("/")[0] in unread or "'" in unread for m in numbers)


def of_a_word(word: str) -> list[Any]:
    payload = json.dumps({word: 1.5, "ts": NOW // 1_000_000})
    return [heard(f"{word}/{word}s/t1", payload), heard(f"{word}/{word}s/t2", payload)]


def test_every_word_of_sql_may_be_a_name() -> None:
    for word in WORDS:
        spec = spec_of(of_a_word(word))
        assert len(spec.streams) == 1, word


def test_a_payload_is_what_a_node_takes_it_for() -> None:
    assert read_payload(b"21.5").kind is Kind.NUMBER
    assert read_payload(b'{"a": 1}').kind is Kind.JSON
    assert read_payload(b'[{"a": 1}]').kind is Kind.JSON
    assert read_payload(b'[{"n": "t", "v": 1}]').kind is Kind.SENML
    for nothing in (b"", b"on", b"true", b"[]", b"[1]", b"null", b"nan", b"\xff", b'"x"', b"[" * 9_999):
        assert read_payload(nothing).kind is Kind.OTHER
