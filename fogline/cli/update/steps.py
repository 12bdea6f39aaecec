"""The order of an update, as a table: what is done next when a step worked, and when it did not.

Two environments, ``a`` and ``b``, lie beside each other, and ``current`` is a link to one of them. The release is
installed into the other one and tried there; then the link is switched and the tiers are started again. If they do not
come up, the link goes back. Until the new release was ready once, a note says which environment was left: without an
updater in sight, systemd goes back by that note (deploy/systemd/fogline-trial).
"""

from collections.abc import Mapping
from enum import Enum
from typing import Final


class Step(Enum):
    """What an update does; the value is how it is told."""

    INSTALL = "install beside what runs"
    TRY = "try it"
    SWITCH = "switch to it"
    RESTART = "start it"
    WATCH = "watch it"
    KEEP = "keep it"
    SWITCH_BACK = "switch back"
    RESTART_FORMER = "start the former release"
    DONE = "updated"
    GIVEN_UP = "not updated"


MOVES: Final[Mapping[tuple[Step, bool], Step]] = {
    (Step.INSTALL, True): Step.TRY,
    (Step.INSTALL, False): Step.GIVEN_UP,
    (Step.TRY, True): Step.SWITCH,
    (Step.TRY, False): Step.GIVEN_UP,
    (Step.SWITCH, True): Step.RESTART,
    (Step.SWITCH, False): Step.SWITCH_BACK,
    (Step.RESTART, True): Step.WATCH,
    (Step.RESTART, False): Step.SWITCH_BACK,
    (Step.WATCH, True): Step.KEEP,
    (Step.WATCH, False): Step.SWITCH_BACK,
    (Step.KEEP, True): Step.DONE,
    (Step.KEEP, False): Step.DONE,
    (Step.SWITCH_BACK, True): Step.RESTART_FORMER,
    (Step.SWITCH_BACK, False): Step.GIVEN_UP,
    (Step.RESTART_FORMER, True): Step.GIVEN_UP,
    (Step.RESTART_FORMER, False): Step.GIVEN_UP,
}
"""Whether the step worked, and what comes next."""

FIRST: Final = Step.INSTALL
LAST: Final = frozenset({Step.DONE, Step.GIVEN_UP})
