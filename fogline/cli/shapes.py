"""The JSON that commands print: one object a line, kept stable (docs/cli.md)."""

import json
import math
from collections.abc import Mapping
from datetime import datetime
from typing import Any

from fogline.client.accounts import StepLedger, StreamLedger
from fogline.client.installation import Node, Status
from fogline.client.values import Deployment, Pipeline, Result
from fogline.model.clock import from_datetime, to_rfc3339
from fogline.model.plan import Scalar


def line(shape: Mapping[str, Any]) -> str:
    """Make one line of JSON."""
    return json.dumps(shape, ensure_ascii=False, allow_nan=False) + "\n"


def instant(moment: datetime) -> str:
    """Write an instant as RFC 3339 in UTC."""
    return to_rfc3339(from_datetime(moment))


def result(value: Result) -> dict[str, Any]:
    """Shape a window of a key."""
    return {
        "pipeline": value.pipeline,
        "step": value.step,
        "window_start": instant(value.window_start),
        "window_end": instant(value.window_end),
        "key": dict(value.key),
        "values": {name: _number(v) for name, v in value.values.items()},
        "status": value.status.value,
        "have": value.have,
        "expected": value.expected,
        "revision": value.revision,
    }


def deployment(value: Deployment) -> dict[str, Any]:
    """Shape a deployment."""
    return {
        "pipeline": value.pipeline,
        "plan": value.plan,
        "generation": value.generation,
        "changed": value.changed,
    }


def status(value: Status) -> dict[str, Any]:
    """Shape the installation."""
    return {
        "version": value.version,
        "at": instant(value.at),
        "generation": value.generation,
        "readings": value.readings,
        "incarnation": value.incarnation.hex(),
        "nodes": [_node(n) for n in value.nodes],
        "aggregators": [
            {
                "name": a.name,
                "parent": a.parent,
                "alive": a.alive,
                "seen": instant(a.seen),
                "generation": a.generation,
                "children": list(a.children),
                "parts_in": a.parts_in,
                "parts_out": a.parts_out,
                "held_bytes": a.held_bytes,
                "refusals": a.refusals,
                "version": a.version,
            }
            for a in value.aggregators
        ],
        "pipelines": [_pipeline(p) for p in value.pipelines],
    }


def ledger(value: StreamLedger) -> dict[str, Any]:
    """Shape a stream under a plan."""
    return {
        "pipeline": value.pipeline,
        "plan": value.plan,
        "stream": value.stream,
        "received": value.received,
        "journaled": value.journaled,
        "refused": dict(value.refused),
        "before_start": value.before_start,
        "committed": value.committed,
        "pending": value.pending,
        "gap": dict(value.gap),
        "redelivered": value.redelivered,
        "retained": value.retained,
        "steps": [_step(s) for s in value.steps],
        "adds_up": value.adds_up,
        "differences": list(value.differences),
    }


def _number(value: Scalar) -> Scalar:
    # JSON has no infinity; null says the same as SQL does where a number has no value.
    return None if isinstance(value, float) and not math.isfinite(value) else value


def _step(value: StepLedger) -> dict[str, Any]:
    return {
        "step": value.step,
        "decoded": value.decoded,
        "counted": value.counted,
        "filtered": value.filtered,
        "dead": dict(value.dead),
        "too_late": dict(value.too_late),
    }


def _pipeline(value: Pipeline) -> dict[str, Any]:
    return {
        "name": value.name,
        "plan": value.plan,
        "deployed": instant(value.deployed),
        "running": list(value.running),
        "steps": list(value.steps),
    }


def _node(value: Node) -> dict[str, Any]:
    return {
        "name": value.name,
        "parent": value.parent,
        "alive": value.alive,
        "seen": instant(value.seen),
        "generation": value.generation,
        "faults": list(value.faults),
        "listener": value.listener,
        "clients": value.clients,
        "journaled": value.journaled,
        "pending": value.pending,
        "unrouted": value.unrouted,
        "journal_bytes": value.journal_bytes,
        "journal_limit_bytes": value.journal_limit_bytes,
        "version": value.version,
        "dead_letters": [
            {
                "stream": d.stream,
                "reason": d.reason,
                "topic": d.topic,
                "payload": d.payload.decode("utf-8", "backslashreplace"),
                "detail": d.detail,
                "arrival": instant(d.arrival),
            }
            for d in value.dead_letters
        ],
    }
