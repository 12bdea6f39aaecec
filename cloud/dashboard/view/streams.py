"""Streams that the pipelines read."""

from typing import Any, Final

from cloud.dashboard.live.snapshot import Snapshot
from cloud.dashboard.live.topics import STREAMS
from cloud.dashboard.view.links import pipeline_link
from cloud.dashboard.view.table import Column, table

_COLUMNS: Final = (
    Column("Stream"),
    Column("Pipeline", "link"),
    Column("Topic", "mono"),
    Column("Format"),
    Column("Time"),
    Column("Labels", "list"),
    Column("Fields", "list"),
    Column("Messages/s", "rate"),
    Column("Journaled", "number"),
    Column("Pending", "number"),
    Column("Nodes", "list"),
)


def streams(snapshot: Snapshot) -> dict[str, Any]:
    """Every stream."""
    known = snapshot.of(STREAMS)
    rows = []
    for stream in known or ():
        pace = snapshot.measured.streams.get(stream.name)
        rows.append(
            [
                stream.name,
                [stream.pipeline, pipeline_link(stream.pipeline)],
                stream.topic,
                stream.format,
                stream.time or "of arrival",
                stream.labels,
                stream.fields,
                pace.rate if pace else None,
                stream.journaled,
                stream.pending,
                stream.nodes,
            ]
        )
    empty = (
        "Not known yet." if known is None else "No stream yet. A pipeline's spec names the streams it reads."
    )
    return table(_COLUMNS, rows, empty=empty)
