"""A node of the model: its journal, what it sends and hears. Each step is a function of the node alone."""

from collections.abc import Iterator
from dataclasses import dataclass, replace

from fog_node.journal.release import PlanHold
from fogline.model.clock import NEVER
from fogline.model.frozen import FrozenMap
from fogline.model.gap import DETACHED, EXPIRED, Gap
from fogline.model.part import Contribution, Origin, Part
from fogline.uplink import cursor as lane
from fogline.uplink.cursor import Cursor, DeclareGap, Wanted
from tests.model.rules import Rules
from tests.model.setup import Setup
from tests.model.values import Down, Epoch, Node, Reading, State, origin

Sending = tuple[Node, tuple[Part[State], ...]]


@dataclass(frozen=True, slots=True)
class NodeSteps:
    """What nodes do, under some rules."""

    setup: Setup
    rules: Rules

    def first(self, name: str) -> Node:
        n = self.setup.messages
        node = Node(name=name, arrived=n)
        if n:
            epoch = Epoch(number=0, contents=tuple(range(n)), synced=n, base=self.setup.base)
            node = replace(node, epochs=(epoch,), starts=FrozenMap({0: self.setup.start}), runs=1)
        return self.restarted(node)

    def restarted(self, node: Node) -> Node:
        """N3: cursors from what is on disk."""
        cursors = []
        for plan in range(self.setup.plans):
            cursor = Cursor()
            for epoch in node.epochs:
                cursor = lane.track(
                    cursor,
                    origin(node.name, epoch.number),
                    start=node.starts[epoch.number],
                    base=epoch.base,
                    end=self.rules.sendable_end(epoch),
                    closed=epoch.closed,
                    gaps=node.gaps.get((plan, epoch.number), ()),
                )
            cursors.append(cursor)
        return replace(node, cursors=tuple(cursors), idled=False)

    def crashed(self, node: Node) -> Node:
        """Memory is gone, and so is what was not synced; the next run writes a new epoch (N1)."""
        kept = tuple(replace(e, contents=e.contents[: e.synced], closed=True) for e in node.epochs)
        return self.restarted(replace(node, epochs=kept))

    def lost_its_disk(self, node: Node) -> Node:
        return self.restarted(replace(node, epochs=(), starts=FrozenMap(), gaps=FrozenMap()))

    def rolled(self, node: Node) -> Node:
        """Sync and close the epoch in mid-run; the next message opens a new one."""
        epochs = tuple(replace(e, synced=len(e.contents), closed=True) for e in node.epochs)
        return self._journal_changed(replace(node, epochs=epochs))

    def appended(self, node: Node) -> Node:
        writing = node.epochs and not node.epochs[-1].closed
        if not writing:
            fresh = Epoch(number=self.rules.new_epoch(node))
            starts = node.starts.including({fresh.number: 0})
            node = replace(node, epochs=(*node.epochs, fresh), starts=starts, runs=node.runs + 1)
        *older, last = node.epochs
        last = replace(last, contents=(*last.contents, node.arrived))
        if not self.setup.unsynced:
            last = replace(last, synced=len(last.contents))
        return self._journal_changed(replace(node, epochs=(*older, last), arrived=node.arrived + 1))

    def synced(self, node: Node) -> Node:
        return self._journal_changed(
            replace(node, epochs=tuple(replace(e, synced=len(e.contents)) for e in node.epochs))
        )

    def truncated(self, node: Node) -> Node:
        """Let go of everything that the rule allows."""
        return self._journal_changed(
            replace(node, epochs=tuple(replace(e, base=self._limit(node, e)) for e in node.epochs))
        )

    def expired(self, node: Node) -> Node | None:
        """Drop the oldest message: gap records first, for every plan that needs it."""
        for i, epoch in enumerate(node.epochs):
            if epoch.base < epoch.synced:
                first, end = epoch.base, epoch.base + 1
                for plan, cursor in enumerate(node.cursors):
                    if cursor.places[origin(node.name, epoch.number)].committed < end:
                        node = _with_gap(node, plan, epoch.number, Gap(first=first, end=end, reason=EXPIRED))
                epochs = (*node.epochs[:i], replace(epoch, base=end), *node.epochs[i + 1 :])
                return self._journal_changed(replace(node, epochs=epochs))
        return None

    def detached(self, node: Node) -> Node | None:
        """The first plan gives up everything that it has not committed."""
        before = node
        for epoch in node.epochs:
            first = node.cursors[0].places[origin(node.name, epoch.number)].committed
            if first < epoch.synced:
                node = _with_gap(node, 0, epoch.number, Gap(first=first, end=epoch.synced, reason=DETACHED))
        return None if node is before else self._journal_changed(node)

    def opened(self, node: Node, plan: int) -> Sending:
        """A round begins; its probe goes up at once."""
        return self._began(node, plan, lane.opened(node.cursors[plan]))

    def disconnected(self, node: Node) -> Node:
        return replace(node, cursors=tuple(lane.closed(cursor) for cursor in node.cursors))

    def sendings(self, node: Node, plan: int) -> tuple[Sending, ...]:
        """Everything that the node may send next."""
        cursor = node.cursors[plan]
        if lane.probe(cursor):
            return (self._probed(node, plan),)
        found = [
            self._sent(node, plan, c) for w in lane.wanted(cursor) for c in self._pieces(node, cursor, w)
        ]
        if self.setup.watermarks and not node.idled:
            idled, parts = self.idle(node, plan)
            if parts:
                found.append((replace(idled, idled=True), parts))
        return tuple(found)

    def idle(self, node: Node, plan: int) -> Sending:
        """Origins with nothing left to send say so, with the watermark of their end."""
        cursor = node.cursors[plan]
        words = (
            lane.idle(cursor, o, watermark=self._watermark(2 * p.end + 1)) for o, p in cursor.places.items()
        )
        contributions = tuple(word for word in words if word is not None)
        if not contributions:
            return node, ()
        node = _with_cursor(node, plan, lane.sent(cursor, contributions))
        return node, (Part(contributions=contributions, state=()),)

    def heard(self, node: Node, plan: int, down: Down, round_: int) -> Sending:
        """An ack or a refusal; a refusal of this round begins the next with its probe."""
        cursor = node.cursors[plan]
        ends = down.refused and self.rules.rounds.obeys(round_, down.round)
        rule = self.rules.node_refused if ends else self.rules.node_answered
        cursor, actions = rule(cursor, down.offsets, down.incarnation)
        node = _with_cursor(node, plan, cursor)
        for action in actions:
            if isinstance(action, DeclareGap):
                node = _with_gap(node, plan, action.origin.epoch[0], action.gap)
        node = self._journal_changed(_without_committed_gaps(node, plan))
        return self._began(node, plan, self.rules.rounds.begins(node.cursors[plan])) if ends else (node, ())

    def _limit(self, node: Node, epoch: Epoch) -> int:
        holds = [
            PlanHold(
                start=node.starts[epoch.number],
                committed=cursor.places[origin(node.name, epoch.number)].committed,
                gaps=node.gaps.get((plan, epoch.number), ()),
            )
            for plan, cursor in enumerate(node.cursors)
        ]
        return self.rules.release(epoch.base, len(epoch.contents), holds)

    def _journal_changed(self, node: Node) -> Node:
        cursors = []
        for plan, before in enumerate(node.cursors):
            cursor = before
            for epoch in node.epochs:
                key = origin(node.name, epoch.number)
                base, end = epoch.base, self.rules.sendable_end(epoch)
                gaps = node.gaps.get((plan, epoch.number), ())
                if key in cursor.places:
                    cursor = lane.journal_changed(
                        cursor, key, base=base, end=end, closed=epoch.closed, gaps=gaps
                    )
                else:
                    cursor = lane.track(
                        cursor, key, start=node.starts[epoch.number], base=base, end=end, gaps=gaps
                    )
            cursors.append(cursor)
        return replace(node, cursors=tuple(cursors))

    def _began(self, node: Node, plan: int, cursor: Cursor) -> Sending:
        return self._probed(_with_cursor(replace(node, idled=False), plan, cursor), plan)

    def _probed(self, node: Node, plan: int) -> Sending:
        contributions = lane.probe(node.cursors[plan])
        if not contributions:
            return node, ()
        node = _with_cursor(node, plan, lane.sent(node.cursors[plan], contributions))
        return node, (Part(contributions=contributions, state=()),)

    def _pieces(self, node: Node, cursor: Cursor, wanted: Wanted) -> Iterator[Contribution]:
        shortest = wanted.end if wanted.gap or not self.setup.cuts else wanted.first + 1
        for end in range(shortest, wanted.end + 1):
            piece = replace(wanted, end=end)
            yield lane.contribution(cursor, piece, watermark=self._watermark(2 * end))

    def _watermark(self, instant: int) -> int:
        return instant if self.setup.watermarks else NEVER

    def _sent(self, node: Node, plan: int, contribution: Contribution) -> Sending:
        node = _with_cursor(node, plan, lane.sent(node.cursors[plan], [contribution]))
        return node, (Part(contributions=(contribution,), state=_state(node, contribution)),)


