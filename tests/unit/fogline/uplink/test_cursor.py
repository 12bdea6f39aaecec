import pytest

from fogline.model.gap import CLOUD_ROLLBACK, Gap
from fogline.model.part import Contribution, Origin
from fogline.uplink import cursor as lane
from fogline.uplink.cursor import Committed, Cursor, DeclareGap, DiskRolledBack, Probe, Wanted

A = Origin(tenant="main", node="n", stream="air", epoch=b"1")
B = Origin(tenant="main", node="n", stream="air", epoch=b"2")
LIFE, RESTORED = b"life", b"restored"


def told(cursor: Cursor, **offsets: int) -> Cursor:
    """A round in which the probe was answered with these offsets."""
    cursor = lane.opened(cursor)
    cursor = lane.sent(cursor, lane.probe(cursor))
    return lane.answered(cursor, {A if name == "a" else B: n for name, n in offsets.items()}, LIFE)[0]


def send(cursor: Cursor, end: int, origin: Origin = A) -> Cursor:
    place = cursor.places[origin]
    return lane.sent(cursor, [Contribution(origin=origin, start=place.start, first=place.next, end=end)])


def tracking(*, start: int = 0, base: int = 0, end: int = 10, gaps: tuple[Gap, ...] = ()) -> Cursor:
    return lane.track(Cursor(), A, start=start, base=base, end=end, gaps=gaps)


def gap(first: int, end: int, reason: str = "expired") -> Gap:
    return Gap(first=first, end=end, reason=reason)


def test_a_plan_begins_at_its_start_or_at_the_oldest_thing_kept() -> None:
    assert tracking(start=4).places[A].committed == 4
    assert tracking(start=4, base=6).places[A].committed == 6
    assert tracking(start=4, base=6, gaps=(gap(5, 6),)).places[A].committed == 5
    assert tracking(start=4, base=6, gaps=(gap(2, 6),)).places[A].committed == 4


def test_a_round_begins_with_one_empty_part_for_all_origins() -> None:
    cursor = lane.track(tracking(base=3), B, start=1, base=0, end=1, closed=True)
    assert lane.probe(cursor) == ()
    cursor = lane.opened(cursor)
    asked = lane.probe(cursor)
    assert asked == (
        Contribution(origin=A, start=0, first=3, end=3),
        Contribution(origin=B, start=1, first=1, end=1, closed=True),
    )
    cursor = lane.sent(cursor, asked)
    assert lane.probe(cursor) == ()
    assert lane.wanted(cursor) == ()
    assert lane.awaits_answer(cursor)


def test_after_the_answer_sending_goes_on_from_the_true_offset_without_waiting() -> None:
    cursor = told(tracking(), a=4)
    assert lane.wanted(cursor) == (Wanted(origin=A, first=4, end=10),)
    cursor = send(cursor, 6)
    assert lane.wanted(cursor) == (Wanted(origin=A, first=6, end=10),)
    assert lane.awaits_answer(cursor)
    cursor, actions = lane.answered(cursor, {A: 6}, LIFE)
    assert actions == (Committed(origin=A, offset=6),)
    assert not lane.awaits_answer(cursor)


def test_an_older_answer_takes_nothing_back() -> None:
    cursor, actions = lane.answered(told(tracking(), a=4), {A: 2}, LIFE)
    assert actions == ()
    assert cursor.places[A].committed == 4


def test_a_commit_through_an_older_path_moves_the_next_offset_too() -> None:
    cursor, _ = lane.answered(send(told(tracking(), a=0), 2), {A: 5}, LIFE)
    assert cursor.places[A].next == 5


def test_a_refusal_ends_the_round_and_the_next_starts_at_the_committed_offset() -> None:
    cursor = send(told(tracking(), a=0), 8)
    cursor, actions = lane.refused(cursor, {A: 3}, LIFE)
    assert actions == (Committed(origin=A, offset=3),)
    assert lane.wanted(cursor) == ()
    assert not lane.awaits_answer(cursor)
    cursor = lane.opened(cursor)
    assert (cursor.places[A].next, cursor.places[A].probe) == (3, Probe.DUE)


def test_a_broken_stream_forgets_what_is_not_committed() -> None:
    cursor = lane.closed(send(told(tracking(), a=1), 8))
    assert lane.probe(cursor) == ()
    assert lane.probe(lane.opened(cursor))[0].first == 1


def test_only_what_comes_next_may_be_sent_and_only_if_it_is_synced() -> None:
    cursor = told(tracking(), a=0)
    for first, end in ((1, 2), (0, 11)):
        with pytest.raises(ValueError, match="not what comes next"):
            lane.sent(cursor, [Contribution(origin=A, start=0, first=first, end=end)])
    with pytest.raises(ValueError, match="not what comes next"):
        lane.sent(lane.closed(cursor), [Contribution(origin=A, start=0, first=0, end=1)])


