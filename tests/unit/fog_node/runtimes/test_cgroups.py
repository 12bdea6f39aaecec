from pathlib import Path

import pytest

from fog_node.runtimes.docker.cgroups import find_cgroup, read_usage
from fog_node.runtimes.runtime import Usage

V1_MOUNTS = """\
30 25 0:26 / {groups} rw - tmpfs tmpfs rw
31 30 0:27 / {groups}/cpu,cpuacct rw,nosuid - cgroup cgroup rw,cpu,cpuacct
32 30 0:28 / {groups}/memory rw,nosuid shared:9 - cgroup cgroup rw,memory
33 30 0:29 / {groups}/unified rw - cgroup2 cgroup2 rw
"""
V2_MOUNTS = "30 25 0:26 / {groups} rw,nosuid shared:4 - cgroup2 cgroup2 rw,nsdelegate\n"


def test_version_1_has_a_folder_for_each_controller(tmp_path: Path) -> None:
    groups = _proc(tmp_path, V1_MOUNTS, "5:memory:/docker/abc\n3:cpu,cpuacct:/docker/abc\n0::/\n")
    cpu = _made(groups / "cpu,cpuacct/docker/abc")
    (cpu / "cpuacct.usage").write_text("2500000\n")
    (cpu / "cpu.stat").write_text("nr_periods 10\nnr_throttled 3\nthrottled_time 7000\n")
    memory = _made(groups / "memory/docker/abc")
    (memory / "memory.usage_in_bytes").write_text("5000\n")
    (memory / "memory.stat").write_text("cache 900\ntotal_inactive_file 800\n")
    assert read_usage(find_cgroup(42, proc=tmp_path)) == Usage(cpu_us=2500, memory_bytes=4200, throttled_us=7)


def test_version_2_has_one_folder(tmp_path: Path) -> None:
    groups = _proc(tmp_path, V2_MOUNTS, "0::/system.slice/docker-abc.scope\n")
    folder = _made(groups / "system.slice/docker-abc.scope")
    (folder / "cpu.stat").write_text("usage_usec 77\nuser_usec 70\nthrottled_usec 5\n")
    (folder / "memory.current").write_text("4096\n")
    (folder / "memory.stat").write_text("anon 1\ninactive_file 96\n")
    assert read_usage(find_cgroup(42, proc=tmp_path)) == Usage(cpu_us=77, memory_bytes=4000, throttled_us=5)


def test_a_container_that_is_gone_has_no_counters(tmp_path: Path) -> None:
    _proc(tmp_path, V2_MOUNTS, "0::/gone\n")
    with pytest.raises(OSError, match="gone"):
        read_usage(find_cgroup(42, proc=tmp_path))
    with pytest.raises(OSError, match="43"):
        find_cgroup(43, proc=tmp_path)


def _proc(folder: Path, mounts: str, cgroup: str) -> Path:
    groups = folder / "groups"
    _made(folder / "self")
    _made(folder / "42")
    (folder / "self/mountinfo").write_text(mounts.format(groups=groups))
    (folder / "42/cgroup").write_text(cgroup)
    return groups


def _made(folder: Path) -> Path:
    folder.mkdir(parents=True, exist_ok=True)
    return folder
