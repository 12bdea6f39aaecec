from collections import Counter

import pytest

from aggregator.merge import lane as merge
from aggregator.merge.lane import Cause, ChildRound, Limits, MergeLane, Rules
from aggregator.merge.taking import seal
from aggregator.merge.values import Action, Discarded, Proven, Released, Sealed, TellChild
from fogline.model.clock import NEVER
from fogline.model.part import Contribution, Origin, Part

Words = tuple[str, ...]
LIFE = b"life"
A, B, C, D = (Origin(tenant="main", node=n, stream="air", epoch=b"1") for n in "abcd")
ONE, TWO = ChildRound(child="one", stream=0, round=0), ChildRound(child="two", stream=0, round=0)


class Joining:
    """States are tuples of words; those that begin with `?` are of a kind that cannot be merged."""

    def merge(self, a: Words, b: Words) -> Words:
        return tuple(sorted(a + b))

    def mergeable(self, a: Words, b: Words) -> bool:
        return not any(word.startswith("?") for word in a + b)

    def size(self, state: Words) -> int:
        return len(state)

    def pane_us(self, state: Words) -> int:
        return 10 if state else 0


RULES = Rules(
    merger=Joining(), limits=Limits(part_bytes=5, part_contributions=3, seal_after_us=100, in_flight=2)
)


def part(
    origin: Origin,
    first: int,
    end: int,
    *,
    word: str = "x",
    gap: str = "",
    watermark: int = NEVER,
    closed: bool = False,
) -> Part[Words]:
    contribution = Contribution(
        origin=origin, start=0, first=first, end=end, gap=gap, watermark=watermark, closed=closed
    )
    return Part(contributions=(contribution,), state=() if gap else (word,) * (end - first))


def joint(a: Part[Words], b: Part[Words]) -> Part[Words]:
    return Part(contributions=a.contributions + b.contributions, state=a.state + b.state)


class Group:
    """A lane with the actions of the last event, and with what has gone up since the beginning."""

    def __init__(self, rules: Rules[Words] = RULES) -> None:
        self.rules = rules
        self.lane: MergeLane[Words] = merge.upstream_opened(MergeLane())
        self.actions: tuple[Action[Words], ...] = ()
        self.now = 0

    def open(self, key: ChildRound) -> None:
        self.lane, self.actions = merge.child_opened(self.lane, key)

    def close(self, key: ChildRound) -> None:
        self.lane, self.actions = merge.child_closed(self.lane, key)

    def deliver(self, key: ChildRound, *parts: Part[Words]) -> None:
        for each in parts:
            self.lane, self.actions = merge.delivered(self.lane, key, each, rules=self.rules, now=self.now)

    def ack(self, offsets: dict[Origin, int], incarnation: bytes = LIFE) -> None:
        self.lane, self.actions = merge.answered(
            self.lane, offsets, incarnation, rules=self.rules, now=self.now
        )

    def refuse(self, offsets: dict[Origin, int], incarnation: bytes = LIFE) -> None:
        self.lane, self.actions = merge.refused(
            self.lane, offsets, incarnation, rules=self.rules, now=self.now
        )

    def tick(self, now: int) -> None:
        self.now = now
        self.lane, self.actions = merge.tick(self.lane, rules=self.rules, now=now)

    def up(self) -> list[Part[Words]]:
        """Everything that can be sent now."""
        parts: list[Part[Words]] = []
        while True:
            self.lane, each = merge.next_part(self.lane)
            if each is None:
                return parts
            parts.append(each)

    def ranges(self) -> list[dict[str, tuple[int, int]]]:
        return [{c.origin.node: (c.first, c.end) for c in p.contributions} for p in self.up()]

    def told(self) -> list[tuple[str, bool, dict[str, int]]]:
        return [
            (a.child.child, a.refused, {o.node: n for o, n in a.offsets.items()})
            for a in self.actions
            if isinstance(a, TellChild)
        ]

    def released(self) -> Counter[str]:
        return Counter({a.child.child: a.parts for a in self.actions if isinstance(a, Released)})