def _state(node: Node, contribution: Contribution) -> State:
    if contribution.is_gap:
        return ()
    number = contribution.origin.epoch[0]
    [contents] = [epoch.contents for epoch in node.epochs if epoch.number == number]
    return tuple(
        Reading(node.name, number, offset, contents[offset])
        for offset in range(contribution.first, contribution.end)
    )


def _with_cursor(node: Node, plan: int, cursor: Cursor) -> Node:
    return replace(node, cursors=(*node.cursors[:plan], cursor, *node.cursors[plan + 1 :]))


def _with_gap(node: Node, plan: int, epoch: int, gap: Gap) -> Node:
    known = node.gaps.get((plan, epoch), ())
    return replace(node, gaps=node.gaps.including({(plan, epoch): tuple(sorted({*known, gap}))}))


def _without_committed_gaps(node: Node, plan: int) -> Node:
    left: dict[tuple[int, int], tuple[Gap, ...]] = {}
    for key, gaps in node.gaps.items():
        place = node.cursors[plan].places[_origin_of(node, key)]
        kept = gaps if key[0] != plan else tuple(g for g in gaps if g.end > place.committed)
        if kept:
            left[key] = kept
    return replace(node, gaps=FrozenMap(left))


def _origin_of(node: Node, key: tuple[int, int]) -> Origin:
    return origin(node.name, key[1])
