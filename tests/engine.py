"""A real Docker Engine for tests: the one that runs on this machine, which ``.ci/engine`` starts where none does.

    def test_something(docker_engine: DockerEngine) -> None: ...

The fixture is in ``tests/conftest.py``. It skips, saying why, where no Engine answers; ``FOGLINE_FORBID_SKIPS`` makes
that a failure. A test removes what it makes, and touches nothing that it did not make.
"""

import ctypes
import os
import shutil
import signal
import socket
import subprocess
import tempfile
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from http import HTTPStatus
from pathlib import Path
from typing import Any

from fog_node.runtimes.docker.networks import bridge_of, closing_rule
from tests.images import ImageFile

HANG_S = 90.0
URL = "unix:///var/run/docker.sock"


class EngineAbsent(Exception):
    """No Docker Engine answers."""


@dataclass(frozen=True)
class DockerEngine:
    """A client of the Engine, for a test to look at and to break what a node did."""

    url: str
    client: Any
    """Of the Docker SDK."""

    def load(self, image: ImageFile) -> str:
        """Have an image, as loaded by hand; a reference to run it by."""
        if image.id not in {seen["Id"] for seen in self.client.images()}:
            for said in self.client.load_image(image.archive):
                assert "error" not in said, said
        return f"fogline-test@{image.id}"

    def containers(self, label: str) -> list[dict[str, Any]]:
        """Containers with a label, whatever they do."""
        found: list[dict[str, Any]] = self.client.containers(all=True, filters={"label": label})
        return found

    def inspect(self, container: str) -> dict[str, Any]:
        """All that the Engine knows about one."""
        seen: dict[str, Any] = self.client.inspect_container(container)
        return seen

    def remove_all(self, label: str) -> None:
        """Remove containers with a label; one that a node is still removing is waited for."""
        from docker.errors import APIError, NotFound  # noqa: PLC0415 - a machine without it skips

        for seen in self.containers(label):
            try:
                self.client.remove_container(seen["Id"], force=True, v=True)
            except NotFound:
                continue
            except APIError as error:
                if error.status_code != HTTPStatus.CONFLICT:
                    raise
                with suppress(NotFound):
                    self.client.wait(seen["Id"], timeout=60, condition="removed")

    def remove_images(self, prefix: str) -> None:
        """Remove images that were pulled under names with this beginning."""
        for seen in self.client.images():
            if any(name.startswith(prefix) for name in seen.get("RepoDigests") or ()):
                self.client.remove_image(seen["Id"], force=True)

    def remove_network(self, name: str) -> None:
        """Remove a network that a node made, with the rules at its bridge."""
        if self.client.networks(names=[name]):
            self.client.remove_network(name)
            for program in ("iptables", "ip6tables"):
                subprocess.run([program, "-D", "INPUT", *closing_rule(bridge_of(name))], check=False)

    def run(self, image: ImageFile, command: Sequence[str]) -> str:
        """Run a plain container of nobody's to its end; what it wrote."""
        self.load(image)
        made = self.client.create_container(image.id, list(command))
        try:
            self.client.start(made)
            self.client.wait(made)
            return str(self.client.logs(made).decode())
        finally:
            self.client.remove_container(made, force=True)


@contextmanager
def running_engine(url: str = URL) -> Iterator[DockerEngine]:
    """The Engine of this machine. Raises :class:`EngineAbsent`."""
    try:
        from docker import APIClient  # noqa: PLC0415 - a machine without it skips
        from docker.errors import DockerException  # noqa: PLC0415
    except ImportError as error:
        raise EngineAbsent(f"needs the Docker SDK: {error}") from error
    if not Path(url.removeprefix("unix://")).is_socket():
        raise EngineAbsent(f"needs a Docker Engine at {url} (.ci/engine starts one)")
    try:
        client = APIClient(base_url=url, version="auto", timeout=60)
    except DockerException as error:
        raise EngineAbsent(f"needs a Docker Engine at {url} (.ci/engine starts one): {error}") from error
    try:
        yield DockerEngine(url, client)
    finally:
        client.close()