def merging() -> Group:
    """Two proven children; [0, 1) of both is in the open part."""
    group = Group()
    for key, origin in ((ONE, A), (TWO, B)):
        group.open(key)
        group.deliver(key, part(origin, 0, 0))
    group.up()
    group.ack({A: 0})
    group.ack({B: 0})
    group.deliver(ONE, part(A, 0, 1))
    group.deliver(TWO, part(B, 0, 1))
    return group


def test_the_first_part_of_a_round_goes_up_alone_and_the_rest_waits_for_its_ack() -> None:
    group = Group()
    group.open(ONE)
    group.deliver(ONE, part(A, 4, 4))
    assert group.released() == {"one": 1}
    group.deliver(ONE, part(A, 4, 6))
    assert group.released() == {}
    assert group.ranges() == [{"a": (4, 4)}]
    assert merge.held_bytes(group.lane, RULES.merger) == 2
    group.ack({A: 4})
    assert group.told() == [("one", False, {"a": 4})]
    assert group.released() == {"one": 1}
    assert group.lane.children[ONE].proven is Proven.YES
    assert merge.held_bytes(group.lane, RULES.merger) == 2


def test_a_round_that_was_overtaken_by_an_older_path_is_not_proven_by_a_covered_probe() -> None:
    group = Group()
    group.open(ONE)
    group.deliver(ONE, part(A, 0, 0), part(A, 0, 2))
    group.ack({A: 3})
    assert group.lane.children[ONE].proven is Proven.WAITING
    assert group.ranges() == [{"a": (0, 2)}]


def test_a_round_is_not_proven_while_older_pieces_of_its_origin_are_held() -> None:
    group = merging()
    again = ChildRound(child="one", stream=1, round=0)
    group.open(again)
    group.deliver(again, part(A, 0, 0))
    assert group.ranges()[-2:] == [{"a": (0, 1), "b": (0, 1)}, {"a": (0, 0)}]
    group.ack({A: 0})
    group.deliver(again, part(A, 0, 1))
    assert group.lane.children[again].proven is Proven.WAITING


def test_an_ack_that_covers_only_a_piece_of_the_lone_part_proves_nothing() -> None:
    group = Group()
    group.open(ONE)
    group.deliver(ONE, joint(part(A, 0, 0), part(B, 0, 0)))
    group.ack({A: 0})
    assert group.lane.children[ONE].proven is Proven.WAITING
    assert len(group.lane.inflight) == 1


def test_adjoining_ranges_of_several_children_become_one_part() -> None:
    group = merging()
    group.deliver(ONE, part(A, 1, 3))
    group.up()
    group.tick(100)
    assert group.ranges() == [{"a": (0, 3), "b": (0, 1)}]
    assert [a.cause for a in group.actions if isinstance(a, Sealed)] == [Cause.TIME]


def test_parts_are_never_merged_over_a_hole_or_an_overlap() -> None:
    for first in (0, 2):
        group = merging()
        group.up()
        group.deliver(ONE, part(A, first, 3))
        assert group.ranges() == [{"a": (0, 1), "b": (0, 1)}]
        assert [c.first for c in group.lane.held() if c.origin == A] == [0, first]


def test_a_gap_is_never_merged() -> None:
    group = merging()
    group.up()
    group.deliver(ONE, part(A, 1, 3, gap="expired"), part(A, 3, 4))
    assert group.ranges() == [{"a": (0, 1), "b": (0, 1)}, {"a": (1, 3)}]
    assert group.lane.open is not None
    assert group.lane.open.contributions[A].first == 3


def test_states_of_an_unknown_kind_travel_apart() -> None:
    group = merging()
    group.up()
    group.deliver(ONE, part(A, 1, 2, word="?"))
    assert group.ranges() == [{"a": (0, 1), "b": (0, 1)}]


