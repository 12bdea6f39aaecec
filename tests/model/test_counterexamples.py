"""Each plausible misreading of a rule: the model catches it, and the shipped rules pass the same setup."""

from dataclasses import replace
from functools import cache

from fogline.model.frozen import FrozenMap
from tests.model import broken
from tests.model.explorer import Report, explore
from tests.model.rules import SHIPPED, Rules
from tests.model.setup import Setup
from tests.model.values import Fault

CUT = frozenset({Fault.CUT})
DIRECT = Setup(messages=2, cuts=True, kinds=CUT, cloud_processes=True)
GROUP = Setup(nodes=2, aggregators=2, kinds=CUT, victims=("node1",), parents=FrozenMap({"node0": ("agg1",)}))
"""One node moves between two aggregators while a part merged with another node's is under way."""
BEHIND = Setup(aggregators=1, messages=2, cuts=True, kinds=CUT)
LOSSY = frozenset({Fault.LOSS, Fault.REPEAT})
RESTORED = Setup(faults=2, truncates=True, kinds=frozenset({Fault.BACKUP, Fault.RESTORE}))


@cache
def with_shipped_rules(setup: Setup) -> Report:
    return explore(setup)


def catch(setup: Setup, rules: Rules) -> Report:
    shipped = with_shipped_rules(setup)
    assert shipped.terminates, shipped
    report = explore(setup, rules)
    assert report.finished or report.violation, report
    return report


def caught_unsafe(setup: Setup, rules: Rules, what: str) -> None:
    report = catch(setup, rules)
    assert what in report.violation, report


def caught_endless(setup: Setup, rules: Rules) -> Report:
    report = catch(setup, rules)
    assert report.safe, report
    assert not report.terminates, report
    return report


TWICE = "is counted twice"
NOT_COUNTED = "is committed, but it is not counted"
TOLD = "is told committed, but it is not counted"


def test_u1_what_is_committed_is_left_out_inside_a_merged_part() -> None:
    caught_unsafe(GROUP, Rules(settle=broken.merges_a_mixture), TWICE)


def test_u2_a_part_is_acknowledged_because_a_piece_of_it_is_committed() -> None:
    caught_unsafe(GROUP, Rules(settle=broken.acknowledges_a_mixture), TOLD)


def test_u3_a_part_is_accepted_that_begins_before_the_stored_offset() -> None:
    caught_unsafe(DIRECT, Rules(settle=broken.merges_an_overlap), TWICE)


def test_u4_a_part_is_accepted_that_begins_after_the_stored_offset() -> None:
    caught_unsafe(replace(DIRECT, kinds=LOSSY), Rules(settle=broken.merges_over_a_hole), NOT_COUNTED)


def test_u5_state_and_offset_are_written_in_two_transactions() -> None:
    setup = replace(DIRECT, kinds=frozenset({Fault.COMMIT_WITHOUT_ANSWER}))
    caught_unsafe(setup, Rules(transactions=broken.two_transactions), TWICE)


def test_u6_two_cloud_processes_read_and_write_without_a_lock() -> None:
    caught_unsafe(DIRECT, Rules(locked=False), TWICE)


def test_u7_an_origin_without_a_row_may_begin_anywhere() -> None:
    caught_unsafe(RESTORED, Rules(settle=broken.begins_a_row_anywhere), NOT_COUNTED)


def test_u8_an_aggregator_acknowledges_on_receipt() -> None:
    caught_unsafe(BEHIND, Rules(delivered=broken.acknowledges_on_receipt), TOLD)


def test_u9_an_aggregator_merges_over_an_overlap_or_a_hole() -> None:
    for fault, what in ((Fault.REPEAT, TWICE), (Fault.LOSS, NOT_COUNTED)):
        setup = replace(BEHIND, messages=3, kinds=frozenset({fault}))
        caught_unsafe(setup, Rules(delivered=broken.merges_without_looking), what)


def test_u10_what_an_aggregator_expects_is_taken_for_committed() -> None:
    caught_unsafe(BEHIND, Rules(delivered=broken.tells_what_it_expects), TOLD)


