"""One tier as a process: started, watched, stopped."""

import asyncio
import os
import signal
import subprocess
import sys
import time
from collections.abc import Mapping
from pathlib import Path
from typing import Final

from fogline.cli.up.folder import Folder, Lock

_TIED: Final = str(Path(__file__).with_name("tied.py"))
# Each saves memory that a small process never needs: malloc arenas per thread, and a BLAS thread pool.
_SMALL: Final = {"MALLOC_ARENA_MAX": "2", "OPENBLAS_NUM_THREADS": "1"}


class Child:
    """A tier's process, which may be started again after it ended."""

    def __init__(
        self,
        *,
        name: str,
        module: str,
        settings: Path,
        folder: Folder,
        lock: Lock,
        secrets: Mapping[str, str] | None = None,
    ) -> None:
        """``secrets`` go into the environment of this process alone: a command line is read by everybody."""
        self._secrets: Final = dict(secrets or {})
        self.name: Final = name
        self.module: Final = module
        self._command: Final = [sys.executable, "-m", module, "--settings", str(settings)]
        self._folder: Final = folder
        self._lock: Final = lock
        self._process: subprocess.Popen[bytes] | None = None
        self._started = 0.0

    @property
    def pid(self) -> int | None:
        """Its process, while it runs."""
        return self._process.pid if self._process is not None and self._process.returncode is None else None

    @property
    def lived(self) -> float:
        """Seconds since its latest start."""
        return time.monotonic() - self._started

    def start(self) -> None:
        """Start the process. It ends when this one does, and Ctrl-C in a terminal reaches only this one."""
        log = self._folder.open_log(self.name)
        try:
            self._process = subprocess.Popen(
                [sys.executable, "-I", "-S", _TIED, str(os.getpid()), *self._command],
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=log,
                env={**_SMALL, **os.environ, **self._secrets},
                pass_fds=(self._lock.descriptor,),
                process_group=0,
            )
        finally:
            os.close(log)
        self._started = time.monotonic()

    async def ended(self) -> int:
        """Wait until the process has ended and return its code; negative: the signal that killed it."""
        process = self._process
        assert process is not None
        descriptor = os.pidfd_open(process.pid)
        loop = asyncio.get_running_loop()
        gone = asyncio.Event()
        loop.add_reader(descriptor, gone.set)
        try:
            await gone.wait()
        finally:
            loop.remove_reader(descriptor)
            os.close(descriptor)
        return process.wait()

    def signal(self, number: signal.Signals) -> None:
        """Send a signal, if it still runs."""
        if self._process is not None and self._process.poll() is None:
            self._process.send_signal(number)


def describe_end(code: int) -> str:
    """Say in words how a process ended."""
    if code >= 0:
        return f"ended with code {code}"
    try:
        return f"was killed by {signal.Signals(-code).name}"
    except ValueError:
        return f"was killed by signal {-code}"
