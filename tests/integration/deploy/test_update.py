"""Updates of real virtual environments, with wheels that work and that do not; the test is the service manager."""

import os
import shutil
import signal
import socket
import subprocess
import sys
import sysconfig
from collections.abc import Callable, Iterator
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

import pytest

from fogline.cli.update.environments import Environments, Release, UpdateFailed
from fogline.cli.update.run import Update
from fogline.cli.update.steps import Step
from tests.wheels import ROOT, make_wheel

pytestmark = pytest.mark.timeout(600)
WITHIN_S = 100.0
TRIAL = ROOT / "deploy" / "systemd" / "fogline-trial"
BROKEN = {
    "fog_node/node.py": "async def run_node(*_, **__):\n    raise OSError('this release does not start')\n"
}
UNREADABLE = {"fog_node/settings.py": "this is no Python\n"}


OPTIONS = {"PIP_NO_DEPS": "1", "PIP_NO_INDEX": "1", "PIP_NO_COMPILE": "1"}
"""What wheels need is taken from here: nothing is asked for, and little is installed."""


@pytest.fixture
def environment(monkeypatch: pytest.MonkeyPatch) -> None:
    for name, value in OPTIONS.items():
        monkeypatch.setenv(name, value)
    monkeypatch.setenv("PYTHONPATH", sysconfig.get_path("purelib"))


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Environments that were installed as updates install them, each once: a venv takes seconds."""
    folder = tmp_path_factory.mktemp("made")
    (folder / "current").symlink_to("b")
    wheels = {
        "good": make_wheel(folder / "good", "1.1"),
        "broken": make_wheel(folder / "broken", "1.1", BROKEN),
        "unreadable": make_wheel(folder / "unreadable", "1.1", UNREADABLE),
        "former": make_wheel(folder / "former", "1.0"),
    }
    with pytest.MonkeyPatch.context() as patch:
        for name, value in OPTIONS.items():
            patch.setenv(name, value)
        for kind, wheel in wheels.items():
            Environments(folder).install("a", Release(wheel=wheel))
            (folder / "a").rename(folder / kind / "environment")
    return folder


@dataclass(frozen=True, slots=True)
class Copied(Environments):
    """Installs by copying what was installed before; the wheel's folder says what."""

    def install(self, name: str, release: Release) -> None:
        assert release.wheel is not None
        shutil.rmtree(self.folder / name, ignore_errors=True)
        shutil.copytree(release.wheel.parent / "environment", self.folder / name, symlinks=True)
        program = self.folder / name / "bin" / "fogline"
        lines = program.read_text().splitlines(keepends=True)
        program.write_text("".join([f"#!{self.folder / name}/bin/python\n", *lines[1:]]))


@pytest.fixture
def environments(made: Path, environment: None, tmp_path: Path) -> Environments:
    """An installation as deploy/install.sh leaves it."""
    folder = tmp_path / "fogline"
    folder.mkdir()
    copied = Copied(folder)
    copied.install("a", Release(wheel=next((made / "former").glob("*.whl"))))
    (folder / "current").symlink_to("a")
    return copied


@pytest.fixture
def wheel(made: Path) -> Callable[[str], Path]:
    return lambda kind: next((made / kind).glob("*.whl"))


class Manager:
    """Runs `current` as a service manager does: notes who is ready, and starts again what ends."""

    def __init__(self, environments: Environments, folder: Path) -> None:
        self._environments = environments
        self._folder = folder
        self._process: subprocess.Popen[bytes] | None = None
        self.socket = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
        self.socket.bind(str(folder / "notify"))
        self.socket.settimeout(0.2)

    def restart(self) -> None:
        self.stop()
        with suppress(TimeoutError):
            while self.socket.recv(1000):  # of the one before
                pass
        program = self._environments.folder / "current" / "bin" / "fogline"
        settings = ["--name", "n", "--parents", "127.0.0.1:1", "--plaintext", "--listener-port", "0"]
        self._process = subprocess.Popen(
            [program, "node", "--folder", self._folder / "data", *settings],
            env={**os.environ, "NOTIFY_SOCKET": self.socket.getsockname()},
            stderr=subprocess.DEVNULL,
            cwd="/",
        )

    def watch(self, within_s: float) -> None:
        assert self._process is not None
        while self._process.poll() is None:
            try:
                if b"READY=1" in self.socket.recv(1000):
                    return
            except TimeoutError:
                pass
        raise UpdateFailed(f"exit code {self._process.returncode}")

    def start_as_systemd_does(self) -> bool:
        """One start, with what the unit does before and after it; whether the tier was ready."""
        subprocess.run([TRIAL, self._environments.folder], check=True)
        self.restart()
        try:
            self.watch(WITHIN_S)
        except UpdateFailed:
            return False
        subprocess.run([TRIAL, self._environments.folder, "up"], check=True)
        return True

    def stop(self) -> None:
        if self._process is not None:
            self._process.terminate()
            self._process.wait(WITHIN_S)
            self._process = None


