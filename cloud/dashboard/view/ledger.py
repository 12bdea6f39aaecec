"""The ledger as flows: what came in on one side, where it went on the other, and whether that is the same."""

from collections.abc import Iterable, Mapping
from dataclasses import asdict, dataclass
from typing import Any

from cloud.dashboard.live.snapshot import Snapshot
from cloud.dashboard.live.topics import LEDGER
from cloud.dashboard.view.links import pipeline_link
from cloud.dashboard.view.table import Column, table
from fogline.client.accounts import StepLedger, StreamLedger


@dataclass(frozen=True, slots=True, kw_only=True)
class Term:
    """One way that something went."""

    name: str
    count: int
    look: str
    """kept, waiting, aside or lost: how it is coloured."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Flow:
    """One equation: what came in is the sum of where it went."""

    name: str
    unit: str
    total: int
    terms: tuple[Term, ...]

    @property
    def difference(self) -> int:
        """What came in and went nowhere; below zero: went somewhere without having come in."""
        return self.total - sum(term.count for term in self.terms)


def flows(line: StreamLedger) -> list[Flow]:
    """The equations of one stream under one plan."""
    return [
        Flow(
            name="received",
            unit="messages",
            total=line.received,
            terms=(
                Term(name="journaled", count=line.journaled, look="kept"),
                *_reasons("refused", line.refused),
            ),
        ),
        Flow(
            name="journaled",
            unit="messages",
            total=line.journaled,
            terms=(
                Term(name="committed", count=line.committed, look="kept"),
                Term(name="pending", count=line.pending, look="waiting"),
                Term(name="before start", count=line.before_start, look="aside"),
                *_reasons("gap", line.gap),
            ),
        ),
        *(_of_step(step) for step in line.steps),
    ]


def ledger(snapshot: Snapshot) -> dict[str, Any]:
    """Every stream under every plan; those that do not add up come first."""
    known = snapshot.of(LEDGER)
    lines = sorted(known.streams, key=lambda line: line.adds_up) if known is not None else []
    return {
        "known": known is not None,
        "lines": [
            {
                "pipeline": line.pipeline,
                "link": pipeline_link(line.pipeline),
                "stream": line.stream,
                "plan": line.plan,
                "adds_up": line.adds_up,
                "differences": line.differences,
                "redelivered": line.redelivered,
                "retained": line.retained,
                "flows": [{**asdict(flow), "difference": flow.difference} for flow in flows(line)],
            }
            for line in lines
        ],
    }


def brokers(snapshot: Snapshot) -> dict[str, Any]:
    """What brokers lost before any node could journal it."""
    known = snapshot.of(LEDGER)
    columns = (Column("Broker", "mono"), Column("Seen by"), Column("Dropped", "value"))
    rows = [
        [each.url, each.node, "the broker does not say" if each.dropped is None else f"{each.dropped:,}"]
        for each in (known.brokers if known is not None else ())
    ]
    return table(columns, rows, empty="No node reads from a broker: devices publish to the nodes themselves.")


def _of_step(step: StepLedger) -> Flow:
    return Flow(
        name=f"decoded {'and made by operators ' if step.made else ''}for {step.step}",
        unit="readings",
        total=step.decoded + step.made,
        terms=(
            Term(name="counted", count=step.counted, look="kept"),
            Term(name="filtered", count=step.filtered, look="aside"),
            *_reasons("dead", step.dead),
            *_reasons("too late", step.too_late),
        ),
    )


def _reasons(name: str, counts: Mapping[str, int]) -> Iterable[Term]:
    """A term for each reason; without any the term itself, which is nothing."""
    if not counts:
        return [Term(name=name, count=0, look="lost")]
    return [Term(name=f"{name}: {reason}", count=n, look="lost") for reason, n in sorted(counts.items())]