class PrivateEngine:
    """An Engine of one's own in a network namespace of its own: to be stopped and frozen."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self._process: subprocess.Popen[bytes] | None = None

    @property
    def url(self) -> str:
        """Where it listens."""
        return f"unix://{self.folder}/docker.sock"

    def start(self, *more: str) -> None:
        """Start it, and return when it answers; ``more`` are further flags of it."""
        flags = {"data-root": "data", "exec-root": "exec", "pidfile": "pid"}
        with (self.folder / "log").open("ab") as log:
            self._process = subprocess.Popen(
                # A second Engine in the same network namespace would take the first one's bridge away.
                ["unshare", "--net", "dockerd", "--host", self.url, "--bridge=none", "--iptables=false"]
                + [f"--{flag}={self.folder / name}" for flag, name in flags.items()]
                + list(more),
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=log,
                start_new_session=True,
            )
        until = time.monotonic() + HANG_S
        while not self._answers():
            if time.monotonic() > until or self._process.poll() is not None:
                said = (self.folder / "log").read_text(errors="replace")[-2000:]
                raise RuntimeError(f"the Docker Engine does not start:\n{said}")
            time.sleep(0.1)

    def listening_inside(self) -> socket.socket:
        """A socket that listens on loopback where the Engine is: for what it shall reach."""
        assert self._process is not None
        inside = f"/proc/{self._process.pid}/ns/net"
        subprocess.run(["nsenter", f"--net={inside}", "ip", "link", "set", "lo", "up"], check=True)
        with Path("/proc/thread-self/ns/net").open() as here, Path(inside).open() as there:
            _enter_network(there.fileno())
            try:
                return socket.create_server(("127.0.0.1", 0))
            finally:
                _enter_network(here.fileno())

    def signal(self, what: signal.Signals) -> None:
        """To the Engine alone."""
        assert self._process is not None
        self._process.send_signal(what)

    def kill(self) -> None:
        """Kill -9; containerd dies with it, containers go on."""
        assert self._process is not None
        self._process.kill()
        self._process.wait(HANG_S)
        # containerd dies with the Engine. Where nobody reaps orphans, the next Engine would take it for alive.
        (self.folder / "exec" / "containerd" / "containerd.pid").unlink(missing_ok=True)

    def stop(self) -> None:
        """End it in good order, with its containers."""
        process, self._process = self._process, None
        if process is not None:
            process.send_signal(signal.SIGCONT)
            process.terminate()
            process.wait(HANG_S)

    def _answers(self) -> bool:
        with socket.socket(socket.AF_UNIX) as probe:
            probe.settimeout(HANG_S)
            try:
                probe.connect(str(self.folder / "docker.sock"))
                probe.sendall(b"GET /_ping HTTP/1.0\r\nHost: engine\r\n\r\n")
                return b" 200 " in probe.recv(64)
            except OSError:
                return False


def _enter_network(namespace: int) -> None:
    """Python itself can do this from 3.12 on. A socket stays in the namespace that it was made in."""
    libc = ctypes.CDLL(None, use_errno=True)
    if libc.setns(namespace, 0):
        raise OSError(ctypes.get_errno(), "cannot enter a network namespace")


@contextmanager
def private_engine(disk_mib: int = 0) -> Iterator[PrivateEngine]:
    """A running Engine of one's own; gone at the end with all it had. Raises :class:`EngineAbsent`.

    ``disk_mib``: the size of a disk of its own, in memory; 0: on the machine's.
    """
    if shutil.which("dockerd") is None or os.geteuid() != 0:
        raise EngineAbsent("needs dockerd (Debian: docker.io) and root")
    # Paths of sockets in it must stay short.
    folder = Path(tempfile.mkdtemp(prefix="engine-"))
    engine = PrivateEngine(folder)
    try:
        if disk_mib:
            size = f"size={disk_mib}m,mode=0755"
            subprocess.run(["mount", "-t", "tmpfs", "-o", size, "tmpfs", str(folder)], check=True)
        engine.start()
        yield engine
    finally:
        engine.stop()
        for left in _left(folder):
            with suppress(ProcessLookupError):
                os.kill(left, signal.SIGKILL)
        for mount in reversed(_mounts(folder)):
            subprocess.run(["umount", "--lazy", mount], check=False)
        shutil.rmtree(folder, ignore_errors=True)


def _left(folder: Path) -> Iterator[int]:
    """What a killed Engine that did not come back has left running: shims, which end with their containers."""
    for process in Path("/proc").glob("[0-9]*"):
        with suppress(OSError):
            if f"{folder}/".encode() in (process / "cmdline").read_bytes():
                yield int(process.name)


def _mounts(folder: Path) -> list[str]:
    mounts = (line.split()[1] for line in Path("/proc/mounts").read_text().splitlines())
    return [mount for mount in mounts if f"{mount}/".startswith(f"{folder}/")]
