import socket
from pathlib import Path

import pytest

from fog_node.runtimes.door import open_door
from fog_node.runtimes.runtime import ContainerFault


def test_a_socket_is_dialled_by_a_short_path_however_long_its_own_is(tmp_path: Path) -> None:
    with socket.socket(socket.AF_UNIX) as server, socket.socket(socket.AF_UNIX) as client:
        server.bind(str(tmp_path / "s"))
        server.listen()
        deep = tmp_path / ("x" * 100)
        deep.mkdir()
        (tmp_path / "s").rename(deep / "operator.sock")
        door = open_door(deep / "operator.sock")
        assert door is not None
        with door:
            client.connect(str(door.path))


def test_there_is_no_door_before_there_is_a_socket(tmp_path: Path) -> None:
    assert open_door(tmp_path / "operator.sock") is None
    assert open_door(tmp_path / "nowhere" / "operator.sock") is None


def test_a_link_to_somebody_elses_socket_is_not_followed(tmp_path: Path) -> None:
    with socket.socket(socket.AF_UNIX) as server:
        server.bind(str(tmp_path / "engine"))
        (tmp_path / "operator.sock").symlink_to(tmp_path / "engine")
        with pytest.raises(ContainerFault) as fault:
            open_door(tmp_path / "operator.sock")
    assert fault.value.reason == "bad_socket"


def test_a_plain_file_is_no_socket(tmp_path: Path) -> None:
    (tmp_path / "operator.sock").write_bytes(b"")
    with pytest.raises(ContainerFault, match="none"):
        open_door(tmp_path / "operator.sock")
