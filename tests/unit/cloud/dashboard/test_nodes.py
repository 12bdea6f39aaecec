"""Nodes as tables; what came from outside stays text."""

from datetime import timedelta

import pytest

from cloud.dashboard.live.topics import STREAMS
from cloud.dashboard.view import health, nodes, streams
from fogline.client.installation import Broker, DeadLetter, Journal, Lane
from fogline.client.values import Stream
from tests.unit.cloud.dashboard.values import START, at, node, snapshot, status

BROKER = Broker(
    url="mqtt://b",
    client_id="c",
    share="",
    connected=False,
    fault="refused",
    messages=5,
    reconnects=1,
    sessions_lost=0,
    dropped=None,
    warnings=("keeps nothing",),
)
LANE = Lane(
    plan="abc",
    stream="air",
    epoch=b"\x01" * 16,
    start=0,
    committed=5,
    pending=2,
    gaps={"expired": 3},
    watermark=at(-4),
)
JOURNAL = Journal(
    stream="air",
    epoch=b"\x01" * 16,
    received=8,
    journaled=7,
    refused={"full": 1},
    redelivered=0,
    retained=0,
    base=0,
    closed=False,
)


@pytest.mark.parametrize(
    ("payload", "shown"),
    [
        (b"<script>x</script>", "<script>x</script>"),
        (b"\xff\x00a\n", "\\xff\\x00a\\n"),
        ("\u202eabc".encode(), "\\u202eabc"),
        (b"x" * 300, "x" * nodes.SHOWN_BYTES + "…"),
    ],
)
def test_a_payload_is_shown_as_printable_text(payload: bytes, shown: str) -> None:
    assert nodes.preview(payload) == shown


def test_a_node_is_shown_with_all_it_reports() -> None:
    letter = DeadLetter(stream="air", reason="malformed", topic="t", payload=b"{", detail="?", arrival=START)
    full = node(lanes=(LANE,), journals=(JOURNAL,), brokers=(BROKER,), dead_letters=(letter,))
    found = snapshot(status(nodes=(full, node("n2"))))
    assert nodes.lanes(found, "n1")["rows"][0][3:7] == [0, 5, 2, ["expired 3"]]
    assert nodes.journals(found, "n1")["rows"][0][3:6] == [8, 7, ["full 1"]]
    assert nodes.brokers(found, "n1")["rows"][0][-2:] == ["not said", ["refused", "keeps nothing"]]
    assert nodes.letters(found, "n1")["rows"][0][-1] == "{"
    assert [each["what"] for each in nodes.concerns(found, "n1")] == [
        "broker mqtt://b is away: refused",
        "broker mqtt://b: keeps nothing",
    ]
    assert [row[0][0] for row in nodes.nodes(found)["rows"]] == ["n1", "n2"]
    assert nodes.figures(found, "gone") == []


def test_a_node_is_behind_by_what_is_pending_and_not_by_what_is_done() -> None:
    done = Lane(
        plan="abc",
        stream="air",
        epoch=b"\x02",
        start=0,
        committed=5,
        pending=0,
        gaps={},
        watermark=START - timedelta(days=9),
    )
    assert health.behind_us(node()) is None
    assert health.behind_us(node(lanes=(done,))) == 0
    assert health.behind_us(node(lanes=(done, LANE))) == 4_000_000


def test_streams_are_listed() -> None:
    stream = Stream(
        pipeline="p",
        name="air",
        topic="a/{b}",
        format="json",
        time="",
        labels=("b",),
        fields=("t",),
        journaled=7,
        pending=0,
        nodes=("n1",),
    )
    (row,) = streams.streams(snapshot(status(), {STREAMS: (stream,)}))["rows"]
    assert row[:5] == ["air", ["p", "/pipelines/p"], "a/{b}", "json", "of arrival"]
