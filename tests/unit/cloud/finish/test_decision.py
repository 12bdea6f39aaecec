"""What a window may call itself, decided from values alone."""

from hypothesis import given
from hypothesis import strategies as st

from cloud.finish.decision import (
    Assignment,
    NodeMark,
    Patience,
    Span,
    Standing,
    Status,
    decide,
    expected_nodes,
    horizon,
    waited_for,
    watermarks,
)
from fogline.model.clock import NEVER

WINDOW = Span(start_us=100, end_us=200)
PATIENCE = Patience(disorder_us=5, wait_us=50, keep_us=1000)


def at(node: str, *, open_us: tuple[int, int] | None = None, closed_us: int | None = None) -> list[NodeMark]:
    marks = []
    if open_us:
        marks.append(NodeMark(node=node, closed=False, least_us=open_us[0], greatest_us=open_us[1]))
    if closed_us is not None:
        marks.append(NodeMark(node=node, closed=True, least_us=NEVER, greatest_us=closed_us))
    return marks


def decided(
    before: Standing, passed: dict[str, int], *, changed: bool = False, waited: bool = False
) -> Standing:
    return decide(
        before, WINDOW, expected=frozenset({"a", "b"}), passed=passed, changed=changed, waited=waited
    )


def test_a_node_is_as_far_as_its_slowest_open_origin() -> None:
    assert watermarks([*at("a", open_us=(10, 90), closed_us=500)]) == {"a": 10}


def test_a_node_without_an_open_origin_is_as_far_as_its_last_one_was() -> None:
    assert watermarks(at("a", closed_us=70)) == {"a": 70}


def test_a_node_with_a_new_origin_that_has_seen_nothing_holds_its_windows() -> None:
    assert watermarks(at("a", open_us=(NEVER, 90), closed_us=70)) == {"a": NEVER}


def test_a_window_is_expected_of_nodes_whose_assignment_covers_it() -> None:
    assignments = [
        Assignment(node="always", from_us=NEVER),
        Assignment(node="joined within", from_us=199),
        Assignment(node="joined after", from_us=200),
        Assignment(node="left after", from_us=NEVER, to_us=200),
        Assignment(node="left within", from_us=NEVER, to_us=199),
    ]
    assert expected_nodes(assignments, WINDOW) == {"always", "joined within", "left after"}


def test_a_window_is_complete_when_the_last_node_reaches_its_end() -> None:
    nearly = decided(Standing(), {"a": 200, "b": 199})
    assert (nearly.status, nearly.have, nearly.missing) == (Status.OPEN, 1, ("b",))
    done = decided(nearly, {"a": 200, "b": 200})
    assert (done.status, done.have, done.expected, done.missing) == (Status.COMPLETE, 2, 2, ())
    assert done.settled


def test_a_window_is_partial_when_nobody_is_waited_for_any_more() -> None:
    partial = decided(Standing(), {"a": 200}, waited=True)
    assert (partial.status, partial.missing, partial.revision) == (Status.PARTIAL, ("b",), 0)
    assert not partial.settled


def test_whatever_changes_after_that_is_a_revision() -> None:
    partial = decided(Standing(), {"a": 200}, waited=True)
    same = decided(partial, {"a": 300}, waited=True)
    assert same == partial
    richer = decided(partial, {"a": 300}, changed=True)
    assert (richer.status, richer.revision, richer.missing) == (Status.REVISED, 1, ("b",))
    whole = decided(richer, {"a": 300, "b": 200})
    assert (whole.status, whole.revision, whole.have) == (Status.REVISED, 2, 2)
    assert decided(whole, {"a": 900, "b": 900}) == whole


def test_a_window_of_which_nobody_is_expected_waits_before_it_is_called_complete() -> None:
    def alone(*, waited: bool) -> Status:
        return decide(Standing(), WINDOW, expected=frozenset(), passed={}, changed=True, waited=waited).status

    assert alone(waited=False) is Status.OPEN
    assert alone(waited=True) is Status.COMPLETE


def test_the_wait_begins_when_the_window_could_have_ended_or_with_its_first_state() -> None:
    assert not waited_for(WINDOW, 0, PATIENCE, 254)
    assert waited_for(WINDOW, 0, PATIENCE, 255)
    assert not waited_for(WINDOW, 10_000, PATIENCE, 10_049)
    assert waited_for(WINDOW, 10_000, PATIENCE, 10_050)


def test_states_stay_while_a_node_that_is_assigned_may_still_add_to_them() -> None:
    both = [Assignment(node="a", from_us=NEVER), Assignment(node="b", from_us=NEVER)]
    assert horizon(both, {"a": 9_000, "b": 7_000}, PATIENCE, 10**6) == 6_000
    assert horizon(both, {"a": 9_000}, PATIENCE, 10**6) == NEVER
    assert horizon(both, {"a": 9_000, "b": 8_000}, PATIENCE, 5_000) == 5_000 - 1000 - 5 - 50


def test_a_node_that_joined_or_left_does_not_hold_states_of_other_times() -> None:
    joined = [Assignment(node="a", from_us=NEVER), Assignment(node="b", from_us=3_000)]
    assert horizon(joined, {"a": 9_000}, PATIENCE, 10**6) == 3_000
    left = [Assignment(node="a", from_us=NEVER), Assignment(node="b", from_us=NEVER, to_us=500)]
    assert horizon(left, {"a": 9_000}, PATIENCE, 10**6) == 8_000


def test_states_that_are_to_be_kept_for_ever_never_go() -> None:
    for_ever = Patience(disorder_us=5, wait_us=50, keep_us=-1)
    assert horizon([], {}, for_ever, 10**18) == NEVER


@given(
    steps=st.lists(
        st.tuples(st.sampled_from("ab"), st.integers(0, 60), st.booleans(), st.booleans()), max_size=12
    )
)
def test_a_standing_only_moves_forward(steps: list[tuple[str, int, bool, bool]]) -> None:
    """open, then complete or partial, then revised; revisions count by one, who has passed stays."""
    order = {Status.OPEN: 0, Status.COMPLETE: 1, Status.PARTIAL: 1, Status.REVISED: 2}
    standing, passed, ever = Standing(), {"a": 150, "b": 150}, False
    for node, advance, changed, waited in steps:
        passed[node] += advance
        ever |= waited
        after = decided(standing, passed, changed=changed, waited=ever)
        assert order[after.status] >= order[standing.status]
        assert after.revision - standing.revision in (0, 1)
        assert after.have >= standing.have
        assert after.have + len(after.missing) == after.expected == 2
        assert (after.status is Status.COMPLETE) <= (not after.missing)
        assert decided(after, passed, waited=ever) == after
        standing = after
