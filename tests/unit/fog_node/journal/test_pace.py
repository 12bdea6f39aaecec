"""How often small commits may come."""

from hypothesis import given
from hypothesis import strategies as st

from fog_node.journal.pace import CommitPace


def test_after_a_rest_commits_follow_at_once_and_then_at_the_pace() -> None:
    pace = CommitPace(every_s=0.1, burst=3)
    now = 100.0
    for _ in range(3):
        assert pace.wait_s(now) <= 0
        pace.committed(now)
    assert abs(pace.wait_s(now) - 0.1) < 1e-9
    assert abs(pace.wait_s(now + 0.06) - 0.04) < 1e-9
    assert pace.wait_s(now + 0.1) <= 1e-9


def test_no_pace_is_no_wait() -> None:
    pace = CommitPace(every_s=0.0, burst=1)
    for _ in range(5):
        assert pace.wait_s(7.0) <= 0
        pace.committed(7.0)


@given(pauses=st.lists(st.floats(min_value=0.0, max_value=0.05), min_size=1, max_size=400))
def test_no_more_commits_than_the_burst_and_one_for_each_interval(pauses: list[float]) -> None:
    every_s, burst, now, commits = 0.1, 20, 50.0, 0
    pace = CommitPace(every_s=every_s, burst=burst)
    began = now
    for pause in pauses:
        now += pause
        if pace.wait_s(now) <= 0:
            pace.committed(now)
            commits += 1
    assert commits <= burst + (now - began) / every_s + 1
