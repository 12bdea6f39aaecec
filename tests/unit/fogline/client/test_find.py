import json
from pathlib import Path

import pytest

from fogline.client.find import ENDPOINTS_FILE, default_directory, find_cloud
from fogline.model.errors import InvalidInput, NotFound


@pytest.fixture(autouse=True)
def nothing_set(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.delenv("FOGLINE_SERVER", raising=False)
    monkeypatch.setenv("XDG_DATA_HOME", str(tmp_path / "data"))


def running(directory: Path, address: str) -> Path:
    directory.mkdir(parents=True)
    (directory / ENDPOINTS_FILE).write_text(json.dumps({"grpc": address}))
    return directory


def test_an_address_is_taken_as_it_is(tmp_path: Path) -> None:
    directory = running(tmp_path / "up", "127.0.0.1:1")

    assert find_cloud("cloud.example:7070", directory).address == "cloud.example:7070"
    assert find_cloud("grpc://cloud.example:7070", None).address == "cloud.example:7070"
    assert find_cloud("[::1]:7070", None).address == "[::1]:7070"


def test_a_folder_says_where_its_server_is(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("FOGLINE_SERVER", "elsewhere:1")

    assert find_cloud(None, running(tmp_path / "up", "127.0.0.1:7072")).address == "127.0.0.1:7072"


def test_the_environment_comes_before_the_default_folder(monkeypatch: pytest.MonkeyPatch) -> None:
    running(default_directory(), "127.0.0.1:7073")
    assert find_cloud(None, None).address == "127.0.0.1:7073"

    monkeypatch.setenv("FOGLINE_SERVER", "elsewhere:7070")
    assert find_cloud(None, None).address == "elsewhere:7070"


def test_a_folder_in_which_nothing_runs_says_how_to_start(tmp_path: Path) -> None:
    with pytest.raises(NotFound, match="no `fogline up` runs in") as missing:
        find_cloud(None, tmp_path)
    assert f"fogline up --dir {tmp_path}" in missing.value.hint


@pytest.mark.parametrize("content", ["", "{", "[]", "{}", '{"grpc": null}', '{"grpc": "nowhere"}'])
def test_a_spoiled_folder_is_said(tmp_path: Path, content: str) -> None:
    (tmp_path / ENDPOINTS_FILE).write_text(content)

    with pytest.raises(InvalidInput):
        find_cloud(None, tmp_path)


@pytest.mark.parametrize("server", ["", "7070", "host:", ":7070", "host:port", "host:0", "host:70000"])
def test_an_address_without_a_port_is_refused(server: str) -> None:
    with pytest.raises(InvalidInput, match="is not an address"):
        find_cloud(server, None)


def test_the_default_folder_is_the_users_data_folder(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    assert default_directory() == tmp_path / "data" / "fogline"

    # XDG: a relative path is to be ignored.
    monkeypatch.setenv("XDG_DATA_HOME", "data")
    monkeypatch.setenv("HOME", str(tmp_path))
    assert default_directory() == tmp_path / ".local" / "share" / "fogline"