def test_size_and_count_are_limited_before_merging() -> None:
    group = merging()
    group.up()
    group.deliver(ONE, part(A, 1, 5))
    assert group.ranges() == [{"a": (0, 1), "b": (0, 1)}]
    assert [a.cause for a in group.actions if isinstance(a, Sealed)] == [Cause.SIZE]

    group = merging()
    group.up()
    group.deliver(ONE, joint(part(A, 1, 1), part(C, 0, 0)))
    assert group.ranges() == [{"a": (0, 1), "b": (0, 1), "c": (0, 0)}]


def test_more_contributions_than_fit_are_sealed_apart() -> None:
    group = merging()
    group.up()
    group.deliver(ONE, joint(part(C, 0, 0), part(D, 0, 0)))
    assert group.ranges() == [{"a": (0, 1), "b": (0, 1)}]


def test_a_full_pipe_keeps_deliveries_and_their_credit_in_order_of_arrival() -> None:
    group = merging()
    group.deliver(ONE, part(A, 2, 3), part(A, 4, 5))
    group.deliver(TWO, part(B, 7, 8), part(B, 1, 1))
    assert group.lane.open is not None
    assert [d.child for d in group.lane.waiting] == [TWO]
    assert len(group.lane.inflight) == RULES.limits.in_flight
    assert merge.next_deadline(group.lane, RULES.limits) is None
    assert merge.flush(group.lane, rules=RULES, now=0) == (group.lane, ())
    group.ack({A: 1, B: 1})
    assert group.released() == {"two": 1}
    assert not group.lane.waiting


def test_nothing_is_sealed_while_there_is_no_room_not_even_in_time() -> None:
    group = merging()
    group.deliver(ONE, part(A, 2, 3), part(A, 4, 5))
    group.tick(1000)
    assert group.lane.open is not None
    group.up()
    group.ack({A: 1, B: 1})
    assert group.ranges() == [{"a": (4, 5)}]


def test_the_deadline_of_the_open_part_is_told() -> None:
    group = merging()
    assert merge.next_deadline(group.lane, RULES.limits) == 100
    assert merge.next_deadline(MergeLane(), RULES.limits) is None


def test_a_pane_is_pushed_when_the_last_child_has_passed_its_end() -> None:
    group = merging()
    group.up()
    group.deliver(ONE, part(A, 1, 2, watermark=10))
    assert group.ranges() == []
    group.deliver(TWO, part(B, 1, 2, watermark=11))
    assert group.ranges() == [{"a": (0, 2), "b": (0, 2)}]
    assert [a.cause for a in group.actions if isinstance(a, Sealed)] == [Cause.PANE]
    group.ack({A: 2, B: 2})
    group.deliver(ONE, part(A, 2, 3, watermark=19))
    group.deliver(TWO, part(B, 2, 3, closed=True))
    assert group.ranges() == []
    group.deliver(ONE, part(A, 3, 4, watermark=21))
    assert group.ranges() == [{"a": (2, 4), "b": (2, 3)}]


def test_a_merged_contribution_carries_the_greatest_watermark_and_the_end() -> None:
    group = merging()
    group.deliver(ONE, part(A, 1, 1, watermark=7), part(A, 1, 2, closed=True), part(A, 2, 2))
    assert group.lane.open is not None
    assert group.lane.open.contributions[A] == Contribution(
        origin=A, start=0, first=0, end=2, watermark=7, closed=True
    )


def test_an_ack_releases_what_it_covers_and_reaches_only_who_has_seen_the_origin() -> None:
    group = merging()
    group.tick(100)
    group.ack({A: 1})
    assert {c.origin for c in group.lane.held()} == {A, B}
    assert group.told() == [("one", False, {"a": 1})]
    group.ack({A: 1, B: 1})
    assert not list(group.lane.held())
    assert group.told() == [("one", False, {"a": 1}), ("two", False, {"b": 1})]


def test_a_refusal_discards_everything_and_ends_the_rounds_that_had_a_share_in_it() -> None:
    group = merging()
    group.tick(100)
    group.ack({A: 1, B: 1})
    group.deliver(TWO, part(B, 1, 2))
    group.tick(200)
    group.deliver(TWO, part(B, 2, 3))
    group.refuse({B: 1})
    assert list(group.lane.held()) == []
    assert [a.parts for a in group.actions if isinstance(a, Discarded)] == [2]
    assert group.told() == [("two", True, {"b": 1})]
    assert set(group.lane.children) == {ONE}
    assert group.ranges() == []


