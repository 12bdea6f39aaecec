"""What the journal knows of plans: where they start, how far the store is, what they will never see."""

from typing import Literal

from fog_node.journal.catalog import Catalog, OriginRow, PlanRow, Record
from fog_node.journal.records import Records
from fogline.model.errors import NotFound
from fogline.model.gap import DETACHED, Gap, past_gaps, uncovered
from fogline.model.part import Origin


class Plans:
    """Plans on origins. Belongs to the event loop; what it promises is on disk first."""

    def __init__(self, catalog: Catalog, records: Records) -> None:
        self._catalog, self._records = catalog, records
        self._unsaved = self._drained = False

    async def started(self, plan: str, origin: Origin, at: Literal["base", "end"]) -> int:
        """Offset at which the plan begins on the origin: written once."""
        row = known(self._catalog, origin)
        there = row.plans.get(plan)
        if there is None:
            start = row.base if at == "base" else row.end
            there = row.plans[plan] = PlanRow(start=start, committed=start)
        reads = self._catalog.reads.setdefault(plan, {})
        if origin.stream not in reads:
            # From the next epoch on it reads the stream from 0: no record is needed to know that.
            reads[origin.stream] = self._catalog.sequence
        if not there.started:
            there.started = True
            try:
                await self._records.save()
            except BaseException:
                there.started = False
                raise
        return there.start

    def progress(self, plan: str, origin: Origin, committed: int) -> bool:
        """Note what the store holds; False if it holds more than this journal has (rule N1)."""
        row = self._catalog.row(origin)
        there = row.plans.get(plan) if row else None
        if row is None or there is None:
            return True
        before = there.committed
        there.committed = min(committed, row.end)
        there.finished = row.closed and committed >= row.end
        self._unsaved = True
        self._drained |= there.finished and before < row.end
        return committed <= row.end

    def wants_saving(self, *, rested: bool) -> bool:
        """Whether the ledger should hear of progress: at once of an epoch that is in the store to its end, else seldom.

        A start without a parent works on from what the ledger knows; power that fails every half minute must not heap
        up old epochs.
        """
        return self._drained or (self._unsaved and rested)

    def saved(self) -> None:
        """The ledger is about to hear of all progress."""
        self._unsaved = self._drained = False

    def last_heard(self, plan: str, origin: Origin) -> int:
        """What the store was last heard to hold, as far as the disk remembers; 0 if nothing is known."""
        row = self._catalog.row(origin)
        there = row.plans.get(plan) if row else None
        return there.committed if there is not None else 0

    async def forget(self, plan: str) -> None:
        """Drop everything that is known of a plan."""
        self._catalog.reads.pop(plan, None)
        for _, row in self._catalog.origins():
            row.plans.pop(plan, None)
        await self._records.save()

    async def detach(self, plan: str) -> int:
        """Give up all that the plan has not committed; gives how many messages that are."""
        given_up = 0
        for _, row in self._catalog.origins():
            there = row.plans.get(plan)
            if there is not None:
                given_up += _give_up(row, plan, there)
        await self._records.save()
        self._wake(plan)
        return given_up

    async def declare(self, plan: str, origin: Origin, gap: Gap) -> None:
        """Put a gap that the plan's lane found on record."""
        row = known(self._catalog, origin)
        there = row.plans.get(plan)
        if there is None:
            raise NotFound(f"plan {plan} has not started on {origin}", hint="call plan_started first")
        there.gaps.append(Record(gap=gap, durable=False))
        await self._records.save()
        row.wake()

    def gaps(self, plan: str, origin: Origin) -> tuple[Gap, ...]:
        """Ranges that the plan will never see; none for an origin that is gone."""
        row = self._catalog.row(origin)
        return row.gaps(plan) if row else ()

    def _wake(self, plan: str) -> None:
        for _, row in self._catalog.origins():
            if plan in row.plans:
                row.wake()


def known(catalog: Catalog, origin: Origin) -> OriginRow:
    """Give the origin's row. Raises NotFound."""
    row = catalog.row(origin)
    if row is None:
        raise NotFound(f"the journal holds nothing of {origin}", hint="list the origins again")
    return row


def _give_up(row: OriginRow, plan: str, there: PlanRow) -> int:
    gaps = row.gaps(plan, durable_only=False)
    first = past_gaps(max(there.start, there.committed), gaps)
    ranges = uncovered(first, row.end, gaps)
    there.gaps.extend(Record(gap=Gap(first=a, end=b, reason=DETACHED), durable=False) for a, b in ranges)
    return sum(b - a for a, b in ranges)
