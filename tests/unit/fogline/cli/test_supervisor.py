"""The supervisor over stand-ins of the tiers: real processes, nothing of Fogline in them."""

import asyncio
import json
import os
import signal
import sys
from collections import Counter
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

import pytest

from fogline.cli.up.child import Child, describe_end
from fogline.cli.up.folder import Folder, Lock
from fogline.cli.up.ports import metrics_of
from fogline.cli.up.supervisor import Supervisor
from fogline.cli.up.tiers import Tiers
from fogline.model.errors import FogError

WELL = """
import os, signal, sys
from pathlib import Path
signal.signal(signal.SIGTERM, lambda *_: (print("stopping", flush=True), sys.exit(0)))
with open(os.environ["STAND_IN_TELLS"], "w") as pipe:
    pipe.write(Path(sys.argv[2]).stem + "\\n")
while True:
    signal.pause()
"""
BROKEN = "import sys; print('no port for me', file=sys.stderr); sys.exit(2)"
NAMES = ("cloud", "aggregator", "dashboard", "node-1", "node-2")
PORTS = {
    name: port
    for port, name in enumerate(
        (
            *NAMES,
            "rest",
            "cloud-children",
            "cloud-enrol",
            "aggregator-enrol",
            *(metrics_of(name) for name in NAMES),
        ),
        1,
    )
}


class Stage:
    """A folder, stand-ins, what the supervisor said, and which stand-in told that it runs."""

    def __init__(self, path: Path) -> None:
        self.folder = Folder(path / "up")
        self.folder.make()
        self.lock = Lock(self.folder)
        self.lock.take()
        self.said: list[str] = []
        self._starts: Counter[str] = Counter()
        self._told = asyncio.Event()
        os.mkfifo(path / "tells")
        self._pipe = os.open(path / "tells", os.O_RDWR | os.O_NONBLOCK)
        asyncio.get_running_loop().add_reader(self._pipe, self._listen)

    def close(self) -> None:
        asyncio.get_running_loop().remove_reader(self._pipe)
        os.close(self._pipe)
        os.close(self.lock.descriptor)

    def _listen(self) -> None:
        self._starts.update(os.read(self._pipe, 4096).decode().split())
        self._told.set()

    async def until_running(self, name: str, starts: int = 1) -> None:
        async with asyncio.timeout(60):
            while self._starts[name] < starts:
                self._told.clear()
                await self._told.wait()

    def child(self, name: str, module: str = "stand_in_well") -> Child:
        settings = self.folder.write_settings(name, "")
        return Child(name=name, module=module, settings=settings, folder=self.folder, lock=self.lock)

    def tiers(self, **modules: str) -> Tiers:
        return Tiers(
            nodes=(self.child("node-1"), self.child("node-2")),
            aggregator=self.child("aggregator", modules.get("aggregator", "stand_in_well")),
            cloud=self.child("cloud"),
            dashboard=self.child("dashboard"),
            ports=PORTS,
            token=self.folder.path / "token",
            ca=self.folder.path / "ca.pem",
        )

    def log(self, name: str) -> str:
        return (self.folder.path / "logs" / f"{name}.log").read_text()

    def endpoints(self) -> dict[str, dict[str, list[int]]]:
        found: dict[str, dict[str, list[int]]] = json.loads((self.folder.path / "up.json").read_text())
        return found


