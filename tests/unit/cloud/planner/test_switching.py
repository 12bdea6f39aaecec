"""When a new plan takes over its pipeline's name."""

from hypothesis import given
from hypothesis import strategies as st

from cloud.planner.switching import Reach, switch_from
from fogline.model.clock import NEVER


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
