"""What a pipeline has run before, and which of it is meant when somebody goes back. Pure."""

from collections.abc import Iterable, Sequence
from typing import Final

from cloud.store.releases import PastRow
from fogline.model.errors import Conflict, NotFound

LEAST_LETTERS: Final = 4
"""Of a plan's name, so that it is told from a release's number by more than luck."""


def in_order(history: Iterable[PastRow]) -> list[PastRow]:
    """The newest first."""
    return sorted(history, key=lambda one: (-one.deployed_us, one.plan, -one.release))


def current(history: Sequence[PastRow], newest: str) -> PastRow:
    """What was deployed last: the highest release of the pipeline's newest plan."""
    return max((one for one in history if one.plan == newest), key=lambda one: one.release)


def meant(history: Sequence[PastRow], newest: str, to: str) -> PastRow:
    """What to go back to.

    ``to``: a release's number of the newest plan, the beginning of a plan's name, or both as ``PLAN/NUMBER``; empty:
    what was deployed before the present one. Raises :class:`NotFound`, :class:`Conflict` if there is more than one.
    """
    if not to:
        return _before(history, newest)
    plan, _, number = to.partition("/")
    found = [one for one in history if one.plan == newest and str(one.release) == to]
    if not found and len(plan) >= LEAST_LETTERS:
        of_plan = [one for one in history if one.plan.startswith(plan)]
        found = [one for one in of_plan if number in ("", str(one.release))]
        if number == "" and len({one.plan for one in found}) == 1:
            found = [max(found, key=lambda one: one.release)]
    if not found:
        raise NotFound(
            f"there is no release {to!r}", hint="`fogline releases NAME` lists what can be gone back to"
        )
    if len(found) > 1:
        raise Conflict(f"{to!r} may mean {_names(found)}", hint="name more of it")
    return found[0]


def _before(history: Sequence[PastRow], newest: str) -> PastRow:
    now = current(history, newest)
    for one in in_order(history):
        if one.deployed_us < now.deployed_us and (one.plan, one.wire) != (now.plan, now.wire):
            return one
    raise NotFound(
        "nothing was deployed before what runs now",
        hint="`fogline releases NAME` lists what there is; `--to` names one",
    )


def _names(history: Iterable[PastRow]) -> str:
    return ", ".join(f"{one.plan}/{one.release}" for one in history)
