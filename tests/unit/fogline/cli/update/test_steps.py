"""Every way through an update ends, and none ends with a release that did not work."""

from collections.abc import Iterator

import pytest

from fogline.cli.update.steps import FIRST, LAST, MOVES, Step
from fogline.cli.update.units import Look, look, steady

UP = Look(active=True, process=7, said="active (running)")
OTHER = Look(active=True, process=8, said="active (running)")
STARTING = Look(active=False, process=7, said="activating (start)")
DOWN = Look(active=False, process=0, said="activating (auto-restart)")


def ways(
    step: Step = FIRST, taken: tuple[tuple[Step, bool], ...] = ()
) -> Iterator[tuple[tuple[Step, bool], ...]]:
    if step in LAST:
        yield (*taken, (step, True))
        return
    assert len(taken) < len(Step)
    for worked in (True, False):
        yield from ways(MOVES[step, worked], (*taken, (step, worked)))


@pytest.mark.parametrize("way", list(ways()))
def test_a_way_ends_with_what_works(way: tuple[tuple[Step, bool], ...]) -> None:
    new_runs = False
    for step, worked in way:
        if step is Step.SWITCH:
            new_runs = True
        if step is Step.SWITCH_BACK and worked:
            new_runs = False
    end = way[-1][0]
    failed = {step for step, worked in way if not worked}
    assert (end is Step.DONE) == (failed <= {Step.KEEP})
    if end is Step.GIVEN_UP and Step.SWITCH_BACK not in failed:
        assert not new_runs


def test_nothing_is_switched_to_that_was_not_tried() -> None:
    for way in ways():
        steps = [step for step, _ in way]
        if Step.SWITCH in steps:
            assert (Step.TRY, True) in way[: steps.index(Step.SWITCH)]


@pytest.mark.parametrize(
    ("looks", "is_steady"),
    [
        ([(0.0, DOWN), (1.0, UP), (11.0, UP)], True),
        ([(0.0, STARTING), (1.0, UP), (11.0, UP)], True),
        ([(0.0, UP), (5.0, UP)], False),
        ([(0.0, UP), (9.0, DOWN), (10.0, UP), (12.0, UP)], False),
        ([(0.0, UP), (9.0, OTHER), (12.0, OTHER)], False),
        ([(0.0, UP), (11.0, UP), (12.0, DOWN)], False),
        ([(0.0, DOWN)], False),
    ],
)
def test_up_means_one_process_for_a_while(
    looks: list[tuple[float, Look]],
    is_steady: bool,  # noqa: FBT001 - a parameter of pytest
) -> None:
    assert steady(looks, settle_s=10.0) is is_steady


def test_what_systemctl_shows_is_read() -> None:
    assert look("MainPID=7\nActiveState=active\nSubState=running\n") == UP
    assert look("MainPID=0\nActiveState=activating\nSubState=auto-restart\n") == DOWN
    assert look("") == Look(active=False, process=0, said="unknown ()")
