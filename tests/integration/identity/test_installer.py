"""deploy/install.sh joins a real cloud, or says why not, and goes on when that is mended."""

import asyncio
import errno
import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest
import typer

from fogline.cli.join import run
from fogline.cli.join.run import Wishes
from fogline.identity.folder import read_identity
from fogline.identity.token import hash_of, new_token, parse_token
from fogline.model.caller import LOCAL
from fogline.model.clock import MINUTE
from fogline.v1 import enrol_pb2
from tests.installer import install
from tests.integration.identity.conftest import Installation, SetClock
from tests.wheels import make_wheel

pytestmark = pytest.mark.timeout(600)
GOES_ON = "has not joined, see above; mend that, and the same line goes on from here"


@pytest.fixture(scope="module")
def installed(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The program, once: it takes seconds."""
    root = tmp_path_factory.mktemp("machine")
    made = install("--root", root, "--python", sys.executable, "--wheel", make_wheel(root, "1.0"))
    assert made.returncode == 0, made.stderr
    assert "no settings yet: join" in made.stdout
    return root


@pytest.fixture
def machine(installed: Path) -> Path:
    """One with the program and nothing else."""
    for folder in ("var", "etc"):
        shutil.rmtree(installed / folder, ignore_errors=True)
    return installed


def state(machine: Path) -> Path:
    return machine / "var" / "lib" / "fogline" / "node"


async def join(machine: Path, address: str, token: str) -> "subprocess.CompletedProcess[str]":
    return await asyncio.to_thread(
        install, "--root", machine, "--python", sys.executable, "--join", address, FOGLINE_JOIN_TOKEN=token
    )


async def refused(machine: Path, address: str, token: str) -> str:
    """What the person at the terminal is told, who must be able to try again."""
    done = await join(machine, address, token)
    assert done.returncode == 1
    assert GOES_ON in done.stderr
    assert not (state(machine) / "identity").exists()
    return done.stderr


async def joined(machine: Path, address: str, token: str) -> None:
    done = await join(machine, address, token)
    assert done.returncode == 0, done.stderr
    identity = await asyncio.to_thread(read_identity, state(machine), role="node")
    assert f'name = "{identity.subject.name}"' in (machine / "etc" / "fogline" / "node.toml").read_text()
    assert not list(state(machine).glob(".joining*"))


async def test_a_token_that_holds_no_more_is_said_and_a_new_one_goes_on_from_there(
    machine: Path, installation: Installation, clock: SetClock
) -> None:
    token = await installation.token()
    closed = enrol_pb2.RevokeTokenRequest(id=hash_of(parse_token(token).secret).hex()[:8])
    await installation.admittance.joining.revoke_token(LOCAL, closed)
    said = await refused(machine, installation.enrol, token)
    assert "was revoked at" in said
    assert "where the cloud is, `fogline token create --name n1` makes a new one" in said

    token = await installation.token(expires_us=2 * MINUTE)
    clock.ahead_us = 3 * MINUTE
    said = await refused(machine, installation.enrol, token)
    assert "expired at" in said
    assert "fogline token create --name n1" in said

    token = await installation.token()
    await installation.use(token)
    said = await refused(machine, installation.enrol, token)
    assert "by another machine, or by this one with an identity that it has lost" in said
    assert "`fogline node revoke n1`" in said

    token = await installation.token()
    # As it comes from a page with line ends.
    await joined(machine, f"https://{installation.enrol}/", f" {token[:40]}\n{token[40:]}\n")
    again = await join(machine, installation.enrol, token)
    assert again.returncode == 0
    assert "has joined before and keeps its identity" in again.stdout


async def test_a_parent_that_is_away_or_is_none_is_said_and_the_token_still_holds(
    machine: Path, installation: Installation
) -> None:
    token = await installation.token()
    said = await refused(machine, "127.0.0.1:1", token)
    assert "nobody answers at 127.0.0.1:1: Connection refused" in said
    assert "is the parent up, the address right, and no firewall between?" in said
    said = await refused(machine, installation.children, token)
    assert f"{installation.children} ended the connection" in said
    assert "7073 at a cloud, 7075 at an aggregator" in said
    said = await refused(machine, installation.enrol, str(new_token("main", b"x" * 32)))
    assert "has another CA than the token" in said
    assert "take a token from this one" in said
    await joined(machine, installation.enrol, token)


async def lost(machine: Path, installation: Installation, token: str, patch: pytest.MonkeyPatch) -> None:
    """Join so far that the cloud has given an identity, and lose it on the way to the disk."""

    def full(folder: Path, identity: object) -> None:
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))

    wishes = Wishes(
        role="node", address=installation.enrol, token=token, name="", folder=state(machine), start=False
    )
    with patch.context() as failing:
        failing.setattr(run, "write_identity", full)
        with pytest.raises(typer.Exit):
            await asyncio.to_thread(run.join, wishes)


async def test_who_lost_the_answer_joins_with_the_same_token_or_after_it_was_taken_back_with_a_new_one(
    machine: Path,
    installation: Installation,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    first = await installation.token()
    await lost(machine, installation, first, monkeypatch)
    assert "make room, or mend its rights; then ask again with the same token" in capsys.readouterr().err
    # Killed while it wrote a key.
    (state(machine) / ".joining-any-own.pem.new").touch()
    await joined(machine, installation.enrol, first)

    (state(machine) / "identity").unlink()
    second = await installation.token()
    await lost(machine, installation, second, monkeypatch)
    await installation.revoke("n1")
    said = await refused(machine, installation.enrol, second)
    assert "the identity that this token brought was revoked" in said
    await joined(machine, installation.enrol, third := await installation.token())

    (state(machine) / "node.toml").unlink()
    done = await join(machine, installation.enrol, third)
    assert done.returncode == 1
    assert "this machine has joined, and" in done.stderr
    assert "is gone or empty: put it back, or remove" in done.stderr
