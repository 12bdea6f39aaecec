"""From a token to a node that runs, as a person does it: real processes, the command line."""

import asyncio
import signal
import socket
import stat
import sys
from asyncio.subprocess import DEVNULL, PIPE
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

import pytest

import fogline

WITHIN = 60.0


def free_ports(count: int) -> list[str]:
    """Addresses on loopback that nobody has now."""
    probes = [socket.create_server(("127.0.0.1", 0)) for _ in range(count)]
    try:
        return [f"127.0.0.1:{probe.getsockname()[1]}" for probe in probes]
    finally:
        for probe in probes:
            probe.close()


async def said(*arguments: str) -> tuple[int, str, str]:
    """Exit code, standard output and standard error of a command."""
    process = await asyncio.create_subprocess_exec(
        *(sys.executable, "-m", "fogline", *arguments), stdin=DEVNULL, stdout=PIPE, stderr=PIPE
    )
    async with asyncio.timeout(WITHIN):
        out, err = await process.communicate()
    assert process.returncode is not None
    return process.returncode, out.decode().strip(), err.decode()


@asynccontextmanager
async def running(*arguments: str) -> AsyncIterator[asyncio.subprocess.Process]:
    """A command that goes on until it is told to stop."""
    process = await asyncio.create_subprocess_exec(
        *(sys.executable, "-m", "fogline", *arguments), stdin=DEVNULL, stdout=DEVNULL, stderr=DEVNULL
    )
    try:
        yield process
    finally:
        if process.returncode is None:
            process.send_signal(signal.SIGTERM)
        async with asyncio.timeout(WITHIN):
            await process.wait()


async def until_alive(server: str, name: str, *, alive: bool = True) -> None:
    """Wait until the cloud shows the node so."""
    async with asyncio.timeout(WITHIN), fogline.AsyncClient(server, timeout=WITHIN) as client:
        while True:
            there = [node async for node in client.nodes() if node.name == name and node.alive is alive]
            if there:
                return
            await asyncio.sleep(0.1)


async def test_one_line_makes_a_machine_a_node_and_another_takes_it_back(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    listen, children, enrol = free_ports(3)
    ports = ("--listen", listen, "--children", children, "--enrol", enrol)
    folder = tmp_path / "n1"
    async with running("cloud", "--folder", str(tmp_path / "cloud"), *ports):
        async with asyncio.timeout(WITHIN):
            while not (first := tmp_path / "cloud" / "admin.token").exists():  # noqa: ASYNC110 - another process
                await asyncio.sleep(0.1)
            monkeypatch.setenv("FOGLINE_TOKEN", first.read_text().strip())
            while (await said("token", "list", "--server", listen))[0] != 0:
                pass
        code, token, told = await said("token", "create", "--name", "n1", "--server", listen)
        assert (code, token.startswith("fj1.main.")) == (0, True), told
        code, out, err = await said("node", "join", enrol, "--token", token, "--folder", str(folder))
        assert (code, "this machine is node n1 now" in out) == (0, True), err
        assert stat.S_IMODE((folder / "identity" / "key.pem").stat().st_mode) == 0o600
        code, _, err = await said("node", "join", enrol, "--token", token, "--folder", str(tmp_path / "n2"))
        assert (code, "by another machine" in err, "[token_refused]" in err) == (1, True, True), err
        settings = ("--settings", str(folder / "node.toml"), "--listener-port", "0")
        async with running("node", *settings):
            await until_alive(listen, "n1")
            assert (await said("node", "revoke", "n1", "--server", listen))[0] == 0
            await until_alive(listen, "n1", alive=False)
        assert "used" in (await said("token", "list", "--server", listen))[1]


async def test_mistakes_are_told_with_what_to_do(tmp_path: Path) -> None:
    code, _, err = await said(
        "node", "join", "127.0.0.1:1", "--token", "fj1.main.x", "--folder", str(tmp_path)
    )
    assert (code, "not a whole join token" in err) == (1, True)
    code, _, err = await said("node", "--name", "n1", "--folder", str(tmp_path), "--parents", "127.0.0.1:1")
    assert (code, "fogline node join HOST:PORT --token TOKEN" in err) == (2, True)
    code, _, err = await said(
        "aggregator", "--name", "a", "--folder", str(tmp_path), "--parents", "127.0.0.1:1"
    )
    assert (code, "fogline aggregator join" in err) == (2, True)
