"""A PostgreSQL of one's own, from Debian's binaries: for tests, drills and benchmarks, also from a plain script.

    from tests.postgres import private_postgres

    with private_postgres() as server:
        server.url          # postgresql://fogline:…@127.0.0.1:PORT/fogline
        server.database()   # a further, empty database on it: its URL
        server.kill()       # SIGKILL to every process of it, as a power cut would; then .start()
            server.restart()    # in good order: connections are ended
        server.stop()

It lies in a new folder under /tmp (or in ``folder``, which another user must then be able to reach), listens on a
free loopback port and on a socket in its folder, and is gone afterwards. PostgreSQL refuses to run as root: it is
then run as the user ``postgres``, or ``nobody``. With ``durable=True`` it syncs as it does by default; without, a test
may not cut its power. Raises :class:`PostgresAbsent` if the binaries are not installed.
"""

import os
import pwd
import shutil
import signal
import socket
import subprocess
import tempfile
import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from itertools import count
from pathlib import Path
from typing import Any, Final

import psycopg

USER: Final = "fogline"
PASSWORD: Final = "not/a:secret@all"
ESCAPED: Final = "not%2Fa%3Asecret%40all"
HANG_SECONDS: Final = 90.0
QUICK: Final = {"fsync": "off", "full_page_writes": "off"}
USUAL: Final = {
    "listen_addresses": "127.0.0.1",
    "max_connections": "60",
    "shared_buffers": "64MB",
    "log_min_messages": "fatal",
    "jit": "off",
}


class PostgresAbsent(Exception):
    """PostgreSQL's server is not installed."""


def binaries() -> Path:
    """The folder of the newest PostgreSQL's programs."""
    found = sorted(Path("/usr/lib/postgresql").glob("*/bin/initdb"), key=lambda path: int(path.parts[-3]))
    if found:
        return found[-1].parent
    there = shutil.which("initdb")
    if there is None:
        raise PostgresAbsent("needs PostgreSQL's server (Debian: postgresql), which is not installed")
    return Path(there).resolve().parent