def test_a_refused_round_is_over_until_the_child_opens_the_next() -> None:
    group = merging()
    group.deliver(ONE, part(A, 2, 3), part(A, 4, 5), part(A, 9, 10))
    group.refuse({A: 1})
    assert group.released() == {"one": 1}
    group.deliver(ONE, part(A, 1, 2))
    assert group.released() == {"one": 1}
    assert group.lane.open is None
    group.open(ChildRound(child="one", stream=0, round=1))
    assert group.lane.children[ChildRound(child="one", stream=0, round=1)].proven is Proven.NO


def test_a_broken_upstream_gets_everything_again_in_order() -> None:
    group = merging()
    group.tick(100)
    group.deliver(ONE, part(A, 1, 2))
    first = group.ranges()
    group.lane = merge.upstream_broken(group.lane)
    group.tick(200)
    assert group.ranges() == []
    group.lane = merge.upstream_opened(group.lane)
    assert group.ranges() == [first[-1], {"a": (1, 2)}]


def test_what_a_broken_child_delivered_stays_and_what_it_still_waited_for_is_dropped() -> None:
    group = merging()
    group.deliver(ONE, part(A, 2, 3), part(A, 4, 5), part(A, 6, 7))
    group.close(ONE)
    assert group.released() == {"one": 1}
    assert [c.first for c in group.lane.held() if c.origin == A] == [0, 2, 4]
    group.close(ONE)
    assert group.actions == ()


def test_a_new_stream_of_a_child_ends_its_older_one() -> None:
    group = merging()
    group.open(ChildRound(child="one", stream=1, round=0))
    assert [key.stream for key in group.lane.children if key.child == "one"] == [1]
    group.deliver(ONE, part(A, 1, 2))
    assert group.released() == {"one": 1}


def test_after_a_restore_of_the_store_older_offsets_are_forgotten() -> None:
    group = merging()
    group.tick(100)
    group.ack({A: 1, B: 1})
    group.deliver(ONE, part(A, 1, 2))
    group.refuse({A: 0}, b"restored")
    assert group.told() == [("one", True, {"a": 0})]
    assert dict(group.lane.children[TWO].told) == {}
    before = group.lane
    group.ack({B: 1}, LIFE)
    assert (group.lane, group.actions) == (before, ())
    group.deliver(TWO, part(B, 1, 2))
    group.refuse({B: 0}, LIFE)
    assert group.told() == [("two", True, {})]


def test_stopping_seals_what_is_open() -> None:
    group = merging()
    group.up()
    group.lane, actions = merge.flush(group.lane, rules=RULES, now=0)
    assert [a.cause for a in actions if isinstance(a, Sealed)] == [Cause.FLUSH]
    assert merge.flush(group.lane, rules=RULES, now=0) == (group.lane, ())


def test_a_part_with_as_many_contributions_as_are_allowed_is_sealed_at_once() -> None:
    group = merging()
    group.up()
    group.deliver(ONE, part(C, 0, 1))
    assert group.ranges() == [{"a": (0, 1), "b": (0, 1), "c": (0, 1)}]
    assert [a.cause for a in group.actions if isinstance(a, Sealed)] == [Cause.SIZE]


def test_the_first_part_of_a_round_waits_for_room_too() -> None:
    group = merging()
    group.deliver(ONE, part(A, 2, 3), part(A, 4, 5))
    late = ChildRound(child="late", stream=0, round=0)
    group.open(late)
    group.deliver(late, part(C, 0, 0))
    assert group.released() == {}
    group.up()
    group.ack({A: 1, B: 1})
    assert group.released() == {}
    group.ack({A: 3})
    assert group.released() == {"late": 1}


def test_there_must_be_something_to_seal() -> None:
    with pytest.raises(ValueError, match="no open part"):
        seal(MergeLane(), Cause.FLUSH)
