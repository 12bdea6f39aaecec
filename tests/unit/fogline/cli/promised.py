"""What docs/cli.md promises to programs that read a command's JSON."""

import json
import re
from collections.abc import Callable
from pathlib import Path
from typing import Any

from fogline.v1 import api_pb2, control_pb2

DOCS = Path(__file__).parents[4] / "docs" / "cli.md"
START_US = 1_769_860_800_000_000  # 2026-01-31T12:00:00Z

Run = Callable[..., tuple[int, str, str]]
"""Runs ``fogline`` with arguments: its exit code, and what it wrote to stdout and stderr."""


def documented(command: str) -> set[str]:
    """Names of the JSON members that docs/cli.md promises for a command, nested ones included."""
    section = DOCS.read_text().split(f"## fogline {command}\n")[1].split("\n## ")[0]
    (example,) = re.findall(r"```json\n(.*?)```", section, re.DOTALL)
    return names(json.loads(example))


def names(value: Any, path: str = "") -> set[str]:
    match value:
        case dict() if path.rpartition(".")[2] in {
            "key",
            "values",
            "refused",
            "gap",
            "gaps",
            "dead",
            "too_late",
            "targets",
        }:
            return set()  # names that the pipeline or a reason gives
        case dict():
            return {f"{path}.{n}" for n in value} | {
                m for n, v in value.items() for m in names(v, f"{path}.{n}")
            }
        case list():
            return {m for v in value for m in names(v, path)}
        case _:
            return set()


def node_status() -> api_pb2.NodeStatus:
    """A node as the cloud reports it, with something of everything."""
    report = control_pb2.NodeReport(
        node="node-1",
        parent="aggregator",
        generation=3,
        listener="mqtt://127.0.0.1:1883",
        journals=[control_pb2.JournalReport(journaled=7), control_pb2.JournalReport(journaled=1)],
        lanes=[control_pb2.LaneReport(pending=2)],
        dead_letters=[
            control_pb2.DeadLetter(stream="room", reason="malformed", topic="lab/hall", payload=b"{\xff")
        ],
        version="0.1.0",
    )
    return api_pb2.NodeStatus(report=report, seen_us=START_US, alive=True)