@pytest.fixture
def manager(environments: Environments, tmp_path: Path) -> Iterator[Manager]:
    made = Manager(environments, tmp_path)
    yield made
    made.stop()
    made.socket.close()


def version_of(environments: Environments) -> str:
    program = environments.folder / "current" / "bin" / "fogline"
    return subprocess.run(
        [program, "--version"], capture_output=True, text=True, check=True, cwd="/"
    ).stdout.strip()


def update(environments: Environments, wheel: Path, manager: Manager) -> list[Step]:
    steps: list[Step] = []
    Update(environments=environments, release=Release(wheel=wheel), units=manager, within_s=WITHIN_S).run(
        steps.append
    )
    return steps


def test_a_release_that_works_takes_over(
    environments: Environments, manager: Manager, tmp_path: Path
) -> None:
    environments = Environments(environments.folder)
    manager.restart()
    assert version_of(environments) == "fogline 1.0"
    steps = update(environments, make_wheel(tmp_path, "1.1"), manager)
    assert steps[-1] is Step.DONE
    assert version_of(environments) == "fogline 1.1"
    assert environments.current == "b"
    assert not (environments.folder / "trial").exists()


def test_a_release_that_does_not_start_goes_and_the_former_runs_again(
    environments: Environments, manager: Manager, wheel: Callable[[str], Path]
) -> None:
    manager.restart()
    with pytest.raises(UpdateFailed, match="watch it: exit code"):
        update(environments, wheel("broken"), manager)
    assert version_of(environments) == "fogline 1.0"
    manager.watch(WITHIN_S)
    assert not (environments.folder / "trial").exists()


def test_a_release_that_cannot_be_read_is_never_switched_to(
    environments: Environments, manager: Manager, wheel: Callable[[str], Path]
) -> None:
    manager.restart()
    manager.watch(WITHIN_S)
    running = manager._process
    with pytest.raises(UpdateFailed, match=r"try it: .* exit code 1: .*SyntaxError"):
        update(environments, wheel("unreadable"), manager)
    assert manager._process is running
    assert version_of(environments) == "fogline 1.0"


def test_what_is_no_wheel_is_refused_with_the_words_of_pip(
    environments: Environments, manager: Manager, tmp_path: Path
) -> None:
    wheel = tmp_path / "fogline-1.1-py3-none-any.whl"
    wheel.write_bytes(b"nonsense")
    with pytest.raises(UpdateFailed, match=r"install beside what runs: .*exit code 1: .*invalid"):
        update(Environments(environments.folder), wheel, manager)
    assert version_of(environments) == "fogline 1.0"


KILLED = """
import os, signal, sys
from pathlib import Path
from fogline.cli.update.environments import Release
from fogline.cli.update.run import Update
from fogline.cli.update.steps import Step
from tests.integration.deploy.test_update import Copied

at = Step[sys.argv[3]]

class Nothing:
    def restart(self): pass
    def watch(self, within_s): pass

def told(step):
    if step is at:
        os.kill(os.getpid(), signal.SIGKILL)

Update(
    environments=Copied(Path(sys.argv[1])), release=Release(wheel=Path(sys.argv[2])), units=Nothing(), within_s=1.0
).run(told)
"""


@pytest.mark.parametrize("at", [Step.INSTALL, Step.SWITCH, Step.RESTART, Step.KEEP])
def test_whoever_kills_an_update_finds_a_release_that_runs(
    at: Step, environments: Environments, manager: Manager, wheel: Callable[[str], Path]
) -> None:
    killed = subprocess.run(
        [sys.executable, "-c", KILLED, environments.folder, wheel("broken"), at.name],
        env={**os.environ, "PYTHONPATH": f"{ROOT}:{os.environ['PYTHONPATH']}"},
        check=False,
    )
    assert killed.returncode == -signal.SIGKILL
    assert any(manager.start_as_systemd_does() for _ in range(4))
    assert version_of(environments) == "fogline 1.0"


def test_a_release_that_was_ready_stays_although_its_updater_died(
    environments: Environments, manager: Manager, wheel: Callable[[str], Path]
) -> None:
    environments.install("b", Release(wheel=wheel("good")))
    environments.switch("b", trial=True)
    assert all(manager.start_as_systemd_does() for _ in range(2))
    assert version_of(environments) == "fogline 1.1"


def test_two_updates_at_once_are_one_too_many(
    environments: Environments, manager: Manager, wheel: Callable[[str], Path]
) -> None:
    inner: list[str] = []

    def told(step: Step) -> None:
        if step is Step.INSTALL:
            with pytest.raises(UpdateFailed, match="another update") as refused:
                update(environments, wheel("good"), manager)
            inner.append(str(refused.value))

    Update(environments=environments, release=Release(wheel=wheel("good")), units=None, within_s=1.0).run(
        told
    )
    assert inner
