"""The first steps in README and docs/getting-started.md, typed in as they stand."""

import asyncio
import os
import re
import sys
import time
from contextlib import suppress
from pathlib import Path

import pytest

from tests.faults.site import Site
from tests.unit.docs.blocks import ROOT, Block, blocks, commands

NOT_HERE = (
    "make ",
    "fogline up",
    "fogline node",
    "fogline aggregator",
    "fogline cloud",
    "fogline results machine",
)


@pytest.fixture
def shell(tmp_path: Path) -> dict[str, str]:
    """An environment in which ``fogline`` is this clone's."""
    program = tmp_path / "bin" / "fogline"
    program.parent.mkdir()
    program.write_text(f'#!/bin/sh\nexec "{sys.executable}" -m fogline "$@"\n')
    program.chmod(0o755)
    path = os.pathsep.join((str(program.parent), os.environ["PATH"]))
    return {**os.environ, "PATH": path, "PYTHONPATH": os.pathsep.join(sys.path)}


async def execute(command: list[str], directory: Path, shell: dict[str, str]) -> str:
    process = await asyncio.create_subprocess_exec(
        *command,
        cwd=directory,
        env=shell,
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.STDOUT,
    )
    async with asyncio.timeout(60):
        said, _ = await process.communicate()
    assert process.returncode == 0, f"{command}\n{said.decode()}"
    return said.decode()


async def followed(script: str, shell: dict[str, str], *, until: str) -> None:
    """Run a script that follows for ever, until it has printed this."""
    process = await asyncio.create_subprocess_exec(
        sys.executable, "-u", "-c", script, env=shell, stdout=asyncio.subprocess.PIPE
    )
    assert process.stdout is not None
    try:
        async with asyncio.timeout(60):
            while until not in (line := (await process.stdout.readline()).decode()):
                assert line, f"it ended before it said {until}"
    finally:
        with suppress(ProcessLookupError):
            process.kill()
        await process.wait()


def first_spec(document: Path) -> Block:
    return next(b for b in blocks(document) if b.language == "yaml")


@pytest.mark.timeout(300)
@pytest.mark.needs("mosquitto_pub")
async def test_the_shown_steps_lead_to_the_shown_results(tmp_path: Path, shell: dict[str, str]) -> None:
    readme, started = ROOT / "README.md", ROOT / "docs" / "getting-started.md"
    (tmp_path / "greenhouse.yaml").write_text(first_spec(readme).text)
    (tmp_path / "lab.yaml").write_text(first_spec(started).text)
    (tmp_path / "climate.csv").write_text(
        "ts,room,temp,co2\n1700000000,attic,19.5,500\n1700000001,attic,,510\n"
    )
    async with Site(tmp_path / "up", tmp_path / "lab.yaml") as site:
        shell |= {"FOGLINE_SERVER": site.ready["grpc"]}
        said: dict[str, str] = {}
        for document in (readme, started):
            for block in blocks(document):
                for command in commands(block):
                    if command.startswith(NOT_HERE) or "--follow" in command:
                        continue
                    here = command.replace("-p 1883", f"-p {site.listeners[0][1]}").replace(
                        "mqtt://127.0.0.1:1883", site.ready["mqtt"][0]
                    )
                    said[command] = await execute(["sh", "-c", here], tmp_path, shell)
                if block.language == "python" and "follow" not in block.text:
                    said["python"] = await execute([sys.executable, "-c", block.text], tmp_path, shell)

        (script,) = [block.text for block in blocks(readme) if block.language == "python"]
        await followed(script, shell, until="{'zone': 'north'}")
        assert "greenhouse: plan" in said["fogline deploy greenhouse.yaml --wait"]
        assert "lab: plan" in said["fogline deploy lab.yaml --wait"]
        assert "adds up" in said["fogline ledger greenhouse"]
        give_up = time.monotonic() + 30
        while "complete" not in (found := await execute(["fogline", "results", "lab"], tmp_path, shell)):
            assert time.monotonic() < give_up, found
        # Of the two rows one has no `temp`: SQL's null is not between -40 and 85.
        assert re.search(r"attic +1 +19\.5 +500 +", found), found
