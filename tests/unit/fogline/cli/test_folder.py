import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

from fogline.cli.up.folder import Folder, Lock, readable
from fogline.model.errors import FogError


@pytest.fixture
def folder(tmp_path: Path) -> Folder:
    made = Folder(tmp_path / "up")
    made.make()
    return made


def test_a_second_lock_is_refused_and_names_the_first(folder: Folder) -> None:
    Lock(folder).take()

    with pytest.raises(FogError, match=rf"already \(process {os.getpid()}\)") as refused:
        Lock(folder).take()

    assert f"kill {os.getpid()}" in refused.value.hint


def test_a_lock_lives_as_long_as_a_child_that_has_its_descriptor(folder: Folder) -> None:
    lock = Lock(folder)
    lock.take()
    with subprocess.Popen(
        [sys.executable, "-c", "input()"], stdin=subprocess.PIPE, pass_fds=(lock.descriptor,)
    ) as child:
        os.close(lock.descriptor)
        with pytest.raises(FogError):
            Lock(folder).take()
        child.communicate(b"\n")

    Lock(folder).take()


def test_the_lock_of_a_dead_supervisor_is_waited_for_until_its_children_are_gone(folder: Folder) -> None:
    lock = Lock(folder)
    lock.take()
    with subprocess.Popen(
        [sys.executable, "-c", "input()"], stdin=subprocess.PIPE, pass_fds=(lock.descriptor,)
    ) as child:
        os.close(lock.descriptor)
        gone = subprocess.run(
            [sys.executable, "-c", "import os; print(os.getpid())"], capture_output=True, check=True
        )
        (folder.path / "up.lock").write_bytes(gone.stdout.strip())
        assert child.stdin is not None
        child.stdin.write(b"\n")
        child.stdin.flush()

        Lock(folder).take()


def test_nodes_of_former_runs_are_counted(folder: Folder) -> None:
    assert folder.nodes_before() == 0
    for name in ("node-1", "node-3", "node-x", "cloud"):
        folder.data(name).mkdir()

    assert folder.nodes_before() == 3


def test_ports_are_kept_and_spoiled_ones_are_forgotten(folder: Folder) -> None:
    folder.write_ports({"cloud": 7072, "node-1": 1885})
    folder.write_ports({"cloud": 7070})
    assert folder.ports_before() == {"cloud": 7070, "node-1": 1885}

    for spoiled in ("", "[]", '{"cloud": "x"}', "{"):
        (folder.path / "ports.json").write_text(spoiled)
        assert folder.ports_before() == {}


def test_endpoints_are_replaced_whole_and_removed_at_the_end(folder: Folder) -> None:
    path = folder.path / "up.json"
    folder.write_endpoints({"grpc": "a"})
    before = path.stat().st_ino
    folder.write_endpoints({"grpc": "b"})

    assert json.loads(path.read_text()) == {"grpc": "b"}
    assert path.stat().st_ino != before
    folder.remove_endpoints()
    folder.remove_endpoints()
    assert not path.exists()


def test_the_last_lines_of_a_log_are_found_and_a_big_log_is_put_aside(folder: Folder) -> None:
    log = folder.path / "logs" / "cloud.log"
    log.write_bytes(b"line\n" * 2_000_000 + b"the end\n")
    assert folder.log_tail("cloud", 2) == ["line", "the end"]

    os.close(folder.open_log("cloud"))
    assert log.stat().st_size == 0
    assert log.with_name("cloud.log.1").stat().st_size > 8_000_000
    assert folder.log_tail("nobody") == []


def test_a_folder_that_cannot_be_made_is_said(tmp_path: Path) -> None:
    (tmp_path / "file").touch()

    with pytest.raises(FogError, match="cannot be used"):
        Folder(tmp_path / "file" / "up").make()


@pytest.mark.parametrize(
    ("line", "said"),
    [
        ("no port for me", "no port for me"),
        ('{"event": "uplink lost", "reason": "refused", "level": "warning"}', "uplink lost: refused"),
        (
            r'{"event": "failed", "exception": "  + Group\n    | Traceback\n    | TypeError: so\n    +--"}',
            "failed: TypeError: so",
        ),
        ("{}", "{}"),
        ("[1]", "[1]"),
        ("x" * 999, "x" * 300),
    ],
)
def test_a_log_line_is_said_shortly(line: str, said: str) -> None:
    assert readable(line) == said
