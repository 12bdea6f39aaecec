"""The ledger: where every message and reading went, from terms that are each counted where they happen."""

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field

from cloud.catalog import KnownPlan
from cloud.store.reading import JournalRow, LedgerRow
from cloud.store.store import LedgerTerms
from fogline.engine.state import ReadingTerm
from fogline.model.part import Origin
from fogline.v1 import api_pb2, control_pb2


@dataclass(frozen=True, slots=True, kw_only=True)
class LaneWord:
    """One plan on one origin, as its node counted it in one moment, in messages."""

    origin: Origin
    journaled: int
    start: int
    committed: int
    pending: int


@dataclass(slots=True)
class Messages:
    """One stream under one plan, in messages, summed over its origins."""

    received: int = 0
    journaled: int = 0
    before_start: int = 0
    committed: int = 0
    pending: int = 0
    refused: Counter[str] = field(default_factory=Counter)
    gap: Counter[str] = field(default_factory=Counter)
    redelivered: int = 0
    retained: int = 0
    differences: list[str] = field(default_factory=list)

    def add(self, journal: JournalRow, offset: LedgerRow | None, lane: LaneWord | None) -> None:
        """Take in one origin.

        A report is up to a second older than the store. What the store has taken since is no longer
        pending, and what it holds beyond the report was journaled after it: with that the terms are of one
        instant.
        """
        start = offset.start if offset else lane.start if lane else journal.journaled
        held = offset.offset if offset else start
        ahead = max(0, held - journal.journaled)
        self.received += journal.received + ahead
        self.journaled += journal.journaled + ahead
        self.refused.update(journal.refused)
        self.redelivered += journal.redelivered
        self.retained += journal.retained
        self.before_start += start
        if offset is not None:
            self.committed += offset.messages
            self.gap.update(offset.gaps)
        if lane is not None:
            self.pending += max(0, lane.pending - max(0, held - lane.committed))
        elif offset is not None and journal.listed:
            # The plan has just begun: its node has the messages, and has not reported the lane yet.
            self.pending += max(0, journal.journaled - max(held, journal.base))
        self.differences += differences(journal, offset, lane)


def differences(journal: JournalRow, offset: LedgerRow | None, lane: LaneWord | None) -> list[str]:
    """Which equations of one origin do not hold, in words."""
    found = []
    name = str(journal.origin)
    refused = sum(journal.refused.values())
    if journal.received != journal.journaled + refused:
        found.append(
            f"{name}: received {journal.received} messages, "
            f"but journaled {journal.journaled} and refused {refused}"
        )
    if lane is not None and lane.journaled != lane.committed + lane.pending:
        found.append(
            f"{name}: journaled {lane.journaled} messages, "
            f"but {lane.committed} are committed and {lane.pending} pending"
        )
    if offset is None:
        return found
    gaps = sum(offset.gaps.values())
    if offset.offset != offset.start + offset.messages + gaps:
        found.append(
            f"{name}: committed up to {offset.offset}, but from {offset.start} on "
            f"{offset.messages} messages and {gaps} in gaps were counted"
        )
    if lane is not None and lane.committed > offset.offset:
        found.append(f"{name}: the node was told {lane.committed} messages, the store holds {offset.offset}")
    if lane is None and not journal.listed and journal.journaled > offset.offset:
        found.append(
            f"{name}: {journal.journaled - offset.offset} messages are not committed, "
            "and no journal holds them"
        )
    return found


def stream_ledger(
    plan: KnownPlan, stream: str, terms: LedgerTerms, words: Iterable[LaneWord]
) -> api_pb2.StreamLedger:
    """The ledger of one stream under one plan; ``words`` are the newest reports of the plan's lanes."""
    offsets = {row.origin: row for row in terms.offsets if row.plan == plan.row.plan}
    lanes = {word.origin: word for word in words}
    messages = Messages()
    for journal in terms.journals:
        if journal.origin.stream == stream:
            messages.add(journal, offsets.get(journal.origin), lanes.get(journal.origin))
    steps = step_ledgers(plan, stream, terms.counters.get(plan.row.plan, {}))
    found = [*messages.differences, *(line for step in steps for line in reading_differences(step))]
    return api_pb2.StreamLedger(
        pipeline=plan.row.pipeline,
        plan=plan.row.plan,
        stream=stream,
        received=messages.received,
        journaled=messages.journaled,
        refused=messages.refused,
        before_start=messages.before_start,
        committed=messages.committed,
        pending=messages.pending,
        gap=messages.gap,
        redelivered=messages.redelivered,
        retained=messages.retained,
        steps=steps,
        adds_up=not found,
        differences=found,
    )


def step_ledgers(
    plan: KnownPlan, stream: str, counters: Mapping[ReadingTerm, int]
) -> list[api_pb2.StepLedger]:
    """A line for each window step of the stream: its own terms and those of what stands before it."""
    return [
        _step_ledger(step, chain, [(t, n) for t, n in counters.items() if t.stream == stream])
        for step, chain in chains(plan, stream).items()
    ]


def chains(plan: KnownPlan, stream: str) -> dict[str, tuple[str, ...]]:
    """Each window step of a stream with the row steps that stand between it and the stream."""
    sources = {step.name: step.source for step in plan.content.steps}
    found = {}
    for step, layout in plan.layouts.items():
        if layout.stream != stream:
            continue
        chain, at = [], sources[step]
        while at in sources:
            chain.append(at)
            at = sources[at]
        found[step] = tuple(chain)
    return found


def _step_ledger(
    step: str, before: Sequence[str], counters: Sequence[tuple[ReadingTerm, int]]
) -> api_pb2.StepLedger:
    line = api_pb2.StepLedger(step=step)
    for term, readings in counters:
        if term.step not in ("", step, *before):
            continue
        if term.term == "decoded" and not term.step:
            line.decoded += readings
        elif term.term == "decoded":
            line.made += readings
        elif term.term == "counted" and term.step == step:
            line.counted += readings
        elif term.term == "filtered":
            line.filtered += readings
        elif term.term == "dead":
            line.dead[term.reason] += readings
        elif term.term == "too_late":
            line.too_late[term.reason] += readings
    return line


def reading_differences(line: api_pb2.StepLedger) -> list[str]:
    """Whether decoded + made = counted + filtered + dead + too_late; else say so."""
    dead, late = sum(line.dead.values()), sum(line.too_late.values())
    if line.decoded + line.made == line.counted + line.filtered + dead + late:
        return []
    made = f" and operators made {line.made} more" if line.made else ""
    said = (
        f"step {line.step}: decoded {line.decoded} readings{made}, but {line.counted} counted, "
        f"{line.filtered} filtered, {dead} dead and {late} too late"
    )
    return [said]


def broker_ledgers(reports: Iterable[control_pb2.NodeReport]) -> list[api_pb2.BrokerLedger]:
    """What each node's brokers say they dropped, before it could become a message of any stream."""
    return [
        api_pb2.BrokerLedger(
            node=report.node, url=broker.url, dropped=broker.dropped, known=broker.dropped_known
        )
        for report in reports
        for broker in report.brokers
    ]
