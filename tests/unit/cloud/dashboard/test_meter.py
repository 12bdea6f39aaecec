"""Rates from counters, and their bounded history."""

from typing import Any

from cloud.dashboard.live.history import History
from cloud.dashboard.live.meter import Meter
from cloud.dashboard.live.rates import WINDOW_US, Rates, total
from tests.unit.cloud.dashboard.values import aggregator, at, node, status


def test_a_rate_is_taken_over_some_seconds() -> None:
    rates = Rates()
    assert rates.per_second("a", 100, 0) is None
    assert rates.per_second("a", 150, 1_000_000) == 50
    moment = WINDOW_US
    for value in (400, 700, 1000):
        moment += WINDOW_US
        rate = rates.per_second("a", value, moment)
    assert rate == 60


def test_a_counter_that_begins_anew_has_no_rate_yet() -> None:
    rates = Rates()
    rates.per_second("a", 100, 0)
    assert rates.per_second("a", 5, 1_000_000) is None
    assert rates.per_second("a", 6, 2_000_000) == 1


def test_a_counter_that_is_gone_is_forgotten() -> None:
    rates = Rates()
    rates.per_second("a", 100, 0)
    rates.forget(10**12)
    assert rates.per_second("a", 200, 10**12) is None


def test_a_total_is_that_of_the_known_rates() -> None:
    assert total([None, 2.0, None, 1.5]) == 3.5
    assert total([None]) is None


def test_history_keeps_so_many_points_and_so_many_series() -> None:
    history = History(points=3, series=2)
    for value in range(5):
        history.add("a", value)
    history.add("b", None)
    history.add("a", 5)
    history.add("c", 1)
    assert history.of("a") == (3, 4, 5)
    assert history.of("b") == ()
    assert len(history) == 2


def test_messages_of_all_nodes_make_one_rate() -> None:
    meter = Meter()
    meter.read(status(nodes=(node("n1"), node("n2"))))
    seen: dict[str, Any] = {"seen": at(1)}
    measured = meter.read(
        status(at=at(1), nodes=(node("n1", journaled=10, **seen), node("n2", journaled=5, **seen)))
    )
    assert (measured.nodes["n1"].rate, measured.nodes["n2"].rate) == (10, 5)
    assert measured.messages.rate == 15
    assert measured.messages.trend == (None, 15)


def test_what_is_away_has_no_rate_left() -> None:
    meter = Meter()
    meter.read(status(nodes=(node(),), aggregators=(aggregator(),)))
    away: dict[str, Any] = {"alive": False, "seen": at(1)}
    measured = meter.read(
        status(at=at(9), nodes=(node(journaled=5, **away),), aggregators=(aggregator(parts_in=3, **away),))
    )
    assert measured.nodes["n1"].rate == 0
    assert measured.parts_in == {"a1": 0}
