import platform
from pathlib import Path

from fog_node.capacity import boot_id, capacity


def test_a_machine_says_what_it_has(tmp_path: Path) -> None:
    seen = capacity(tmp_path, runtimes=["process"], labels=["room=north"])
    assert seen.arch == platform.machine()
    assert seen.cpu_millis >= 100
    assert seen.memory_bytes > 64 * 1024**2
    assert 0 < seen.disk_free_bytes <= seen.disk_bytes
    assert (list(seen.runtimes), list(seen.labels)) == (["process"], ["room=north"])
    assert len(boot_id()) == 36
    assert seen.boot_id == boot_id()
