"""What the doctor says of cgroups and the Docker Engine."""

import socket
from dataclasses import replace
from pathlib import Path

import pytest

from fogline.cli.doctor import containers
from fogline.cli.doctor.containers import Containers
from fogline.cli.doctor.findings import Finding, Level
from tests.engine import DockerEngine

V1 = "#subsys_name\thierarchy\tnum_cgroups\tenabled\ncpu\t3\t80\t1\nmemory\t0\t90\t{memory}\npids\t9\t80\t1\n"
INFO = {"ServerVersion": "24.0.1", "OSType": "linux", "SecurityOptions": ["name=seccomp"]}
WELL = Containers(cgroups=2, off=(), docker="unix:///docker.sock", info=INFO)


def bad(findings: list[Finding]) -> tuple[Level, str, str]:
    """The one thing that is wrong, and what to do."""
    (found,) = [one for one in findings if one.level is not Level.OK]
    return found.level, found.said, found.hint


def test_an_engine_that_can_hold_containers_is_well(docker_engine: DockerEngine) -> None:
    found = containers.judge(containers.look(docker_engine.url), needed=True)
    assert [one.level for one in found if one.area == "containers"] == [Level.OK, Level.OK]
    assert "can hold containers to their limits" in found[1].said


def test_an_engine_that_is_missing_or_has_ended_is_said(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    url = "unix://docker.sock"
    level, said, hint = bad(containers.judge(containers.look(url), needed=False))
    assert (level, "no Docker Engine is there" in said, "install" in hint) == (Level.NOTE, True, True)
    assert bad(containers.judge(containers.look(url), needed=True))[0] is Level.PROBLEM
    with socket.socket(socket.AF_UNIX) as left:
        left.bind("docker.sock")
    level, said, hint = bad(containers.judge(containers.look(url), needed=False))
    assert (level, "has ended" in said, "systemctl start" in hint) == (Level.WARNING, True, True)


@pytest.mark.parametrize(
    ("seen", "said", "hint"),
    [
        (replace(WELL, info={**INFO, "ServerVersion": "19.03.8"}), "20.10 is the oldest", "update"),
        (
            replace(WELL, info={**INFO, "MemoryLimit": False}),
            "cannot limit a container's memory",
            "cmdline.txt",
        ),
        (replace(WELL, info={**INFO, "SecurityOptions": []}), "filters no system calls", "seccomp"),
        (replace(WELL, off=("memory",)), "have memory off", "cgroup_enable=memory"),
        (replace(WELL, cgroups=0), "no cgroups are mounted", "/sys/fs/cgroup"),
        (
            replace(WELL, info={**INFO, "DockerRootDir": "/d"}, free_bytes=5),
            "0.0 GiB free",
            "docker system df",
        ),
    ],
)
def test_what_keeps_containers_from_being_held_is_said(seen: Containers, said: str, hint: str) -> None:
    level, found, do = bad(containers.judge(seen, needed=False))
    assert level is Level.WARNING
    assert said in found
    assert hint in do


def test_a_kernel_that_does_not_limit_memory_is_seen_in_both_versions(tmp_path: Path) -> None:
    groups = tmp_path / "sys/fs/cgroup"
    assert containers.look("", root=tmp_path).cgroups == 0
    groups.mkdir(parents=True)
    (tmp_path / "proc").mkdir()
    (tmp_path / "proc/cgroups").write_text(V1.format(memory=0))
    assert (one := containers.look("", root=tmp_path)).off == ("memory",)
    assert one.cgroups == 1
    (tmp_path / "proc/cgroups").write_text(V1.format(memory=1))
    assert containers.look("", root=tmp_path).off == ()
    # As Raspberry Pi OS is shipped.
    (groups / "cgroup.controllers").write_text("cpuset cpu io pids\n")
    assert (one := containers.look("", root=tmp_path)).off == ("memory",)
    assert one.cgroups == 2
