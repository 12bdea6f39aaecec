import pytest

from fogline.service.discipline import clock_is_synchronised
from fogline.service.histogram import Buckets, Histogram
from fogline.service.metrics import OTHER, Kind, Metric, Monotone, Snapshot

MESSAGES = Metric(name="messages_total", kind=Kind.COUNTER, help="Messages.", labels=("stream",))
AGE = Metric(name="age_seconds", kind=Kind.GAUGE, help="Age.", labels=("stream",), worst=True)
TIMES = Metric(name="commit_seconds", kind=Kind.HISTOGRAM, help="Times.")


def test_values_with_the_same_labels_are_added_and_of_ages_the_worst_counts() -> None:
    snapshot = Snapshot()
    for metric in (MESSAGES, AGE):
        for value in (3, 4):
            snapshot.add(metric, value, "air")
    assert snapshot.value(MESSAGES, "air") == 7
    assert snapshot.value(AGE, "air") == 4


def test_series_beyond_the_bound_are_added_up_in_one() -> None:
    snapshot = Snapshot(most_series=2)
    for number in range(5):
        snapshot.add(MESSAGES, 1, f"stream-{number}")
        snapshot.add(MESSAGES, 1, "stream-0")
    (series,) = [series for _, series in snapshot.each()]
    assert series == {("stream-0",): 6, ("stream-1",): 1, (OTHER,): 3}


def test_a_value_without_its_labels_is_a_mistake() -> None:
    with pytest.raises(ValueError, match="messages_total has the labels"):
        Snapshot().add(MESSAGES, 1)


def test_a_histogram_counts_what_is_at_a_bound_below_it() -> None:
    histogram = Histogram((1.0, 2.0))
    for value in (0.5, 1.0, 1.5, 2.0, 9.0):
        histogram.observe(value)
    assert histogram.snapshot() == Buckets((1.0, 2.0), (2, 2, 1), 14.0)

    snapshot = Snapshot()
    snapshot.add(TIMES, histogram.snapshot())
    snapshot.add(TIMES, histogram.snapshot())
    assert snapshot.value(TIMES) == Buckets((1.0, 2.0), (4, 4, 2), 28.0)
    with pytest.raises(TypeError):
        snapshot.add(TIMES, 1)


def test_a_sum_of_things_that_come_and_go_never_falls() -> None:
    sums, labels = Monotone(), ("air",)
    sums.look([(labels, "old", 100.0)])
    assert sums.totals == {labels: 0.0}, "counted by a former process"
    sums.look([(labels, "old", 103.0), (labels, "new", 5.0)])
    assert sums.totals == {labels: 8.0}
    sums.look([(labels, "new", 6.0)])
    assert sums.totals == {labels: 9.0}
    sums.look([])
    assert sums.totals == {labels: 9.0}


def test_the_kernel_can_be_asked_about_the_clock() -> None:
    assert clock_is_synchronised() in {True, False, None}
