"""The tiers as systemd runs them."""

import math
import subprocess
import time
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final, Protocol

from fogline.cli.update.environments import UpdateFailed

LOOK_EVERY_S: Final = 0.5
COMMAND_WITHIN_S: Final = 120.0


class Units(Protocol):
    """What runs the tiers of this machine. Every method raises :class:`UpdateFailed`, saying why."""

    def restart(self) -> None:
        """Stop what runs, and start what the link leads to now; need not wait until it is up."""
        ...

    def watch(self, within_s: float) -> None:
        """Return when everything is up and has stayed so for a while."""
        ...


@dataclass(frozen=True, slots=True)
class Look:
    """A unit at one moment."""

    active: bool
    """The tier has said that it is ready, and has not ended since."""
    process: int
    said: str
    """Its state in systemd's words."""


def up_since(looks: Sequence[tuple[float, Look]]) -> float:
    """Since when one process has been up at every look; times in seconds, ascending. Infinity if it is not up now."""
    since, process = math.inf, 0
    for at, look in looks:
        if not look.active:
            since = math.inf
        elif since == math.inf or look.process != process:
            since, process = at, look.process
    return since


def steady(looks: Sequence[tuple[float, Look]], *, settle_s: float) -> bool:
    """Whether one process has been up for ``settle_s``."""
    return bool(looks) and looks[-1][0] - up_since(looks) >= settle_s


class SystemdUnits:
    """Units of these names, by ``systemctl``."""

    def __init__(self, names: Sequence[str], *, settle_s: float = 10.0) -> None:
        """``settle_s``: so long a tier has to stay up after it was ready."""
        self._names: Final = tuple(names)
        self._settle_s: Final = settle_s

    def restart(self) -> None:
        """Tell systemd, and come back at once: readiness is watched for."""
        _systemctl("reset-failed", *self._names, check=False)
        _systemctl("restart", "--no-block", *self._names)

    def watch(self, within_s: float) -> None:
        """Look until every unit is steady; whoever was up in time may still show that it stays so."""
        looks: dict[str, list[tuple[float, Look]]] = {name: [] for name in self._names}
        end = time.monotonic() + within_s
        while True:
            for name, seen in looks.items():
                seen.append((time.monotonic(), look(_systemctl("show", f"--property={_SHOWN}", name))))
            if all(steady(seen, settle_s=self._settle_s) for seen in looks.values()):
                return
            if time.monotonic() > end and not all(up_since(seen) <= end for seen in looks.values()):
                standing = ", ".join(f"{name} is {seen[-1][1].said}" for name, seen in looks.items())
                raise UpdateFailed(
                    f"not up within {within_s:g} s: {standing}", hint=f"journalctl -u {self._names[0]}"
                )
            time.sleep(LOOK_EVERY_S)


_SHOWN: Final = "ActiveState,SubState,MainPID"


def look(shown: str) -> Look:
    """What ``systemctl show`` said about a unit."""
    said = dict(line.split("=", 1) for line in shown.splitlines() if "=" in line)
    state = f"{said.get('ActiveState', 'unknown')} ({said.get('SubState', '')})"
    process = said.get("MainPID", "0")
    return Look(state == "active (running)", int(process) if process.isdigit() else 0, state)


def _systemctl(*arguments: str, check: bool = True) -> str:
    try:
        done = subprocess.run(
            ["systemctl", *arguments],  # noqa: S607 - where a distribution puts it
            capture_output=True,
            text=True,
            timeout=COMMAND_WITHIN_S,
            check=False,
        )
    except (OSError, subprocess.TimeoutExpired) as error:
        raise UpdateFailed(f"systemctl {arguments[0]}: {error}") from error
    if check and done.returncode:
        raise UpdateFailed(f"systemctl {arguments[0]}: {done.stderr.strip()}")
    return done.stdout
