"""The installer, below a folder instead of on the machine."""

import os
import subprocess
import sys
import sysconfig
from pathlib import Path

import pytest

from tests.wheels import ROOT, make_wheel

INSTALL = ROOT / "deploy" / "install.sh"


def install(*arguments: str | Path, **environment: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [INSTALL, *arguments],
        env={
            "PATH": os.environ["PATH"],
            # What wheels need is taken from here: nothing is asked for.
            "PYTHONPATH": sysconfig.get_path("purelib"),
            "PIP_NO_DEPS": "1",
            "PIP_NO_INDEX": "1",
            "PIP_NO_COMPILE": "1",
            **environment,
        },
        capture_output=True,
        text=True,
        check=False,
    )


def version_of(root: Path) -> str:
    program = root / "opt" / "fogline" / "current" / "bin" / "fogline"
    environment = {"PYTHONPATH": sysconfig.get_path("purelib")}
    said = subprocess.run(
        [program, "--version"], env=environment, cwd="/", capture_output=True, text=True, check=True
    )
    return said.stdout.strip()


@pytest.mark.timeout(600)
def test_it_installs_once_then_joins_then_updates_and_keeps_what_is_there(tmp_path: Path) -> None:
    root, first = tmp_path / "root", make_wheel(tmp_path, "1.0")
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
    again = install(*options)
    assert again.returncode == 0, again.stderr
    assert (root / "opt" / "fogline" / "current").readlink() == Path("a")
    assert (root / "etc" / "fogline" / "node.toml").read_text() == 'name = "mine"\n'

    updated = install(*options, "--wheel", make_wheel(tmp_path, "1.1"))
    assert updated.returncode == 0, updated.stderr
    assert (root / "opt" / "fogline" / "current").readlink() == Path("b")
    assert version_of(root) == "fogline 1.1"


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (["--nonsense"], "there is no option --nonsense"),
        (["--tier"], "--tier needs a value"),
        (["--tier", "fog"], "there is no tier fog"),
        (["--wheel", "/nowhere.whl"], "there is no file /nowhere.whl"),
        (["--wheel", str(INSTALL), "--version", "1"], "name two releases"),
        (["--join", "cloud:7073"], "--join needs a token"),
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
