from fogline.cli.up.restarts import QUICK, Deaths, after_death


def test_a_process_that_lived_is_started_again_at_once() -> None:
    assert after_death(Deaths(), lived=60.0).delay == 0.0


def test_the_first_quick_death_costs_no_wait() -> None:
    assert after_death(Deaths(), lived=0.1).delay == 0.0


def test_quick_deaths_in_a_row_wait_ever_longer_up_to_a_limit() -> None:
    deaths, delays = Deaths(), []
    for _ in range(12):
        deaths = after_death(deaths, lived=0.1)
        delays.append(deaths.delay)

    assert delays[:5] == [0.0, 0.1, 0.2, 0.4, 0.8]
    assert delays == sorted(delays)
    assert delays[-1] == 10.0


def test_a_long_life_forgives() -> None:
    assert after_death(Deaths(quick=9), lived=QUICK) == Deaths()
