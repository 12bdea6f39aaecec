"""`fogline doctor --node` on a machine that has joined, or that thinks it has."""

import asyncio
import json
from pathlib import Path

from fogline.cli.doctor import node
from fogline.cli.doctor.findings import Finding, Level
from fogline.identity.authority import make_root
from fogline.identity.folder import write_identity
from fogline.identity.identity import Identity
from fogline.identity.issuing import make_identity
from fogline.model.clock import DAY
from tests.integration.identity.conftest import Installation, SetClock

DOCKER = "unix:///var/run/docker.sock"


def machine(folder: Path, identity: Identity | None, *parents: str, name: str = "n1") -> Path:
    """A node's settings as `fogline node join` writes them."""
    folder.mkdir()
    if identity is not None:
        write_identity(folder, identity)
    (folder / "node.toml").write_text(
        f'name = "{name}"\nfolder = "{folder}"\nparents = {json.dumps(list(parents))}\n'
    )
    return folder


async def examined(folder: Path, clock: SetClock) -> list[Finding]:
    """What the doctor says of it."""
    seen = await asyncio.to_thread(node.look, node.settings_of(folder), docker=DOCKER)
    assert seen.docker == DOCKER
    return node.judge(seen, clock)


def bad(findings: list[Finding]) -> tuple[str, str]:
    """The one thing that is wrong, and what to do."""
    (found,) = [one for one in findings if one.level in {Level.PROBLEM, Level.WARNING}]
    return found.said, found.hint


async def test_a_node_that_joined_is_well_until_it_is_taken_back(
    installation: Installation, clock: SetClock, tmp_path: Path
) -> None:
    folder = machine(tmp_path / "n1", (await installation.joined("n1")).identity, installation.children)
    findings = await examined(folder, clock)
    assert {one.level for one in findings} == {Level.OK}
    assert "it is node n1; its certificate holds until" in findings[0].said
    await installation.revoke("n1")
    async with asyncio.timeout(60):
        while all(one.level is Level.OK for one in findings):
            findings = await examined(folder, clock)
    said, hint = bad(findings)
    assert "the identity of node n1 was revoked" in said
    assert "fogline token create" in hint


async def test_what_keeps_a_node_from_its_parents_is_said(
    installation: Installation, clock: SetClock, tmp_path: Path
) -> None:
    identity = (await installation.joined("n1")).identity
    foreign = make_identity(make_root("else"), identity.subject, now_us=clock.now_us())
    said, hint = bad(await examined(machine(tmp_path / "a", foreign, installation.children), clock))
    assert "is of another CA than this machine's identity" in said
    assert "with a token of this one" in hint
    said, hint = bad(await examined(machine(tmp_path / "b", identity, "127.0.0.1:1"), clock))
    assert said.startswith("parent 127.0.0.1:1: UNAVAILABLE")
    assert "firewall" in hint
    people = installation.cloud.server.address
    said, hint = bad(await examined(machine(tmp_path / "c", identity, people), clock))
    assert "speaks plain text" in said
    assert "`children` port" in hint
    said, hint = bad(await examined(machine(tmp_path / "d", None, installation.children), clock))
    assert "there is no identity" in said
    assert "fogline node join" in hint
    said, _ = bad(await examined(machine(tmp_path / "e", identity, installation.children, name="n2"), clock))
    assert "call it n2, and its identity is that of node n1" in said


async def test_a_certificate_and_a_clock_that_do_not_fit_are_said(
    installation: Installation, clock: SetClock, tmp_path: Path
) -> None:
    folder = machine(tmp_path / "n1", (await installation.joined("n1")).identity, installation.children)
    for ahead_us, words in (
        (70 * DAY, "should have been renewed since"),
        (100 * DAY, "by this machine's clock its certificate ended on"),
        (-300 * DAY, "by this machine's clock its certificate was made later"),
    ):
        clock.ahead_us = ahead_us
        findings = await examined(folder, clock)
        # The cloud's clock is the same one: it may refuse the certificate as well.
        said, hint = bad([one for one in findings if not one.said.startswith("parent ")])
        assert words in said
        assert hint
