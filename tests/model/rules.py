"""The rules as one value: the shipped functions, of which a test replaces exactly one by a broken one."""

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field, replace

from aggregator.merge import lane as merge
from aggregator.merge.lane import ChildRound
from aggregator.merge.values import Action as MergeAction
from aggregator.merge.values import Limits
from fog_node.journal.release import PlanHold, releasable
from fogline.intake import judgement, rounds
from fogline.intake.judgement import Settlement, Verdict
from fogline.intake.marks import marks_after
from fogline.model.frozen import FrozenMap
from fogline.model.part import Contribution, Origin, Part
from fogline.uplink import cursor
from fogline.uplink.cursor import Action as CursorAction
from fogline.uplink.cursor import Cursor
from tests.model.values import Aggregator, Books, Epoch, Joining, Node, State

Merged = tuple[Aggregator, tuple[MergeAction[State], ...]]
Told = tuple[Cursor, tuple[CursorAction, ...]]

NOW = 0


def delivered(
    aggregator: Aggregator, plan: int, key: ChildRound, part: Part[State], limits: Limits
) -> Merged:
    """A1 to A3."""
    rules = merge.Rules(merger=Joining(), limits=limits)
    lane, actions = merge.delivered(aggregator.lanes[plan], key, part, rules=rules, now=NOW)
    return with_lane(aggregator, plan, lane), actions


def answered(
    aggregator: Aggregator, plan: int, offsets: Mapping[Origin, int], incarnation: bytes, limits: Limits
) -> Merged:
    """A4."""
    rules = merge.Rules(merger=Joining(), limits=limits)
    lane, actions = merge.answered(aggregator.lanes[plan], offsets, incarnation, rules=rules, now=NOW)
    return with_lane(aggregator, plan, lane), actions


def refused(
    aggregator: Aggregator, plan: int, offsets: Mapping[Origin, int], incarnation: bytes, limits: Limits
) -> Merged:
    """A5."""
    rules = merge.Rules(merger=Joining(), limits=limits)
    lane, actions = merge.refused(aggregator.lanes[plan], offsets, incarnation, rules=rules, now=NOW)
    return with_lane(aggregator, plan, lane), actions


def with_lane(aggregator: Aggregator, plan: int, lane: merge.MergeLane[State]) -> Aggregator:
    lanes = aggregator.lanes
    return replace(aggregator, lanes=(*lanes[:plan], lane, *lanes[plan + 1 :]))


def one_transaction(books: Books, part: Part[State], settlement: Settlement) -> tuple[Books, ...]:
    """C3: state, offsets and watermarks become durable at once; C4 and the watermarks of what is done."""
    if settlement.verdict is Verdict.REFUSED:
        return (books,)
    books = with_marks(books, part)
    if settlement.verdict is Verdict.DONE:
        return (books,)
    return (with_offsets(with_state(books, part), part, settlement),)


def with_state(books: Books, part: Part[State]) -> Books:
    gaps = tuple((c.origin, c.first, c.end) for c in part.contributions if c.is_gap)
    return replace(
        books, counted=tuple(sorted(books.counted + part.state)), gaps=tuple(sorted(books.gaps + gaps))
    )


def with_offsets(books: Books, part: Part[State], settlement: Settlement) -> Books:
    starts = {c.origin: c.start for c in part.contributions if c.origin not in books.starts}
    return replace(
        books, offsets=books.offsets.including(settlement.write), starts=books.starts.including(starts)
    )


def with_marks(books: Books, part: Part[State]) -> Books:
    return replace(books, marks=books.marks.including(marks_after(part.contributions, books.marks)))


def synced_end(epoch: Epoch) -> int:
    """N2."""
    return epoch.synced


def new_epoch(node: Node) -> int:
    """N1: a name that no run of this writer has had."""
    return node.runs


def obeys(own_round: int, refused_round: int) -> bool:
    """Whether a refusal ends what the sender is doing now."""
    return own_round == refused_round


def release(base: int, end: int, holds: Iterable[PlanHold]) -> int:
    """N7."""
    return releasable(base=base, end=end, holds=holds)


def next_number(own_round: int) -> int:
    return own_round + 1


@dataclass(frozen=True, slots=True, kw_only=True)
class RoundRules:
    """A refusal ends the round: for the receiver, for the sender, and for what a node does next."""

    accepts: Callable[[rounds.Rounds, int], bool] = rounds.accepts
    obeys: Callable[[int, int], bool] = obeys
    next_number: Callable[[int], int] = next_number
    begins: Callable[[Cursor], Cursor] = cursor.opened


@dataclass(frozen=True, slots=True, kw_only=True)
class Rules:
    """By default what is shipped."""

    settle: Callable[[Iterable[Contribution], Mapping[Origin, int]], Settlement] = judgement.settle
    transactions: Callable[[Books, Part[State], Settlement], tuple[Books, ...]] = one_transaction
    """The durable states of the store, one after the other; the last is the outcome."""
    locked: bool = True
    """C1: reading the offsets and writing them is one step."""
    rounds: RoundRules = field(default_factory=RoundRules)
    delivered: Callable[[Aggregator, int, ChildRound, Part[State], Limits], Merged] = delivered
    answered: Callable[[Aggregator, int, Mapping[Origin, int], bytes, Limits], Merged] = answered
    refused: Callable[[Aggregator, int, Mapping[Origin, int], bytes, Limits], Merged] = refused
    node_answered: Callable[[Cursor, Mapping[Origin, int], bytes], Told] = cursor.answered
    node_refused: Callable[[Cursor, Mapping[Origin, int], bytes], Told] = cursor.refused
    sendable_end: Callable[[Epoch], int] = synced_end
    new_epoch: Callable[[Node], int] = new_epoch
    release: Callable[[int, int, Iterable[PlanHold]], int] = release


SHIPPED = Rules()
NOTHING: FrozenMap[Origin, int] = FrozenMap()
