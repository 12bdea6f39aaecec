"""The installer, below a folder instead of on the machine."""

import fcntl
import os
import signal
import subprocess
import sys
import sysconfig
import time
from pathlib import Path

import pytest

from tests.installer import INSTALL, WITHIN_S, environment, install
from tests.wheels import ROOT, make_wheel


def version_of(root: Path) -> str:
    program = root / "opt" / "fogline" / "current" / "bin" / "fogline"
    found = {"PYTHONPATH": sysconfig.get_path("purelib")}
    said = subprocess.run(
        [program, "--version"], env=found, cwd="/", capture_output=True, text=True, check=True
    )
    return said.stdout.strip()


def cut_off(folder: Path, *options: str | Path) -> str:
    """Begin, and end it in the middle of its work; what it said."""
    made = folder / "environment-is-made"
    python = folder / "python3"
    python.write_text(
        f"""#!/bin/sh
{sys.executable} "$@" || exit
[ "$2" != venv ] || {{ touch {made}; exec sleep 600; }}
"""
    )
    python.chmod(0o755)
    begun = subprocess.Popen(
        [INSTALL, *options, "--python", python],
        env=environment(),
        stdout=subprocess.DEVNULL,
        stderr=subprocess.PIPE,
        text=True,
        start_new_session=True,
    )
    end = time.monotonic() + WITHIN_S
    while not made.exists():
        assert time.monotonic() < end
        time.sleep(0.02)
    os.killpg(begun.pid, signal.SIGTERM)
    _, said = begun.communicate(timeout=WITHIN_S)
    assert begun.returncode == 1
    return said


@pytest.mark.timeout(600)
def test_it_installs_once_then_joins_then_updates_and_keeps_what_is_there(tmp_path: Path) -> None:
    root, first = tmp_path / "root", make_wheel(tmp_path, "1.0")
    assert "cut off; the same line goes on from here" in cut_off(tmp_path, "--root", root, "--wheel", first)
    options = ("--root", root, "--python", sys.executable)
    made = install(*options, "--wheel", first)
    assert made.returncode == 0, made.stderr
    assert "fogline 1.0 is in" in made.stdout
    unit = root / "etc" / "systemd" / "system" / "fogline-node.service"
    assert unit.read_text() == (ROOT / "deploy" / "systemd" / unit.name).read_text()
    assert os.access(root / "opt" / "fogline" / "fogline-trial", os.X_OK)

    failed = install(*options, "--join", "127.0.0.1:1", FOGLINE_JOIN_TOKEN="nonsense")
    assert failed.returncode != 0
    assert "token" in failed.stderr

    (root / "etc" / "fogline" / "node.toml").unlink()
    (root / "etc" / "fogline" / "node.toml").write_text('name = "mine"\n')
    again = install(*options, "--wheel", first)
    assert again.returncode == 0, again.stderr
    assert (root / "opt" / "fogline" / "current").readlink() == Path("a")
    assert (root / "etc" / "fogline" / "node.toml").read_text() == 'name = "mine"\n'

    updated = install(*options, "--wheel", make_wheel(tmp_path, "1.1"))
    assert updated.returncode == 0, updated.stderr
    assert (root / "opt" / "fogline" / "current").readlink() == Path("b")
    assert version_of(root) == "fogline 1.1"


