"""When a new plan takes over its pipeline's name."""

from hypothesis import given
from hypothesis import strategies as st

from cloud.planner.switching import FOREVER, NOTHING, Reach, Side, switch_from
from fogline.model.clock import NEVER
from fogline.model.part import Origin


def has(upto: int, from_us: int = NEVER) -> Reach:
    return Reach(from_us=from_us, upto_us=upto)


def test_a_pipeline_without_results_switches_at_once() -> None:
    assert switch_from({}, {}, 10) == NEVER
    assert switch_from({"a": NEVER}, {}, 10) == NEVER


def test_a_plan_that_has_all_that_the_old_one_has_takes_over_all_of_it() -> None:
    assert switch_from({"a": 105, "b": 93}, {"a": has(101), "b": has(95)}, 10) == NEVER


def test_a_plan_that_is_catching_up_waits() -> None:
    assert switch_from({"a": 105}, {"a": has(99)}, 10) is None
    assert switch_from({"a": 105}, {}, 10) is None


def test_a_plan_that_began_later_takes_over_at_its_first_whole_window() -> None:
    assert switch_from({"a": 105}, {"a": has(105, from_us=73)}, 10) == 80
    assert switch_from({"a": 105}, {"a": has(105, from_us=95)}, 10) is None


def test_a_node_that_is_away_blocks_nothing() -> None:
    old, new = {"a": 105, "away": 62}, {"a": has(105)}
    assert switch_from(old, new, 10) == 60


def test_windows_that_only_the_old_plan_has_from_a_node_stay_with_it() -> None:
    assert switch_from({"a": 105, "b": 104}, {"a": has(105)}, 10) is None


marks = st.dictionaries(st.sampled_from("abc"), st.integers(0, 100), max_size=3)


@given(
    old=marks,
    new=st.dictionaries(
        st.sampled_from("abc"),
        st.builds(Reach, from_us=st.one_of(st.just(NEVER), st.integers(0, 100)), upto_us=st.integers(0, 100)),
        max_size=3,
    ),
    width=st.integers(1, 20),
)
def test_no_window_that_is_shown_loses_a_node(old: dict[str, int], new: dict[str, Reach], width: int) -> None:
    start = switch_from(old, new, width)
    if start is None:
        return
    for node, upto in old.items():
        for window in range(upto // width):
            if window * width < start:
                continue
            reach = new[node]
            assert reach.upto_us >= (window + 1) * width
            assert reach.from_us <= window * width


def origin(stream: str, node: str = "a", epoch: bytes = b"1") -> Origin:
    return Origin(tenant="t", node=node, stream=stream, epoch=epoch)


def side(starts: dict[Origin, int], **passed: int) -> Side:
    """A plan with one node."""
    return Side(passed={stream: {"a": at} for stream, at in passed.items()}, starts=starts)


def test_a_plan_that_began_no_later_on_every_origin_has_all_of_the_other() -> None:
    old = side({origin("room"): 7, origin("room", epoch=b"2"): 0}, room=90)
    new = side(dict(old.starts), room=80)
    assert new.reaches(old, 50) == {("room", "a"): has(80)}
    later = side({**old.starts, origin("room"): 8}, room=80)
    assert later.reaches(old, 50) == {("room", "a"): has(80, from_us=50)}
    less = side({origin("room"): 7}, room=80)
    assert less.reaches(old, 50) == {("room", "a"): has(80, from_us=50)}


def test_every_stream_is_waited_for_by_itself() -> None:
    starts = {origin("room"): 0, origin("soil"): 0}
    old, new = side(starts, room=105, soil=NEVER), side(starts, room=45, soil=33)
    assert new.reaches(old, 50) == {("room", "a"): has(45), ("soil", "a"): has(33)}
    assert switch_from(old.marks, new.reaches(old, 50), 10) is None
    caught_up = side(starts, room=101, soil=33)
    assert switch_from(old.marks, caught_up.reaches(old, 50), 10) == NEVER


def test_instead_of_a_stream_that_it_does_not_read_a_plan_has_what_came_since_it_was_deployed() -> None:
    old, new = side({origin("room"): 0}, room=105), side({origin("indoors"): 0}, indoors=95)
    assert switch_from(old.marks, new.reaches(old, 82), 10) is None
    new = side({origin("indoors"): 0}, indoors=101)
    assert switch_from(old.marks, new.reaches(old, 82), 10) == 90


def test_a_plan_without_results_leaves_what_was_shown() -> None:
    old, new = side({origin("room"): 0}, room=105), side({})
    assert new.reaches(old, 82) == {("room", "a"): has(FOREVER, from_us=82)}
    assert switch_from(old.marks, new.reaches(old, 82), 10) == 90


def test_a_node_that_the_new_plan_has_never_heard_of_has_nothing() -> None:
    old = Side(passed={"room": {"a": 105, "b": 33}}, starts={origin("room"): 0, origin("room", "b"): 0})
    new = side({origin("room"): 0}, room=105)
    assert new.reaches(old, 50)["room", "b"] == Reach(from_us=50, upto_us=NOTHING.upto_us)
    assert switch_from(old.marks, new.reaches(old, 50), 10) == 30
