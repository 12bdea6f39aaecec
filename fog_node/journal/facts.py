"""From the catalog to the ledger and back."""

from fog_node.journal.catalog import Catalog, OriginRow, PlanRow, Record
from fog_node.journal.ledger import CounterFact, Document, EpochFact, GapFact, PlanFact, encode
from fog_node.journal.values import Counters
from fogline.model.gap import Gap


def ledger_bytes(catalog: Catalog, *, tenant: str, removed: tuple[OriginRow, ...] = ()) -> bytes:
    """Give the ledger as the catalog wants it, with what was ordered and is not on disk yet.

    ``removed`` epochs leave the catalog when this is on disk: their counters move to the stream's.
    """
    carried = {s.name: s.carried for s in catalog.streams.values()}
    for row in removed:
        carried[row.origin.stream] = carried[row.origin.stream].plus(row.counters)
    document = Document(
        tenant=tenant,
        epochs=[_epoch_fact(o) for _, o in catalog.origins() if o not in removed and _tells(o)],
        reads=catalog.reads,
        carried={name: _counter_fact(c) for name, c in carried.items() if c != Counters()},
        removed=[row.origin.epoch.hex() + row.origin.stream for row in removed],
    )
    return encode(document)


def staged(catalog: Catalog) -> tuple[Record, ...]:
    """Every gap record that a crash could still forget."""
    return tuple(
        record
        for _, origin in catalog.origins()
        for records in (origin.holes, *(p.gaps for p in origin.plans.values()))
        for record in records
        if not record.durable
    )


def planned_base(row: OriginRow) -> int:
    """The base once ordered removals are done."""
    return next((s.first for s in row.segments if not s.dropping), row.end if row.segments else row.base)


def counters_of(fact: CounterFact) -> Counters:
    """Counters as a value."""
    return Counters(
        received=fact.received,
        journaled=fact.journaled,
        refused=fact.refused,
        redelivered=fact.redelivered,
        retained=fact.retained,
    )


def plan_row(fact: PlanFact) -> PlanRow:
    """One plan's facts as a row of the catalog."""
    return PlanRow(
        start=fact.start, committed=fact.committed, started=fact.started, gaps=records_of(fact.gaps)
    )


def records_of(facts: list[GapFact]) -> list[Record]:
    """Gap records that were read from disk."""
    return [Record(gap=Gap(first=g.first, end=g.end, reason=g.reason), durable=True) for g in facts]


def _tells(row: OriginRow) -> bool:
    """Whether an epoch has anything to remember; one that nobody saw is forgotten."""
    return bool(row.end or row.counters != Counters() or any(p.started for p in row.plans.values()))


def _epoch_fact(row: OriginRow) -> EpochFact:
    return EpochFact(
        stream=row.origin.stream,
        epoch=row.origin.epoch.hex(),
        sequence=row.sequence,
        base=planned_base(row),
        end=row.end if row.closed or row.sealed else None,
        holes=_gap_facts(row.holes),
        counters=_counter_fact(row.counters),
        plans={
            plan: PlanFact(start=p.start, committed=p.committed, started=p.started, gaps=_gap_facts(p.gaps))
            for plan, p in row.plans.items()
        },
    )


def _gap_facts(records: list[Record]) -> list[GapFact]:
    return [GapFact(r.gap.first, r.gap.end, r.gap.reason) for r in records]


def _counter_fact(counters: Counters) -> CounterFact:
    return CounterFact(
        received=counters.received,
        journaled=counters.journaled,
        refused=dict(counters.refused),
        redelivered=counters.redelivered,
        retained=counters.retained,
    )