def test_what_is_removed_is_the_program_and_what_stays_is_said(tmp_path: Path) -> None:
    opt, state = tmp_path / "opt" / "fogline", tmp_path / "var" / "lib" / "fogline" / "node"
    units, etc = tmp_path / "etc" / "systemd" / "system", tmp_path / "etc" / "fogline"
    for folder in (opt / "a", units / "fogline-node.service.d", etc, state / "identity", state / "journal"):
        folder.mkdir(parents=True)
    (opt / "current").symlink_to("a")
    (units / "fogline-node.service").touch()
    (state / "node.toml").touch()
    (etc / "node.toml").symlink_to(state / "node.toml")
    (etc / "node.env").touch()

    removed = install("--root", tmp_path, "--remove")
    assert removed.returncode == 0, removed.stderr
    assert not opt.exists()
    assert sorted(path.name for path in units.iterdir()) == ["fogline-node.service.d"]
    assert [path.name for path in etc.iterdir()] == ["node.env"]
    assert sorted(path.name for path in state.iterdir()) == ["identity", "journal", "node.toml"]
    for kept in (
        f"{state}, ",
        "of the node, with its identity, with a journal whose messages",
        f"{etc}, settings",
        f"{units}/fogline-node.service.d, settings",
    ):
        assert kept in removed.stdout

    nothing = install("--root", tmp_path, "--remove")
    assert nothing.returncode == 1
    assert f"there is no Fogline in {opt}" in nothing.stderr
    assert f"kept: {state}" in nothing.stdout
    # What an installation or a removal left that was killed at its beginning or its end.
    for left in (opt / "a", units / "fogline-node.service"):
        left.mkdir(parents=True) if left.name == "a" else left.touch()
        assert install("--root", tmp_path, "--remove").returncode == 0
        assert not left.exists()


def test_two_at_once_do_not_take_each_others_files_away(tmp_path: Path) -> None:
    opt = tmp_path / "opt" / "fogline"
    (opt / "a").mkdir(parents=True)
    with (opt / "lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        for arguments in (["--python", sys.executable], ["--remove"]):
            refused = install("--root", tmp_path, *arguments)
            assert refused.returncode == 1
            assert "another install.sh is at work" in refused.stderr
    assert (opt / "a").exists()


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (["--nonsense"], "there is no option --nonsense"),
        (["--tier"], "--tier needs a value"),
        (["--tier", "fog"], "there is no tier fog"),
        (["--wheel", "/nowhere.whl"], "there is no file /nowhere.whl"),
        (["--wheel", str(INSTALL), "--version", "1"], "name two releases"),
        (["--join", "cloud:7073"], "--join needs a token"),
        (["--join", "https://cloud", "--token", "fj1."], "--join needs the port where machines join"),
        (["--join", "cloud:7073", "--token", "fap1."], "this is no join token"),
        (["--tier", "cloud", "--join", "cloud:7073", "--token", "t"], "a cloud joins nothing"),
        (["--python", "/nowhere/python3"], "there is no /nowhere/python3"),
    ],
)
def test_what_cannot_be_done_is_said_before_anything_is_changed(
    arguments: list[str], said: str, tmp_path: Path
) -> None:
    refused = install("--root", tmp_path / "root", *arguments)
    assert refused.returncode == 1
    assert said in refused.stderr
    assert not (tmp_path / "root").exists()


@pytest.mark.parametrize(
    ("program", "said"),
    [
        ("case $2 in *version_info*) exit 1;; esac", "older than Python 3.11"),
        ("case $2 in *maxsize*) exit 1;; esac", "needs a 64-bit system"),
        ("case $2 in *ensurepip*) exit 1;; esac", "python3-venv"),
    ],
)
def test_a_python_that_will_not_do_is_refused_with_what_to_do(
    program: str, said: str, tmp_path: Path
) -> None:
    python = tmp_path / "python3"
    python.write_text(f"#!/bin/sh\n{program}\n")
    python.chmod(0o755)
    refused = install("--root", tmp_path / "root", "--python", python)
    assert refused.returncode == 1
    assert said in refused.stderr


def test_help_says_every_option() -> None:
    said = install("--help")
    assert said.returncode == 0
    for option in ("--tier", "--wheel", "--version", "--join", "--token", "--python", "--no-start", "--root"):
        assert f"  {option} " in said.stdout.replace("install.sh", "")


@pytest.mark.needs("shellcheck")
@pytest.mark.parametrize(
    "script", [INSTALL, ROOT / "deploy" / "systemd" / "fogline-trial"], ids=lambda s: s.name
)
def test_shellcheck_finds_nothing(script: Path) -> None:
    checked = subprocess.run(["shellcheck", script], capture_output=True, text=True, check=False)
    assert checked.returncode == 0, checked.stdout