def test_u11_the_journal_is_truncated_for_the_fastest_plan() -> None:
    setup = Setup(plans=2, truncates=True, kinds=CUT)
    caught_unsafe(
        setup, Rules(release=broken.releases_for_the_fastest), "is truncated, but it is not counted"
    )


def test_u12_a_part_covers_messages_that_are_not_synced() -> None:
    setup = Setup(growing=1, unsynced=True, kinds=frozenset({Fault.NODE_CRASH}))
    caught_unsafe(setup, Rules(sendable_end=broken.written_end), "the journal does not hold it")


def test_u13_a_lost_disk_begins_with_the_same_epoch_again() -> None:
    setup = Setup(growing=1, kinds=frozenset({Fault.DISK_LOSS}))
    caught_unsafe(setup, Rules(new_epoch=broken.epoch_by_the_disk), "the journal does not hold it")


def test_u14_an_offset_made_up_by_an_aggregator_is_taken_for_committed() -> None:
    setup = replace(BEHIND, kinds=frozenset({Fault.LOSS}))
    caught_unsafe(setup, Rules(refused=broken.makes_up_where_to_go_on), TOLD)


def test_l1_a_refused_part_is_kept_and_tried_again() -> None:
    report = caught_endless(GROUP, Rules(refused=broken.tries_the_refused_again))
    assert report.stuck
    assert report.looping


def test_l2_only_the_origins_that_did_not_fit_are_rewound() -> None:
    report = caught_endless(GROUP, Rules(refused=broken.rewinds_only_the_guilty))
    assert report.dead_ends
    assert report.stuck


def test_l3_a_refusal_tells_no_offsets() -> None:
    report = caught_endless(RESTORED, Rules(settle=broken.refuses_without_offsets))
    assert report.looping


def test_l4_an_aggregator_remembers_what_comes_next_and_refuses_by_itself() -> None:
    report = caught_endless(BEHIND, Rules(delivered=broken.refuses_what_it_does_not_expect))
    assert report.stuck


def test_l5_a_commit_ahead_of_the_next_offset_does_not_move_it() -> None:
    report = caught_endless(replace(DIRECT, truncates=True), Rules(node_answered=broken.stays_where_it_was))
    assert report.dead_ends
    assert report.stuck


def test_l6_an_origin_without_a_row_is_expected_at_zero() -> None:
    setup = Setup(messages=2, start=1, base=1, kinds=CUT)
    report = caught_endless(setup, Rules(settle=broken.begins_a_row_at_zero))
    assert report.stuck


def test_l7_a_lane_is_rewound_without_rounds() -> None:
    setup = replace(BEHIND, messages=3, window=1, answers=1, kinds=frozenset({Fault.LOSS}))
    rules = Rules(rounds=broken.WITHOUT_ROUNDS, refused=broken.refuses_within_the_round)
    report = caught_endless(setup, rules)
    assert report.looping


def test_a_watermark_that_travels_apart_from_its_data_says_too_much() -> None:
    setup = replace(DIRECT, watermarks=True, kinds=frozenset({Fault.LOSS}))
    caught_unsafe(setup, Rules(transactions=broken.marks_without_data), "the watermark passed messages")


def test_a_node_that_ignores_the_incarnation_never_recovers_from_a_restored_store() -> None:
    report = caught_endless(RESTORED, Rules(node_refused=broken.takes_the_greatest_for_ever))
    assert report.stuck


def test_without_the_empty_parts_of_idle_origins_a_restored_store_goes_unnoticed() -> None:
    setup = replace(RESTORED, aggregators=1)
    assert explore(replace(setup, heartbeats=True)).terminates
    assert explore(setup).dead_ends


def test_what_was_only_sent_is_truncated() -> None:
    setup = Setup(messages=1, truncates=True, kinds=CUT)
    caught_unsafe(
        setup, Rules(release=broken.releases_without_a_record), "is truncated, but it is not counted"
    )


def test_the_shipped_rules_are_the_default() -> None:
    assert Rules() == SHIPPED