@dataclass(slots=True)
class PostgresServer:
    """One cluster and its server process."""

    folder: Path
    bin: Path
    settings: Mapping[str, str]
    port: int = 0
    _process: subprocess.Popen[bytes] | None = None
    _names: Iterator[int] = field(default_factory=lambda: count(1))

    @property
    def url(self) -> str:
        """The database that is there from the beginning."""
        return self.url_of(USER)

    @property
    def data(self) -> Path:
        """The cluster's files."""
        return self.folder / "data"

    @property
    def pid(self) -> int:
        """The postmaster's process id."""
        assert self._process is not None
        return self._process.pid

    def url_of(self, database: str, *, port: int | None = None) -> str:
        """A database's URL; ``port`` of a relay in front of it."""
        return f"postgresql://{USER}:{ESCAPED}@127.0.0.1:{port or self.port}/{database}"

    def database(self, template: str = "template1") -> str:
        """Make a database and return its URL."""
        name = f"db{next(self._names)}"
        self.sql(f'CREATE DATABASE "{name}" TEMPLATE "{template}"', database="postgres")
        return self.url_of(name)

    def sql(self, statement: str, *, database: str = USER) -> list[tuple[Any, ...]]:
        """Run one statement as the owner of everything, outside of a transaction."""
        with psycopg.connect(self.url_of(database), autocommit=True) as connection:
            cursor = connection.execute(statement.encode())
            return cursor.fetchall() if cursor.description else []

    def start(self) -> None:
        """Start the server, and return when it takes connections; on the same port as before."""
        chosen = self.port
        for _ in range(5):
            self.port = self.port or _free_port()
            options = [f"-c{name}={value}" for name, value in self.settings.items()]
            self._process = self._run(
                self.bin / "postgres", "-D", self.data, f"-p{self.port}", f"-k{self.folder}", *options
            )
            if self._came_up():
                return
            # Somebody else has taken the port meanwhile; whoever knows the port of a former start must find it again.
            self.port = chosen
        said = (self.folder / "log").read_text(errors="replace")[-2000:]
        raise RuntimeError(f"PostgreSQL does not start:\n{said}")

    def stop(self, how: signal.Signals = signal.SIGINT) -> None:
        """End it; SIGINT is PostgreSQL's fast shutdown, which ends connections."""
        process, self._process = self._process, None
        if process is None:
            return
        process.send_signal(how)
        process.wait(HANG_SECONDS)

    def kill(self) -> None:
        """SIGKILL to the postmaster and all its children, as if the machine had died."""
        process, self._process = self._process, None
        if process is None:
            return
        # Stopped first: a child that it makes while the others are killed would keep the shared memory from the next.
        process.send_signal(signal.SIGSTOP)
        children = _children(process.pid)
        for pid in (process.pid, *children):
            with suppress(ProcessLookupError):
                os.kill(pid, signal.SIGKILL)
        process.wait(HANG_SECONDS)
        for pid in children:
            _gone(pid)
        (self.data / "postmaster.pid").unlink(missing_ok=True)

    def restart(self) -> None:
        """Stop in good order and start again, on the same port."""
        self.stop()
        self.start()

    def initialise(self) -> None:
        """Make the cluster's files."""
        secret = self.folder / "password"
        secret.write_text(PASSWORD)
        self._own(secret)
        flags = ("-U", USER, f"--pwfile={secret}", "--auth=scram-sha-256", "--no-sync", "--encoding=UTF8")
        made = self._run(self.bin / "initdb", "-D", self.data, "--locale=C", *flags)
        if made.wait(HANG_SECONDS):
            raise RuntimeError((self.folder / "log").read_text(errors="replace")[-2000:])

    def standby(self) -> "PostgresServer":
        """A further server that follows this one; the caller promotes (``SELECT pg_promote()``) and stops it."""
        folder = Path(tempfile.mkdtemp(prefix="standby-", dir=self.folder))
        follower = PostgresServer(folder=folder, bin=self.bin, settings=self.settings)
        self._own(folder)
        source = f"host=127.0.0.1 port={self.port} user={USER} password={PASSWORD}"
        flags = ("-D", follower.data, "-R", "-d", source, "--no-sync", "--checkpoint=fast")
        copied = follower._run(self.bin / "pg_basebackup", *flags)
        if copied.wait(HANG_SECONDS):
            raise RuntimeError((folder / "log").read_text(errors="replace")[-2000:])
        follower.start()
        return follower

    def _came_up(self) -> bool:
        assert self._process is not None
        until = time.monotonic() + HANG_SECONDS
        while time.monotonic() < until and self._process.poll() is None:
            try:
                psycopg.connect(self.url_of("postgres"), connect_timeout=5).close()
            except psycopg.OperationalError:
                time.sleep(0.05)
            else:
                return True
        return False

    def _run(self, *arguments: object) -> subprocess.Popen[bytes]:
        # Not Popen's `user=`: with it Python forks where it else has vfork, and gRPC's threads do not survive a fork.
        user = _unprivileged()
        command = [*(() if user is None else ("setpriv", f"--reuid={user}")), *map(str, arguments)]
        with (self.folder / "log").open("ab") as log:
            return subprocess.Popen(
                command,
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=log,
                cwd=self.folder,
                start_new_session=True,
            )

    def _own(self, path: Path) -> None:
        user = _unprivileged()
        if user is not None:
            shutil.chown(path, user)


@contextmanager
def private_postgres(
    folder: Path | None = None, *, durable: bool = False, settings: Mapping[str, str] | None = None
) -> Iterator[PostgresServer]:
    """A new cluster with a running server and an empty database; stopped and removed at the end."""
    programs = binaries()
    if folder is not None:
        folder.mkdir(parents=True, exist_ok=True)
    place = Path(tempfile.mkdtemp(prefix="pg-", dir=folder))
    chosen = USUAL | ({} if durable else QUICK) | dict(settings or {})
    server = PostgresServer(folder=place, bin=programs, settings=chosen)
    server._own(place)
    try:
        server.initialise()
        server.start()
        server.sql(f"CREATE DATABASE {USER}", database="postgres")
        yield server
    finally:
        server.stop(signal.SIGQUIT)
        shutil.rmtree(place, ignore_errors=True)


def _unprivileged() -> str | None:
    if os.geteuid():
        return None
    names = {entry.pw_name for entry in pwd.getpwall()}
    return "postgres" if "postgres" in names else "nobody"


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def _children(pid: int) -> Sequence[int]:
    return [int(child) for child in Path(f"/proc/{pid}/task/{pid}/children").read_text().split()]


def _gone(pid: int) -> None:
    """Wait until an orphan has ended; whoever inherits it may take its time to collect it."""
    until = time.monotonic() + HANG_SECONDS
    while time.monotonic() < until:
        try:
            state = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0]
        except (FileNotFoundError, ProcessLookupError):
            return
        if state == "Z":
            return
        time.sleep(0.01)
