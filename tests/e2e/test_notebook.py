"""docs/sdk.md typed in, block by block, with what the wheel brings: nothing of this clone is on the path."""

import asyncio
import json
import os
import subprocess
import sys
import sysconfig
import time
import venv
from asyncio.subprocess import DEVNULL, PIPE
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import pytest
from paho.mqtt.client import Client, MQTTv5
from paho.mqtt.enums import CallbackAPIVersion

from tests.unit.docs.blocks import ROOT, blocks

SPEC = next(b.text for b in blocks(ROOT / "docs" / "getting-started.md") if b.language == "yaml")
SESSION = [b for b in blocks(ROOT / "docs" / "sdk.md") if b.language == "python"]
# Each block runs as a cell of one session would; what fails is named by its place in the document.
CELLS = """
import json, sys
names = {"__name__": "__main__"}
for place, text in json.load(sys.stdin):
    print("##", place, flush=True)
    exec(compile(text, place, "exec"), names)
import fogline
print("##", fogline.__file__)
"""


@pytest.fixture(scope="module")
def installed(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The programs of an environment with the wheel in it; what it depends on is borrowed from this one."""
    folder = tmp_path_factory.mktemp("notebook")
    pip = (sys.executable, "-m", "pip", "--quiet", "--disable-pip-version-check")
    subprocess.run([*pip, "wheel", "--no-deps", "--wheel-dir", folder, ROOT], check=True)
    (wheel,) = folder.glob("fogline-*.whl")
    venv.create(folder / "venv", symlinks=True)
    programs = folder / "venv" / "bin"
    python = str(programs / "python")
    subprocess.run([*pip, "--python", python, "install", "--no-deps", "--no-index", wheel], check=True)
    (site,) = (folder / "venv").glob("lib/python*/site-packages")
    (site / "borrowed.pth").write_text(sysconfig.get_path("purelib") + "\n")
    return programs


@pytest.fixture
def environment(tmp_path: Path) -> dict[str, str]:
    ours = {name: value for name, value in os.environ.items() if name not in ("PYTHONPATH", "FOGLINE_SERVER")}
    return {**ours, "XDG_DATA_HOME": str(tmp_path)}


@asynccontextmanager
async def up(installed: Path, environment: Mapping[str, str], folder: Path) -> AsyncIterator[Any]:
    with (folder / "up.log").open("wb") as log:
        process = await asyncio.create_subprocess_exec(
            *(installed / "fogline", "up", "--nodes", "1", "--no-sensors", "--no-browser", "--json"),
            stdin=DEVNULL,
            stdout=PIPE,
            stderr=log,
            env=environment,
            cwd=folder,
        )
    try:
        assert process.stdout is not None
        async with asyncio.timeout(120):
            line = await process.stdout.readline()
        assert line, (folder / "up.log").read_text()
        yield json.loads(line)
    finally:
        if process.returncode is None:
            process.terminate()
        await process.communicate()


async def execute(command: list[Any], environment: Mapping[str, str], folder: Path, given: str = "") -> str:
    process = await asyncio.create_subprocess_exec(
        *command, env=environment, cwd=folder, stdin=PIPE, stdout=PIPE, stderr=asyncio.subprocess.STDOUT
    )
    async with asyncio.timeout(120):
        said, _ = await process.communicate(given.encode())
    assert process.returncode == 0, said.decode()
    return said.decode()


def publish(url: str) -> None:
    """Readings of two rooms, in windows that are over."""
    host, port = url.removeprefix("mqtt://").split(":")
    client = Client(CallbackAPIVersion.VERSION2, protocol=MQTTv5)
    client.connect(host, int(port))
    client.loop_start()
    now = int(time.time())
    for number in range(20):
        room, reading = ("kitchen", "hall")[number % 2], {"ts": now - 60 + number, "temp": 20.5, "co2": 600}
        client.publish(f"lab/{room}/climate", json.dumps(reading), qos=1).wait_for_publish(30)
    client.disconnect()
    client.loop_stop()


@pytest.mark.timeout(400)
async def test_the_session_of_the_docs_runs_with_the_installed_wheel(
    installed: Path, environment: dict[str, str], tmp_path: Path
) -> None:
    (tmp_path / "lab.yaml").write_text(SPEC)
    program = installed / "fogline"
    async with up(installed, environment, tmp_path) as ready:
        await execute([program, "deploy", "lab.yaml", "--wait"], environment, tmp_path)
        await asyncio.to_thread(publish, ready["mqtt"][0])
        give_up = time.monotonic() + 120
        while "kitchen" not in await execute([program, "results", "lab"], environment, tmp_path):
            assert time.monotonic() < give_up
        cells = json.dumps([(block.place, block.text) for block in SESSION])
        said = await execute([installed / "python", "-c", CELLS, *()], environment, tmp_path, cells)

    assert said.count("## docs/sdk.md") == len(SESSION) > 5
    assert f"## {installed.parent}" in said, "the session imported something else than the wheel"
    assert "kitchen" in said
    assert "True [20]" in said  # the ledger
