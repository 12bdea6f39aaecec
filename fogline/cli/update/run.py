"""Walks through the steps of an update."""

import fcntl
import os
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from fogline.cli.update.environments import Environments, Release, UpdateFailed
from fogline.cli.update.steps import FIRST, LAST, MOVES, Step
from fogline.cli.update.units import Units

Told = Callable[[Step], None]


@dataclass(frozen=True, slots=True, kw_only=True)
class Update:
    """One update of one installation."""

    environments: Environments
    release: Release
    units: Units | None
    """None: nothing runs here, and nothing is started."""
    within_s: float
    """So long the new release may take to come up, and the former one after it."""

    def run(self, told: Told) -> None:
        """Update. Raises :class:`UpdateFailed` with the reason if the former release stayed or came back."""
        with _alone(self.environments.folder):
            former, new = self.environments.current, self.environments.other
            step, reason = FIRST, ""
            while step not in LAST:
                told(step)
                try:
                    self._perform(step, former, new)
                except UpdateFailed as error:
                    reason = reason or f"{step.value}: {error}"
                    step = MOVES[step, False]
                else:
                    step = MOVES[step, True]
            told(step)
        if step is Step.GIVEN_UP:
            raise UpdateFailed(reason, hint=f"the release in {former} stays")

    def _perform(self, step: Step, former: str, new: str) -> None:
        match step:
            case Step.INSTALL:
                self.environments.install(new, self.release)
            case Step.TRY:
                self.environments.try_(new)
            case Step.SWITCH:
                self.environments.switch(new, trial=True)
            case Step.SWITCH_BACK:
                self.environments.switch(former, trial=False)
                self.environments.settle()
            case Step.KEEP:
                self.environments.settle()
            case Step.RESTART | Step.RESTART_FORMER if self.units is not None:
                self.units.restart()
            case Step.WATCH if self.units is not None:
                self.units.watch(self.within_s)


@contextmanager
def _alone(folder: Path) -> Iterator[None]:
    """One update at a time; the kernel ends the claim of one that was killed."""
    try:
        claim = os.open(folder, os.O_RDONLY | os.O_DIRECTORY)
    except OSError as error:
        raise UpdateFailed(f"{folder} cannot be read: {error.strerror}") from error
    try:
        if not os.access(folder, os.W_OK):
            raise UpdateFailed(f"{folder} cannot be written", hint="run this as root")
        try:
            fcntl.flock(claim, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            raise UpdateFailed(f"another update of {folder} is under way") from None
        yield
    finally:
        os.close(claim)