@pytest.fixture
async def stage(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> AsyncIterator[Stage]:
    (tmp_path / "stand_in_well.py").write_text(WELL)
    (tmp_path / "stand_in_broken.py").write_text(BROKEN)
    monkeypatch.setenv("PYTHONPATH", str(tmp_path))
    monkeypatch.setenv("STAND_IN_TELLS", str(tmp_path / "tells"))
    made = Stage(tmp_path)
    yield made
    made.close()


@asynccontextmanager
async def supervised(stage: Stage, tiers: Tiers) -> AsyncIterator[Supervisor]:
    supervisor = Supervisor(tiers, stage.folder, say=stage.said.append)
    async with asyncio.TaskGroup() as group:
        task = group.create_task(supervisor.run())
        for child in tiers.all:
            await stage.until_running(child.name)
        yield supervisor
        task.cancel()


async def test_what_dies_is_started_again_and_the_new_pid_is_written(stage: Stage) -> None:
    tiers = stage.tiers()
    async with supervised(stage, tiers):
        victim = tiers.nodes[0].pid
        assert victim is not None
        assert stage.endpoints()["pids"]["node"][0] == victim
        os.kill(victim, signal.SIGKILL)
        await stage.until_running("node-1", starts=2)

        assert tiers.nodes[0].pid not in {victim, None}
        assert stage.endpoints()["pids"]["node"][0] == tiers.nodes[0].pid
        assert stage.endpoints()["pids"]["node"][1] == tiers.nodes[1].pid
        assert stage.said[0].startswith("node-1 was killed by SIGKILL after")


async def test_leaving_stops_every_process_in_good_order(stage: Stage) -> None:
    tiers = stage.tiers()
    async with supervised(stage, tiers):
        pass

    assert all(child.pid is None for child in tiers.all)
    assert all("stopping" in stage.log(child.name) for child in tiers.all)
    assert not (stage.folder.path / "up.json").exists()
    assert stage.said == []


async def test_a_tier_that_never_starts_fails_the_start_with_its_last_words(stage: Stage) -> None:
    tiers = stage.tiers(aggregator="stand_in_broken")
    supervisor = Supervisor(tiers, stage.folder, say=stage.said.append)

    with pytest.raises(ExceptionGroup) as failed:
        await supervisor.run()

    assert failed.group_contains(FogError, match="aggregator does not start")
    assert "  aggregator: no port for me" in stage.said
    assert all(child.pid is None for child in tiers.all)


async def test_once_it_was_ready_a_dying_tier_is_started_again_for_ever(stage: Stage) -> None:
    tiers = stage.tiers()
    async with supervised(stage, tiers) as supervisor:
        supervisor.ready()
        for starts in range(2, 8):
            pid = tiers.cloud.pid
            assert pid is not None
            os.kill(pid, signal.SIGKILL)
            await stage.until_running("cloud", starts=starts)

    assert any("it starts again in" in line for line in stage.said)


async def test_children_die_with_a_supervisor_that_is_killed(stage: Stage) -> None:
    # A supervisor reduced to the one start that matters here.
    starter = f"""
import signal
from pathlib import Path
from fogline.cli.up.child import Child
from fogline.cli.up.folder import Folder, Lock
folder = Folder(Path({str(stage.folder.path)!r}))
lock = Lock(folder)
settings = folder.write_settings("cloud", "")
child = Child(name="cloud", module="stand_in_well", settings=settings, folder=folder, lock=lock)
child.start()
print(child.pid, flush=True)
signal.pause()
"""
    path = os.pathsep.join((os.environ["PYTHONPATH"], *sys.path))
    supervisor = await asyncio.create_subprocess_exec(
        sys.executable,
        "-c",
        starter,
        stdout=asyncio.subprocess.PIPE,
        env={**os.environ, "PYTHONPATH": path},
    )
    assert supervisor.stdout is not None
    child = int(await supervisor.stdout.readline())
    await stage.until_running("cloud")
    watch = os.pidfd_open(child)
    gone = asyncio.Event()
    asyncio.get_running_loop().add_reader(watch, gone.set)
    try:
        supervisor.kill()
        await supervisor.wait()
        async with asyncio.timeout(60):
            await gone.wait()
    finally:
        asyncio.get_running_loop().remove_reader(watch)
        os.close(watch)
    assert "stopping" not in stage.log("cloud")


@pytest.mark.parametrize(
    ("code", "words"),
    [
        (0, "ended with code 0"),
        (2, "ended with code 2"),
        (-9, "was killed by SIGKILL"),
        (-64, "was killed by SIGRTMAX"),
    ],
)
def test_how_a_process_ended_is_said_in_words(code: int, words: str) -> None:
    assert describe_end(code) == words
