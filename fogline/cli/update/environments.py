"""The two environments on disk, and the link to the one that runs."""

import os
import shutil
import subprocess
import venv
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from fogline.model.errors import FogError
from fogline.service.files import write_whole

NAMES: Final = ("a", "b")
CURRENT: Final = "current"
TRIAL: Final = "trial"
"""Names the environment to go back to, for as long as the new one has to prove itself."""
STARTS: Final = "trial-starts"
"""Counts the starts of a trial (deploy/systemd/fogline-trial)."""
TIERS: Final = "tiers"
"""Lists what is installed here, one tier a line."""
INSTALL_WITHIN_S: Final = 1800.0
TRY_WITHIN_S: Final = 120.0


class UpdateFailed(FogError):
    """A step of an update did not work; the former release runs, or goes on."""

    code = "update_failed"


@dataclass(frozen=True, slots=True, kw_only=True)
class Release:
    """What shall be installed."""

    wheel: Path | None = None
    version: str = ""
    """Empty, and no wheel: the newest that pip finds."""

    def requirement(self, tiers: tuple[str, ...]) -> str:
        """As pip is told."""
        name = f"fogline[{','.join(tiers)}]"
        if self.wheel is not None:
            return f"{name} @ {self.wheel.absolute().as_uri()}"
        return f"{name}=={self.version}" if self.version else name


@dataclass(frozen=True, slots=True)
class Environments:
    """A folder with ``a``, ``b`` and ``current``."""

    folder: Path

    @property
    def tiers(self) -> tuple[str, ...]:
        """What is installed here."""
        try:
            return tuple((self.folder / TIERS).read_text(encoding="utf-8").split()) or ("node",)
        except OSError:
            return ("node",)

    @property
    def current(self) -> str:
        """The environment that the link leads to. Raises :class:`UpdateFailed` if it leads nowhere."""
        try:
            name = (self.folder / CURRENT).readlink().name
        except OSError as error:
            raise UpdateFailed(
                f"{self.folder / CURRENT} is no link to an environment: {error.strerror}",
                hint="deploy/install.sh makes an installation that can be updated",
            ) from error
        if name not in NAMES:
            raise UpdateFailed(
                f"{self.folder / CURRENT} leads to {name!r}, which is none of {', '.join(NAMES)}"
            )
        return name

    @property
    def other(self) -> str:
        """The one that does not run."""
        return NAMES[1 - NAMES.index(self.current)]

    def install(self, name: str, release: Release) -> None:
        """Make an environment anew, with a release in it. Raises :class:`UpdateFailed` with pip's last words."""
        if name == self.current:
            raise UpdateFailed(f"{name} is what runs")
        made = self.folder / name
        try:
            shutil.rmtree(made, ignore_errors=True)
            venv.create(made, with_pip=True, symlinks=True)
        except (OSError, subprocess.CalledProcessError) as error:
            raise UpdateFailed(f"{made} cannot be made: {error}", hint="is the disk full?") from error
        pip = [str(made / "bin" / "python"), "-m", "pip", "install", "--quiet", "--disable-pip-version-check"]
        if release.wheel is not None:
            # On a machine without an index its dependencies may lie beside it.
            pip += ["--find-links", str(release.wheel.absolute().parent)]
        _run([*pip, release.requirement(self.tiers)], within_s=INSTALL_WITHIN_S)

    def try_(self, name: str) -> None:
        """Start every tier of an environment just far enough to see that it can be read. Raises as above."""
        program = str(self.folder / name / "bin" / "fogline")
        for tier in self.tiers:
            _run([program, tier, "--help"], within_s=TRY_WITHIN_S)

    def switch(self, name: str, *, trial: bool) -> None:
        """Let the link lead to an environment, on disk when this returns; with a note of where it came from."""
        try:
            if trial:
                # pip leaves its files to the kernel, and a link to files that a power cut has emptied is no way back.
                os.sync()
                (self.folder / STARTS).unlink(missing_ok=True)
                write_whole(self.folder / TRIAL, f"{self.current}\n".encode())
            new = self.folder / f"{CURRENT}.new"
            new.unlink(missing_ok=True)
            new.symlink_to(name)
            new.replace(self.folder / CURRENT)
            self._sync()
        except OSError as error:
            raise UpdateFailed(f"the link to {name} cannot be made: {error.strerror}") from error

    def settle(self) -> None:
        """The trial is over, whichever way."""
        for name in (TRIAL, STARTS):
            (self.folder / name).unlink(missing_ok=True)
        self._sync()

    def _sync(self) -> None:
        folder = os.open(self.folder, os.O_RDONLY | os.O_DIRECTORY)
        try:
            os.fsync(folder)
        finally:
            os.close(folder)


def _run(command: list[str], *, within_s: float) -> None:
    try:
        # Not where the caller stands: `python -m` would read modules that lie there.
        done = subprocess.run(
            command, capture_output=True, text=True, errors="replace", timeout=within_s, check=False, cwd="/"
        )
    except subprocess.TimeoutExpired:
        raise UpdateFailed(f"{' '.join(command)}: no end within {within_s:g} s") from None
    except OSError as error:
        raise UpdateFailed(f"{command[0]}: {error.strerror}") from error
    if done.returncode:
        said = (done.stderr or done.stdout).strip().splitlines()[-5:]
        raise UpdateFailed(f"{' '.join(command)}: exit code {done.returncode}: {' | '.join(said)}")
