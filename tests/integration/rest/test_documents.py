"""The commands that docs/api.md shows, typed in as they stand."""

import asyncio
import json
import re
import shlex
from pathlib import Path

import pytest

from tests.contract.installation import Reading, spec
from tests.integration.rest.conftest import House
from tests.unit.docs.blocks import ROOT, blocks

SHOWN = [
    line
    for block in blocks(ROOT / "docs" / "api.md")
    if block.language == "sh"
    for line in block.text.splitlines()
]
SHOWN_PORT = "127.0.0.1:8081"
OUT_OF_TIME = 28
"""curl's exit code when --max-time is over: how a follower is stopped here."""


async def typed(command: str, directory: Path) -> tuple[int | None, str]:
    process = await asyncio.create_subprocess_exec(
        *shlex.split(command), "--noproxy", "*", cwd=directory, stdout=asyncio.subprocess.PIPE
    )
    async with asyncio.timeout(60):
        said, _ = await process.communicate()
    return process.returncode, said.decode()


@pytest.mark.needs("curl")
async def test_every_shown_command_works(house: House, tmp_path: Path) -> None:
    (tmp_path / "greenhouse.yaml").write_text(spec())
    await house.deploy()
    await house.push([Reading(1, "north", 20.0)])
    await house.finished(1)
    paths = set()
    for command in SHOWN:
        assert SHOWN_PORT in command
        here = command.replace(SHOWN_PORT, house.rest.address)
        # A busy machine may need longer than the second that the document shows.
        code, said = await typed(here.replace("--max-time 1 ", "--max-time 5 "), tmp_path)
        if "--max-time" not in command:
            assert code == 0, (command, said)
            assert json.loads(said)
        else:
            assert code == OUT_OF_TIME, (command, said)
            assert "north" in said
        paths.update(re.findall(r"/v1/[^\s?\']+", command))
    assert len(paths) >= 9


async def test_every_path_is_in_the_table(house: House) -> None:
    table = (ROOT / "docs" / "api.md").read_text()
    for path, operations in (await house.http.get("/v1/openapi.json")).json()["paths"].items():
        for method in operations:
            assert f"`{method.upper()} {path}`" in table
