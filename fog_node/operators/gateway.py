"""The node's gateway to its operators: one queue for each operator step, replicas that come and go."""

from collections.abc import Callable
from pathlib import Path
from random import Random
from typing import Final, NamedTuple

from fog_node.operators.settings import OperatorSettings
from fogline.model.clock import Clock
from fogline.v1 import control_pb2

Broken = Callable[[str, str, int, str, str], None]
"""Told of a replica that must be killed and started again: plan, step, replica, event (as in
``ContainerEvent.event``: `timed_out`, `bad_answer`, `exited`, `not_started`), and what happened in words.
"""


class StepKey(NamedTuple):
    """An operator step of a plan."""

    plan: str
    step: str


class Operators:
    """Everything of this node that goes through operators. Belongs to the event loop."""

    def __init__(self, settings: OperatorSettings, *, folder: Path, clock: Clock, rng: Random) -> None:
        """``folder``: where batches are kept that were given up."""
        self._settings: Final = settings
        self._folder: Final = folder
        self._clock: Final = clock
        self._rng: Final = rng
        self.broken: Broken = lambda *_: None
        """Set by whoever starts replicas. Until :meth:`replica_gone` and :meth:`replica_up` say otherwise nothing
        more is sent to a replica that was told broken.
        """
        self._sockets: Final[dict[tuple[StepKey, int], Path]] = {}

    def replica_up(self, plan: str, step: str, replica: int, socket_path: Path) -> None:
        """A replica was started and will serve at this socket; it need not be there yet.

        Also after an agent's restart, for a replica that went on running. Again for the same replica: it is a new
        one. Never blocks, never fails; before the plan is known here as well.
        """
        self._sockets[StepKey(plan, step), replica] = socket_path

    def replica_gone(self, plan: str, step: str, replica: int) -> None:
        """A replica was stopped or has died: what it had not answered goes to another one. Idempotent."""
        self._sockets.pop((StepKey(plan, step), replica), None)

    def granted(self, releases: dict[StepKey, control_pb2.OperatorRelease]) -> None:
        """These releases run now; only ``timeout_us`` matters here."""

    def reports(self) -> list[control_pb2.StepReport]:
        """How each operator step goes."""
        return []
