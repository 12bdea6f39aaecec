"""The one folder of an ``up``: data, settings, logs, and what runs where."""

import fcntl
import json
import os
import secrets
import time
from collections.abc import Mapping
from contextlib import suppress
from pathlib import Path
from typing import Any, Final

from fogline.client.find import ENDPOINTS_FILE
from fogline.model.errors import FogError

_LOG_BYTES: Final = 8 * 1024 * 1024
_GONE_WITHIN: Final = 15.0
"""How long the processes of a supervisor that was killed may take to vanish, seconds."""


class Folder:
    """Paths of one ``up``, and what is kept there between runs."""

    def __init__(self, path: Path) -> None:
        self.path: Final = path.absolute()

    def make(self) -> None:
        """Make the folder. Raises :class:`FogError` if that is not possible."""
        try:
            for path in (self.path, self.path / "logs", self.path / "settings"):
                path.mkdir(parents=True, exist_ok=True)
        except OSError as error:
            why = f"{self.path} cannot be used: {error.strerror}"
            raise FogError(why, hint="name another with --dir") from None

    def data(self, name: str) -> Path:
        """Name the folder in which a tier keeps its data."""
        return self.path / name

    def nodes_before(self) -> int:
        """Count the nodes that former runs had: their journals may still hold something."""
        numbers = (d.name.removeprefix("node-") for d in self.path.glob("node-*") if d.is_dir())
        return max((int(n) for n in numbers if n.isdecimal()), default=0)

    def write_settings(self, name: str, text: str) -> Path:
        """Write a tier's settings file, which nobody else can read: it may have a database's password."""
        return self.write_secret(f"{name}.toml", text)

    def write_secret(self, name: str, text: str) -> Path:
        """Write a file beside the settings that only this user can read."""
        path = self.path / "settings" / name
        _replace(path, text, mode=0o600)
        return path

    def installation(self) -> str:
        """Name what runs in this folder, the same in every run: 8 random letters and digits."""
        path = self.path / "installation"
        with suppress(OSError):
            if name := path.read_text(encoding="ascii").strip():
                return name
        name = secrets.token_hex(4)
        _replace(path, name)
        return name

    def open_log(self, name: str) -> int:
        """Open a tier's log for appending and return the descriptor; a big one is kept once as ``.1``."""
        path = self.path / "logs" / f"{name}.log"
        if path.exists() and path.stat().st_size > _LOG_BYTES:
            path.replace(path.with_suffix(".log.1"))
        return os.open(path, os.O_WRONLY | os.O_CREAT | os.O_APPEND | os.O_CLOEXEC, 0o644)

    def log_tail(self, name: str, lines: int = 8) -> list[str]:
        """Read the last lines of a tier's log."""
        try:
            with (self.path / "logs" / f"{name}.log").open("rb") as log:
                log.seek(max(0, log.seek(0, os.SEEK_END) - 65536))
                return [
                    readable(line) for line in log.read().decode("utf-8", "replace").splitlines()[-lines:]
                ]
        except OSError:
            return []

    def ports_before(self) -> dict[str, int]:
        """Read the ports of the former run, by name."""
        try:
            content = json.loads((self.path / "ports.json").read_bytes())
            return {str(name): int(port) for name, port in content.items()}
        except (OSError, ValueError, AttributeError, TypeError):
            return {}  # the usual ones are tried then

    def write_ports(self, ports: Mapping[str, int]) -> None:
        """Keep the ports for the next run."""
        _replace(self.path / "ports.json", json.dumps({**self.ports_before(), **ports}))

    def check_store(self, url: str) -> None:
        """Keep where the results are, without user and password, for the next run.

        Raises :class:`FogError` if they were elsewhere before and nothing is named now: a new, empty store is not
        what anybody wants then.
        """
        path, place = self.path / "store", _place(url)
        before = path.read_text(encoding="utf-8") if path.exists() else ""
        if before and not place:
            raise FogError(
                f"the results of {self.path} are in {before}",
                hint="name that store with --store or FOGLINE_CLOUD_STORE, or another folder with --dir",
            )
        if place != before:
            _replace(path, place)

    def write_endpoints(self, endpoints: Mapping[str, Any]) -> None:
        """Say what runs where; a reader sees the old or the new content, never a mixture."""
        _replace(self.path / ENDPOINTS_FILE, json.dumps(endpoints))

    def remove_endpoints(self) -> None:
        """Nothing runs any more."""
        (self.path / ENDPOINTS_FILE).unlink(missing_ok=True)


class Lock:
    """The right to run in a folder. Its descriptor goes to every child.

    So it is free again only when the supervisor *and* all its children have ended, also if the supervisor was
    killed: two cloud processes never share a store by accident.
    """

    def __init__(self, folder: Folder) -> None:
        self._path: Final = folder.path / "up.lock"
        self._folder: Final = folder
        self.descriptor: Final = os.open(self._path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o644)

    def take(self) -> None:
        """Take the lock. Raises :class:`FogError` naming the ``up`` that has it."""
        give_up = time.monotonic() + _GONE_WITHIN
        while not self._try():
            holder = self._path.read_text(encoding="ascii").strip()
            if _lives(holder) or time.monotonic() > give_up:
                raise FogError(
                    f"`fogline up` runs in {self._folder.path} already (process {holder or 'unknown'})",
                    hint=f"`fogline status --dir {self._folder.path}` shows it, `kill {holder}` stops it; "
                    "or name another folder with --dir",
                )
            time.sleep(0.05)
        os.ftruncate(self.descriptor, 0)
        os.pwrite(self.descriptor, str(os.getpid()).encode("ascii"), 0)

    def _try(self) -> bool:
        try:
            fcntl.flock(self.descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            return False
        return True


def _place(url: str) -> str:
    """A store's URL without user and password."""
    scheme, _, rest = url.partition("://")
    return f"{scheme}://{rest.rpartition('@')[2].partition('?')[0]}" if url else ""


def readable(line: str) -> str:
    """Say a log line shortly: of a structured one what happened, why, and the error without its traceback."""
    try:
        entry = json.loads(line)
        said = [str(entry["event"]), str(entry.get("reason", ""))]
        said += str(entry.get("exception", "")).strip(" |+-\n").splitlines()[-1:]
    except (ValueError, KeyError, TypeError, AttributeError):
        said = [line]
    return ": ".join(part.strip(" |+-") for part in said if part.strip(" |+-"))[:300]


def _lives(pid: str) -> bool:
    return pid.isdecimal() and Path("/proc", pid).exists()


def _replace(path: Path, text: str, *, mode: int = 0o644) -> None:
    fresh = path.with_suffix(path.suffix + ".new")
    fresh.unlink(missing_ok=True)
    descriptor = os.open(fresh, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC, mode)
    with os.fdopen(descriptor, "w", encoding="utf-8") as file:
        file.write(text)
    fresh.replace(path)