def test_the_journal_grows_and_an_idle_origin_says_so() -> None:
    cursor = told(tracking(), a=10)
    assert lane.wanted(cursor) == ()
    idle = lane.idle(cursor, A, watermark=77)
    assert idle == Contribution(origin=A, start=0, first=10, end=10, watermark=77)
    cursor = lane.journal_changed(cursor, A, base=8, end=12)
    assert lane.idle(cursor, A, watermark=77) is None
    assert lane.wanted(cursor) == (Wanted(origin=A, first=10, end=12),)
    assert lane.idle(tracking(), A, watermark=77) is None


def test_the_last_contribution_of_a_closed_origin_says_so() -> None:
    cursor = told(lane.track(Cursor(), A, start=0, base=0, end=4, closed=True), a=0)
    [wanted] = lane.wanted(cursor)
    assert lane.contribution(cursor, wanted, watermark=9).closed
    earlier = Wanted(origin=A, first=0, end=3)
    assert lane.contribution(cursor, earlier, watermark=5) == Contribution(
        origin=A, start=0, first=0, end=3, watermark=5
    )
    assert not lane.forget(cursor, A).places


def test_an_origin_that_appears_in_mid_round_is_probed_by_itself() -> None:
    cursor = lane.track(told(tracking(), a=0), B, start=0, base=0, end=2)
    assert [c.origin for c in lane.probe(cursor)] == [B]
    assert [w.origin for w in lane.wanted(cursor)] == [A]


def test_a_gap_goes_up_whole_and_data_stops_before_it() -> None:
    cursor = told(tracking(base=6, gaps=(gap(2, 6), gap(8, 9))), a=3)
    assert lane.wanted(cursor) == (Wanted(origin=A, first=3, end=6, gap="expired"),)
    cursor = send(cursor, 6)
    assert lane.wanted(cursor) == (Wanted(origin=A, first=6, end=8),)
    cursor = send(cursor, 8)
    assert lane.wanted(cursor) == (Wanted(origin=A, first=8, end=9, gap="expired"),)


def test_a_restored_store_takes_the_committed_offset_down() -> None:
    cursor = send(told(tracking(), a=5), 9)
    cursor, actions = lane.refused(cursor, {A: 2}, RESTORED)
    assert actions == (Committed(origin=A, offset=2),)
    assert lane.opened(cursor).places[A].next == 2


def test_what_the_restored_store_lacks_and_the_journal_let_go_is_declared_a_gap() -> None:
    cursor = lane.journal_changed(told(tracking(), a=5), A, base=5, end=10, gaps=[gap(3, 4)])
    cursor, actions = lane.refused(cursor, {A: 2}, RESTORED)
    declared = [a.gap for a in actions if isinstance(a, DeclareGap)]
    assert declared == [gap(2, 3, CLOUD_ROLLBACK), gap(4, 5, CLOUD_ROLLBACK)]
    cursor = lane.opened(cursor)
    cursor = lane.sent(cursor, lane.probe(cursor))
    cursor, _ = lane.answered(cursor, {A: 2}, RESTORED)
    assert lane.wanted(cursor) == ()
    cursor = lane.journal_changed(cursor, A, base=5, end=10, gaps=[*declared, gap(3, 4)])
    assert lane.wanted(cursor) == (Wanted(origin=A, first=2, end=3, gap=CLOUD_ROLLBACK),)


def test_what_an_origin_was_told_by_the_lost_store_allows_no_truncation() -> None:
    cursor = told(lane.track(tracking(), B, start=0, base=1, end=4), a=5, b=3)
    cursor, actions = lane.answered(cursor, {A: 5}, RESTORED)
    assert actions == (Committed(origin=B, offset=1),)
    assert cursor.places[B].next == 3


def test_an_answer_of_a_store_that_is_no_more_is_ignored() -> None:
    cursor, _ = lane.refused(told(tracking(), a=5), {A: 2}, RESTORED)
    assert lane.answered(cursor, {A: 5}, LIFE) == (cursor, ())
    again = lane.opened(cursor)
    after, actions = lane.refused(again, {A: 5}, LIFE)
    assert (after.places, actions, after.sending) == (again.places, (), False)


def test_a_node_that_has_just_started_learns_from_a_refusal_that_the_store_was_restored() -> None:
    cursor = lane.opened(tracking(base=6))
    cursor = lane.sent(cursor, lane.probe(cursor))
    # An old answer comes first: it neither takes anything down nor settles whose life it is.
    cursor, actions = lane.answered(cursor, {A: 4}, LIFE)
    assert (actions, cursor.life.current) == ((), None)
    cursor, actions = lane.refused(cursor, {A: 4}, LIFE)
    assert DeclareGap(origin=A, gap=gap(4, 6, CLOUD_ROLLBACK)) in actions
    assert cursor.life.current == LIFE


def test_an_answer_about_an_unknown_origin_is_no_business_of_ours() -> None:
    cursor = told(tracking(), a=0)
    assert lane.answered(cursor, {B: 3}, LIFE) == (cursor, ())


def test_a_disk_that_lost_synced_messages_is_an_alarm() -> None:
    cursor, actions = lane.answered(told(tracking(), a=0), {A: 12}, LIFE)
    assert actions == (Committed(origin=A, offset=12), DiskRolledBack(origin=A, messages=2))
    assert lane.wanted(cursor) == ()
